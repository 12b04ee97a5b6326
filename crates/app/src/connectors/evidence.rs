//! Whether a device's phone is registered, from what its account's connector saw.
//!
//! Says `registered` on evidence only. A line that several phones have is somebody's until one names itself by its MAC;
//! one that is registered in several domains is nobody's that could be told. A connector of an account above sees the
//! phones of other customers too: there only what names the phone is the phone's.

#[cfg(test)]
mod tests;

use super::{ByLine, Connectors, RegisteredLineView, RegisteredView, Seen};
use crate::{Actor, App, AppError, locked};
use provost_core::ids::{AccountId, ConnectorId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::pbx::{PbxError, Registration, Whose, domain_of, line_of, shown, whose};
use provost_core::time::UnixMillis;
use provost_store::{ConnectorRow, DeviceLines};
use std::collections::{HashMap, HashSet};

const REGISTERED: &str = "registered";
const NOT_REGISTERED: &str = "not registered";
const NOT_OBSERVED: &str = "not observed";
const NOT_KNOWN: &str = "not known";
const NOT_NAMED: &str = "the connector belongs to your provider, and no registration names this phone";
/// Beyond this what was seen is no evidence of now: a poller that hangs says nothing.
const STALE_MS: i64 = 300_000;

/// A line, and what of its registrations is the phone's.
pub(super) struct Judged<'a> {
    pub(super) line: &'a str,
    pub(super) whose: Found<'a>,
}

/// Whose a line's registrations are.
pub(super) enum Found<'a> {
    /// As far as MACs and numbers of phones tell.
    Whose(Whose<'a>),
    /// It is registered in so many domains, and none is said to be the line's.
    Domains(usize),
    /// It was the phone's when it was seen, and has ended since unless it was renewed.
    Over(&'a Registration),
    /// The connector serves other accounts too, and nothing there names the phone.
    NotNamed,
}

/// Which bound phones of an account have a line: by the user part of SIP user and digest name, with domain and device.
#[derive(Debug, Default)]
pub(super) struct Holders(HashMap<String, Vec<(Option<String>, String)>>);

/// What a device's lines are compared with.
pub(super) struct Evidence<'a> {
    pub(super) device: &'a DeviceId,
    pub(super) phone: Option<MacAddr>,
    /// The connector's domain.
    pub(super) domain: Option<&'a str>,
    pub(super) seen_at: UnixMillis,
    pub(super) now: UnixMillis,
    /// Who has which line; `None` where the connector belongs to an account above.
    pub(super) holders: Option<&'a Holders>,
}

/// How it stands with the connector of an account.
pub(super) struct Watched {
    pub(super) row: ConnectorRow,
    pub(super) seen: Option<Seen>,
    failing: Option<(UnixMillis, PbxError)>,
}

/// Whose registration is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The device.
    pub(crate) device: &'a DeviceId,
    /// Its account.
    pub(crate) account: &'a AccountId,
    /// The phone that is bound to it.
    pub(crate) phone: Option<MacAddr>,
}

impl App {
    /// Whether the device's phone is registered at its PBX.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub(crate) async fn registered(&self, asked: Asked<'_>, by: &Actor) -> Result<RegisteredView, AppError> {
        let Some(id) = self.connector_for(asked.account).await? else {
            return Ok(not_observed("no connector serves this account"));
        };
        let Some(watched) = self.connectors.watched(&id) else {
            return Ok(not_observed("no connector serves this account"));
        };
        if asked.phone.is_none() {
            return Ok(not_observed("no phone is bound to this device"));
        }
        let is_seen = self.sees_connector(by, &watched.row).await?;
        let name = if is_seen {
            format!("connector {}", watched.row.entered.name)
        } else {
            "your provider's connector".to_owned()
        };
        let host = is_seen.then_some(watched.row.entered.host.as_str());
        let now = self.now();
        let Some(seen) = &watched.seen else {
            return Ok(not_observed(&match &watched.failing {
                Some((since, _)) => format!("{name} cannot ask the PBX since {since}"),
                None => format!("{name} has not been answered yet"),
            }));
        };
        if let Some((since, error)) = &watched.failing {
            // What the PBX said may name its network, which is not for those who do not see the connector.
            let why = if is_seen { format!(": {error}") } else { String::new() };
            return Ok(not_observed(&format!("{name} cannot ask {} since {since}{why}", host.unwrap_or("the PBX"))));
        }
        if now.0.saturating_sub(seen.at.0) > STALE_MS {
            return Ok(not_observed(&format!("{name} was answered last at {}", seen.at)));
        }
        let lines = self.store.lines_of_device(asked.device).await?;
        let evidence = Evidence {
            device: asked.device,
            phone: asked.phone,
            domain: watched.row.entered.domain.as_deref(),
            seen_at: seen.at,
            now,
            holders: self.holders(&watched.row, seen, asked.account).await?,
        };
        let judged = judge(&seen.survey, &lines, &evidence);
        let age = now.0.saturating_sub(seen.at.0).max(0) / 1000;
        let by_whom = format!("seen by {name} {age} s ago");
        let mut view = view(&judged, (host, &by_whom));
        view.observed_at = Some(seen.at.to_string());
        view.connector = is_seen.then(|| id.to_string());
        Ok(view)
    }

    /// Who has which line of the account; `None` where the connector belongs to an account above.
    pub(super) async fn holders<'a>(
        &self,
        connector: &ConnectorRow,
        seen: &'a Seen,
        account: &AccountId,
    ) -> Result<Option<&'a Holders>, AppError> {
        if connector.account != *account {
            return Ok(None);
        }
        let look_up = async || {
            let lines = self.store.lines_in_use(account).await?;
            Ok::<_, AppError>(Holders::new(lines, connector.entered.domain.as_deref()))
        };
        Ok(Some(seen.holders.get_or_try_init(look_up).await?))
    }
}

