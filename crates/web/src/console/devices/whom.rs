//! For whom a device shall be: users found by typing, and the page that gives a device to one of them.
//!
//! However many users there are, a page shows a few that begin with what was typed.

use super::super::Console;
use super::super::answer::{Trouble, page, to};
use super::super::device::Device;
use super::super::gate::{Named, Posted, SignedIn};
use super::super::parts::Frame;
use super::super::sessions::Notice;
use super::asked::{Asked, Pairs};
use super::change::refusal;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, DeviceView, ListedUserView, Page};
use provost_core::ids::{AccountId, DeviceId, UserId};
use provost_core::rights::Right;
use std::sync::Arc;

/// People that one tells apart at a glance.
const MOST_PEOPLE: usize = 20;
/// One more says whether there are more.
const MOST_LOOKED_AT: u32 = 21;

/// Users to choose from.
#[derive(Default)]
pub(super) struct People {
    /// What was typed.
    pub(super) typed: String,
    pub(super) people: Vec<Candidate>,
    /// Whether there are more than are shown.
    pub(super) has_more: bool,
}

/// Somebody a device could be for.
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) extension: String,
    pub(super) site: String,
    pub(super) account: String,
    pub(super) devices: i64,
    pub(super) chosen: bool,
}

impl Candidate {
    fn new(user: ListedUserView, chosen: &str) -> Self {
        Self {
            chosen: user.id == chosen,
            id: user.id,
            name: user.name,
            extension: user.extension,
            site: user.site_name,
            account: user.account_name,
            devices: user.devices,
        }
    }
}

impl People {
    /// Users whose name or extension begins with what was typed, and the one chosen before; of an account where one
    /// is named.
    pub(super) async fn find(
        app: &App,
        (typed, chosen): (&str, &str),
        account: Option<&AccountId>,
        by: &Actor,
    ) -> Result<Self, AppError> {
        let mut people = Vec::new();
        let mut has_more = false;
        if !typed.is_empty() {
            let first = Page { limit: MOST_LOOKED_AT, ..Page::FIRST };
            let mut found = match account {
                Some(account) => app.find_users_of((account, typed), first, by).await?,
                None => app.find_users((None, typed), first, by).await?,
            };
            has_more = found.len() > MOST_PEOPLE;
            found.truncate(MOST_PEOPLE);
            people.extend(found.into_iter().map(|user| Candidate::new(user, chosen)));
        }
        if !people.iter().any(|person| person.chosen)
            && let Some(person) = one(app, chosen, by).await?
        {
            people.insert(0, person);
        }
        Ok(Self { typed: typed.to_owned(), people, has_more })
    }
}

/// Somebody by id, where they are seen.
async fn one(app: &App, id: &str, by: &Actor) -> Result<Option<Candidate>, AppError> {
    let Ok(user) = id.parse::<UserId>() else { return Ok(None) };
    let user = match app.user(&user, by).await {
        Ok(user) => user,
        Err(AppError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let begins = user.extension.as_str();
    let found = app.find_users((user.site.parse().ok().as_ref(), begins), Page::FIRST, by).await?;
    Ok(found.into_iter().find(|found| found.id == user.id).map(|found| Candidate::new(found, id)))
}

#[derive(Template)]
#[template(path = "devices/whom.html", whitespace = "minimize")]
struct WhomPage {
    frame: Frame,
    device: Device,
    people: People,
    /// Why it was not given to whom was chosen.
    problem: Option<String>,
}

/// `GET /devices/{id}/user`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<DeviceId>,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    by.actor().has(Right::Change)?;
    let asked = Asked::of(pairs);
    whom_page(&console.app, (&id, &by), (asked.text("q"), ""), None).await
}

async fn whom_page(
    app: &App,
    (id, by): (&DeviceId, &SignedIn),
    searched: (&str, &str),
    problem: Option<String>,
) -> Result<Response, Trouble> {
    let view = app.device(id, by.actor()).await?;
    let account = view.account.parse::<AccountId>().map_err(|_| Trouble::NotHere)?;
    let people = People::find(app, searched, Some(&account), by.actor()).await?;
    let device = Device::new(view, app.now());
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = if device.person.is_some() { "Move to another user" } else { "Assign to a user" };
    let frame = Frame::signed_in(title, by).at("devices");
    Ok(page(status, &WhomPage { frame, device, people, problem }))
}

/// `POST /devices/{id}/user`.
pub(super) async fn give(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, &posted.by);
    let problem = match posted.text("user").parse::<UserId>() {
        Ok(user) => match app.move_device(&id, &user, by.actor()).await {
            Ok(device) => {
                by.leave_notice(Notice::good(given_words(&device)));
                return Ok(to(&format!("/devices/{id}")));
            }
            Err(AppError::Fields(errors)) => {
                errors.0.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ")
            }
            Err(error) => {
                by.leave_notice(refusal(error)?);
                return Ok(to(&format!("/devices/{id}")));
            }
        },
        Err(_) => "Choose a user.".to_owned(),
    };
    whom_page(app, (&id, by), (posted.text("q"), posted.text("user")), Some(problem)).await
}

fn given_words(device: &DeviceView) -> String {
    let whom = device.user_name.as_deref().unwrap_or_default();
    let next = if device.bound_at.is_some() {
        "Its phone reads the new settings at its next poll or power cycle, and restarts once."
    } else if device.mac.is_some() {
        "Its phone is claimed when it boots here."
    } else {
        "An open activation code of before is void; issue a new one."
    };
    format!("The {} is now for {whom}. {next}", device.model_name)
}
