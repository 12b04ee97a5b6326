//! Whether a device's phone is registered, from what its account's connector saw.
//!
//! Says `registered` on evidence only. A line that several phones have is somebody's until one names itself by its MAC;
//! one that is registered in several domains is nobody's that could be told.

use super::{ByLine, Connectors, RegisteredLineView, RegisteredView, Seen};
use crate::{Actor, App, AppError, locked};
use provost_core::ids::{AccountId, ConnectorId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::pbx::{PbxError, Registration, Whose, domain_of, line_of, shown, whose};
use provost_core::time::UnixMillis;
use provost_store::{ConnectorRow, DeviceLines};

const REGISTERED: &str = "registered";
const NOT_REGISTERED: &str = "not registered";
const NOT_OBSERVED: &str = "not observed";
const NOT_KNOWN: &str = "not known";
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
}

/// How it stands with the connector of an account.
pub(super) struct Watched {
    pub(super) row: ConnectorRow,
    seen: Option<Seen>,
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
        let judged = judge(&seen.survey, &lines, (asked.phone, watched.row.entered.domain.as_deref()), now);
        let age = now.0.saturating_sub(seen.at.0).max(0) / 1000;
        let by_whom = format!("seen by {name} {age} s ago");
        let mut view = view(&judged, (host, &by_whom));
        view.observed_at = Some(seen.at.to_string());
        view.connector = is_seen.then(|| id.to_string());
        Ok(view)
    }
}

impl Connectors {
    pub(super) fn watched(&self, id: &ConnectorId) -> Option<Watched> {
        let all = locked(&self.all);
        let known = all.get(id).filter(|known| known.row.entered.on)?;
        Some(Watched { row: known.row.clone(), seen: known.seen.clone(), failing: known.failing.clone() })
    }
}

impl Watched {
    /// What was seen last.
    pub(super) fn survey(&self) -> Option<&ByLine> {
        self.seen.as_ref().map(|seen| &*seen.survey)
    }
}

/// Judges each line of a phone, in order.
pub(super) fn judge<'a>(
    survey: &'a ByLine,
    lines: &'a DeviceLines,
    (phone, domain): (Option<MacAddr>, Option<&'a str>),
    now: UnixMillis,
) -> Vec<Judged<'a>> {
    let judged = lines.lines.iter().map(|(user, auth_user)| {
        let line = line_of(user);
        let wanted = domain_of(user).or(domain);
        let mut found = survey.of(line, wanted, now);
        // Some PBXs call the account by the name it signs in with.
        if found.is_empty()
            && let Some(name) = auth_user
        {
            found = survey.of(line_of(name), wanted, now);
        }
        let mut domains: Vec<_> =
            found.iter().map(|one| domain_of(&one.way.address_of_record).map(str::to_ascii_lowercase)).collect();
        domains.sort_unstable();
        domains.dedup();
        let whose = match domains.len() {
            0 | 1 => Found::Whose(whose(&found, phone, lines.phones)),
            several => Found::Domains(several),
        };
        Judged { line, whose }
    });
    judged.collect()
}

impl ByLine {
    /// The registrations of a line that hold now, in the domain that is wanted where one is.
    fn of(&self, line: &str, domain: Option<&str>, now: UnixMillis) -> Vec<&Registration> {
        let holds = |one: &&Registration| one.until.is_none_or(|until| until > now);
        let fits = |one: &&Registration| match (domain, domain_of(&one.way.address_of_record)) {
            (Some(wanted), Some(found)) => wanted.eq_ignore_ascii_case(found),
            _ => true,
        };
        self.lines.get(line).into_iter().flatten().filter(holds).filter(fits).collect()
    }
}

impl Judged<'_> {
    fn view(&self) -> RegisteredLineView {
        let line = self.line.to_owned();
        let bare =
            |state| RegisteredLineView { line: line.clone(), state, contact: None, user_agent: None, until: None };
        let (state, one) = match &self.whose {
            Found::Whose(Whose::This(one)) => (REGISTERED, one),
            Found::Whose(Whose::Unknown(one, _)) => (NOT_KNOWN, one),
            Found::Whose(Whose::Nobody | Whose::Others) => return bare(NOT_REGISTERED),
            Found::Domains(_) => return bare(NOT_KNOWN),
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
        })
    }
}

