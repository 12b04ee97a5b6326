//! What version a phone is to run, and when it may be led there.
//!
//! Decides which policy counts for a phone and whether a step may begin now, from values alone: clock, phones and images
//! are arguments. Never which step is legal: that is [`super::ladder`]'s. Ours; docs/guide/firmware-updates.md shows it.

#[cfg(test)]
mod tests;

use crate::ids::{AccountId, SiteId};
use crate::time::UnixMillis;
use crate::time_zone::{TimeZoneError, minute_of_day};
use provost_catalog::Version;
use std::fmt;
use std::str::FromStr;

/// The version a policy leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// The newest stored image that may be given.
    Newest,
    /// What each phone runs: nothing is offered.
    Keep,
    /// This one, up or down.
    Version(Version),
}

/// Text that is no goal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no target; write newest, keep, or a version such as 6.4.8.1000")]
pub struct GoalError {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

/// A daily span of wall-clock time; one that ends before it begins goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Minutes after midnight.
    opens: u16,
    closes: u16,
}

/// Text that is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no window; write always, or two times such as 22:00-05:00")]
pub struct WindowError {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

/// What a policy is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Every phone of the server.
    Platform,
    /// An account with all below it.
    Account(AccountId),
    /// One site.
    Site(SiteId),
}

/// That phones of other rings wait for this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterRing {
    /// The ring that goes first.
    pub ring: String,
    /// How long one of it must have run the version.
    pub hours: u32,
    /// From so many failures on the version is paused.
    pub most_failures: u32,
}

/// What somebody decided for some phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Id: a ULID.
    pub id: String,
    /// Where it holds.
    pub place: Place,
    /// For this model only.
    pub model: Option<String>,
    /// For devices of this ring only.
    pub ring: Option<String>,
    /// The version to lead to.
    pub goal: Goal,
    /// When a step may begin; `None` is [`Window::NIGHT`].
    pub window: Option<Window>,
    /// Downloads at a time at one site; `None` is [`SLOTS`].
    pub slots: Option<u32>,
    /// Who goes first.
    pub after: Option<AfterRing>,
}

/// Downloads at a time at one site: 42 MB each over a site's line of 20 Mbit/s takes a minute and a half.
pub const SLOTS: u32 = 5;
/// The ring of a device that is in none.
pub const GENERAL: &str = "general";
/// Hours that a phone of the first ring runs a version before others get it.
pub const HOURS: u32 = 24;
/// Failures from which on a version is paused.
pub const MOST_FAILURES: u32 = 1;
/// Attempts with one image on one phone.
pub const MOST_ATTEMPTS: u32 = 3;

/// Where a phone stands, for [`choose`].
#[derive(Debug, Clone, Copy)]
pub struct Whereabouts<'a> {
    /// Its accounts, from the top down to its own; none for a phone that is nobody's.
    pub accounts: &'a [AccountId],
    /// The site of its user.
    pub site: Option<&'a SiteId>,
    /// Its model.
    pub model: &'a str,
    /// Its ring.
    pub ring: &'a str,
}

/// What counts for a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The policy; `None` where nobody decided anything.
    pub policy: Option<Policy>,
    /// Which it is and why, in a sentence.
    pub why: String,
}

/// How a phone that could take a step stands just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// Whether a window binds it, and whether it is open: a phone nobody uses yet need not wait for the night.
    pub window: WindowNow,
    /// Whether its version waits for another ring.
    pub ring: RingNow,
    /// Attempts that failed with this image on this phone.
    pub failures: u32,
    /// Whether it is in a call.
    pub call: CallNow,
}

/// How it stands with the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WindowNow {
    /// It is open, or binds nobody.
    Open,
    /// It is closed.
    Closed {
        /// The window.
        window: Window,
        /// In whose time.
        zone: String,
    },
}

/// How it stands with the ring that goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RingNow {
    /// Nobody is waited for.
    Clear,
    /// It is waited for.
    Awaits(AfterRing),
    /// The version is paused.
    Paused {
        /// Since when.
        since: UnixMillis,
        /// After so many failures.
        failures: u32,
    },
}

/// Whether a phone is in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallNow {
    /// As far as anybody knows it is not.
    Idle,
    /// It is.
    Talks,
    /// There are calls, and whether one is its own could not be found out.
    NotKnown,
}

/// Why a step does not begin now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The policy keeps what it runs.
    Keeps,
    /// Outside the window.
    Window {
        /// The window.
        window: Window,
        /// In whose time.
        zone: String,
    },
    /// Another ring goes first.
    Ring(AfterRing),
    /// The version is paused.
    Paused {
        /// Since when.
        since: UnixMillis,
        /// After so many failures.
        failures: u32,
    },
    /// It failed with this image too often.
    GivenUp(u32),
    /// It is in a call.
    InCall,
    /// Whether it is in a call is not known.
    CallNotKnown,
    /// As many phones of its site as may are at it.
    Slots(u32),
    /// Nobody claimed it, and it works as it is.
    Unclaimed,
}

