//! Why a certificate proves nothing, as clauses an administrator reads after "the certificate was refused: ".

use super::Weakness;
use crate::certificate::{RSA_LEAST_BITS, day};
use provost_core::time::UnixMillis;

/// The reasons, each with the value found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it is not readable as an X.509 certificate")]
    Unreadable,
    #[error("its encoding was changed after it was signed")]
    Altered,
    #[error("it is signed by its own key and not by a phone maker's authority")]
    SelfSigned,
    #[error("its issuer `{issuer}` is no known phone maker's authority")]
    UnknownIssuer { issuer: String },
    #[error("issuing authority not imported: `{issuer}`; import its certificate with `provost trust import`")]
    NotImported { issuer: String },
    #[error("it only looks issued by `{issuer}`: the signature was not made by that authority's key")]
    LookAlike { issuer: String },
    #[error("its issuer `{issuer}` is an authority that does not issue phones' certificates")]
    NotIssuing { issuer: String },
    #[error("its signature algorithm {found} is not supported")]
    SignatureAlgorithm { found: String },
    #[error("its RSA key has {found} bits, at least {RSA_LEAST_BITS} are needed")]
    KeyTooShort { found: usize },
    #[error("{weakness}, which only `legacy-tls = true` accepts")]
    Weak { weakness: Weakness },
    #[error("it is marked as an authority (CA:TRUE), so it is not a phone's own certificate")]
    IsAuthority,
    #[error("its purpose is {found}, not clientAuth")]
    Purpose { found: String },
    #[error("it has {found} common names, expected one")]
    NameCount { found: usize },
    #[error("its name `{found}` is no MAC address")]
    NotAMac { found: String },
    #[error("it is not valid before {}; if that day has passed, set this server's clock", day(*.from))]
    NotYetValid { from: UnixMillis },
    #[error("it expired on {} and `accept-expired-leaf` is off", day(*.on))]
    Expired { on: UnixMillis },
    #[error("its issuer `{issuer}` expired on {}", day(*.on))]
    AuthorityExpired { issuer: String, on: UnixMillis },
    #[error("its issuer `{issuer}` is not valid before {}; if that day has passed, set this server's clock", day(*.from))]
    AuthorityNotYetValid { issuer: String, from: UnixMillis },
}
