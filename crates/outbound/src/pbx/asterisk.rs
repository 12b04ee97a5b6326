//! A conversation with Asterisk's manager interface.
//!
//! Signs in by challenge, so that the secret itself is never sent. Both SIP drivers are asked; one that is not loaded
//! is none of theirs.

use super::ami::{action, channel_of, greeting, key, pjsip_contact, sip_peer};
use super::lines::{Buffer, Fields};
use super::{MOST_BYTES, broken, keep, more};
use crate::connect::Io;
use provost_core::pbx::{Calls, CheckSynced, PbxError, PbxTarget, Registration, Resync, Survey, shown};
use tokio::io::AsyncWriteExt as _;

struct Manager {
    io: Box<dyn Io>,
    buffer: Buffer,
    actions: u32,
    received: usize,
}

/// What one action came to.
enum Answer {
    Done(Fields),
    /// It said no, in these words.
    No(String),
}

pub(super) async fn survey(io: Box<dyn Io>, target: &PbxTarget) -> Result<Survey, PbxError> {
    let (mut manager, banner) = Manager::sign_in(io, target).await?;
    let name = manager.name(&banner).await?;
    let mut registrations = Vec::new();
    const PJSIP: &str = "PJSIPShowRegistrationInboundContactStatuses";
    let newer = manager.list(PJSIP, |event| pjsip_contact(event).map_or(Ok(()), |one| keep(&mut registrations, one)));
    let newer = newer.await?;
    let older = manager.list("SIPpeers", |event| sip_peer(event).map_or(Ok(()), |one| keep(&mut registrations, one)));
    let older = older.await?;
    if let (Answer::No(answer), Answer::No(_)) = (newer, older) {
        return Err(PbxError::Refused { command: PJSIP, answer });
    }
    let mut channels = 0usize;
    let listed = manager.list("CoreShowChannels", |_| {
        channels = channels.saturating_add(1);
        Ok(())
    });
    let calls = match listed.await? {
        Answer::Done(_) => Calls::Known(channels),
        Answer::No(answer) => Calls::Unknown(unknown(&answer)),
    };
    Ok(Survey { name, registrations, calls })
}

pub(super) async fn check_sync(
    io: Box<dyn Io>,
    target: &PbxTarget,
    (to, what): (&Registration, Resync),
) -> Result<CheckSynced, PbxError> {
    let (mut manager, _) = Manager::sign_in(io, target).await?;
    let endpoint = to.way.address_of_record.as_str();
    let mut is_busy = false;
    let listed = manager.list("CoreShowChannels", |event| {
        is_busy |= channel_of(event).is_some_and(|device| device == endpoint || device == to.line);
        Ok(())
    });
    let calls_unknown = match listed.await? {
        Answer::Done(_) if is_busy => return Ok(CheckSynced::InCall),
        Answer::Done(_) => None,
        Answer::No(answer) => Some(unknown(&answer)),
    };
    let event = format!("Event={}", what.event());
    let (command, fields) = if to.way.is_chan_sip {
        ("SIPnotify", [("Channel", endpoint), ("Variable", event.as_str())])
    } else {
        ("PJSIPNotify", [("Endpoint", endpoint), ("Variable", event.as_str())])
    };
    match manager.ask(command, &fields).await? {
        Answer::Done(said) => {
            let said = said.value("Message").map_or_else(|| "sent".to_owned(), shown);
            let answer = format!(
                "Asterisk took it for every phone of {endpoint} ({said}); it does not say what a phone answers"
            );
            Ok(CheckSynced::Sent { answer, status: None, calls_unknown })
        }
        Answer::No(answer) => Err(PbxError::Refused { command, answer }),
    }
}

fn unknown(answer: &str) -> String {
    format!("CoreShowChannels is refused ({answer}); the manager's user needs `read = system,reporting`")
}

impl Manager {
    async fn sign_in(io: Box<dyn Io>, target: &PbxTarget) -> Result<(Self, String), PbxError> {
        let mut manager = Self { io, buffer: Buffer::default(), actions: 0, received: 0 };
        let banner = loop {
            match manager.buffer.line()? {
                Some(line) => break line,
                None => manager.more().await?,
            }
        };
        let not_this = PbxError::NotThis { kind: "Asterisk manager", what: "another greeting" };
        let banner = greeting(&banner).map(shown).ok_or(not_this)?;
        let Answer::Done(said) = manager.ask("Challenge", &[("AuthType", "MD5")]).await? else {
            return Err(PbxError::SignIn);
        };
        let challenge = said.value("Challenge").ok_or(PbxError::SignIn)?;
        let secret = target.password.as_ref().map(|secret| secret.reveal()).unwrap_or_default();
        let key = key(challenge, secret);
        let user = target.user.as_deref().unwrap_or_default();
        let fields = [("AuthType", "MD5"), ("Username", user), ("Key", key.as_str()), ("Events", "off")];
        match manager.ask("Login", &fields).await? {
            Answer::Done(_) => Ok((manager, banner)),
            Answer::No(_) => Err(PbxError::SignIn),
        }
    }

