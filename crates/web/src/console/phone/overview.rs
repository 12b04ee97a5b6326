//! How a phone stands, what is wrong with it now, its story, and what can be done.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::device::{Certificate, Device, Standing, phone_standing};
use super::super::firmware::{Block, block_of};
use super::super::gate::{Named, SignedIn};
use super::super::parts::{ClaimForm, Frame};
use super::super::story::Event;
use super::super::words::Moment;
use super::{Head, frame};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{ExceptionView, FirmwareView, PhoneOverview, PhoneView, RegisteredLineView, TroubleView};
use provost_core::firmware::FirmwareLevel;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// Entries of the timeline on one page: about three boots of a phone.
const EVENTS: u32 = 50;

#[derive(Template)]
#[template(path = "phone.html", whitespace = "minimize")]
struct PhonePage {
    frame: Frame,
    head: Head,
    standing: Standing,
    troubles: Vec<TroubleView>,
    phone: Phone,
    device: Option<Held>,
    claim: Option<ClaimForm>,
    timeline: Vec<Event>,
    older: Option<String>,
    is_first_page: bool,
    deeds: Deeds,
    block: Option<Block>,
    /// Where the way to another version is looked at.
    ladder: Option<String>,
}

struct Phone {
    certificate: Certificate,
    certificate_reason: Option<String>,
    fingerprint: Option<String>,
    last_refused: Option<String>,
    runs: Option<String>,
    updater: Option<String>,
    firmware: FirmwareView,
    firmware_tone: &'static str,
    address: Option<String>,
    first_seen: Option<Moment>,
    last_seen: Option<Moment>,
    /// How far it has come on the way to a new server address.
    moving: Option<String>,
    /// Devices that name or have it, where there are several.
    clash: Vec<String>,
}

/// The device that has or names the phone.
struct Held {
    row: Device,
    polls: Option<String>,
    lines: Vec<RegisteredLineView>,
}

/// What can be done with the phone by whoever looks at it.
#[derive(Default)]
struct Deeds {
    /// It is bound and can be told to look: `None`, or why it cannot be reached.
    out_of_reach: Option<String>,
    tells: bool,
    rotates: bool,
    bars: bool,
    enables: bool,
    releases: bool,
    readmits: bool,
    excepts: bool,
    exception: Option<Excepted>,
    blocks: bool,
}

struct Excepted {
    until: Moment,
    reason: String,
}

impl Deeds {
    const fn are_some(&self) -> bool {
        self.tells
            || self.rotates
            || self.bars
            || self.enables
            || self.releases
            || self.readmits
            || self.excepts
            || self.exception.is_some()
            || self.blocks
    }
}

#[derive(serde::Deserialize)]
pub(super) struct Before {
    before: Option<String>,
}

/// `GET /phones/{mac}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(mac): Named<MacAddr>,
    query: Result<Query<Before>, QueryRejection>,
) -> Result<Response, Trouble> {
    let before = query.ok().and_then(|Query(query)| query.before);
    let overview = console.app.phone_overview(mac, (before.as_deref(), EVENTS), by.actor()).await?;
    let device = overview.phone.device.as_ref().and_then(|device| device.id.parse().ok());
    let block = match device {
        Some(id) => block_of(&console.app, &id, by.actor()).await?,
        None => None,
    };
    let shown = phone_page(overview, &by, (before.is_none(), console.app.now()));
    Ok(page(StatusCode::OK, &PhonePage { block, ..shown }))
}

