//! The passwords of a phone, shown for a reason that stands in the audit log before they are.

use super::super::Console;
use super::super::answer::{Trouble, page, to};
use super::super::gate::{Named, Posted, SignedIn};
use super::super::parts::{Field, Frame};
use super::super::sessions::Notice;
use super::super::words::Moment;
use super::{Head, address, frame};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, PasswordPairView};
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "phone_passwords.html", whitespace = "minimize")]
struct PasswordsPage {
    frame: Frame,
    head: Head,
    reason: Field,
    shown: Option<Vec<Pair>>,
}

/// A pair of passwords and how far it has come.
struct Pair {
    tone: &'static str,
    word: &'static str,
    words: &'static str,
    admin: String,
    user: String,
    made: Moment,
    on_phone: Option<Moment>,
    replaced: Option<Moment>,
}

/// `GET /phones/{mac}/passwords`.
pub(super) async fn ask(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(mac): Named<MacAddr>,
) -> Result<Response, Trouble> {
    let view = console.app.phone(mac, by.actor()).await?;
    by.actor().has(Right::Secrets)?;
    let head = Head::new(&view, "passwords");
    let template = PasswordsPage {
        frame: frame(&format!("Passwords of {mac}"), &by),
        head,
        reason: Field::default(),
        shown: None,
    };
    Ok(page(StatusCode::OK, &template))
}

/// `POST /phones/{mac}/passwords`.
pub(super) async fn reveal(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (by, now) = (posted.by.actor(), console.app.now());
    let head = Head::new(&console.app.phone(mac, by).await?, "passwords");
    let mut reason = Field::typed(posted.text("reason"));
    let (status, shown) = match console.app.reveal_passwords(mac, &reason.typed, by).await {
        Ok(view) => (StatusCode::OK, Some(view.items.into_iter().map(|item| pair(item, now)).collect())),
        Err(AppError::Fields(mut errors)) => {
            reason.take("reason", &mut errors.0);
            reason.is_first = true;
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        Err(AppError::NotFound { .. }) => {
            posted.by.leave_notice(Notice::bad(NEVER_CLAIMED.to_owned(), None));
            return Ok(to(&address(mac)));
        }
        Err(error) => return Err(error.into()),
    };
    let frame = frame(&format!("Passwords of {mac}"), &posted.by);
    Ok(page(status, &PasswordsPage { frame, head, reason, shown }))
}

const NEVER_CLAIMED: &str = "This phone was never claimed here, so it has no passwords from here.";

fn pair(view: PasswordPairView, now: UnixMillis) -> Pair {
    let moment = |at: Option<String>| at.map(|at| Moment::read(&at, now));
    let (tone, word) = match view.state {
        "on-phone" => ("good", "On the phone"),
        "fetched" => ("wait", "Read, not in force"),
        "waiting" => ("wait", "Not read yet"),
        _ => ("quiet", "Former"),
    };
    Pair {
        tone,
        word,
        words: view.words,
        admin: view.admin_password,
        user: view.user_password,
        made: Moment::read(&view.made_at, now),
        on_phone: moment(view.on_phone_since),
        replaced: moment(view.replaced_at),
    }
}
