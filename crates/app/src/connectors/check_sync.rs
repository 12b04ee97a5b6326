//! Telling a claimed phone to look at its configuration, through the PBX it is registered at.
//!
//! Never during a call, where the PBX says so; never to a registration that may be another phone's. Who is registered is
//! asked anew first: what was seen half a minute ago may be over.

use super::evidence::{Asked, Found, judge};
use super::{App, CheckSyncView, PbxAsk};
use crate::{Actor, AppError, MacText, error_reference};
use provost_core::entry::connector::CheckSyncInput;
use provost_core::entry::guard::checked_reason;
use provost_core::ids::{ConnectorId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::pbx::{CheckSynced, PbxError, Registration, Resync, Whose, shown};
use provost_core::rights::Right;
use provost_core::sentence;
use provost_store::{ConnectorRow, DeviceRow};
use tokio::sync::oneshot;

/// A check-sync with all it needs.
struct Telling<'a> {
    device: &'a DeviceRow,
    phone: MacAddr,
    connector: ConnectorRow,
    what: Resync,
    reason: Option<String>,
    by: &'a Actor,
}

/// What came of it.
struct Told {
    line: String,
    to: Registration,
    answer: String,
    status: Option<u16>,
    calls_unknown: Option<String>,
}

impl App {
    /// Has the device's phone told to look at its configuration (NOTIFY check-sync), and says what the PBX answered.
    ///
    /// # Errors
    /// [`AppError::Refused`] without a phone or a connector, when the phone is not registered or in a call, when it is
    /// not known which phone is registered, when the PBX cannot be asked or the phone refuses; [`AppError::NotFound`],
    /// [`AppError::Forbidden`], [`AppError::Fields`] for a reason of another shape.
    pub async fn check_sync(
        &self,
        id: &DeviceId,
        input: CheckSyncInput,
        by: &Actor,
    ) -> Result<CheckSyncView, AppError> {
        let device = self.may_device(by, Right::Change, id).await?;
        let reason = input.reason.as_deref().map(checked_reason).transpose()?;
        let Some(phone) = self.store.phone_of(id).await? else {
            return Err(refused("device-has-no-phone", "no phone is bound to this device".to_owned()));
        };
        let none = || refused("no-connector", NO_CONNECTOR.to_owned());
        let connector = self.connector_for(&device.account).await?.ok_or_else(none)?;
        let row = self.connectors.watched(&connector).ok_or_else(none)?.row;
        let telling = Telling { device: &device, phone, connector: row, what: input.resync(), reason, by };
        let told = self.in_turn(&connector, self.tell_phone(&telling)).await?;
        self.said(&telling, told)
    }

    /// Asks who is registered, then tells the phone; the caller waits for the connector's turn.
    async fn tell_phone(&self, telling: &Telling<'_>) -> Result<Told, AppError> {
        let Telling { device, phone, connector, by, .. } = telling;
        let is_seen = self.sees_connector(by, connector).await?;
        let cannot = |error: &PbxError| {
            // What the PBX said may name its network, which is not for those who do not see the connector.
            let why = if is_seen { format!(": {error}") } else { "; ask your provider".to_owned() };
            refused("pbx-not-reached", format!("the PBX cannot be asked{why}"))
        };
        self.survey(&connector.id).await?.map_err(|error| cannot(&error))?;
        let (line, to) = self.registration_of(&connector.id, device, *phone).await?;
        let site = self.store.site_of_device(&device.id).await?;
        let what = format!("told phone {phone} of {} to check its configuration ({})", device.id, telling.what.event());
        let entry = self.audit_entry(by, what, telling.reason.as_deref()).about(&device.account, site.as_ref());
        self.store.audited(entry).only().await?;
        let (answer, answered) = oneshot::channel();
        let (target, what) = (self.target(connector)?, telling.what);
        let ask = PbxAsk::CheckSync { target, to: Box::new(to.clone()), what, answer };
        let sent = match self.connectors.asks.try_send(ask) {
            Ok(()) => answered.await.unwrap_or(Err(PbxError::NotAsked)),
            Err(_) => Err(PbxError::NotAsked),
        };
        match sent.map_err(|error| cannot(&error))? {
            CheckSynced::InCall => {
                Err(refused("phone-in-call", format!("{line} is in a call; try again when it has ended")))
            }
            CheckSynced::Sent { answer, status, calls_unknown } => Ok(Told { line, to, answer, status, calls_unknown }),
        }
    }

    /// The registration that is the phone's, by the first of its lines that has one.
    async fn registration_of(
        &self,
        connector: &ConnectorId,
        device: &DeviceRow,
        phone: MacAddr,
    ) -> Result<(String, Registration), AppError> {
        let watched =
            self.connectors.watched(connector).ok_or_else(|| refused("no-connector", NO_CONNECTOR.to_owned()))?;
        let lines = self.store.lines_of_device(&device.id).await?;
        let Some(survey) = watched.survey() else {
            return Err(refused("pbx-not-reached", "the PBX has not answered".to_owned()));
        };
        let domain = watched.row.entered.domain.as_deref();
        let judged = judge(survey, &lines, (Some(phone), domain), self.now());
        for one in &judged {
            if let Found::Whose(Whose::This(registration)) = &one.whose {
                return Ok((one.line.to_owned(), (*registration).clone()));
            }
        }
        let why: Vec<_> = judged.iter().filter_map(|one| one.words(None)).collect();
        let is_unknown = |found: &Found<'_>| matches!(found, Found::Whose(Whose::Unknown(..)) | Found::Domains(_));
        if judged.iter().any(|one| is_unknown(&one.whose)) {
            return Err(refused("phone-not-known", format!("{}, so nobody is told", why.join("; "))));
        }
        let why = if why.is_empty() { "the device's user has no line".to_owned() } else { why.join("; ") };
        Err(refused("phone-not-registered", format!("the phone is not registered: {why}")))
    }

    /// What is shown of it, and stands on the phone's timeline.
    fn said(&self, telling: &Telling<'_>, told: Told) -> Result<CheckSyncView, AppError> {
        let Told { line, to, answer, status, calls_unknown } = told;
        let entry = sentence::told_to_check(&line, &answer, telling.reason.as_deref());
        self.recorder.tell(telling.phone, self.now(), entry, None);
        if let Some(code) = status.filter(|code| *code >= 300) {
            let what = if code == 408 { "did not answer" } else { "does not do so" };
            return Err(refused("check-sync-refused", format!("the phone was told and {what}: {answer}")));
        }
        let mut summary = format!("Phone {} was told through {line}: {answer}.", telling.phone);
        if let Some(why) = &calls_unknown {
            summary.push_str(&format!(" Calls cannot be known with this PBX: {why}."));
        }
        Ok(CheckSyncView {
            summary,
            device: telling.device.id.to_string(),
            mac: MacText(telling.phone),
            line,
            contact: shown(&to.contact),
            answer,
            status,
            calls: calls_unknown.map_or_else(|| "none".to_owned(), |why| format!("cannot be known: {why}")),
        })
    }

    /// What is asked for a device's view.
    pub(crate) fn registration_asked(row: &DeviceRow) -> Asked<'_> {
        Asked { device: &row.id, account: &row.account, phone: row.mac.filter(|_| row.bound_at.is_some()) }
    }
}

const NO_CONNECTOR: &str = "no connector serves this account; add one for its PBX first (`provost connector add`)";

fn refused(code: &'static str, message: String) -> AppError {
    AppError::Refused { code, message, reference: error_reference() }
}
