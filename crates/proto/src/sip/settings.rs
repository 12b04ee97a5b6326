//! What the machine is told once: names, times, and how much of anything it may hold.

/// How the machine presents itself and where it stops.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The realm of digest challenges; passwords that are stored hashed depend on it.
    pub realm: String,
    /// The `Server` header, and `User-Agent` of our requests.
    pub server_name: String,
    /// `host` or `host:port` phones reach by UDP. None: what the phone's own request named.
    pub udp_contact: Option<String>,
    /// `host` or `host:port` phones reach by TCP. None: what the phone's own request named.
    pub tcp_contact: Option<String>,
    /// How long a nonce can be used, in milliseconds.
    pub nonce_ms: u64,
    /// How long registrations last.
    pub expires: Expires,
    /// How much is held.
    pub limits: Limits,
    /// Dialed numbers answered without a proof of who calls: emergency numbers, as digits only. Unless there is none,
    /// `urn:service:sos` counts as 112, or as the first of them when 112 is not among them.
    pub unproven_numbers: Vec<String>,
}

impl Settings {
    /// Settings with the usual times and limits; no number is answered without proof.
    #[must_use]
    pub fn new(realm: &str, server_name: &str) -> Self {
        Self {
            realm: realm.to_owned(),
            server_name: server_name.to_owned(),
            udp_contact: None,
            tcp_contact: None,
            nonce_ms: 300_000,
            expires: Expires::default(),
            limits: Limits::default(),
            unproven_numbers: Vec::new(),
        }
    }
}

/// Seconds of a registration. The least must not exceed the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expires {
    /// Shorter wishes are answered 423, except 0.
    pub min_s: u32,
    /// Without a wish.
    pub default_s: u32,
    /// Longer wishes are cut to this.
    pub max_s: u32,
}

impl Default for Expires {
    /// An hour, as RFC 3261 §10.2.1.1 suggests; a minute at least, so that a phone behind a NAT may come often.
    fn default() -> Self {
        Self { min_s: 60, default_s: 3600, max_s: 3600 }
    }
}

/// Bounds of every table. What does not fit is answered 503 with Retry-After, or dropped where no answer is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of phones that may still be repeated, each kept for 32 s; INVITEs without proof get a quarter.
    pub transactions: usize,
    /// Calls at once: one of each user, four without proof from each IPv4 address or IPv6 /64.
    pub calls: usize,
    /// Registered identities.
    pub registrations: usize,
    /// Questions for a credential without an answer.
    pub asks: usize,
    /// Open TCP connections.
    pub streams: usize,
    /// Requests of ours without an answer: NOTIFY and BYE.
    pub requests: usize,
    /// Nonces in use by proven identities.
    pub nonces: usize,
    /// The longest message; longer ones are answered 513.
    pub message_bytes: usize,
    /// How long a credential or the answer to a call is awaited, in milliseconds.
    pub answer_ms: u64,
    /// How long a call may last after its answer, in milliseconds.
    pub call_ms: u64,
    /// How long a new connection may take for its first message, and any for the rest of a message begun.
    pub stream_message_ms: u64,
    /// How long a connection may say nothing on which somebody proved who it is.
    pub stream_idle_ms: u64,
    /// How long any other may say nothing, unless a call came on it.
    pub stream_unproven_idle_ms: u64,
}

impl Default for Limits {
    /// Enough for 20,000 phones that wait to be claimed, and calls of a large rollout.
    fn default() -> Self {
        Self {
            transactions: 32_768,
            calls: 1024,
            registrations: 32_768,
            asks: 4096,
            streams: 16_384,
            requests: 4096,
            nonces: 65_536,
            message_bytes: 16 * 1024,
            answer_ms: 20_000,
            call_ms: 15 * 60_000,
            stream_message_ms: 20_000,
            stream_idle_ms: 2 * 3_600_000,
            stream_unproven_idle_ms: 60_000,
        }
    }
}
