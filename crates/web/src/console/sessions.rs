//! What a page needs of a session beside who it is: the token of its forms, and what to tell once. And how often
//! somebody guessed tokens.
//!
//! Sessions themselves are the app crate's. Everything here lives in memory and is bounded.

use provost_core::time::UnixMillis;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::hint::black_box;

/// More pages than are under way at a time; the oldest notice goes first.
const MOST_NOTICES: usize = 100;

/// What every form of a session carries: made from its cookie, so that it ends with it and is stored nowhere.
#[derive(Clone)]
pub(super) struct FormToken(String);

impl FormToken {
    pub(super) fn of(ticket: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"provost form token\0");
        hash.update(ticket.as_bytes());
        Self(hex::encode(hash.finalize()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that depends on the length only.
    pub(super) fn is(&self, text: &str) -> bool {
        let differing = self.0.bytes().zip(text.bytes()).fold(0u8, |differing, (a, b)| black_box(differing | (a ^ b)));
        self.0.len() == text.len() && differing == 0
    }
}

/// Something to tell an administrator once, on the next page.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    /// Whether it went well.
    pub(super) tone: &'static str,
    /// What happened and what comes next.
    pub(super) text: String,
    /// What to quote when asking for help.
    pub(super) reference: Option<String>,
}

impl Notice {
    pub(super) const fn good(text: String) -> Self {
        Self { tone: "good", text, reference: None }
    }

    pub(super) const fn bad(text: String, reference: Option<String>) -> Self {
        Self { tone: "bad", text, reference }
    }
}

/// What is to be told in which session; a restart forgets it.
#[derive(Default)]
pub(super) struct Notices {
    all: VecDeque<(String, Notice)>,
}

impl Notices {
    /// Tells it on the next page of the session; one before it is not told any more.
    pub(super) fn leave(&mut self, session: &str, notice: Notice) {
        self.all.retain(|(of, _)| of != session);
        self.all.push_back((session.to_owned(), notice));
        while self.all.len() > MOST_NOTICES {
            self.all.pop_front();
        }
    }

    pub(super) fn take(&mut self, session: &str) -> Option<Notice> {
        let at = self.all.iter().position(|(of, _)| of == session)?;
        self.all.remove(at).map(|(_, notice)| notice)
    }
}

/// Wrong tokens allowed in one window, by everybody together.
pub(super) const MOST_WRONG_TOKENS: u32 = 20;
const WINDOW_MS: i64 = 60_000;

/// Counts wrong tokens in windows of a minute. In memory: a token has 192 random bits, so this only keeps the log quiet.
#[derive(Default)]
pub(super) struct Tries {
    began: UnixMillis,
    used: u32,
}

impl Tries {
    /// Counts a wrong token.
    ///
    /// # Errors
    /// In how many seconds the next try is allowed.
    pub(super) fn take(&mut self, now: UnixMillis) -> Result<(), i64> {
        let ends = self.began.plus_millis(WINDOW_MS);
        // A clock set back would keep the window shut for as long as it was set back.
        if now >= ends || now < self.began {
            *self = Self { began: now, used: 0 };
        }
        if self.used >= MOST_WRONG_TOKENS {
            return Err(seconds_until(ends, now));
        }
        self.used = self.used.saturating_add(1);
        Ok(())
    }
}

/// Whole seconds to wait.
pub(super) fn seconds_until(until: UnixMillis, now: UnixMillis) -> i64 {
    until.0.saturating_sub(now.0).div_euclid(1000).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    #[test]
    fn a_form_token_is_only_itself_and_tells_nothing_of_the_cookie() {
        let token = FormToken::of(&"a".repeat(64));
        let text = token.as_str().to_owned();

        assert_eq!(text.len(), 64);
        assert!(token.is(&text) && !token.is(&"a".repeat(64)));
        assert!(!FormToken::of(&"b".repeat(64)).is(&text));
        for other in ["", &text[..63], &format!("{text}0"), &text.to_uppercase(), &text.replace(&text[..1], "x")] {
            assert!(!token.is(other), "{other}");
        }
    }

    #[test]
    fn a_notice_is_told_once_in_its_session_and_there_are_not_many() {
        let mut notices = Notices::default();
        for n in 0..=MOST_NOTICES {
            notices.leave(&n.to_string(), Notice::good(n.to_string()));
        }
        notices.leave("5", Notice::good("newer".to_owned()));

        assert!(notices.take("0").is_none(), "the oldest went");
        assert_eq!(notices.take("5").unwrap().text, "newer");
        assert!(notices.take("5").is_none());
    }

    #[test]
    fn after_twenty_wrong_tokens_the_next_waits_for_the_minute_to_end() {
        let mut tries = Tries::default();
        for _ in 0..MOST_WRONG_TOKENS {
            tries.take(NOW).unwrap();
        }

        assert_eq!(tries.take(NOW.plus_millis(59_000)), Err(2));
        assert_eq!(tries.take(NOW.plus_millis(60_000)), Ok(()));
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let mut tries = Tries::default();
        for _ in 0..MOST_WRONG_TOKENS {
            tries.take(NOW).unwrap();
        }

        assert!(tries.take(NOW).is_err());
        assert_eq!(tries.take(NOW.plus_millis(-1)), Ok(()));
    }
}
