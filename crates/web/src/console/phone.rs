//! The page of one phone: how it stands, its timeline, its configuration with origins, its files.

use super::answer::{Trouble, page};
use super::device::{Certificate, Device, Standing, phone_standing};
use super::gate::{Named, SignedIn};
use super::parts::{ClaimForm, Frame};
use super::words::{Moment, size};
use super::{Console, actions};
use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use provost_app::{Actor, App, PhoneView, TimelinePage};
use provost_core::mac::MacAddr;
use provost_core::render::{Effective, Shown};
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// Entries of the timeline on one page: about three boots of a phone.
const EVENTS: u32 = 50;

#[derive(Template)]
#[template(path = "phone.html", whitespace = "minimize")]
struct PhonePage {
    frame: Frame,
    phone: Phone,
    device: Option<Device>,
    claim: Option<ClaimForm>,
    timeline: Vec<Event>,
    older: Option<String>,
    is_first_page: bool,
    configuration: Configuration,
    uploads: Vec<Upload>,
}

struct Phone {
    mac: String,
    model: Option<String>,
    standing: Standing,
    certificate: Certificate,
    certificate_reason: Option<String>,
    last_refused: Option<String>,
    firmware: Option<String>,
    updater: Option<String>,
    address: Option<String>,
    first_seen: Option<Moment>,
    last_seen: Option<Moment>,
    /// How far it has come on the way to a new server address.
    moving: Option<String>,
}

struct Event {
    at: Moment,
    tone: &'static str,
    kind: &'static str,
    sentence: String,
    advice: Option<String>,
    reference: Option<String>,
}

/// What the phone is told, if it is told anything of its own.
enum Configuration {
    Unbound,
    Values(Vec<Value>),
    Broken(String),
}

struct Value {
    parameter: String,
    value: String,
    is_hidden: bool,
    layer: &'static str,
}

struct Upload {
    name: String,
    size: String,
    at: Moment,
}

#[derive(serde::Deserialize)]
pub(super) struct Before {
    before: Option<String>,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/phones/activate", post(actions::activate)).route("/phones/{mac}", get(show))
}

/// `GET /phones/{mac}`.
async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(mac): Named<MacAddr>,
    query: Result<Query<Before>, QueryRejection>,
) -> Result<Response, Trouble> {
    let before = query.ok().and_then(|Query(query)| query.before);
    let template = phone_page(&console.app, &by, mac, before.as_deref()).await?;
    Ok(page(StatusCode::OK, &template))
}

async fn phone_page(app: &App, by: &SignedIn, mac: MacAddr, before: Option<&str>) -> Result<PhonePage, Trouble> {
    let now = app.now();
    let view = app.phone(mac, by.actor()).await?;
    let TimelinePage { items, next } = app.timeline(mac, before, EVENTS, by.actor()).await?;
    let is_bound = view.device.as_ref().is_some_and(|device| device.bound_at.is_some());
    let configuration = if is_bound { configuration(app, mac, by.actor()).await } else { Configuration::Unbound };
    let uploads = app.uploads(mac, by.actor()).await?.into_iter().map(|(name, bytes, at)| Upload {
        name,
        size: size(bytes),
        at: Moment::read(&at, now),
    });
    let timeline = items.into_iter().map(|item| Event {
        at: Moment::read(&item.at, now),
        tone: event_tone(&item.kind),
        kind: kind_words(&item.kind),
        sentence: item.sentence,
        advice: item.advice,
        reference: item.reference,
    });
    Ok(PhonePage {
        frame: Frame::signed_in(&format!("Phone {mac}"), by),
        claim: (view.device.is_none() && view.first_seen.is_some()).then(|| ClaimForm::for_phone(&view.mac)),
        timeline: timeline.collect(),
        older: next,
        is_first_page: before.is_none(),
        configuration,
        uploads: uploads.collect(),
        device: view.device.clone().map(|device| Device::new(device, now)),
        phone: phone(view, now),
    })
}

fn phone(view: PhoneView, now: UnixMillis) -> Phone {
    let moment = |at: Option<String>| at.map(|at| Moment::read(&at, now));
    Phone {
        standing: phone_standing(&view),
        // A phone that never came has the refused contact as its certificate already.
        last_refused: view.last_refused.filter(|_| view.first_seen.is_some()).and_then(|refused| refused.reason),
        mac: view.mac,
        model: view.model_name.or(view.model),
        certificate: Certificate::new(view.certificate.status),
        certificate_reason: view.certificate.reason,
        firmware: view.firmware,
        updater: view.updater,
        address: view.address,
        first_seen: moment(view.first_seen),
        last_seen: moment(view.last_seen),
        moving: view.moving.map(|moving| moving.sentence),
    }
}

/// A configuration that cannot be made must not hide the timeline that says why.
async fn configuration(app: &App, mac: MacAddr, by: &Actor) -> Configuration {
    match app.configuration(mac, by).await {
        Ok(values) => Configuration::Values(values.into_iter().map(value).collect()),
        Err(error) => {
            tracing::warn!(phone.mac = %mac, %error, "the console cannot show the configuration of {mac}");
            Configuration::Broken(error.to_string())
        }
    }
}

fn value(effective: Effective) -> Value {
    Value {
        is_hidden: effective.shown == Shown::OnReveal,
        layer: effective.layer.as_str(),
        parameter: effective.parameter,
        value: effective.value,
    }
}

fn kind_words(kind: &str) -> &'static str {
    match kind {
        "request" => "Request",
        "refused" => "Refused",
        "claim" => "Claim",
        "action" => "Administrator",
        "alarm" => "Alarm",
        _ => "Event",
    }
}

fn event_tone(kind: &str) -> &'static str {
    match kind {
        "refused" | "alarm" => "bad",
        "claim" => "claim",
        _ => "quiet",
    }
}
