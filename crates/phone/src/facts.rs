//! The catalog's facts about one phone, gathered once.
//!
//! Decides which facts the phone needs and refuses to be made without them; a fact is never guessed.
//! Source: the catalog alone.

mod network;
mod standing_in;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_catalog::{BootAction, BootStage, Catalog, FileRole, MasterFile, Model, PhoneRules, Program, Setting};
use provost_catalog::{TlsOffer, Version, VersionError};

pub(crate) use network::NetworkFacts;

pub(crate) use crate::facts::standing_in::model;
use crate::flash::Memory;
use crate::image::{Board, ImageKey};
use crate::mac::Mac;
use crate::setup::{Hardware, PhoneSetup};
use crate::sip::LineWords;

/// What the phone replaces by its part number in file names. Remembered, not seen in a recording
/// (domain notes 2.2); the catalog has no field for it.
const PART_NUMBER_VARIABLE: &str = "[PHONE_PART_NUMBER]";

/// How the browser of the phones that have the setting names itself.
const BROWSER: &str = "Microbrowser/1.1";

/// Provost's words for the settings the phone itself obeys.
mod word {
    pub(super) const SERVER_NAME: &str = "pin.server-name";
    pub(super) const SERVER_TYPE: &str = "pin.server-type";
    pub(super) const BOOT_SERVER: &str = "pin.boot-server";
    pub(super) const STATIC: &str = "static";
    pub(super) const LINE_LABEL: &str = "line.label";
    pub(super) const LINE_ADDRESS: &str = "line.address";
    pub(super) const LINE_REGISTER: &str = "line.server-register";
    pub(super) const LINE_USER: &str = "line.auth-user";
    pub(super) const LINE_PASSWORD: &str = "line.auth-password";
    pub(super) const SERVER_ADDRESS: &str = "line.server-address";
    pub(super) const SERVER_PORT: &str = "line.server-port";
    pub(super) const SERVER_TRANSPORT: &str = "line.server-transport";
    pub(super) const SERVER_EXPIRES: &str = "line.server-expires";
    pub(super) const OFF_HOOK: &str = "activate.off-hook";
    pub(super) const OFF_HOOK_CONTACT: &str = "activate.off-hook-contact";
    pub(super) const ALWAYS_RESTART: &str = "check-sync.always-restart";
    pub(super) const SOFT_KEY_FUNCTIONS: &str = "soft-key.functions";
    pub(super) const SOFT_KEY_ENABLED: &str = "soft-key.enabled";
    pub(super) const SOFT_KEY_ACTION: &str = "soft-key.ask-and-dial";
    pub(super) const SOFT_KEY_LABEL: &str = "soft-key.label";
    pub(super) const PROMPT_LABEL: &str = "prompt.label";
    pub(super) const ADMIN_PASSWORD: &str = "password.admin";
    pub(super) const USER_PASSWORD: &str = "password.user";
    /// Our words for the values of a transport.
    pub(super) const TCP: [&str; 2] = ["tcp", "tcp-preferred"];
    pub(super) const TLS: [&str; 1] = ["tls"];
    pub(super) const ALL: [&str; 22] = [
        SERVER_NAME,
        SERVER_TYPE,
        BOOT_SERVER,
        LINE_LABEL,
        LINE_ADDRESS,
        LINE_REGISTER,
        LINE_USER,
        LINE_PASSWORD,
        SERVER_ADDRESS,
        SERVER_PORT,
        SERVER_TRANSPORT,
        SERVER_EXPIRES,
        OFF_HOOK,
        OFF_HOOK_CONTACT,
        ALWAYS_RESTART,
        SOFT_KEY_FUNCTIONS,
        SOFT_KEY_ENABLED,
        SOFT_KEY_ACTION,
        SOFT_KEY_LABEL,
        PROMPT_LABEL,
        ADMIN_PASSWORD,
        USER_PASSWORD,
    ];
}

