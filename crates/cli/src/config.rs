//! Reads `provost.toml` and the environment into one checked [`Config`].
//!
//! Decides what each key may hold, what it means when it is left out, and what is refused. Reports
//! every mistake at once, each with its line and what to do about it.
//! Never does: binding, reading certificates or keys, looking names up. The environment is an
//! argument; only [`Config::load`] reads a file.
//! Names and rules: the operator's guide and `packaging/provost.toml`, which shows every key.

mod acme;
mod certificates;
mod console;
mod database;
mod default;
mod document;
mod firmware;
mod http_url;
mod listen;
mod mail;
mod problem;
mod public_urls;
mod sip;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use provost_core::public_url::PublicUrl;

pub use acme::Acme;
pub use certificates::CertificatePair;
use certificates::certificate_pairs;
pub use console::Console;
pub use database::{Database, PostgresUrl};
use document::{Document, Key};
pub use firmware::Firmware;
pub use http_url::HttpUrl;
pub use listen::Listen;
pub use mail::{Mail, SmtpUrl};
pub use problem::{ConfigErrors, Place, Problem};
use problem::{Refusal, Wrong};
use public_urls::{public_http_url, read_public_urls};
pub use sip::Sip;

/// All that an operator can settle, checked; each field's words are the manual of its key.
///
/// Every key may also be given as an environment variable, which then wins over the file:
/// `PROVOST_`, the section, two underscores and the key, in capitals with `_` for `-`, so
/// `listen.phones-https` is `PROVOST_LISTEN__PHONES_HTTPS` and `data-dir` is `PROVOST_DATA_DIR`.
/// A list is written with commas there. Relative paths start at the configuration file's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `data-dir`: the folder for the database, the trust store, the secret key, what phones
    /// upload, and the lock that keeps a second server out.
    pub data_dir: PathBuf,
    /// `database`: where Provost remembers; `"sqlite"` keeps it in one file in `data-dir`, and the URL of a PostgreSQL
    /// database in the schema `provost` there.
    pub database: Database,
    /// `public-url`: the `https://` address phones are told and reach; 443 unless it names a port. A
    /// list of two moves phones: the first is where they shall live, see [`Config::former_url`].
    ///
    /// Left out, it is the address and port that `listen.phones-https` was bound to. A phone is
    /// pinned to this address only after it has reached Provost at it.
    pub public_url: Option<PublicUrl>,
    /// The second address of `public-url`: where phones asked before, and are served until they moved.
    pub former_url: Option<PublicUrl>,
    /// `public-http-url`: the `http://` address of `listen.phones-http`, which administrators are told
    /// to key into phones for the plain-HTTP bootstrap; 80 unless it names a port.
    ///
    /// Left out, it is the host of `public-url` with the port of the listener.
    pub public_http_url: Option<HttpUrl>,
    /// `catalog-dir`: a folder of your own phone facts, laid over those that come with Provost.
    pub catalog_dir: Option<PathBuf>,
    /// `[listen]`: the addresses Provost opens.
    pub listen: Listeners,
    /// `[tls]`: how Provost proves itself to phones, and what it takes from them.
    pub tls: Tls,
    /// `[sip]`: calls from phones that want to be activated.
    pub sip: Sip,
    /// `[mail]`: the mail server that mails go out by.
    pub mail: Option<Mail>,
    /// `[firmware]`: the images that phones are brought up by.
    pub firmware: Firmware,
    /// `[time]`: who tells phones the time.
    pub time: Time,
    /// `[console]`: the web interface for administrators.
    pub console: Console,
    /// `[secrets]`: the key that encrypts codes and passwords at rest.
    pub secrets: Secrets,
    /// `[log]`: what is written to the log, and how.
    pub log: Log,
}

/// `[listen]`: one address per listener, `"host:port"` or `"off"`; port 0 takes a free one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listeners {
    /// `phones-https`: where phones fetch what is theirs; TCP with TLS.
    pub phones_https: Listen,
    /// `phones-http`: plain HTTP for phones that cannot use TLS yet; nothing secret is served.
    pub phones_http: Listen,
    /// `console`: the web interface and the REST API; beyond loopback with a certificate, or behind a proxy.
    pub console: Listen,
    /// `sntp`: the time, over UDP. Real phones ask port 123 and no other.
    pub sntp: Listen,
    /// `sip`: where unclaimed phones register and call to be activated; UDP and TCP at one port.
    pub sip: Listen,
}