impl Connectors {
    pub(super) fn watched(&self, id: &ConnectorId) -> Option<Watched> {
        let all = locked(&self.all);
        let known = all.get(id).filter(|known| known.row.entered.on)?;
        Some(Watched { row: known.row.clone(), seen: known.seen.clone(), failing: known.failing.clone() })
    }
}

impl Holders {
    pub(super) fn new(lines: Vec<(String, Option<String>, String)>, domain: Option<&str>) -> Self {
        let mut of: HashMap<String, Vec<_>> = HashMap::new();
        for (user, auth_user, device) in lines {
            let domain = domain_of(&user).or(domain).map(ToOwned::to_owned);
            // Some PBXs call the account by the name it signs in with.
            let name = auth_user.as_deref().map(line_of).filter(|name| *name != line_of(&user));
            for name in std::iter::once(line_of(&user)).chain(name) {
                of.entry(name.to_owned()).or_default().push((domain.clone(), device.clone()));
            }
        }
        Self(of)
    }

    /// How many phones beside this device's may be meant by a name.
    fn others(&self, name: &str, domain: Option<&str>, device: &DeviceId) -> usize {
        let may_be = |of: &Option<String>| match (domain, of) {
            (Some(wanted), Some(of)) => wanted.eq_ignore_ascii_case(of),
            _ => true,
        };
        let all = self.0.get(name).into_iter().flatten().filter(|(of, _)| may_be(of)).map(|(_, device)| device);
        all.filter(|other| *other != device.as_str()).collect::<HashSet<_>>().len()
    }
}

/// Judges each line of a phone, in order.
pub(super) fn judge<'a>(survey: &'a ByLine, lines: &'a DeviceLines, by: &Evidence<'_>) -> Vec<Judged<'a>> {
    let judged = lines.lines.iter().map(|(user, auth_user)| {
        let mut name = line_of(user);
        let line = name;
        let wanted = domain_of(user).or(by.domain);
        let mut found = by.of(survey, name, wanted);
        // Some PBXs call the account by the name it signs in with.
        if found.is_empty()
            && let Some(other) = auth_user
        {
            name = line_of(other);
            found = by.of(survey, name, wanted);
        }
        Judged { line, whose: by.whose(&found, name, wanted) }
    });
    judged.collect()
}

impl Evidence<'_> {
    /// The registrations of a line that held when they were seen, in the domain that is wanted where one is; those that
    /// hold still come first.
    fn of<'a>(&self, survey: &'a ByLine, line: &str, domain: Option<&str>) -> Vec<&'a Registration> {
        let held = |one: &&Registration| one.until.is_none_or(|until| until > self.seen_at);
        let fits = |one: &&Registration| match (domain, domain_of(&one.way.address_of_record)) {
            (Some(wanted), Some(found)) => wanted.eq_ignore_ascii_case(found),
            _ => true,
        };
        // The domain is what the customer typed, and so no evidence whose the registration is.
        let may_be = |one: &&Registration| self.holders.is_some() || (self.phone.is_some() && one.mac() == self.phone);
        let all = survey.lines.get(line).into_iter().flatten();
        let mut all: Vec<_> = all.filter(held).filter(fits).filter(may_be).collect();
        all.sort_by_key(|one| self.is_over(one));
        all
    }

    /// Whose the registrations of a line are that were found by this name.
    fn whose<'a>(&self, found: &[&'a Registration], name: &str, domain: Option<&str>) -> Found<'a> {
        let this = |one| if self.is_over(one) { Found::Over(one) } else { Found::Whose(Whose::This(one)) };
        let Some(holders) = self.holders else {
            return found.first().map_or(Found::NotNamed, |one| this(one));
        };
        let mut domains: Vec<_> =
            found.iter().map(|one| domain_of(&one.way.address_of_record).map(str::to_ascii_lowercase)).collect();
        domains.sort_unstable();
        domains.dedup();
        if domains.len() > 1 {
            return Found::Domains(domains.len());
        }
        let phones = holders.others(name, domain, self.device).saturating_add(1);
        match whose(found, self.phone, phones) {
            Whose::This(one) => this(one),
            other => Found::Whose(other),
        }
    }

    fn is_over(&self, one: &Registration) -> bool {
        one.until.is_some_and(|until| until <= self.now)
    }
}