/// Why the catalog does not make a phone.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// No such model.
    #[error("model `{id}` is not in the catalog; `provost models` lists those that are")]
    UnknownModel {
        /// The id as given.
        id: String,
    },
    /// The model's boot sequence is missing.
    #[error("the catalog has no boot sequence `{sequence}`, which model {model} names")]
    NoBootSequence {
        /// The model's id.
        model: String,
        /// The sequence's id.
        sequence: String,
    },
    /// Nobody knows how this phone is handled, or its menus are missing.
    #[error("the catalog has no handset for {id}, or not its menus")]
    NoHandset {
        /// The phone's id.
        id: String,
    },
    /// Its hardware says too little for a phone that can name itself.
    #[error("too little is known of {id}: its hardware has no {what}")]
    Hardware {
        /// The phone's id.
        id: String,
        /// What is missing.
        what: &'static str,
    },
    /// A version, in the setup or in flash, is none.
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// One phone's facts.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) mac: Mac,
    /// The application's version.
    pub(crate) firmware: Version,
    /// The updater's or BootROM's.
    pub(crate) updater: Version,
    part: String,
    revision: Option<String>,
    pub(crate) device_rule: DeviceRule,
    pub(crate) place: Place,
    pub(crate) steps: Vec<Step>,
    pub(crate) network: NetworkFacts,
    model: Model,
    rules: PhoneRules,
    master: MasterFile,
    settings: BTreeMap<&'static str, Setting>,
}

/// How device values are told apart and taken, and which file wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceRule {
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    pub(crate) all: String,
    pub(crate) on: String,
    pub(crate) earlier_file_wins: bool,
    /// A change of a parameter that begins so restarts the phone.
    pub(crate) restart_prefixes: Vec<String>,
}

/// The parameters that say where the phone is provisioned.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub(crate) server_name: Option<String>,
    pub(crate) server_type: Option<String>,
    pub(crate) boot_server: Option<String>,
    /// What the boot server setting says when the server's name is fixed.
    pub(crate) static_word: Option<String>,
}

/// One step of the boot sequence, names filled in but for the image's.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) stage: BootStage,
    pub(crate) action: BootAction,
    pub(crate) role: Option<FileRole>,
    names: Vec<String>,
}

impl Step {
    /// A look at an image by one of these names.
    pub(crate) fn of_image(names: Vec<String>) -> Self {
        Self { stage: BootStage::Updater, action: BootAction::Image, role: Some(FileRole::Image), names }
    }

    /// The name to ask for, then the one asked for when that does not exist.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

impl Facts {
    /// Gathers what the catalog knows about this phone, which runs `versions`: application, then updater.
    ///
    /// What the phone asks for and how it reads it depends on the application, so this is done again whenever
    /// a new version is in flash.
    pub(crate) fn gather(
        catalog: &Arc<Catalog>,
        (id, mac, hardware): (&str, Mac, &Hardware),
        (firmware, updater): (Version, Version),
    ) -> Result<Self, FactsError> {
        let model = model(catalog, id)?;
        let model = model.as_ref();
        let sequence = catalog.boot_of(model, &firmware).ok_or_else(|| FactsError::NoBootSequence {
            model: model.id.clone(),
            sequence: model.boot_sequence.value.clone(),
        })?;
        let settings: BTreeMap<&'static str, Setting> =
            word::ALL.into_iter().filter_map(|id| Some((id, catalog.setting(id, model, &firmware)?.clone()))).collect();
        let first = model.part_numbers.first().map_or("", |part| part.value.as_str());
        let part = hardware.part_number.as_deref().unwrap_or(first);
        let fill = |pattern: &String| pattern.replace("{mac}", &mac.to_string()).replace("{part}", part);
        let steps = sequence.steps.iter().map(|step| {
            let names: Vec<String> = step.file.iter().chain(&step.fallback).map(fill).collect();
            let role = names.first().and_then(|name| catalog.file(name)).map(|found| found.role);
            Step { stage: step.stage, action: step.action, role, names }
        });
        let network = NetworkFacts::gather(catalog, model, &firmware);
        Ok(Self {
            mac,
            firmware,
            updater,
            part: part.to_owned(),
            revision: hardware.revision.clone(),
            device_rule: DeviceRule::of(catalog.phone_rules()),
            place: Place::of(&settings),
            steps: steps.collect(),
            network,
            model: model.clone(),
            rules: catalog.phone_rules().clone(),
            master: catalog.master_file().clone(),
            settings,
        })
    }

    /// What a phone weighs an image against.
    pub(crate) fn board<'a>(&'a self, key: Option<&'a ImageKey>) -> Board<'a> {
        Board {
            part: &self.part,
            revision: self.revision.as_deref(),
            application: &self.firmware,
            updater: &self.updater,
            key,
        }
    }

    /// The parameter that says how often one image may fail, and how often it may when that is not set.
    pub(crate) fn upgrade_failures(&self) -> (&str, u32) {
        (&self.rules.upgrade_failures_parameter.value, self.rules.upgrade_failures.value)
    }