fn view(judged: &[Judged<'_>], (host, by_whom): (Option<&str>, &str)) -> RegisteredView {
    if judged.is_empty() {
        return not_observed("the device's user has no line");
    }
    let is_this = |one: &&Judged<'_>| matches!(one.whose, Found::Whose(Whose::This(_)));
    let is_unknown = |one: &Judged<'_>| matches!(one.whose, Found::Whose(Whose::Unknown(..)) | Found::Domains(_));
    let registered: Vec<_> = judged.iter().filter(is_this).map(|one| one.line).collect();
    let rest: Vec<_> = judged.iter().filter_map(|one| one.words(host)).collect();
    let (state, words) = if !registered.is_empty() {
        let at = host.map_or(String::new(), |host| format!(" at {host}"));
        let mut words = format!("registered{at} as {}, {by_whom}", registered.join(" and "));
        for more in &rest {
            words.push_str(&format!("; {more}"));
        }
        (REGISTERED, words)
    } else if judged.iter().any(is_unknown) {
        (NOT_OBSERVED, format!("{}, {by_whom}", rest.join("; ")))
    } else {
        (NOT_REGISTERED, format!("not registered: {}, {by_whom}", rest.join("; ")))
    };
    let lines = judged.iter().map(Judged::view).collect();
    RegisteredView { state, words, observed_at: None, connector: None, lines }
}

fn not_observed(why: &str) -> RegisteredView {
    let words = format!("not observed: {why}");
    RegisteredView { state: NOT_OBSERVED, words, observed_at: None, connector: None, lines: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::pbx::{Calls, Survey, Way};

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    fn at(address: &str, agent: &str) -> Registration {
        Registration {
            line: line_of(address).to_owned(),
            contact: "sip:1001@192.0.2.7:5060".to_owned(),
            agent: Some(agent.to_owned()),
            until: Some(NOW.plus_millis(1)),
            way: Way { address_of_record: address.to_owned(), ..Way::default() },
            ..Registration::default()
        }
    }

    fn said(
        registrations: Vec<Registration>,
        phones: usize,
        lines: &[&str],
        domain: Option<&str>,
    ) -> (&'static str, String) {
        let survey = ByLine::new(Survey { name: "Kamailio".to_owned(), registrations, calls: Calls::Known(0) });
        let lines = DeviceLines { lines: lines.iter().map(|line| ((*line).to_owned(), None)).collect(), phones };
        let judged = judge(&survey, &lines, (MacAddr::from_hex12("0004f2abcdef"), domain), NOW);
        let view = view(&judged, (Some("pbx.example.com"), "seen by connector main 12 s ago"));
        (view.state, view.words)
    }

    #[test]
    fn evidence_is_said_with_where_as_whom_by_what_and_when() {
        let one = vec![at("1001", "PolycomVVX-VVX_500-UA/5.9.7")];

        let words = "registered at pbx.example.com as 1001, seen by connector main 12 s ago".to_owned();
        assert_eq!(said(one.clone(), 1, &["1001"], None), ("registered", words));
        let words =
            "not registered: pbx.example.com has no contact for 1002, seen by connector main 12 s ago".to_owned();
        assert_eq!(said(one.clone(), 1, &["1002"], None), ("not registered", words));
        let (state, words) = said(one.clone(), 1, &["1001", "1002"], None);
        assert_eq!(state, "registered");
        assert!(words.ends_with("; pbx.example.com has no contact for 1002"), "{words}");
        let (state, words) = said(one, 2, &["1001"], None);
        assert_eq!(state, "not observed");
        assert!(words.contains("1001 is registered; which of 2 phones is not known"), "{words}");
    }

    #[test]
    fn what_another_phone_registered_is_not_this_ones() {
        let others = vec![at("1001", "PolycomVVX-VVX_500-UA/5.9.7_0004f2000001")];
        assert_eq!(said(others, 2, &["1001"], None).0, "not registered");
        let both = vec![at("1001", "x"), at("1001", "PolycomVVX-VVX_500-UA/5.9.7_0004f2abcdef")];
        assert_eq!(said(both, 2, &["1001"], None).0, "registered");
    }

    #[test]
    fn a_line_of_several_domains_is_told_by_its_domain_or_not_at_all() {
        let two = || vec![at("1001@a.example.com", "x"), at("1001@b.example.com", "y")];

        let (state, words) = said(two(), 1, &["1001"], None);
        assert_eq!(state, "not observed");
        assert!(words.contains("in 2 domains"), "{words}");
        assert_eq!(said(two(), 1, &["1001"], Some("B.example.com")).0, "registered");
        assert_eq!(said(two(), 1, &["1001@a.example.com"], Some("b.example.com")).0, "registered");
        assert_eq!(said(two(), 1, &["1001"], Some("c.example.com")).0, "not registered");
    }

    #[test]
    fn a_registration_that_is_over_is_none() {
        let mut one = at("1001", "x");
        one.until = Some(NOW);

        assert_eq!(said(vec![one], 1, &["1001"], None).0, "not registered");
    }
}
