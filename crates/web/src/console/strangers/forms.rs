//! What the forms of the page do: block and unblock a certificate, open and close the plain-HTTP bootstrap, take an
//! exception back.

use super::strangers_page;
use crate::console::Console;
use crate::console::answer::{Trouble, to};
use crate::console::gate::Posted;
use crate::console::parts::Field;
use crate::console::sessions::Notice;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, HttpBootstrapView};
use provost_core::entry::guard::{BlockInput, HttpBootstrapInput};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::fingerprint::Fingerprint;
use provost_core::ids::DeviceId;
use std::sync::Arc;

const PAGE: &str = "/strangers";
/// An hour: time to walk to a phone and key the address in.
const USUAL_MINUTES: &str = "60";

/// What was typed to open the plain-HTTP bootstrap.
pub(super) struct OpenForm {
    pub(super) range: Field,
    pub(super) minutes: Field,
    pub(super) reason: Field,
    /// What is wrong with no field in particular.
    pub(super) problem: Option<String>,
}

impl Default for OpenForm {
    fn default() -> Self {
        let (range, reason) = (Field::default(), Field::default());
        Self { range, minutes: Field::typed(USUAL_MINUTES), reason, problem: None }
    }
}

/// What was typed to block a certificate.
#[derive(Default)]
pub(super) struct BlockForm {
    pub(super) sha256: Field,
    pub(super) reason: Field,
    pub(super) problem: Option<String>,
}

/// Takes what is wrong with each field; the first at fault gets the keyboard, what belongs to none is left.
fn take<const N: usize>(fields: [(&str, &mut Field); N], mut errors: Vec<FieldError>) -> Option<String> {
    let mut is_first = true;
    for (name, field) in fields {
        field.take(name, &mut errors);
        field.is_first = is_first && field.error.is_some();
        is_first = is_first && field.error.is_none();
    }
    errors.into_iter().map(|error| format!("{} {}", error.field, error.message)).next()
}

/// `POST /strangers/open`.
pub(super) async fn open(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let typed = |name| Field::typed(posted.text(name));
    let mut form =
        OpenForm { range: typed("range"), minutes: typed("minutes"), reason: typed("reason"), problem: None };
    let input = HttpBootstrapInput {
        range: form.range.typed.clone(),
        // What is no number is none that is allowed.
        minutes: form.minutes.typed.parse().unwrap_or(0),
        reason: form.reason.typed.clone(),
    };
    match console.app.open_http_bootstrap(input, posted.by.actor()).await {
        Ok(view) => {
            posted.by.leave_notice(Notice::good(opened_words(&view)));
            return Ok(to(PAGE));
        }
        Err(AppError::Fields(FieldErrors(errors))) => {
            let OpenForm { range, minutes, reason, .. } = &mut form;
            form.problem = take([("range", range), ("minutes", minutes), ("reason", reason)], errors);
        }
        Err(error @ AppError::Refused { .. }) => form.problem = Some(error.to_string()),
        Err(error) => return Err(error.into()),
    }
    let forms = (form, BlockForm::default());
    strangers_page(&console.app, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, forms).await
}

fn opened_words(view: &HttpBootstrapView) -> String {
    let what = view.url.as_ref().map_or_else(
        || "Key this server's plain-HTTP address into the phone.".to_owned(),
        |url| format!("Key {url} into the phone as its server."),
    );
    format!("Plain HTTP is open for {} until {}. {what}", view.range, view.ends_at)
}

/// `POST /strangers/close`.
pub(super) async fn close(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let closed = console.app.close_http_bootstrap(posted.text("id"), posted.by.actor()).await?;
    posted.by.leave_notice(Notice::good(format!("Plain HTTP is closed for {}.", closed.range)));
    Ok(to(PAGE))
}

/// `POST /strangers/block`.
pub(super) async fn block(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let typed = |name| Field::typed(posted.text(name));
    let mut form = BlockForm { sha256: typed("sha256"), reason: typed("reason"), problem: None };
    let input = BlockInput { sha256: form.sha256.typed.clone(), reason: form.reason.typed.clone() };
    match console.app.block_certificate(input, posted.by.actor()).await {
        Ok(view) => {
            let told =
                format!("The certificate {} is blocked: whoever shows it gets nothing from now on.", view.sha256);
            posted.by.leave_notice(Notice::good(told));
            return Ok(to(PAGE));
        }
        Err(AppError::Fields(FieldErrors(errors))) => {
            let BlockForm { sha256, reason, .. } = &mut form;
            form.problem = take([("sha256", sha256), ("reason", reason)], errors);
        }
        Err(error @ AppError::Conflict { .. }) => form.problem = Some(error.to_string()),
        Err(error) => return Err(error.into()),
    }
    let forms = (OpenForm::default(), form);
    strangers_page(&console.app, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, forms).await
}

/// `POST /strangers/unblock`.
pub(super) async fn unblock(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let sha256: Fingerprint = posted.text("sha256").parse().map_err(|_| Trouble::NotHere)?;
    console.app.unblock_certificate(sha256, posted.by.actor()).await?;
    let told = format!("The certificate {sha256} is off the block list: it counts again for what it is.");
    posted.by.leave_notice(Notice::good(told));
    Ok(to(PAGE))
}

/// `POST /strangers/revoke`.
pub(super) async fn revoke(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let device: DeviceId = posted.text("device").parse().map_err(|_| Trouble::NotHere)?;
    let view = console.app.revoke_exception(&device, posted.by.actor()).await?;
    let told =
        format!("The exception for phone {} is taken back: without a factory certificate it gets nothing.", view.mac);
    posted.by.leave_notice(Notice::good(told));
    Ok(to(PAGE))
}