    pub(crate) fn tls_offer(&self) -> TlsOffer {
        self.model.tls_offer.value
    }

    /// Its part number.
    pub(crate) fn part(&self) -> &str {
        &self.part
    }

    /// The name people know the model by.
    pub(crate) fn model_name(&self) -> &str {
        &self.model.name.value
    }

    /// What the phone puts for the model in names.
    pub(crate) fn model_token(&self) -> &str {
        &self.model.model_token.value
    }

    pub(crate) fn master_file(&self) -> &MasterFile {
        &self.master
    }

    /// The User-Agent of one of the phone's programs; `serial` says whether the MAC is tagged on.
    pub(crate) fn user_agent(&self, stage: BootStage, serial: bool) -> String {
        let application = &self.firmware;
        let version = match stage {
            BootStage::Updater => &self.updater,
            BootStage::Application => application,
        };
        let mac = self.mac.to_string();
        let program = Program { stage, version, application };
        self.rules.user_agent_of(&self.model, program, serial.then_some(mac.as_str()))
    }

    /// The parameter that tags the serial in User-Agents.
    pub(crate) fn tag_serial(&self) -> &str {
        &self.network.rules.tag_serial_parameter.value
    }

    /// The parameter that names the page the browser opens when the phone is idle.
    pub(crate) fn browser_home(&self) -> Option<&str> {
        let rules = &self.network.rules;
        let shows = rules.idle_page_families.value.contains(&self.model.family);
        shows.then_some(rules.idle_page_parameter.value.as_str())
    }

    /// The browser's User-Agent: the application's words behind the browser's own.
    ///
    /// Source: domain notes 1.2, recorded from a SoundPoint IP 550, without the serial.
    pub(crate) fn browser_user_agent(&self) -> String {
        let application = self.user_agent(BootStage::Application, false);
        let words = application.split_once(' ').map_or("", |(_, words)| words);
        format!("{BROWSER} {words}")
    }

    /// How the phone names itself to SIP servers: the middle word of the application's User-Agent.
    ///
    /// Source: domain notes 1.4; some versions put one more word before it.
    pub(crate) fn sip_user_agent(&self) -> String {
        let application = self.user_agent(BootStage::Application, false);
        application.split(' ').nth(1).unwrap_or(&application).to_owned()
    }

    /// The names of everything one line is made of.
    pub(crate) fn line_words(&self, line: u32) -> LineWords {
        let transport = self.settings.get(word::SERVER_TRANSPORT);
        let values = |words: &[&str]| {
            words.iter().filter_map(|word| transport.and_then(|setting| setting.encode(word).ok())).collect()
        };
        LineWords {
            address: self.parameter(word::LINE_ADDRESS, line),
            label: self.parameter(word::LINE_LABEL, line),
            user: self.parameter(word::LINE_USER, line),
            password: self.parameter(word::LINE_PASSWORD, line),
            server_address: self.parameter(word::SERVER_ADDRESS, line),
            server_port: self.parameter(word::SERVER_PORT, line),
            server_transport: self.parameter(word::SERVER_TRANSPORT, line),
            server_register: self.parameter(word::LINE_REGISTER, line),
            server_expires: self.parameter(word::SERVER_EXPIRES, line),
            off_hook: self.parameter(word::OFF_HOOK, line),
            off_hook_contact: self.parameter(word::OFF_HOOK_CONTACT, line),
            tcp: values(&word::TCP),
            tls: values(&word::TLS),
        }
    }

    /// The parameter that makes a NOTIFY check-sync restart the phone whatever changed.
    pub(crate) fn always_restart(&self) -> Option<String> {
        self.parameter(word::ALWAYS_RESTART, 1)
    }

    /// The parameters of the soft key: two that switch it on, and what it does.
    pub(crate) fn soft_key(&self) -> Option<([String; 2], String)> {
        let on = [self.parameter(word::SOFT_KEY_FUNCTIONS, 1)?, self.parameter(word::SOFT_KEY_ENABLED, 1)?];
        Some((on, self.parameter(word::SOFT_KEY_ACTION, 1)?))
    }

    /// The parameters of what is beside the soft key, and of what its first prompt asks.
    pub(crate) fn soft_key_words(&self) -> (Option<String>, Option<String>) {
        (self.parameter(word::SOFT_KEY_LABEL, 1), self.parameter(word::PROMPT_LABEL, 1))
    }

