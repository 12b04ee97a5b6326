//! What is plainly no image, by its first bytes.

use std::fmt;

/// Below this, in bytes, nothing is a phone's software; the smallest the maker gave away are above a megabyte.
const LEAST_BYTES: u64 = 64 * 1024;
/// How much is looked at to tell text.
const TEXT_BYTES: usize = 512;

/// What a file is in place of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// Nothing.
    Empty,
    /// Too little to be one.
    Short(u64),
    /// A page, as a download that needs a sign-in answers.
    Html,
    /// XML, such as a configuration.
    Xml,
    /// A zip.
    Zip,
    /// Packed by gzip.
    Gzip,
    /// A program of Unix.
    Elf,
    /// A picture.
    Png,
    /// A document.
    Pdf,
    /// Text.
    Text,
}

impl fmt::Display for Other {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => out.write_str("an empty file"),
            Self::Short(bytes) => write!(out, "only {bytes} bytes, where even the smallest have {LEAST_BYTES}"),
            Self::Html => out.write_str("a web page (HTML); a download that needs a sign-in often saves one"),
            Self::Xml => out.write_str("XML"),
            Self::Zip => out.write_str("a zip within"),
            Self::Gzip => out.write_str("a file packed by gzip; unpack it first"),
            Self::Elf => out.write_str("a program for Unix (ELF)"),
            Self::Png => out.write_str("a picture (PNG)"),
            Self::Pdf => out.write_str("a document (PDF)"),
            Self::Text => out.write_str("plain text"),
        }
    }
}

/// Whether a file begins as a zip, one without entries too.
pub fn looks_like_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// What it is in place of an image, if that is plain.
pub(super) fn other(head: &[u8], bytes: u64) -> Option<Other> {
    let signed: [(&[u8], Other); 4] =
        [(b"\x1f\x8b", Other::Gzip), (b"\x7fELF", Other::Elf), (b"\x89PNG", Other::Png), (b"%PDF", Other::Pdf)];
    if bytes == 0 || head.is_empty() {
        return Some(Other::Empty);
    }
    if looks_like_zip(head) {
        return Some(Other::Zip);
    }
    if let Some((_, found)) = signed.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*found);
    }
    let start = head.get(..TEXT_BYTES).unwrap_or(head);
    let text = String::from_utf8_lossy(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start));
    let begins = text.trim_start().to_ascii_lowercase();
    if begins.starts_with("<!doctype html") || begins.starts_with("<html") || begins.starts_with("<head") {
        return Some(Other::Html);
    }
    if begins.starts_with("<?xml") {
        return Some(if begins.contains("<html") { Other::Html } else { Other::Xml });
    }
    if start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) {
        return Some(Other::Text);
    }
    (bytes < LEAST_BYTES).then_some(Other::Short(bytes))
}
