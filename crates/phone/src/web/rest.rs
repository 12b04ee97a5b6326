//! The REST interface.
//!
//! Decides who may use it and which answer belongs to which address; the answers are in `rest/*`. Off until a
//! parameter switches it on, refused while the password is the default one, and with the same status codes as real
//! phones; 4008 is for exports that fail, and none of this phone's do. What this phone cannot tell or do truly, it says
//! it does not support: statistics, presence, places, SIP traces, mute, hold, transfer, and states sent to an address.
//! Rules: domain notes 7.2 and 10a. That it answers 404 while it is off is what tools expect.

mod calls;
mod configuration;
mod device;

use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::handset::{Order, OrderRefused, ResetScope};
use crate::web::access::{Credentials, Level};
use crate::web::answer::Answer;
use crate::web::digest::Proof;
use crate::web::keys;
use crate::web::site::Visit;

/// What became of a request, as the phone counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Done,
    InvalidInput,
    Busy,
    NotRegistered,
    NotAllowed,
    NotSupported,
    NoSuchLine,
    NoAddress,
    NoSuchCall,
    TooMuch,
    DefaultPassword,
    Failed,
}

impl Status {
    const fn code(self) -> &'static str {
        match self {
            Self::Done => "2000",
            Self::InvalidInput => "4000",
            Self::Busy => "4001",
            Self::NotRegistered => "4002",
            Self::NotAllowed => "4003",
            Self::NotSupported => "4004",
            Self::NoSuchLine => "4005",
            Self::NoAddress => "4006",
            Self::NoSuchCall => "4007",
            Self::TooMuch => "4009",
            Self::DefaultPassword => "4010",
            Self::Failed => "5000",
        }
    }
}

/// What the phone's refusal is in REST's words.
impl From<OrderRefused> for Status {
    fn from(refused: OrderRefused) -> Self {
        match refused {
            OrderRefused::NoPower | OrderRefused::Busy | OrderRefused::InCall => Self::Busy,
            OrderRefused::NoLine => Self::NotRegistered,
            OrderRefused::NoCall => Self::NoSuchCall,
            OrderRefused::ParameterName { .. } | OrderRefused::NotTones | OrderRefused::NothingTyped => {
                Self::InvalidInput
            }
            OrderRefused::WrongPassword => Self::InvalidInput,
            OrderRefused::PasswordNotAllowed => Self::NotAllowed,
            OrderRefused::Failed { .. } => Self::Failed,
        }
    }
}

/// What came of a request: data to tell, or why not.
type Outcome = Result<Option<Value>, Status>;

/// Answers a request to `/api/`.
pub(crate) async fn answer(visit: &Visit<'_>) -> Answer {
    let web = &visit.site.web;
    if visit.firmware < web.rest_from.value || !visit.is(&web.rest_switch.value, "1") {
        return Answer::not_found();
    }
    if let Some(refused) = refusal(visit) {
        return refused;
    }
    if visit.view.has_factory_password() {
        return reply(Err(Status::DefaultPassword));
    }
    let path = visit.asked.path();
    match *visit.asked.method() {
        Method::GET => told(visit, path).map_or_else(Answer::not_found, reply),
        Method::POST if !is_from_a_tool(visit) => Answer::text(415, "send application/json"),
        Method::POST => {
            let body = match visit.asked.body().is_empty() {
                true => Ok(Value::Null),
                false => serde_json::from_slice::<Value>(visit.asked.body()),
            };
            let Ok(body) = body else { return reply(Err(Status::InvalidInput)) };
            ordered(visit, path, body.get("data").unwrap_or(&Value::Null)).await.map_or_else(Answer::not_found, reply)
        }
        _ => Answer::text(405, "GET or POST"),
    }
}

/// Whether no page of somebody else's can have made a browser send this with the password it remembers.
///
/// A page can send forms, plain text and nothing at all to any server, but names itself then; JSON it cannot. Tools
/// that send nothing name no page. Which status a phone refuses it with is not known; this one is ours.
fn is_from_a_tool(visit: &Visit<'_>) -> bool {
    let Visit { asked, .. } = visit;
    let named = ["origin", "sec-fetch-site"].into_iter().any(|name| asked.has_header(name));
    asked.content_type() == "application/json" || asked.body().is_empty() && !named
}

fn reply(outcome: Outcome) -> Answer {
    match outcome {
        Ok(None) => Answer::json(&json!({ "Status": Status::Done.code() })),
        Ok(Some(data)) => Answer::json(&json!({ "Status": Status::Done.code(), "data": data })),
        Err(status) => Answer::json(&json!({ "Status": status.code() })),
    }
}

/// Why whoever asks is not let in; nothing for the administrator.
fn refusal(visit: &Visit<'_>) -> Option<Answer> {
    let Visit { site, asked, view, .. } = visit;
    let now = Instant::now();
    let shown = asked.header("authorization");
    if site.access().is_locked(now) {
        return Some(Answer::text(403, "too many wrong passwords"));
    }
    let basic = shown.and_then(Credentials::basic);
    let digest = shown.is_some_and(|shown| shown.to_ascii_lowercase().starts_with("digest "));
    let proof = match (&basic, &view.admin_password) {
        (Some(basic), _) if basic.level(view, &site.web) == Some(Level::Administrator) => Proof::Good,
        (None, Some(password)) if digest => {
            site.nonces().judge(asked, (&site.web.administrator.value, password.reveal()), now)
        }
        _ => Proof::Bad,
    };
    if proof == Proof::Good {
        return None;
    }
    if proof == Proof::Bad && shown.is_some() {
        site.access().count_wrong(&site.web, now);
    }
    let challenge = site.nonces().challenge(proof == Proof::Stale, now);
    let refused = Answer::text(401, "the administrator's name and password are needed");
    Some(refused.with("www-authenticate", challenge).with("www-authenticate", "Basic realm=\"Phone\""))
}

