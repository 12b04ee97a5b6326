//! FreeSWITCH's event socket as messages: what is written, and what its answers say of registrations and channels.
//!
//! Source: FreeSWITCH 1.10, mod_event_socket (auth, userauth, api, sendevent), mod_sofia (`sofia status profile X reg`;
//! the event NOTIFY wants profile, user, host, content-type and event-string, and takes call-id) and mod_commands
//! (`show channels as json`).

use super::held::{Bounded, Weigh};
use super::lines::{Fields, MOST_HEAD};
use provost_core::pbx::{PbxError, Registration, Way, is_plain, line_of};
use provost_core::time::UnixMillis;
use serde::Deserialize;

/// Signing in, with a user of the directory or the socket's own password; `None` where it would be another command.
pub(super) fn sign_in(user: Option<&str>, password: &str) -> Option<String> {
    let fits = |text: &str| !text.chars().any(char::is_control);
    match user {
        Some(user) if fits(user) && fits(password) => Some(format!("userauth {user}:{password}\n\n")),
        None if fits(password) => Some(format!("auth {password}\n\n")),
        _ => None,
    }
}

/// An event that has the profile send a NOTIFY to one registration; `None` where a value would be another line.
pub(super) fn notify(profile: &str, to: &Registration, event: &str) -> Option<String> {
    let (user, host) = to.way.address_of_record.split_once('@')?;
    let call_id = to.way.call_id.as_deref()?;
    if ![profile, user, host, call_id].into_iter().all(is_plain) {
        return None;
    }
    Some(format!(
        "sendevent NOTIFY\nprofile: {profile}\ncontent-type: application/simple-message-summary\nevent-string: {event}\n\
         user: {user}\nhost: {host}\ncall-id: {call_id}\n\n"
    ))
}

/// The registrations in the answer to `sofia status profile X reg`.
///
/// # Errors
/// [`PbxError::Refused`] when it is another answer, [`PbxError::TooMuch`] for a registration without end, and what
/// `keep` says.
pub(super) fn registrations(
    body: &str,
    now: UnixMillis,
    mut keep: impl FnMut(Registration) -> Result<(), PbxError>,
) -> Result<(), PbxError> {
    if !body.contains("Registrations:") {
        let answer = provost_core::pbx::shown(body);
        return Err(PbxError::Refused { command: "sofia status profile", answer });
    }
    // Each begins with its Call-ID and ends with an empty line.
    for block in body.replace("\r\n", "\n").split("\n\n") {
        // Each line of a block is held as two texts of its own.
        if block.len() > MOST_HEAD {
            return Err(PbxError::TooMuch { limit: MOST_HEAD, of: "bytes of one registration" });
        }
        if let Some(one) = registration(&Fields::read(block), now) {
            keep(one)?;
        }
    }
    Ok(())
}

fn registration(block: &Fields, now: UnixMillis) -> Option<Registration> {
    let call_id = block.value("Call-ID").filter(|id| is_plain(id))?;
    let user = block.value("User").filter(|user| is_plain(user))?;
    let contact = block.value("Contact").unwrap_or_default();
    let uri = contact.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(contact, |(uri, _)| uri);
    let left = block.value("Status").and_then(|status| status.split_once("EXPSECS(")?.1.split_once(')'));
    let left = left.and_then(|(seconds, _)| seconds.parse::<i64>().ok());
    if left.is_some_and(|seconds| seconds <= 0) {
        return None;
    }
    Some(Registration {
        line: line_of(user).to_owned(),
        contact: uri.to_owned(),
        agent: block.value("Agent").map(ToOwned::to_owned),
        instance: None,
        until: left.map(|seconds| now.plus_millis(seconds.saturating_mul(1000))),
        way: Way { address_of_record: user.to_owned(), call_id: Some(call_id.to_owned()), ..Way::default() },
    })
}

#[derive(Deserialize)]
struct Channels {
    row_count: usize,
    /// Not written when there are none.
    #[serde(default)]
    rows: Bounded<Channel>,
}

/// One leg of a call.
#[derive(Debug, Deserialize)]
pub(super) struct Channel {
    name: String,
    #[serde(default)]
    presence_id: String,
    #[serde(default)]
    cid_num: String,
    #[serde(default)]
    dest: String,
}

impl Weigh for Channel {}

/// The channels in the answer to `show channels as json`; `None` when it is another answer, or says another count than
/// it lists: what is missing may be a call.
///
/// # Errors
/// [`PbxError::TooMuch`] when there are more than are held.
pub(super) fn channels(body: &str) -> Result<Option<Vec<Channel>>, PbxError> {
    let Ok(Channels { row_count, rows }) = serde_json::from_str(body) else { return Ok(None) };
    let rows = rows.entries("calls")?;
    Ok((rows.len() == row_count).then_some(rows))
}

