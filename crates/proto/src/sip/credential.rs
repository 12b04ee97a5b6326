//! What a phone's answer to a challenge is compared with.

use std::fmt;

use zeroize::Zeroizing;

/// A password, and which challenges its phone understands. Prints as `***`; its memory is cleared.
#[derive(Clone)]
pub struct Credential {
    password: Zeroizing<String>,
    sha256: bool,
}

impl Credential {
    /// A password for MD5 challenges.
    #[must_use]
    pub fn new(password: &str) -> Self {
        Self { password: Zeroizing::new(password.to_owned()), sha256: false }
    }

    /// Offers SHA-256 as second challenge: only for a phone known to read past the first.
    #[must_use]
    pub fn with_sha256(self) -> Self {
        Self { sha256: true, ..self }
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    pub(crate) const fn knows_sha256(&self) -> bool {
        self.sha256
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
