//! Who may see the pages: sessions, wrong passwords, and the lock after too many of them.
//!
//! Decides whether a cookie or a header is worth something at `now`; never what a page shows. Passwords are compared
//! and forgotten, not kept. Rules: `catalog/phone-web.toml`; how long a session lives is ours.

use std::collections::VecDeque;
use std::time::Duration;

use provost_catalog::PhoneWeb;
use tokio::time::Instant;

use crate::handset::View;
use crate::sip::random;

/// How long a session lives without a request; ours.
const SESSION_IDLE: Duration = Duration::from_secs(600);
/// Sessions at once; the oldest goes first.
const SESSIONS: usize = 16;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Everything.
    Administrator,
    /// What changes nothing but taste.
    User,
}

/// A name and a password somebody showed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl Credentials {
    /// Reads `Basic` and the Base64 behind it.
    pub(crate) fn basic(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let bytes = openssl::base64::decode_block(encoded.trim()).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), password: password.to_owned() })
    }

    /// The header that shows them.
    pub(crate) fn header(&self) -> String {
        let text = format!("{}:{}", self.name, self.password);
        format!("Basic {}", openssl::base64::encode_block(text.as_bytes()))
    }

    /// What they let somebody do.
    pub(crate) fn level(&self, view: &View, web: &PhoneWeb) -> Option<Level> {
        if self.name == web.administrator.value && view.is_admin_password(&self.password) {
            return Some(Level::Administrator);
        }
        let user = self.name == web.user.value && view.is_user_password(&self.password);
        user.then_some(Level::User)
    }
}

struct Session {
    token: String,
    /// The start of the phone it belongs to.
    start: u64,
    level: Level,
    used: Instant,
}

/// Everybody who is let in, and how often somebody was not.
#[derive(Default)]
pub(crate) struct Access {
    /// The latest start of the phone that anybody saw.
    start: u64,
    sessions: VecDeque<Session>,
    wrong: VecDeque<Instant>,
    locked_until: Option<Instant>,
}

impl Access {
    /// Forgets everybody when the phone has started again: nothing of this is in its flash.
    ///
    /// Requests are answered beside each other: one that saw the phone before its start forgets nothing.
    pub(crate) fn notice(&mut self, start: u64) {
        if start > self.start {
            *self = Self { start, ..Self::default() };
        }
    }

    /// Lets somebody in who saw the phone after this start, and returns the session's token.
    pub(crate) fn open(&mut self, level: Level, start: u64, now: Instant) -> String {
        if self.sessions.len() >= SESSIONS {
            self.sessions.pop_front();
        }
        self.wrong.clear();
        let token = format!("{}{}", random::token(), random::token());
        self.sessions.push_back(Session { token: token.clone(), start, level, used: now });
        token
    }

    /// What the session with this token allows.
    pub(crate) fn session(&mut self, token: &str, now: Instant) -> Option<Level> {
        self.sessions.retain(|session| now.saturating_duration_since(session.used) < SESSION_IDLE);
        let start = self.start;
        let session = self.sessions.iter_mut().find(|session| session.token == token && session.start == start)?;
        session.used = now;
        Some(session.level)
    }

    /// Ends one session.
    pub(crate) fn close(&mut self, token: &str) {
        self.sessions.retain(|session| session.token != token);
    }

    /// Whether nobody is let in for a while.
    pub(crate) fn is_locked(&mut self, now: Instant) -> bool {
        self.locked_until = self.locked_until.filter(|until| *until > now);
        self.locked_until.is_some()
    }

    /// Counts a wrong password.
    pub(crate) fn count_wrong(&mut self, web: &PhoneWeb, now: Instant) {
        let seconds = |number: u32| Duration::from_secs(number.into());
        let within = seconds(web.lock_within_s.value);
        self.wrong.retain(|at| now.saturating_duration_since(*at) < within);
        self.wrong.push_back(now);
        let tries = usize::try_from(web.lock_tries.value).unwrap_or(usize::MAX);
        if self.wrong.len() >= tries {
            self.wrong.clear();
            self.locked_until = now.checked_add(seconds(web.lock_for_s.value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use provost_catalog::Catalog;

    fn web() -> PhoneWeb {
        Catalog::built_in().unwrap().phone_web().unwrap().clone()
    }

    fn after(start: Instant, seconds: u64) -> Instant {
        start.checked_add(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn the_fifth_wrong_password_in_a_minute_locks_for_a_minute() {
        let (web, mut access, start) = (web(), Access::default(), Instant::now());

        (0..4).for_each(|at| access.count_wrong(&web, after(start, at)));
        assert!(!access.is_locked(after(start, 4)));
        access.count_wrong(&web, after(start, 5));

        assert!(access.is_locked(after(start, 64)));
        assert!(!access.is_locked(after(start, 66)));
    }

    #[test]
    fn wrong_passwords_that_are_far_apart_do_not_add_up() {
        let (web, mut access, start) = (web(), Access::default(), Instant::now());

        (0..20).for_each(|at| access.count_wrong(&web, after(start, at * 20)));

        assert!(!access.is_locked(after(start, 381)));
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_or_the_phone_starts_again() {
        let (mut access, start) = (Access::default(), Instant::now());
        access.notice(1);
        let token = access.open(Level::User, 1, start);

        assert_eq!(access.session(&token, after(start, 599)), Some(Level::User));
        assert_eq!(access.session(&token, after(start, 1300)), None);
        let token = access.open(Level::Administrator, 1, start);
        assert_eq!(access.session(&token, start), Some(Level::Administrator));
        access.notice(2);
        assert_eq!(access.session(&token, start), None);
    }

    #[test]
    fn a_request_that_saw_the_phone_earlier_neither_unlocks_it_nor_logs_anybody_in_or_out() {
        let (web, mut access, now) = (web(), Access::default(), Instant::now());
        access.notice(2);
        let token = access.open(Level::User, 2, now);
        (0..5).for_each(|_| access.count_wrong(&web, now));

        access.notice(1);
        access.notice(2);
        let late = access.open(Level::Administrator, 1, now);

        assert!(access.is_locked(now));
        assert_eq!(access.session(&token, now), Some(Level::User));
        assert_eq!(access.session(&late, now), None);
    }

    #[test]
    fn credentials_are_read_back_from_their_header() {
        let shown = Credentials { name: "Polycom".to_owned(), password: "4:56".to_owned() };

        assert!(Credentials::basic(&shown.header()) == Some(shown));
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reader(text in "\\PC{0,60}") {
            let _ = Credentials::basic(&text);
            let _ = Credentials::basic(&format!("Basic {text}"));
        }
    }
}
