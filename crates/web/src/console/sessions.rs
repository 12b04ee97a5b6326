//! Who is signed in, and how often somebody guessed wrong.
//!
//! Both lists live in memory and are bounded. Decides nothing about tokens: that is the app crate's.

use provost_core::ids::TokenId;
use provost_core::time::UnixMillis;
use rand::Rng;
use std::collections::VecDeque;
use std::hint::black_box;

/// How long a session lasts, in milliseconds: a working day with its breaks.
pub(super) const SESSION_LASTS_MS: i64 = 12 * 3_600_000;

/// More administrators than one server has; the oldest session goes first.
pub(super) const MOST_SESSIONS: usize = 100;

/// 32 random bytes as hexadecimal digits: a session's id or its form token.
#[derive(Clone)]
pub(super) struct Ticket(String);

impl Ticket {
    fn draw(rng: &mut impl Rng) -> Self {
        let mut bytes = [0u8; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
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

struct Session {
    id: Ticket,
    csrf: Ticket,
    token: TokenId,
    began: UnixMillis,
    notice: Option<Notice>,
}

/// The open sessions, oldest first.
#[derive(Default)]
pub(super) struct Sessions {
    all: VecDeque<Session>,
}

impl Sessions {
    /// Opens a session under a fresh id and returns that id.
    pub(super) fn begin(&mut self, token: TokenId, now: UnixMillis, rng: &mut impl Rng) -> Ticket {
        self.forget(now);
        let id = Ticket::draw(rng);
        self.all.push_back(Session { id: id.clone(), csrf: Ticket::draw(rng), token, began: now, notice: None });
        while self.all.len() > MOST_SESSIONS {
            self.all.pop_front();
        }
        id
    }

    pub(super) fn end(&mut self, id: &str) {
        self.all.retain(|session| !session.id.is(id));
    }

    /// The form token of an open session, and the token it was begun with.
    pub(super) fn open(&mut self, id: &str, now: UnixMillis) -> Option<(Ticket, TokenId)> {
        self.forget(now);
        self.find(id).map(|session| (session.csrf.clone(), session.token.clone()))
    }

    pub(super) fn leave_notice(&mut self, id: &str, notice: Notice) {
        if let Some(session) = self.find(id) {
            session.notice = Some(notice);
        }
    }

    pub(super) fn take_notice(&mut self, id: &str) -> Option<Notice> {
        self.find(id).and_then(|session| session.notice.take())
    }

    fn find(&mut self, id: &str) -> Option<&mut Session> {
        self.all.iter_mut().find(|session| session.id.is(id))
    }

    fn forget(&mut self, now: UnixMillis) {
        self.all.retain(|session| now < session.began.plus_millis(SESSION_LASTS_MS));
    }
}

/// Wrong tokens allowed in one window, by everybody together.
pub(super) const MOST_WRONG_TOKENS: u32 = 20;
const WINDOW_MS: i64 = 60_000;

/// Counts wrong tokens in windows of a minute.
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
            return Err(ends.0.saturating_sub(now.0).div_euclid(1000).saturating_add(1));
        }
        self.used = self.used.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    fn token() -> TokenId {
        "token_01jd0ck3v80000000000000001".parse().unwrap()
    }

    #[test]
    fn a_session_ends_after_twelve_hours() {
        let mut sessions = Sessions::default();
        let id = sessions.begin(token(), NOW, &mut StdRng::seed_from_u64(1));

        assert!(sessions.open(id.as_str(), NOW.plus_millis(SESSION_LASTS_MS - 1)).is_some());
        assert!(sessions.open(id.as_str(), NOW.plus_millis(SESSION_LASTS_MS)).is_none());
        assert!(sessions.all.is_empty());
    }

    #[test]
    fn the_oldest_session_goes_when_there_are_too_many() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut sessions = Sessions::default();
        let ids: Vec<_> = (0..=MOST_SESSIONS).map(|_| sessions.begin(token(), NOW, &mut rng)).collect();

        assert_eq!(sessions.all.len(), MOST_SESSIONS);
        assert!(sessions.open(ids[0].as_str(), NOW).is_none());
        assert!(sessions.open(ids[1].as_str(), NOW).is_some());
    }

    #[test]
    fn a_ticket_is_only_itself() {
        let ticket = Ticket::draw(&mut StdRng::seed_from_u64(3));
        let text = ticket.as_str().to_owned();

        assert_eq!(text.len(), 64);
        assert!(ticket.is(&text));
        for other in ["", &text[..63], &format!("{text}0"), &text.to_uppercase(), &text.replace(&text[..1], "x")] {
            assert!(!ticket.is(other), "{other}");
        }
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
