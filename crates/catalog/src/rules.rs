//! Habits all phones share: the master file, configuration files, User-Agents, the directory.
//!
//! Decides nothing: it is the maker's vocabulary, so that no other crate spells it.

use crate::fact::{Evidence, Fact, Origin};
use crate::reader::{Errors, Problem, Readable, Reader};
use crate::tree::{Node, Table};
use crate::user_agent::literals;
use crate::version::Version;

/// The words of the master file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterFile {
    /// The root element; a model's own element adds `_` and the model token.
    pub element: String,
    /// The attribute that names the firmware image.
    pub image_attribute: String,
    /// The attribute that lists the configuration files.
    pub config_files_attribute: String,
    /// What stands between two configuration files.
    pub config_files_separator: String,
    /// The most bytes the list holds.
    pub config_files_max_bytes: usize,
    /// The attribute for the folder of logs.
    pub log_directory_attribute: String,
    /// The attribute for the folder of overrides.
    pub overrides_directory_attribute: String,
    /// The attribute for the folder of contacts.
    pub contacts_directory_attribute: String,
    /// The attribute for the folder of licenses.
    pub license_directory_attribute: String,
    /// The attribute for the folder of call lists.
    pub calls_directory_attribute: String,
    /// Attributes written empty, so that the phone uses no older value.
    pub empty_attributes: Vec<String>,
    /// What the phone replaces by its MAC in lower case.
    pub mac_variable: String,
    /// What the phone replaces by its model token.
    pub model_variable: String,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl MasterFile {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let element = fields.required_text("element");
        let image = fields.required_text("image-attribute");
        let config_files = fields.required_text("config-files-attribute");
        let separator = fields.required_text("config-files-separator");
        let max_bytes = fields.required("config-files-max-bytes");
        let log = fields.required_text("log-directory-attribute");
        let overrides = fields.required_text("overrides-directory-attribute");
        let contacts = fields.required_text("contacts-directory-attribute");
        let license = fields.required_text("license-directory-attribute");
        let calls = fields.required_text("calls-directory-attribute");
        let empty_attributes = fields.required("empty-attributes");
        let mac_variable = fields.required_text("mac-variable");
        let model_variable = fields.required_text("model-variable");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self {
            element: element?,
            image_attribute: image?,
            config_files_attribute: config_files?,
            config_files_separator: separator?,
            config_files_max_bytes: max_bytes?,
            log_directory_attribute: log?,
            overrides_directory_attribute: overrides?,
            contacts_directory_attribute: contacts?,
            license_directory_attribute: license?,
            calls_directory_attribute: calls?,
            empty_attributes: empty_attributes?,
            mac_variable: mac_variable?,
            model_variable: model_variable?,
            source,
            evidence,
            note,
        })
    }
}

/// How a phone reads configuration and shows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneRules {
    /// The root element we write configuration files with; phones accept any.
    pub config_root: Fact<String>,
    /// The element below it that carries the parameters.
    pub config_element: Fact<String>,
    /// Written behind a platform parameter's name to make its enable key.
    pub set_suffix: Fact<String>,
    /// The parameter that enables platform parameters at all.
    pub set_all: Fact<String>,
    /// The value of an enable key that is on.
    pub set_value: Fact<String>,
    /// What the names of platform parameters begin with.
    pub device_prefix: Fact<String>,
    /// A changed parameter with such a beginning restarts the phone.
    pub restart_prefixes: Fact<Vec<String>>,
    /// Whether of two configuration files with one parameter the earlier wins.
    pub earlier_file_wins: Fact<bool>,
    /// The administrator's password of a phone fresh from the factory.
    pub factory_admin_password: Fact<String>,
    /// The user's password of a phone fresh from the factory.
    pub factory_user_password: Fact<String>,
    /// The User-Agent of file requests, with `{family}`, `{token}`, `{version}` and `{stage}`.
    pub user_agent: Fact<String>,
    /// What stands behind `{version}` when the phone tags its serial, with `{mac}`.
    pub user_agent_serial: Fact<String>,
    /// The word for `{stage}` while the updater runs.
    pub user_agent_updater: Fact<String>,
    /// The word for `{stage}` while the application runs.
    pub user_agent_application: Fact<String>,
    /// The User-Agent of firmware that does not say which program asks.
    pub user_agent_undivided: Fact<UndividedUserAgent>,
    /// Families whose early firmware puts another word for `{family}`.
    pub user_agent_early_families: Vec<Fact<EarlyFamily>>,
    /// Failures of one image after which a phone asks no more for it until it is started again.
    pub upgrade_failures: Fact<u32>,
    /// The platform parameter that sets that number.
    pub upgrade_failures_parameter: Fact<String>,
}

/// How firmware before the split into updater and application names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndividedUserAgent {
    /// The beginning of the common form, up to `{version}`.
    pub form: String,
    /// The first application version that says more.
    pub below: Version,
}

/// A family that was called otherwise at first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlyFamily {
    /// Id of the family.
    pub family: String,
    /// The first application version that uses the model's own word.
    pub below: Version,
    /// The word before that.
    pub word: String,
}