fn phone_page(overview: PhoneOverview, by: &SignedIn, (is_first_page, now): (bool, UnixMillis)) -> PhonePage {
    let deeds = deeds(&overview, by, now);
    let PhoneOverview { phone: view, timeline, firmware, troubles, is_set_aside, .. } = overview;
    let frame = frame(&format!("Phone {}", view.mac), by);
    // An older page of the story does not change any more.
    let frame = if is_first_page { frame.live(format!("/live/phones/{}", view.mac)) } else { frame };
    let takes_code = view.device.is_none() && view.first_seen.is_some() && !is_set_aside;
    PhonePage {
        frame,
        block: None,
        ladder: ladder(&view),
        head: Head::new(&view, ""),
        standing: if is_set_aside { SET_ASIDE } else { phone_standing(&view) },
        claim: takes_code.then(|| ClaimForm::for_phone(&view.mac)),
        device: view.device.clone().map(|device| {
            let lines = device.registered.lines.clone();
            Held { polls: device.missed_polls.map(polls), lines, row: Device::new(device, now) }
        }),
        phone: phone(view, firmware, now),
        troubles,
        older: timeline.next,
        timeline: timeline.items.into_iter().map(|item| Event::new(item, now)).collect(),
        is_first_page,
        deeds,
    }
}

/// The page that says where it may go, with what it runs filled in.
fn ladder(view: &PhoneView) -> Option<String> {
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let (model, runs) = (encoded(view.model.as_deref()?), encoded(view.firmware.as_deref()?));
    let updater = view.updater.as_deref().map(encoded).unwrap_or_default();
    Some(format!("/firmware/ladder?model={model}&version={runs}&updater={updater}"))
}

const SET_ASIDE: Standing = Standing {
    tone: "bad",
    word: "Set aside",
    meaning: "Another phone took its place: it gets nothing and keeps its old settings until it is reset.",
};

fn polls(missed: i64) -> String {
    match missed {
        ..=0 => "none missed".to_owned(),
        1 => "1 missed in a row".to_owned(),
        many => format!("{many} missed in a row"),
    }
}

fn deeds(overview: &PhoneOverview, by: &SignedIn, now: UnixMillis) -> Deeds {
    let PhoneOverview { phone, is_set_aside, exception, is_blocked, out_of_reach, .. } = overview;
    let role = by.actor().role;
    let blocks = phone.fingerprint.is_some() && !is_blocked && by.actor().may_platform(Right::Platform).is_ok();
    if !role.may(Right::Change) {
        return Deeds { blocks, ..Deeds::default() };
    }
    let Some(device) = &phone.device else {
        return Deeds { readmits: *is_set_aside, blocks, ..Deeds::default() };
    };
    let (is_bound, row) = (device.bound_at.is_some(), Device::new(device.clone(), now));
    let excepted = |exception: &ExceptionView| Excepted {
        until: Moment::read(&exception.ends_at, now),
        reason: exception.reason.clone(),
    };
    Deeds {
        out_of_reach: out_of_reach.clone(),
        tells: is_bound && !row.is_barred,
        rotates: is_bound && role.may(Right::Secrets),
        bars: !row.is_barred && !row.is_released,
        enables: row.is_barred,
        releases: !row.is_released,
        readmits: *is_set_aside,
        excepts: exception.is_none() && !row.is_barred && !row.is_released,
        exception: exception.as_ref().map(excepted),
        blocks,
    }
}

fn phone(view: PhoneView, firmware: FirmwareView, now: UnixMillis) -> Phone {
    let moment = |at: Option<String>| at.map(|at| Moment::read(&at, now));
    Phone {
        // A phone that never came has the refused contact as its certificate already.
        last_refused: view.last_refused.filter(|_| view.first_seen.is_some()).and_then(|refused| refused.reason),
        certificate: Certificate::new(view.certificate.status),
        certificate_reason: view.certificate.reason,
        fingerprint: view.fingerprint,
        firmware_tone: match firmware.level {
            FirmwareLevel::BelowFloor => "bad",
            FirmwareLevel::NotSecure => "wait",
            FirmwareLevel::BelowTarget | FirmwareLevel::NotKnown => "quiet",
            FirmwareLevel::Good => "good",
        },
        firmware,
        runs: view.firmware,
        updater: view.updater,
        address: view.address,
        first_seen: moment(view.first_seen),
        last_seen: moment(view.last_seen),
        moving: view.moving.map(|moving| moving.sentence),
        clash: view.clash.into_iter().map(|claimant| claimant.device).collect(),
    }
}
