//! What a phone offers over HTTP itself: its web pages by firmware, and the parameters that switch it all.
//!
//! Decides nothing: it is the maker's vocabulary for virtual phones; the server never uses it.

use crate::fact::{Evidence, Fact, Origin};
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::setting::check_parameter;
use crate::tree::{Node, Table};
use crate::version::{Version, VersionRange};
use std::collections::BTreeMap;

/// Names, parameters and limits that all firmware shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneWeb {
    /// The name an administrator proves the password with.
    pub administrator: Fact<String>,
    /// What the login page calls the administrator.
    pub administrator_word: Fact<String>,
    /// The name a user proves the password with.
    pub user: Fact<String>,
    /// Switches all of HTTP off.
    pub server_switch: Fact<String>,
    /// Switches the pages off.
    pub pages_switch: Fact<String>,
    /// Switches TLS off.
    pub tls_switch: Fact<String>,
    /// Leads plain HTTP to TLS.
    pub tls_required: Fact<String>,
    /// Switches REST on.
    pub rest_switch: Fact<String>,
    /// The first firmware with REST.
    pub rest_from: Fact<Version>,
    /// Lets a picture of the display out.
    pub capture_switch: Fact<String>,
    /// Which push messages are taken, by number.
    pub push_messages: Fact<String>,
    /// The name pushes prove their password with.
    pub push_user: Fact<String>,
    /// The password of pushes.
    pub push_password: Fact<String>,
    /// Refuses pushes without TLS.
    pub push_tls_required: Fact<String>,
    /// Where answers to state polling go.
    pub polling_mode: Fact<String>,
    /// Where answers to state polling go unless to whoever asks.
    pub polling_address: Fact<String>,
    /// The name state polling proves its password with.
    pub polling_user: Fact<String>,
    /// The password of state polling.
    pub polling_password: Fact<String>,
    /// The address of the maker's firmware.
    pub maker_software: Fact<String>,
    /// The address of somebody else's firmware.
    pub custom_software: Fact<String>,
    /// The number of every part of the configuration that can be exported, by the element it is exported as.
    pub export_sources: Fact<BTreeMap<String, i64>>,
    /// Words in small letters that the names of secret parameters hold.
    pub secret_names: Fact<Vec<String>>,
    /// What REST and push call the keys, and our word for each; line keys are `Line` and their number.
    pub key_names: Fact<BTreeMap<String, String>>,
    /// Wrong passwords within the time below after which the pages are locked.
    pub lock_tries: Fact<u32>,
    /// Within how many seconds wrong passwords count together.
    pub lock_within_s: Fact<u32>,
    /// For how many seconds the pages are then locked.
    pub lock_for_s: Fact<u32>,
}

/// How the web pages of some firmware know who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebGeneration {
    /// Its word.
    pub id: String,
    /// The firmware it is for.
    pub firmware: VersionRange,
    /// What a browser shows after the login.
    pub login: WebLogin,
    /// Whether every change must carry the token of the login page.
    pub anti_csrf: bool,
    /// Whether plain HTTP leads to TLS unless a parameter says otherwise.
    pub tls_only: bool,
    /// Whether the default password must be changed before anything else.
    pub new_password: bool,
    /// The number of the first field of the first page.
    pub first_field: u32,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What a browser shows after the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebLogin {
    /// The credentials themselves, as a cookie beside the header.
    BasicCookie,
    /// A session.
    Session,
}

impl Word for WebLogin {
    const ALL: &'static [Self] = &[Self::BasicCookie, Self::Session];

    fn word(self) -> &'static str {
        match self {
            Self::BasicCookie => "basic-cookie",
            Self::Session => "session",
        }
    }
}

/// A page with settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPage {
    /// Its word.
    pub id: String,
    /// The words of the menu that lead to it.
    pub menu: Vec<String>,
    /// Its name in the address.
    pub address: String,
    /// What it is for.
    pub does: WebPageKind,
    /// Its fields, in the order they are shown.
    pub fields: Vec<WebField>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What a page is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WebPageKind {
    /// Its fields.
    #[default]
    Settings,
    /// Another administrator password.
    ChangePassword,
    /// The logs.
    Logs,
    /// Another version of the firmware.
    Software,
    /// The reset to what the factory put in.
    Backup,
    /// A file of settings, in and out.
    Configuration,
    /// A restart of the application.
    Restart,
    /// A start from power on.
    Reboot,
}

impl Word for WebPageKind {
    const ALL: &'static [Self] = &[
        Self::Settings,
        Self::ChangePassword,
        Self::Logs,
        Self::Software,
        Self::Backup,
        Self::Configuration,
        Self::Restart,
        Self::Reboot,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::ChangePassword => "change-password",
            Self::Logs => "logs",
            Self::Software => "software",
            Self::Backup => "backup",
            Self::Configuration => "configuration",
            Self::Restart => "restart",
            Self::Reboot => "reboot",
        }
    }
}

/// One field of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebField {
    /// What stands beside it.
    pub label: String,
    /// The group it is in, which opens when its title is clicked.
    pub section: Option<String>,
    /// The parameter it sets.
    pub parameter: String,
    /// What it takes.
    pub kind: WebFieldKind,
    /// What the phone goes by when nothing is set; none where that is not known.
    pub default: Option<String>,
    /// Parameters whose values are offered with it.
    pub suggest: Vec<String>,
    /// Whether it is not shown while a DHCP option says where the phone is provisioned.
    pub hidden_under_option: bool,
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebFieldKind {
    /// Text of at most so many bytes.
    Text {
        /// The most bytes.
        max_bytes: usize,
        /// Never shown again.
        secret: bool,
    },
    /// One of these.
    Choice(Vec<WebChoice>),
}