impl Readable for UndividedUserAgent {
    const EXPECTED: &'static str = "a table { form, below }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let form = fields.required_text("form");
        let below = fields.required("below");
        fields.finish();
        Some(Self { form: form?, below: below? })
    }
}

impl Readable for EarlyFamily {
    const EXPECTED: &'static str = "a table { family, below, word }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let family = fields.required_text("family");
        let below = fields.required("below");
        let word = fields.required_text("word");
        fields.finish();
        Some(Self { family: family?, below: below?, word: word? })
    }
}

impl PhoneRules {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let config_root = fields.required("config-root");
        let config_element = fields.required("config-element");
        let set_suffix = fields.required("set-suffix");
        let set_all = fields.required("set-all");
        let set_value = fields.required("set-value");
        let device_prefix = fields.required("device-prefix");
        let restart_prefixes = fields.required("restart-prefixes");
        let earlier_file_wins = fields.required("earlier-file-wins");
        let factory_admin_password = fields.required("factory-admin-password");
        let factory_user_password = fields.required("factory-user-password");
        let user_agent: Option<Fact<String>> = fields.required("user-agent");
        let user_agent_serial = fields.required("user-agent-serial");
        let user_agent_updater = fields.required("user-agent-updater");
        let user_agent_application = fields.required("user-agent-application");
        let undivided: Option<Fact<UndividedUserAgent>> = fields.required("user-agent-undivided");
        let early_families = fields.optional("user-agent-early-families").unwrap_or_default();
        let upgrade_failures = fields.required("upgrade-failures");
        let upgrade_failures_parameter = fields.required("upgrade-failures-parameter");
        if let Some(form) = user_agent.as_ref().filter(|form| literals(&form.value).is_none()) {
            let expected = "a form that ends \"{stage}\" after {family}, {token} and {version}";
            let found = form.value.clone();
            fields.refuse("user-agent", Problem::Malformed { found, expected });
        }
        // What is written so must be read by the common form too.
        let common = user_agent.as_ref().map(|form| form.value.as_str()).filter(|form| literals(form).is_some());
        let begins = |form: &str| form.ends_with("{version}") && common.is_none_or(|common| common.starts_with(form));
        if let Some(other) = undivided.as_ref().filter(|other| !begins(&other.value.form)) {
            let expected = "the beginning of `user-agent`, up to and with {version}";
            let found = other.value.form.clone();
            fields.refuse("user-agent-undivided", Problem::Malformed { found, expected });
        }
        fields.finish();
        Some(Self {
            config_root: config_root?,
            config_element: config_element?,
            set_suffix: set_suffix?,
            set_all: set_all?,
            set_value: set_value?,
            device_prefix: device_prefix?,
            restart_prefixes: restart_prefixes?,
            earlier_file_wins: earlier_file_wins?,
            factory_admin_password: factory_admin_password?,
            factory_user_password: factory_user_password?,
            user_agent: user_agent?,
            user_agent_serial: user_agent_serial?,
            user_agent_updater: user_agent_updater?,
            user_agent_application: user_agent_application?,
            user_agent_undivided: undivided?,
            user_agent_early_families: early_families,
            upgrade_failures: upgrade_failures?,
            upgrade_failures_parameter: upgrade_failures_parameter?,
        })
    }
}

/// The words of the list of versions that a phone's own upgrade page reads from a custom server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageListFormat {
    /// The root element.
    pub root: String,
    /// The element of the list.
    pub list: String,
    /// The element of one image.
    pub item: String,
    /// The element of its version.
    pub version: String,
    /// The element of where it is.
    pub path: String,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl ImageListFormat {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let root = fields.required_text("root");
        let list = fields.required_text("list");
        let item = fields.required_text("item");
        let version = fields.required_text("version");
        let path = fields.required_text("path");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (root, list, item, version, path) = (root?, list?, item?, version?, path?);
        Some(Self { root, list, item, version, path, source, evidence, note })
    }
}

/// The words of the phone's contact file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryFormat {
    /// The root element.
    pub root: String,
    /// The element of the list.
    pub list: String,
    /// The element of one contact.
    pub item: String,
    /// The element of the last name.
    pub last_name: String,
    /// The element of the first name.
    pub first_name: String,
    /// The element of the number to dial.
    pub contact: String,
    /// The element of the speed-dial position.
    pub speed_dial: String,
    /// The element of the label on a key.
    pub label: String,
    /// The most bytes of UTF-8 a label holds.
    pub label_max_bytes: usize,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl DirectoryFormat {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let root = fields.required_text("root");
        let list = fields.required_text("list");
        let item = fields.required_text("item");
        let last_name = fields.required_text("last-name");
        let first_name = fields.required_text("first-name");
        let contact = fields.required_text("contact");
        let speed_dial = fields.required_text("speed-dial");
        let label = fields.required_text("label");
        let label_max_bytes = fields.required("label-max-bytes");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self {
            root: root?,
            list: list?,
            item: item?,
            last_name: last_name?,
            first_name: first_name?,
            contact: contact?,
            speed_dial: speed_dial?,
            label: label?,
            label_max_bytes: label_max_bytes?,
            source,
            evidence,
            note,
        })
    }
}
