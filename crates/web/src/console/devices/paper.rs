//! Devices on paper: a sheet of labels, and a letter to each person with the code and what to do with it.
//!
//! Looking issues nothing: codes that are missing are issued by a form. Whoever may not see codes gets paper without.

use super::super::Console;
use super::super::answer::{Trouble, page, to};
use super::super::device::takes_code;
use super::super::gate::{Posted, SignedIn};
use super::super::guides::{FilledGuide, Part, Places, is_for};
use super::super::parts::Frame;
use super::super::qr::QrCode;
use super::super::sessions::Notice;
use super::super::words::Moment;
use super::asked::{Asked, Pairs};
use super::change::refusal;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, CodeView, DeviceView};
use provost_catalog::{ActivationDoor, Guide, GuidePlace};
use provost_core::ids::DeviceId;
use provost_core::rights::Right;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Five sheets of labels, or as many letters as one folds. An address with more ids would be too long for common proxies.
const MOST: usize = 120;

#[derive(Template)]
#[template(path = "devices/labels.html", whitespace = "minimize")]
struct LabelsPage {
    frame: Frame,
    labels: Vec<Label>,
    tools: Tools,
}

#[derive(Template)]
#[template(path = "devices/letters.html", whitespace = "minimize")]
struct LettersPage {
    frame: Frame,
    letters: Vec<Letter>,
    tools: Tools,
    /// Where people activate a phone in their browser.
    activate_page: String,
    activate_qr: QrCode,
}

/// What stands above the paper, on the screen.
struct Tools {
    /// The devices that are shown.
    ids: Vec<String>,
    /// How many of them could have a code and have none.
    without_code: usize,
    /// Whether more were chosen than are shown.
    is_cut: bool,
    /// What the form comes back to.
    paper: &'static str,
}

struct Label {
    name: String,
    extension: String,
    model: String,
    code: Option<PrintedCode>,
    /// Where there is no code: why.
    instead: Instead,
}

struct Letter {
    name: String,
    extension: String,
    site: String,
    model: String,
    code: Option<PrintedCode>,
    instead: Instead,
    /// Whether a voice answers where *Activate* is pressed.
    has_voice: bool,
    has_soft_key: bool,
    /// How a phone is pointed here that does not show *Activate*.
    guide: Option<FilledGuide>,
}

struct PrintedCode {
    shown: String,
    /// The day it ends, in UTC.
    until: String,
    qr: QrCode,
}

/// `GET /devices/labels`.
pub(super) async fn labels(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let (devices, tools) = chosen(&console.app, &Asked::of(pairs), ("labels", by.actor())).await?;
    let labels = devices.into_iter().map(|device| label(device, &console.app)).collect::<Result<_, _>>()?;
    let frame = Frame::signed_in("Label sheet", &by).at("devices");
    Ok(page(StatusCode::OK, &LabelsPage { frame, labels, tools }))
}

/// `GET /devices/letters`.
pub(super) async fn letters(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let app = &console.app;
    let (devices, tools) = chosen(app, &Asked::of(pairs), ("letters", by.actor())).await?;
    let is_personal = |device: &DeviceView| device.user.is_some();
    let letters =
        devices.into_iter().filter(is_personal).map(|device| letter(device, app)).collect::<Result<_, _>>()?;
    let activate_page = format!("{}/activate", app.told().public_url);
    let activate_qr = QrCode::of(&activate_page)?;
    let frame = Frame::signed_in("Letters", &by).at("devices");
    Ok(page(StatusCode::OK, &LettersPage { frame, letters, tools, activate_page, activate_qr }))
}

