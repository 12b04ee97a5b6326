//! How phones find their boot server, their time and their VLAN, and when they poll.
//!
//! Decides nothing: it is the maker's vocabulary and what is known of the order of things. Only the phone itself
//! obeys it, so nothing here is a setting.

use crate::fact::Fact;
use crate::reader::{Errors, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::Version;

/// What a phone obeys about its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkRules {
    /// What the boot server setting can say.
    pub boot_server_choices: Vec<Fact<Spelled<BootServerChoice>>>,
    /// What it says on a phone from the factory.
    pub factory_boot_server: Fact<BootServerChoice>,
    /// The parameter that names the custom option.
    pub custom_option_parameter: Fact<String>,
    /// The custom option of a phone that is told nothing else.
    pub custom_option: Fact<u32>,
    /// The same for a phone with one of the base profiles below.
    pub custom_option_of_profiles: Fact<u32>,
    /// The parameter of the base profile.
    pub base_profile_parameter: Fact<String>,
    /// The base profiles that use another custom option.
    pub base_profiles: Fact<Vec<String>>,
    /// The parameter that says what the custom option holds.
    pub option_type_parameter: Fact<String>,
    /// Its values for an address in four bytes.
    pub option_type_address: Fact<Vec<String>>,
    /// The parameter that switches DHCP off with `0`.
    pub dhcp_parameter: Fact<String>,
    /// Schemes, in the order in which the maker numbers server types.
    pub server_types: Fact<Vec<String>>,
    /// The server type of a phone from the factory.
    pub factory_server_type: Fact<String>,
    /// A server's name that stands for none.
    pub no_server: Fact<String>,
    /// The parameter of the user who asks for files.
    pub server_user_parameter: Fact<String>,
    /// The parameter of that user's password.
    pub server_password_parameter: Fact<String>,
    /// User and password of a phone from the factory.
    pub factory_server_user: Fact<String>,
    /// The parameter that tags the serial in User-Agents.
    pub tag_serial_parameter: Fact<String>,
    /// The parameter of the page that is shown while the phone is idle.
    pub idle_page_parameter: Fact<String>,
    /// The families that show one.
    pub idle_page_families: Fact<Vec<String>>,
    /// Whom a phone trusts as a server.
    pub trust: TrustRules,
    /// The first firmware that looks into its flash before it sends INFORM.
    pub inform_last_from: Fact<Version>,
    /// How a phone names itself to DHCP servers.
    pub option_60: Option60Rules,
    /// How a phone finds its VLAN.
    pub vlan: VlanRules,
    /// When a phone polls that is told nothing else.
    pub polling: PollingRules,
    /// When a phone does what a NOTIFY with an action asks.
    pub notify_actions: NotifyActions,
    /// The parameter that lets a person decide when an update is taken.
    pub user_control_parameter: Fact<String>,
    /// What the phone says when an update waits.
    pub update_notice: Fact<String>,
}

/// Whom a phone trusts as a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRules {
    /// The parameters that load authorities of server certificates.
    pub authorities: Fact<Vec<String>>,
    /// The parameter that says which authorities count.
    pub list: Fact<String>,
    /// The parameter that, with `0`, lets a server's certificate carry any name.
    pub strict_name: Fact<String>,
}

/// How a phone names itself to DHCP servers (option 60).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Option60Rules {
    /// The parameter of the form.
    pub parameter: Fact<String>,
    /// Its values for the short form.
    pub ascii_words: Fact<Vec<String>>,
    /// Its values for the long form.
    pub binary_words: Fact<Vec<String>>,
    /// The first firmware that knows the short form, and uses it when told nothing.
    pub ascii_from: Fact<Version>,
    /// The short form, with `{model}`.
    pub ascii: Fact<String>,
    /// The maker's number among enterprises.
    pub enterprise: Fact<u32>,
    /// The maker's name.
    pub company: Fact<String>,
    /// The word for the application.
    pub application: Fact<String>,
    /// The word for the boot program of firmware that does not know the short form.
    pub bootrom: Fact<String>,
    /// The word for the boot program of later firmware.
    pub updater: Fact<String>,
}