impl Window {
    /// The hours in which phones of an office are not used, and poll (catalog/constants.toml).
    pub const NIGHT: Self = Self { opens: 22 * 60, closes: 5 * 60 };
    /// All day.
    pub const ALWAYS: Self = Self { opens: 0, closes: 0 };

    /// Whether it is open at this minute of the day.
    pub const fn holds(self, minute: u16) -> bool {
        if self.opens == self.closes {
            true
        } else if self.opens < self.closes {
            self.opens <= minute && minute < self.closes
        } else {
            self.opens <= minute || minute < self.closes
        }
    }

    /// Whether it is open now by the clocks of a time zone: an hour that is left out in spring opens nothing, and one
    /// that comes twice in autumn counts twice.
    ///
    /// # Errors
    /// [`TimeZoneError`] when the IANA data has no such zone.
    pub fn is_open(self, zone: &str, now: UnixMillis) -> Result<bool, TimeZoneError> {
        Ok(self.holds(minute_of_day(zone, now)?))
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        if text == "always" {
            return Ok(Self::ALWAYS);
        }
        let error = || WindowError { found: text.chars().take(40).collect() };
        let (opens, closes) = text.split_once('-').ok_or_else(error)?;
        let window =
            Self { opens: minute(opens.trim()).ok_or_else(error)?, closes: minute(closes.trim()).ok_or_else(error)? };
        // Whether nothing or everything is meant cannot be told.
        if window.opens == window.closes { Err(error()) } else { Ok(window) }
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: u16| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| is_number && *number <= most)
    };
    Some(number(hour, 23)?.saturating_mul(60).saturating_add(number(minute, 59)?))
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.opens == self.closes {
            return out.write_str("always");
        }
        let (opens, closes) = (self.opens, self.closes);
        let (oh, om) = (opens / 60, opens % 60);
        let (ch, cm) = (closes / 60, closes % 60);
        write!(out, "{oh:02}:{om:02}-{ch:02}:{cm:02}")
    }
}

impl FromStr for Goal {
    type Err = GoalError;

    fn from_str(text: &str) -> Result<Self, GoalError> {
        match text {
            "newest" => Ok(Self::Newest),
            "keep" => Ok(Self::Keep),
            _ => text.parse().map(Self::Version).map_err(|_| GoalError { found: text.chars().take(40).collect() }),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => out.write_str("newest"),
            Self::Keep => out.write_str("keep"),
            Self::Version(version) => version.fmt(out),
        }
    }
}

impl Policy {
    /// Whether it is for phones that stand there, whatever their ring.
    pub fn reaches(&self, of: &Whereabouts<'_>) -> bool {
        let is_there = match &self.place {
            Place::Platform => true,
            Place::Account(account) => of.accounts.contains(account),
            Place::Site(site) => of.site == Some(site),
        };
        is_there && self.model.as_deref().is_none_or(|model| model == of.model)
    }

    /// How near it is to a phone: the site before the account, the nearer account before the one above; then model and
    /// ring, the model, the ring.
    fn nearness(&self, of: &Whereabouts<'_>) -> (usize, u8) {
        let place = match &self.place {
            Place::Platform => 0,
            Place::Account(account) => {
                of.accounts.iter().position(|known| known == account).map_or(0, |depth| depth.saturating_add(1))
            }
            Place::Site(_) => usize::MAX,
        };
        let of_what = match (&self.model, &self.ring) {
            (Some(_), Some(_)) => 3,
            (Some(_), None) => 2,
            (None, Some(_)) => 1,
            (None, None) => 0,
        };
        (place, of_what)
    }

    /// What it is for, in words.
    pub fn reach_words(&self) -> String {
        let mut words = match &self.place {
            Place::Platform => "the whole server".to_owned(),
            Place::Account(account) => format!("the account {account}"),
            Place::Site(site) => format!("the site {site}"),
        };
        if let Some(model) = &self.model {
            words.push_str(&format!(", model {model}"));
        }
        if let Some(ring) = &self.ring {
            words.push_str(&format!(", ring {ring}"));
        }
        words
    }
}

