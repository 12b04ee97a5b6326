//! The rows of an import as a grid: verdicts, cells to mend in their place, and what becomes of all of it.

use super::start::{mark, title_of};
use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::device::Standing;
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::Frame;
use crate::console::sessions::Notice;
use crate::console::typed::{sentence, told};
use crate::console::words::Moment;
use askama::Template;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{ImportGridRow, ImportView, WhichRows};
use provost_core::rights::{Right, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "import_grid.html", whitespace = "minimize")]
struct GridPage {
    frame: Frame,
    import: ImportView,
    title: &'static str,
    mark: Standing,
    at: Moment,
    account: String,
    good: i64,
    columns: Vec<&'static str>,
    rows: Vec<Row>,
    show: &'static str,
    after: i64,
    next: Option<i64>,
    may_mend: bool,
}

/// A row of the page.
struct Row {
    view: ImportGridRow,
    /// Whether its cells are fields.
    is_open: bool,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    show: String,
    #[serde(default)]
    after: Option<i64>,
    #[serde(default)]
    row: Option<i64>,
}

const SHOWN: u32 = 50;

impl Asked {
    const fn which(show: &str, is_bad: bool) -> (&'static str, WhichRows) {
        match show.as_bytes() {
            b"all" => ("all", WhichRows::All),
            b"good" => ("good", WhichRows::Good),
            b"bad" => ("bad", WhichRows::Bad),
            _ if is_bad => ("bad", WhichRows::Bad),
            _ => ("all", WhichRows::All),
        }
    }
}

/// `GET /import/{id}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let app = &console.app;
    let import = app.import(&id, by.actor()).await?;
    let (show, which) = Asked::which(&asked.show, import.bad > 0);
    let after = asked.after.unwrap_or(0).max(0);
    let rows = app.import_grid(&id, which, (after, SHOWN), by.actor()).await?;
    let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= SHOWN);
    let waits = import.state == "waiting";
    let may_mend = waits && by.actor().role.may(Right::Change) && !matches!(by.actor().scope, Scope::Site { .. });
    let account = match import.account.parse() {
        Ok(account) => app.account(&account, by.actor()).await.map(|account| account.name).unwrap_or_default(),
        Err(_) => String::new(),
    };
    let row = |view: ImportGridRow| Row { is_open: may_mend && (!view.is_good || asked.row == Some(view.row)), view };
    let shown = GridPage {
        frame: Frame::signed_in("Import", &by).at("import").live(format!("/live/imports/{id}")),
        title: title_of(import.kind),
        mark: mark(&import),
        at: Moment::read(&import.at, app.now()),
        good: import.rows.saturating_sub(import.bad),
        columns: app.import_columns(import.kind)?,
        next: rows.last().filter(|_| is_full).map(|last| last.row),
        rows: rows.into_iter().map(row).collect(),
        account,
        import,
        show,
        after,
        may_mend,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// `POST /import/{id}/rows/{row}`.
pub(super) async fn mend(
    State(console): State<Arc<Console>>,
    place: Result<Path<(String, i64)>, PathRejection>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let Ok(Path((id, number))) = place else { return Err(Trouble::NotHere) };
    let row = console.app.mend_import_row((&id, number), |column| posted.given(column), posted.by.actor()).await;
    let back = back(&posted, &id);
    let done = match row {
        Err(error) => Err(error),
        Ok(row) if row.is_good => {
            let left = console.app.import(&id, posted.by.actor()).await?.bad;
            let left = if left == 0 { "No bad row is left.".to_owned() } else { format!("Bad rows left: {left}.") };
            Ok(format!("Row {number} is good now. {left}"))
        }
        Ok(_) => {
            let words =
                format!("Row {number} is kept as you typed it, and is still bad: what is wrong stands in its cells.");
            posted.by.leave_notice(Notice::bad(words, None));
            return Ok(to(&format!("{back}#row-{number}")));
        }
    };
    told(&posted, done, &back)
}

/// The page that the form stands on: made of a word and a number, never an address from the form.
fn back(posted: &Posted, id: &str) -> String {
    let (show, _) = Asked::which(posted.text("show"), true);
    let after: i64 = posted.text("after").parse().unwrap_or(0);
    format!("/import/{id}?show={show}&after={after}")
}

/// `POST /import/{id}/apply`.
pub(super) async fn apply(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let mode = if posted.text("mode") == "good-rows" { "good-rows" } else { "all-or-nothing" };
    let done = console.app.apply_held_import(&id, mode, posted.by.actor()).await;
    let words = |import: ImportView| {
        let count = import.rows.saturating_sub(import.bad);
        format!("{count} rows are being applied. Look again in a moment.")
    };
    told(&posted, done.map(words), &format!("/import/{id}"))
}

/// `POST /import/{id}/discard`.
pub(super) async fn discard(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.let_import_go(&id, posted.by.actor()).await;
    told(&posted, done.map(|import| sentence(&import.summary)), "/import")
}
