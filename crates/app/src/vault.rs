//! Secrets at rest: encrypted with a key that is not in the database (docs/THREATS.md, rule 17).
//!
//! Decides the form of a stored secret: one version byte, a random nonce, AES-256-GCM. What a secret
//! belongs to is authenticated with it, so a ciphertext moved to another row does not decrypt.

use crate::error::AppError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hkdf, hmac};
use provost_core::secret::Secret;
use provost_store::Store;
use rand::Rng;

/// Bytes of a key file's key.
pub const KEY_BYTES: usize = 32;

/// Under which name the database keeps the id of its key.
pub(crate) const KEY_ID: &str = "key-id";

const VERSION: u8 = 1;

/// Why a secret could not be kept or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Encryption failed: a bug of the library or no memory.
    #[error("a secret could not be encrypted")]
    Encrypt,
    /// What is stored was changed, moved, or encrypted with another key.
    #[error("the secret of {owner} does not decrypt: the row was changed or the key file is another")]
    Decrypt {
        /// What it belongs to.
        owner: String,
    },
}

/// Encrypts and finds secrets with keys derived from the key file.
pub struct Vault {
    seal: LessSafeKey,
    find: hmac::Key,
    id: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Vault(key {})", self.id)
    }
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl Vault {
    /// Derives the working keys from the key file's key.
    ///
    /// # Errors
    /// [`VaultError::Encrypt`] when the library refuses, which it does not for a 32-byte key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Result<Self, VaultError> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"provost").extract(key);
        let derive = |purpose: &'static [u8]| {
            let mut bytes = [0u8; KEY_BYTES];
            root.expand(&[purpose], Length)
                .and_then(|okm| okm.fill(&mut bytes))
                .map_err(|_| VaultError::Encrypt)
                .map(|()| bytes)
        };
        let seal = UnboundKey::new(&AES_256_GCM, &derive(b"seal")?).map_err(|_| VaultError::Encrypt)?;
        let find = hmac::Key::new(hmac::HMAC_SHA256, &derive(b"find")?);
        let id = hex::encode(derive(b"id")?).chars().take(16).collect();
        Ok(Self { seal: LessSafeKey::new(seal), find, id })
    }

    /// A name of the key that reveals nothing of it.
    pub fn key_id(&self) -> &str {
        &self.id
    }

    /// Encrypts a secret of `owner`.
    ///
    /// # Errors
    /// [`VaultError::Encrypt`].
    pub fn seal(&self, owner: &str, secret: &str) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0u8; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let mut text = secret.as_bytes().to_vec();
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner.as_bytes()), &mut text)
            .map_err(|_| VaultError::Encrypt)?;
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Decrypts a secret of `owner`.
    ///
    /// # Errors
    /// [`VaultError::Decrypt`] names the owner.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Secret, VaultError> {
        let error = || VaultError::Decrypt { owner: owner.to_owned() };
        let rest = sealed.strip_prefix(&[VERSION]).ok_or_else(error)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or_else(error)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| error())?;
        let mut text = text.to_vec();
        let plain = self.seal.open_in_place(nonce, Aad::from(owner.as_bytes()), &mut text).map_err(|_| error())?;
        let plain = String::from_utf8(plain.to_vec()).map_err(|_| error())?;
        Ok(Secret::new(plain))
    }

    /// The keyed hash under which an activation code is found; without the key it reveals nothing.
    pub fn code_digest(&self, digits: &str) -> Vec<u8> {
        hmac::sign(&self.find, digits.as_bytes()).as_ref().to_vec()
    }
}

impl Vault {
    /// A keyed mark of a text for one purpose; without the key nobody can make it.
    pub(crate) fn tag(&self, purpose: &str, text: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.find);
        context.update(purpose.as_bytes());
        context.update(b"\0");
        context.update(text.as_bytes());
        context.sign().as_ref().to_vec()
    }
}

/// The digest of a token: long and random, so a plain hash is enough.
pub(crate) fn token_digest(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes()).as_ref().to_vec()
}

/// Ties the database to its key at the first start and compares at every other.
pub(crate) async fn check_key(store: &Store, vault: &Vault) -> Result<(), AppError> {
    match store.meta(KEY_ID).await? {
        None => Ok(store.set_meta(KEY_ID, vault.key_id()).await?),
        Some(wanted) if wanted == vault.key_id() => Ok(()),
        Some(wanted) => Err(AppError::OtherKey { wanted, found: vault.key_id().to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_owner_and_key() {
        let vault = Vault::new(&[7; KEY_BYTES]).unwrap();
        let sealed = vault.seal("user/1/line/1", "s3cret").unwrap();

        assert_eq!(vault.open("user/1/line/1", &sealed).unwrap().reveal(), "s3cret");
        assert!(vault.open("user/2/line/1", &sealed).is_err());
        assert!(Vault::new(&[8; KEY_BYTES]).unwrap().open("user/1/line/1", &sealed).is_err());
        assert!(!sealed.windows(6).any(|window| window == b"s3cret"));
    }

    #[test]
    fn a_changed_or_short_ciphertext_is_an_error() {
        let vault = Vault::new(&[7; KEY_BYTES]).unwrap();
        let sealed = vault.seal("x", "s3cret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open("x", &changed).is_err());
            assert!(vault.open("x", &sealed[..at]).is_err());
        }
    }
}
