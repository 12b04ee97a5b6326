//! Customers' PBXs: who is registered there, who is in a call, and NOTIFY to a phone.
//!
//! One connection for each question, with a deadline and a limit for what is held of the answer. What a PBX says is
//! taken as said by strangers: phones write some of it.

mod ami;
mod asterisk;
mod esl;
mod freeswitch;
mod held;
mod kamailio;
mod lines;

use crate::connect::{Io, connect};
use provost_core::pbx::{CheckSynced, PbxError, PbxKind, PbxTarget, Registration, Resync, Survey};
use provost_core::time::UnixMillis;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

/// For everything a PBX says when it is asked who is registered.
const SURVEY_WITHIN: Duration = Duration::from_secs(15);
/// A phone has 32 s to answer a NOTIFY (RFC 3261, timer F), and a PBX may wait for it.
const CHECK_SYNC_WITHIN: Duration = Duration::from_secs(36);
/// Registrations that are held: more than a PBX of one machine has.
const MOST_REGISTRATIONS: usize = 100_000;
/// Bytes of one answer, or of all Asterisk says on a connection: some 11,000 contacts as Kamailio writes them.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of one text of a registration that are held: what is longer is never told back (`is_plain`).
const MOST_TEXT: usize = 512;

/// Asks a PBX who is registered, and whether it says who is in a call.
///
/// # Errors
/// [`PbxError`] says why it could not be asked.
pub async fn survey(target: &PbxTarget, now: UnixMillis) -> Result<Survey, PbxError> {
    let asked = async {
        let io = connect(target).await?;
        match target.kind {
            PbxKind::Kamailio => kamailio::survey(io, target, now).await,
            PbxKind::Asterisk => asterisk::survey(io, target).await,
            PbxKind::FreeSwitch => freeswitch::survey(io, target, now).await,
        }
    };
    timeout(SURVEY_WITHIN, asked).await.unwrap_or(Err(PbxError::Late { seconds: SURVEY_WITHIN.as_secs() }))
}

/// Sends check-sync to a phone where it is registered, unless its line is in a call as far as the PBX says.
///
/// # Errors
/// [`PbxError`] says why it was not sent.
pub async fn check_sync(target: &PbxTarget, to: &Registration, what: Resync) -> Result<CheckSynced, PbxError> {
    let asked = async {
        let io = connect(target).await?;
        match target.kind {
            PbxKind::Kamailio => kamailio::check_sync(io, target, (to, what)).await,
            PbxKind::Asterisk => asterisk::check_sync(io, target, (to, what)).await,
            PbxKind::FreeSwitch => freeswitch::check_sync(io, target, (to, what)).await,
        }
    };
    timeout(CHECK_SYNC_WITHIN, asked).await.unwrap_or(Err(PbxError::Late { seconds: CHECK_SYNC_WITHIN.as_secs() }))
}

/// Keeps one more registration, if there is room.
///
/// Phones write some of it. A text that is too long is as good as none; where it would be told back it is left empty,
/// which `is_plain` refuses, and not left out, which would send the NOTIFY another way.
fn keep(all: &mut Vec<Registration>, mut one: Registration) -> Result<(), PbxError> {
    if all.len() >= MOST_REGISTRATIONS {
        return Err(PbxError::TooMuch { limit: MOST_REGISTRATIONS, of: "registrations" });
    }
    let way = &mut one.way;
    let named = [&mut one.line, &mut one.contact, &mut way.address_of_record];
    let told = [&mut way.call_id, &mut way.received, &mut way.path, &mut way.socket];
    for text in named.into_iter().chain(told.into_iter().flatten()).filter(|text| text.len() > MOST_TEXT) {
        *text = String::new();
    }
    for text in [&mut one.agent, &mut one.instance] {
        text.take_if(|text| text.len() > MOST_TEXT);
    }
    all.push(one);
    Ok(())
}

/// More bytes of a connection.
async fn more(io: &mut dyn Io, piece: &mut [u8]) -> Result<usize, PbxError> {
    match io.read(piece).await {
        Ok(0) => Err(PbxError::Broken { why: "the other side closed it".to_owned() }),
        Ok(length) => Ok(length),
        Err(error) => Err(broken(&error)),
    }
}

fn broken(error: &std::io::Error) -> PbxError {
    PbxError::Broken { why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::pbx::Way;

    fn registered(length: usize) -> Registration {
        let long = || "x".repeat(length);
        Registration {
            line: "1001".to_owned(),
            contact: long(),
            agent: Some(long()),
            instance: Some(long()),
            until: None,
            way: Way { received: Some(long()), path: Some(long()), socket: Some(long()), ..Way::default() },
        }
    }

    #[test]
    fn a_text_beyond_512_bytes_is_not_held_and_the_registration_is() {
        let mut all = Vec::new();
        keep(&mut all, registered(MOST_TEXT)).unwrap();
        keep(&mut all, registered(MOST_TEXT + 1)).unwrap();

        assert_eq!(all[0], registered(MOST_TEXT));
        assert_eq!((all[1].line.as_str(), all[1].contact.as_str()), ("1001", ""));
        assert_eq!((&all[1].agent, &all[1].instance), (&None, &None));
        assert_eq!((all[1].way.path.as_deref(), all[1].way.received.as_deref()), (Some(""), Some("")));
    }
}
