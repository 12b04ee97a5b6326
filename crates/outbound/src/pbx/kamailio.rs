//! Kamailio's JSON-RPC over HTTP.
//!
//! Source: Kamailio 5.6 modules jsonrpcs (transport http by xhttp), usrloc (`ul.dump`), dialog (`dlg.list`: states 1 to 4
//! are calls, 5 is one that ended) and tm (`tm.t_uac_wait`: method, request URI, next hop, socket, header fields, body;
//! a dot is none). The shapes of the answers were read off Debian's 5.6.3, which the tests run.

mod dialogs;
#[cfg(test)]
mod tests;

use self::dialogs::{Dialog, known};
use super::held::{Bounded, Scalar, Weigh};
use super::{MOST_BYTES, keep};
use crate::connect::Io;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use provost_core::pbx::{
    Calls, CheckSynced, PbxError, PbxTarget, Registration, Resync, Survey, Way, domain_of, is_plain, line_of, shown,
};
use provost_core::time::UnixMillis;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use std::fmt;
use tokio::task::JoinHandle;

const KIND: &str = "Kamailio JSON-RPC";

pub(super) async fn survey(io: Box<dyn Io>, target: &PbxTarget, now: UnixMillis) -> Result<Survey, PbxError> {
    let mut rpc = Rpc::open(io, target).await?;
    let name = match rpc.call::<String>("core.version", json!([])).await? {
        Answer::Done(version) => name(&version),
        Answer::No { answer } => return Err(PbxError::Refused { command: "core.version", answer }),
    };
    let dumped = match rpc.call::<Dump>("ul.dump", json!([])).await? {
        Answer::Done(dump) => dump,
        Answer::No { answer } => return Err(PbxError::Refused { command: "ul.dump", answer }),
    };
    let registrations = dumped.registrations(now)?;
    let calls = match rpc.dialogs().await? {
        Ok(dialogs) => Calls::Known(dialogs.iter().filter(|dialog| dialog.is_on()).count()),
        Err(why) => Calls::Unknown(why),
    };
    Ok(Survey { name, registrations, calls })
}

pub(super) async fn check_sync(
    io: Box<dyn Io>,
    target: &PbxTarget,
    (to, what): (&Registration, Resync),
) -> Result<CheckSynced, PbxError> {
    let mut rpc = Rpc::open(io, target).await?;
    let calls_unknown = match rpc.dialogs().await? {
        Ok(dialogs) if dialogs.iter().any(|dialog| dialog.is_on() && dialog.is_of(&to.line)) => {
            return Ok(CheckSynced::InCall);
        }
        Ok(_) => None,
        Err(why) => Some(why),
    };
    const COMMAND: &str = "tm.t_uac_wait";
    let unfit = || PbxError::Refused { command: COMMAND, answer: "the registration holds unfit text".to_owned() };
    let parameters = notify(target, to, what.event()).ok_or_else(unfit)?;
    let Replied { code, text } = match rpc.call::<Replied>(COMMAND, parameters).await? {
        Answer::Done(replied) => replied,
        Answer::No { answer } => return Err(PbxError::Refused { command: COMMAND, answer }),
    };
    let status = if let Scalar::Number(code) = code { u16::try_from(code).unwrap_or_default() } else { 0 };
    let text = if let Scalar::Word(text) = text { text } else { String::new() };
    Ok(CheckSynced::Sent { answer: format!("{status} {}", shown(&text)), status: Some(status), calls_unknown })
}

/// Of `kamailio 5.6.3 (x86_64/linux)` what a person wants to know.
fn name(version: &str) -> String {
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    shown(&format!("Kamailio {number}"))
}

