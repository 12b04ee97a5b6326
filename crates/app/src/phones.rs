//! The device plane's one use-case: a phone asks, and gets what is its own.
//!
//! Any failure on the way is "come back later", never the bootstrap: a working phone must not be wiped
//! (docs/THREATS.md, rule 19).

mod answer;
mod bound;
mod cache;
mod uniform;
mod unproven;

use crate::configuration::{Did, Fetched};
use crate::leading::PhoneImage;
use crate::moving::CameIn;
use crate::passwords::Seen;
use crate::{App, AppError};
use answer::Found;
use bytes::Bytes;
use cache::Key;
pub(crate) use cache::{Answers, Generation};
use provost_catalog::{BootStage, FileRole, UserAgent};
use provost_core::file_plan::{self, Asked, Kind, Refusal};
use provost_core::identity::{Peer, Transport};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Outcome, SettingsAre, Speaker, printable, without_words_of_links};
use provost_core::time::UnixMillis;
use provost_store::{Contact, Kept};
use std::sync::atomic::Ordering;
use tokio::time::Instant;

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
    /// 200 with the bytes of this image, which [`App::load_image`] brings.
    Image(Box<PhoneImage>),
    /// The upload was kept: 201 or 200.
    Kept(Kept),
    /// The one 404.
    NotFound,
    /// 503.
    ComeBackLater,
}

/// A request as it came, read.
struct Came<'a> {
    asked: Asked,
    name: String,
    request: &'a PhoneRequest<'a>,
    now: UnixMillis,
}

/// What is known of the asking phone before its file is looked for.
struct Asking<'a> {
    mac: MacAddr,
    user_agent: Option<UserAgent<'a>>,
    /// A remark on the certificate, when it was let in by exception.
    note: Option<String>,
    came: &'a Came<'a>,
}

impl App {
    /// Answers one request of the device plane and tells the timeline.
    ///
    /// Every 404 takes the same time, whatever it is for.
    pub async fn phone_request(&self, request: PhoneRequest<'_>) -> PhoneAnswer {
        let came = Instant::now();
        let answer = self.answer_at_once(request).await;
        if answer == PhoneAnswer::NotFound {
            uniform::wait_for_turn(came).await;
        }
        answer
    }

    /// What seldom happens is boxed: waiting for the database takes kilobytes of state, which each request would carry.
    async fn answer_at_once(&self, request: PhoneRequest<'_>) -> PhoneAnswer {
        let now = self.now();
        let asked = file_plan::read_path(&self.catalog, request.path);
        let name = printable(&without_words_of_links(request.path.trim_start_matches('/')), 120);
        let came = Came { asked, name, request: &request, now };
        let Peer { address, transport, verdict } = request.peer;
        if let Some(reason) = self.guard.blocked(verdict.fingerprint) {
            self.note_blocked(&came, reason);
            return PhoneAnswer::NotFound;
        }
        let Some(mac) = verdict.mac.filter(|_| *transport == Transport::Tls) else {
            return Box::pin(self.answer_unproven(&came)).await;
        };
        self.close_door_of(mac, now).await;
        self.watch_networks(mac, verdict.fingerprint, *address, now).await;
        self.watch_move(mac, (self.told.came_in(request.host), came.starts_over()), now).await;
        let asking = self.asking(&came, mac, None);
        // Asked before the answer is made: what is in it then is this pair or a newer one.
        let pending = self.pending_passwords.of(mac);
        let found = match self.guard.suspended(mac, now) {
            Some(until) => Found::Refused(Refusal::Suspended(until)),
            None => self.answer_proven(&asking).await,
        };
        self.tell(&asking, &found);
        if asking.came.asked.kind == Kind::Settings {
            self.note_went_on(mac).await;
        }
        self.watch_return(&asking, &found).await;
        if let Some((pending, seen)) = pending.zip(asking.shows(&found)) {
            Box::pin(self.watch_passwords(mac, pending, seen)).await;
        }
        if let Some((name, did)) =
            asking.did_with_cleared(&found).filter(|(name, _)| self.clearing.is_awaited(mac, name))
        {
            Box::pin(self.watch_clearing(mac, name, did)).await;
        }
        if matches!(found, Found::Refused(Refusal::OtherPhone(_))) {
            Box::pin(self.asked_for_another(mac, now)).await;
        }
        found.into_answer()
    }

