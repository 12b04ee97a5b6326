//! What is changed on the phone itself: device parameters typed into it, and resets.
//!
//! Decides what each kind of reset forgets; each change is one step in flash, so that a phone that loses power
//! finds the old or the new memory. Never restarts the phone: whoever asks does.
//! Rules: domain notes 6 and providers 3.2 for the kinds. That files means configuration, overrides and logs, and
//! that emptied overrides are uploaded as changed ones are, is concluded.

use provost_catalog::FileRole;

use crate::event::{Event, Versions};
use crate::flash::Memory;
use crate::handset::ResetScope;
use crate::phone::Phone;
use crate::settings::{self, Values};
use crate::setup::PhoneError;

impl Phone {
    /// Keeps device parameters that were typed into the phone, all in one step; an empty value is forgotten.
    ///
    /// # Errors
    /// [`PhoneError`] when a name can be none, or the flash fails.
    pub fn keep_device(&mut self, values: &Values) -> Result<(), PhoneError> {
        if let Some(name) = values.keys().find(|name| !settings::is_parameter_name(name)) {
            return Err(PhoneError::ParameterName { name: name.clone() });
        }
        let mut memory = self.memory.clone();
        for (name, value) in values {
            match value.is_empty() {
                true => memory.device.remove(name),
                false => memory.device.insert(name.clone(), value.clone()),
            };
        }
        self.replace(memory)
    }

    /// Forgets one part of the memory, or all of it, in one step.
    ///
    /// # Errors
    /// [`PhoneError::Flash`] when the flash fails; then nothing is forgotten.
    pub async fn reset(&mut self, scope: ResetScope) -> Result<(), PhoneError> {
        let mut memory = self.memory.clone();
        match scope {
            ResetScope::Local => memory.phone_overrides.clear(),
            ResetScope::Web => memory.web_overrides.clear(),
            ResetScope::Device => memory.device.clear(),
            ResetScope::FileSystem => {
                memory = Memory { device: memory.device, ..self.factory_memory() };
            }
            ResetScope::Factory => memory = self.factory_memory(),
        }
        self.replace(memory)?;
        let emptied = match scope {
            ResetScope::Local => FileRole::PhoneOverrides,
            ResetScope::Web => FileRole::WebOverrides,
            _ => return Ok(()),
        };
        if let Ok(server) = self.server() {
            let mut nobody = |_: Event| {};
            // A server that refuses gives the old ones back at the next start; the request log shows it.
            let _ = self.walk(&server, &mut nobody).upload_overrides(emptied, &Values::new()).await;
        }
        Ok(())
    }

    /// Empties the log.
    ///
    /// # Errors
    /// [`PhoneError::Flash`] when the flash fails; then the log stays.
    pub fn forget_log(&mut self) -> Result<(), PhoneError> {
        self.replace(Memory { log: String::new(), ..self.memory.clone() })
    }

    /// What it runs.
    pub fn versions(&self) -> Versions {
        Versions { application: self.memory.firmware.clone(), updater: self.memory.updater.clone() }
    }

    pub(crate) fn is_device_parameter(&self, name: &str) -> bool {
        name.starts_with(&self.facts.device_rule.prefix)
    }

    /// A memory as the factory leaves it, but for the versions and the counts, which no reset takes back.
    fn factory_memory(&self) -> Memory {
        let now = &self.memory;
        Memory {
            mac: now.mac.clone(),
            model: now.model.clone(),
            firmware: now.firmware.clone(),
            updater: now.updater.clone(),
            flash_count: now.flash_count,
            boot_count: now.boot_count,
            restart_count: now.restart_count,
            ..Memory::default()
        }
    }

    fn replace(&mut self, memory: Memory) -> Result<(), PhoneError> {
        self.flash.store(&memory)?;
        self.memory = memory;
        Ok(())
    }
}