/// The policy that counts for a phone, and why.
pub fn choose(policies: &[Policy], of: &Whereabouts<'_>) -> Counts {
    let fits = |policy: &&Policy| policy.reaches(of) && policy.ring.as_deref().is_none_or(|ring| ring == of.ring);
    let reaching: Vec<&Policy> = policies.iter().filter(fits).collect();
    let Some(chosen) = reaching.iter().max_by_key(|policy| policy.nearness(of)) else {
        let why = "no policy was made for it, so the default counts: the newest stored version, at night".to_owned();
        return Counts { policy: None, why };
    };
    // Whoever reads this may belong to the phone's own account only: what those above decided for others is theirs.
    let is_above = |policy: &Policy| match &policy.place {
        Place::Platform => true,
        Place::Account(account) => of.accounts.last() != Some(account),
        Place::Site(_) => false,
    };
    let mut why = match &chosen.place {
        Place::Account(_) if is_above(chosen) => "a policy of an account above counts".to_owned(),
        _ => format!("the policy for {} counts", chosen.reach_words()),
    };
    let others = reaching.iter().filter(|policy| policy.id != chosen.id && !is_above(policy)).count();
    if others > 0 {
        let more = if others == 1 { "another one reaches it".to_owned() } else { format!("{others} more reach it") };
        why.push_str(&format!(": {more}, and this is the nearest"));
    }
    Counts { policy: Some((*chosen).clone()), why }
}

impl Counts {
    /// The version to lead to.
    pub fn goal(&self) -> &Goal {
        self.policy.as_ref().map_or(&Goal::Newest, |policy| &policy.goal)
    }

    /// When steps may begin.
    pub fn window(&self) -> Window {
        self.policy.as_ref().and_then(|policy| policy.window).unwrap_or(Window::NIGHT)
    }

    /// Downloads at a time at one site.
    pub fn slots(&self) -> u32 {
        self.policy.as_ref().and_then(|policy| policy.slots).unwrap_or(SLOTS)
    }

    /// The ring that goes before one of this ring.
    pub fn after(&self, ring: &str) -> Option<&AfterRing> {
        self.policy.as_ref().and_then(|policy| policy.after.as_ref()).filter(|after| after.ring != ring)
    }
}

/// A phone of the ring that goes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// What it runs.
    pub firmware: Option<Version>,
    /// When it came back from its last step; `None` when it never took one here.
    pub came_back: Option<UnixMillis>,
}

/// Whether the ring that goes first has shown that a version works: one of it came back with it, and runs it since then
/// for the hours. One that ran it before Provost led anybody anywhere shows that too.
pub fn has_shown(after: &AfterRing, version: &Version, canaries: &[Canary], now: UnixMillis) -> bool {
    let hours = i64::from(after.hours).saturating_mul(3_600_000);
    canaries.iter().any(|canary| {
        canary.firmware.as_ref() == Some(version) && canary.came_back.is_none_or(|back| back.plus_millis(hours) <= now)
    })
}

/// Why no step begins now; `None` when one may.
pub fn wait(now: &Now) -> Option<Wait> {
    if now.failures >= MOST_ATTEMPTS {
        return Some(Wait::GivenUp(now.failures));
    }
    match &now.ring {
        RingNow::Paused { since, failures } => return Some(Wait::Paused { since: *since, failures: *failures }),
        RingNow::Awaits(after) => return Some(Wait::Ring(after.clone())),
        RingNow::Clear => {}
    }
    if let WindowNow::Closed { window, zone } = &now.window {
        return Some(Wait::Window { window: *window, zone: zone.clone() });
    }
    match now.call {
        CallNow::Idle => None,
        CallNow::Talks => Some(Wait::InCall),
        CallNow::NotKnown => Some(Wait::CallNotKnown),
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keeps => out.write_str("its policy keeps what it runs"),
            Self::Window { window, zone } => write!(out, "steps begin in the window {window} only ({zone})"),
            Self::Ring(AfterRing { ring, hours, .. }) => {
                write!(out, "a phone of this model in the ring {ring} has to run the version for {hours} hours first")
            }
            Self::Paused { since, failures } => {
                write!(out, "the version is paused since {since}, after {failures} failures")
            }
            Self::GivenUp(times) => write!(out, "it failed with this image {times} times, so it is not tried again"),
            Self::InCall => out.write_str("it is in a call"),
            Self::CallNotKnown => out.write_str("whether it is in a call could not be found out"),
            Self::Slots(1) => out.write_str("another phone of its site is loading an image, and one at a time may"),
            Self::Slots(slots) => {
                write!(out, "{slots} phones of its site are loading an image, and no more may at a time")
            }
            Self::Unclaimed => out.write_str(
                "nobody claimed it and it is not below the lowest version its model is served with, so it is left as it is",
            ),
        }
    }
}

impl Wait {
    /// The word for programs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Keeps => "kept",
            Self::Window { .. } => "window",
            Self::Ring(_) => "ring",
            Self::Paused { .. } => "paused",
            Self::GivenUp(_) => "given-up",
            Self::InCall => "in-call",
            Self::CallNotKnown => "call-not-known",
            Self::Slots(_) => "slots",
            Self::Unclaimed => "unclaimed",
        }
    }
}