/// The parameters for a NOTIFY the way the phone registered: through the same socket, to where its packets came from.
fn notify(target: &PbxTarget, to: &Registration, event: &str) -> Option<Value> {
    let Way { address_of_record, received, path, socket, .. } = &to.way;
    let domain = target.domain.as_deref().or_else(|| domain_of(address_of_record));
    let domain = domain.unwrap_or_else(|| target.host.trim());
    let line = &to.line;
    // The domain comes from the PBX, which has it from a phone's To where it keeps domains.
    let always = [line.as_str(), domain, address_of_record, to.contact.as_str()];
    let told = [received.as_deref(), path.as_deref(), socket.as_deref()];
    if !always.into_iter().chain(told.into_iter().flatten()).all(is_plain) {
        return None;
    }
    // With proxies between, the first of them is asked and finds the way (RFC 3327 5.4).
    let first = path.as_deref().and_then(|path| path.split(',').next()).map(|uri| uri.trim_matches(['<', '>']));
    let hop = first.or(received.as_deref()).unwrap_or(".");
    let route = path.as_deref().map_or(String::new(), |path| format!("Route: {path}\r\n"));
    // RFC 6665 4.1.3 wants the state; phones take check-sync outside of any subscription.
    let fields = format!(
        "From: <sip:{line}@{domain}>\r\nTo: <sip:{line}@{domain}>\r\n{route}Event: {event}\r\n\
         Subscription-State: terminated\r\n"
    );
    Some(json!(["NOTIFY", to.contact, hop, socket.as_deref().unwrap_or("."), fields]))
}

/// A reply as `tm.t_uac_wait` writes it, or as its blocking sister does.
struct Replied {
    code: Scalar,
    text: Scalar,
}

#[derive(Deserialize)]
struct Named {
    code: Scalar,
    text: Scalar,
}

impl<'de> Deserialize<'de> for Replied {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListOrNamed)
    }
}

struct ListOrNamed;

impl<'de> Visitor<'de> for ListOrNamed {
    type Value = Replied;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a code and a text")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Replied, A::Error> {
        let code = seq.next_element()?.unwrap_or_default();
        let text = seq.next_element()?.unwrap_or_default();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Replied { code, text })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Replied, A::Error> {
        Named::deserialize(MapAccessDeserializer::new(map)).map(|Named { code, text }| Replied { code, text })
    }
}

#[derive(Deserialize)]
struct Dump {
    /// Written even when there is none; without it the answer is no dump, and nobody is to count as gone by it.
    #[serde(rename = "Domains")]
    domains: Bounded<DomainEntry>,
}

#[derive(Deserialize)]
struct DomainEntry {
    #[serde(rename = "Domain")]
    domain: Domain,
}

#[derive(Deserialize)]
struct Domain {
    #[serde(rename = "AoRs", default)]
    aors: Bounded<AorEntry>,
}

#[derive(Deserialize)]
struct AorEntry {
    #[serde(rename = "Info")]
    info: Aor,
}

#[derive(Deserialize)]
struct Aor {
    #[serde(rename = "AoR", default)]
    aor: String,
    #[serde(rename = "Contacts", default)]
    contacts: Bounded<ContactEntry>,
}

#[derive(Deserialize)]
struct ContactEntry {
    #[serde(rename = "Contact")]
    contact: Contact,
}

#[derive(Deserialize)]
struct Contact {
    #[serde(rename = "Address", default)]
    address: String,
    /// Seconds left, or a word such as `permanent`.
    #[serde(rename = "Expires", default)]
    expires: Scalar,
    #[serde(rename = "Call-ID", default)]
    call_id: String,
    #[serde(rename = "User-Agent", default)]
    agent: String,
    #[serde(rename = "Received", default)]
    received: String,
    #[serde(rename = "Path", default)]
    path: String,
    #[serde(rename = "Socket", default)]
    socket: String,
    #[serde(rename = "Instance", default)]
    instance: String,
}

impl Weigh for DomainEntry {
    fn weight(&self) -> usize {
        self.domain.aors.weight().max(1)
    }
}

impl Weigh for AorEntry {
    fn weight(&self) -> usize {
        self.info.contacts.weight().max(1)
    }
}

impl Weigh for ContactEntry {}

