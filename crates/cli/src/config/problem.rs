//! What can be wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::io;

use provost_core::address_range::AddressRangeError;
use provost_core::public_url::PublicUrlError;

/// Where a message about the configuration points; shown in front of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    File {
        /// The file as the operator named it.
        file: String,
    },
    /// A line of the file, counted from 1.
    Line {
        /// The file as the operator named it.
        file: String,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file } => out.write_str(file),
            Self::Line { file, line } => write!(out, "{file}:{line}"),
            Self::Variable { name } => out.write_str(name),
        }
    }
}

/// One thing an operator should mend or know, with its place.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Problem {
    at: Place,
    message: String,
}

impl Problem {
    pub(super) fn new(at: Place, wrong: Wrong) -> Self {
        // Two lines would look like two problems; a TOML message can hold a line end.
        let message = wrong.to_string().replace('\n', ", ");
        Self { at, message }
    }

    /// Where it is.
    pub const fn at(&self) -> &Place {
        &self.at
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.at, self.message)
    }
}

/// Everything that keeps a configuration from being used, one line each, in the file's order.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(problems))]
pub struct ConfigErrors {
    problems: Vec<Problem>,
}

impl ConfigErrors {
    pub(super) fn one(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }

    pub(super) fn sorted(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|one, other| one.at.cmp(&other.at));
        Self { problems }
    }

    /// Each of them.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

/// What is wrong with a configuration, or worth a warning.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("cannot read it: {error}; name an existing file that provost may read")]
    Unreadable { error: io::Error },
    #[error("this line is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    #[error("not TOML: {message}")]
    Syntax { message: String },
    #[error("unknown section [{section}]; {advice}")]
    UnknownSection { section: String, advice: String },
    #[error("unknown key `{key}`; {advice}")]
    UnknownKey { key: String, advice: String },
    #[error("unknown variable, ignored; {advice}")]
    UnknownVariable { advice: String },
    #[error("`{section}` is a section, found {found}; write [{section}] and its keys below it")]
    NotASection { section: String, found: &'static str },
    #[error("`{key}` is no section; write `{key} = ...` above the first section")]
    NotAValue { key: String },
    #[error("`{key}`: {refusal}")]
    Value { key: String, refusal: Refusal },
}

/// Why a value is not taken, or worth a warning.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("expected {expected}, found {found}")]
    Type { found: &'static str, expected: &'static str },
    #[error("empty; write a value, or remove it to have the default")]
    Empty,
    #[error("not UTF-8; write it in UTF-8")]
    NotUtf8,
    #[error("\"{found}\" is unknown; write one of: {known}")]
    NotOneOf { found: String, known: &'static str },
    #[error(
        "\"{found}\" is no address to listen at; write \"host:port\" such as \"127.0.0.1:8443\" or \
         \"[::1]:8443\", with port 0 for a free one, or \"off\""
    )]
    NotAnAddress { found: String },
    #[error(
        "\"{found}\" can be reached from other machines, and passwords would cross the network in clear; write \
         `certificate` and `key` in [console] or [tls], or `behind-proxy = true` in [console] where a proxy speaks \
         HTTPS to browsers, or a loopback address such as \"127.0.0.1:8081\""
    )]
    ConsoleBeyondLoopback { found: String },
    #[error(
        "\"{found}\" can be reached from other machines, and with `behind-proxy` the console speaks plain HTTP there; \
         write the addresses of the proxy as `proxies = [\"10.1.2.3/32\"]` in [console], or listen at a loopback address \
         such as \"127.0.0.1:8081\" where the proxy is on this machine"
    )]
    ConsoleBehindNobody { found: String },
    #[error("{error}")]
    NotARange { error: AddressRangeError },
    #[error("this version opens no such listener; write \"off\" or remove it")]
    NoSuchListener,
    #[error("\"{found}\" is no address of a machine; write an IP address such as \"203.0.113.7\"")]
    NotAnExternalAddress { found: String },
    #[error("\"{found}\" is no range of ports with an even one in it; write \"first-last\" such as \"16384-17383\"")]
    NotPorts { found: String },
    #[error("{error}")]
    NotAPublicUrl { error: PublicUrlError },
    #[error("\"{found}\" is no address for phones without TLS; write \"http://host\" or \"http://host:port\"")]
    NotAnHttpUrl { found: String },
    #[error("a user or password in it would be told to every phone; write the host alone")]
    UrlWithPassword,
    #[error("{found} addresses; write the one where phones shall live, and after it at most the former one")]
    NotOneOrTwoUrls { found: usize },
    #[error("the same address twice; write the one where phones shall live first and the former one second")]
    SameUrlTwice,
    #[error("unknown database; write \"sqlite\", or \"postgres://USER:PASSWORD@HOST/DATABASE\", or remove it")]
    NotADatabase,
    #[error("no URL of a PostgreSQL database: {why}; write \"postgres://USER:PASSWORD@HOST/DATABASE\"")]
    NotAPostgresUrl { why: String },
    #[error("no address of an ACME directory; write \"https://host/path\" as the authority names it")]
    NotADirectory,
    #[error("\"{found}\" is no mail address the authority could write to; write \"mailto:name@example.com\"")]
    NotAContact { found: String },
    #[error("means nothing without `tls.acme-directory`; write that too, or remove this")]
    AcmeWithoutDirectory,
    #[error("a certificate is named as well, and phones see one or the other; remove `certificate` and `key`, or this")]
    AcmeBesideCertificate,
    #[error("needs a name to get a certificate for; write `public-url` with a DNS name, not an address")]
    AcmeWithoutName,
    #[error(
        "the second `public-url` is an address, for which no certificate would come, so that phones would turn away \
         from it; remove this until they moved, and name a `certificate` that holds both"
    )]
    AcmeWithFormerAddress,
    #[error(
        "needs `listen.phones-http`, where the authority asks whether the name leads here; give it an address that \
         port 80 of the name leads to"
    )]
    AcmeWithoutHttp,
    #[error("no address of a mail server: {why}; write \"smtp://user@host:587\" or \"smtps://user@host:465\"")]
    NotAnSmtpUrl { why: &'static str },
    #[error(
        "\"{found}\" is nobody mails could be from; write \"phones@example.com\" or \"Phones <phones@example.com>\""
    )]
    NotASender { found: String },
    #[error("names a mail server and nobody whom mails are from; write `from` too")]
    MailWithoutSender,
    #[error("means nothing without `smtp-url`; write that too, or remove this")]
    MailWithoutServer,
    #[error("an smtps:// address has TLS from the first byte; remove this, or write smtp://")]
    StartTlsBesideTls,
    #[error("names a user and no password; write it into a file and name it with `smtp-password-file`")]
    SmtpUserWithoutPassword,
    #[error("names no user for the password in `smtp-password-file`; write \"smtp://user@host\"")]
    SmtpPasswordWithoutUser,
    #[error("the password would be sent in clear; write \"required\", or remove this")]
    SmtpPasswordInClear,
    #[error("mails with activation codes are sent in clear; do so in networks of your own only")]
    MailInClear,
    #[error("images cannot lie in S3 in this version; write the path of a folder, or remove it")]
    StoreInS3,
    #[error("images lie in a folder, and this is an address; write the path of a folder, or remove it")]
    StoreNotAFolder,
    #[error("\"{found}\" is no host; write names or addresses without scheme and port")]
    NotAHost { found: String },
    #[error(
        "{certificates} certificate and {keys} key files; \
         write one key file for each certificate file, in the same order"
    )]
    UnpairedKeys { certificates: usize, keys: usize },
}
