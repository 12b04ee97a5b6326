//! One-time codes of an authenticator (RFC 6238), and the recovery codes for when it is lost.
//!
//! Decides their form: SHA-1, six digits, 30 seconds, one step either way, which every authenticator knows. Each step is
//! used once; that is the store's condition.

use crate::AppError;
use crate::tokens::refused;
use crate::vault::token_digest;
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use rand::Rng;
use totp_rs::{Algorithm, Builder, Totp};

const ISSUER: &str = "Provost";
const SECRET_BYTES: usize = 20;
const STEP_SECONDS: u64 = 30;
const RECOVERY_CODES: usize = 10;
/// Of a recovery code and of a one-time password: 80 random bits in four groups.
const WORD_BYTES: usize = 10;
/// Without letters that look like digits.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What somebody puts into their authenticator.
#[derive(Debug)]
pub struct TotpSecret(Secret);

impl TotpSecret {
    pub(crate) fn draw() -> Self {
        let mut bytes = [0u8; SECRET_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(Secret::new(totp_rs::Secret::from(bytes.to_vec()).to_base32()))
    }

    pub(crate) const fn from_stored(secret: Secret) -> Self {
        Self(secret)
    }

    /// As it is keyed in, in base 32.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// As a QR code carries it.
    ///
    /// # Errors
    /// [`AppError::Refused`] where the library takes the name for none.
    pub fn url(&self, email: &str) -> Result<String, AppError> {
        let unusable = || refused("totp", "the secret cannot be carried in a QR code".to_owned());
        self.totp(email)?.to_url().map_err(|_| unusable())
    }

    /// The time step this code is of, if it is of one that counts now.
    pub(crate) fn step(&self, code: &str, now: UnixMillis) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let seconds = u64::try_from(now.seconds()).ok()?;
        let step = self.totp("x").ok()?.check(&code, seconds)?;
        i64::try_from(step).ok()
    }

    fn totp(&self, email: &str) -> Result<Totp, AppError> {
        let unusable = || refused("totp", "the secret of the authenticator cannot be used".to_owned());
        let secret = totp_rs::Secret::try_from_base32(self.reveal()).map_err(|_| unusable())?;
        // The name stands in a URL where a colon divides.
        let name = email.replace(':', "_");
        let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_skew(1);
        let builder = builder.with_step_duration(STEP_SECONDS).with_secret(secret);
        builder.with_issuer(Some(ISSUER)).with_account_name(name).build().map_err(|_| unusable())
    }
}

/// What the ciphertext of an authenticator's secret belongs to.
pub(crate) fn totp_owner(administrator: &str) -> String {
    format!("{administrator}/totp")
}

/// Ten recovery codes, shown once.
pub(crate) fn recovery_codes() -> Vec<Secret> {
    (0..RECOVERY_CODES).map(|_| random_word()).collect()
}

/// What a recovery code is found by, however it was typed.
pub(crate) fn recovery_digest(typed: &str) -> Vec<u8> {
    let plain: String = typed.chars().filter(char::is_ascii_alphanumeric).collect();
    token_digest(&plain.to_ascii_lowercase())
}

/// 80 random bits as letters and digits that can be read out: `0x4k-9q2m-...`.
pub(crate) fn random_word() -> Secret {
    let mut bytes = [0u8; WORD_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    let bits = bytes.iter().fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
    let mut word = String::new();
    for place in (0..16u32).rev() {
        if place % 4 == 3 && !word.is_empty() {
            word.push('-');
        }
        let index = usize::try_from((bits >> place.saturating_mul(5)) & 31).unwrap_or(0);
        word.push(LETTERS.get(index).copied().map_or('0', char::from));
    }
    Secret::new(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret of its SHA-1 vectors, of which six digits are the last six.
    #[test]
    fn the_vectors_of_the_rfc_count_one_step_either_way() {
        let secret = TotpSecret(Secret::from("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        let at = |seconds: i64| UnixMillis(seconds * 1000);

        assert_eq!(secret.step("287082", at(59)), Some(1));
        assert_eq!(secret.step("081804", at(1_111_111_109)), Some(37_037_036));
        assert_eq!(secret.step("081 804", at(1_111_111_109 + 30)), Some(37_037_036));
        assert_eq!(secret.step("081804", at(1_111_111_109 - 30)), Some(37_037_036));
        assert_eq!(secret.step("081804", at(1_111_111_109 + 61)), None);
        for wrong in ["", "08180", "0818040", "081805", "abcdef"] {
            assert_eq!(secret.step(wrong, at(1_111_111_109)), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_is_carried_in_a_url_with_whose_it_is() {
        let secret = TotpSecret::draw();

        assert_eq!(secret.reveal().len(), 32);
        let url = secret.url("ada@example.com").unwrap();
        assert!(url.starts_with("otpauth://totp/") && url.contains(secret.reveal()) && url.contains("issuer=Provost"));
        assert_ne!(TotpSecret::draw().reveal(), secret.reveal());
    }

    #[test]
    fn a_recovery_code_is_the_same_however_it_is_typed() {
        let codes = recovery_codes();

        assert_eq!(codes.len(), 10);
        for code in &codes {
            let text = code.reveal();
            assert_eq!((text.len(), text.matches('-').count()), (19, 3), "{text}");
            assert_eq!(recovery_digest(text), recovery_digest(&text.replace('-', " ").to_uppercase()));
        }
        assert_ne!(codes[0], codes[1]);
    }
}
