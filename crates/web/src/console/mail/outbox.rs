//! The outbox: where each mail is in its life, what the mail server said, and sending one again.

use super::mark;
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::device::Standing;
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::typed::told;
use crate::console::words::Moment;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{MailView, Page, UserView};
use provost_core::ids::{MailId, UserId};
use provost_core::mail::MailState;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "mail.html", whitespace = "minimize")]
struct MailPage {
    frame: Frame,
    mails: Vec<Line>,
    states: Vec<Choice>,
    user: Option<UserView>,
    has_mail_server: bool,
    has_filter: bool,
    older: Option<String>,
    newest: Option<String>,
}

/// A mail in the list.
struct Line {
    view: MailView,
    mark: Standing,
    queued: Moment,
    next_try: Option<Moment>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    after: String,
}

const SHOWN: u32 = 50;
/// The states, in the order of what wants a hand.
const STATES: [&str; 7] = ["waiting", "handing-over", "refused", "given-up", "doubtful", "sent", "replaced"];

/// `GET /mail`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    by.actor().has(Right::Change)?;
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let app = &console.app;
    let state: Option<MailState> = asked.state.parse().ok();
    let user: Option<UserId> = asked.user.parse().ok();
    let page_of = Page { after: &asked.after, limit: SHOWN };
    let found = app.mails((user.as_ref(), state), page_of, by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= SHOWN);
    let user = match &user {
        Some(user) => Some(app.user(user, by.actor()).await?),
        None => None,
    };
    // Both words were read above: nothing else becomes a part of an address.
    let of = state.map_or("", MailState::as_str);
    let whom = user.as_ref().map_or("", |user| user.id.as_str());
    let address = |after: &str| format!("/mail?state={of}&user={whom}&after={after}");
    let shown = MailPage {
        frame: Frame::signed_in("Mail", &by).at("mail"),
        older: found.last().filter(|_| is_full).map(|last| address(&last.id)),
        newest: (!asked.after.is_empty()).then(|| address("")),
        mails: found.into_iter().map(|view| line(view, app.now())).collect(),
        states: states(of),
        has_filter: state.is_some() || user.is_some(),
        has_mail_server: app.has_mail_server(),
        user,
    };
    Ok(page(StatusCode::OK, &shown))
}

fn states(chosen: &str) -> Vec<Choice> {
    let any = Choice { value: String::new(), label: "All".to_owned(), chosen: chosen.is_empty() };
    let state =
        |word: &str| Choice { value: word.to_owned(), label: mark(word).word.to_owned(), chosen: word == chosen };
    std::iter::once(any).chain(STATES.into_iter().map(state)).collect()
}

fn line(view: MailView, now: UnixMillis) -> Line {
    Line {
        mark: mark(view.state),
        queued: Moment::read(view.ended_at.as_deref().unwrap_or(&view.queued_at), now),
        next_try: view.next_try_at.as_deref().filter(|_| view.tries > 0).map(|at| Moment::read(at, now)),
        view,
    }
}

/// `POST /mail/{id}/again`.
pub(super) async fn again(
    State(console): State<Arc<Console>>,
    Named(id): Named<MailId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.mail_again(&id, posted.by.actor()).await;
    let words = |mail: MailView| format!("The mail to {} is tried again now, as it was written.", mail.to);
    told(&posted, done.map(words), "/mail")
}
