//! A phone maker's authority and phones' certificates, good and bad, made with OpenSSL.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Root -> Policy -> Issuing, in the maker's shape.
pub struct Maker {
    folder: TempDir,
    root: X509,
    policy: X509,
    issuing: X509,
    issuing_key: PKey<Private>,
    // One key for all phones of a test: making RSA keys is what takes the time.
    phone_key: PKey<Private>,
}

/// The files of a phone's certificate chain and key.
#[derive(Debug, Clone)]
pub struct PhoneKey {
    /// PEM chain, leaf first.
    pub chain: PathBuf,
    /// PEM key.
    pub key: PathBuf,
}

fn key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

/// What a certificate says and who signs it; without a signer it signs itself.
struct Wanted<'a> {
    name: &'a str,
    signer: Option<(&'a X509, &'a PKey<Private>)>,
    is_authority: bool,
}

fn certificate(wanted: &Wanted<'_>, key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", wanted.name).unwrap();
    let name = name.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
    builder.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(wanted.signer.map_or(&name, |(signer, _)| signer.subject_name())).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(1_577_836_800).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(4_000_000_000).unwrap()).unwrap();
    if wanted.is_authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build().unwrap()).unwrap();
    } else {
        builder.append_extension(KeyUsage::new().digital_signature().key_encipherment().build().unwrap()).unwrap();
        builder.append_extension(ExtendedKeyUsage::new().client_auth().server_auth().build().unwrap()).unwrap();
    }
    builder.sign(wanted.signer.map_or(key, |(_, signer)| signer), MessageDigest::sha256()).unwrap();
    builder.build()
}

impl Maker {
    /// Makes the three authorities.
    pub fn new() -> Self {
        let (root_key, policy_key, issuing_key) = (key(), key(), key());
        let authority = |name, signer| Wanted { name, signer, is_authority: true };
        let root = certificate(&authority("Test Maker Root CA", None), &root_key);
        let policy = certificate(&authority("Test Maker Equipment Policy CA", Some((&root, &root_key))), &policy_key);
        let issuing =
            certificate(&authority("Test Maker Equipment Issuing CA 1", Some((&policy, &policy_key))), &issuing_key);
        let folder = tempfile::tempdir().unwrap();
        let maker = Self { folder, root, policy, issuing, issuing_key, phone_key: key() };
        maker.write("bundle.crt", &[&maker.root, &maker.policy, &maker.issuing]);
        maker
    }

    /// The authorities' certificates in one PEM file.
    pub fn bundle(&self) -> PathBuf {
        self.folder.path().join("bundle.crt")
    }

    /// A good factory certificate for this MAC.
    pub fn phone(&self, mac: &str) -> PhoneKey {
        self.signed(&mac.to_uppercase())
    }

    /// A certificate that the maker signed for any name.
    pub fn signed(&self, name: &str) -> PhoneKey {
        let wanted = Wanted { name, signer: Some((&self.issuing, &self.issuing_key)), is_authority: false };
        let leaf = certificate(&wanted, &self.phone_key);
        self.pair(&format!("good-{name}"), &[&leaf, &self.issuing, &self.policy])
    }

    /// A good factory certificate of a phone that sends nothing but its own.
    pub fn leaf_only(&self, mac: &str) -> PhoneKey {
        let name = mac.to_uppercase();
        let wanted = Wanted { name: &name, signer: Some((&self.issuing, &self.issuing_key)), is_authority: false };
        self.pair(&format!("leaf-{name}"), &[&certificate(&wanted, &self.phone_key)])
    }

    /// SHA-256 of the issuing authority's certificate, in hexadecimal digits.
    pub fn issuing_sha256(&self) -> String {
        self.issuing.digest(MessageDigest::sha256()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The issuing authority's certificate in DER.
    pub fn issuing_der(&self) -> Vec<u8> {
        self.issuing.to_der().unwrap()
    }

    /// A certificate that signs itself.
    pub fn self_signed(&self, mac: &str) -> PhoneKey {
        let wanted = Wanted { name: &mac.to_uppercase(), signer: None, is_authority: false };
        self.pair(&format!("self-{mac}"), &[&certificate(&wanted, &self.phone_key)])
    }

    /// A certificate from somebody who calls himself like the maker's issuing authority.
    pub fn look_alike(&self, mac: &str) -> PhoneKey {
        let rogue_key = key();
        let authority = Wanted { name: "Test Maker Equipment Issuing CA 1", signer: None, is_authority: true };
        let rogue = certificate(&authority, &rogue_key);
        let wanted = Wanted { name: &mac.to_uppercase(), signer: Some((&rogue, &rogue_key)), is_authority: false };
        self.pair(&format!("rogue-{mac}"), &[&certificate(&wanted, &self.phone_key), &rogue])
    }

    fn pair(&self, name: &str, chain: &[&X509]) -> PhoneKey {
        let chain = self.write(&format!("{name}.chain.pem"), chain);
        let key = self.folder.path().join(format!("{name}.key"));
        std::fs::write(&key, self.phone_key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        PhoneKey { chain, key }
    }

    fn write(&self, name: &str, certificates: &[&X509]) -> PathBuf {
        let path = self.folder.path().join(name);
        let text: Vec<u8> = certificates.iter().flat_map(|certificate| certificate.to_pem().unwrap()).collect();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The folder of all these files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for Maker {
    fn default() -> Self {
        Self::new()
    }
}
