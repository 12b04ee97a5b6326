//! Sends mails to one mail server.
//!
//! Decides how a mail is said and what an answer means; never which mail, and it remembers nothing. The end of a mail is a
//! step of its own: everything before it delivers nothing, so until then a mail may be said again; whoever calls writes
//! down that it comes ([`Session::finish`], docs/design/011).
//! Rules: RFC 5321, RFC 3207 (STARTTLS); messages by lettre.

mod message;
mod secure;
#[cfg(test)]
mod tests;
mod wire;

use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use provost_core::mail::{Outgoing, Verdict};
use provost_core::secret::Secret;
use std::fmt;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::{Waits, Wire};

/// How the connection is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after a word in clear; a server that does not offer it gets nothing.
    StartTls,
    /// None at all.
    Plain,
}

/// A mail server and how to sign in there.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is kept.
    pub security: Security,
    /// Name and password to sign in with.
    pub credentials: Option<(String, Secret)>,
    /// Authorities to trust beside the system's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// What we call ourselves.
    pub hello: String,
    /// Who the mails are from.
    pub from: Sender,
}

/// Who mails are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl std::str::FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error: lettre::address::AddressError| error.to_string())
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Longer than any network takes that mail could be sent over.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// For each answer; some servers make strangers wait on purpose.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// For the answer to a whole mail (RFC 5321, 4.5.3.2.6).
const VERDICT_WITHIN: Duration = Duration::from_secs(600);
/// After all of a mail but its end was said: a server that is gone shows within this.
const LISTEN_BEFORE_END: Duration = Duration::from_millis(100);

/// A mail server that listens.
pub struct Session {
    smtp: AsyncSmtpConnection,
    waits: Waits,
    from: Mailbox,
    is_usable: bool,
}

/// What became of the beginning of a mail.
#[derive(Debug, PartialEq, Eq)]
pub enum Offered {
    /// All of it was said but its end.
    AllButEnd,
    /// The mail server said something else about this mail.
    Not(Verdict),
    /// The mail server takes no mails from us now.
    ServerFails(String),
}

impl MailServer {
    /// Connects, secures the connection and signs in.
    ///
    /// # Errors
    /// Why not, in words for whoever runs the server.
    pub async fn connect(&self) -> Result<Session, String> {
        let place = format!("{}:{}", self.host, self.port);
        let host = self.host.trim_matches(['[', ']']);
        let connected = timeout(CONNECT_WITHIN, TcpStream::connect((host, self.port))).await;
        let tcp = connected
            .map_err(|_| format!("the mail server {place} did not answer within {} s", CONNECT_WITHIN.as_secs()))?
            .map_err(|error| format!("the mail server {place} cannot be reached: {error}"))?;
        let hello = ClientId::Domain(self.hello.clone());
        let (wire, waits) = Wire::new(tcp);
        let begun = timeout(ANSWER_WITHIN, async {
            let stream = secure::secured(wire, self).await?;
            let smtp = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
            let mut smtp = smtp.map_err(|error| words(&error))?;
            if let Some((user, password)) = &self.credentials {
                let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
                let signed_in = smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
                signed_in.map_err(|error| format!("signing in as {user} failed: {}", words(&error)))?;
            }
            Ok::<_, String>(smtp)
        });
        let begun = begun.await.map_err(|_| format!("it said nothing for {} s", ANSWER_WITHIN.as_secs()))?;
        let smtp = begun.map_err(|why| format!("the mail server {place}: {why}"))?;
        Ok(Session { smtp, waits, from: self.from.0.clone(), is_usable: true })
    }
}

