//! Audit, alarms, and what is blocked, opened and excepted, from the command line.

use super::{Call, get, post};
use crate::args::{Alarms, Blocked, EndAlarm, Exception, Guard, HttpBootstrap, Target};
use serde_json::json;

const ALARM: &[&str] = &["id", "ended-at", "last-at", "times", "kind", "subject", "sentence", "advice"];
const BLOCKED: &[&str] = &["sha256", "at", "reason"];
const HTTP_BOOTSTRAP: &[&str] = &["id", "range", "ends-at", "reason", "url"];
const EXCEPTION: &[&str] = &["device", "mac", "ends-at", "address", "sent-at", "reason"];
const FAILED: &[&str] = &["at", "address", "mac", "times", "words", "advice"];

pub(super) fn guard_call(command: Guard) -> Call {
    match command {
        Guard::Audit { target } => get(target, "/audit", &["at", "who", "from-where", "what", "why"]),
        Guard::Alarms(Alarms { end: Some(EndAlarm::End { id, target }), .. }) => {
            post(target, format!("/alarms/{id}/end"), None, ALARM)
        }
        Guard::Alarms(Alarms { end: None, target }) => get(target, "/alarms", ALARM),
        Guard::FailedHandshakes { target } => get(target, "/failed-handshakes", FAILED),
        Guard::Blocked(command) => blocked_call(command),
        Guard::HttpBootstrap(command) => http_bootstrap_call(command),
        Guard::Exception(command) => exception_call(command),
    }
}

fn blocked_call(command: Blocked) -> Call {
    match command {
        Blocked::Add { sha256, reason, target } => {
            let body = json!({ "sha256": sha256, "reason": reason });
            post(target, "/blocked-certificates", Some(body), BLOCKED)
        }
        Blocked::List { target } => get(target, "/blocked-certificates", BLOCKED),
        Blocked::Remove { sha256, target } => delete(target, format!("/blocked-certificates/{sha256}"), BLOCKED),
    }
}

fn http_bootstrap_call(command: HttpBootstrap) -> Call {
    match command {
        HttpBootstrap::Open { range, minutes, reason, target } => {
            let body = json!({ "range": range, "minutes": minutes, "reason": reason });
            post(target, "/http-bootstrap", Some(body), HTTP_BOOTSTRAP)
        }
        HttpBootstrap::List { target } => get(target, "/http-bootstrap", HTTP_BOOTSTRAP),
        HttpBootstrap::Close { id, target } => delete(target, format!("/http-bootstrap/{id}"), HTTP_BOOTSTRAP),
    }
}

fn exception_call(command: Exception) -> Call {
    match command {
        Exception::Open { device, mac, minutes, reason, target } => {
            let body = json!({ "mac": mac, "minutes": minutes, "reason": reason });
            post(target, format!("/devices/{device}/exception"), Some(body), EXCEPTION)
        }
        Exception::List { target } => get(target, "/exceptions", EXCEPTION),
        Exception::Revoke(id) => delete(id.target, format!("/devices/{}/exception", id.id), EXCEPTION),
    }
}

fn delete(target: Target, path: String, columns: &'static [&'static str]) -> Call {
    Call { target, method: "DELETE", path, body: None, columns }
}
