//! A file comes in, a piece at a time, with the fields of its form before it.
//!
//! The form carries its token first: whoever sends another page's form is refused before a file is looked at.

use super::start::import_page;
use crate::console::Console;
use crate::console::answer::{Trouble, to};
use crate::console::gate::SignedIn;
use crate::console::typed::Typed;
use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, ImportView, Receiving};
use std::sync::Arc;

/// More than any field before the file holds.
const MOST_FIELD_BYTES: usize = 4 * 1024;
/// Parts of a form are few.
const MOST_PARTS: usize = 16;

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

/// `POST /import`.
pub(super) async fn upload(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Trouble> {
    let form = form.map_err(|_| Trouble::BrokenForm)?;
    let of = Arc::clone(&console);
    // In a task of its own: a browser that goes away must leave an import that says so.
    let task = tokio::spawn(async move {
        let taken = taken_in(&of, &by, form).await;
        (by, taken)
    });
    let Ok((by, taken)) = task.await else { return Err(AppError::Interrupted.into()) };
    match taken {
        Ok(import) => Ok(to(&format!("/import/{}", import.id))),
        Err(NotTaken::Trouble(trouble)) => Err(trouble),
        Err(NotTaken::Form(typed, error)) => {
            let typed = typed.refused(error)?;
            import_page(&console, &by, (StatusCode::UNPROCESSABLE_ENTITY, ""), typed).await
        }
    }
}

async fn taken_in(console: &Arc<Console>, by: &SignedIn, mut form: Multipart) -> Result<ImportView, NotTaken> {
    let (mut typed, mut is_ours) = (Typed::default(), false);
    for _ in 0..MOST_PARTS {
        let Ok(next) = form.next_field().await else { return Err(Trouble::BrokenForm.into()) };
        let Some(field) = next else { break };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "csrf" => is_ours = by.sent(&short(field).await?),
            _ if !is_ours => return Err(Trouble::ForeignForm.into()),
            "kind" | "account" => typed = typed.with(name, short(field).await?),
            "file" | "text" => {
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
    typed.fault("file", "is missing: choose a file, or paste its rows");
    Err(nothing(typed))
}

/// The form as it is, with the faults it has already.
fn nothing(typed: Typed) -> NotTaken {
    NotTaken::Form(Box::new(typed), provost_core::entry::FieldErrors(Vec::new()).into())
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

/// The file, or the rows that were pasted; `None` when there is nothing in it.
async fn file(
    console: &Arc<Console>,
    by: &SignedIn,
    (typed, mut field): (&Typed, Field<'_>),
) -> Option<Result<ImportView, NotTaken>> {
    let mut receiving: Option<Receiving> = None;
    loop {
        let piece = match field.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(_) => {
                if let Some(receiving) = receiving {
                    let problem = "The connection broke while the file came in; nothing was applied. Send it again.";
                    receiving.broke(problem).await;
                }
                return Some(Err(Trouble::BrokenForm.into()));
            }
        };
        let mut open = match receiving.take() {
            Some(open) => open,
            None if piece.is_empty() => continue,
            None => match begun(console, by, typed).await {
                Ok(open) => open,
                Err(error) => return Some(Err(NotTaken::Form(Box::new(typed.clone()), error))),
            },
        };
        if let Err(error) = open.feed(&piece).await {
            return Some(Err(refused(open, typed, error).await));
        }
        receiving = Some(open);
    }
    let mut open = receiving?;
    match open.finish().await {
        Ok(import) => Some(Ok(import)),
        Err(error) => Some(Err(refused(open, typed, error).await)),
    }
}

async fn begun(console: &Arc<Console>, by: &SignedIn, typed: &Typed) -> Result<Receiving, AppError> {
    let account = typed.given("account");
    console.app.begin_held_import(typed.text("kind"), account.as_deref(), by.actor()).await
}

async fn refused(receiving: Receiving, typed: &Typed, error: AppError) -> NotTaken {
    receiving.broke(&format!("{error}. Nothing was applied.")).await;
    NotTaken::Form(Box::new(typed.clone()), error)
}