impl Channel {
    /// Whether the line is at either end. A number that is merely shown counts too: better asked again than cut off.
    pub(super) fn is_of(&self, line: &str) -> bool {
        // `sofia/internal/1001@example.com`
        let device = self.name.rsplit('/').next().unwrap_or_default();
        [device, &self.presence_id, &self.cid_num, &self.dest].into_iter().any(|end| line_of(end) == line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATUS: &str = "\nRegistrations:\n====\nCall-ID:    \tG7Zf..\nUser:       \t1002@pbx.example.com\n\
        Contact:    \t\"Ada\" <sip:1002@192.0.2.7:43502;transport=TCP>\nAgent:      \tPolycomVVX-VVX_500-UA/5.9.7\n\
        Status:     \tRegistered(TCP)(unknown) EXP(2021-09-14 13:42:51) EXPSECS(359)\nHost:       \tfs\n\n\
        Call-ID:    \told\nUser:       \t1003@pbx.example.com\nStatus: Registered(UDP) EXPSECS(-4)\n\n\
        Total items returned: 2\n====\n";

    fn read(text: &str) -> Result<Vec<Registration>, PbxError> {
        let mut all = Vec::new();
        registrations(text, UnixMillis(1_000), |one| {
            all.push(one);
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn the_status_of_a_profile_names_who_is_registered_and_leaves_out_who_is_over() {
        let found = read(STATUS).unwrap();

        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].line.as_str(), found[0].contact.as_str()),
            ("1002", "sip:1002@192.0.2.7:43502;transport=TCP")
        );
        assert_eq!(found[0].until, Some(UnixMillis(360_000)));
        assert_eq!(found[0].agent.as_deref(), Some("PolycomVVX-VVX_500-UA/5.9.7"));
    }

    #[test]
    fn a_profile_that_is_not_there_is_said_in_its_own_words() {
        let refused = PbxError::Refused { command: "sofia status profile", answer: "Invalid Profile!".to_owned() };

        assert_eq!(read("Invalid Profile!\n"), Err(refused));
    }

    #[test]
    fn a_notify_goes_to_the_one_registration_and_to_nothing_that_ends_its_line() {
        let mut to = read(STATUS).unwrap().remove(0);

        let text = notify("internal", &to, "check-sync").unwrap();
        assert!(text.contains("\nuser: 1002\nhost: pbx.example.com\ncall-id: G7Zf..\n\n"), "{text}");
        to.way.call_id = Some("x\n\napi shutdown".to_owned());
        assert_eq!(notify("internal", &to, "check-sync"), None);
        assert_eq!(sign_in(None, "x\n\napi shutdown"), None);
    }

    #[test]
    fn a_line_is_in_a_call_whichever_end_it_is() {
        let body = r#"{"row_count":1,"rows":[{"uuid":"1","name":"sofia/internal/1001@pbx.example.com","presence_id":
            "1001@pbx.example.com","cid_num":"1001","dest":"1002","callstate":"ACTIVE"}]}"#;
        let channels = channels(body).unwrap().unwrap();

        assert!(channels[0].is_of("1001") && channels[0].is_of("1002") && !channels[0].is_of("1003"));
    }

    #[test]
    fn channels_that_are_counted_and_not_listed_are_unknown_and_not_none() {
        let count = |body: &str| channels(body).unwrap().map(|channels| channels.len());

        assert_eq!((count(r#"{"row_count":0}"#), count(r#"{"row_count":0,"rows":[]}"#)), (Some(0), Some(0)));
        assert_eq!(count(r#"{"row_count":1,"rows":[{"name":"sofia/internal/1001@a.example"}]}"#), Some(1));
        for unknown in [
            r#"{"row_count":5}"#,
            r#"{"row_count":2,"rows":[{"name":"a"}]}"#,
            r#"{"row_count":1,"rows":[{}]}"#,
            r#"{"row_count":1,"rows":[{"name":null}]}"#,
            r#"{"rows":[]}"#,
            "{}",
            "[]",
            "-ERR no",
        ] {
            assert_eq!(count(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn more_channels_than_the_limit_and_a_registration_without_end_are_too_much() {
        let count = super::super::MOST_REGISTRATIONS + 1;
        let rows = vec![r#"{"name":""}"#; count].join(",");
        let body = format!(r#"{{"row_count":{count},"rows":[{rows}]}}"#);
        assert!(matches!(channels(&body), Err(PbxError::TooMuch { of: "calls", .. })));

        let endless = format!("Registrations:\n{}", "a:\n".repeat(MOST_HEAD));
        assert!(matches!(read(&endless), Err(PbxError::TooMuch { limit: MOST_HEAD, .. })));
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in ".{0,400}") {
            let _ = read(&format!("Registrations:\n{text}\n\nCall-ID: {text}\nUser: {text}\nStatus: EXPSECS({text})"));
            let _ = channels(&text);
        }
    }
}