/// The devices that were chosen, each once; those that are not there any more are left out.
async fn chosen(
    app: &App,
    asked: &Asked,
    (paper, by): (&'static str, &Actor),
) -> Result<(Vec<DeviceView>, Tools), AppError> {
    let mut seen = BTreeSet::new();
    let ids: Vec<DeviceId> = asked.all("id").filter(|id| seen.insert(*id)).filter_map(|id| id.parse().ok()).collect();
    let mut devices = Vec::new();
    for id in ids.iter().take(MOST) {
        match app.device(id, by).await {
            Ok(device) => devices.push(device),
            Err(AppError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let without_code = devices.iter().filter(|device| wants_code(device, app)).count();
    let ids_shown = devices.iter().map(|device| device.id.clone()).collect();
    Ok((devices, Tools { ids: ids_shown, without_code, is_cut: ids.len() > MOST, paper }))
}

/// The code that somebody can use now.
fn open_code<'a>(device: &'a DeviceView, app: &App) -> Option<&'a CodeView> {
    let is_open = |code: &&CodeView| !Moment::read(&code.expires_at, app.now()).is_past;
    device.activation_code.as_ref().filter(is_open)
}

fn wants_code(device: &DeviceView, app: &App) -> bool {
    takes_code(device) && device.mac.is_none() && open_code(device, app).is_none()
}

fn label(device: DeviceView, app: &App) -> Result<Label, Trouble> {
    Ok(Label {
        instead: Instead::of(&device),
        code: printed(&device, app)?,
        name: device.user_name.unwrap_or_default(),
        extension: device.extension.unwrap_or_default(),
        model: device.model_name,
    })
}

fn letter(device: DeviceView, app: &App) -> Result<Letter, Trouble> {
    let catalog = app.catalog();
    let model = catalog.model(&device.model);
    let doors =
        model.and_then(|model| catalog.family(&model.family)).map(|family| family.activation_doors.value.as_slice());
    let has = |door: ActivationDoor| app.told().sip.is_some() && doors.is_some_and(|doors| doors.contains(&door));
    let places = Places::new(app, model);
    let guides = catalog.guides().iter().filter(|guide| guide.place == GuidePlace::Boot && is_for(guide, model));
    Ok(Letter {
        instead: Instead::of(&device),
        code: printed(&device, app)?,
        has_voice: has(ActivationDoor::Voice),
        has_soft_key: has(ActivationDoor::SoftKey),
        guide: guides.filter(|guide| keys_in_server(guide)).find_map(|guide| places.filled(guide)),
        name: device.user_name.unwrap_or_default(),
        extension: device.extension.unwrap_or_default(),
        site: device.site_name.unwrap_or_default(),
        model: device.model_name,
    })
}

/// Whether the procedure tells a phone which server to ask.
fn keys_in_server(guide: &Guide) -> bool {
    guide.steps.iter().any(|step| step.contains("{server}"))
}

fn printed(device: &DeviceView, app: &App) -> Result<Option<PrintedCode>, Trouble> {
    let Some(code) = open_code(device, app) else { return Ok(None) };
    let until = code.expires_at.chars().take(10).collect();
    Ok(Some(PrintedCode { shown: code.shown.clone(), until, qr: QrCode::of(&code.code)? }))
}

/// Why there is no code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Instead {
    /// It has its phone.
    Activated,
    /// Its phone is known by its MAC.
    Named,
    /// It gets none as it stands, or none is open, or it is not for whoever looks.
    None,
}

impl Instead {
    fn of(device: &DeviceView) -> Self {
        match (&device.bound_at, device.mac) {
            (Some(_), _) => Self::Activated,
            (None, Some(_)) => Self::Named,
            (None, None) => Self::None,
        }
    }
}

/// `POST /devices/codes`: issues a code for each of the devices that could have one and has none.
pub(super) async fn issue_codes(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, posted.by.actor());
    let ids: Vec<DeviceId> = posted.all("id").filter_map(|id| id.parse().ok()).take(MOST).collect();
    let (mut issued, mut refused) = (0u32, None);
    for id in &ids {
        match issue_missing(app, id, by).await {
            Ok(true) => issued = issued.saturating_add(1),
            Ok(false) => {}
            Err(error) => refused = Some(refusal(error)?),
        }
    }
    posted.by.leave_notice(refused.unwrap_or_else(|| {
        let words = if issued == 1 { "A code was issued.".to_owned() } else { format!("{issued} codes were issued.") };
        Notice::good(words)
    }));
    let ids: Vec<_> = ids.iter().map(|id| format!("id={id}")).collect();
    // The page asked for is a choice of two, never an address from the form.
    let paper = if posted.text("paper") == "letters" { "letters" } else { "labels" };
    Ok(to(&format!("/devices/{paper}?{}", ids.join("&"))))
}

async fn issue_missing(app: &App, id: &DeviceId, by: &Actor) -> Result<bool, AppError> {
    by.has(Right::Secrets)?;
    let device = app.device(id, by).await?;
    if !wants_code(&device, app) {
        return Ok(false);
    }
    app.issue_code(id, by).await.map(|_| true)
}
