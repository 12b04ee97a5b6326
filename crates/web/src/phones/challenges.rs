//! Proves to a certificate authority that a name leads here: the HTTP-01 challenge (RFC 8555, 8.3).
//!
//! Knows the tokens of the orders under way. Never answers for any other: who asks for one gets the one refusal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where authorities ask, followed by the token.
const FOLDER: &str = "/.well-known/acme-challenge/";

/// What authorities may ask for now.
#[derive(Debug, Default)]
pub struct Challenges {
    answers: Mutex<HashMap<String, String>>,
}

impl Challenges {
    /// Answers for `token` until what is returned is dropped.
    #[must_use = "the answer ends with it"]
    pub fn open(self: &Arc<Self>, token: String, answer: String) -> OpenChallenge {
        self.answers().insert(token.clone(), answer);
        OpenChallenge { challenges: Arc::clone(self), token }
    }

    /// The answer for this path, if it is that of an open challenge.
    pub(super) fn answer(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix(FOLDER)?;
        self.answers().get(token).cloned()
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, String>> {
        // A map of texts is whole whatever happened to the thread that held it.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A challenge that is answered while this lives.
#[derive(Debug)]
pub struct OpenChallenge {
    challenges: Arc<Challenges>,
    token: String,
}

impl Drop for OpenChallenge {
    fn drop(&mut self) {
        self.challenges.answers().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_open_challenge_is_answered_and_only_at_its_path() {
        let challenges = Arc::new(Challenges::default());
        let path = "/.well-known/acme-challenge/token";
        let open = challenges.open("token".to_owned(), "token.thumb".to_owned());

        assert_eq!(challenges.answer(path).as_deref(), Some("token.thumb"));
        for other in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/token2", "/token", "token"] {
            assert_eq!(challenges.answer(other), None, "{other}");
        }
        drop(open);
        assert_eq!(challenges.answer(path), None);
    }
}
