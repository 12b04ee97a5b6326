//! The doors to an activation, and what happens after one: names for the activation line, calls, the web
//! page, references, emergency calls, and phones that are to come back as theirs.
//!
//! All doors end in the one claim of [`crate::claim`]. Never decides how SIP or a page looks.

pub(crate) mod emergency;
mod identities;
mod page;
pub(crate) mod references;
mod returns;

pub use emergency::{EmergencyCall, EmergencyRouteView};
pub use identities::SipCredential;
pub(crate) use identities::{name_for as sip_name_for, owner as sip_owner};
pub use references::ReferenceView;

use crate::claim::Door;
use crate::sightings::Sightings;
use crate::{Activated, App, AppError, error_reference};
use emergency::Emergency;
use identities::Identities;
use provost_core::code::ActivationCode;
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Claim};
use provost_core::tries::Tried;
use provost_store::Store;
use references::Noted;
pub(crate) use returns::{Returns, watch};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;

/// Barred phones that a slow listener may be behind; those it misses are refused when they register again.
const BARRED: usize = 256;

/// What the doors keep in memory.
#[derive(Debug)]
pub(crate) struct Doors {
    identities: Identities,
    /// SIP users whose phone was barred.
    barred: broadcast::Sender<String>,
    pub(crate) returns: Arc<Returns>,
    emergency: Emergency,
    /// What was refused where nobody proved anything.
    noted: Mutex<Sightings<Noted>>,
}

impl Doors {
    pub(crate) async fn load(store: &Store) -> Result<Self, AppError> {
        Ok(Self {
            identities: Identities::default(),
            barred: broadcast::Sender::new(BARRED),
            returns: Arc::new(Returns::load(store).await?),
            emergency: Emergency::load(store).await?,
            noted: Mutex::default(),
        })
    }
}

impl App {
    /// Tries a code that was keyed in a call, or dialed by the soft key, on the line of the phone `mac`.
    ///
    /// Too many wrong ones within an hour have to wait, and then nobody looks whether the code is right. The same right code again succeeds again: the first answer may have been lost.
    ///
    /// # Errors
    /// [`AppError::Refused`] with the reason and [`AppError::TooManyTries`] with the time, which also stand on the
    /// phone's timeline with their reference; any other error is no verdict on the code.
    pub async fn activate_by_call(
        &self,
        mac: MacAddr,
        from: IpAddr,
        code: &ActivationCode,
    ) -> Result<Activated, AppError> {
        let words = format!("in a call from {from}");
        let door = Door { how: Claim::Call, tried: Some(Tried::Phone { mac, from }), words: &words, audit: None };
        let _shared = self.changes.read().await;
        self.try_code(mac, code, door).await
    }

    /// Writes down that a call could not be dealt with, for a reason that is no refusal; returns the reference to
    /// read out.
    pub fn call_failed(&self, mac: MacAddr, error: &AppError) -> String {
        let reference = error_reference();
        tracing::error!(phone.mac = %mac, %reference, %error, "a call of phone {mac} could not be dealt with ({reference})");
        let why = match error {
            AppError::Store(_) => "the database did not answer".to_owned(),
            other => other.to_string(),
        };
        self.recorder.tell(mac, self.now(), sentence::call_failed(&why, &reference), None);
        reference
    }
}