    /// What it calls itself; its greeting where the version is not for us.
    async fn name(&mut self, banner: &str) -> Result<String, PbxError> {
        let said = self.ask("CoreSettings", &[]).await?;
        let version = match &said {
            Answer::Done(said) => said.value("AsteriskVersion"),
            Answer::No(_) => None,
        };
        Ok(version.map_or_else(|| banner.to_owned(), |version| format!("Asterisk {}", shown(version))))
    }

    async fn ask(&mut self, command: &'static str, fields: &[(&str, &str)]) -> Result<Answer, PbxError> {
        let id = self.send(command, fields).await?;
        loop {
            let message = self.message().await?;
            if message.value("Response").is_some() && is_for(&message, id) {
                return Ok(answered(message));
            }
        }
    }

    /// Asks for a list and hands over each of its events.
    async fn list(
        &mut self,
        command: &'static str,
        mut each: impl FnMut(&Fields) -> Result<(), PbxError>,
    ) -> Result<Answer, PbxError> {
        let id = self.send(command, &[]).await?;
        let mut answer = None;
        loop {
            let message = self.message().await?;
            if !is_for(&message, id) {
                continue;
            }
            if message.value("Response").is_some() {
                match answered(message) {
                    no @ Answer::No(_) => return Ok(no),
                    done => answer = Some(done),
                }
            } else if message.value("EventList").is_some_and(|word| word.eq_ignore_ascii_case("complete")) {
                return Ok(answer.unwrap_or(Answer::Done(message)));
            } else {
                each(&message)?;
            }
        }
    }

    async fn send(&mut self, command: &'static str, fields: &[(&str, &str)]) -> Result<u32, PbxError> {
        self.actions = self.actions.wrapping_add(1);
        let refused = || PbxError::Refused { command, answer: "a name holds control characters".to_owned() };
        let text = action(command, self.actions, fields).ok_or_else(refused)?;
        self.io.write_all(text.as_bytes()).await.map_err(|error| broken(&error))?;
        self.io.flush().await.map_err(|error| broken(&error))?;
        Ok(self.actions)
    }

    async fn message(&mut self) -> Result<Fields, PbxError> {
        loop {
            match self.buffer.message()? {
                Some(message) => return Ok(message),
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> Result<(), PbxError> {
        let mut piece = [0u8; 8192];
        let length = more(&mut *self.io, &mut piece).await?;
        // A list comes as messages without an announced length: what is held of them is bounded by what came.
        self.received = self.received.saturating_add(length);
        if self.received > MOST_BYTES {
            return Err(PbxError::TooMuch { limit: MOST_BYTES, of: "bytes" });
        }
        self.buffer.push(piece.get(..length).unwrap_or_default());
        Ok(())
    }
}

fn is_for(message: &Fields, id: u32) -> bool {
    message.value("ActionID").is_some_and(|text| text.parse() == Ok(id))
}

fn answered(message: Fields) -> Answer {
    if message.value("Response").is_some_and(|word| word.eq_ignore_ascii_case("error")) {
        return Answer::No(message.value("Message").map_or_else(|| "no".to_owned(), shown));
    }
    Answer::Done(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::pbx::{PbxKind, Reach, Security};
    use std::io::Cursor;
    use tokio::io::{AsyncReadExt as _, join, repeat, sink};

    #[test]
    fn a_manager_that_never_stops_writing_is_too_much() {
        let target = PbxTarget {
            kind: PbxKind::Asterisk,
            host: "pbx.example.com".to_owned(),
            port: 5039,
            security: Security::Tls,
            certificate: None,
            reach: Reach::Outside,
            user: None,
            password: None,
            path: String::new(),
            profile: String::new(),
            domain: None,
        };
        // It ends some day, so that this test does too.
        let endless = repeat(b'\n').take(2 * u64::try_from(MOST_BYTES).unwrap());
        let io = join(Cursor::new("Asterisk Call Manager/5.0.2\r\n").chain(endless), sink());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();

        let found = runtime.block_on(survey(Box::new(io), &target));

        assert_eq!(found, Err(PbxError::TooMuch { limit: MOST_BYTES, of: "bytes" }));
    }
}
