//! Those who prove nothing: nothing for them, but for what an administrator opened.
//!
//! Every "no" here is the one that a proven phone gets for another's file (docs/THREATS.md, rule 2).

use super::answer::Found;
use super::{Asking, Came, PhoneAnswer, PhoneMethod, error_words};
use crate::leading::{Behind, Knock};
use crate::strangers::{Stranger, Treated};
use crate::{App, AppError, locked};
use bytes::Bytes;
use provost_catalog::FileRole;
use provost_core::file_plan::{self, HTTP_BOOTSTRAP_NAME, Kind};
use provost_core::identity::{CertificateStatus, Peer, Transport};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, SettingsAre};
use provost_store::ExceptionRow;

impl App {
    pub(super) async fn answer_unproven(&self, came: &Came<'_>) -> PhoneAnswer {
        let is_read = !matches!(came.request.method, PhoneMethod::Put(_));
        match came.request.peer.transport {
            Transport::Plain if is_read => {
                if let Some(answer) = self.through_the_door(came) {
                    return answer;
                }
                if let Some(file) = self.http_bootstrap(came) {
                    return PhoneAnswer::File(file);
                }
            }
            Transport::Tls if is_read => {
                if let Some(answer) = self.by_exception(came).await {
                    return answer;
                }
            }
            Transport::Plain | Transport::Tls => {}
        }
        let Peer { transport, verdict, .. } = came.request.peer;
        self.note(came, Treated::Refused, file_plan::stranger_reason(*transport, verdict));
        PhoneAnswer::NotFound
    }

    /// Notes somebody whose certificate an administrator blocked.
    pub(super) fn note_blocked(&self, came: &Came<'_>, reason: String) {
        self.note(came, Treated::Blocked, reason);
    }

    fn note(&self, came: &Came<'_>, treated: Treated, reason: String) {
        let Peer { address, transport, verdict } = came.request.peer;
        let is_blocked = treated == Treated::Blocked;
        locked(&self.strangers).note(Stranger {
            address: *address,
            transport: *transport,
            asked_for: came.asked.mac.or(verdict.mac.filter(|_| is_blocked)),
            file: came.name.clone(),
            certificate: if is_blocked { CertificateStatus::Invalid } else { verdict.status },
            treated,
            reason,
            times: 1,
            at: came.now,
        });
    }

    /// What an administrator opened firmware over plain HTTP for.
    fn through_the_door(&self, came: &Came<'_>) -> Option<PhoneAnswer> {
        let (user_agent, address) = (came.request.user_agent, came.request.peer.address);
        let knock = Knock { asked: &came.asked, user_agent, address, now: came.now };
        Some(match self.behind_the_door(&knock)? {
            Behind::Master(file) => PhoneAnswer::File(file),
            Behind::Image(image) => PhoneAnswer::Image(image),
        })
    }

    /// The files of the plain-HTTP bootstrap, where and while it is open.
    fn http_bootstrap(&self, came: &Came<'_>) -> Option<Bytes> {
        let is_settings = came.request.path.trim_start_matches('/') == HTTP_BOOTSTRAP_NAME;
        let is_master = matches!(&came.asked.kind, Kind::File(file) if matches!(file.role, FileRole::Master | FileRole::DefaultMaster));
        if !(is_settings || is_master) || !self.guard.http_bootstrap_is_open(came.request.peer.address, came.now) {
            return None;
        }
        let made = if is_settings { self.http_bootstrap_settings() } else { self.http_bootstrap_master() };
        match made {
            Ok(file) => {
                let reason = "it asked over plain HTTP, which is open for it, and got the bootstrap".to_owned();
                self.note(came, Treated::ReadHttpBootstrap, reason);
                Some(file)
            }
            Err(error) => {
                tracing::error!(%error, "the plain-HTTP bootstrap cannot be made");
                None
            }
        }
    }

    /// What somebody without proof gets because an administrator made an exception for this phone.
    async fn by_exception(&self, came: &Came<'_>) -> Option<PhoneAnswer> {
        let mac = came.asked.mac?;
        let exception = match self.excepted(mac, came.request.peer.address, came.now).await {
            Ok(exception) => exception?,
            Err(error) => {
                self.log_failure(&self.asking(came, mac, None), &error);
                return Some(PhoneAnswer::ComeBackLater);
            }
        };
        let asking = self.asking(came, mac, Some(sentence::exception_note(&exception.reason)));
        let found = match self.answer_by(&asking, &exception).await {
            Ok(found) => found,
            Err(error) => {
                self.log_failure(&asking, &error);
                Found::failed(error_words(&error))
            }
        };
        self.tell(&asking, &found);
        self.watch_return(&asking, &found).await;
        Some(found.into_answer())
    }

    /// The answer; when it is the configuration, that is remembered before it is sent.
    async fn answer_by(&self, asking: &Asking<'_>, exception: &ExceptionRow) -> Result<Found, AppError> {
        let found = self.answer(asking).await?;
        let is_get = matches!(asking.came.request.method, PhoneMethod::Get);
        let is_configuration = is_get
            && asking.came.asked.kind == Kind::Settings
            && matches!(&found, Found::Answered { answer: PhoneAnswer::File(_), settings, .. } if *settings != SettingsAre::Bootstrap);
        if is_configuration {
            self.exception_served(exception, asking.came.now).await?;
        }
        Ok(found)
    }

    /// What is known of somebody who is taken for this phone.
    pub(super) fn asking<'a>(&self, came: &'a Came<'a>, mac: MacAddr, note: Option<String>) -> Asking<'a> {
        let user_agent = came.request.user_agent.and_then(|text| self.catalog.user_agent(text));
        Asking { mac, user_agent, note, came }
    }
}
