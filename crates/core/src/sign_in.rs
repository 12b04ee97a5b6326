//! Signing in: who has to wait after wrong passwords, what a password must be, how long a session lasts.
//!
//! Decides from counts and times alone; the store counts, so that limits hold over a restart (docs/THREATS.md, rule 14).
//! Waits double and are short: guessing becomes slow, and nobody can keep an administrator out for longer than a minute.
//! Where somebody signed in before, only what was wrong there counts. Ours; docs/guide/sign-in.md tells people.

use crate::time::UnixMillis;

/// How long a wrong try counts.
pub const COUNTS_FOR_MS: i64 = 15 * 60_000;
/// Wrong tries for one sign-in name before its next one has to wait: a person mistypes three times.
pub const FREE_PER_NAME: usize = 5;
/// Wrong tries from one address before its next one has to wait: an office on a Monday.
pub const FREE_PER_ADDRESS: usize = 20;
/// Wrong tries in all, above which an address waits after each of its own.
pub const MOST_IN_ALL: usize = 300;

const LONGEST_PER_NAME_MS: i64 = 60_000;
const LONGEST_PER_ADDRESS_MS: i64 = 5 * 60_000;
const FIRST_WAIT_MS: i64 = 1_000;

/// How long a session lasts, whatever is done in it: a working day with its breaks.
pub const SESSION_LASTS_MS: i64 = 12 * 3_600_000;
/// How long a session lasts while nothing is done in it.
pub const SESSION_IDLE_MS: i64 = 2 * 3_600_000;
/// How far ahead of the clock a time may be that was stored by it: more is of before the clock was set back, and must not
/// make anything last for years.
pub const CLOCK_SLACK_MS: i64 = 15 * 60_000;
/// Sessions of one administrator or token; the one used least recently goes first.
pub const MOST_SESSIONS: u32 = 20;

/// How long a link to choose a password works.
pub const LINK_LASTS_MS: i64 = 3_600_000;
/// How long before the next link is made for somebody.
pub const LINK_AGAIN_MS: i64 = 5 * 60_000;
/// Links of one person that work at a time: after the third without use, the next is made when the first is over.
pub const MOST_LINKS: i64 = 3;
/// How long a password works that somebody else was shown.
pub const ONCE_LASTS_DAYS: i64 = 3;

/// The fewest characters of a password.
pub const FEWEST_CHARACTERS: usize = 12;
const MOST_CHARACTERS: usize = 128;
const FEWEST_DIFFERENT: usize = 5;

/// Wrong tries within [`COUNTS_FOR_MS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wrong {
    /// How many.
    pub count: usize,
    /// The newest.
    pub last: Option<UnixMillis>,
}

/// What was wrong lately, as far as it matters for the next try.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// For this name; where its owner signed in before, from there alone.
    pub name: Wrong,
    /// From this address, for any name.
    pub address: Wrong,
    /// Everywhere.
    pub in_all: usize,
}

/// When the next try is looked at; `None`: now.
pub fn wait_until(counted: &Counted, now: UnixMillis) -> Option<UnixMillis> {
    let crowded = Wrong { count: usize::MAX, ..counted.address };
    let waits = [
        over(counted.name, FREE_PER_NAME, LONGEST_PER_NAME_MS),
        over(counted.address, FREE_PER_ADDRESS, LONGEST_PER_ADDRESS_MS),
        if counted.in_all >= MOST_IN_ALL { over(crowded, 0, LONGEST_PER_NAME_MS) } else { None },
    ];
    waits.into_iter().flatten().max().filter(|until| *until > now)
}

/// When the wait after the newest of these is over: it doubles with each beyond those that are free.
fn over(wrong: Wrong, free: usize, longest_ms: i64) -> Option<UnixMillis> {
    let beyond = u32::try_from(wrong.count.checked_sub(free)?).unwrap_or(u32::MAX);
    let doubled = 1i64.checked_shl(beyond.min(30)).unwrap_or(i64::MAX);
    Some(wrong.last?.plus_millis(FIRST_WAIT_MS.saturating_mul(doubled).min(longest_ms)))
}

/// Whether a session that began and was used at these times is over. One of a time to come is of a clock that was set
/// back, and over too.
pub fn is_over(began: UnixMillis, used: UnixMillis, now: UnixMillis) -> bool {
    let latest = began.max(used);
    latest > now.plus_millis(CLOCK_SLACK_MS)
        || now >= began.plus_millis(SESSION_LASTS_MS)
        || now >= used.plus_millis(SESSION_IDLE_MS)
}

