//! The phone's TLS client.
//!
//! Decides what is offered, which certificate is shown and whether the server's is good at the phone's
//! own time. Never falls back to a weaker offer, and skips no check but that of the name, where the phone is told to.
//! Rules: what each firmware line offers comes from the catalog; the cipher words are OpenSSL's.

mod trust;

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslRef, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use openssl::x509::X509VerifyResult;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509CheckFlags;
use provost_catalog::TlsOffer;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

pub(crate) use trust::Trust;

/// PEM text, in a file or at hand.
#[derive(Debug, Clone)]
pub enum Pem {
    /// Read when the phone is made.
    File(PathBuf),
    /// The text itself.
    Text(Vec<u8>),
}

/// The device certificate a phone left the factory with.
#[derive(Debug, Clone)]
pub struct DeviceCertificate {
    /// The leaf first, then the authorities it sends along.
    pub chain: Pem,
    /// The leaf's private key.
    pub key: Pem,
}

/// Why the phone's own certificate, key or authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The text holds no certificate at all.
    #[error("{what}: no certificate in it; expected PEM text with BEGIN CERTIFICATE")]
    NoCertificate {
        /// Which of the inputs.
        what: &'static str,
    },
    /// OpenSSL refuses it.
    #[error("{what}: {source}")]
    Refused {
        /// Which of the inputs.
        what: &'static str,
        /// OpenSSL's reason.
        source: ErrorStack,
    },
}

/// Why no TLS connection came up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFailure {
    /// The server's certificate starts later than the phone's clock.
    #[error("the server's certificate is not yet valid at the phone's time")]
    NotYetValid,
    /// The server's certificate is not good for another reason.
    #[error("the server's certificate is refused: {reason}")]
    Certificate {
        /// OpenSSL's words.
        reason: String,
    },
    /// The two sides found no common ground, or the server hung up.
    #[error("TLS handshake failed: {reason}")]
    Handshake {
        /// OpenSSL's words.
        reason: String,
    },
}

/// What a phone needs to open TLS connections.
pub(crate) struct TlsClient {
    context: SslContext,
    /// What it shows, but not in the browser's connections.
    device: Option<Device>,
    /// A server's certificate may carry any name.
    any_name: bool,
}

/// The factory certificate, ready to be shown.
struct Device {
    leaf: X509,
    /// The authorities it sends along.
    chain: Vec<X509>,
    key: PKey<Private>,
}

/// Which part of the phone connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    DeviceCertificate,
    Nothing,
}

/// One handshake: with whom, when, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handshake<'a> {
    /// DNS name or IP address, which the server's certificate must carry.
    pub(crate) host: &'a str,
    /// Seconds since 1970, by the phone's clock.
    pub(crate) now: i64,
    pub(crate) shows: Shows,
}

impl TlsClient {
    pub(crate) fn new(
        offer: TlsOffer,
        device: Option<&DeviceCertificate>,
        (authorities, trust): (Option<&Pem>, &Trust),
    ) -> Result<Self, CredentialError> {
        let context = context(offer, authorities, trust)?;
        Ok(Self { context, device: device.map(Device::of).transpose()?, any_name: trust.any_name })
    }

    /// Shakes hands over `stream`.
    pub(crate) async fn connect(
        &self,
        stream: TcpStream,
        to: Handshake<'_>,
    ) -> Result<SslStream<TcpStream>, TlsFailure> {
        let ssl = self.session(to).map_err(|error| handshake(&error))?;
        let mut stream = SslStream::new(ssl, stream).map_err(|error| handshake(&error))?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(failure(stream.ssl().verify_result(), &error)),
        }
    }

    fn session(&self, to: Handshake<'_>) -> Result<Ssl, ErrorStack> {
        let host = to.host;
        let mut ssl = Ssl::new(&self.context)?;
        if let (Some(device), Shows::DeviceCertificate) = (&self.device, to.shows) {
            device.show(&mut ssl)?;
        }
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if address.is_err() {
            ssl.set_hostname(host)?;
        }
        let rules = ssl.param_mut();
        rules.set_time(to.now);
        rules.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS);
        match address {
            _ if self.any_name => {}
            Ok(address) => rules.set_ip(address)?,
            Err(_) => rules.set_host(host)?,
        }
        Ok(ssl)
    }
}

