//! Who is asking: what a connection proved about the phone at its other end.
//!
//! Decides what the outcomes of the certificate policy are called; the policy itself is in the pki
//! crate. Never looks at a User-Agent: that proves nothing (docs/THREATS.md, rule 1).

use crate::mac::MacAddr;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// What an administrator is told about a phone's certificate; the words are fixed by the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateStatus {
    /// Chains to a maker's authority and names the phone.
    FactoryInstalled,
    /// The phone presented none.
    NonePresented,
    /// Presented and refused; [`Verdict::reason`] says why.
    Invalid,
    /// Signed by its own key.
    SelfSigned,
}

impl CertificateStatus {
    /// The words for the console, the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FactoryInstalled => "Factory Installed",
            Self::NonePresented => "None presented",
            Self::Invalid => "Invalid",
            Self::SelfSigned => "Self-signed",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn from_words(words: &str) -> Option<Self> {
        [Self::FactoryInstalled, Self::NonePresented, Self::Invalid, Self::SelfSigned]
            .into_iter()
            .find(|status| status.as_str() == words)
    }
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The judgment on what a connection presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The status in the contract's words.
    pub status: CertificateStatus,
    /// The MAC the certificate proves; `Some` exactly when the status is `Factory Installed`.
    pub mac: Option<MacAddr>,
    /// Why it was refused, as a clause ("its issuer `X` is no known phone maker's authority").
    pub reason: Option<String>,
    /// What was accepted but is worth saying ("the certificate expired on 2020-01-01").
    pub note: Option<String>,
    /// SHA-256 of the leaf's DER; `None` without a certificate.
    pub fingerprint: Option<[u8; 32]>,
}

impl Verdict {
    /// The judgment on a connection that presented no certificate.
    pub const fn none_presented() -> Self {
        Self { status: CertificateStatus::NonePresented, mac: None, reason: None, note: None, fingerprint: None }
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP: proves nothing and carries nothing secret.
    Plain,
    /// TLS, ended by this server.
    Tls,
}

/// The other end of one connection, the same for every request on it.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The address the connection comes from.
    pub address: IpAddr,
    /// How it is protected.
    pub transport: Transport,
    /// The judgment on its certificate.
    pub verdict: Arc<Verdict>,
}