/// The name somebody signs in with, as it is stored: mail addresses of two cases are one person's.
pub fn sign_in_name(typed: &str) -> String {
    typed.trim().chars().take(254).collect::<String>().to_lowercase()
}

/// What is wrong with a new password of somebody with this mail address and name, if anything is.
pub fn password_fault(password: &str, email: &str, name: &str) -> Option<String> {
    let count = password.chars().count();
    if !(FEWEST_CHARACTERS..=MOST_CHARACTERS).contains(&count) {
        return Some(format!(
            "{count} characters; write {FEWEST_CHARACTERS} to {MOST_CHARACTERS}: a few words in a row are easy to remember"
        ));
    }
    let folded = password.to_lowercase();
    let different: std::collections::BTreeSet<char> = folded.chars().collect();
    if different.len() < FEWEST_DIFFERENT {
        return Some("the same few characters again and again; mix more of them".to_owned());
    }
    let is_own = |word: &str| !word.is_empty() && folded == word.to_lowercase();
    if is_own(email) || is_own(name) {
        return Some("this is your own name or mail address, which others know; write something else".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    fn wrong(count: usize) -> Wrong {
        Wrong { count, last: Some(NOW) }
    }

    #[test]
    fn the_wait_for_a_name_doubles_and_is_never_longer_than_a_minute() {
        let wait = |count| wait_until(&Counted { name: wrong(count), ..Counted::default() }, NOW);

        assert_eq!(wait(4), None);
        assert_eq!(wait(5), Some(NOW.plus_millis(1_000)));
        assert_eq!(wait(6), Some(NOW.plus_millis(2_000)));
        for count in [11, 12, 40, 1_000, usize::MAX] {
            assert_eq!(wait(count), Some(NOW.plus_millis(60_000)), "{count}");
        }
    }

    #[test]
    fn an_address_waits_after_twenty_and_after_each_when_there_are_too_many_in_all() {
        let wait = |count, in_all| wait_until(&Counted { address: wrong(count), in_all, ..Counted::default() }, NOW);

        assert_eq!(wait(19, 19), None);
        assert_eq!(wait(20, 20), Some(NOW.plus_millis(1_000)));
        assert_eq!(wait(100, 100), Some(NOW.plus_millis(300_000)));
        assert_eq!(wait(1, 300), Some(NOW.plus_millis(60_000)));
        let calm = Counted { in_all: 100_000, ..Counted::default() };
        assert_eq!(wait_until(&calm, NOW), None, "who was never wrong does not wait for others");
    }

    #[test]
    fn a_wait_that_is_over_is_none() {
        let counted = Counted { name: wrong(5), ..Counted::default() };
        assert_eq!(wait_until(&counted, NOW.plus_millis(999)), Some(NOW.plus_millis(1_000)));
        assert_eq!(wait_until(&counted, NOW.plus_millis(1_000)), None);
    }

    #[test]
    fn a_session_is_over_after_twelve_hours_or_two_without_a_request() {
        let at = |millis| NOW.plus_millis(millis);
        assert!(!is_over(NOW, NOW, at(SESSION_IDLE_MS - 1)));
        assert!(is_over(NOW, NOW, at(SESSION_IDLE_MS)));
        assert!(!is_over(NOW, at(SESSION_LASTS_MS - 2), at(SESSION_LASTS_MS - 1)));
        assert!(is_over(NOW, at(SESSION_LASTS_MS - 2), at(SESSION_LASTS_MS)));
        assert!(!is_over(NOW, NOW, at(-CLOCK_SLACK_MS)), "a clock set back by a little ends nothing");
        assert!(is_over(NOW, NOW, at(-CLOCK_SLACK_MS - 1)), "nor does one set back by years let it live for years");
    }

    #[test]
    fn a_password_is_long_enough_mixed_and_not_ones_own_name() {
        let fault = |password: &str| password_fault(password, "ada@example.com", "Ada Byron Lovelace");

        assert_eq!(fault("correct horse battery"), None);
        assert_eq!(fault("eleven char"), Some(fault("eleven char").unwrap()));
        assert!(fault("aaaaaaaaaaaaaaaa").is_some());
        assert!(fault("ADA@example.com").is_some());
        assert!(fault("ada byron lovelace").is_some());
        assert!(fault(&"long password ".repeat(10)).is_some());
        assert_eq!(sign_in_name("  Ada@Example.COM\n"), "ada@example.com");
    }
}
