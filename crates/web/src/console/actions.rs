//! What a form of several pages does: enter a code for a phone.
//!
//! Done or refused, the answer is a step back to a page that says so once; only a form with fields at
//! fault comes back at once, with what was typed.

use super::Console;
use super::answer::{Trouble, reference_of, to};
use super::gate::Posted;
use super::home::home_page;
use super::parts::{ClaimForm, Field};
use super::sessions::Notice;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, AppError, DeviceView};
use provost_core::mac::MacAddr;
use std::sync::Arc;

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
