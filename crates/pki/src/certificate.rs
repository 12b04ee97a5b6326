//! Facts read from one certificate, in the words the messages use.
//!
//! Decides how a certificate is named, fingerprinted and measured. Judges nothing.

use provost_core::time::UnixMillis;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use x509_parser::prelude::{ASN1Time, FromDer, SubjectPublicKeyInfo, X509Certificate, X509Name};
use x509_parser::public_key::PublicKey;

/// An RSA key below this was broken in public long ago: refused on every path, whatever is configured.
pub const RSA_LEAST_BITS: usize = 1024;
/// Below this an RSA key is weak: phones with one need `legacy-tls`, authorities and servers may not have one.
pub const RSA_STRONG_BITS: usize = 2048;

/// Longest part of a name from a certificate that a message repeats.
const SHOWN_CHARS: usize = 64;

/// SHA-256 of a certificate's DER bytes.
pub type Fingerprint = [u8; 32];

/// A file that holds no usable certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateTextError {
    /// Neither a PEM block nor DER.
    #[error("no certificate in it; expected PEM (-----BEGIN CERTIFICATE-----) or DER")]
    NoCertificate,
    /// A PEM block that does not decode.
    #[error("PEM block {position} is damaged: {problem}")]
    Damaged {
        /// Which block, from 1.
        position: usize,
        /// What kind of damage.
        problem: &'static str,
    },
    /// The bytes decode but are no X.509 certificate.
    #[error("certificate {position} is not readable as X.509")]
    NotX509 {
        /// Which certificate, from 1.
        position: usize,
    },
}

/// Reads every certificate of a PEM text, or the one of a DER file; each is known to parse.
///
/// # Errors
/// [`CertificateTextError`] for the first block that is none.
pub fn read_certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateTextError> {
    // DER starts with the tag of a SEQUENCE, which no text does ('0' is followed by a length byte above 0x7f).
    if let [0x30, length, ..] = bytes
        && *length >= 0x80
    {
        parse(bytes).ok_or(CertificateTextError::NotX509 { position: 1 })?;
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let mut found = Vec::new();
    for (position, block) in (1..).zip(CertificateDer::pem_slice_iter(bytes)) {
        let der = block.map_err(|error| CertificateTextError::Damaged { position, problem: damage(&error) })?;
        parse(&der).ok_or(CertificateTextError::NotX509 { position })?;
        found.push(der.into_owned());
    }
    if found.is_empty() { Err(CertificateTextError::NoCertificate) } else { Ok(found) }
}

fn damage(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "its -----END line is missing",
        pem::Error::IllegalSectionStart { .. } => "its -----BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "its base64 does not decode",
        _ => "it is too large",
    }
}

/// A certificate as PEM, lines of 64 characters.
pub fn pem_text(der: &[u8]) -> String {
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, digit) in openssl::base64::encode_block(der).chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(digit);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

/// One certificate and nothing after it; `None` when the bytes are anything else.
pub(crate) fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Some(certificate),
        _ => None,
    }
}

/// Whether nothing outside the signed part can be changed without the signature failing.
///
/// Without this a phone could show its certificate under any number of fingerprints, and a fingerprint is what is
/// remembered and blocked: the outer signature algorithm, unused bits and padded lengths are not signed.
///
/// Source: RFC 5280 §4.1.1.2 (both algorithm fields are the same), X.690 §10.1 (lengths are the shortest).
pub(crate) fn is_canonical(der: &[u8], parsed: &X509Certificate<'_>) -> bool {
    let signed: &[u8] = parsed.tbs_certificate.as_ref();
    let signature = &*parsed.signature_value.data;
    let ending = [header(0x03, signature.len().saturating_add(1)).as_slice(), &[0], signature].concat();
    // The outer header is 4 bytes for every certificate above 258 bytes, 3 bytes for the shortest ones.
    let header_len = if der.len() > 0xff + 3 { 4 } else { 3 };
    let header = header(0x30, der.len().saturating_sub(header_len));
    let content = der.strip_suffix(ending.as_slice()).and_then(|front| front.strip_prefix(header.as_slice()));
    let Some(algorithm) = content.and_then(|content| content.strip_prefix(signed)) else { return false };
    parsed.signature_algorithm == parsed.tbs_certificate.signature
        && signed.windows(algorithm.len().max(1)).any(|window| window == algorithm)
}

