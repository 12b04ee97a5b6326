//! Reads a ClientHello far enough to choose the TLS stack that can serve it.
//!
//! Decides modern (rustls), older (OpenSSL, with what it needs) or no TLS, from bytes a stranger sent. Never writes,
//! never keeps a byte, never panics. Which of the older kinds are served is the caller's policy.
//! Rules: RFC 5246 §7.4.1.2, RFC 8446 §4.1.2, RFC 5246 appendix E.2 (the SSLv2 format).

/// The largest first flight that is read: four times any hello seen, post-quantum key shares included.
pub(super) const HELLO_LIMIT: usize = 20_000;

/// Which stack serves this hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hello {
    /// TLS 1.3, or TLS 1.2 with an ephemeral key, an AEAD suite and a SHA-2 signature.
    Modern,
    /// TLS 1.2 as stock firmware of 2012 to 2020 speaks it: static RSA or CBC, or no group named.
    Older {
        /// No SHA-2 signature is offered, so only a key exchange without a signature can be served.
        static_rsa_only: bool,
    },
    /// What only `legacy-tls` serves.
    Legacy(LegacyNeed),
    /// Something else, such as a plain HTTP request.
    NotTls,
}

/// Why a hello needs `legacy-tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LegacyNeed {
    /// Nothing above this version (the wire's number, 0x0302 is TLS 1.1).
    Version(u16),
    /// A hello in the format of SSL 2.
    SslV2Hello,
    /// Signatures with SHA-1 only.
    Sha1,
}

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// RFC 8446 §5.1 and the room RFC 5246 §6.2.3 leaves for expansion.
const RECORD_LIMIT: usize = 16_384 + 2_048;

const SUITES_TLS13: [u16; 3] = [0x1301, 0x1302, 0x1303];
const SUITES_ECDHE_AEAD: [u16; 6] = [0xc02f, 0xc030, 0xcca8, 0xc02b, 0xc02c, 0xcca9];
const SUITES_STATIC_RSA: [u16; 8] = [0x002f, 0x0035, 0x003c, 0x003d, 0x009c, 0x009d, 0x0041, 0x0084];
/// P-256, P-384, X25519 and X25519MLKEM768: what rustls is built with.
const GROUPS: [u16; 4] = [0x0017, 0x0018, 0x001d, 0x11ec];
const SIGNATURES_TLS12: [u16; 8] = [0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0x0403, 0x0503];
const SIGNATURES_TLS13: [u16; 5] = [0x0804, 0x0805, 0x0806, 0x0403, 0x0503];

const EXTENSION_GROUPS: u16 = 10;
const EXTENSION_SIGNATURES: u16 = 13;
const EXTENSION_VERSIONS: u16 = 43;

/// Classifies what has arrived; `None` while the hello is not complete.
pub(super) fn classify(bytes: &[u8]) -> Option<Hello> {
    match bytes {
        [] => None,
        // Two bytes of length with the top bit set, then the message type (RFC 5246 E.2).
        [first, rest @ ..] if first & 0x80 != 0 => match rest {
            [_, CLIENT_HELLO, ..] => Some(Hello::Legacy(LegacyNeed::SslV2Hello)),
            [_, _, ..] => Some(Hello::NotTls),
            _ => None,
        },
        [HANDSHAKE, ..] => match handshake_message(bytes) {
            Message::Partial => None,
            Message::Foreign => Some(Hello::NotTls),
            Message::Whole(body) => Some(ClientHello::parse(&body).map_or(Hello::NotTls, |hello| hello.kind())),
        },
        _ => Some(Hello::NotTls),
    }
}

enum Message {
    Partial,
    Foreign,
    Whole(Vec<u8>),
}

/// The body of the first handshake message, joined from as many records as it takes.
fn handshake_message(bytes: &[u8]) -> Message {
    let mut records = Reader(bytes);
    let mut joined = Vec::new();
    loop {
        let (kind, length) = match (records.u8(), records.take(2), records.u16()) {
            (Some(kind), Some(_version), Some(length)) => (kind, usize::from(length)),
            _ => return Message::Partial,
        };
        if kind != HANDSHAKE || length == 0 || length > RECORD_LIMIT {
            return Message::Foreign;
        }
        let Some(fragment) = records.take(length) else { return Message::Partial };
        joined.extend_from_slice(fragment);
        let mut message = Reader(&joined);
        let (Some(kind), Some(length)) = (message.u8(), message.u24()) else { continue };
        if kind != CLIENT_HELLO || length > HELLO_LIMIT {
            return Message::Foreign;
        }
        if let Some(body) = message.take(length) {
            return Message::Whole(body.to_vec());
        }
    }
}