/// What is told at an address; `None` for an address no phone has.
fn told(visit: &Visit<'_>, path: &str) -> Option<Outcome> {
    let data = match path {
        "/api/v1/mgmt/device/info" => device::info(visit),
        "/api/v2/mgmt/device/info" => device::info_v2(visit),
        "/api/v1/mgmt/device/runningConfig" => configuration::running(visit),
        "/api/v1/mgmt/network/info" => device::network(visit),
        "/api/v1/mgmt/lineInfo" => device::lines(visit),
        "/api/v2/mgmt/lineInfo" => device::lines_v2(visit),
        "/api/v1/mgmt/callLogs" => calls::logs(visit),
        "/api/v1/mgmt/callLogs/placed" => calls::placed(visit),
        // This phone is never called.
        "/api/v1/mgmt/callLogs/missed" | "/api/v1/mgmt/callLogs/received" => json!([]),
        "/api/v1/webCallControl/callStatus" => return Some(calls::status(visit)),
        "/api/v2/webCallControl/callStatus" => calls::status_v2(visit),
        "/api/v1/mgmt/device/stats"
        | "/api/v1/mgmt/network/stats"
        | "/api/v1/mgmt/media/sessionStats"
        | "/api/v1/mgmt/getPresence"
        | "/api/v1/mgmt/location/info"
        | "/api/v1/webCallControl/sipStatus" => return Some(Err(Status::NotSupported)),
        _ => return None,
    };
    Some(Ok(Some(data)))
}

/// Does what is ordered at an address; `None` for an address no phone has.
async fn ordered(visit: &Visit<'_>, path: &str, data: &Value) -> Option<Outcome> {
    let order = match path {
        "/api/v1/mgmt/config/get" => return Some(configuration::get(visit, data).map(Some)),
        "/api/v1/mgmt/config/set" => configuration::set(visit, data),
        // This phone starts as a whole, whichever it is told.
        "/api/v1/mgmt/safeRestart" | "/api/v1/mgmt/safeReboot" => Ok(Order::RestartWhenFree),
        "/api/v1/mgmt/factoryReset" => Ok(Order::ResetToFactory),
        "/api/v1/mgmt/updateConfiguration" => Ok(Order::UpdateConfiguration),
        // That no scope means all files is concluded.
        "/api/v1/mgmt/configReset" => Ok(Order::Reset(ResetScope::FileSystem)),
        "/api/v1/mgmt/configReset/local" => Ok(Order::Reset(ResetScope::Local)),
        "/api/v1/mgmt/configReset/web" => Ok(Order::Reset(ResetScope::Web)),
        "/api/v1/mgmt/configReset/device" => Ok(Order::Reset(ResetScope::Device)),
        "/api/v1/mgmt/simulateKeyEvent" => key(visit, data),
        "/api/v1/mgmt/simulateTextInput" => text(data, "Value").map(Order::Text),
        "/api/v1/callctrl/dial" => calls::dial(visit, data),
        "/api/v1/callctrl/endCall" => calls::end(visit, data),
        "/api/v1/callctrl/sendDTMF" => calls::tones(visit, data),
        // Nobody ever calls this phone, so there is no call to answer.
        "/api/v1/callctrl/answerCall" | "/api/v1/callctrl/ignoreCall" | "/api/v1/callctrl/rejectCall" => {
            Err(Status::NoSuchCall)
        }
        "/api/v1/callctrl/holdCall" | "/api/v1/callctrl/resumeCall" | "/api/v1/callctrl/transferCall" => {
            calls::meant(visit, data).and(Err(Status::NotSupported))
        }
        "/api/v1/mgmt/pollForStatus"
            if visit.value(&visit.site.web.polling_address.value).is_none_or(str::is_empty) =>
        {
            Err(Status::NoAddress)
        }
        "/api/v1/mgmt/configReset/cloud"
        | "/api/v1/mgmt/pollForStatus"
        | "/api/v1/mgmt/skype/signIn"
        | "/api/v1/mgmt/skype/signOut"
        | "/api/v1/callctrl/mute" => Err(Status::NotSupported),
        _ => return None,
    };
    let order = match order {
        Ok(order) => order,
        Err(status) => return Some(Err(status)),
    };
    Some(visit.site.handset.order(order).await.map(|()| None).map_err(Status::from))
}

fn key(visit: &Visit<'_>, data: &Value) -> Result<Order, Status> {
    let name = text(data, "KeyName")?;
    // Other kinds of presses than a tap are not known well enough to be imitated.
    match data.get("Type").and_then(Value::as_str) {
        None | Some("Tap") => keys::named(visit.site, &name).map(Order::Key).ok_or(Status::InvalidInput),
        Some(_) => Err(Status::NotSupported),
    }
}

/// A text of the request, which must be there; numbers are taken as they are written.
fn text(data: &Value, name: &str) -> Result<String, Status> {
    match data.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(Status::InvalidInput),
    }
}
