//! Why a phone's handshake did not complete, in words for an administrator.
//!
//! Decides nothing; translates what the stacks and the phone's alert say.

use super::hello::LegacyNeed;
use openssl::error::ErrorStack;
use openssl::ssl::Error as OpensslError;
use rustls::{AlertDescription, CertificateError, InconsistentKeys, PeerIncompatible};
use std::fmt;
use std::io;

/// A handshake that ended without a connection.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeFailure {
    /// Connected and left.
    #[error("it connected and sent nothing")]
    Silent,
    /// Too slow.
    #[error("it did not complete the handshake in time")]
    Deadline,
    /// A plain HTTP request, perhaps.
    #[error("it does not speak TLS; its server address should begin with https://")]
    NotTls,
    /// A hello that ends early or never does.
    #[error("its first message is not a whole ClientHello")]
    Hello,
    /// Something only `legacy-tls` serves.
    #[error("it offers {need} only, which needs `legacy-tls = true`, or newer firmware on the phone")]
    NeedsLegacy {
        /// What it offers.
        need: Offer,
    },
    /// A key anybody could have computed.
    #[error("its certificate has an RSA key of {found} bits, which proves nothing")]
    ShortKey {
        /// The size it has.
        found: usize,
    },
    /// A certificate without its key.
    #[error("it showed a certificate but did not prove that it has its key")]
    NotItsKey,
    /// Nothing in common.
    #[error("it shares no cipher suite, group or signature with this server")]
    NothingShared,
    /// The phone gave up.
    #[error("it refused: {alert}")]
    Alert {
        /// What it said.
        alert: PhoneAlert,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// Anything else the libraries say.
    #[error("the handshake failed: {library}")]
    Other {
        /// Their words.
        library: String,
    },
}

/// What an old phone offers at best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// A protocol version, as its number on the wire.
    Version(u16),
    /// A hello in SSLv2 format.
    SslV2Hello,
    /// Signatures with SHA-1.
    Sha1,
}

impl From<LegacyNeed> for Offer {
    fn from(need: LegacyNeed) -> Self {
        match need {
            LegacyNeed::Version(version) => Self::Version(version),
            LegacyNeed::SslV2Hello => Self::SslV2Hello,
            LegacyNeed::Sha1 => Self::Sha1,
        }
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(0x0302) => out.write_str("TLS 1.1"),
            Self::Version(0x0301) => out.write_str("TLS 1.0"),
            Self::Version(0x0300) => out.write_str("SSL 3.0"),
            Self::Version(other) => write!(out, "protocol version {other:#06x}"),
            Self::SslV2Hello => out.write_str("a hello in the format of SSL 2"),
            Self::Sha1 => out.write_str("SHA-1 signatures"),
        }
    }
}

/// What the phone's alert means for whoever runs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneAlert {
    /// It does not know our authority.
    UnknownAuthority,
    /// It finds our certificate expired, or its own clock is wrong.
    Expired,
    /// It cannot use our certificate.
    BadCertificate,
    /// Another alert, by its number (RFC 8446 §6).
    Other(u8),
}

impl PhoneAlert {
    const fn from_number(number: u8) -> Self {
        match number {
            48 => Self::UnknownAuthority,
            45 => Self::Expired,
            42..=44 | 46 => Self::BadCertificate,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for PhoneAlert {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAuthority => out.write_str(
                "the phone does not trust our certificate; load our authority's certificate into the phone, \
                 or use a publicly trusted one",
            ),
            Self::Expired => {
                out.write_str("the phone finds our certificate expired or not yet valid; check the phone's clock first")
            }
            Self::BadCertificate => out.write_str("the phone cannot use our certificate"),
            Self::Other(number) => write!(out, "TLS alert {number}"),
        }
    }
}

impl HandshakeFailure {
    pub(super) fn from_modern(error: io::Error) -> Self {
        use rustls::Error;
        let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
            return Self::Io(error);
        };
        match cause {
            Error::AlertReceived(alert) => Self::alert(*alert),
            Error::InvalidCertificate(CertificateError::BadSignature) => Self::NotItsKey,
            Error::PeerIncompatible(
                PeerIncompatible::NoCipherSuitesInCommon
                | PeerIncompatible::NoKxGroupsInCommon
                | PeerIncompatible::NoSignatureSchemesInCommon,
            )
            | Error::InconsistentKeys(InconsistentKeys::Unknown) => Self::NothingShared,
            other => Self::Other { library: other.to_string() },
        }
    }

    fn alert(alert: AlertDescription) -> Self {
        Self::Alert { alert: PhoneAlert::from_number(u8::from(alert)) }
    }

    pub(super) fn from_older(error: &OpensslError) -> Self {
        match (error.io_error(), error.ssl_error()) {
            (Some(io), _) => Self::Io(io::Error::from(io.kind())),
            (None, Some(stack)) => Self::from_stack_ref(stack),
            // OpenSSL reports a plain end of the connection without either.
            (None, None) => Self::Io(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
    pub(super) fn from_stack(stack: ErrorStack) -> Self {
        Self::from_stack_ref(&stack)
    }

    fn from_stack_ref(stack: &ErrorStack) -> Self {
        /// SSL_AD_REASON_OFFSET: the reason code of a received alert is this plus the alert's number.
        const ALERT_OFFSET: i32 = 1000;
        const NO_SHARED_CIPHER: i32 = 193;
        const NO_SHARED_SIGNATURE_ALGORITHMS: i32 = 376;
        const BAD_SIGNATURE: i32 = 123;
        let Some(first) = stack.errors().first() else { return Self::Other { library: stack.to_string() } };
        match first.reason_code() {
            NO_SHARED_CIPHER | NO_SHARED_SIGNATURE_ALGORITHMS => Self::NothingShared,
            BAD_SIGNATURE => Self::NotItsKey,
            code => match u8::try_from(code.saturating_sub(ALERT_OFFSET)) {
                Ok(number) => Self::Alert { alert: PhoneAlert::from_number(number) },
                Err(_) => Self::Other { library: first.reason().unwrap_or("no reason given").to_owned() },
            },
        }
    }
}
