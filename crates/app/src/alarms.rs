//! Alarms: what an administrator should look at, one open for each kind and subject.

use crate::{Actor, App, AppError, locked};
use provost_core::ids::{AccountId, SiteId};
use provost_core::mac::MacAddr;
use provost_core::rights::{Right, Scope};
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use provost_store::{AlarmRow, NewAlarm, Page};

/// The kinds of alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// One leaf is in use in two networks by turns.
    CertificateInTwoNetworks,
    /// The server's own certificate ends soon.
    ServerCertificateExpiring,
    /// A proven phone asks for other phones' files.
    PhoneAsksForOthers,
    /// An emergency number was dialed on an unclaimed phone.
    EmergencyCall,
    /// A connector cannot ask its PBX.
    PbxNotReached,
    /// Mails were refused, given up, or may not have arrived.
    MailNotSent,
    /// The mail server cannot be used.
    MailServer,
    /// Phones of a site stopped asking together.
    PhonesGone,
    /// A phone may have gone to a former provider.
    PhoneLeft,
    /// A firmware version was paused.
    FirmwarePaused,
    /// The bytes of a firmware image vanished or changed.
    FirmwareImage,
}

impl AlarmKind {
    /// All of them.
    const ALL: [Self; 11] = [
        Self::CertificateInTwoNetworks,
        Self::ServerCertificateExpiring,
        Self::PhoneAsksForOthers,
        Self::EmergencyCall,
        Self::PbxNotReached,
        Self::MailNotSent,
        Self::MailServer,
        Self::PhonesGone,
        Self::PhoneLeft,
        Self::FirmwarePaused,
        Self::FirmwareImage,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CertificateInTwoNetworks => "certificate-in-two-networks",
            Self::ServerCertificateExpiring => "server-certificate-expiring",
            Self::PhoneAsksForOthers => "phone-asks-for-others",
            Self::EmergencyCall => "emergency-call",
            Self::PbxNotReached => "pbx-not-reached",
            Self::MailNotSent => "mail-not-sent",
            Self::MailServer => "mail-server",
            Self::PhonesGone => "phones-gone",
            Self::PhoneLeft => "phone-left",
            Self::FirmwarePaused => "firmware-paused",
            Self::FirmwareImage => "firmware-image-broken",
        }
    }
}

/// An alarm as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AlarmView {
    /// Id.
    pub id: String,
    /// What kind, as a stable word.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The first time, RFC 3339.
    pub raised_at: String,
    /// The last time.
    pub last_at: String,
    /// How often.
    pub times: i64,
    /// When it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub advice: String,
}

impl AlarmView {
    /// Every word that `kind` may be.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        AlarmKind::ALL.into_iter().map(AlarmKind::as_str)
    }
}

/// Below this many days a certificate that is not renewed yet wants a look.
const EXPIRING_BELOW_DAYS: i64 = 30;

impl App {
    /// Alarms, newest first, ended ones included.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn alarms(&self, page: Page<'_>, by: &Actor) -> Result<Vec<AlarmView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.alarms(&within, page).await?.into_iter().map(alarm_view).collect())
    }

    /// Open alarms, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn open_alarms(&self, limit: u32, by: &Actor) -> Result<Vec<AlarmView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.open_alarms(&within, limit).await?.into_iter().map(alarm_view).collect())
    }

    /// Ended alarms, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn ended_alarms(&self, page: Page<'_>, by: &Actor) -> Result<Vec<AlarmView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.ended_alarms(&within, page).await?.into_iter().map(alarm_view).collect())
    }

    /// Ends an alarm that somebody looked at.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is no such open alarm.
    pub async fn end_alarm(&self, id: &str, by: &Actor) -> Result<AlarmView, AppError> {
        let missing = || AppError::NotFound { what: "open alarm", name: id.chars().take(40).collect() };
        let alarm = self.store.alarm(id).await?.filter(|alarm| alarm.ended.is_none()).ok_or_else(missing)?;
        let mut entry = self.audit_entry(by, format!("ended the alarm {} about {}", alarm.kind, alarm.subject), None);
        match MacAddr::from_hex12(&alarm.subject) {
            Some(mac) if self.sees_phone(by, mac).await? => entry = self.about_phone(entry, mac).await?,
            None if let Some(account) = self.connectors.account(&alarm.subject)
                && self.sees(by, &account, None).await? =>
            {
                entry = entry.about(&account, None);
            }
            None if let Ok(account) = alarm.subject.parse::<AccountId>()
                && self.sees(by, &account, None).await? =>
            {
                entry = entry.about(&account, None);
            }
            None if let Ok(site) = alarm.subject.parse::<SiteId>()
                && let Some(account) = self.store.site(&site).await?.map(|row| row.site.account)
                && self.sees(by, &account, Some(&site)).await? =>
            {
                entry = entry.about(&account, Some(&site));
            }
            _ if by.scope == Scope::Platform => {}
            _ => return Err(missing()),
        }
        by.has(Right::Change)?;
        self.store.audited(entry).end_alarm(id, self.now()).await?;
        self.store.alarm(id).await?.map(alarm_view).ok_or_else(missing)
    }

    /// Raises or ends the alarm about the server's own certificate, by the days it has left.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn server_certificate_days(&self, days: i64, names: &[String]) -> Result<(), AppError> {
        let subject = names.join(", ");
        let kind = AlarmKind::ServerCertificateExpiring;
        if days >= EXPIRING_BELOW_DAYS {
            return Ok(self.store.end_alarm_about(kind.as_str(), &subject, self.now()).await?);
        }
        let left = match days {
            ..0 => "has expired".to_owned(),
            0 => "expires today".to_owned(),
            1 => "expires tomorrow".to_owned(),
            days => format!("expires in {days} days"),
        };
        let sentence = format!(
            "The server's certificate for {subject} {left}; phones turn away from a server whose certificate is over."
        );
        let advice = "Renew it and put the new files in place: they are taken up without a restart. Where ACME \
                      should have renewed it, the log says why it did not.";
        self.raise(kind, &subject, (&sentence, advice)).await
    }

    /// Raises an alarm in the words of a timeline entry; a failure is logged, since the phone must not wait for it.
    pub(crate) async fn raise_about(&self, kind: AlarmKind, subject: &str, entry: &Entry) {
        let advice = entry.advice.as_deref().unwrap_or_default();
        if let Err(error) = self.raise(kind, subject, (&entry.sentence, advice)).await {
            tracing::error!(alarm.kind = kind.as_str(), alarm.subject = subject, %error, "an alarm could not be stored");
        }
    }

    pub(crate) async fn raise(
        &self,
        kind: AlarmKind,
        subject: &str,
        (sentence, advice): (&str, &str),
    ) -> Result<(), AppError> {
        let at: UnixMillis = self.now();
        let id = self.alarm_id(at);
        let alarm = NewAlarm { id: &id, kind: kind.as_str(), subject, at, sentence, advice };
        Ok(self.store.raise_alarm(&alarm).await?)
    }

    /// An alarm's id.
    pub(crate) fn alarm_id(&self, at: UnixMillis) -> String {
        locked(&self.event_ids).next(at)
    }
}

pub(crate) fn alarm_view(row: AlarmRow) -> AlarmView {
    AlarmView {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        raised_at: row.raised.to_string(),
        last_at: row.last.to_string(),
        times: row.times,
        ended_at: row.ended.map(|at| at.to_string()),
        sentence: row.sentence,
        advice: row.advice,
    }
}