fn failure(verdict: X509VerifyResult, error: &openssl::ssl::Error) -> TlsFailure {
    if verdict == X509VerifyResult::OK {
        return handshake(error);
    }
    // X509_V_ERR_CERT_NOT_YET_VALID, which the openssl crate does not name.
    const NOT_YET_VALID: i32 = 9;
    if verdict.as_raw() == NOT_YET_VALID {
        return TlsFailure::NotYetValid;
    }
    TlsFailure::Certificate { reason: verdict.error_string().to_owned() }
}

fn handshake(error: &dyn std::fmt::Display) -> TlsFailure {
    TlsFailure::Handshake { reason: error.to_string() }
}

fn context(offer: TlsOffer, authorities: Option<&Pem>, trust: &Trust) -> Result<SslContext, CredentialError> {
    let mut builder = offering(offer).map_err(|source| refused("TLS offer", source))?;
    let loaded = trust.certificates();
    // A list of nothing but certificates that are none must not turn into trusting everybody who came built in.
    match authorities {
        _ if trust.only_loaded => trust_in(&mut builder, Vec::new())?,
        Some(pem) => trust_in(&mut builder, certificates(pem, "server authority")?)?,
        None => builder.set_default_verify_paths().map_err(|source| refused("system authorities", source))?,
    }
    for authority in loaded {
        builder.cert_store_mut().add_cert(authority).map_err(|source| refused("loaded authority", source))?;
    }
    Ok(builder.build())
}

fn offering(offer: TlsOffer) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::PEER);
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    // Phones of this age check neither key sizes nor hashes the way a current OpenSSL does.
    builder.set_security_level(0);
    builder.set_cipher_list(match offer {
        TlsOffer::StaticRsaTls12 => "kRSA:!EXP:!LOW:!NULL:!MD5:@STRENGTH",
        TlsOffer::EcdheTls12 => "ECDHE+aRSA+AESGCM:ECDHE+aRSA+AES:kRSA+AES",
    })?;
    builder.set_groups_list("P-256:P-384")?;
    Ok(builder)
}

impl Device {
    fn of(device: &DeviceCertificate) -> Result<Self, CredentialError> {
        const WHAT: &str = "device certificate";
        let mut chain = certificates(&device.chain, WHAT)?.into_iter();
        let key = PKey::private_key_from_pem(&read(&device.key)?).map_err(|source| refused("device key", source))?;
        let Some(leaf) = chain.next() else {
            return Err(CredentialError::NoCertificate { what: WHAT });
        };
        let device = Self { leaf, chain: chain.collect(), key };
        // A key that belongs to another certificate is found now, not at the first server.
        let mut builder = SslContext::builder(SslMethod::tls_client()).map_err(|source| refused(WHAT, source))?;
        builder.set_security_level(0);
        builder.set_certificate(&device.leaf).map_err(|source| refused(WHAT, source))?;
        let fits = builder.set_private_key(&device.key).and_then(|()| builder.check_private_key());
        fits.map_err(|source| refused("device key", source))?;
        Ok(device)
    }

    fn show(&self, ssl: &mut SslRef) -> Result<(), ErrorStack> {
        ssl.set_certificate(&self.leaf)?;
        for authority in &self.chain {
            ssl.add_chain_cert(authority.clone())?;
        }
        ssl.set_private_key(&self.key)
    }
}

fn trust_in(builder: &mut SslContextBuilder, authorities: Vec<X509>) -> Result<(), CredentialError> {
    const WHAT: &str = "server authority";
    let mut store = X509StoreBuilder::new().map_err(|source| refused(WHAT, source))?;
    for authority in authorities {
        store.add_cert(authority).map_err(|source| refused(WHAT, source))?;
    }
    builder.set_cert_store(store.build());
    Ok(())
}

pub(crate) fn certificates(pem: &Pem, what: &'static str) -> Result<Vec<X509>, CredentialError> {
    let found = X509::stack_from_pem(&read(pem)?).map_err(|source| refused(what, source))?;
    match found.is_empty() {
        true => Err(CredentialError::NoCertificate { what }),
        false => Ok(found),
    }
}

/// The text of a PEM input.
pub(crate) fn read(pem: &Pem) -> Result<Vec<u8>, CredentialError> {
    match pem {
        Pem::Text(text) => Ok(text.clone()),
        Pem::File(path) => fs::read(path).map_err(|source| CredentialError::Unreadable { path: path.clone(), source }),
    }
}

pub(crate) fn refused(what: &'static str, source: ErrorStack) -> CredentialError {
    CredentialError::Refused { what, source }
}
