//! The tree of accounts with their sites.

use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::SignedIn;
use crate::console::parts::Frame;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{BranchesView, Page};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "sites.html", whitespace = "minimize")]
struct SitesPage {
    frame: Frame,
    tree: BranchesView,
    is_first_page: bool,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) after: String,
}

/// Accounts on a page.
pub(super) const SHOWN: u32 = 100;

/// `GET /sites`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let after = asked.map(|Query(asked)| asked.after).unwrap_or_default();
    let tree = console.app.branches(None, Page { after: &after, limit: SHOWN }, by.actor()).await?;
    let frame = Frame::signed_in("Sites", &by).at("sites");
    Ok(page(StatusCode::OK, &SitesPage { frame, tree, is_first_page: after.is_empty() }))
}
