//! Telling a claimed phone to look at its configuration, through the PBX it is registered at.
//!
//! Never during a call on any of the phone's lines, where the PBX says so; never to a registration that may be another phone's. Who is registered is
//! asked anew first: what was seen half a minute ago may be over.

use super::evidence::{Asked, Evidence, Judged, judge};
use super::{App, CheckSyncView, PbxAsk};
use crate::{Actor, AppError, MacText, error_reference};
use provost_core::entry::connector::CheckSyncInput;
use provost_core::entry::guard::checked_reason;
use provost_core::ids::{ConnectorId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::pbx::{Calls, CheckSynced, PbxError, PbxTarget, Registration, Resync, line_of, shown};
use provost_core::rights::Right;
use provost_core::sentence;
use provost_store::{ConnectorRow, DeviceLines, DeviceRow};
use tokio::sync::oneshot;

/// A check-sync with all it needs.
struct Telling<'a> {
    device: &'a DeviceRow,
    phone: MacAddr,
    connector: ConnectorId,
    what: Resync,
    reason: Option<String>,
    by: &'a Actor,
}

/// Where the phone is registered, and how calls may name it.
struct Reached {
    /// As it stood when the PBX was asked who is registered.
    connector: ConnectorRow,
    line: String,
    to: Registration,
    /// The lines, digest names and addresses of record beside that of the registration.
    names: Vec<String>,
    /// Whether there are calls that could be the phone's.
    are_calls: bool,
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
        let connector = self.connector_for(&device.account).await?.ok_or_else(no_connector)?;
        let telling = Telling { device: &device, phone, connector, what: input.resync(), reason, by };
        let told = self.in_turn(&telling.connector, self.tell_phone(&telling)).await?;
        self.said(&telling, told)
    }

    /// Asks who is registered, then tells the phone; the caller waits for the connector's turn.
    async fn tell_phone(&self, telling: &Telling<'_>) -> Result<Told, AppError> {
        let Telling { device, phone, connector, by, .. } = telling;
        // Only now: who waited for the turn may find it changed, off or gone.
        let row = self.connectors.watched(connector).ok_or_else(no_connector)?.row;
        let is_seen = self.sees_connector(by, &row).await?;
        let cannot = |error: &PbxError| {
            // What the PBX said may name its network, which is not for those who do not see the connector.
            let why = if is_seen { format!(": {error}") } else { "; ask your provider".to_owned() };
            refused("pbx-not-reached", format!("the PBX cannot be asked{why}"))
        };
        self.survey(connector).await?.map_err(|error| cannot(&error))?;
        let reached = self.registration_of(telling).await?;
        let site = self.store.site_of_device(&device.id).await?;
        let event = telling.what.event();
        let what = format!("asked to have phone {phone} of {} told to check its configuration ({event})", device.id);
        let entry = self.audit_entry(by, what, telling.reason.as_deref()).about(&device.account, site.as_ref());
        self.store.audited(entry).only().await?;
        let target = self.target(&reached.connector)?;
        let in_call =
            |line: &str| refused("phone-in-call", format!("{line} is in a call; try again when it has ended"));
        for name in reached.names.iter().filter(|_| reached.are_calls) {
            if self.is_in_call(target.clone(), name).await.map_err(|error| cannot(&error))? {
                return Err(in_call(name));
            }
        }
        let Reached { line, to, .. } = reached;
        match self.put_check_sync(target, to.clone(), telling.what).await.map_err(|error| cannot(&error))? {
            CheckSynced::InCall => Err(in_call(&line)),
            CheckSynced::Sent { answer, status, calls_unknown } => Ok(Told { line, to, answer, status, calls_unknown }),
        }
    }

    async fn put_check_sync(&self, target: PbxTarget, to: Registration, what: Resync) -> Result<CheckSynced, PbxError> {
        let (answer, answered) = oneshot::channel();
        let ask = PbxAsk::CheckSync { target, to: Box::new(to), what, answer };
        match self.connectors.asks.try_send(ask) {
            Ok(()) => answered.await.unwrap_or(Err(PbxError::NotAsked)),
            Err(_) => Err(PbxError::NotAsked),
        }
    }

    /// Whether a line is in a call, and nothing else: what is asked about cannot be told anything.
    async fn is_in_call(&self, target: PbxTarget, line: &str) -> Result<bool, PbxError> {
        match self.put_check_sync(target, Registration::out_of_reach(line), Resync::AsSet).await {
            Ok(asked) => Ok(asked == CheckSynced::InCall),
            // It came to the sending, so the line is in no call.
            Err(PbxError::Refused { command, .. }) if SENDS.contains(&command) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the device's phone is in a call, as far as its PBX says such things; `None` where that was not asked of late.
    ///
    /// # Errors
    /// [`AppError::Refused`] when there are calls and the PBX cannot be asked whose, [`AppError::Store`].
    pub(crate) async fn talks(&self, connector: &ConnectorId, device: &DeviceRow) -> Result<Option<bool>, AppError> {
        let Some(watched) = self.connectors.watched(connector) else { return Ok(None) };
        let Some(seen) = watched.seen.filter(|seen| self.now().0.saturating_sub(seen.at.0) <= CALLS_HOLD_MS) else {
            return Ok(None);
        };
        match seen.survey.calls {
            Some(Calls::Known(0)) => return Ok(Some(false)),
            Some(Calls::Known(_)) => {}
            // It never says: as without a PBX, the phone itself decides when to restart.
            Some(Calls::Unknown(_)) => return Ok(Some(false)),
            None => return Ok(None),
        }
        let target = self.target(&watched.row)?;
        let lines = self.store.lines_of_device(&device.id).await?;
        for name in names(&lines, &[]) {
            let found = self.in_turn(connector, self.is_in_call(target.clone(), &name)).await;
            if found.map_err(|error| refused("pbx-not-reached", format!("the PBX cannot be asked: {error}")))? {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// The registration that is the phone's, by the first of its lines that has one.
    async fn registration_of(&self, telling: &Telling<'_>) -> Result<Reached, AppError> {
        let Telling { device, phone, connector, .. } = telling;
        let watched = self.connectors.watched(connector).ok_or_else(no_connector)?;
        let lines = self.store.lines_of_device(&device.id).await?;
        let Some(seen) = &watched.seen else {
            return Err(refused("pbx-not-reached", "the PBX has not answered".to_owned()));
        };
        let evidence = Evidence {
            device: &device.id,
            phone: Some(*phone),
            domain: watched.row.entered.domain.as_deref(),
            seen_at: seen.at,
            now: seen.at,
            holders: self.holders(&watched.row, seen, &device.account).await?,
        };
        let judged = judge(&seen.survey, &lines, &evidence);
        let mine: Vec<_> = judged.iter().filter_map(Judged::this).collect();
        if let Some((line, to)) = mine.first() {
            let names = names(&lines, &mine);
            let are_calls = matches!(seen.survey.calls, Some(Calls::Known(now)) if now > 0);
            let (line, to) = ((*line).to_owned(), (*to).clone());
            return Ok(Reached { line, to, names, are_calls, connector: watched.row.clone() });
        }
        let why: Vec<_> = judged.iter().filter_map(|one| one.words(None)).collect();
        if judged.iter().any(|one| one.whose.is_unknown()) {
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

/// What a PBX said of its calls counts until it is asked again, and a little longer.
const CALLS_HOLD_MS: i64 = 45_000;

const NO_CONNECTOR: &str = "no connector serves this account; add one for its PBX first (`provost connector add`)";

/// What a PBX is told last, when it is known that the line is in no call.
const SENDS: [&str; 4] = ["tm.t_uac_wait", "PJSIPNotify", "SIPnotify", "sendevent NOTIFY"];

/// How calls may name the phone beside by the first of its registrations: a phone with two lines talks on the other
/// one, and a registration that was found by its digest name is called by its SIP user.
fn names(lines: &DeviceLines, mine: &[(&str, &Registration)]) -> Vec<String> {
    let typed = lines.lines.iter().flat_map(|(user, name)| std::iter::once(user).chain(name)).map(|text| line_of(text));
    let registered = mine.iter().flat_map(|(_, one)| {
        // With Asterisk that is the endpoint, which may be called otherwise than the line.
        [one.line.as_str(), line_of(&one.way.address_of_record)]
    });
    let asked_anyway = mine.first().map(|(_, one)| one.line.as_str());
    let mut names: Vec<String> = Vec::new();
    for name in typed.chain(registered).filter(|name| !name.is_empty() && Some(*name) != asked_anyway) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn no_connector() -> AppError {
    refused("no-connector", NO_CONNECTOR.to_owned())
}

fn refused(code: &'static str, message: String) -> AppError {
    AppError::Refused { code, message, reference: error_reference() }
}
