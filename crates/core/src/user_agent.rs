//! What a phone says of itself in its User-Agent header.
//!
//! Decides how such a header is read; which model a token names is the catalog's knowledge. What is
//! read chooses how to render, never the right to anything (docs/THREATS.md, rule 1).
//! Grammar: `FileTransport Poly[com]<Family>-<Token>-UA/<version>[ (SN:<mac>)] Type/<stage>`, seen
//! from SIP 3.2 to PVOS 8.3 (catalog/SOURCES.md); 3.x firmware leaves `Type/` out.

use provost_catalog::Version;

/// The part of the phone's software that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The updater (formerly BootROM): the version is the updater's build.
    Updater,
    /// The application, or unsaid: the version is the application's.
    Application,
}

/// A phone's User-Agent, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent {
    /// The model token (`VVX_450`) as the catalog lists it.
    pub token: String,
    /// The version said.
    pub version: Version,
    /// Whose version that is.
    pub stage: Stage,
}

/// Longest header read; phones send under 120 bytes.
const MAX_BYTES: usize = 400;

impl UserAgent {
    /// Reads a header; `None` for what no phone would say.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > MAX_BYTES {
            return None;
        }
        let (product, rest) = header.split_ascii_whitespace().enumerate().find_map(|(place, word)| {
            let product = word.strip_prefix("Polycom").or_else(|| word.strip_prefix("Poly"))?;
            let (product, version) = product.split_once("-UA/")?;
            Some(((product, version), header.split_ascii_whitespace().skip(place.saturating_add(1))))
        })?;
        let (family_and_token, version) = product;
        let (_, token) = family_and_token.split_once('-')?;
        let well_formed =
            !token.is_empty() && token.len() <= 40 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !well_formed {
            return None;
        }
        let stage = match rest.filter_map(|word| word.strip_prefix("Type/")).next() {
            Some("Updater") => Stage::Updater,
            _ => Stage::Application,
        };
        Some(Self { token: token.to_owned(), version: version.parse().ok()?, stage })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_headers_are_read() {
        for (header, token, version, stage) in [
            (
                "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application",
                "SPIP_550",
                "4.0.15.1047",
                Stage::Application,
            ),
            ("FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater", "VVX_500", "5.9.7.47435", Stage::Updater),
            ("FileTransport PolycomSoundPointIP-SPIP_335-UA/3.2.1.0078", "SPIP_335", "3.2.1.0078", Stage::Application),
            ("FileTransport PolyEdge-Edge_E350-UA/8.3.1.0614", "Edge_E350", "8.3.1.0614", Stage::Application),
            (
                "Microbrowser/1.1 PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application",
                "SPIP_550",
                "4.0.15.1047",
                Stage::Application,
            ),
        ] {
            let read = UserAgent::parse(header).unwrap_or_else(|| panic!("not read: {header}"));
            assert_eq!((read.token.as_str(), read.version.to_string().as_str(), read.stage), (token, version, stage));
        }
    }

    #[test]
    fn what_no_phone_says_is_not_read() {
        for header in ["", "curl/8.0", "Polycom", "PolycomVVX-VVX_450-UA/", "PolycomVVX-<b>-UA/1.2", "PolyVVX-UA/5"] {
            assert_eq!(UserAgent::parse(header), None, "{header}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(header in ".{0,200}") {
            let _ = UserAgent::parse(&header);
        }
    }
}
