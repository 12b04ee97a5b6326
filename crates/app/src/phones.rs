//! The device plane's one use-case: a phone asks, and gets what is its own.
//!
//! Any failure on the way is "come back later", never the bootstrap: a working phone must not be wiped
//! (docs/THREATS.md, rule 19).

mod answer;
mod bound;

use crate::strangers::Stranger;
use crate::{App, AppError, locked};
use answer::Found;
use bytes::Bytes;
use provost_catalog::{BootStage, UserAgent};
use provost_core::file_plan::{self, Asked, Refusal};
use provost_core::identity::{Peer, Transport};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Outcome, SettingsAre, Speaker, printable};
use provost_core::time::UnixMillis;
use provost_store::{Contact, Kept};

/// What a phone does with a file.
#[derive(Debug, Clone)]
pub enum PhoneMethod {
    /// GET.
    Get,
    /// HEAD.
    Head,
    /// PUT with this content.
    Put(Bytes),
}

/// One request on the device plane.
#[derive(Debug)]
pub struct PhoneRequest<'a> {
    /// The other end of the connection.
    pub peer: &'a Peer,
    /// What it does.
    pub method: PhoneMethod,
    /// The path, percent-decoded, with its slash.
    pub path: &'a str,
    /// Its User-Agent.
    pub user_agent: Option<&'a str>,
    /// Its Host header.
    pub host: Option<&'a str>,
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneAnswer {
    /// 200 with this file.
    File(Bytes),
    /// The upload was kept: 201 or 200.
    Kept(Kept),
    /// The one 404.
    NotFound,
    /// 503.
    ComeBackLater,
}

/// What is known of the asking phone before its file is looked for.
struct Asking<'a> {
    mac: MacAddr,
    asked: Asked,
    name: String,
    user_agent: Option<UserAgent<'a>>,
    request: &'a PhoneRequest<'a>,
    now: UnixMillis,
}

impl App {
    /// Answers one request of the device plane and tells the timeline.
    pub async fn phone_request(&self, request: PhoneRequest<'_>) -> PhoneAnswer {
        let now = self.now();
        let asked = file_plan::read_path(&self.catalog, request.path);
        let name = printable(request.path.trim_start_matches('/'), 120);
        let proven = request.peer.verdict.mac.filter(|_| request.peer.transport == Transport::Tls);
        let Some(mac) = proven else {
            self.note_stranger(&request, &asked, name, now);
            return PhoneAnswer::NotFound;
        };
        let user_agent = request.user_agent.and_then(|text| self.catalog.user_agent(text));
        let asking = Asking { mac, asked, name, user_agent, request: &request, now };
        let found = match self.answer(&asking).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(phone.mac = %mac, file.name = %asking.name, %error, "phone {mac} was told to come back later");
                Found::failed(error_words(&error))
            }
        };
        self.tell(&asking, &found);
        found.into_answer()
    }

    fn note_stranger(&self, request: &PhoneRequest<'_>, asked: &Asked, file: String, at: UnixMillis) {
        let Peer { address, transport, verdict } = request.peer;
        locked(&self.strangers).note(Stranger {
            address: *address,
            asked_for: asked.mac,
            file,
            certificate: verdict.status,
            reason: file_plan::stranger_reason(*transport, verdict),
            times: 1,
            at,
        });
    }

    fn tell(&self, asking: &Asking<'_>, found: &Found) {
        let Asking { mac, asked, name, user_agent, request, now } = asking;
        let known = user_agent.as_ref().and_then(|said| self.catalog.model_by_user_agent_token(said.token));
        let version = user_agent.as_ref().map(|said| said.version.to_string());
        let verdict = &request.peer.verdict;
        let speaker = Speaker {
            model: known.map(|model| model.name.value.as_str()),
            firmware: version.as_deref(),
            certificate: verdict.status,
            note: verdict.note.as_deref(),
        };
        let entry = match found {
            Found::Refused(refusal) => sentence::refused(name, refusal, speaker),
            Found::UnknownModel => sentence::unknown_model(name, request.user_agent, speaker),
            Found::Answered { outcome, settings, .. } => {
                let outcome = match (&request.method, outcome) {
                    (PhoneMethod::Head, Outcome::Sent(_)) => &Outcome::There,
                    (_, outcome) => outcome,
                };
                sentence::answered(name, &asked.kind, *settings, outcome, speaker)
            }
        };
        let is_updater = user_agent.as_ref().is_some_and(|said| said.stage == Some(BootStage::Updater));
        let contact = Contact {
            mac: *mac,
            model: known.map(|model| model.id.clone()),
            firmware: version.clone().filter(|_| !is_updater),
            updater: version.filter(|_| is_updater),
            certificate: verdict.status,
            certificate_note: verdict.note.clone(),
            fingerprint: verdict.fingerprint,
            address: request.peer.address.to_string(),
            at: *now,
        };
        self.recorder.tell(*mac, *now, entry, Some(contact));
    }
}

/// What an administrator reads about a failure: the database's own words stay in the log.
fn error_words(error: &AppError) -> String {
    match error {
        AppError::Store(_) => "the database did not answer".to_owned(),
        other => other.to_string(),
    }
}

impl Found {
    fn failed(why: String) -> Self {
        Self::Answered {
            answer: PhoneAnswer::ComeBackLater,
            outcome: Outcome::Failed(why),
            settings: SettingsAre::Configuration,
        }
    }

    fn into_answer(self) -> PhoneAnswer {
        match self {
            // One refusal for all: the same value, whatever the reason (docs/THREATS.md, rule 2).
            Self::Refused(Refusal::OtherPhone(_) | Refusal::Barred | Refusal::NotAPhoneFile) | Self::UnknownModel => {
                PhoneAnswer::NotFound
            }
            Self::Answered { answer, .. } => answer,
        }
    }
}
