//! How a layer came to be as it is, and the way back.

use super::super::Console;
use super::super::actions::refusal;
use super::super::answer::{Trouble, page, to};
use super::super::gate::{Posted, SignedIn};
use super::super::parts::Frame;
use super::super::phone::kind;
use super::super::sessions::Notice;
use super::super::words::Moment;
use super::{Layer, address_of, frame};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{EntryChangeView, Page, RevertInput, RevisionView};
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "layer_history.html", whitespace = "minimize")]
struct HistoryPage {
    frame: Frame,
    kind: &'static str,
    name: String,
    here: String,
    present: i64,
    revisions: Vec<Revision>,
    older: Option<String>,
    is_first_page: bool,
    may_change: bool,
}

struct Revision {
    number: String,
    is_present: bool,
    at: Moment,
    who: String,
    why: Option<String>,
    restores: Option<i64>,
    changes: Vec<EntryChangeView>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Before {
    #[serde(default)]
    before: String,
}

const REVISIONS: u32 = 20;

/// `GET` of a layer's history.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Layer(subject): Layer,
    before: Result<Query<Before>, QueryRejection>,
) -> Result<Response, Trouble> {
    let (app, actor) = (&console.app, by.actor());
    let Before { before } = before.map(|Query(before)| before).unwrap_or_default();
    let layer = app.layer(&subject, actor).await?;
    let one_more = Page { after: &before, limit: REVISIONS.saturating_add(1) };
    let mut found = app.layer_history(&subject, one_more, actor).await?;
    let wanted = usize::try_from(REVISIONS).unwrap_or(usize::MAX);
    let has_more = found.len() > wanted;
    found.truncate(wanted);
    let older = found.last().filter(|_| has_more).map(|revision| revision.revision.clone());
    let now = app.now();
    let template = HistoryPage {
        frame: frame(&format!("History: {}", layer.name), &subject, &by),
        kind: kind(&subject),
        here: address_of(&subject),
        present: layer.revision,
        revisions: found.into_iter().map(|view| revision(view, (layer.revision, now))).collect(),
        older,
        is_first_page: before.is_empty(),
        may_change: app.changes_layer(&subject, actor).await?,
        name: layer.name,
    };
    Ok(page(StatusCode::OK, &template))
}

fn revision(view: RevisionView, (present, now): (i64, UnixMillis)) -> Revision {
    Revision {
        is_present: view.revision == present.to_string(),
        number: view.revision,
        at: Moment::read(&view.at, now),
        who: view.who,
        why: view.why,
        restores: view.restores,
        changes: view.changes,
    }
}

/// `POST` of a layer's way back.
pub(super) async fn revert(
    State(console): State<Arc<Console>>,
    Layer(subject): Layer,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, posted.by.actor());
    app.may_change_layer(&subject, by).await?;
    let history = format!("{}/history", address_of(&subject));
    // Whoever presses the button means the layer as the page showed it.
    if posted.text("present") != app.layer(&subject, by).await?.revision.to_string() {
        let words = "Somebody changed this layer since the page was opened. Look at it again, then decide.";
        posted.by.leave_notice(Notice::bad(words.to_owned(), None));
        return Ok(to(&history));
    }
    let input = RevertInput { to: posted.text("to").parse().ok(), reason: posted.given("reason") };
    let notice = match app.revert_layer(&subject, &input, by).await {
        Ok(view) => Notice::good(format!(
            "The layer is as it was before, as revision {}. Phones read it at their next poll.",
            view.revision
        )),
        Err(error) => refusal(error)?,
    };
    posted.by.leave_notice(notice);
    Ok(to(&history))
}
