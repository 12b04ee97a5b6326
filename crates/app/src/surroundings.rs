//! What the process says of itself: where it listens, what it shows as certificates, where its files are. The use-cases
//! need none of it; the settings page shows it.

use crate::{Actor, App, AppError};
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::fmt;
use std::sync::OnceLock;

/// What the process says of itself at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What listens where, by the name of the configuration; what is off is absent.
    pub listeners: Vec<(&'static str, String)>,
    /// What is shown to phones and browsers.
    pub certificates: Vec<ShownCertificate>,
    /// The folder of the data.
    pub data_dir: String,
    /// Where it remembers, in words.
    pub database: &'static str,
    /// The file of the key that opens the secrets.
    pub key_file: String,
    /// Whether a copy of this key was made.
    pub key_exported: bool,
}

/// A certificate that is shown now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCertificate {
    /// The kind of its key.
    pub kind: String,
    /// The names it is for.
    pub names: Vec<String>,
    /// Where it came from, in words.
    pub origin: &'static str,
    /// When the first of its chain ends.
    pub ends: UnixMillis,
}

/// Looks around, for the key with this id.
type Look = dyn Fn(&str) -> Surroundings + Send + Sync;

/// How to look around; nothing until the process says so.
#[derive(Default)]
pub(crate) struct Around(OnceLock<Box<Look>>);

impl fmt::Debug for Around {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Around")
    }
}

impl App {
    /// Says how to look around: `look` gets the id of the key in use. Said once, when the process starts.
    pub fn look_around(&self, look: impl Fn(&str) -> Surroundings + Send + Sync + 'static) {
        let _ = self.around.0.set(Box::new(look));
    }

    /// What the process says of itself; `None` where nobody said anything.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] and [`AppError::OutOfScope`] for all but owners of the server.
    pub fn surroundings(&self, by: &Actor) -> Result<Option<Surroundings>, AppError> {
        by.may_platform(Right::Platform)?;
        Ok(self.around.0.get().map(|look| look(self.vault.key_id())))
    }
}
