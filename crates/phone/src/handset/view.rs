//! What a phone's web pages and REST tell of it.
//!
//! Decides nothing: a picture of the phone at one moment, taken by its task.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Versions;
use crate::handset::face::Face;
use crate::mac::Mac;
use crate::network::FoundServer;
use crate::screen::LineKey;
use crate::settings::Values;
use crate::sip::{EndedBy, Heard, Password};

/// A phone at one moment. Its values hold secrets, so debug output names it and no more.
#[derive(Clone)]
pub struct View {
    /// How far it is.
    pub stage: Stage,
    /// The model's id.
    pub model: String,
    /// The name people know the model by.
    pub model_name: String,
    /// Its MAC address.
    pub mac: Mac,
    /// Its part number.
    pub part: String,
    /// Its hardware revision, where it has one.
    pub revision: Option<String>,
    /// What it runs.
    pub versions: Versions,
    /// Its factory certificate.
    pub certificate: CertificateState,
    /// Its address in the network, once it speaks to a server of its line.
    pub address: Option<IpAddr>,
    /// The boot server it asks next, without credentials; nothing when its setting is no address.
    pub boot_server: Option<String>,
    /// Which rule named that server at the last start.
    pub boot_server_from: FoundServer,
    /// The values in force.
    pub values: Values,
    /// The device parameters among them.
    pub device: Values,
    /// What was changed in the phone's menu.
    pub phone_overrides: Values,
    /// What was changed in its web pages.
    pub web_overrides: Values,
    /// Its log since the last upload.
    pub log: String,
    /// What its updater logged.
    pub boot_log: String,
    /// How often it has started since somebody made it; never in its flash, and never fewer.
    pub starts: u64,
    /// How long it has had power, at its own pace.
    pub up: Duration,
    /// Its clock, RFC 3339.
    pub time: String,
    /// Seconds its day is ahead of Greenwich.
    pub gmt_offset: i64,
    /// What went wrong at the last start.
    pub messages: Vec<String>,
    /// Its lines and what is known of their registration.
    pub lines: Vec<LineKey>,
    /// Its calls, the oldest first; at most the last ten.
    pub calls: Vec<CallView>,
    /// What its display shows.
    pub face: Face,
    /// The administrator password in force; a phone that has none yet lets nobody in.
    pub(crate) admin_password: Option<Password>,
    /// The user password in force.
    pub(crate) user_password: Option<Password>,
    /// The administrator password such phones leave the factory with.
    pub(crate) factory_password: Password,
}

/// How far a phone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has no power.
    Off,
    /// It has power and waits a moment for somebody to stop it.
    CountDown,
    /// The updater works.
    Updater,
    /// The application starts, or reads its configuration.
    Application,
    /// It is ready.
    Idle,
}

/// What a phone says of its factory certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateState {
    /// It has one.
    FactoryInstalled,
    /// It has none.
    NotInstalled,
    /// It has one that no factory made so: signed by itself or by nobody, or too old.
    Invalid,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallView {
    /// Its number in the phone's life, counted from 1.
    pub reference: u64,
    /// The line it is on.
    pub line: u32,
    /// Who was called.
    pub number: String,
    /// How far it is.
    pub state: crate::sip::CallState,
    /// Who or what ended it.
    pub ended_by: Option<EndedBy>,
    /// From the answer to the end; nothing while it lasts.
    pub duration: Option<Duration>,
    /// What was heard, once it is over.
    pub heard: Option<Arc<Heard>>,
}

impl View {
    /// Whether `text` is the administrator password in force.
    pub fn is_admin_password(&self, text: &str) -> bool {
        self.admin_password.as_ref().is_some_and(|password| password.reveal() == text)
    }

    /// Whether `text` is the user password in force.
    pub fn is_user_password(&self, text: &str) -> bool {
        self.user_password.as_ref().is_some_and(|password| password.reveal() == text)
    }

    /// Whether the administrator password is still the one from the factory, or there is none yet.
    pub fn has_factory_password(&self) -> bool {
        self.admin_password.as_ref().is_none_or(|password| *password == self.factory_password)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (model, mac, stage) = (&self.model, &self.mac, &self.stage);
        out.debug_struct("View").field("model", model).field("mac", mac).field("stage", stage).finish_non_exhaustive()
    }
}

impl fmt::Display for CertificateState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::FactoryInstalled => "Factory Installed",
            Self::NotInstalled => "Not Installed",
            Self::Invalid => "Invalid",
        })
    }
}
