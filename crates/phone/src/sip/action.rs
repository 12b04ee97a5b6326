//! What a NOTIFY tells the phone to do (REST over SIP).
//!
//! Decides whether a request carries an action; never does it: whoever holds the phone does.
//! Rules: domain notes 1.6. Real phones tell of an action they cannot do by an INFO of `application/poly-report+json`;
//! what stands in one no source says, so this phone sends none and writes a line into its log instead.

use serde::Deserialize;

use crate::sip::message::Message;

/// The event such a NOTIFY names.
const EVENT: &str = "ACTION-URI";
const MEDIA_TYPE: &str = "application/json";

/// Something the server wants the phone to do, in the words of the phone's REST interface.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Action {
    /// The path, such as `/api/v1/callctrl/dial`.
    #[serde(rename = "command-URI")]
    pub uri: String,
    /// What would be the body of a request to it.
    #[serde(default)]
    pub data: serde_json::Value,
}

/// Whether an event's name is that of an action.
pub(crate) fn is_action(event: &str) -> bool {
    event.eq_ignore_ascii_case(EVENT)
}

/// The action of a NOTIFY; nothing when its body is none.
pub(crate) fn read(request: &Message) -> Option<Action> {
    let kind = request.header("content-type")?.split(';').next()?.trim();
    if !kind.eq_ignore_ascii_case(MEDIA_TYPE) {
        return None;
    }
    serde_json::from_slice(&request.body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn notify(kind: &str, body: &str) -> Option<Action> {
        let text = format!("NOTIFY sip:x SIP/2.0\r\nContent-Type: {kind}\r\n\r\n{body}");
        read(&Message::read(text.as_bytes()).unwrap())
    }

    #[test]
    fn an_action_is_a_path_and_what_goes_with_it() {
        let body = r#"{"command-URI": "/api/v1/callctrl/dial","data":{"Dest":"1001","Line":"1","Type":"TEL"}}"#;

        let action = notify("application/JSON", body).unwrap();

        assert_eq!((action.uri.as_str(), &action.data["Dest"]), ("/api/v1/callctrl/dial", &"1001".into()));
        let bare = notify("application/json; charset=utf-8", r#"{"command-URI":"/api/v1/mgmt/safeRestart"}"#).unwrap();
        assert!(bare.data.is_null());
    }

    #[test]
    fn anything_else_is_none() {
        for (kind, body) in [
            ("text/plain", r#"{"command-URI":"/x"}"#),
            ("application/json", ""),
            ("application/json", r#"{"data":{}}"#),
            ("application/json", r#"{"command-URI":7}"#),
            ("application/json", "[1]"),
        ] {
            assert_eq!(notify(kind, body), None, "{kind} {body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_breaks_anything(body in ".{0,200}") {
            let _ = notify("application/json", &body);
        }
    }
}
