//! The keys of the lab's image maker.
//!
//! Decides the algorithm: Ed25519, by OpenSSL. Never reads or writes a file.

use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::sign::{Signer, Verifier};

/// Bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageKeyError {
    /// OpenSSL refuses it.
    #[error("the key of the image maker cannot be used: {0}; expected an Ed25519 key as PEM text")]
    Refused(#[from] ErrorStack),
    /// A key of another algorithm.
    #[error("the key of the image maker is not Ed25519; make one with `provost phone image`")]
    Algorithm,
}

/// What a phone knows of the image maker: it takes what this key signed, and nothing else.
#[derive(Debug, Clone)]
pub struct ImageKey(PKey<Public>);

/// The image maker's own key.
#[derive(Debug, Clone)]
pub struct ImageSigner(PKey<Private>);

impl ImageKey {
    /// Reads the public key.
    ///
    /// # Errors
    /// [`ImageKeyError`] when the text is no Ed25519 public key in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ImageKeyError> {
        let key = PKey::public_key_from_pem(pem)?;
        if key.id() == Id::ED25519 { Ok(Self(key)) } else { Err(ImageKeyError::Algorithm) }
    }

    pub(crate) fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let verified =
            Verifier::new_without_digest(&self.0).and_then(|mut verifier| verifier.verify_oneshot(signature, text));
        verified.unwrap_or(false)
    }
}

impl ImageSigner {
    /// Makes a key.
    ///
    /// # Errors
    /// [`ImageKeyError::Refused`] when OpenSSL has no randomness.
    pub fn generate() -> Result<Self, ImageKeyError> {
        Ok(Self(PKey::generate_ed25519()?))
    }

    /// Reads the private key.
    ///
    /// # Errors
    /// [`ImageKeyError`] when the text is no Ed25519 private key in PEM.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ImageKeyError> {
        let key = PKey::private_key_from_pem(pem)?;
        if key.id() == Id::ED25519 { Ok(Self(key)) } else { Err(ImageKeyError::Algorithm) }
    }

    /// The private key as PEM text: keep it to yourself.
    ///
    /// # Errors
    /// [`ImageKeyError::Refused`] when OpenSSL cannot write it.
    pub fn to_pem(&self) -> Result<Vec<u8>, ImageKeyError> {
        Ok(self.0.private_key_to_pem_pkcs8()?)
    }

    /// The public key as PEM text, for phones.
    ///
    /// # Errors
    /// [`ImageKeyError::Refused`] when OpenSSL cannot write it.
    pub fn public_pem(&self) -> Result<Vec<u8>, ImageKeyError> {
        Ok(self.0.public_key_to_pem()?)
    }

    pub(crate) fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        Signer::new_without_digest(&self.0)?.sign_oneshot_to_vec(text)
    }
}
