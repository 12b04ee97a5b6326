//! Where an import begins, and what became of earlier ones.

use super::KINDS;
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::device::Standing;
use crate::console::gate::{Named, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::typed::Typed;
use crate::console::words::Moment;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use provost_app::{ImportView, Page};
use provost_core::rights::{Right, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "import.html", whitespace = "minimize")]
struct ImportPage {
    frame: Frame,
    form: Typed,
    kinds: Vec<Kind>,
    accounts: Vec<Choice>,
    /// Whether whoever looks may import: it is for whole accounts.
    may_import: bool,
    earlier: Vec<Earlier>,
    older: Option<String>,
    is_first_page: bool,
}

struct Kind {
    word: &'static str,
    title: &'static str,
    hint: &'static str,
    chosen: bool,
}

/// An import of before.
struct Earlier {
    view: ImportView,
    title: &'static str,
    at: Moment,
    mark: Standing,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    kind: String,
}

const EARLIER: u32 = 20;

/// `GET /import`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let form = Typed::default().with("account", &asked.account).with("kind", &asked.kind);
    import_page(&console, &by, (StatusCode::OK, &asked.after), form).await
}

/// The page with what was typed and what is wrong with it.
pub(super) async fn import_page(
    console: &Console,
    by: &SignedIn,
    (status, after): (StatusCode, &str),
    form: Typed,
) -> Result<Response, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let found = app.imports(Page { after, limit: EARLIER }, by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= EARLIER);
    let chosen = KINDS.iter().map(|(word, ..)| *word).find(|word| *word == form.text("kind")).unwrap_or("users");
    let kind = |(word, title, hint)| Kind { word, title, hint, chosen: word == chosen };
    let account = form.text("account").to_owned();
    let accounts = app.accounts(Page::FIRST, by.actor()).await?;
    let shown = ImportPage {
        frame: Frame::signed_in("Import", by).at("import"),
        kinds: KINDS.map(kind).into(),
        accounts: accounts
            .into_iter()
            .map(|view| Choice { chosen: view.id == account, value: view.id, label: view.name })
            .collect(),
        may_import: by.actor().role.may(Right::Change) && !matches!(by.actor().scope, Scope::Site { .. }),
        older: found.last().filter(|_| is_full).map(|last| last.id.clone()),
        earlier: found.into_iter().map(|view| earlier(view, now)).collect(),
        is_first_page: after.is_empty(),
        form: form.shown_as(|name| matches!(name, "file" | "account")),
    };
    Ok(page(status, &shown))
}

fn earlier(view: ImportView, now: provost_core::time::UnixMillis) -> Earlier {
    Earlier { title: title_of(view.kind), at: Moment::read(&view.at, now), mark: mark(&view), view }
}

/// What a kind of file is called.
pub(super) fn title_of(kind: &str) -> &'static str {
    KINDS.iter().find(|(word, ..)| *word == kind).map_or("Rows", |(_, title, _)| title)
}

/// How an import stands, in a word or three.
pub(super) fn mark(view: &ImportView) -> Standing {
    let (tone, word) = match (view.state, view.mode) {
        ("receiving", _) => ("wait", "Coming in"),
        ("waiting", _) if view.bad > 0 => ("wait", "Waits, with bad rows"),
        ("waiting", _) => ("wait", "Waits for you"),
        ("applying", _) => ("wait", "Being applied"),
        ("done", "dry-run") => ("quiet", "Nothing applied"),
        ("done", _) => ("good", "Applied"),
        ("refused", _) => ("bad", "Refused"),
        _ => ("bad", "Broke"),
    };
    Standing { tone, word, meaning: "" }
}

/// `GET /import/template/{kind}`.
pub(super) async fn template(
    State(console): State<Arc<Console>>,
    Named(kind): Named<String>,
    by: SignedIn,
) -> Result<Response, Trouble> {
    by.actor().has(Right::Read)?;
    let Some((word, ..)) = KINDS.into_iter().find(|(word, ..)| *word == kind) else { return Err(Trouble::NotHere) };
    let text = console.app.import_template(word)?;
    let name = HeaderValue::try_from(format!("attachment; filename=\"{word}.csv\"")).map_err(|_| Trouble::NotHere)?;
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)], text).into_response())
}
