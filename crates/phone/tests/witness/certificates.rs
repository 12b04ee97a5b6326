//! Certificates for the tests: a server's authority and a maker's, in the maker's shape.

use std::sync::OnceLock;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

/// 2020-01-01 and 2040-01-01.
const VALID: (i64, i64) = (1_577_836_800, 2_208_988_800);

#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// A root with one issuing authority below it.
pub(crate) struct Authority {
    pub(crate) root: Identity,
    issuing: Identity,
}

impl Authority {
    fn new(name: &str) -> Self {
        let root = issue(&[("CN", name)], None, Purpose::Authority);
        let issuing = issue(&[("CN", &format!("{name} Issuing"))], Some(&root), Purpose::Authority);
        Self { root, issuing }
    }

    /// The authority the tests' servers come from.
    pub(crate) fn of_servers() -> &'static Self {
        static AUTHORITY: OnceLock<Authority> = OnceLock::new();
        AUTHORITY.get_or_init(|| Self::new("Server Root"))
    }

    /// The authority the tests' phones come from.
    pub(crate) fn of_the_maker() -> &'static Self {
        static AUTHORITY: OnceLock<Authority> = OnceLock::new();
        AUTHORITY.get_or_init(|| Self::new("Maker Root"))
    }

    pub(crate) fn root_pem(&self) -> Vec<u8> {
        self.root.certificate.to_pem().unwrap()
    }

    /// A server's certificate for 127.0.0.1.
    pub(crate) fn server() -> &'static Identity {
        static SERVER: OnceLock<Identity> = OnceLock::new();
        SERVER.get_or_init(|| issue(&[("CN", "server")], Some(&Self::of_servers().root), Purpose::Server))
    }

    /// The same from the authority that phones are made with here.
    pub(crate) fn server_of_the_maker() -> &'static Identity {
        static SERVER: OnceLock<Identity> = OnceLock::new();
        SERVER.get_or_init(|| issue(&[("CN", "server")], Some(&Self::of_the_maker().root), Purpose::Server))
    }

    /// A phone's chain and key as PEM text; every test's phone is the same one.
    pub(crate) fn phone() -> (Vec<u8>, Vec<u8>) {
        static PHONE: OnceLock<Identity> = OnceLock::new();
        let maker = Self::of_the_maker();
        let subject = [("CN", "0004F2000004"), ("O", "Polycom Inc.")];
        let leaf = PHONE.get_or_init(|| issue(&subject, Some(&maker.issuing), Purpose::Phone));
        let mut chain = leaf.certificate.to_pem().unwrap();
        chain.extend(maker.issuing.certificate.to_pem().unwrap());
        (chain, leaf.key.private_key_to_pem_pkcs8().unwrap())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Authority,
    Server,
    Phone,
}

fn issue(subject: &[(&str, &str)], issuer: Option<&Identity>, purpose: Purpose) -> Identity {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    for (field, value) in subject {
        name.append_entry_by_text(field, value).unwrap();
    }
    let name = name.build();
    let mut builder: X509Builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(issuer.map_or(name.as_ref(), |issuer| issuer.certificate.subject_name())).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.set_not_before(&Asn1Time::from_unix(VALID.0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::from_unix(VALID.1).unwrap()).unwrap();
    if purpose == Purpose::Authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    if purpose == Purpose::Server {
        let context = builder.x509v3_context(issuer.map(|issuer| issuer.certificate.as_ref()), None);
        let names = SubjectAlternativeName::new().ip("127.0.0.1").build(&context).unwrap();
        builder.append_extension(names).unwrap();
    }
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Identity { certificate: builder.build(), key }
}
