//! Calls over REST.
//!
//! Decides which call a reference means and how a call is told; the phone dials, hangs up and sends tones.
//! Rules: domain notes 7.2. `Connected` is read in public code; the other words for a call's state are from memory.

use serde_json::{Value, json};

use crate::handset::{CallView, Order};
use crate::sip::CallState;
use crate::web::rest::{Outcome, Status, text};
use crate::web::site::Visit;

/// How the phone numbers a call for tools.
fn handle(call: &CallView) -> String {
    format!("0x{:08x}", call.reference)
}

/// The call that is going on.
fn current<'a>(visit: &'a Visit<'_>) -> Option<&'a CallView> {
    visit.view.calls.iter().rev().find(|call| word(&call.state).is_some())
}

/// A call's state; nothing once it is over.
const fn word(state: &CallState) -> Option<&'static str> {
    match state {
        CallState::Dialing => Some("Setup"),
        CallState::Ringing => Some("RingBack"),
        CallState::Connected => Some("Connected"),
        CallState::Ended(_) => None,
    }
}

fn told(call: &CallView) -> Value {
    json!({
        "CallHandle": handle(call),
        "Type": "Outgoing",
        "Protocol": "SIP",
        "LineID": call.line.to_string(),
        "CallState": word(&call.state).unwrap_or("Disconnected"),
        "RemotePartyNumber": call.number,
        "RemotePartyName": call.number,
        "UIAppearanceIndex": "1*",
        "Muted": "0",
        "Ringing": "0",
    })
}

pub(crate) fn status(visit: &Visit<'_>) -> Outcome {
    current(visit).map(|call| Some(told(call))).ok_or(Status::NoSuchCall)
}

pub(crate) fn status_v2(visit: &Visit<'_>) -> Value {
    current(visit).map(told).into_iter().collect()
}

pub(crate) fn placed(visit: &Visit<'_>) -> Value {
    let call = |call: &CallView| {
        json!({
            "LineNumber": call.line.to_string(),
            "RemotePartyNumber": call.number,
            "Duration": call.duration.map_or(0, |duration| duration.as_secs()).to_string(),
        })
    };
    visit.view.calls.iter().rev().map(call).collect()
}

pub(crate) fn logs(visit: &Visit<'_>) -> Value {
    json!({ "Missed": [], "Received": [], "Placed": placed(visit) })
}

pub(crate) fn dial(visit: &Visit<'_>, data: &Value) -> Result<Order, Status> {
    let number = text(data, "Dest")?;
    if number.is_empty() || number.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Status::InvalidInput);
    }
    let line = match data.get("Line") {
        None => 1,
        Some(_) => text(data, "Line")?.parse::<u32>().map_err(|_| Status::InvalidInput)?,
    };
    match data.get("Type").and_then(Value::as_str).map(str::to_ascii_uppercase).as_deref() {
        None | Some("SIP" | "TEL") => {}
        Some(_) => return Err(Status::NotSupported),
    }
    match (line, visit.view.lines.iter().find(|known| known.line == line)) {
        (_, None) => Err(Status::NoSuchLine),
        // This phone speaks SIP on its first line.
        (1, Some(_)) => Ok(Order::Dial { number }),
        (_, Some(_)) => Err(Status::NotRegistered),
    }
}

/// The call that is going on, which must be the one `data` names if it names one.
pub(super) fn meant<'a>(visit: &'a Visit<'_>, data: &Value) -> Result<&'a CallView, Status> {
    let call = current(visit).ok_or(Status::NoSuchCall)?;
    let named = match data.get("Ref") {
        None | Some(Value::Null) => return Ok(call),
        Some(_) => text(data, "Ref")?,
    };
    let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok();
    if number(&named) == Some(call.reference) { Ok(call) } else { Err(Status::NoSuchCall) }
}

pub(crate) fn end(visit: &Visit<'_>, data: &Value) -> Result<Order, Status> {
    meant(visit, data).map(|_| Order::EndCall)
}

pub(crate) fn tones(visit: &Visit<'_>, data: &Value) -> Result<Order, Status> {
    meant(visit, data)?;
    text(data, "Digits").map(Order::SendDtmf)
}
