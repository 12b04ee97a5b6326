//! The page of one device: how it stands and what comes next, its code, its phones, what became of it, what can be done.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::device::Device;
use super::super::firmware::{Block, block_of};
use super::super::gate::{Named, SignedIn};
use super::super::parts::{Field, Frame};
use super::super::qr::QrCode;
use super::super::story::Event;
use super::super::words::Moment;
use super::asked::{Asked, Pairs};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, ClaimantView, DevicePhoneView, DeviceView, TimelinePage, UserView};
use provost_core::ids::{DeviceId, UserId};
use provost_core::lifecycle::DeviceState;
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// Entries of the timeline on one page: about three boots of a phone.
const EVENTS: u32 = 50;

#[derive(Template)]
#[template(path = "devices/one.html", whitespace = "minimize")]
struct OnePage {
    frame: Frame,
    device: Device,
    account: Option<String>,
    owner: Option<Owner>,
    next: Next,
    code: Option<CodeBox>,
    phones: Vec<PhoneHad>,
    registered: String,
    missed_polls: Option<i64>,
    not_served: Option<&'static str>,
    clash: Vec<ClaimantView>,
    released: Option<(Moment, Moment)>,
    mail: Option<Mail>,
    firmware: Option<Block>,
    deeds: Deeds,
    swap: Field,
    timeline: Vec<Event>,
    older: Option<String>,
    is_first_page: bool,
}

/// Whom the device is for.
struct Owner {
    id: String,
    name: String,
    extension: String,
    email: Option<String>,
    site: String,
}

/// What has to happen, and where one does it.
struct Next {
    words: String,
    /// Address and words of a page that helps.
    link: Option<(String, &'static str)>,
}

/// The open code with what carries it elsewhere.
struct CodeBox {
    shown: String,
    digits: String,
    expires: Moment,
    qr: QrCode,
}

struct PhoneHad {
    mac: String,
    from: Moment,
    until: Option<Moment>,
    how: &'static str,
}

/// What the welcome mail has to do with this device.
enum Mail {
    /// None was sent yet.
    NotSent,
    /// This device, or another of the user's, is not in the one that was sent.
    Again(Moment),
    /// It was sent, and this device stands in it.
    Sent(Moment),
    /// There is no address to send it to.
    NoAddress,
}

/// What can be done now, as far as the device goes: rights are looked at beside.
struct Deeds {
    give: bool,
    unassign: bool,
    swap: bool,
    release: bool,
    restore: bool,
    remove: bool,
}

/// `GET /devices/{id}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<DeviceId>,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let asked = Asked::of(pairs);
    let before = asked.given("before");
    one_page(&console.app, (&id, &by), before.as_deref(), Field::default()).await
}

/// The page with what was typed for a swap and what is wrong with it.
pub(super) async fn one_page(
    app: &App,
    (id, by): (&DeviceId, &SignedIn),
    before: Option<&str>,
    swap: Field,
) -> Result<Response, Trouble> {
    let (now, actor) = (app.now(), by.actor());
    // First, since reading a timeline has everything written that phones did until now.
    let TimelinePage { items, next: older } = app.device_timeline(id, (before, EVENTS), actor).await?;
    let view = app.device(id, actor).await?;
    let had = app.device_phones(id, actor).await?;
    let user = user_of(app, &view, actor).await?;
    let status = if swap.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let moment = |at: &Option<String>| at.as_deref().map(|at| Moment::read(at, now));
    let template = OnePage {
        frame: Frame::signed_in(&view.model_name, by).at("devices").live(format!("/live/devices/{id}")),
        account: account_of(app, &view, actor).await?,
        next: next_for(&view, now, by),
        code: code_box(&view, now)?,
        mail: user.as_ref().and_then(|user| mail(user, &view, now)),
        owner: user.map(|user| owner(user, &view)),
        firmware: block_of(app, id, actor).await?,
        deeds: Deeds::of(&view, &had, now),
        phones: had.into_iter().map(|phone| phone_had(phone, now)).collect(),
        registered: view.registered.words.clone(),
        missed_polls: view.missed_polls.filter(|missed| *missed > 0),
        not_served: view.not_served,
        clash: view.clash.clone(),
        released: moment(&view.released_at).zip(moment(&view.restorable_until)),
        swap,
        timeline: items.into_iter().map(|item| Event::new(item, now)).collect(),
        older,
        is_first_page: before.is_none(),
        device: Device::new(view, now),
    };
    Ok(page(status, &template))
}

async fn user_of(app: &App, view: &DeviceView, by: &Actor) -> Result<Option<UserView>, AppError> {
    match view.user.as_deref().map(str::parse::<UserId>) {
        Some(Ok(id)) => app.user(&id, by).await.map(Some),
        _ => Ok(None),
    }
}

/// The account's name, for whoever sees more than one.
async fn account_of(app: &App, view: &DeviceView, by: &Actor) -> Result<Option<String>, AppError> {
    if matches!(by.scope, Scope::Site { .. }) {
        return Ok(None);
    }
    let Ok(id) = view.account.parse() else { return Ok(None) };
    Ok(Some(app.account(&id, by).await?.name))
}

