//! The factory certificate as the phone itself judges it.
//!
//! Decides between the three words of its status page: installed, not installed, invalid. Never asks who the maker is:
//! in a lab whoever signed the certificate plays the maker, so only what a certificate says of itself counts. A phone
//! without the time finds none too old.
//! Source: the words stand in a provider's procedure, which calls certificates that signed themselves unsupported; that
//! a broken chain and an expired certificate are `Invalid` too is concluded.

use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::x509::{X509, X509Ref};

use crate::handset::view::CertificateState;
use crate::tls::{DeviceCertificate, certificates};

const DAY: i64 = 24 * 3600;

/// What is known of the certificate for the phone's whole life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Factory {
    Missing,
    /// No factory made it so.
    Bad,
    /// Good until then, in seconds since 1970.
    Until(i64),
}

impl Factory {
    pub(crate) fn of(certificate: Option<&DeviceCertificate>) -> Self {
        let Some(certificate) = certificate else { return Self::Missing };
        certificates(&certificate.chain, "device certificate").map_or(Self::Bad, |chain| Self::judge(&chain))
    }

    fn judge(chain: &[X509]) -> Self {
        let Some((leaf, authorities)) = chain.split_first() else { return Self::Bad };
        let whole = chain.iter().zip(authorities).all(|(signed, by)| is_signed(signed, by));
        if !whole || is_signed(leaf, leaf) {
            return Self::Bad;
        }
        ends(leaf).map_or(Self::Bad, Self::Until)
    }

    /// What the phone says of it when its clock says `now`.
    pub(crate) fn state(self, now: i64) -> CertificateState {
        match self {
            Self::Missing => CertificateState::NotInstalled,
            Self::Until(end) if now <= end => CertificateState::FactoryInstalled,
            Self::Bad | Self::Until(_) => CertificateState::Invalid,
        }
    }
}

fn is_signed(certificate: &X509Ref, by: &X509Ref) -> bool {
    let good = by.public_key().and_then(|key| certificate.verify(&key)).unwrap_or(false);
    // A signature that is none leaves its reason behind, which must not be taken for the next connection's.
    drop(ErrorStack::get());
    good
}

fn ends(certificate: &X509Ref) -> Option<i64> {
    let left = Asn1Time::from_unix(0).ok()?.diff(certificate.not_after()).ok()?;
    i64::from(left.days).checked_mul(DAY)?.checked_add(left.secs.into())
}

#[cfg(test)]
mod tests {
    use openssl::bn::BigNum;
    use openssl::hash::MessageDigest;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::X509Builder;

    use super::*;

    const END: i64 = 1_900_000_000;

    fn key() -> PKey<Private> {
        PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap()
    }

    fn signed(own: &PKey<Private>, by: &PKey<Private>) -> X509 {
        let mut builder = X509Builder::new().unwrap();
        builder.set_version(2).unwrap();
        builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
        builder.set_pubkey(own).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(END).unwrap()).unwrap();
        builder.sign(by, MessageDigest::sha256()).unwrap();
        builder.build()
    }

    #[test]
    fn only_what_another_signed_and_is_not_too_old_is_from_a_factory() {
        let (phone, maker, other) = (key(), key(), key());
        let (root, stranger) = (signed(&maker, &maker), signed(&other, &other));
        let leaf = signed(&phone, &maker);

        assert_eq!(Factory::judge(&[leaf.clone(), root]), Factory::Until(END));
        assert_eq!(Factory::judge(std::slice::from_ref(&leaf)), Factory::Until(END));
        assert_eq!(Factory::judge(&[leaf, stranger]), Factory::Bad);
        assert_eq!(Factory::judge(&[signed(&phone, &phone)]), Factory::Bad);
        assert_eq!(Factory::of(None), Factory::Missing);
    }

    #[test]
    fn the_three_words_of_the_status_page() {
        assert_eq!(Factory::Missing.state(0).to_string(), "Not Installed");
        assert_eq!(Factory::Bad.state(0).to_string(), "Invalid");
        assert_eq!(Factory::Until(END).state(END).to_string(), "Factory Installed");
        assert_eq!(Factory::Until(END).state(END + 1).to_string(), "Invalid");
    }
}
