//! The images at hand: what each is for, whether its bytes are still what came, who put it there.

use super::{frame, hardware_choices};
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::device::Standing;
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::typed::{Typed, told};
use crate::console::words::{Moment, size};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, AppError, ImageView, Page, UploadedView};
use provost_core::time::UnixMillis;
use std::sync::Arc;

pub(super) const PAGE: &str = "/firmware/images";
const OF_A_PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "firmware/images.html", whitespace = "minimize")]
struct ImagesPage {
    frame: Frame,
    tab: &'static str,
    images: Vec<ImageRow>,
    models: Vec<Choice>,
    model: String,
    next: Option<String>,
    is_first_page: bool,
    form: Typed,
    /// For which model, or the images of which line, an uploaded file is.
    fits: Vec<Choice>,
    kinds: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "firmware/uploaded.html", whitespace = "minimize")]
struct UploadedPage {
    frame: Frame,
    tab: &'static str,
    added: usize,
    already: usize,
    images: Vec<ImageRow>,
    left_out: Vec<(String, String)>,
    left_out_count: usize,
    has_more: bool,
}

struct ImageRow {
    id: String,
    name: String,
    version: String,
    what: &'static str,
    updater: Option<String>,
    models: String,
    no_model: Option<String>,
    size: String,
    sha256: String,
    short: String,
    source: Option<String>,
    by: Option<String>,
    at: Moment,
    state: Standing,
    problem: Option<String>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    model: String,
    #[serde(default)]
    after: String,
}

/// `GET /firmware/images`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    images_page(&console, &by, (StatusCode::OK, &asked), Typed::default())
}

/// The page with what was typed and what is wrong with it.
pub(super) fn images_page(
    console: &Console,
    by: &SignedIn,
    (status, asked): (StatusCode, &Asked),
    form: Typed,
) -> Result<Response, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let model = Some(asked.model.as_str()).filter(|model| app.catalog().hardware(model).is_some());
    let found = app.firmware_images(model, Page { after: &asked.after, limit: OF_A_PAGE }, by.actor())?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= OF_A_PAGE);
    let template = ImagesPage {
        frame: frame("Firmware images", by),
        tab: "images",
        next: found.last().filter(|_| is_full).map(|last| last.id.clone()),
        images: found.into_iter().map(|view| row(view, now)).collect(),
        models: hardware_choices(app, (model.unwrap_or_default(), Some("Every model"))),
        model: model.unwrap_or_default().to_owned(),
        is_first_page: asked.after.is_empty(),
        fits: fits(app, form.text("model")),
        kinds: kinds(form.text("kind")),
        form: form.shown_as(|name| matches!(name, "file" | "version" | "model" | "kind" | "updater" | "sha256")),
    };
    Ok(page(status, &template))
}

/// The page that says what came of an upload.
pub(super) fn uploaded_page(console: &Console, by: &SignedIn, uploaded: UploadedView) -> Response {
    let now = console.app.now();
    let has_more = uploaded.left_out_count > uploaded.left_out.len();
    let template = UploadedPage {
        frame: frame("Firmware uploaded", by),
        tab: "images",
        added: uploaded.added,
        already: uploaded.already,
        images: uploaded.images.into_iter().map(|view| row(view, now)).collect(),
        left_out: uploaded.left_out.into_iter().map(|one| (one.name, one.why)).collect(),
        left_out_count: uploaded.left_out_count,
        has_more,
    };
    page(StatusCode::OK, &template)
}

fn row(view: ImageView, now: UnixMillis) -> ImageRow {
    let (tone, word, meaning) = match view.state {
        "ok" => ("good", "Whole", ""),
        "checking" => ("quiet", "Not looked at yet", "It is compared before it is served."),
        _ => ("bad", "Broken", "It is not served. Upload the same file again."),
    };
    ImageRow {
        what: if view.kind == "updater" { "updater" } else { "application" },
        models: view.models.join(", "),
        size: size(i64::try_from(view.bytes).unwrap_or(i64::MAX)),
        short: view.sha256.chars().take(12).collect(),
        at: Moment::read(&view.put_at, now),
        state: Standing { tone, word, meaning },
        id: view.id,
        name: view.name,
        version: view.version,
        updater: view.updater,
        no_model: view.no_model,
        sha256: view.sha256,
        source: view.source,
        by: view.put_by,
        problem: view.problem,
    }
}

fn fits(app: &App, chosen: &str) -> Vec<Choice> {
    let mut choices = hardware_choices(app, (chosen, Some("As its name says")));
    let line = |line: &provost_catalog::FirmwareLine| Choice {
        value: line.id.clone(),
        label: format!("All of one file: {}", line.name),
        chosen: line.id == chosen,
    };
    choices.extend(app.catalog().firmware_lines().map(line));
    choices
}

fn kinds(chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): (&str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == chosen,
    };
    [("", "As its name says"), ("application", "The application"), ("updater", "The updater or BootROM alone")]
        .map(choice)
        .into()
}

/// `POST /firmware/images/{id}/remove`.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by, reason) = (Arc::clone(&console.app), posted.by.actor().clone(), posted.text("reason").to_owned());
    // In a task of its own: a browser that goes away must not leave bytes that no row names.
    let task = tokio::spawn(async move { app.remove_firmware_image(&id, &reason, &by).await });
    let done = task.await.unwrap_or(Err(AppError::Interrupted));
    told(&posted, done.map(|view| format!("The image {} {} is removed.", view.name, view.version)), PAGE)
}
