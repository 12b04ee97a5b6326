//! A line's account: whose it is, where it registers, and whom it calls off the hook.
//!
//! Decides how the values in force become an account. Never guesses a value that is missing: a line
//! without an address or a server has no account.
//! Rules: domain notes 3.2 and 3.9 D; parameter names come from the catalog.

use std::fmt;
use std::time::Duration;

use crate::facts::Facts;
use crate::settings::Values;
use crate::sip::wire::Transport;

/// The port of SIP (RFC 3261, 19.1.2).
pub(crate) const SIP_PORT: u16 = 5060;
/// What a phone asks for when its configuration says nothing (remembered).
const DEFAULT_EXPIRES: Duration = Duration::from_secs(3600);
/// How long a request may stay without any answer (RFC 3261, timers B and F).
const PATIENCE: Duration = Duration::from_secs(32);
/// Half a minute of voice is kept of each call.
const HEARD_BYTES: usize = 30 * 8000;

/// A password; its value shows in no debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// All a line needs to speak SIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The line's number, counted from 1.
    pub line: u32,
    /// Its user, or user@domain.
    pub address: String,
    /// The text beside its key.
    pub label: String,
    /// User of its credentials.
    pub user: String,
    /// Password of its credentials.
    pub password: Password,
    /// Name or address of its server.
    pub server: String,
    /// The server's port.
    pub port: u16,
    /// How it reaches the server.
    pub transport: Transport,
    /// Whether it registers; it can call all the same.
    pub registers: bool,
    /// How long a registration is asked for.
    pub expires: Duration,
    /// Whom it calls when its key is pressed or the handset is lifted.
    pub off_hook: Option<String>,
    /// How the phone names itself.
    pub user_agent: String,
    /// How long a request may stay without any answer.
    pub patience: Duration,
    /// Bytes of received sound kept of each call.
    pub heard_bytes: usize,
    /// Whether it sends silence between keys, as phones do whose microphone is on.
    pub speaks: bool,
    /// Whether the phone does what a NOTIFY with an action asks; if not, it answers and forgets it.
    pub obeys_actions: bool,
}

/// Why a line has no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// A value it needs is not in force.
    #[error("line {line} has no {what} in its configuration")]
    Missing {
        /// The line.
        line: u32,
        /// The catalog's word for the value.
        what: &'static str,
    },
    /// A value is no number of its kind.
    #[error("line {line}: `{found}` is no {what}")]
    Number {
        /// The line.
        line: u32,
        /// The catalog's word for the value.
        what: &'static str,
        /// The value.
        found: String,
    },
    /// The configuration asks for a transport this virtual phone does not speak.
    #[error("line {line} is told to use `{found}`; this virtual phone speaks SIP over UDP and TCP")]
    Transport {
        /// The line.
        line: u32,
        /// The value.
        found: String,
    },
}

impl Account {
    /// An account with a phone's defaults: UDP, registered for an hour.
    pub fn new((server, port): (&str, u16), (user, password): (&str, Password)) -> Self {
        Self {
            line: 1,
            address: user.to_owned(),
            label: String::new(),
            user: user.to_owned(),
            password,
            server: server.to_owned(),
            port,
            transport: Transport::Udp,
            registers: true,
            expires: DEFAULT_EXPIRES,
            off_hook: None,
            user_agent: "Provost".to_owned(),
            patience: PATIENCE,
            heard_bytes: HEARD_BYTES,
            speaks: true,
            obeys_actions: false,
        }
    }

    /// The account the values in force give `line`.
    pub(crate) fn of(values: &Values, facts: &Facts, line: u32) -> Result<Self, AccountError> {
        let words = facts.line_words(line);
        let held = |name: &Option<String>| {
            name.as_ref().and_then(|name| values.get(name)).filter(|value| !value.is_empty()).cloned()
        };
        let needed = |name, what| held(name).ok_or(AccountError::Missing { line, what });
        let address = needed(&words.address, "address")?;
        let server = needed(&words.server_address, "server-address")?;
        let port = number(held(&words.server_port), (line, "server-port"))?.filter(|port| *port != 0);
        let seconds = number(held(&words.server_expires), (line, "server-expires"))?;
        let account = Self::new((&server, port.unwrap_or(SIP_PORT)), (&user_of(&address), Password::new("")));
        let transport = match held(&words.server_transport) {
            None => Transport::Udp,
            Some(found) if words.tcp.contains(&found) => Transport::Tcp,
            Some(found) if words.tls.contains(&found) => return Err(AccountError::Transport { line, found }),
            Some(_) => Transport::Udp,
        };
        let lifted = held(&words.off_hook).is_some_and(|on| on == "1");
        Ok(Self {
            line,
            label: held(&words.label).unwrap_or_else(|| address.clone()),
            user: held(&words.user).unwrap_or(account.user),
            password: Password::new(held(&words.password).unwrap_or_default()),
            transport,
            registers: held(&words.server_register).is_none_or(|register| register != "0"),
            expires: seconds.map_or(DEFAULT_EXPIRES, |seconds: u32| Duration::from_secs(seconds.into())),
            off_hook: held(&words.off_hook_contact).filter(|_| lifted),
            user_agent: facts.sip_user_agent(),
            obeys_actions: facts.obeys_actions(values),
            address,
            ..account
        })
    }

    /// The line's own URI.
    pub(crate) fn uri(&self) -> String {
        match self.address.contains('@') {
            true => format!("sip:{}", self.address),
            false => format!("sip:{}@{}", self.address, self.host()),
        }
    }

    /// Whom a dialed number or contact means.
    pub(crate) fn target(&self, dialed: &str) -> String {
        if dialed.starts_with("sip:") {
            dialed.to_owned()
        } else if dialed.contains('@') {
            format!("sip:{dialed}")
        } else {
            format!("sip:{}@{}", dialed.replace('#', "%23"), self.host_and_port())
        }
    }

    /// The server as a URI's host and port.
    pub(crate) fn host_and_port(&self) -> String {
        match self.port {
            SIP_PORT => self.host(),
            port => format!("{}:{port}", self.host()),
        }
    }

    /// The user part of its address.
    pub(crate) fn name(&self) -> String {
        user_of(&self.address)
    }

    fn host(&self) -> String {
        if self.server.contains(':') && !self.server.starts_with('[') {
            format!("[{}]", self.server)
        } else {
            self.server.clone()
        }
    }

    /// The server as the resolver wants it.
    pub(crate) fn bare_server(&self) -> &str {
        self.server.trim_start_matches('[').trim_end_matches(']')
    }
}

/// The catalog's parameter names for one line.
#[derive(Debug, Default)]
pub(crate) struct LineWords {
    pub(crate) address: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) server_address: Option<String>,
    pub(crate) server_port: Option<String>,
    pub(crate) server_transport: Option<String>,
    pub(crate) server_register: Option<String>,
    pub(crate) server_expires: Option<String>,
    pub(crate) off_hook: Option<String>,
    pub(crate) off_hook_contact: Option<String>,
    /// Values of the transport that mean a stream.
    pub(crate) tcp: Vec<String>,
    /// Values of the transport that mean an encrypted stream.
    pub(crate) tls: Vec<String>,
}

fn user_of(address: &str) -> String {
    address.split('@').next().unwrap_or(address).to_owned()
}

fn number<T: std::str::FromStr>(
    text: Option<String>,
    (line, what): (u32, &'static str),
) -> Result<Option<T>, AccountError> {
    match text {
        None => Ok(None),
        Some(found) => match found.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(AccountError::Number { line, what, found }),
        },
    }
}