impl Found<'_> {
    /// Whether it may be the phone's or another's.
    pub(super) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Whose(Whose::Unknown(..)) | Self::Domains(_) | Self::Over(_) | Self::NotNamed)
    }
}

impl<'a> Judged<'a> {
    /// The line and its registration, if that is the phone's.
    pub(super) const fn this(&self) -> Option<(&'a str, &'a Registration)> {
        match self.whose {
            Found::Whose(Whose::This(one)) => Some((self.line, one)),
            _ => None,
        }
    }

    fn view(&self) -> RegisteredLineView {
        let line = self.line.to_owned();
        let bare =
            |state| RegisteredLineView { line: line.clone(), state, contact: None, user_agent: None, until: None };
        let (state, one) = match &self.whose {
            Found::Whose(Whose::This(one)) => (REGISTERED, one),
            Found::Over(one) => (NOT_KNOWN, one),
            Found::Whose(Whose::Nobody | Whose::Others) => return bare(NOT_REGISTERED),
            // Where it registered from may be another person's network.
            Found::Whose(Whose::Unknown(..)) | Found::Domains(_) | Found::NotNamed => return bare(NOT_KNOWN),
        };
        RegisteredLineView {
            contact: Some(shown(&one.contact)),
            user_agent: one.agent.as_deref().map(shown),
            until: one.until.map(|until| until.to_string()),
            ..bare(state)
        }
    }

    /// Why it is not registered, or not known to be.
    pub(super) fn words(&self, host: Option<&str>) -> Option<String> {
        let (line, host) = (self.line, host.unwrap_or("the PBX"));
        Some(match &self.whose {
            Found::Whose(Whose::This(_)) => return None,
            Found::Whose(Whose::Nobody) => format!("{host} has no contact for {line}"),
            Found::Whose(Whose::Others) => format!("{host} has contacts for {line} of other phones only"),
            Found::Whose(Whose::Unknown(_, phones)) => {
                format!("{line} is registered; which of {phones} phones is not known")
            }
            Found::Domains(domains) => {
                format!("{line} is registered in {domains} domains; name the domain in the connector")
            }
            Found::Over(one) => {
                let until = one.until.map_or_else(String::new, |until| format!(" at {until}"));
                format!("the registration of {line} ended{until} unless it was renewed since")
            }
            Found::NotNamed => format!("no registration of {line} names this phone"),
        })
    }
}

fn view(judged: &[Judged<'_>], (host, by_whom): (Option<&str>, &str)) -> RegisteredView {
    if judged.is_empty() {
        return not_observed("the device's user has no line");
    }
    let lines = judged.iter().map(Judged::view).collect();
    if judged.iter().all(|one| matches!(one.whose, Found::NotNamed)) {
        return RegisteredView { lines, ..not_observed(NOT_NAMED) };
    }
    let is_this = |one: &&Judged<'_>| matches!(one.whose, Found::Whose(Whose::This(_)));
    let registered: Vec<_> = judged.iter().filter(is_this).map(|one| one.line).collect();
    let rest: Vec<_> = judged.iter().filter_map(|one| one.words(host)).collect();
    let (state, words) = if !registered.is_empty() {
        let at = host.map_or(String::new(), |host| format!(" at {host}"));
        let mut words = format!("registered{at} as {}, {by_whom}", registered.join(" and "));
        for more in &rest {
            words.push_str(&format!("; {more}"));
        }
        (REGISTERED, words)
    } else if judged.iter().any(|one| one.whose.is_unknown()) {
        (NOT_OBSERVED, format!("{}, {by_whom}", rest.join("; ")))
    } else {
        (NOT_REGISTERED, format!("not registered: {}, {by_whom}", rest.join("; ")))
    };
    RegisteredView { state, words, observed_at: None, connector: None, lines }
}

fn not_observed(why: &str) -> RegisteredView {
    let words = format!("not observed: {why}");
    RegisteredView { state: NOT_OBSERVED, words, observed_at: None, connector: None, lines: Vec::new() }
}