/// Tag and shortest length of a DER value.
fn header(tag: u8, length: usize) -> Vec<u8> {
    let bytes = length.to_be_bytes();
    let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    match (significant.as_slice(), u8::try_from(significant.len())) {
        ([], _) => vec![tag, 0],
        ([short @ ..=0x7f], _) => vec![tag, *short],
        (long, Ok(count)) => [&[tag, 0x80 | count], long].concat(),
        (_, Err(_)) => Vec::new(),
    }
}

/// SHA-256 of the DER bytes, by which a certificate is pinned and remembered.
pub fn fingerprint(der: &[u8]) -> Fingerprint {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    digest.as_ref().first_chunk::<32>().copied().unwrap_or_default()
}

/// A fingerprint as administrators compare it: 64 lower-case hexadecimal digits.
pub fn fingerprint_text(fingerprint: &Fingerprint) -> String {
    hex::encode(fingerprint)
}

/// How many bits the certificate's RSA key has; `None` when the key is not RSA or not readable.
pub fn rsa_bits(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return None };
    let significant = rsa.modulus.iter().skip_while(|byte| **byte == 0);
    let mut bits = 0usize;
    for (at, byte) in significant.enumerate() {
        let leading_zeros = if at == 0 { usize::try_from(byte.leading_zeros()).unwrap_or_default() } else { 0 };
        bits = bits.saturating_add(8).saturating_sub(leading_zeros);
    }
    Some(bits)
}

/// The common names of a subject or issuer, in order.
pub(crate) fn common_names(name: &X509Name<'_>) -> Vec<String> {
    name.iter_common_name().filter_map(|attribute| attribute.as_str().ok()).map(str::to_owned).collect()
}

/// The name a message gives a certificate: its first common name, else the whole subject.
pub(crate) fn display_name(name: &X509Name<'_>) -> String {
    let whole = || name.to_string();
    shown(&common_names(name).into_iter().next().unwrap_or_else(whole))
}

/// Text from a certificate as a message repeats it: a stranger wrote it, so control characters are replaced and the
/// rest is cut.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String =
        text.chars().take(SHOWN_CHARS).map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        out.push('…');
    }
    out
}

/// Everything but controls and the marks that turn the direction of the text after them.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '`' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A certificate's date as a point in time.
pub(crate) fn at(time: ASN1Time) -> UnixMillis {
    UnixMillis(time.timestamp().saturating_mul(1000))
}

/// The day of a point in time, as `2026-09-21` in UTC.
pub(crate) fn day(time: UnixMillis) -> String {
    let text = time.to_string();
    text.split_once('T').map_or(text.clone(), |(day, _)| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_stranger_cannot_break_out_of_a_message() {
        assert_eq!(shown("a\nb\u{202e}c`d"), "a\u{fffd}b\u{fffd}c\u{fffd}d");
        assert_eq!(shown(&"x".repeat(70)), format!("{}…", "x".repeat(64)));
    }

    #[test]
    fn a_file_without_a_certificate_says_so() {
        assert_eq!(read_certificates(b"hello"), Err(CertificateTextError::NoCertificate));
        assert_eq!(read_certificates(&[0x30, 0x82, 0, 1, 2]), Err(CertificateTextError::NotX509 { position: 1 }));
        let damaged = b"-----BEGIN CERTIFICATE-----\nMII\n";
        assert!(matches!(read_certificates(damaged), Err(CertificateTextError::Damaged { position: 1, .. })));
        let nonsense = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(read_certificates(nonsense), Err(CertificateTextError::NotX509 { position: 1 }));
    }

    #[test]
    fn dates_are_days_in_utc() {
        assert_eq!(day(UnixMillis(1_790_000_000_123)), "2026-09-21");
    }
}
