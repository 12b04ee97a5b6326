//! State polling: what the phone tells a poller in XML.
//!
//! Decides the elements. Off until answers go to whoever asks and a name and a password are set. What this phone does
//! not know of itself is left out. Rules: domain notes 7.3; the elements are read in public code.

use crate::handset::{CallView, View};
use crate::settings::escape;
use crate::sip::CallState;
use crate::web::answer::Answer;
use crate::web::push;
use crate::web::site::Visit;

/// The mode in which whoever asks is answered.
const TO_REQUESTER: &str = "0";

/// Answers a poll.
pub(crate) fn answer(visit: &Visit<'_>) -> Answer {
    let web = &visit.site.web;
    let value = |parameter: &str| visit.value(parameter).filter(|value| !value.is_empty());
    let credentials = value(&web.polling_user.value).zip(value(&web.polling_password.value));
    let to_requester = visit.is(&web.polling_mode.value, TO_REQUESTER);
    let Some(credentials) = credentials.filter(|_| to_requester) else { return Answer::not_found() };
    // Real phones go by the setting of pushes here, too.
    if !visit.asked.tls() && visit.is(&web.push_tls_required.value, "1") {
        return Answer::text(403, "polls must come over TLS");
    }
    if let Some(refused) = push::refusal(visit, credentials) {
        return refused;
    }
    let told = match visit.asked.path() {
        "/polling/deviceHandler" => device(&visit.view),
        "/polling/networkHandler" => network(visit),
        "/polling/callstateHandler" => calls(&visit.view),
        _ => return Answer::not_found(),
    };
    Answer::xml(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PolycomIPPhone>{told}</PolycomIPPhone>\n"))
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

fn device(view: &View) -> String {
    let lines: Vec<String> = view.lines.iter().map(|line| format!("Line{}:{}", line.line, line.label)).collect();
    // Tools read the version up to the first blank; when it was built this phone does not know.
    let application = format!("{} virtual", view.versions.application);
    let parts = [
        element("MACAddress", &view.mac.to_string()),
        element("PhoneDN", &lines.join(",")),
        element("AppLoadID", &application),
        element("UpdaterID", &view.versions.updater),
        element("ModelNumber", &view.model_name),
        element("TimeStamp", &view.time),
    ];
    format!("<DeviceInformation>{}</DeviceInformation>", parts.concat())
}

fn network(visit: &Visit<'_>) -> String {
    let view = &visit.view;
    let address = view.address.unwrap_or_else(|| visit.asked.here()).to_string();
    let parts = [
        element("MACAddress", &view.mac.to_string()),
        element("IPAddress", &address),
        element("ProvServer", view.boot_server.as_deref().unwrap_or_default()),
    ];
    format!("<NetworkConfiguration>{}</NetworkConfiguration>", parts.concat())
}

fn calls(view: &View) -> String {
    let line = |line: &crate::screen::LineKey| {
        let call = view.calls.iter().rev().find(|call| call.line == line.line && state(call).is_some());
        let parts = [
            element("LineKeyNum", &line.line.to_string()),
            element("LineDirNum", &line.label),
            element("LineState", if call.is_some() { "Active" } else { "Inactive" }),
            call.map(call_info).unwrap_or_default(),
        ];
        format!("<CallLineInfo>{}</CallLineInfo>", parts.concat())
    };
    view.lines.iter().map(line).collect()
}

const fn state(call: &CallView) -> Option<&'static str> {
    match call.state {
        CallState::Dialing => Some("Setup"),
        CallState::Ringing => Some("RingBack"),
        CallState::Connected => Some("Connected"),
        CallState::Ended(_) => None,
    }
}

fn call_info(call: &CallView) -> String {
    let parts = [
        element("CallState", state(call).unwrap_or_default()),
        element("CallType", "Outgoing"),
        element("UIAppearanceIndex", "1*"),
        element("CalledPartyName", &call.number),
        element("CalledPartyDirNum", &call.number),
        element("CallReference", &format!("{:x}", call.reference)),
    ];
    format!("<CallInfo>{}</CallInfo>", parts.concat())
}