    /// Waited for or not, that costs no query until the phone is back.
    async fn watch_return(&self, asking: &Asking<'_>, found: &Found) {
        let reads = asking.reads_configuration(found).then_some(asking.came.now);
        if let Some(due) = self.return_due(asking.mac, reads) {
            Box::pin(self.note_return(asking.mac, due)).await;
        }
    }

    async fn answer_proven(&self, asking: &Asking<'_>) -> Found {
        match self.answer_again(asking).await {
            Ok(found) => found,
            Err(error) => {
                self.log_failure(asking, &error);
                Found::failed(error_words(&error))
            }
        }
    }

    /// Once a second: while the database is gone every phone fails, and one line says so.
    fn log_failure(&self, asking: &Asking<'_>, error: &AppError) {
        let second = asking.came.now.seconds();
        if self.failure_logged_s.swap(second, Ordering::Relaxed) != second {
            let (mac, name) = (asking.mac, &asking.came.name);
            tracing::error!(phone.mac = %mac, file.name = %name, %error, "phone {mac} was told to come back later");
        }
    }

    /// The answer of a moment ago, if it still stands, else a fresh one.
    async fn answer_again(&self, asking: &Asking<'_>) -> Result<Found, AppError> {
        let key = asking.key(self.told.came_in(asking.came.request.host));
        if let Some(found) = key.as_ref().and_then(|key| self.answers.find(key, asking.came.now)) {
            return Ok(found);
        }
        let generation = self.answers.generation();
        let found = Box::pin(self.answer(asking)).await?;
        if let Some(key) = key.filter(|_| found.is_settled()) {
            self.answers.keep(key, &found, (generation, asking.came.now));
        }
        Ok(found)
    }

    fn tell(&self, asking: &Asking<'_>, found: &Found) {
        let Asking { mac, user_agent, note, came } = asking;
        let Came { asked, name, request, now } = came;
        let known = user_agent.as_ref().and_then(|said| self.catalog.model_by_user_agent_token(said.token));
        let version = user_agent.as_ref().map(|said| said.version.to_string());
        let verdict = &request.peer.verdict;
        let note = note.as_ref().or(verdict.note.as_ref());
        let speaker = Speaker {
            model: known.map(|model| model.name.value.as_str()),
            firmware: version.as_deref(),
            certificate: verdict.status,
            note: note.map(String::as_str),
        };
        let entry = match found {
            Found::Refused(refusal) => sentence::refused(name, refusal, speaker),
            Found::UnknownModel => sentence::unknown_model(name, request.user_agent, speaker),
            Found::Answered { outcome, settings, .. } => {
                let outcome = match (&request.method, outcome) {
                    (PhoneMethod::Head, Outcome::Sent(_) | Outcome::Begun) => &Outcome::There,
                    (_, outcome) => outcome,
                };
                sentence::answered(name, &asked.kind, *settings, outcome, speaker)
            }
        };
        let is_updater = user_agent.as_ref().is_some_and(|said| said.stage == Some(BootStage::Updater));
        let (firmware, updater) = if is_updater { (None, version) } else { (version, None) };
        let contact = Contact {
            mac: *mac,
            model: known.map(|model| model.id.clone()),
            firmware,
            updater,
            certificate: verdict.status,
            certificate_note: note.cloned(),
            fingerprint: verdict.fingerprint,
            address: request.peer.address.to_string(),
            at: *now,
        };
        self.recorder.tell_answered((*mac, *now), entry, contact, asking.fetched(found));
    }
}

impl Came<'_> {
    /// Whether this is the first request of a walk through its files.
    fn starts_over(&self) -> bool {
        let is_master = matches!(&self.asked.kind, Kind::File(file) if matches!(file.role, FileRole::Master | FileRole::DefaultMaster));
        is_master && matches!(self.request.method, PhoneMethod::Get)
    }
}

