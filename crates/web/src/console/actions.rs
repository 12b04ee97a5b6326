//! What the forms do: add a device, issue a code, bar or serve a device, enter a code for a phone.
//!
//! Done or refused, the answer is a step back to a page that says so once; only a form with fields at
//! fault comes back at once, with what was typed.

use super::Console;
use super::answer::{Trouble, reference_of, to};
use super::device::Device;
use super::devices::devices_page;
use super::gate::{Named, Posted};
use super::home::home_page;
use super::parts::{AddForm, ClaimForm, Field};
use super::sessions::Notice;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, Bar, DeviceView, Page};
use provost_core::entry::{DeviceInput, FieldError, FieldErrors};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use std::sync::Arc;

/// `POST /devices`.
pub(super) async fn add_device(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let app = &console.app;
    let typed = typed_device(&posted);
    let add = match add_device_of(app, &posted).await {
        Ok(device) => {
            posted.by.leave_notice(Notice::good(added_words(device, app)));
            return Ok(to("/devices"));
        }
        Err(AppError::Fields(errors)) => typed.with_errors(errors),
        Err(error @ (AppError::Conflict { .. } | AppError::NotFound { .. })) => {
            AddForm { problems: vec![error.to_string()], ..typed }
        }
        Err(error) => return Err(error.into()),
    };
    devices_page(app, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, add).await
}

fn typed_device(posted: &Posted) -> AddForm {
    AddForm {
        account: Field::typed(posted.text("account")),
        model: Field::typed(posted.text("model")),
        user: Field::typed(posted.text("user")),
        mac: Field::typed(posted.text("mac")),
        problems: Vec::new(),
    }
}

async fn add_device_of(app: &App, posted: &Posted) -> Result<DeviceView, AppError> {
    let account = match posted.given("account") {
        Some(account) => account,
        None => only_account(app, posted.by.actor()).await?,
    };
    let Some(model) = posted.given("model") else { return Err(fault("model", "Choose a model.")) };
    let input = DeviceInput { account, model, user: posted.given("user"), mac: posted.given("mac") };
    app.add_device(input, posted.by.actor()).await
}

/// The account of a form that does not ask for it.
async fn only_account(app: &App, by: &Actor) -> Result<String, AppError> {
    match app.accounts(Page::FIRST, by).await?.as_slice() {
        [account] => Ok(account.id.clone()),
        [] => Err(fault("account", "There is no account yet; create one first.")),
        _ => Err(fault("account", "Choose an account.")),
    }
}

fn fault(field: &str, message: &str) -> AppError {
    FieldErrors(vec![FieldError { field: field.to_owned(), message: message.to_owned() }]).into()
}

fn added_words(view: DeviceView, app: &App) -> String {
    let device = Device::new(view, app.now());
    let next = device.standing.meaning;
    match &device.person {
        Some(person) => format!("Added a {} for {} ({}). {next}", device.model, person.name, person.extension),
        None => format!("Added a {} to stock. {next}", device.model),
    }
}

/// `POST /devices/{id}/code`.
pub(super) async fn issue_code(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let notice = match console.app.issue_code(&id, posted.by.actor()).await {
        Ok(_) => Notice::good("A new activation code stands beside the device. Any earlier one is void.".to_owned()),
        Err(error) => refusal(error)?,
    };
    posted.by.leave_notice(notice);
    Ok(to("/devices"))
}

/// `POST /devices/{id}/disable`.
pub(super) async fn disable(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let told = "is disabled: its phone gets nothing and keeps its old settings until it is reset.";
    bar(&console.app, &id, Some(Bar::Disabled), (&posted, told)).await
}

/// `POST /devices/{id}/quarantine`.
pub(super) async fn quarantine(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let told = "is quarantined: its phone gets nothing and keeps its old settings until it is reset.";
    bar(&console.app, &id, Some(Bar::Quarantined), (&posted, told)).await
}

/// `POST /devices/{id}/enable`.
pub(super) async fn enable(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console.app, &id, None, (&posted, "is enabled: its phone is served again at its next contact.")).await
}

async fn bar(app: &App, id: &DeviceId, bar: Option<Bar>, (posted, told): (&Posted, &str)) -> Result<Response, Trouble> {
    let (notice, mac) = match app.bar_device(id, bar, posted.by.actor()).await {
        Ok(device) => {
            let whom = device.user_name.map_or(String::new(), |name| format!(" of {name}"));
            (Notice::good(format!("The {}{whom} {told}", device.model_name)), device.mac)
        }
        Err(error) => (refusal(error)?, None),
    };
    posted.by.leave_notice(notice);
    // The page asked for is a choice of two, never an address from the form.
    let back = mac.filter(|_| posted.text("back") == "phone").map(|mac| format!("/phones/{mac}"));
    Ok(to(back.as_deref().unwrap_or("/devices")))
}

/// `POST /phones/activate`.
pub(super) async fn activate(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let app = &console.app;
    let mut claim = ClaimForm { mac: Field::typed(posted.text("mac")), ..ClaimForm::default() };
    claim.code = Field::typed(posted.text("code"));
    let mac = match claim.mac.typed.parse::<MacAddr>() {
        Ok(mac) => mac,
        Err(error) => {
            claim.mac.error = Some(error.to_string());
            claim.mac.is_first = true;
            return home_page(app, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, claim).await;
        }
    };
    match app.activate(mac, &claim.code.typed, posted.by.actor()).await {
        Ok(activated) => {
            posted.by.leave_notice(Notice::good(activated_words(activated.device, mac)));
            Ok(to(&format!("/phones/{mac}")))
        }
        Err(error) => code_refused(app, &posted, claim, error).await,
    }
}

/// On the phone's own page the refusal is told once; on the devices page the form comes back.
async fn code_refused(app: &App, posted: &Posted, mut claim: ClaimForm, error: AppError) -> Result<Response, Trouble> {
    let notice = refusal(error)?;
    if posted.text("back") == "phone"
        && let Ok(mac) = claim.mac.typed.parse::<MacAddr>()
    {
        posted.by.leave_notice(notice);
        return Ok(to(&format!("/phones/{mac}")));
    }
    claim.code.error = Some(notice.text);
    claim.code.is_first = true;
    claim.reference = notice.reference;
    home_page(app, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, claim).await
}

fn activated_words(device: DeviceView, mac: MacAddr) -> String {
    let whom = device.user_name.map_or(String::new(), |name| format!(" of {name}"));
    format!(
        "Phone {mac} is bound to the {}{whom}. It learns so at its next poll or power cycle, reads its configuration and restarts once.",
        device.model_name
    )
}

/// What a use-case that said no has to say; a failure goes on as one.
pub(super) fn refusal(error: AppError) -> Result<Notice, Trouble> {
    match error {
        AppError::Fields(_) | AppError::Conflict { .. } | AppError::Refused { .. } | AppError::TooManyTries { .. } => {
            Ok(Notice::bad(sentence(&error.to_string()), reference_of(&error)))
        }
        other => Err(other.into()),
    }
}

/// A message of the API as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
