//! Why a code was refused, as the caller hears it.

use super::prompt::Prompt;

/// Why an activation by call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has this code.
    CodeUnknown,
    /// Another phone used it.
    CodeUsed,
    /// A newer code replaced it.
    CodeReplaced,
    /// It is too old.
    CodeExpired,
    /// It is for another model.
    CodeOtherModel,
    /// The code's device has no user saved.
    OwnerNotSaved,
    /// The code's device is disabled or quarantined.
    DeviceBarred,
    /// The code's device has a phone already.
    DeviceHasPhone,
    /// This phone has a device already.
    PhoneHasDevice,
    /// This phone has not proved itself here, or its model is not known.
    PhoneUnknown,
    /// Too many wrong codes came from here.
    TooManyTries {
        /// Seconds until the next try is heard.
        wait_s: u32,
    },
    /// The server cannot decide now.
    ServerFailing,
}

impl Refusal {
    /// The refusal that the application's word means; a word without a prompt of its own is the server's fault.
    ///
    /// `wait_s` is heard with `too-many-tries` only; without it the caller is told to wait an hour.
    pub fn from_word(word: &str, wait_s: Option<u32>) -> Self {
        match word {
            "code-unknown" => Self::CodeUnknown,
            "code-used" => Self::CodeUsed,
            "code-replaced" => Self::CodeReplaced,
            "code-expired" => Self::CodeExpired,
            "code-other-model" => Self::CodeOtherModel,
            "owner-not-saved" => Self::OwnerNotSaved,
            "device-barred" => Self::DeviceBarred,
            "device-has-phone" => Self::DeviceHasPhone,
            "phone-has-device" => Self::PhoneHasDevice,
            "phone-unknown" | "phone-model-unknown" => Self::PhoneUnknown,
            "too-many-tries" => Self::TooManyTries { wait_s: wait_s.unwrap_or(3600) },
            _ => Self::ServerFailing,
        }
    }

    /// What is said first.
    pub(super) const fn prompt(self) -> Prompt {
        match self {
            Self::CodeUnknown => Prompt::CodeUnknown,
            Self::CodeUsed => Prompt::CodeUsed,
            Self::CodeReplaced => Prompt::CodeReplaced,
            Self::CodeExpired => Prompt::CodeExpired,
            Self::CodeOtherModel => Prompt::CodeOtherModel,
            Self::OwnerNotSaved => Prompt::OwnerNotSaved,
            Self::DeviceBarred => Prompt::DeviceBarred,
            Self::DeviceHasPhone => Prompt::DeviceHasPhone,
            Self::PhoneHasDevice => Prompt::PhoneHasDevice,
            Self::PhoneUnknown => Prompt::PhoneUnknown,
            Self::TooManyTries { .. } => Prompt::TooManyTries,
            Self::ServerFailing => Prompt::ServerFailing,
        }
    }

    /// How long to wait, said after it; rounded up, for nobody stands by with a watch.
    pub(super) const fn wait(self) -> Option<Prompt> {
        let Self::TooManyTries { wait_s } = self else { return None };
        Some(match wait_s {
            0..=60 => Prompt::WaitOneMinute,
            61..=300 => Prompt::WaitFiveMinutes,
            301..=900 => Prompt::WaitFifteenMinutes,
            901..=3600 => Prompt::WaitOneHour,
            3601..=14_400 => Prompt::WaitFourHours,
            _ => Prompt::WaitOneDay,
        })
    }

    /// Whether another code may be good although this one is not.
    pub(super) const fn another_code_may_do(self) -> bool {
        !matches!(self, Self::PhoneHasDevice | Self::PhoneUnknown | Self::TooManyTries { .. } | Self::ServerFailing)
    }
}
