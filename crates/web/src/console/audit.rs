//! The audit page: who did what, from where and why.

use super::Console;
use super::answer::{Trouble, page};
use super::gate::SignedIn;
use super::parts::Frame;
use super::words::Moment;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::Page;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "audit.html", whitespace = "minimize")]
struct AuditPage {
    frame: Frame,
    entries: Vec<Entry>,
    /// Where the next page begins.
    older: Option<String>,
    is_first_page: bool,
}

struct Entry {
    at: Moment,
    who: String,
    what: String,
    why: Option<String>,
    from: String,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
}

const ENTRIES: u32 = 100;

/// `GET /audit`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let after = asked.map(|Query(asked)| asked.after).unwrap_or_default();
    let now = console.app.now();
    let found = console.app.audit(Page { after: &after, limit: ENTRIES }, by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= ENTRIES);
    let older = found.last().filter(|_| is_full).map(|entry| entry.id.clone());
    let entries = found.into_iter().map(|view| Entry {
        at: Moment::read(&view.at, now),
        who: view.who,
        what: view.what,
        why: view.why,
        from: view.from_where,
    });
    let frame = Frame::signed_in("Audit", &by).at("audit");
    let template = AuditPage { frame, entries: entries.collect(), older, is_first_page: after.is_empty() };
    Ok(page(StatusCode::OK, &template))
}