fn owner(user: UserView, view: &DeviceView) -> Owner {
    Owner {
        id: user.id,
        name: user.name,
        extension: user.extension,
        email: user.email,
        site: view.site_name.clone().unwrap_or_default(),
    }
}

fn code_box(view: &DeviceView, now: UnixMillis) -> Result<Option<CodeBox>, Trouble> {
    let Some(code) = &view.activation_code else { return Ok(None) };
    Ok(Some(CodeBox {
        qr: QrCode::of(&code.code)?,
        shown: code.shown.clone(),
        digits: code.code.clone(),
        expires: Moment::read(&code.expires_at, now),
    }))
}

fn phone_had(phone: DevicePhoneView, now: UnixMillis) -> PhoneHad {
    PhoneHad {
        mac: phone.mac.to_string(),
        from: Moment::read(&phone.bound_at, now),
        until: phone.ended_at.map(|at| Moment::read(&at, now)),
        how: match phone.ended_how {
            Some("swapped") => "swapped for another",
            Some("unassigned") => "unassigned",
            Some("released") => "released",
            _ => "its phone now",
        },
    }
}

fn mail(user: &UserView, view: &DeviceView, now: UnixMillis) -> Option<Mail> {
    let waits = view.bound_at.is_none() && view.released_at.is_none();
    if user.email.is_none() {
        return waits.then_some(Mail::NoAddress);
    }
    match &user.welcome_mail {
        None => waits.then_some(Mail::NotSent),
        Some(sent) if sent.device_assigned_since && waits => Some(Mail::Again(Moment::read(&sent.queued_at, now))),
        Some(sent) => Some(Mail::Sent(Moment::read(sent.sent_at.as_ref().unwrap_or(&sent.queued_at), now))),
    }
}

impl Deeds {
    fn of(view: &DeviceView, had: &[DevicePhoneView], now: UnixMillis) -> Self {
        let is_released = view.released_at.is_some();
        let is_bound = view.bound_at.is_some();
        let until = view.restorable_until.as_deref().map(|at| Moment::read(at, now));
        Self {
            give: !is_released,
            unassign: !is_released && (view.user.is_some() || is_bound),
            swap: is_bound && view.user.is_some() && view.state != DeviceState::Disabled.as_str(),
            release: !is_released,
            restore: is_released && until.is_some_and(|until| !until.is_past),
            remove: is_released || had.is_empty(),
        }
    }
}

/// What has to happen next, with a link only for whom it leads somewhere.
fn next_for(view: &DeviceView, now: UnixMillis, by: &SignedIn) -> Next {
    let Next { words, link } = next(view, now);
    let may_change = by.actor().role.may(Right::Change);
    Next { words, link: link.filter(|(address, _)| may_change || !address.ends_with("/user")) }
}

/// What has to happen next, in the words of whoever stands there.
fn next(view: &DeviceView, now: UnixMillis) -> Next {
    let say = |words: &str| Next { words: words.to_owned(), link: None };
    let with = |words: &str, address: String, link: &'static str| Next {
        words: words.to_owned(),
        link: Some((address, link)),
    };
    if view.not_served.is_some() {
        return say("Find out whose phone it is, then remove its MAC address from the other device.");
    }
    let point = || format!("/point?model={}", view.model);
    let phone = || view.mac.map(|mac| format!("/phones/{mac}")).unwrap_or_default();
    match DeviceState::from_word(view.state) {
        Some(DeviceState::Added) => with(
            "Assign it to a user; then it takes an activation code.",
            format!("/devices/{}/user", view.id),
            "Assign it",
        ),
        Some(DeviceState::Assigned) => match &view.activation_code {
            Some(code) if Moment::read(&code.expires_at, now).is_past => {
                say("Issue a new code: nobody can use the old one.")
            }
            Some(_) => with(
                "Have its person press Activate on the phone and key the code, or use the web page for people.",
                point(),
                "The phone does not show Activate?",
            ),
            None if view.mac.is_some() => with(
                "Plug the phone in where it reaches this server. It is claimed at its first contact, without a code.",
                point(),
                "Point it here",
            ),
            None => with(
                "It needs an activation code, which its person keys into the phone.",
                point(),
                "Point the phone here",
            ),
        },
        Some(DeviceState::Contacted) if view.user.is_none() => with(
            "Its phone was here. Assign the device to a user: then the phone is claimed.",
            format!("/devices/{}/user", view.id),
            "Assign it",
        ),
        Some(DeviceState::Contacted) => {
            with("Its phone was here and could not be claimed. Its timeline says why.", phone(), "The phone's timeline")
        }
        Some(DeviceState::Activated) => match &view.awaited {
            Some(awaited) => with(awaited, phone(), "The phone's timeline"),
            None => say(""),
        },
        Some(DeviceState::Disabled | DeviceState::Quarantined) => {
            say("Enable it to have its phone served again, or swap the phone for another.")
        }
        Some(DeviceState::Released) => say("Restore it if that was a mistake, or remove it from the lists."),
        None => say(""),
    }
}