/// What a hello offers; `None` for an extension that is absent.
#[derive(Debug, Default)]
struct ClientHello {
    version: u16,
    suites: Vec<u16>,
    signatures: Option<Vec<u16>>,
    groups: Option<Vec<u16>>,
    versions: Option<Vec<u16>>,
}

impl ClientHello {
    fn parse(body: &[u8]) -> Option<Self> {
        let mut body = Reader(body);
        let mut hello = Self { version: body.u16()?, ..Self::default() };
        body.take(32)?; // random
        body.block8()?; // session
        hello.suites = Reader(body.block16()?).numbers();
        body.block8()?; // compression
        if body.0.is_empty() {
            return Some(hello); // no extensions: TLS 1.2 and before may leave the block out
        }
        let mut extensions = Reader(body.block16()?);
        while !extensions.0.is_empty() {
            let kind = extensions.u16()?;
            let mut content = Reader(extensions.block16()?);
            match kind {
                EXTENSION_SIGNATURES => hello.signatures = Some(Reader(content.block16()?).numbers()),
                EXTENSION_GROUPS => hello.groups = Some(Reader(content.block16()?).numbers()),
                EXTENSION_VERSIONS => hello.versions = Some(Reader(content.block8()?).numbers()),
                _ => {}
            }
        }
        Some(hello)
    }

    fn kind(&self) -> Hello {
        let offers = |known: &[u16], offered: &Option<Vec<u16>>| {
            offered.as_ref().is_some_and(|offered| offered.iter().any(|one| known.contains(one)))
        };
        let has_suite = |known: &[u16]| self.suites.iter().any(|suite| known.contains(suite));
        let group = offers(&GROUPS, &self.groups);
        let sha2 = offers(&SIGNATURES_TLS12, &self.signatures);
        let tls13 = offers(&[TLS13], &self.versions);
        let tls12 = if self.versions.is_some() { offers(&[TLS12], &self.versions) } else { self.version >= TLS12 };

        let modern13 = tls13 && group && offers(&SIGNATURES_TLS13, &self.signatures) && has_suite(&SUITES_TLS13);
        let modern12 = tls12 && group && sha2 && has_suite(&SUITES_ECDHE_AEAD);
        if modern13 || modern12 {
            return Hello::Modern;
        }
        if !tls12 {
            return if tls13 { Hello::Older { static_rsa_only: false } } else { self.below_tls12() };
        }
        // Without the extension the phone expects SHA-1 (RFC 5246 §7.4.1.4.1); static RSA needs no signature of ours.
        match (sha2, &self.signatures) {
            (true, _) => Hello::Older { static_rsa_only: false },
            (false, None) if has_suite(&SUITES_STATIC_RSA) => Hello::Older { static_rsa_only: true },
            (false, _) => Hello::Legacy(LegacyNeed::Sha1),
        }
    }

    fn below_tls12(&self) -> Hello {
        let newest = self.versions.iter().flatten().copied().filter(|offered| *offered < TLS12).max();
        Hello::Legacy(LegacyNeed::Version(newest.unwrap_or(self.version)))
    }
}

/// Takes fields from the front; `None` when the bytes end.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    fn u24(&mut self) -> Option<usize> {
        let [high, low] = [self.u8()?, self.u8()?];
        let last = self.u8()?;
        usize::try_from(u32::from_be_bytes([0, high, low, last])).ok()
    }

    fn block8(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    fn block16(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// All that is left as 16-bit numbers; an odd byte at the end is ignored, as servers do.
    fn numbers(&self) -> Vec<u16> {
        self.0.as_chunks::<2>().0.iter().copied().map(u16::from_be_bytes).collect()
    }
}

#[cfg(test)]
mod tests;