impl Dump {
    fn registrations(self, now: UnixMillis) -> Result<Vec<Registration>, PbxError> {
        const OF: &str = "registrations";
        let mut all = Vec::new();
        for entry in self.domains.entries(OF)? {
            for AorEntry { info } in entry.domain.aors.entries(OF)? {
                for contact in info.contacts.entries(OF)? {
                    if let Some(one) = registration(&info.aor, contact.contact, now) {
                        keep(&mut all, one)?;
                    }
                }
            }
        }
        Ok(all)
    }
}

/// What the text says, unless Kamailio writes that there is none.
fn set(text: String) -> Option<String> {
    (!text.is_empty() && text != "[not set]").then_some(text)
}

fn registration(aor: &str, contact: Contact, now: UnixMillis) -> Option<Registration> {
    let until = match &contact.expires {
        Scalar::Number(seconds @ 1..) => Some(now.plus_millis(seconds.saturating_mul(1000))),
        Scalar::Number(_) => return None,
        Scalar::Word(word) if word == "expired" || word == "deleted" => return None,
        Scalar::Word(_) | Scalar::Other => None,
    };
    Some(Registration {
        line: line_of(aor).to_owned(),
        contact: contact.address,
        agent: set(contact.agent),
        instance: set(contact.instance),
        until,
        way: Way {
            address_of_record: aor.to_owned(),
            call_id: set(contact.call_id),
            received: set(contact.received),
            path: set(contact.path),
            socket: set(contact.socket),
            is_chan_sip: false,
        },
    })
}

enum Answer<T> {
    Done(T),
    No { answer: String },
}

#[derive(Deserialize)]
struct Reply<T> {
    result: Option<T>,
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    message: String,
}

struct Rpc {
    requests: SendRequest<Full<Bytes>>,
    connection: JoinHandle<()>,
    host: String,
    path: String,
    authorization: Option<String>,
}

impl Drop for Rpc {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Rpc {
    async fn open(io: Box<dyn Io>, target: &PbxTarget) -> Result<Self, PbxError> {
        let (requests, connection) = handshake(TokioIo::new(io)).await.map_err(|error| broken(&error))?;
        // It only moves bytes for the requests, and ends with them.
        let connection = tokio::spawn(async move { drop(connection.await) });
        let authorization = target.user.as_ref().map(|user| {
            let password = target.password.as_ref().map(|secret| secret.reveal()).unwrap_or_default();
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        let host = format!("{}:{}", target.host, target.port);
        Ok(Self { requests, connection, host, path: target.path.clone(), authorization })
    }

    async fn call<T: DeserializeOwned>(&mut self, method: &'static str, params: Value) -> Result<Answer<T>, PbxError> {
        let body = json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 }).to_string();
        let mut request = Request::post(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| PbxError::Broken { why: error.to_string() })?;
        let authorization = self.authorization.as_ref().and_then(|text| text.parse().ok());
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.requests.ready().await.map_err(|error| broken(&error))?;
        let response = self.requests.send_request(request).await.map_err(|error| broken(&error))?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(PbxError::SignIn),
            StatusCode::NOT_FOUND => return Err(PbxError::NotThis { kind: KIND, what: "404 at this path" }),
            _ => {}
        }
        let too_much = |_| PbxError::TooMuch { limit: MOST_BYTES, of: "bytes, or broke off" };
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.map_err(too_much)?.to_bytes();
        read(&body)
    }

    /// The calls there are, or why that is not known.
    async fn dialogs(&mut self) -> Result<Result<Vec<Dialog>, String>, PbxError> {
        known(self.call("dlg.list", json!([])).await)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<Answer<T>, PbxError> {
    let not_this = |_| PbxError::NotThis { kind: KIND, what: "an answer of another shape" };
    let reply: Reply<T> = serde_json::from_slice(body).map_err(not_this)?;
    match (reply.result, reply.error) {
        (Some(result), None) => Ok(Answer::Done(result)),
        (_, Some(error)) => Ok(Answer::No { answer: shown(&error.message) }),
        (None, None) => Err(PbxError::NotThis { kind: KIND, what: "an answer without a result" }),
    }
}

fn broken(error: &hyper::Error) -> PbxError {
    PbxError::Broken { why: shown(&error.to_string()) }
}
