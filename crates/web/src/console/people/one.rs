//! One user: lines, devices, the welcome mail, and the form that changes them.

use super::form::{UserForm, change_of, typed, typed_of};
use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::device::{Device, Standing};
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::mail::mark;
use crate::console::parts::Frame;
use crate::console::sessions::Notice;
use crate::console::typed::{Typed, told};
use crate::console::words::Moment;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, SiteView, UserView, WelcomeInput};
use provost_core::ids::{AccountId, SiteId, UserId};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "user.html", whitespace = "minimize")]
struct UserPage {
    frame: Frame,
    user: UserView,
    site: Option<SiteView>,
    account: String,
    devices: Vec<Device>,
    welcome: Option<Welcome>,
    has_mail_server: bool,
    form: UserForm,
}

/// What became of the newest welcome mail.
struct Welcome {
    mark: Standing,
    at: Moment,
    device_assigned_since: bool,
}

/// `GET /users/{id}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Named(id): Named<UserId>,
    by: SignedIn,
) -> Result<Response, Trouble> {
    user_page(&console, &by, (&id, StatusCode::OK), None).await
}

async fn user_page(
    console: &Console,
    by: &SignedIn,
    (id, status): (&UserId, StatusCode),
    typed: Option<Typed>,
) -> Result<Response, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let user = app.user(id, by.actor()).await?;
    let devices = app.user_devices(id, by.actor()).await?;
    let site = match user.site.parse::<SiteId>() {
        Ok(site) => app.site(&site, by.actor()).await.ok(),
        Err(_) => None,
    };
    let account = match user.account.parse::<AccountId>() {
        Ok(account) => app.account(&account, by.actor()).await.map(|account| account.name).unwrap_or_default(),
        Err(_) => String::new(),
    };
    let welcome = user.welcome_mail.as_ref().map(|view| Welcome {
        mark: mark(view.state),
        at: Moment::read(view.sent_at.as_deref().unwrap_or(&view.queued_at), now),
        device_assigned_since: view.device_assigned_since,
    });
    let form = UserForm::of(console, by, typed.unwrap_or_else(|| typed_of(&user))).await?;
    let shown = UserPage {
        frame: Frame::signed_in(&user.name, by).at("users"),
        devices: devices.into_iter().map(|view| Device::new(view, now)).collect(),
        has_mail_server: app.has_mail_server(),
        site,
        account,
        welcome,
        form,
        user,
    };
    Ok(page(status, &shown))
}

/// `POST /users/{id}`.
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    Named(id): Named<UserId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let mut typed = typed(&posted);
    let Some(change) = change_of(&mut typed) else {
        return user_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY), Some(typed)).await;
    };
    match console.app.change_user(&id, change, posted.by.actor()).await {
        Ok(user) => {
            let words = format!("{} is changed. Their phones read it at their next poll.", user.name);
            posted.by.leave_notice(Notice::good(words));
            Ok(to(&format!("/users/{id}")))
        }
        Err(error @ AppError::NotFound { what: "user", .. }) => Err(error.into()),
        Err(error) => {
            let typed = typed.refused(error)?;
            user_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY), Some(typed)).await
        }
    }
}

/// `POST /users/{id}/welcome`.
pub(super) async fn welcome(
    State(console): State<Arc<Console>>,
    Named(id): Named<UserId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let input = WelcomeInput { without_device: posted.text("without-device") == "yes" };
    let sent = console.app.send_welcome(&id, input, posted.by.actor()).await;
    told(&posted, sent.map(|mail| format!("The welcome mail to {} is on its way.", mail.to)), &format!("/users/{id}"))
}

/// `POST /users/{id}/remove`.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<UserId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.remove_user(&id, posted.by.actor()).await;
    let next = if done.is_ok() { "/users".to_owned() } else { format!("/users/{id}") };
    told(&posted, done.map(|user| format!("{} ({}) is removed.", user.name, user.extension)), &next)
}
