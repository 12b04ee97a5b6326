//! Answers that are no ordinary page: a step elsewhere, a refusal, a failure.
//!
//! Decides the words and status of everything that goes wrong, in one place. Internals stay in the log,
//! under the reference the page shows.

use super::Console;
use super::gate::SignedIn;
use super::parts::Frame;
use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use provost_app::{AppError, error_reference};
use std::sync::Arc;

/// Why a request did not get what it asked for.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody is signed in.
    SignedOut,
    /// Whoever is signed in has to choose a password first.
    MustChoose,
    /// There is nothing at this address.
    NotHere,
    /// There is something, but not for this method.
    OtherMethod,
    /// The form does not carry this session's token.
    ForeignForm,
    /// The form cannot be read.
    BrokenForm,
    /// A use-case said no or failed.
    App(AppError),
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

#[derive(Template)]
#[template(path = "error.html", whitespace = "minimize")]
struct ErrorPage {
    frame: Frame,
    message: String,
    reference: Option<String>,
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        match self {
            Self::SignedOut => to("/sign-in"),
            Self::MustChoose => to("/new-password"),
            Self::NotHere => error_page(StatusCode::NOT_FOUND, "Nothing here", nothing_here(), None),
            Self::OtherMethod => error_page(
                StatusCode::METHOD_NOT_ALLOWED,
                "Not that way",
                "This address is for a form of the console. Go back and press its button.".to_owned(),
                None,
            ),
            Self::ForeignForm => error_page(
                StatusCode::FORBIDDEN,
                "Nothing was changed",
                "This form does not belong to your session: you may have signed in again since it was opened, or \
                 another web page sent it. Load its page again and try once more."
                    .to_owned(),
                None,
            ),
            Self::BrokenForm => error_page(
                StatusCode::BAD_REQUEST,
                "Nothing was changed",
                "The form could not be read. Load its page again and try once more.".to_owned(),
                None,
            ),
            Self::App(error) => app_error_page(&error),
        }
    }
}

fn nothing_here() -> String {
    "There is no page at this address, and no phone or device of that name.".to_owned()
}

fn app_error_page(error: &AppError) -> Response {
    match error {
        AppError::NotFound { what, name } => {
            let message = format!("There is no {what} `{name}` on this server. It may have been mistyped.");
            error_page(StatusCode::NOT_FOUND, "Nothing here", message, None)
        }
        AppError::Fields(_)
        | AppError::Conflict { .. }
        | AppError::Refused { .. }
        | AppError::TooLarge(_)
        | AppError::TooManyTries { .. } => {
            let reference = reference_of(error);
            error_page(StatusCode::CONFLICT, "Nothing was changed", error.to_string(), reference)
        }
        AppError::Forbidden { .. } | AppError::OutOfScope => {
            error_page(StatusCode::FORBIDDEN, "Not yours to do", error.to_string(), None)
        }
        AppError::DiskFull => {
            let reference = error_reference();
            tracing::error!(%reference, %error, "the console could not answer ({reference})");
            let message =
                "The disk that holds the data folder is full. Phones keep what they have. Make room there, then \
                           try again."
                    .to_owned();
            error_page(StatusCode::SERVICE_UNAVAILABLE, "Nothing was changed", message, Some(reference))
        }
        AppError::ImageDiskFull(_) | AppError::ImageStore(_) => {
            let reference = error_reference();
            tracing::error!(%reference, %error, "the console could not answer ({reference})");
            error_page(StatusCode::SERVICE_UNAVAILABLE, "Nothing was changed", error.to_string(), Some(reference))
        }
        AppError::Store(_)
        | AppError::Vault(_)
        | AppError::Render(_)
        | AppError::OtherKey { .. }
        | AppError::Interrupted => {
            let reference = error_reference();
            tracing::error!(%reference, %error, "the console could not answer ({reference})");
            let message = "The server could not do this just now. Phones keep what they have. Try again; if it stays, \
                           look for the reference in the server's log."
                .to_owned();
            error_page(StatusCode::SERVICE_UNAVAILABLE, "Something failed", message, Some(reference))
        }
    }
}

/// What an error page says, kept with the answer so that the menu can be put around it.
#[derive(Debug, Clone)]
struct Said {
    title: String,
    message: String,
    reference: Option<String>,
}

fn error_page(status: StatusCode, title: &str, message: String, reference: Option<String>) -> Response {
    let said = Said { title: title.to_owned(), message, reference };
    let mut response = said_page(status, Frame::signed_out(title), said.clone());
    response.extensions_mut().insert(said);
    response
}

fn said_page(status: StatusCode, frame: Frame, Said { message, reference, .. }: Said) -> Response {
    page(status, &ErrorPage { frame, message, reference })
}

/// Puts the menu around an error page for somebody who is signed in: nobody ends where there is no way on.
pub(super) async fn with_menu(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let (mut asked, body) = request.into_parts();
    let response = next.run(Request::from_parts(asked.clone(), body)).await;
    let Some(said) = response.extensions().get::<Said>().cloned() else { return response };
    let Ok(by) = SignedIn::from_request_parts(&mut asked, &console).await else { return response };
    let frame = Frame::beside(&said.title, &by);
    said_page(response.status(), frame, said)
}

/// The reference a refusal carries.
pub(super) fn reference_of(error: &AppError) -> Option<String> {
    match error {
        AppError::Refused { reference, .. } | AppError::TooManyTries { reference, .. } => Some(reference.clone()),
        _ => None,
    }
}

/// Goes on elsewhere with GET.
pub(super) fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// A page as written by its template.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console could not be written");
            (StatusCode::INTERNAL_SERVER_ERROR, "This page could not be written; the server's log says why.\n")
                .into_response()
        }
    }
}