/// How a phone finds its VLAN by DHCP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VlanRules {
    /// The parameter of the discovery.
    pub parameter: Fact<String>,
    /// What it can say.
    pub choices: Vec<Fact<Spelled<VlanDiscovery>>>,
    /// What it says on a phone from the factory.
    pub factory: Fact<VlanDiscovery>,
    /// The options looked into, in order.
    pub options: Fact<Vec<u32>>,
    /// The parameter that names the custom option.
    pub option_parameter: Fact<String>,
    /// What stands before the number.
    pub prefix: Fact<String>,
}

/// When a phone polls that is told nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollingRules {
    /// Provost's word for the mode.
    pub mode: Fact<String>,
    /// The time of day, hh:mm.
    pub time: Fact<String>,
    /// Seconds from one poll to the next.
    pub period: Fact<u32>,
    /// The least seconds there can be.
    pub period_least: Fact<u32>,
}

/// When a phone does what a NOTIFY with an action asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyActions {
    /// The first firmware that does.
    pub from: Fact<Version>,
    /// The parameters that must all be `1`.
    pub parameters: Fact<Vec<String>>,
}

/// Which options of DHCP name the boot server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootServerChoice {
    /// Option 66.
    Option66,
    /// The custom option.
    Custom,
    /// None: the name in the phone counts.
    Static,
    /// The custom option, and 66 where that is absent.
    CustomAnd66,
}

/// Where in DHCP answers a phone looks for its VLAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VlanDiscovery {
    /// Nowhere.
    Disabled,
    /// In the maker's list of options.
    Fixed,
    /// In one option it was told.
    Custom,
}

/// A choice and how parameters spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelled<T> {
    /// The choice.
    pub choice: T,
    /// Every value that means it, the usual one first.
    pub words: Vec<String>,
}

impl Word for BootServerChoice {
    const ALL: &'static [Self] = &[Self::Option66, Self::Custom, Self::Static, Self::CustomAnd66];

    fn word(self) -> &'static str {
        match self {
            Self::Option66 => "option-66",
            Self::Custom => "custom",
            Self::Static => "static",
            Self::CustomAnd66 => "custom-and-66",
        }
    }
}

impl Word for VlanDiscovery {
    const ALL: &'static [Self] = &[Self::Disabled, Self::Fixed, Self::Custom];

    fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Fixed => "fixed",
            Self::Custom => "custom",
        }
    }
}

impl<T: Word> Readable for Spelled<T> {
    const EXPECTED: &'static str = "a table { choice, words }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let choice = fields.required("choice");
        let words = fields.required("words");
        fields.finish();
        Some(Self { choice: choice?, words: words? })
    }
}

impl NetworkRules {
    /// What the boot server setting says with this value; nothing for one the phone does not know.
    pub fn boot_server_choice(&self, value: &str) -> Option<BootServerChoice> {
        spelled(&self.boot_server_choices, value)
    }

    /// The usual value for a choice.
    pub fn boot_server_word(&self, choice: BootServerChoice) -> Option<&str> {
        let found = self.boot_server_choices.iter().find(|fact| fact.value.choice == choice)?;
        found.value.words.first().map(String::as_str)
    }

    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let boot_server_choices = fields.required("boot-server-choices");
        let factory_boot_server = fields.required("factory-boot-server");
        let custom_option_parameter = fields.required("custom-option-parameter");
        let custom_option = fields.required("custom-option");
        let custom_option_of_profiles = fields.required("custom-option-of-profiles");
        let base_profile_parameter = fields.required("base-profile-parameter");
        let base_profiles = fields.required("base-profiles");
        let option_type_parameter = fields.required("option-type-parameter");
        let option_type_address = fields.required("option-type-address");
        let dhcp_parameter = fields.required("dhcp-parameter");
        let server_types = fields.required("server-types");
        let factory_server_type = fields.required("factory-server-type");
        let no_server = fields.required("no-server");
        let server_user_parameter = fields.required("server-user-parameter");
        let server_password_parameter = fields.required("server-password-parameter");
        let factory_server_user = fields.required("factory-server-user");
        let tag_serial_parameter = fields.required("tag-serial-parameter");
        let idle_page_parameter = fields.required("idle-page-parameter");
        let idle_page_families = fields.required("idle-page-families");
        let trust = TrustRules::read(&mut fields);
        let inform_last_from = fields.required("inform-last-from");
        let option_60 = Option60Rules::read(&mut fields);
        let vlan = VlanRules::read(&mut fields);
        let polling = PollingRules::read(&mut fields);
        let notify_actions = NotifyActions::read(&mut fields);
        let user_control_parameter = fields.required("user-control-parameter");
        let update_notice = fields.required("update-notice");
        fields.finish();
        Some(Self {
            boot_server_choices: boot_server_choices?,
            factory_boot_server: factory_boot_server?,
            custom_option_parameter: custom_option_parameter?,
            custom_option: custom_option?,
            custom_option_of_profiles: custom_option_of_profiles?,
            base_profile_parameter: base_profile_parameter?,
            base_profiles: base_profiles?,
            option_type_parameter: option_type_parameter?,
            option_type_address: option_type_address?,
            dhcp_parameter: dhcp_parameter?,
            server_types: server_types?,
            factory_server_type: factory_server_type?,
            no_server: no_server?,
            server_user_parameter: server_user_parameter?,
            server_password_parameter: server_password_parameter?,
            factory_server_user: factory_server_user?,
            tag_serial_parameter: tag_serial_parameter?,
            idle_page_parameter: idle_page_parameter?,
            idle_page_families: idle_page_families?,
            trust: trust?,
            inform_last_from: inform_last_from?,
            option_60: option_60?,
            vlan: vlan?,
            polling: polling?,
            notify_actions: notify_actions?,
            user_control_parameter: user_control_parameter?,
            update_notice: update_notice?,
        })
    }
}

