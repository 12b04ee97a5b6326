//! What the phone tells of itself to its own web pages.
//!
//! Decides nothing: facts and memory as they are now.

use std::time::Duration;

use provost_catalog::{FirstPassword, PhoneRules};

use crate::clock::rfc3339;
use crate::event::Versions;
use crate::handset::desk::SoftKey;
use crate::handset::factory::Factory;
use crate::handset::{Face, Stage, View};
use crate::phone::Phone;
use crate::sip::Password;

impl Phone {
    /// What the configuration puts on a soft key, as long as its macro is one this phone understands.
    pub(crate) fn soft_key(&self) -> Option<SoftKey> {
        let asks = match (self.soft_key_number(&[]), self.soft_key_number(&["0"])) {
            (Some(_), _) => false,
            (None, Some(_)) => true,
            (None, None) => return None,
        };
        let values = self.effective();
        let held = |name: Option<String>| name.and_then(|name| values.get(&name)).filter(|text| !text.is_empty());
        let (label, prompt) = self.facts.soft_key_words();
        let label = held(label)?.clone();
        let prompt = asks.then(|| held(prompt).unwrap_or(&label).clone());
        Some(SoftKey { label, prompt })
    }

    /// The parameter of the administrator password.
    pub(crate) fn admin_password_word(&self) -> Option<String> {
        self.facts.password_words().0
    }

    /// A picture of the phone without its stage, its calls, its face and the count of its starts.
    pub(crate) fn picture(&self, certificate: Factory) -> View {
        let screen = self.screen();
        let rules: &PhoneRules = self.catalog.phone_rules();
        let (admin, user) = self.facts.password_words();
        let held = |name: Option<String>| {
            name.and_then(|name| self.memory.device.get(&name)).filter(|text| !text.is_empty()).map(Password::new)
        };
        let handset = self.catalog.handset(&self.memory.model);
        let has_none = handset.is_some_and(|handset| handset.first_password.value == FirstPassword::Asked);
        let factory = Password::new(&rules.factory_admin_password.value);
        View {
            stage: Stage::Off,
            model: self.memory.model.clone(),
            model_name: self.facts.model_name().to_owned(),
            mac: self.facts.mac,
            part: self.facts.part().to_owned(),
            revision: self.hardware.revision.clone(),
            versions: self.versions(),
            certificate: certificate.state(self.clock.now_millis().div_euclid(1000)),
            address: self.line.as_ref().and_then(|line| line.borrow().local).map(|local| local.ip()),
            boot_server: self.boot_server().ok(),
            boot_server_from: self.found_server(),
            values: self.effective(),
            device: self.memory.device.clone(),
            phone_overrides: self.memory.phone_overrides.clone(),
            web_overrides: self.memory.web_overrides.clone(),
            log: self.memory.log.clone(),
            boot_log: boot_log(&self.versions()),
            starts: 0,
            up: Duration::ZERO,
            time: rfc3339(self.clock.now_millis()),
            gmt_offset: self.gmt_offset_seconds(),
            messages: screen.messages,
            lines: screen.line_keys,
            calls: Vec::new(),
            face: Face::default(),
            admin_password: held(admin).or_else(|| (!has_none).then(|| factory.clone())),
            user_password: held(user).or_else(|| Some(Password::new(&rules.factory_user_password.value))),
            factory_password: factory,
        }
    }
}

/// What the updater logs and uploads.
fn boot_log(versions: &Versions) -> String {
    format!("Initial log entry.\nUpdater {}\n", versions.updater)
}
