//! `[mail]`: the mail server that mails go out by.

use super::document::{Document, Key};
use super::problem::{Place, Refusal};
use provost_outbound::mail::{Security, Sender};
use std::fmt;
use std::path::PathBuf;

/// `[mail]`: the mail server that mails go out by; without it no mail is sent, and whatever needs mail says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// `smtp-url`: `"smtp://user@host:587"` for TLS after STARTTLS, `"smtps://user@host:465"` for TLS at once. A server at a
    /// loopback address is spoken to in clear.
    pub smtp_url: SmtpUrl,
    /// `smtp-password-file`: the file whose first line is the password of that user.
    pub smtp_password_file: Option<PathBuf>,
    /// `smtp-authority`: a PEM file of authorities that may sign the mail server's certificate, beside the system's.
    pub smtp_authority: Option<PathBuf>,
    /// `starttls`: `"required"` or `"off"`; off sends activation codes in clear, so it is for networks of your own.
    /// Left out, it is off for a server at a loopback address and required for every other.
    pub security: Security,
    /// `from`: who the mails are from, as `"Phones <phones@example.com>"`.
    pub from: Sender,
}

/// The address of a mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// Whether TLS begins at once.
    pub is_tls: bool,
    /// Who signs in.
    pub user: Option<String>,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// For clients that sign in (RFC 6409).
const SUBMISSION_PORT: u16 = 587;
/// The same with TLS at once (RFC 8314).
const SUBMISSIONS_PORT: u16 = 465;
/// Between servers, where nobody signs in.
const RELAY_PORT: u16 = 25;

pub(super) fn read(document: &mut Document) -> Option<Mail> {
    let url = document.parsed_at("mail", "smtp-url", SmtpUrl::parse);
    let from = document.parsed_at("mail", "from", sender);
    let starttls = document.parsed_at("mail", "starttls", starttls);
    let smtp_password_file = document.path("mail", "smtp-password-file");
    let smtp_authority = document.path("mail", "smtp-authority");
    let (url, from) = match (url, from) {
        (Some(url), Some((from, _))) => (url, from),
        (Some((_, place)), None) => {
            refuse_unless_refused(document, (place, "smtp-url"), Refusal::MailWithoutSender);
            return None;
        }
        (None, Some((_, place))) => {
            refuse_unless_refused(document, (place, "from"), Refusal::MailWithoutServer);
            return None;
        }
        (None, None) => return None,
    };
    let (smtp_url, place) = url;
    let security = match (&starttls, smtp_url.is_tls) {
        (Some((_, place)), true) => {
            document.refuse(place.clone(), &Key::new("mail", "starttls"), Refusal::StartTlsBesideTls);
            Security::Tls
        }
        (None, true) => Security::Tls,
        (Some((security, _)), false) => *security,
        (None, false) if smtp_url.is_loopback() => Security::Plain,
        (None, false) => Security::StartTls,
    };
    match (smtp_url.user.is_some(), smtp_password_file.is_some()) {
        (true, true) | (false, false) => {}
        (true, false) => document.refuse(place, &Key::new("mail", "smtp-url"), Refusal::SmtpUserWithoutPassword),
        (false, true) => document.refuse(place, &Key::new("mail", "smtp-url"), Refusal::SmtpPasswordWithoutUser),
    }
    if let Some((Security::Plain, place)) = starttls
        && !smtp_url.is_loopback()
    {
        let key = Key::new("mail", "starttls");
        if smtp_url.user.is_some() {
            document.refuse(place, &key, Refusal::SmtpPasswordInClear);
        } else {
            document.warn(place, &key, Refusal::MailInClear);
        }
    }
    Some(Mail { smtp_url, smtp_password_file, smtp_authority, security, from })
}

/// One of the two that was refused itself is no reason to ask for it.
fn refuse_unless_refused(document: &mut Document, (place, key): (Place, &str), refusal: Refusal) {
    let other = if key == "from" { "smtp-url" } else { "from" };
    if !document.has_refused(&Key::new("mail", other)) {
        document.refuse(place, &Key::new("mail", key), refusal);
    }
}