    /// The parameters of the administrator's and the user's password.
    pub(crate) fn password_words(&self) -> (Option<String>, Option<String>) {
        (self.parameter(word::ADMIN_PASSWORD, 1), self.parameter(word::USER_PASSWORD, 1))
    }

    pub(crate) fn line_label(&self, line: u32) -> Option<String> {
        self.parameter(word::LINE_LABEL, line)
    }

    pub(crate) fn line_address(&self, line: u32) -> Option<String> {
        self.parameter(word::LINE_ADDRESS, line)
    }

    pub(crate) fn line_register(&self, line: u32) -> Option<String> {
        self.parameter(word::LINE_REGISTER, line)
    }

    /// Lines the phone can register; one when nobody knows.
    pub(crate) fn lines(&self) -> u32 {
        self.model.registrations.as_ref().map_or(1, |lines| lines.value)
    }

    /// Replaces the variables a phone knows in the words of a master file.
    pub(crate) fn expand(&self, text: &str) -> String {
        text.replace(&self.master.mac_variable, &self.mac.to_string())
            .replace(&self.master.model_variable, self.model_token())
            .replace(PART_NUMBER_VARIABLE, &self.part)
    }

    /// The master file's attribute for the folder of files with this role.
    pub(crate) fn folder_attribute(&self, role: Option<FileRole>) -> Option<&str> {
        let master = &self.master;
        match role? {
            FileRole::Log => Some(&master.log_directory_attribute),
            FileRole::PhoneOverrides | FileRole::WebOverrides => Some(&master.overrides_directory_attribute),
            FileRole::Directory | FileRole::DefaultDirectory => Some(&master.contacts_directory_attribute),
            FileRole::License => Some(&master.license_directory_attribute),
            FileRole::Calls => Some(&master.calls_directory_attribute),
            FileRole::Master
            | FileRole::DefaultMaster
            | FileRole::Image
            | FileRole::ImageList
            | FileRole::Language
            | FileRole::Other => None,
        }
    }

    fn parameter(&self, word: &str, line: u32) -> Option<String> {
        self.settings.get(word).map(|setting| setting.parameter(line, 1))
    }
}

/// What a phone runs when it gets power: what its flash says, else what it came with.
///
/// A version named in the setup counts at the first start only, but must be one in any case.
pub(crate) fn present_versions(setup: &PhoneSetup, memory: &Memory) -> Result<(Version, Version), FactsError> {
    let model = model(&setup.catalog, &setup.model)?;
    let model = model.as_ref();
    let named = setup.firmware.as_ref().map(|text| text.parse::<Version>()).transpose()?;
    let named_updater = setup.hardware.updater.as_ref().map(|text| text.parse::<Version>()).transpose()?;
    let flashed = |text: &str| if text.is_empty() { Ok(None) } else { text.parse().map(Some) };
    let reference = || model.firmware.reference.value.clone();
    let firmware = flashed(&memory.firmware)?.or(named).unwrap_or_else(reference);
    let belongs = || {
        let variant = setup.catalog.boot_of(model, &firmware).and_then(|boot| boot.variant.as_ref());
        let fact = variant.and_then(|variant| variant.updater.as_ref()).unwrap_or(&model.firmware.reference_updater);
        fact.value.clone()
    };
    let updater = flashed(&memory.updater)?.or(named_updater).unwrap_or_else(belongs);
    Ok((firmware, updater))
}

impl DeviceRule {
    fn of(rules: &PhoneRules) -> Self {
        Self {
            prefix: rules.device_prefix.value.clone(),
            suffix: rules.set_suffix.value.clone(),
            all: rules.set_all.value.clone(),
            on: rules.set_value.value.clone(),
            earlier_file_wins: rules.earlier_file_wins.value,
            restart_prefixes: rules.restart_prefixes.value.clone(),
        }
    }
}

impl Place {
    fn of(settings: &BTreeMap<&'static str, Setting>) -> Self {
        let parameter = |word| settings.get(word).map(|setting: &Setting| setting.parameter(1, 1));
        let static_word = settings.get(word::BOOT_SERVER).and_then(|setting| setting.encode(word::STATIC).ok());
        Self {
            server_name: parameter(word::SERVER_NAME),
            server_type: parameter(word::SERVER_TYPE),
            boot_server: parameter(word::BOOT_SERVER),
            static_word,
        }
    }
}
