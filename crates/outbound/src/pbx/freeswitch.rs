//! A conversation with FreeSWITCH's event socket.

use super::esl::{channels, notify, registrations, sign_in};
use super::lines::{Buffer, Fields};
use super::{MOST_BYTES, broken, keep, more};
use crate::connect::Io;
use provost_core::pbx::{Calls, CheckSynced, PbxError, PbxTarget, Registration, Resync, Survey, shown};
use provost_core::time::UnixMillis;
use tokio::io::AsyncWriteExt as _;

struct Socket {
    io: Box<dyn Io>,
    buffer: Buffer,
}

const CHANNELS: &str = "show channels as json";

pub(super) async fn survey(io: Box<dyn Io>, target: &PbxTarget, now: UnixMillis) -> Result<Survey, PbxError> {
    let mut socket = Socket::sign_in(io, target).await?;
    let version = socket.api("version").await?;
    // `FreeSWITCH Version 1.10.9-release+git~2023… (git …)`
    let mut words = version.split_whitespace().filter(|word| *word != "Version");
    let name = format!("{} {}", words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut all = Vec::new();
    let body = socket.api(&format!("sofia status profile {} reg", target.profile)).await?;
    registrations(&body, now, |one| keep(&mut all, one))?;
    let calls = match channels(&socket.api(CHANNELS).await?)? {
        Some(channels) => Calls::Known(channels.len()),
        None => Calls::Unknown(NO_CHANNELS.to_owned()),
    };
    Ok(Survey { name: shown(&name), registrations: all, calls })
}

pub(super) async fn check_sync(
    io: Box<dyn Io>,
    target: &PbxTarget,
    (to, what): (&Registration, Resync),
) -> Result<CheckSynced, PbxError> {
    let mut socket = Socket::sign_in(io, target).await?;
    let calls_unknown = match channels(&socket.api(CHANNELS).await?)? {
        Some(channels) if channels.iter().any(|channel| channel.is_of(&to.line)) => return Ok(CheckSynced::InCall),
        Some(_) => None,
        None => Some(NO_CHANNELS.to_owned()),
    };
    const COMMAND: &str = "sendevent NOTIFY";
    let unfit = || PbxError::Refused { command: COMMAND, answer: "the registration holds unfit text".to_owned() };
    let text = notify(&target.profile, to, what.event()).ok_or_else(unfit)?;
    let said = socket.command(&text).await?;
    let said = said.value("Reply-Text").unwrap_or_default();
    if !said.starts_with("+OK") {
        return Err(PbxError::Refused { command: COMMAND, answer: shown(said) });
    }
    let answer = "FreeSWITCH took it; it does not say what the phone answers".to_owned();
    Ok(CheckSynced::Sent { answer, status: None, calls_unknown })
}

const NO_CHANNELS: &str = "`show channels` is not answered, or not with what it counts";
const KIND: &str = "FreeSWITCH event socket";

impl Socket {
    async fn sign_in(io: Box<dyn Io>, target: &PbxTarget) -> Result<Self, PbxError> {
        let mut socket = Self { io, buffer: Buffer::default() };
        let (head, _) = socket.message().await?;
        match head.value("Content-Type") {
            Some("auth/request") => {}
            Some("text/rude-rejection") => {
                let answer = "its acl does not let this server in".to_owned();
                return Err(PbxError::Refused { command: "connect", answer });
            }
            _ => return Err(PbxError::NotThis { kind: KIND, what: "another greeting" }),
        }
        let password = target.password.as_ref().map(|secret| secret.reveal()).unwrap_or_default();
        let text = sign_in(target.user.as_deref(), password).ok_or(PbxError::SignIn)?;
        let said = socket.command(&text).await?;
        if said.value("Reply-Text").is_some_and(|said| said.starts_with("+OK")) {
            Ok(socket)
        } else {
            Err(PbxError::SignIn)
        }
    }

    /// Runs a command of the console and returns what it printed.
    async fn api(&mut self, command: &str) -> Result<String, PbxError> {
        self.send(&format!("api {command}\n\n")).await?;
        loop {
            let (head, body) = self.message().await?;
            match head.value("Content-Type") {
                Some("api/response") => return Ok(body),
                // Where the user may not, the answer is a reply and not a response.
                Some("command/reply") => {
                    let answer = shown(head.value("Reply-Text").unwrap_or_default());
                    return Err(PbxError::Refused { command: "api", answer });
                }
                _ => {}
            }
        }
    }

    async fn command(&mut self, text: &str) -> Result<Fields, PbxError> {
        self.send(text).await?;
        loop {
            let (head, _) = self.message().await?;
            if head.value("Content-Type") == Some("command/reply") {
                return Ok(head);
            }
        }
    }

    async fn send(&mut self, text: &str) -> Result<(), PbxError> {
        self.io.write_all(text.as_bytes()).await.map_err(|error| broken(&error))?;
        self.io.flush().await.map_err(|error| broken(&error))
    }

    /// The next message with its body, which is empty where none is announced.
    async fn message(&mut self) -> Result<(Fields, String), PbxError> {
        let head = loop {
            match self.buffer.message()? {
                Some(head) => break head,
                None => self.more().await?,
            }
        };
        let announced = head.value("Content-Length").map_or(Ok(0), str::parse::<usize>);
        let length = announced.map_err(|_| PbxError::NotThis { kind: KIND, what: "a length that is no number" })?;
        if length > MOST_BYTES {
            return Err(PbxError::TooMuch { limit: MOST_BYTES, of: "bytes" });
        }
        loop {
            match self.buffer.body(length) {
                Some(body) => return Ok((head, body)),
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> Result<(), PbxError> {
        let mut piece = [0u8; 8192];
        let length = more(&mut *self.io, &mut piece).await?;
        self.buffer.push(piece.get(..length).unwrap_or_default());
        Ok(())
    }
}