impl Session {
    /// Whether another mail can be said.
    pub const fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// Says a mail but for its end.
    pub async fn offer(&mut self, mail: &Outgoing) -> Offered {
        let to: Address = match mail.to.parse() {
            Ok(to) => to,
            Err(error) => return Offered::Not(Verdict::Refused(format!("{} is no mail address: {error}", mail.to))),
        };
        let content = match message::written(mail, &self.from, &to) {
            Ok(content) => content,
            Err(why) => return Offered::Not(Verdict::Refused(why)),
        };
        let mut options = Vec::new();
        let own = &self.from.email;
        if !(AsRef::<str>::as_ref(&to).is_ascii() && AsRef::<str>::as_ref(own).is_ascii()) {
            if !self.smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
                let why = "the mail server cannot write to addresses with letters beyond ASCII".to_owned();
                return Offered::Not(Verdict::Refused(why));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let has_options = !options.is_empty();
        if let Err(error) = self.say(Mail::new(Some(own.clone()), options)).await {
            if has_options && error.is_permanent && !error.is_about_us() {
                return self.not(error).await;
            }
            self.is_usable = false;
            // Who we are is not the mail's fault.
            return Offered::ServerFails(error.words);
        }
        match self.say(Rcpt::new(to, Vec::new())).await {
            Ok(_) => {}
            Err(error) => return self.not_or_us(error).await,
        }
        if let Err(error) = self.say(Data).await {
            return self.not_or_us(error).await;
        }
        self.say_content(&content).await
    }

    /// Says the end of the mail, and hears what the mail server makes of it. From here on it may be delivered.
    pub async fn finish(&mut self) -> Verdict {
        let answer = timeout(VERDICT_WITHIN, self.smtp.command(End)).await;
        let verdict = match answer {
            Err(_) => Verdict::Doubtful(format!(
                "the mail server had the whole mail and said nothing for {} minutes",
                VERDICT_WITHIN.as_secs() / 60
            )),
            Ok(Ok(response)) => Verdict::Sent(said(&response)),
            Ok(Err(error)) if error.is_permanent() => Verdict::Refused(words(&error)),
            Ok(Err(error)) if error.is_transient() => Verdict::Later(words(&error)),
            Ok(Err(error)) => Verdict::Doubtful(format!(
                "the mail server had the whole mail and went away without an answer ({})",
                words(&error)
            )),
        };
        self.is_usable = matches!(verdict, Verdict::Sent(_) | Verdict::Refused(_));
        verdict
    }

    /// Leaves the mail that was offered without its end: it is as if it never was, and so is the connection.
    pub const fn abandon(&mut self) {
        self.is_usable = false;
    }

    /// Leaves politely.
    pub async fn quit(mut self) {
        if self.is_usable {
            let _ = timeout(Duration::from_secs(5), self.smtp.quit()).await;
        }
    }

    /// The content, and then nothing until it is all on its way and a dead server had time to show.
    async fn say_content(&mut self, content: &str) -> Offered {
        let said = self.smtp.command(Content(content));
        let mut said = std::pin::pin!(said);
        let early = timeout(ANSWER_WITHIN, async {
            tokio::select! {
                biased;
                answer = &mut said => Some(answer),
                () = self.waits.for_an_answer() => timeout(LISTEN_BEFORE_END, &mut said).await.ok(),
            }
        });
        let verdict = match early.await {
            Ok(None) => return Offered::AllButEnd,
            Err(_) => Verdict::Later("the mail server stopped reading in the middle of the mail".to_owned()),
            Ok(Some(Ok(response))) => Verdict::Later(format!(
                "the mail server answered before the end of the mail: {}",
                self::said(&response)
            )),
            Ok(Some(Err(error))) if error.is_permanent() => Verdict::Refused(words(&error)),
            Ok(Some(Err(error))) => {
                Verdict::Later(format!("the mail server went away in the middle of the mail ({})", words(&error)))
            }
        };
        self.is_usable = false;
        Offered::Not(verdict)
    }

    async fn say(&mut self, command: impl fmt::Display) -> Result<Response, Trouble> {
        match timeout(ANSWER_WITHIN, self.smtp.command(command)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Trouble {
                is_permanent: error.is_permanent(),
                is_answer: error.is_permanent() || error.is_transient(),
                words: words(&error),
            }),
            Err(_) => {
                let words = format!("the mail server said nothing for {} s", ANSWER_WITHIN.as_secs());
                Err(Trouble { is_permanent: false, is_answer: false, words })
            }
        }
    }

    /// A mail that is not taken, unless that is said of us: some servers say so only when they hear for whom it is.
    async fn not_or_us(&mut self, trouble: Trouble) -> Offered {
        if !trouble.is_about_us() {
            return self.not(trouble).await;
        }
        self.is_usable = false;
        Offered::ServerFails(trouble.words)
    }

    /// A mail that is not taken; the next one may be.
    async fn not(&mut self, trouble: Trouble) -> Offered {
        self.is_usable = trouble.is_answer && self.say(Rset).await.is_ok();
        let verdict = if trouble.is_permanent { Verdict::Refused } else { Verdict::Later };
        Offered::Not(verdict(trouble.words))
    }
}

/// Why a command did not succeed.
struct Trouble {
    is_permanent: bool,
    /// Whether the mail server said so.
    is_answer: bool,
    words: String,
}

impl Trouble {
    /// Whether it is said of the sender or of how he signed in, and so of every mail (RFC 4954, 6; RFC 3463, 3.2 and 3.8).
    fn is_about_us(&self) -> bool {
        const CODES: [&str; 4] = ["521", "530", "535", "538"];
        const STATUSES: [&str; 7] = ["5.1.7", "5.1.8", "4.1.7", "4.1.8", "5.7.8", "5.7.9", "5.7.11"];
        let mut words = self.words.split(' ');
        let (code, status) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // Postfix says it with the status of any refusal.
        let says_so = self.words.to_ascii_lowercase().contains("sender address rejected");
        self.is_answer && (CODES.contains(&code) || STATUSES.contains(&status) || says_so)
    }
}

/// What a mail says, without its end; lines that begin with a dot get another (RFC 5321, 4.5.2).
struct Content<'a>(&'a str);

impl fmt::Display for Content<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive("\r\n") {
            if line.starts_with('.') {
                out.write_str(".")?;
            }
            out.write_str(line)?;
        }
        if self.0.ends_with("\r\n") { Ok(()) } else { out.write_str("\r\n") }
    }
}

/// The end of a mail.
struct End;

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(".\r\n")
    }
}

/// What a mail server said, on one line.
fn said(response: &Response) -> String {
    let lines: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), lines.join(" "))
}

/// An error with its causes.
fn words(error: &Error) -> String {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    match (error.status(), causes.is_empty()) {
        (Some(code), false) => format!("{code} {}", causes.join(": ")),
        (Some(code), true) => code.to_string(),
        (None, false) => causes.join(": "),
        (None, true) => error.to_string(),
    }
}
