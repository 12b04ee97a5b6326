//! For tests: server certificates, the maker's trust, and phones that speak through OpenSSL.

use crate::fixtures::{ISSUING, NOW, Pair};
use crate::tls::PhoneTls;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode, SslVersion};
use provost_pki::authority::{KeyAndChain, ServerAuthority, ServerKeyKind, Validity};
use provost_pki::policy::{DevicePolicy, PolicyRules};
use provost_pki::server::{PairFiles, ServerCertificates};
use provost_pki::trust::{CertificateFile, Origin, TrustStore};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock};

pub(crate) struct ServerKeys {
    pub(crate) rsa: KeyAndChain,
    pub(crate) p256: KeyAndChain,
    pub(crate) root_pem: String,
}

pub(crate) static SERVER: LazyLock<ServerKeys> = LazyLock::new(|| {
    let validity = Validity::days_from(NOW, 3_650);
    let authority = ServerAuthority::generate("Lab Root", validity).unwrap();
    let names = ["localhost".to_owned()];
    let made = |kind| authority.issue(&names, kind, validity).unwrap();
    ServerKeys { rsa: made(ServerKeyKind::Rsa2048), p256: made(ServerKeyKind::P256), root_pem: authority.root_pem }
});

pub(crate) fn certificates(pairs: &[&KeyAndChain]) -> ServerCertificates {
    let files: Vec<PairFiles<'_>> = pairs
        .iter()
        .map(|pair| PairFiles {
            certificate_name: "server.crt",
            certificate: pair.chain_pem.as_bytes(),
            key_name: "server.key",
            key: pair.key_pem.reveal().as_bytes(),
        })
        .collect();
    ServerCertificates::read(&files, NOW).unwrap()
}

pub(crate) fn policy(legacy: bool) -> Arc<DevicePolicy> {
    let pem = ISSUING.pem();
    let file = CertificateFile { name: "issuing.crt", bytes: &pem, origin: Origin::Custom };
    let trust = Arc::new(TrustStore::new(vec![], &[file]).unwrap());
    Arc::new(DevicePolicy::new(trust, PolicyRules { accept_expired_leaf: true, legacy }))
}

pub(crate) fn phone_tls(legacy: bool) -> Arc<PhoneTls> {
    Arc::new(PhoneTls::new(&certificates(&[&SERVER.rsa, &SERVER.p256]), policy(legacy)).unwrap())
}

/// How a phone speaks.
pub(crate) struct Phone(SslContextBuilder);

impl Phone {
    /// Any version and suite the library has, no certificate, trusting everybody.
    pub(crate) fn new() -> Self {
        let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
        context.set_security_level(0);
        context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
        context.set_verify(SslVerifyMode::NONE);
        Self(context)
    }

    pub(crate) fn version(mut self, version: SslVersion) -> Self {
        self.0.set_min_proto_version(Some(version)).unwrap();
        self.0.set_max_proto_version(Some(version)).unwrap();
        self
    }

    pub(crate) fn suites(mut self, suites: &str) -> Self {
        self.0.set_cipher_list(&format!("{suites}:@SECLEVEL=0")).unwrap();
        self
    }

    pub(crate) fn signatures(mut self, signatures: &str) -> Self {
        self.0.set_sigalgs_list(signatures).unwrap();
        self
    }

    pub(crate) fn with(mut self, pair: &Pair) -> Self {
        self.0.set_certificate(&pair.certificate).unwrap();
        self.0.set_private_key(&pair.key).unwrap();
        self
    }

    pub(crate) fn distrusting(mut self) -> Self {
        self.0.set_verify(SslVerifyMode::PEER);
        self
    }

    pub(crate) fn build(self) -> SslContext {
        self.0.build()
    }

    /// A stock VVX of 2016: TLS 1.2, static RSA, CBC.
    pub(crate) fn stock() -> Self {
        Self::new().version(SslVersion::TLS1_2).suites("AES128-SHA")
    }
}

/// Sends `request` over TLS and reads to the end; an error of either is told as text.
pub(crate) fn exchange(context: &SslContext, socket: TcpStream, request: &[u8]) -> Result<String, String> {
    let ssl = Ssl::new(context).unwrap();
    exchange_over(ssl.connect(socket).map_err(|error| error.to_string())?, request)
}

pub(crate) fn exchange_over(mut stream: SslStream<TcpStream>, request: &[u8]) -> Result<String, String> {
    stream.write_all(request).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