/// `[tls]`: how Provost proves itself to phones, and what it takes from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `certificate` and `key`: PEM files, the certificate with its chain; a string each, or
    /// lists of equal length to serve RSA and P-256 side by side. An RSA pair is a must: many
    /// phones know nothing else. Empty when neither key is given.
    pub pairs: Vec<CertificatePair>,
    /// `acme-directory`, `acme-contact` and `acme-authority`: gets and renews certificates for the
    /// host of `public-url` from a public authority, in the place of `certificate` and `key`.
    pub acme: Option<Acme>,
    /// `legacy-tls`: also serves TLS 1.0 and 1.1 and takes SHA-1 and 1024-bit phone certificates.
    /// Only for phones that can be neither updated nor replaced.
    pub legacy_tls: bool,
    /// `accept-expired-leaf`: takes a factory certificate that has run out, with a note on the
    /// phone's timeline; everything else about it must still hold.
    pub accept_expired_leaf: bool,
    /// `trust-dir`: the authorities whose phone certificates count; see [`Config::trust_dir`].
    pub trust_dir: Option<PathBuf>,
}

/// `[time]`: who tells phones the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// `servers`: host names or addresses phones are told to ask; empty means the host of
    /// `public-url`, which is Provost itself.
    pub servers: Vec<String>,
}

/// `[secrets]`: the key that encrypts codes and passwords at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// `key-file`: made with mode 0600 at the first start; see [`Config::key_file`]. A backup
    /// never holds it: keep a copy elsewhere.
    pub key_file: Option<PathBuf>,
}

/// `[log]`: what is written to the log, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// `level`: the least serious message that is written.
    pub level: LogLevel,
    /// `format`: lines for people, or one JSON object a line for machines.
    pub format: LogFormat,
}

/// How serious a message must be to be written; each level includes those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// A person must act.
    Error,
    /// Degraded but working.
    Warn,
    /// One line for each step of a phone.
    Info,
    /// One line for each datagram and request.
    Debug,
    /// The bytes as well.
    Trace,
}

impl LogLevel {
    const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// The word for it in `provost.toml`, which `tracing` understands as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A configuration that may be used, and what the operator should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What works but is likely not meant, in the order of the file.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads the file at `path`, or no file at all, under the environment `env`.
    ///
    /// Without a file relative paths start at the working folder.
    ///
    /// # Errors
    /// Everything that is wrong with the file and the variables, at once.
    pub fn load<E>(path: Option<&Path>, env: E) -> Result<Loaded, ConfigErrors>
    where
        E: IntoIterator<Item = (OsString, OsString)>,
    {
        let Some(path) = path else {
            return parse("", "provost.toml", Path::new(""), env);
        };
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let at = Place::File { file: name.clone() };
            ConfigErrors::one(Problem::new(at, Wrong::Unreadable { error }))
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let at = Place::Line { file: name.clone(), line: document::line_after(before) };
            ConfigErrors::one(Problem::new(at, Wrong::NotUtf8))
        })?;
        parse(text, &name, path.parent().unwrap_or(Path::new("")), env)
    }

    /// The folder of the authorities whose phone certificates count; `trust` in the data folder
    /// unless `tls.trust-dir` says otherwise.
    pub fn trust_dir(&self) -> PathBuf {
        self.tls.trust_dir.clone().unwrap_or_else(|| default::trust_dir(&self.data_dir))
    }

    /// The folder of firmware images; `firmware` in the data folder unless `firmware.store` says otherwise.
    pub fn firmware_store(&self) -> PathBuf {
        self.firmware.store.clone().unwrap_or_else(|| default::firmware_store(&self.data_dir))
    }

    /// The file of the key that encrypts codes and passwords; `secret.key` in the data folder
    /// unless `secrets.key-file` says otherwise.
    pub fn key_file(&self) -> PathBuf {
        self.secrets.key_file.clone().unwrap_or_else(|| default::key_file(&self.data_dir))
    }
}

