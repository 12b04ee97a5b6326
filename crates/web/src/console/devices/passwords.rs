//! The passwords that a device's phones were given: shown once, for a reason that is kept.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::device::Device;
use super::super::gate::{Named, Posted, SignedIn};
use super::super::parts::{Field, Frame};
use super::super::words::Moment;
use super::list::capital;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, AppError, PasswordPairView};
use provost_core::ids::DeviceId;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "devices/passwords.html", whitespace = "minimize")]
struct PasswordsPage {
    frame: Frame,
    device: Device,
    reason: Field,
    /// What the form was answered with.
    pairs: Option<Vec<Pair>>,
}

struct Pair {
    mac: String,
    admin: String,
    user: String,
    words: &'static str,
    is_former: bool,
    made: Moment,
}

impl Pair {
    fn new(view: PasswordPairView, now: UnixMillis) -> Self {
        Self {
            mac: view.mac.to_string(),
            admin: view.admin_password,
            user: view.user_password,
            words: view.words,
            is_former: view.state == "former",
            made: Moment::read(&view.made_at, now),
        }
    }
}

/// `GET /devices/{id}/passwords`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<DeviceId>,
) -> Result<Response, Trouble> {
    by.actor().has(Right::Secrets)?;
    passwords_page(&console.app, (&id, &by), Field::default(), None).await
}

async fn passwords_page(
    app: &App,
    (id, by): (&DeviceId, &SignedIn),
    reason: Field,
    pairs: Option<Vec<PasswordPairView>>,
) -> Result<Response, Trouble> {
    let now = app.now();
    let status = if reason.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = PasswordsPage {
        frame: Frame::signed_in("Device Admin Password", by).at("devices"),
        device: Device::new(app.device(id, by.actor()).await?, now),
        reason,
        pairs: pairs.map(|pairs| pairs.into_iter().map(|pair| Pair::new(pair, now)).collect()),
    };
    Ok(page(status, &template))
}

/// `POST /devices/{id}/passwords`.
pub(super) async fn reveal(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, &posted.by);
    match app.device_passwords(&id, posted.text("reason"), by.actor()).await {
        Ok(pairs) => passwords_page(app, (&id, by), Field::typed(posted.text("reason")), Some(pairs)).await,
        Err(AppError::Fields(mut errors)) => {
            let mut reason = Field { is_first: true, ..Field::typed(posted.text("reason")) };
            reason.take("reason", &mut errors.0);
            reason.error = reason.error.map(|words| capital(&format!("the reason {words}.")));
            passwords_page(app, (&id, by), reason, None).await
        }
        Err(error) => Err(error.into()),
    }
}
