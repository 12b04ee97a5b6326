//! Why a phone's handshake did not complete, in words for an administrator, and what to do about it.
//!
//! Decides nothing; translates what the stacks and the phone's alert say. What the phone said is not proven: anybody
//! who reaches the port can make these words appear.

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
    #[error("it does not speak TLS")]
    NotTls,
    /// A hello that ends early or never does.
    #[error("its first message is not a whole ClientHello")]
    Hello,
    /// Something only `legacy-tls` serves.
    #[error("it offers {need} only, which needs `legacy-tls = true`")]
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
    /// It cannot use our certificate: the name is another, or its clock stands before the first day.
    BadCertificate,
    /// It accepts no version or suite that we chose.
    NothingShared,
    /// Another alert, by its number (RFC 8446 §6).
    Other(u8),
}

impl PhoneAlert {
    const fn from_number(number: u8) -> Self {
        match number {
            40 | 70 | 71 => Self::NothingShared,
            48 => Self::UnknownAuthority,
            45 => Self::Expired,
            42..=44 | 46 => Self::BadCertificate,
            other => Self::Other(other),
        }
    }
}

impl PhoneAlert {
    const fn advice(self) -> Option<&'static str> {
        match self {
            Self::UnknownAuthority => Some(
                "load our authority (DATA/server/root.crt, or the root of the certificate in [tls]) into the phone as its \
                 platform CA 1, or serve a certificate of a public authority that its firmware knows",
            ),
            Self::Expired => Some(
                "see with `provost check` how many days our certificate has left; if it is valid, the phone's clock is \
                 wrong: its SNTP server must answer on UDP port 123",
            ),
            // OpenSSL, which phones are made with, sends this one alert for both (its table of X509_V_ERR_ codes).
            Self::BadCertificate => Some(
                "the phone's clock may stand before our certificate's first day: its SNTP server must answer on UDP port \
                 123; or its server address names a host that our certificate does not: `provost check` lists the names",
            ),
            Self::NothingShared => Some(
                "reset the phone's TLS cipher list and protocol to their defaults, or update its firmware; \
                 legacy-tls = true in [tls] serves what is older than TLS 1.2",
            ),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for PhoneAlert {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAuthority => out.write_str("the phone does not trust our certificate"),
            Self::Expired => out.write_str("the phone finds our certificate expired"),
            Self::BadCertificate => out.write_str("the phone cannot use our certificate"),
            Self::NothingShared => out.write_str("the phone accepts no protocol version or cipher suite we have"),
            Self::Other(number) => write!(out, "TLS alert {number}"),
        }
    }
}

impl HandshakeFailure {
    /// What happened, as a clause about "it", whoever connected.
    pub fn words(&self) -> String {
        self.to_string()
    }

    /// What an administrator can do about it; `None` where nothing is wrong or nobody can tell.
    pub const fn advice(&self) -> Option<&'static str> {
        match self {
            Self::NotTls => Some("write its server address with https://, or move the port to where phones expect it"),
            Self::NeedsLegacy { .. } => Some(
                "update the phone's firmware; if it can be neither updated nor replaced, set legacy-tls = true in [tls]",
            ),
            Self::ShortKey { .. } => {
                Some("nobody can tell this phone from another by that certificate; replace the phone")
            }
            Self::NotItsKey => {
                Some("somebody may be showing a certificate copied from another phone; find out who is at that address")
            }
            Self::NothingShared => {
                Some("give the server an RSA certificate too, and reset the phone's TLS cipher list to its default")
            }
            Self::Alert { alert } => alert.advice(),
            Self::Silent | Self::Deadline | Self::Hello | Self::Io(_) | Self::Other { .. } => None,
        }
    }

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
        const SSL_LIBRARY: &str = "SSL routines";
        // A wrong signature leaves first what the arithmetic found wrong with it, then what the protocol makes of that.
        let of_tls = stack.errors().iter().filter(|error| openssl::error::Error::library(error) == Some(SSL_LIBRARY));
        let known = of_tls.clone().find_map(|error| match error.reason_code() {
            NO_SHARED_CIPHER | NO_SHARED_SIGNATURE_ALGORITHMS => Some(Self::NothingShared),
            BAD_SIGNATURE => Some(Self::NotItsKey),
            code => {
                let number = u8::try_from(code.saturating_sub(ALERT_OFFSET)).ok()?;
                Some(Self::Alert { alert: PhoneAlert::from_number(number) })
            }
        });
        let spoken = || of_tls.clone().chain(stack.errors()).find_map(|error| error.reason());
        known.unwrap_or_else(|| Self::Other { library: spoken().unwrap_or("no reason given").to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alert_a_phone_sends_about_us_says_what_to_do() {
        let phone_said = |number| HandshakeFailure::Alert { alert: PhoneAlert::from_number(number) };

        for (number, words, advice) in [
            (48, "it refused: the phone does not trust our certificate", "DATA/server/root.crt"),
            (45, "it refused: the phone finds our certificate expired", "UDP port 123"),
            (42, "it refused: the phone cannot use our certificate", "UDP port 123"),
            (46, "it refused: the phone cannot use our certificate", "lists the names"),
            (70, "it refused: the phone accepts no protocol version or cipher suite we have", "legacy-tls"),
            (40, "it refused: the phone accepts no protocol version or cipher suite we have", "cipher list"),
        ] {
            assert_eq!(phone_said(number).words(), words);
            assert!(phone_said(number).advice().unwrap().contains(advice), "{number}");
        }
        assert_eq!((phone_said(90).words().as_str(), phone_said(90).advice()), ("it refused: TLS alert 90", None));
    }

    #[test]
    fn what_an_administrator_can_change_has_advice_and_noise_has_none() {
        let io = || io::Error::from(io::ErrorKind::ConnectionReset);
        let with_advice = [
            HandshakeFailure::NotTls,
            HandshakeFailure::NeedsLegacy { need: Offer::Version(0x0301) },
            HandshakeFailure::ShortKey { found: 512 },
            HandshakeFailure::NotItsKey,
            HandshakeFailure::NothingShared,
        ];
        let noise = [HandshakeFailure::Silent, HandshakeFailure::Deadline, HandshakeFailure::Hello, io().into()];

        assert!(with_advice.iter().all(|failure| failure.advice().is_some()));
        assert!(noise.iter().all(|failure| failure.advice().is_none()));
    }
}