/// Reads a configuration from `text`, which messages call `name`, under the environment `env`.
///
/// Relative paths in it start at `base_dir`.
///
/// # Errors
/// Everything that is wrong with the text and the variables, at once.
pub fn parse<E>(text: &str, name: &str, base_dir: &Path, env: E) -> Result<Loaded, ConfigErrors>
where
    E: IntoIterator<Item = (OsString, OsString)>,
{
    let mut document = Document::new(text, name, base_dir, env);
    let config = read_config(&mut document);
    let warnings = document.finish()?;
    Ok(Loaded { config, warnings })
}

fn read_config(document: &mut Document) -> Config {
    let (public_url, former_url) = read_public_urls(document);
    let (listen, console_place) = read_listeners(document);
    let tls = read_tls(document, [public_url.as_ref(), former_url.as_ref()], &listen);
    let console = console::read(document, (&listen.console, console_place), &tls);
    Config {
        data_dir: document.path("", "data-dir").unwrap_or_else(|| default::data_dir(document.base_dir())),
        database: document.parsed("", "database", Database::parse).unwrap_or_else(default::database),
        public_url,
        former_url,
        public_http_url: document.parsed("", "public-http-url", public_http_url),
        catalog_dir: document.path("", "catalog-dir"),
        listen,
        tls,
        sip: sip::read(document),
        mail: mail::read(document),
        firmware: firmware::read(document),
        time: Time { servers: read_time_servers(document) },
        console,
        secrets: Secrets { key_file: document.path("secrets", "key-file") },
        log: Log {
            level: document.parsed("log", "level", log_level).unwrap_or_else(default::log_level),
            format: document.parsed("log", "format", log_format).unwrap_or_else(default::log_format),
        },
    }
}

fn read_tls(document: &mut Document, [public_url, former_url]: [Option<&PublicUrl>; 2], listen: &Listeners) -> Tls {
    let pairs = certificate_pairs(document, "tls");
    let around = acme::Around { public_url, former_url, phones_http: &listen.phones_http, pairs: &pairs };
    Tls {
        acme: acme::read(document, &around),
        pairs,
        legacy_tls: document.flag("tls", "legacy-tls").unwrap_or_else(default::legacy_tls),
        accept_expired_leaf: document.flag("tls", "accept-expired-leaf").unwrap_or_else(default::accept_expired_leaf),
        trust_dir: document.path("tls", "trust-dir"),
    }
}

/// Where listeners are opened, and where the console's address is written, if it is.
fn read_listeners(document: &mut Document) -> (Listeners, Option<Place>) {
    let (console, place) = match document.parsed_at("listen", "console", Listen::parse) {
        Some((console, place)) => (console, Some(place)),
        None => (default::console(), None),
    };
    let listeners = Listeners {
        phones_https: document.parsed("listen", "phones-https", Listen::parse).unwrap_or_else(default::phones_https),
        phones_http: document.parsed("listen", "phones-http", Listen::parse).unwrap_or_else(default::phones_http),
        console,
        sntp: document.parsed("listen", "sntp", Listen::parse).unwrap_or_else(default::sntp),
        sip: document.parsed("listen", "sip", Listen::parse).unwrap_or_else(default::sip),
    };
    if let Some((Listen::At { .. }, place)) = document.parsed_at("listen", "metrics", Listen::parse) {
        document.warn(place, &Key::new("listen", "metrics"), Refusal::NoSuchListener);
    }
    (listeners, place)
}

fn read_time_servers(document: &mut Document) -> Vec<String> {
    let Some((servers, place)) = document.list("time", "servers") else {
        return Vec::new();
    };
    for server in servers.iter().filter(|server| !listen::is_host(server)) {
        let refusal = Refusal::NotAHost { found: server.clone() };
        document.refuse(place.clone(), &Key::new("time", "servers"), refusal);
    }
    servers
}

fn log_level(text: &str) -> Result<LogLevel, Refusal> {
    let known = LogLevel::ALL.into_iter().find(|level| level.as_str() == text);
    known.ok_or_else(|| Refusal::NotOneOf { found: text.to_owned(), known: "error, warn, info, debug, trace" })
}

fn log_format(text: &str) -> Result<LogFormat, Refusal> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(Refusal::NotOneOf { found: text.to_owned(), known: "text, json" }),
    }
}
