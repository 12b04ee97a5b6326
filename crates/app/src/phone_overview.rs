//! A phone at one glance: how it stands, what is wrong with it now and what to do next.
//!
//! Decides which of all that is known of a phone is a trouble, the worst first, and in which words. Never asks the
//! phone, and says nothing that the record does not bear out.

use crate::{Actor, App, AppError, DeviceView, ExceptionView, PhoneView, TimelinePage};
use provost_core::fingerprint::Fingerprint;
use provost_core::firmware::{self, FirmwareLevel, FirmwareVerdict};
use provost_core::identity::CertificateStatus;
use provost_core::ids::{AccountId, SiteId, UserId};
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;

/// A phone with everything its page begins with.
#[derive(Debug, Clone)]
pub struct PhoneOverview {
    /// The phone.
    pub phone: PhoneView,
    /// A page of its timeline.
    pub timeline: TimelinePage,
    /// How its firmware stands.
    pub firmware: FirmwareView,
    /// What is wrong with it now, the worst first.
    pub troubles: Vec<TroubleView>,
    /// Whether another phone took its place.
    pub is_set_aside: bool,
    /// The exception of its device that lets it in now.
    pub exception: Option<ExceptionView>,
    /// Whether its certificate is on the block list.
    pub is_blocked: bool,
    /// Why it cannot be told anything just now, and what to do instead; `None` where it can be tried.
    pub out_of_reach: Option<String>,
}

/// Something that is wrong, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubleView {
    /// Whether the phone does not work because of it.
    pub is_grave: bool,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub next: Option<String>,
}

/// How a phone's firmware stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareView {
    /// How.
    pub level: FirmwareLevel,
    /// The same in words.
    pub sentence: String,
    /// What to do.
    pub next: Option<String>,
    /// What the catalog knows of its model.
    pub known: Vec<KnownVersion>,
}

/// A version the catalog knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownVersion {
    /// `floor`, `secure from` or `target`.
    pub what: &'static str,
    /// The version.
    pub version: String,
    /// How well that is known.
    pub evidence: &'static str,
    /// What to know of it.
    pub note: Option<String>,
}

impl App {
    /// A phone with what its page begins with.
    ///
    /// # Errors
    /// As [`App::phone`].
    pub async fn phone_overview(
        &self,
        mac: MacAddr,
        (before, limit): (Option<&str>, u32),
        by: &Actor,
    ) -> Result<PhoneOverview, AppError> {
        let phone = self.phone(mac, by).await?;
        let timeline = self.timeline(mac, before, limit, by).await?;
        let is_set_aside = phone.device.is_none() && self.store.set_aside_from(mac).await?.is_some();
        let fingerprint = phone.fingerprint.as_deref().and_then(|text| text.parse::<Fingerprint>().ok());
        let blocked = self.guard.blocked(fingerprint.map(|Fingerprint(sha256)| sha256));
        let firmware = self.firmware_of(mac, &phone).await?;
        let out_of_reach = match &phone.device {
            Some(device) => self.out_of_reach(device).await?,
            None => Some("No device has this phone, so nothing here can reach it.".to_owned()),
        };
        // An earlier page is read for its story; what is wrong now stands on the first.
        let newest = if before.is_none() { Some(&timeline) } else { None };
        let no_line = self.no_line(&phone, by).await?;
        let troubles = troubles(&Seen {
            phone: &phone,
            firmware: &firmware,
            blocked: blocked.as_deref(),
            is_set_aside,
            is_overdue: self.is_overdue_here(mac),
            no_line,
            newest,
        });
        Ok(PhoneOverview {
            exception: phone.device.as_ref().and_then(|device| self.exception_of(mac, device)),
            is_blocked: blocked.is_some(),
            troubles,
            is_set_aside,
            out_of_reach,
            firmware,
            timeline,
            phone,
        })
    }

    /// Why a phone comes up without a line, and what to do; `None` where it has one, or its device no user.
    async fn no_line(&self, phone: &PhoneView, by: &Actor) -> Result<Option<NoLine>, AppError> {
        let user = phone.device.as_ref().and_then(|device| device.user.as_deref());
        let Some(user) = user.and_then(|id| id.parse::<UserId>().ok()) else { return Ok(None) };
        let user = self.user(&user, by).await?;
        if user.lines.is_empty() {
            return Ok(Some((
                "Its user has no SIP line, so it has none to call with.",
                "Add a line on the user's page.",
            )));
        }
        let Ok(site) = user.site.parse::<SiteId>() else { return Ok(None) };
        let site = self.site(&site, by).await?;
        let why = ("Its site has no SIP server, so it has no line to call with.", "Name a server on the site's page.");
        Ok(site.sip_servers.is_empty().then_some(why))
    }

    /// Why a device's phone cannot be told to look at its configuration, and what to do instead.
    async fn out_of_reach(&self, device: &DeviceView) -> Result<Option<String>, AppError> {
        if device.bound_at.is_none() {
            return Ok(Some("It is not bound to its device yet, so nothing here can reach it.".to_owned()));
        }
        let account: Option<AccountId> = device.account.parse().ok();
        let connector = match account {
            Some(account) => self.connector_for(&account).await?,
            None => None,
        };
        Ok(connector.is_none().then(|| format!("{NO_CONNECTOR} {INSTEAD}")))
    }

