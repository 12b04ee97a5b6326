//! *Add Device Model*: a model of the catalog, found by typing, for stock or for a user.

use super::super::Console;
use super::super::answer::{Trouble, page, to};
use super::super::device::Device;
use super::super::gate::{Posted, SignedIn};
use super::super::models::is_model_meant;
use super::super::parts::{AddForm, Choice, Field, Frame};
use super::super::sessions::Notice;
use super::asked::{Asked, Pairs};
use super::choices;
use super::picture::ModelCard;
use super::whom::People;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, DeviceView, Page};
use provost_core::entry::{DeviceInput, FieldError, FieldErrors};
use provost_core::ids::UserId;
use provost_core::rights::{Right, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "devices/add.html", whitespace = "minimize")]
struct AddPage {
    frame: Frame,
    /// What was typed to find a model.
    search: String,
    models: Vec<ModelCard>,
    chosen: Option<ModelCard>,
    add: AddForm,
    people: People,
    accounts: Vec<Choice>,
    /// Whether whoever is signed in may add devices that are for nobody.
    has_stock: bool,
}

/// Devices one form adds: a box full of phones.
const MOST_AT_ONCE: u32 = 50;

/// `GET /devices/add`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, pairs: Pairs) -> Result<Response, Trouble> {
    by.actor().has(Right::Change)?;
    let asked = Asked::of(pairs);
    let typed = |name: &str| Field::typed(asked.text(name));
    let add = AddForm {
        account: typed("account"),
        model: typed("model"),
        user: typed("user"),
        mac: typed("mac"),
        count: Field::typed("1"),
        ..AddForm::default()
    };
    add_page(&console.app, &by, (asked.text("q"), asked.text("who")), add).await
}

/// The page with what was typed and what is wrong with it.
async fn add_page(app: &App, by: &SignedIn, (q, who): (&str, &str), add: AddForm) -> Result<Response, Trouble> {
    let status = if add.has_errors() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let catalog = app.catalog();
    let chosen = catalog.model(&add.model.typed).map(|model| ModelCard::new(app, model));
    let models = catalog.models().filter(|model| chosen.is_none() && is_model_meant(model, q));
    let template = AddPage {
        frame: Frame::signed_in("Add Device Model", by).at("devices"),
        search: q.to_owned(),
        models: models.map(|model| ModelCard::new(app, model)).collect(),
        people: People::find(app, (who, &add.user.typed), None, by.actor()).await?,
        accounts: choices::accounts(app, &add.account.typed, by.actor()).await?,
        has_stock: !matches!(by.actor().scope, Scope::Site { .. }),
        chosen,
        add,
    };
    Ok(page(status, &template))
}

/// `POST /devices`.
pub(super) async fn add(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let (app, typed) = (&console.app, typed(&posted));
    let mut added = Vec::new();
    let error = match add_all(app, &posted, &mut added).await {
        Ok(()) => return Ok(done(app, &posted, added)),
        // What is added stays: the page says how far it came.
        Err(error) if !added.is_empty() => {
            let words = format!("Only {} of the devices were added: {error}", added.len());
            posted.by.leave_notice(Notice::bad(words, None));
            return Ok(to("/devices?status=added"));
        }
        Err(error) => error,
    };
    let form = match error {
        AppError::Fields(errors) => typed.with_errors(errors),
        error @ (AppError::Conflict { .. } | AppError::NotFound { .. }) => {
            AddForm { problems: vec![error.to_string()], ..typed }
        }
        error => return Err(error.into()),
    };
    add_page(app, &posted.by, ("", posted.text("who")), form).await
}

fn typed(posted: &Posted) -> AddForm {
    let field = |name: &str| Field::typed(posted.text(name));
    AddForm {
        account: field("account"),
        model: field("model"),
        user: field("user"),
        mac: field("mac"),
        count: field("count"),
        problems: Vec::new(),
    }
}

async fn add_all(app: &App, posted: &Posted, added: &mut Vec<DeviceView>) -> Result<(), AppError> {
    let by = posted.by.actor();
    let Some(model) = posted.given("model") else { return Err(fault("model", "Choose a model.")) };
    let (user, mac) = (posted.given("user"), posted.given("mac"));
    let count = count(posted.text("count"), user.is_some() || mac.is_some())?;
    let account = account(app, posted, user.as_deref(), by).await?;
    for _ in 0..count {
        let input =
            DeviceInput { account: account.clone(), model: model.clone(), user: user.clone(), mac: mac.clone() };
        added.push(app.add_device(input, by).await?);
    }
    Ok(())
}

/// How many: for a user, and for a phone that is named, it is one.
fn count(typed: &str, is_for_one: bool) -> Result<u32, AppError> {
    match typed.parse::<u32>() {
        _ if typed.is_empty() => Ok(1),
        Ok(count @ 2..) if is_for_one && count <= MOST_AT_ONCE => {
            Err(fault("count", "For a user or a phone's MAC address, one device is added at a time."))
        }
        Ok(count) if (1..=MOST_AT_ONCE).contains(&count) => Ok(count),
        _ => Err(fault("count", "Write a number from 1 to 50; an import adds more at once.")),
    }
}

/// The account a device belongs to: its user's, the one chosen, or the only one there is.
async fn account(app: &App, posted: &Posted, user: Option<&str>, by: &Actor) -> Result<String, AppError> {
    if let Some(account) = posted.given("account") {
        return Ok(account);
    }
    if let Some(user) = user.and_then(|user| user.parse::<UserId>().ok()) {
        return match app.user(&user, by).await {
            Ok(user) => Ok(user.account),
            Err(AppError::NotFound { .. }) => Err(fault("user", "There is no such user any more; find another.")),
            Err(error) => Err(error),
        };
    }
    match app.accounts(Page { limit: 2, ..Page::FIRST }, by).await?.as_slice() {
        [account] => Ok(account.id.clone()),
        [] => Err(fault("account", "There is no account yet; create one first.")),
        _ => Err(fault("account", "Choose an account.")),
    }
}

fn fault(field: &str, message: &str) -> AppError {
    FieldErrors(vec![FieldError { field: field.to_owned(), message: message.to_owned() }]).into()
}

fn done(app: &App, posted: &Posted, mut added: Vec<DeviceView>) -> Response {
    let count = added.len();
    let Some(last) = added.pop() else { return to("/devices") };
    let (id, model) = (last.id.clone(), last.model.clone());
    let device = Device::new(last, app.now());
    let next = device.standing.meaning;
    let (words, then) = match &device.person {
        Some(person) => (
            format!("Added a {} for {} ({}). {next}", device.model, person.name, person.extension),
            format!("/devices/{id}"),
        ),
        None if count == 1 => (format!("Added a {} to stock. {next}", device.model), format!("/devices/{id}")),
        None => (
            format!("Added {count} {} to stock. They have no user yet, so they take no code.", device.model),
            format!("/devices?model={model}&status=added"),
        ),
    };
    posted.by.leave_notice(Notice::good(words));
    to(&then)
}