impl Asking<'_> {
    /// Whether the connection's certificate proves that this is the phone; an exception proves nothing.
    fn is_proven(&self) -> bool {
        let Peer { transport, verdict, .. } = self.came.request.peer;
        *transport == Transport::Tls && verdict.mac == Some(self.mac)
    }

    /// Whether the phone gets its configuration with this answer.
    fn reads_configuration(&self, found: &Found) -> bool {
        let is_get = matches!(self.came.request.method, PhoneMethod::Get);
        let is_sent = matches!(found, Found::Answered { answer: PhoneAnswer::File(_), settings, .. } if settings.is_configuration());
        is_get && is_sent && self.came.asked.kind == Kind::Settings
    }

    /// The configuration the phone gets with this answer.
    fn fetched(&self, found: &Found) -> Option<Fetched> {
        match found {
            Found::Answered { answer: PhoneAnswer::File(file), device: Some(device), .. }
                if self.reads_configuration(found) =>
            {
                Some(Fetched { device: device.clone(), file: file.clone() })
            }
            _ => None,
        }
    }

    /// The file of its own settings that the phone reads or sends with this request.
    fn did_with_cleared(&self, found: &Found) -> Option<(&str, Did)> {
        let Kind::File(file) = &self.came.asked.kind else { return None };
        let Found::Answered { answer, .. } = found else { return None };
        match (&self.came.request.method, answer) {
            (PhoneMethod::Get, PhoneAnswer::File(_)) => Some((&file.name, Did::Fetch)),
            (PhoneMethod::Put(_), PhoneAnswer::Kept(_)) => Some((&file.name, Did::Send)),
            _ => None,
        }
    }

    /// What it shows of how far the phone has come with its passwords: the updater runs after a restart only.
    fn shows(&self, found: &Found) -> Option<Seen> {
        let is_updater = self.user_agent.as_ref().is_some_and(|said| said.stage == Some(BootStage::Updater));
        if self.reads_configuration(found) {
            Some(Seen::Read)
        } else {
            (is_updater && self.came.starts_over()).then_some(Seen::Restarted)
        }
    }

    /// What the answer depends on, for the two files that are rendered and asked most.
    fn key(&self, came_in: CameIn) -> Option<Key> {
        let is_own = self.came.asked.mac.is_none_or(|mac| mac == self.mac);
        let is_master = match &self.came.asked.kind {
            Kind::Settings => false,
            Kind::File(file) if matches!(file.role, FileRole::Master | FileRole::DefaultMaster) => true,
            Kind::File(_) | Kind::Unknown => return None,
        };
        // A HEAD claims nothing, so its answer must not stand for a GET's.
        let is_get = matches!(self.came.request.method, PhoneMethod::Get);
        (is_own && is_get).then(|| Key {
            mac: self.mac,
            is_master,
            said: self
                .user_agent
                .as_ref()
                .map(|said| (said.token.to_owned(), said.version.clone(), said.stage == Some(BootStage::Updater))),
            came_in,
        })
    }
}

/// What an administrator reads about a failure: the database's own words stay in the log.
fn error_words(error: &AppError) -> String {
    match error {
        AppError::Store(_) => "the database did not answer".to_owned(),
        AppError::DiskFull => "the server's disk is full".to_owned(),
        other => other.to_string(),
    }
}

impl Found {
    fn failed(why: String) -> Self {
        Self::Answered {
            answer: PhoneAnswer::ComeBackLater,
            outcome: Outcome::Failed(why),
            settings: SettingsAre::Configuration,
            device: None,
            is_settled: true,
        }
    }

    /// There is no such file, which is harmless.
    fn absent((settings, device): (SettingsAre, Option<DeviceId>)) -> Self {
        let (answer, outcome) = (PhoneAnswer::NotFound, Outcome::Absent);
        Self::Answered { answer, outcome, settings, device, is_settled: true }
    }

    /// Whether it may be given again to whoever asks the same a moment later.
    const fn is_settled(&self) -> bool {
        !matches!(self, Self::Answered { is_settled: false, .. })
    }

    fn into_answer(self) -> PhoneAnswer {
        match self {
            // One refusal for all: the same value, whatever the reason (docs/THREATS.md, rule 2).
            Self::Refused(
                Refusal::OtherPhone(_)
                | Refusal::Barred
                | Refusal::SetAside(_)
                | Refusal::Suspended(_)
                | Refusal::NotAPhoneFile,
            )
            | Self::UnknownModel => PhoneAnswer::NotFound,
            Self::Answered { answer, .. } => answer,
        }
    }
}