    async fn firmware_of(&self, mac: MacAddr, phone: &PhoneView) -> Result<FirmwareView, AppError> {
        let model = phone.model.as_deref().or(phone.device.as_ref().map(|device| device.model.as_str()));
        let known = model.and_then(|id| self.catalog.hardware(id));
        let runs = phone.firmware.as_deref().and_then(|text| text.parse().ok());
        let next = self.next_step_of(mac).await?;
        let verdict = firmware::judge(known, runs.as_ref(), next.says_more().then_some(next.sentence.as_str()));
        let facts = known.map(|known| {
            [("lowest", &known.floor), ("without known hole from", &known.secure_from), ("newest known", &known.last)]
        });
        let versions = facts.into_iter().flatten().filter_map(|(what, fact)| {
            let fact = fact.as_ref()?;
            let (version, evidence) = (fact.value.to_string(), fact.evidence.as_str());
            Some(KnownVersion { what, version, evidence, note: fact.note.clone() })
        });
        let FirmwareVerdict { level, sentence, next } = verdict;
        Ok(FirmwareView { level, sentence, next, known: versions.collect() })
    }
}

const NO_CONNECTOR: &str = "No PBX is connected for its account, so nothing here can reach it at once.";
const INSTEAD: &str = "It reads its configuration at its next poll and at each start: to have that now, unplug it and \
                       plug it in again, but not during a call.";

/// Why there is no line, and what to do.
type NoLine = (&'static str, &'static str);

/// What troubles are read from.
struct Seen<'a> {
    phone: &'a PhoneView,
    firmware: &'a FirmwareView,
    blocked: Option<&'a str>,
    is_set_aside: bool,
    /// Whether it was claimed and should have come back by now.
    is_overdue: bool,
    no_line: Option<NoLine>,
    newest: Option<&'a TimelinePage>,
}

/// What is wrong with a phone now, the worst first.
fn troubles(seen: &Seen<'_>) -> Vec<TroubleView> {
    let mut all = Vec::new();
    let mut tell = |is_grave, what: String, next: Option<&str>| {
        all.push(TroubleView { is_grave, what, next: next.map(str::to_owned) });
    };
    if let Some(why) = seen.blocked {
        tell(true, format!("It gets nothing: {why}."), Some("If the certificate is good, have it taken off the list."));
    }
    if seen.is_set_aside {
        let what = "Another phone took its place, so it gets nothing.".to_owned();
        tell(true, what, Some("Let it in again if it is to be used. It is unclaimed then."));
    }
    if let Some(device) = &seen.phone.device {
        of_device(seen, device, &mut tell);
    }
    of_certificate(seen.phone, &mut tell);
    if let Some(item) = seen.newest.and_then(open_advice) {
        tell(item.kind == "refused", item.sentence.clone(), item.advice.as_deref());
    }
    if matches!(seen.firmware.level, FirmwareLevel::BelowFloor | FirmwareLevel::NotSecure) {
        tell(false, seen.firmware.sentence.clone(), seen.firmware.next.as_deref());
    }
    all
}

fn of_device(seen: &Seen<'_>, device: &DeviceView, tell: &mut impl FnMut(bool, String, Option<&str>)) {
    let (phone, state) = (seen.phone, DeviceState::from_word(device.state));
    if !phone.clash.is_empty() {
        let what = format!("{} devices name this phone, so it is served for none of them.", phone.clash.len());
        tell(true, what, Some("Take its MAC address from all of them but one."));
    } else if let Some(why) = device.not_served {
        tell(true, format!("It gets nothing: {why}."), None);
    }
    if matches!(state, Some(DeviceState::Disabled | DeviceState::Quarantined)) {
        let what = format!("Its device is {}: it gets nothing and keeps its old settings.", device.state);
        tell(true, what, Some("Enable the device to serve it again."));
    }
    if let (Some(said), Some(said_name)) = (&phone.model, &phone.model_name)
        && *said != device.model
    {
        let what = format!("It says it is a {said_name}, and its device is for a {}.", device.model_name);
        tell(true, what, Some("Release the device and add one of the right model."));
    }
    if let Some(awaited) = device.awaited.as_ref().filter(|_| seen.is_overdue) {
        tell(true, awaited.clone(), None);
    }
    if let Some((why, next)) = seen.no_line {
        tell(true, why.to_owned(), Some(next));
    }
    if let Some(missed) = device.missed_polls.filter(|missed| *missed > 0) {
        let times = if missed == 1 { "once".to_owned() } else { format!("{missed} times in a row") };
        let what = format!("It did not ask {times} when it should have.");
        tell(missed > 1, what, Some("See whether it has power and network, and what its screen says."));
    }
    if device.registered.state == "not registered" {
        let next = "Look at its lines' user names and passwords, and at what the network lets through.";
        tell(true, format!("It is {}.", device.registered.words), Some(next));
    }
    if state == Some(DeviceState::Contacted) && device.user.is_none() {
        tell(false, "Its device has no user, so it stays unclaimed.".to_owned(), Some("Assign the device to a user."));
    }
}

fn of_certificate(phone: &PhoneView, tell: &mut impl FnMut(bool, String, Option<&str>)) {
    let is_factory = phone.certificate.status == CertificateStatus::FactoryInstalled.as_str();
    let reason = phone.certificate.reason.as_deref().map_or(String::new(), |reason| format!(" ({reason})"));
    if phone.first_seen.is_some() && !is_factory {
        let next = "Let it in once by exception, if you know that it is this phone.";
        tell(true, format!("It showed no good factory certificate: {}{reason}.", phone.certificate.status), Some(next));
    }
}

/// The newest thing on the timeline with something to do, unless the phone was well served after it.
fn open_advice(page: &TimelinePage) -> Option<&crate::TimelineItem> {
    let since = page
        .items
        .iter()
        .take_while(|item| !matches!(item.kind.as_str(), "request" | "claim") || item.advice.is_some());
    since.into_iter().find(|item| item.advice.is_some())
}

#[cfg(test)]
mod tests;
