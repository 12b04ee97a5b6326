//! What a phone sent: its logs, and what was set on it. Shown as text and given away as text, never as anything else.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::gate::{Named, Posted, SignedIn};
use super::super::parts::{Field, Frame};
use super::super::words::{Moment, size};
use super::visible::tail;
use super::{Head, frame};
use askama::Template;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use provost_app::{AppError, MOST_SHOWN_BYTES, UploadAccess, UploadListing, UploadView};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "phone_files.html", whitespace = "minimize")]
struct FilesPage {
    frame: Frame,
    head: Head,
    files: Vec<File>,
}

#[derive(Template)]
#[template(path = "phone_file.html", whitespace = "minimize")]
struct FilePage {
    frame: Frame,
    head: Head,
    file: File,
    reason: Field,
    shown: Option<Shown>,
}

struct File {
    name: String,
    what: &'static str,
    size: String,
    at: Moment,
    access: UploadAccess,
}

/// The end of a file as text.
struct Shown {
    text: String,
    /// How much before it is left out.
    skipped: Option<String>,
}

/// A phone and one of its files, as the path names them.
pub(super) struct OfPhone(MacAddr, String);

impl FromRequestParts<Arc<Console>> for OfPhone {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        let named = Path::<(String, String)>::from_request_parts(parts, console).await.ok();
        let Some(Path((mac, name))) = named else { return Err(Trouble::NotHere) };
        Ok(Self(mac.parse().map_err(|_| Trouble::NotHere)?, name))
    }
}

/// `GET /phones/{mac}/files`.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(mac): Named<MacAddr>,
) -> Result<Response, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let head = Head::new(&app.phone(mac, by.actor()).await?, "files");
    let files = app.upload_listings(mac, by.actor()).await?.into_iter().map(|listing| file(listing, now)).collect();
    let frame = frame(&format!("Files of {mac}"), &by).live(format!("/live/phones/{mac}"));
    Ok(page(StatusCode::OK, &FilesPage { frame, head, files }))
}

/// `GET /phones/{mac}/files/{name}`: a log at once, anything else once a reason was given.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, of: OfPhone) -> Result<Response, Trouble> {
    let listed = console.app.upload_listings(of.0, by.actor()).await?;
    let listed = listed.into_iter().find(|file| file.name == of.1);
    if let Some(listing) = listed.filter(|file| file.access == UploadAccess::ForReason) {
        return file_page((&console, &by), (of, Field::default()), Err(listing)).await;
    }
    let view = console.app.upload_of((of.0, &of.1), None, by.actor()).await?;
    file_page((&console, &by), (of, Field::default()), Ok(view)).await
}

/// `POST /phones/{mac}/files/{name}`.
pub(super) async fn show_for_reason(
    State(console): State<Arc<Console>>,
    of: OfPhone,
    posted: Posted,
) -> Result<Response, Trouble> {
    let mut reason = Field::typed(posted.text("reason"));
    match console.app.upload_of((of.0, &of.1), Some(&reason.typed), posted.by.actor()).await {
        Ok(view) => file_page((&console, &posted.by), (of, reason), Ok(view)).await,
        Err(AppError::Fields(mut errors)) => {
            reason.take("reason", &mut errors.0);
            reason.is_first = true;
            let listed = console.app.upload_listings(of.0, posted.by.actor()).await?;
            let listing = listed.into_iter().find(|file| file.name == of.1).ok_or(Trouble::NotHere)?;
            file_page((&console, &posted.by), (of, reason), Err(listing)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /phones/{mac}/files/{name}/download`.
pub(super) async fn download(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    OfPhone(mac, name): OfPhone,
) -> Result<Response, Trouble> {
    Ok(attachment(console.app.upload_of((mac, &name), None, by.actor()).await?))
}

/// `POST /phones/{mac}/files/{name}/download`.
pub(super) async fn download_for_reason(
    State(console): State<Arc<Console>>,
    OfPhone(mac, name): OfPhone,
    posted: Posted,
) -> Result<Response, Trouble> {
    let reason = posted.given("reason");
    Ok(attachment(console.app.upload_of((mac, &name), reason.as_deref(), posted.by.actor()).await?))
}

async fn file_page(
    (console, by): (&Console, &SignedIn),
    (OfPhone(mac, name), reason): (OfPhone, Field),
    found: Result<UploadView, UploadListing>,
) -> Result<Response, Trouble> {
    let now = console.app.now();
    let head = Head::new(&console.app.phone(mac, by.actor()).await?, "files");
    let frame = frame(&format!("{name} of {mac}"), by);
    let status = if reason.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (listing, shown) = match found {
        Ok(view) => (view.file, Some(shown(&view.bytes))),
        Err(listing) => (listing, None),
    };
    Ok(page(status, &FilePage { frame, head, file: file(listing, now), reason, shown }))
}

fn shown(bytes: &[u8]) -> Shown {
    let (text, skipped) = tail(bytes, MOST_SHOWN_BYTES);
    let skipped = i64::try_from(skipped).ok().filter(|skipped| *skipped > 0).map(size);
    Shown { text, skipped }
}

fn file(listing: UploadListing, now: UnixMillis) -> File {
    let what = match listing.role {
        "log" => "Log",
        "phone-overrides" => "What was set at its menu",
        "web-overrides" => "What was set in its web page",
        "directory" => "Its own contacts",
        "calls" => "Its call lists",
        "license" => "Licenses",
        _ => "Other",
    };
    let at = Moment::read(&listing.at, now);
    File { name: listing.name, what, size: size(listing.size), at, access: listing.access }
}

/// The whole file, as text to be kept and not opened.
fn attachment(view: UploadView) -> Response {
    // Phones' names of files are of few characters; any other would end the header.
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = view.file.name.chars().map(plain).collect();
    let named = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = named.unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)], view.bytes).into_response()
}