/// One choice of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebChoice {
    /// What is shown.
    pub label: String,
    /// What is sent and kept.
    pub value: String,
    /// Other ways configurations write it, beside the label.
    pub words: Vec<String>,
}

impl WebChoice {
    /// Whether a configuration's `value` means this choice.
    pub fn is(&self, value: &str) -> bool {
        let names = [&self.value, &self.label].into_iter().chain(&self.words);
        names.into_iter().any(|name| name.eq_ignore_ascii_case(value))
    }
}

impl PhoneWeb {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let administrator = fields.required("administrator");
        let administrator_word = fields.required("administrator-word");
        let user = fields.required("user");
        let server_switch = fields.required("server-switch");
        let pages_switch = fields.required("pages-switch");
        let tls_switch = fields.required("tls-switch");
        let tls_required = fields.required("tls-required");
        let (rest_switch, rest_from) = (fields.required("rest-switch"), fields.required("rest-from"));
        let push_messages = fields.required("push-messages");
        let (push_user, push_password) = (fields.required("push-user"), fields.required("push-password"));
        let push_tls_required = fields.required("push-tls-required");
        let polling_mode = fields.required("polling-mode");
        let (polling_user, polling_password) = (fields.required("polling-user"), fields.required("polling-password"));
        let (maker_software, custom_software) = (fields.required("maker-software"), fields.required("custom-software"));
        let (capture_switch, polling_address) = (fields.required("capture-switch"), fields.required("polling-address"));
        let secret_names = fields.required("secret-names");
        let (export_sources, key_names) = (fields.required("export-sources"), fields.required("key-names"));
        let lock_tries = fields.required("lock-tries");
        let (lock_within_s, lock_for_s) = (fields.required("lock-within-s"), fields.required("lock-for-s"));
        fields.finish();
        Some(Self {
            administrator: administrator?,
            administrator_word: administrator_word?,
            user: user?,
            server_switch: server_switch?,
            pages_switch: pages_switch?,
            tls_switch: tls_switch?,
            tls_required: tls_required?,
            rest_switch: rest_switch?,
            rest_from: rest_from?,
            capture_switch: capture_switch?,
            push_messages: push_messages?,
            push_user: push_user?,
            push_password: push_password?,
            push_tls_required: push_tls_required?,
            polling_mode: polling_mode?,
            polling_address: polling_address?,
            polling_user: polling_user?,
            polling_password: polling_password?,
            maker_software: maker_software?,
            custom_software: custom_software?,
            secret_names: secret_names?,
            export_sources: export_sources?,
            key_names: key_names?,
            lock_tries: lock_tries?,
            lock_within_s: lock_within_s?,
            lock_for_s: lock_for_s?,
        })
    }
}

impl WebGeneration {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let firmware = fields.required("firmware");
        let login = fields.required("login");
        let anti_csrf = fields.required("anti-csrf");
        let tls_only = fields.required("tls-only");
        let new_password = fields.required("new-password");
        let first_field = fields.required("first-field");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, firmware, login, anti_csrf) = (id?, firmware?, login?, anti_csrf?);
        let (tls_only, new_password, first_field) = (tls_only?, new_password?, first_field?);
        Some(Self { id, firmware, login, anti_csrf, tls_only, new_password, first_field, source, evidence, note })
    }
}

impl WebPage {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut reader = Reader::new(table, errors);
        let id = reader.required_text("id");
        let menu: Option<Vec<String>> = reader.required("menu");
        if menu.as_ref().is_some_and(Vec::is_empty) {
            reader.refuse("menu", Problem::Empty { key: "menu".to_owned() });
        }
        let address = reader.required_text("address");
        let does = reader.optional("does").unwrap_or_default();
        let fields = reader.required("fields");
        let origin = reader.origin();
        reader.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, menu, address, fields) = (id?, menu?, address?, fields?);
        Some(Self { id, menu, address, does, fields, source, evidence, note })
    }
}

impl Readable for WebField {
    const EXPECTED: &'static str = "a table { label, parameter, and max-bytes or choices }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let label = fields.required_text("label");
        let section = fields.optional("section");
        let parameter = fields.required_text("parameter");
        if let Some(parameter) = &parameter {
            check_parameter(&mut fields, ("parameter", parameter));
        }
        let suggest = fields.optional("suggest").unwrap_or_default();
        let default = fields.optional("default");
        let hidden_under_option = fields.optional("hidden-under-option").unwrap_or_default();
        let kind = match fields.optional("choices") {
            Some(choices) => Some(WebFieldKind::Choice(choices)),
            None => {
                let secret = fields.optional("secret").unwrap_or_default();
                fields.required("max-bytes").map(|max_bytes| WebFieldKind::Text { max_bytes, secret })
            }
        };
        fields.finish();
        let (label, parameter, kind) = (label?, parameter?, kind?);
        Some(Self { label, section, parameter, kind, default, suggest, hidden_under_option })
    }
}

impl Readable for WebChoice {
    const EXPECTED: &'static str = "a table { label, value }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let label = fields.required_text("label");
        let value = fields.required_text("value");
        let words = fields.optional("words").unwrap_or_default();
        fields.finish();
        Some(Self { label: label?, value: value?, words })
    }
}