impl Option60Rules {
    fn read(fields: &mut Reader<'_>) -> Option<Self> {
        let parameter = fields.required("option-60-parameter");
        let ascii_words = fields.required("option-60-ascii-words");
        let binary_words = fields.required("option-60-binary-words");
        let ascii_from = fields.required("option-60-ascii-from");
        let ascii = fields.required("option-60-ascii");
        let enterprise = fields.required("option-60-enterprise");
        let company = fields.required("option-60-company");
        let application = fields.required("option-60-application");
        let bootrom = fields.required("option-60-bootrom");
        let updater = fields.required("option-60-updater");
        Some(Self {
            parameter: parameter?,
            ascii_words: ascii_words?,
            binary_words: binary_words?,
            ascii_from: ascii_from?,
            ascii: ascii?,
            enterprise: enterprise?,
            company: company?,
            application: application?,
            bootrom: bootrom?,
            updater: updater?,
        })
    }
}

impl TrustRules {
    fn read(fields: &mut Reader<'_>) -> Option<Self> {
        let authorities = fields.required("authority-parameters");
        let list = fields.required("authority-list-parameter");
        let strict_name = fields.required("strict-name-parameter");
        Some(Self { authorities: authorities?, list: list?, strict_name: strict_name? })
    }
}

impl VlanRules {
    /// What the discovery's parameter says with this value; nothing for one the phone does not know.
    pub fn discovery(&self, value: &str) -> Option<VlanDiscovery> {
        spelled(&self.choices, value)
    }

    fn read(fields: &mut Reader<'_>) -> Option<Self> {
        let parameter = fields.required("vlan-discovery-parameter");
        let choices = fields.required("vlan-discovery-words");
        let factory = fields.required("factory-vlan-discovery");
        let options = fields.required("vlan-options");
        let option_parameter = fields.required("vlan-option-parameter");
        let prefix = fields.required("vlan-option-prefix");
        Some(Self {
            parameter: parameter?,
            choices: choices?,
            factory: factory?,
            options: options?,
            option_parameter: option_parameter?,
            prefix: prefix?,
        })
    }
}

impl PollingRules {
    fn read(fields: &mut Reader<'_>) -> Option<Self> {
        let mode = fields.required("polling-mode");
        let time = fields.required("polling-time");
        let period = fields.required("polling-period");
        let period_least = fields.required("polling-period-least");
        Some(Self { mode: mode?, time: time?, period: period?, period_least: period_least? })
    }
}

impl NotifyActions {
    fn read(fields: &mut Reader<'_>) -> Option<Self> {
        let from = fields.required("notify-actions-from");
        let parameters = fields.required("notify-actions-parameters");
        Some(Self { from: from?, parameters: parameters? })
    }
}

fn spelled<T: Copy>(choices: &[Fact<Spelled<T>>], value: &str) -> Option<T> {
    let means = |fact: &&Fact<Spelled<T>>| fact.value.words.iter().any(|word| word.eq_ignore_ascii_case(value));
    choices.iter().find(means).map(|fact| fact.value.choice)
}
