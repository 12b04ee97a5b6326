//! What another authority is asked to sign: a new key's request for a server certificate (PKCS #10).

use super::{AuthorityError, ServerKeyKind, server_key};
use provost_core::secret::Secret;
use rcgen::{CertificateParams, DistinguishedName, DnType};

/// The longest common name there is (RFC 5280, ub-common-name).
const MAX_COMMON_NAME: usize = 64;

/// A request, and the key it is for.
#[derive(Debug, Clone)]
pub struct SigningRequest {
    /// DER.
    pub der: Vec<u8>,
    /// PKCS #8 PEM.
    pub key_pem: Secret,
}

impl SigningRequest {
    /// Makes a key and a request for these DNS names; the first is the common name too, where it is short enough,
    /// since some old phones compare nothing else.
    ///
    /// # Errors
    /// [`AuthorityError`] when there is no name, or one that cannot stand in a certificate.
    pub fn generate(names: &[String], kind: ServerKeyKind) -> Result<Self, AuthorityError> {
        let first = names.first().ok_or(AuthorityError::NoName)?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = DistinguishedName::new();
        if first.len() <= MAX_COMMON_NAME {
            params.distinguished_name.push(DnType::CommonName, first.as_str());
        }
        let key = server_key(kind)?;
        let request = params.serialize_request(&key)?;
        Ok(Self { der: request.der().to_vec(), key_pem: Secret::new(key.serialize_pem()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::nid::Nid;
    use openssl::pkey::{Id, PKey};
    use openssl::x509::X509Req;

    fn common_names(request: &X509Req) -> Vec<String> {
        let entries = request.subject_name().entries_by_nid(Nid::COMMONNAME);
        entries.map(|entry| entry.data().to_string().unwrap()).collect()
    }

    #[test]
    fn a_request_is_signed_by_its_key_and_names_the_server() {
        for (kind, id, bits) in [(ServerKeyKind::Rsa2048, Id::RSA, 2048), (ServerKeyKind::P256, Id::EC, 256)] {
            let made = SigningRequest::generate(&["phones.example".to_owned()], kind).unwrap();

            let request = X509Req::from_der(&made.der).unwrap();
            let key = PKey::private_key_from_pem(made.key_pem.reveal().as_bytes()).unwrap();
            assert!(request.verify(&key).unwrap());
            assert_eq!((key.id(), key.bits()), (id, bits));
            assert_eq!(common_names(&request), ["phones.example"]);
            let text = String::from_utf8(request.to_text().unwrap()).unwrap();
            assert!(text.contains("DNS:phones.example"), "{text}");
        }
    }

    #[test]
    fn a_name_too_long_for_a_common_name_stands_among_the_alternative_names_only() {
        let name = format!("{}.{}.example", "a".repeat(40), "b".repeat(40));

        let made = SigningRequest::generate(std::slice::from_ref(&name), ServerKeyKind::P256).unwrap();

        let request = X509Req::from_der(&made.der).unwrap();
        assert_eq!(common_names(&request), Vec::<String>::new());
        let text = String::from_utf8(request.to_text().unwrap()).unwrap();
        assert!(text.contains(&format!("DNS:{name}")), "{text}");
        assert!(matches!(SigningRequest::generate(&[], ServerKeyKind::P256), Err(AuthorityError::NoName)));
    }
}