impl SmtpUrl {
    fn parse(text: &str) -> Result<Self, Refusal> {
        // Nothing of it is repeated in a message: it may hold a password.
        let not = |why: &'static str| Refusal::NotAnSmtpUrl { why };
        let is_tls = text.starts_with("smtps://");
        if !is_tls && !text.starts_with("smtp://") {
            return Err(not("it begins with neither smtp:// nor smtps://"));
        }
        let url = url::Url::parse(text).map_err(|_| not("it is no URL"))?;
        if url.password().is_some() {
            return Err(not("it holds a password; write that into a file and name it with smtp-password-file"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(not("something follows the host and port"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| not("it names no host"))?;
        let user = percent_encoding_of(url.username())?;
        let default = match (is_tls, user.is_some()) {
            (true, _) => SUBMISSIONS_PORT,
            (false, true) => SUBMISSION_PORT,
            (false, false) => RELAY_PORT,
        };
        let port = url.port().unwrap_or(default);
        if port == 0 {
            return Err(not("it names port 0"));
        }
        Ok(Self { is_tls, user, host: host.to_owned(), port })
    }

    fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Scheme, host and port.
impl fmt::Display for SmtpUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "smtps" } else { "smtp" };
        write!(out, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// A user name as it is said: `%40` in a URL is an @.
fn percent_encoding_of(written: &str) -> Result<Option<String>, Refusal> {
    if written.is_empty() {
        return Ok(None);
    }
    // A form's value is written the same way but for the plus sign.
    let pair = format!("u={}", written.replace('+', "%2B"));
    let user = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, user)| user.into_owned());
    match user {
        Some(user) if user.chars().any(char::is_control) => {
            Err(Refusal::NotAnSmtpUrl { why: "the user holds control characters" })
        }
        user => Ok(user),
    }
}

fn sender(text: &str) -> Result<Sender, Refusal> {
    text.parse().map_err(|_| Refusal::NotASender { found: text.to_owned() })
}

fn starttls(text: &str) -> Result<Security, Refusal> {
    match text {
        "required" => Ok(Security::StartTls),
        "off" => Ok(Security::Plain),
        _ => Err(Refusal::NotOneOf { found: text.to_owned(), known: "required, off" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(text: &str) -> Result<Option<Mail>, String> {
        let no_variables: [(std::ffi::OsString, std::ffi::OsString); 0] = [];
        super::super::parse(text, "provost.toml", std::path::Path::new(""), no_variables)
            .map(|loaded| loaded.config.mail)
            .map_err(|errors| errors.to_string())
    }

    #[test]
    fn a_server_is_spoken_to_in_tls_unless_it_lives_on_this_machine() {
        let of = |url: &str, rest: &str| {
            let text = format!("[mail]\nsmtp-url = \"{url}\"\nfrom = \"a@example.com\"\n{rest}");
            read_of(&text).unwrap().map(|mail| (mail.security, mail.smtp_url.port)).unwrap()
        };
        assert_eq!(of("smtp://mail.example.com", ""), (Security::StartTls, 25));
        assert_eq!(of("smtp://u%40x@mail.example.com", "smtp-password-file = \"p\""), (Security::StartTls, 587));
        assert_eq!(of("smtps://mail.example.com", ""), (Security::Tls, 465));
        assert_eq!(of("smtp://localhost", ""), (Security::Plain, 25));
        assert_eq!(of("smtp://[::1]:2525", "starttls = \"required\""), (Security::StartTls, 2525));
    }

    #[test]
    fn every_mistake_is_named_and_no_password_repeated() {
        for (text, words) in [
            ("smtp-url = \"smtp://u:hunter2@h\"\nfrom = \"a@example.com\"", "smtp-password-file"),
            ("smtp-url = \"http://h\"\nfrom = \"a@example.com\"", "neither smtp://"),
            ("smtp-url = \"smtp://h/path\"\nfrom = \"a@example.com\"", "follows"),
            ("smtp-url = \"smtp://h\"", "`from`"),
            ("from = \"a@example.com\"", "smtp-url"),
            ("smtp-url = \"smtp://h\"\nfrom = \"nobody\"", "nobody"),
            ("smtp-url = \"smtp://u@h\"\nfrom = \"a@example.com\"", "smtp-password-file"),
            ("smtp-url = \"smtp://h\"\nsmtp-password-file = \"p\"\nfrom = \"a@example.com\"", "no user"),
            ("smtp-url = \"smtps://h\"\nstarttls = \"off\"\nfrom = \"a@example.com\"", "smtps://"),
            (
                "smtp-url = \"smtp://u@h\"\nsmtp-password-file = \"p\"\nstarttls = \"off\"\nfrom = \"a@example.com\"",
                "in clear",
            ),
            ("smtp-url = \"smtp://h\"\nfrom = \"a@example.com\"\nport = 25", "unknown key"),
        ] {
            let errors = read_of(&format!("[mail]\n{text}")).unwrap_err();
            assert!(errors.contains(words) && !errors.contains("hunter2"), "{text}\n{errors}");
        }
        assert_eq!(read_of("").unwrap(), None);
    }
}
