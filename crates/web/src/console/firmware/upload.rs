//! An image or a zip of them comes in, a piece at a time, with the fields of its form before it.
//!
//! The form carries its token first: whoever sends another page's form is refused before a file is looked at.

mod paced;

use super::images::{Asked, images_page, uploaded_page};
use crate::console::Console;
use crate::console::answer::Trouble;
use crate::console::gate::SignedIn;
use crate::console::typed::{Typed, sentence};
use axum::extract::multipart::Field;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use paced::{Gate, paced};
use provost_app::{AppError, ImageInput, ReceivingImage, UploadedView};
use provost_core::rights::Right;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// More than any field before the file holds.
const MOST_FIELD_BYTES: usize = 4 * 1024;
/// Parts of a form are few.
const MOST_PARTS: usize = 16;
/// The largest file, 1 GiB, and what a form puts around it.
pub(super) const MOST_FORM_BYTES: usize = 1025 * 1024 * 1024;
/// How long what still comes of a refused file is read and thrown away: a browser that cannot send on shows no answer.
const LISTEN_ON: Duration = Duration::from_secs(20);

/// Why a file was not taken in.
enum NotTaken {
    /// What sent it was no form of this page.
    Trouble(Trouble),
    /// The form is to come back with what is wrong.
    Form(Box<Typed>, AppError),
}

impl From<Trouble> for NotTaken {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// `POST /firmware/images`.
pub(super) async fn upload(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    request: Request,
) -> Result<Response, Trouble> {
    by.actor().may_platform(Right::Platform)?;
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let gate = Gate::default();
    let request = request.map(|body| paced(body, &gate));
    let form = Multipart::from_request(request, &()).await.map_err(|_| Trouble::BrokenForm)?;
    let of = Arc::clone(&console);
    // In a task of its own: a browser that goes away when all was sent must not undo the upload.
    let task = tokio::spawn(async move {
        let taken = received(&of, &by, (form, length, gate)).await;
        (by, taken)
    });
    let Ok((by, taken)) = task.await else { return Err(AppError::Interrupted.into()) };
    match taken {
        Ok(uploaded) => Ok(uploaded_page(&console, &by, uploaded)),
        Err(NotTaken::Trouble(trouble)) => Err(trouble),
        Err(NotTaken::Form(typed, error)) => {
            let (status, typed) = refused(*typed, error)?;
            images_page(&console, &by, (status, &Asked::default()), typed)
        }
    }
}

/// The form with what is wrong; what is no matter of the form goes on as trouble.
fn refused(mut typed: Typed, error: AppError) -> Result<(StatusCode, Typed), Trouble> {
    match error {
        AppError::TooLarge(words) => {
            typed.fault("file", &words);
            Ok((StatusCode::PAYLOAD_TOO_LARGE, typed))
        }
        AppError::ImageDiskFull(words) => {
            typed.problems.push(sentence(&words));
            Ok((StatusCode::INSUFFICIENT_STORAGE, typed))
        }
        error => Ok((StatusCode::UNPROCESSABLE_ENTITY, typed.refused(error)?)),
    }
}

/// Takes the file in, or reads on for a while so that the browser shows why it was not taken.
async fn received(
    console: &Console,
    by: &SignedIn,
    (mut form, length, gate): (Multipart, Option<usize>, Gate),
) -> Result<UploadedView, NotTaken> {
    let taken = if length.is_some_and(|length| length > MOST_FORM_BYTES) {
        let words = "has more than 1 GiB, which is more than any release has; upload the images in it one by one";
        let error = AppError::TooLarge(words.to_owned());
        Err(NotTaken::Form(Box::default(), error))
    } else {
        taken_in(console, by, (&mut form, &gate)).await
    };
    if taken.is_err() {
        gate.open();
        let rest = async {
            while let Ok(Some(mut field)) = form.next_field().await {
                while let Ok(Some(_)) = field.chunk().await {}
            }
        };
        // Who still sends after that hears the connection close.
        let _ = timeout(LISTEN_ON, rest).await;
    }
    taken
}

async fn taken_in(
    console: &Console,
    by: &SignedIn,
    (form, gate): (&mut Multipart, &Gate),
) -> Result<UploadedView, NotTaken> {
    let (mut typed, mut is_ours) = (Typed::default(), false);
    for _ in 0..MOST_PARTS {
        let Ok(next) = form.next_field().await else { return Err(Trouble::BrokenForm.into()) };
        let Some(field) = next else { break };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "csrf" => is_ours = by.sent(&short(field).await?),
            _ if !is_ours => return Err(Trouble::ForeignForm.into()),
            "version" | "kind" | "model" | "sha256" | "updater" => typed = typed.with(name, short(field).await?.trim()),
            "file" => {
                gate.open();
                if let Some(taken) = file(console, by, (&typed, field)).await {
                    return taken;
                }
            }
            _ => {}
        }
    }
    if !is_ours {
        return Err(Trouble::ForeignForm.into());
    }
    typed.fault("file", "is missing: choose an image, or the maker's zip");
    Err(NotTaken::Form(Box::new(typed), provost_core::entry::FieldErrors(Vec::new()).into()))
}

/// A field that is no file.
async fn short(mut field: Field<'_>) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| Trouble::BrokenForm)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MOST_FIELD_BYTES {
            return Err(Trouble::BrokenForm);
        }
    }
    String::from_utf8(bytes).map_err(|_| Trouble::BrokenForm)
}

/// The file; `None` when none was chosen.
async fn file(
    console: &Console,
    by: &SignedIn,
    (typed, mut field): (&Typed, Field<'_>),
) -> Option<Result<UploadedView, NotTaken>> {
    let name = field.file_name().unwrap_or_default().to_owned();
    let not_taken = |error| Some(Err(NotTaken::Form(Box::new(typed.clone()), error)));
    let mut receiving: Option<ReceivingImage> = None;
    loop {
        let piece = match field.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            // What came is dropped, and nothing of it stays.
            Err(_) => return Some(Err(Trouble::BrokenForm.into())),
        };
        let mut open = match receiving.take() {
            Some(open) => open,
            None if piece.is_empty() => continue,
            None => match console.app.begin_image(&input(typed, &name), None, by.actor()).await {
                Ok(open) => open,
                Err(error) => return not_taken(error),
            },
        };
        if let Err(error) = open.feed(piece).await {
            return not_taken(error);
        }
        receiving = Some(open);
    }
    match receiving?.finish().await {
        Ok(uploaded) => Some(Ok(uploaded)),
        Err(error) => not_taken(error),
    }
}

fn input(typed: &Typed, name: &str) -> ImageInput {
    ImageInput {
        name: name.to_owned(),
        version: typed.given("version"),
        kind: typed.given("kind"),
        model: typed.given("model"),
        sha256: typed.given("sha256"),
        updater: typed.given("updater"),
    }
}
