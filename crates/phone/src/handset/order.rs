//! What web pages and REST make a phone do.
//!
//! Decides the words; the phone's task decides what can be done when.

use std::fmt;

use crate::handset::key::Key;
use crate::settings::Values;
use crate::setup::ChangedIn;

/// Something a phone is told to do other than by its keys. Debug output tells nothing that may be secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Order {
    /// Start again from power on.
    Reboot,
    /// Start the application again; this phone starts as a whole.
    Restart,
    /// The same as soon as no call is there any more, at once if there is none.
    RestartWhenFree,
    /// Forget everything but what the factory put in, and start again.
    ResetToFactory,
    /// Forget one part of what is set, and start again.
    Reset(ResetScope),
    /// Read the configuration again now.
    UpdateConfiguration,
    /// Set parameters; those of the device make the phone start again.
    Set {
        /// Names and values.
        values: Values,
        /// Whose overrides they become.
        place: ChangedIn,
    },
    /// Give the phone another administrator password.
    ChangeAdminPassword {
        /// The one in force.
        old: String,
        /// The new one.
        new: String,
    },
    /// Press a key.
    Key(Key),
    /// Put text where something is being typed.
    Text(String),
    /// Call somebody.
    Dial {
        /// The number or address.
        number: String,
    },
    /// Hang up.
    EndCall,
    /// Press keys during a call.
    SendDtmf(String),
    /// Show these words until somebody takes them away.
    Show(String),
    /// Empty the log; what was in it is not uploaded any more.
    ForgetLog,
    /// Take firmware from this folder on a server.
    Upgrade {
        /// The folder's address.
        url: String,
    },
}

/// What a reset forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetScope {
    /// What was changed in the phone's menu.
    Local,
    /// What was changed in its web pages.
    Web,
    /// The device parameters, wherever they came from.
    Device,
    /// The files it keeps: configuration, overrides, logs.
    FileSystem,
    /// Everything but its versions and what the factory put in.
    Factory,
}

/// Why a phone does not do what it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefused {
    /// It has no power.
    #[error("the phone has no power")]
    NoPower,
    /// It is starting, or doing something that cannot be interrupted.
    #[error("the phone is busy")]
    Busy,
    /// The old password is not the one in force.
    #[error("that is not the administrator password")]
    WrongPassword,
    /// The new password may not be used.
    #[error("this password cannot be used")]
    PasswordNotAllowed,
    /// No parameter can have this name.
    #[error("`{name}` is no name of a parameter")]
    ParameterName {
        /// The name as it came.
        name: String,
    },
    /// It has no line that could call.
    #[error("no line can call")]
    NoLine,
    /// There is no call.
    #[error("there is no call")]
    NoCall,
    /// There is a call already.
    #[error("the line is in a call")]
    InCall,
    /// Nothing is being typed.
    #[error("nothing is being typed")]
    NothingTyped,
    /// No key of this kind sends a tone. What was to be sent may be a code, so it is not repeated.
    #[error("these are no keys that send tones")]
    NotTones,
    /// The phone itself cannot.
    #[error("{reason}")]
    Failed {
        /// Why.
        reason: String,
    },
}

impl fmt::Debug for Order {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Reset(scope) => return out.debug_tuple("Reset").field(scope).finish(),
            Self::Set { values, place } => {
                return out.debug_struct("Set").field("names", &values.keys()).field("place", place).finish();
            }
            Self::Reboot => "Reboot",
            Self::Restart => "Restart",
            Self::RestartWhenFree => "RestartWhenFree",
            Self::ResetToFactory => "ResetToFactory",
            Self::UpdateConfiguration => "UpdateConfiguration",
            Self::ChangeAdminPassword { .. } => "ChangeAdminPassword",
            Self::Key(_) => "Key",
            Self::Text(_) => "Text",
            Self::Dial { .. } => "Dial",
            Self::EndCall => "EndCall",
            Self::SendDtmf(_) => "SendDtmf",
            Self::Show(_) => "Show",
            Self::ForgetLog => "ForgetLog",
            Self::Upgrade { .. } => "Upgrade",
        };
        out.write_str(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_output_tells_a_secret() {
        let secret = || "98765".to_owned();
        let values = Values::from([("device.auth.localAdminPassword".to_owned(), secret())]);
        for order in [
            Order::ChangeAdminPassword { old: secret(), new: secret() },
            Order::Text(secret()),
            Order::Dial { number: secret() },
            Order::SendDtmf(secret()),
            Order::Key(Key::Digit(9)),
            Order::Set { values, place: ChangedIn::WebPages },
        ] {
            let told = format!("{order:?}");
            assert!(!told.contains('9'), "{told}");
        }
    }
}
