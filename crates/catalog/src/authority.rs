//! The maker's certificate authorities, known by fingerprint only.
//!
//! Decides nothing about a certificate; that is the pki crate's. The certificates are not here.

use crate::fact::{Evidence, Origin};
use crate::reader::{Errors, Problem, Readable, Reader, Word, wrong_kind};
use crate::tree::{Node, Table, Value};

/// One authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Provost's word for it.
    pub id: String,
    /// The common name of its certificate.
    pub name: String,
    /// SHA-256 of its certificate's DER.
    pub sha256: [u8; 32],
    /// Its place in the chain.
    pub role: AuthorityRole,
    /// Where the maker publishes the certificate: an `http://` address, because the fingerprint is what proves it.
    pub address: Option<String>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What an authority may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorityRole {
    /// The self-signed one everything hangs on.
    Root,
    /// Signs issuing authorities.
    Policy,
    /// Signs phones' certificates.
    Issuing,
}

impl Word for AuthorityRole {
    const ALL: &'static [Self] = &[Self::Root, Self::Policy, Self::Issuing];

    fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Policy => "policy",
            Self::Issuing => "issuing",
        }
    }
}

/// Where a file is published.
struct Address(String);

impl Readable for Address {
    const EXPECTED: &'static str = "an address in quotes";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Value::Text(text) = &node.value else {
            return wrong_kind::<Self>(node, errors);
        };
        let file = text.strip_prefix("http://").and_then(|rest| rest.rsplit_once('/')).map(|(_, file)| file);
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || file.is_none_or(str::is_empty) {
            let expected = "an address http://HOST/PATH that ends in a file's name";
            errors.push(&node.place, Problem::Malformed { found: text.clone(), expected });
            return None;
        }
        Some(Self(text.clone()))
    }
}

/// A SHA-256 fingerprint as 64 hexadecimal digits, with or without colons.
struct Fingerprint([u8; 32]);

impl Readable for Fingerprint {
    const EXPECTED: &'static str = "64 hexadecimal digits in quotes";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Value::Text(text) = &node.value else {
            return wrong_kind::<Self>(node, errors);
        };
        let bytes = fingerprint(text);
        if bytes.is_none() {
            let expected = "a SHA-256 fingerprint: 64 hexadecimal digits";
            errors.push(&node.place, Problem::Malformed { found: text.clone(), expected });
        }
        bytes.map(Self)
    }
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

impl Authority {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let name = fields.required_text("name");
        let sha256: Option<Fingerprint> = fields.required("sha256");
        let role = fields.required("role");
        let address: Option<Address> = fields.optional("address");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, name, Fingerprint(sha256), role) = (id?, name?, sha256?, role?);
        let address = address.map(|Address(address)| address);
        Some(Self { id, name, sha256, role, address, source, evidence, note })
    }
}
