//! The web page on which a person activates the phone in front of them, where phones ask too.
//!
//! No sign-in and no session: the code is the proof, so there is nothing that another site's form could borrow,
//! and no token guards the form. What another site could do is spend the tries of its visitors' addresses; browsers
//! that say so are turned away. Over TLS only: a code is a secret.

use super::page;
use askama::Template;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use provost_app::{Activated, App, AppError, error_reference};
use provost_core::identity::{Peer, Transport};
use std::sync::Arc;

/// Where the page is: short enough for a sticker.
pub(super) const PATH: &str = "/activate";

/// Two short fields.
const MOST_BYTES: usize = 4096;

/// The page's handler; what is not for the page goes on to the phones.
pub(super) fn road() -> MethodRouter<Arc<App>> {
    any(answer.layer(DefaultBodyLimit::max(MOST_BYTES)))
}

#[derive(Template, Default)]
#[template(path = "activate.html", whitespace = "minimize")]
struct Page {
    /// The one style element this page may have.
    nonce: String,
    code: Field,
    mac: Field,
    refused: Option<Refused>,
    done: Option<Done>,
}

/// A field as it was typed, with what is wrong with it.
#[derive(Default)]
struct Field {
    value: String,
    problem: Option<String>,
}

struct Refused {
    message: String,
    reference: Option<String>,
}

struct Done {
    model: String,
    extension: Option<String>,
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().cloned();
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD | Method::POST);
    let Some(peer) = peer.filter(|peer| is_page && peer.transport == Transport::Tls) else {
        return super::answer(State(app), request).await;
    };
    if *request.method() != Method::POST {
        return shown(StatusCode::OK, Page::default());
    }
    if page::from_another_site(request.headers()) {
        return refused(StatusCode::FORBIDDEN, "This form was sent by another web page. Enter the code here.", None);
    }
    let Ok(Form(fields)) = Form::<Vec<(String, String)>>::from_request(request, &()).await else {
        return refused(StatusCode::BAD_REQUEST, "The form could not be read. Enter the code once more.", None);
    };
    let typed = |name: &str| {
        fields.iter().find(|(field, _)| field == name).map_or(String::new(), |(_, text)| text.trim().to_owned())
    };
    let (code, mac) = (typed("code"), typed("mac"));
    match app.activate_by_page(peer.address, &code, &mac).await {
        Ok(activated) => shown(StatusCode::OK, Page { done: Some(done(activated)), ..Page::default() }),
        Err(error) => said_no(error, (code, mac)),
    }
}

fn done(activated: Activated) -> Done {
    Done { extension: activated.extension().map(ToOwned::to_owned), model: activated.device.model_name }
}

fn said_no(error: AppError, (code, mac): (String, String)) -> Response {
    let mut page = Page {
        code: Field { value: code, problem: None },
        mac: Field { value: mac, problem: None },
        ..Page::default()
    };
    match error {
        AppError::Fields(errors) => {
            for fault in errors.0 {
                let field = if fault.field == "mac" { &mut page.mac } else { &mut page.code };
                field.problem = Some(sentence(&fault.message));
            }
            shown(StatusCode::UNPROCESSABLE_ENTITY, page)
        }
        AppError::Refused { code, message, reference } => {
            let message = sentence(words_for_people(code).unwrap_or(&message));
            page.refused = Some(Refused { message, reference: Some(reference) });
            shown(StatusCode::CONFLICT, page)
        }
        AppError::TooManyTries { message, reference, .. } => {
            page.refused = Some(Refused { message: sentence(&message), reference: Some(reference) });
            shown(StatusCode::CONFLICT, page)
        }
        other => {
            let reference = error_reference();
            tracing::error!(%reference, error = %other, "the activation page could not answer ({reference})");
            let message = "This could not be done just now; your code is as good as before. Try again in a minute.";
            refused(StatusCode::SERVICE_UNAVAILABLE, message, Some(reference))
        }
    }
}

fn refused(status: StatusCode, message: &str, reference: Option<String>) -> Response {
    let refused = Refused { message: message.to_owned(), reference };
    shown(status, Page { refused: Some(refused), ..Page::default() })
}

/// What somebody can do who is no administrator, where the refusal's own words speak to one.
fn words_for_people(code: &str) -> Option<&'static str> {
    Some(match code {
        "code-unknown" => "nobody has this activation code; compare it with what you were sent",
        "code-used" => "this activation code was used by another phone; ask your administrator for a new one",
        "code-expired" => "this activation code is too old; ask your administrator for a new one",
        "code-replaced" => {
            "this activation code does not hold any more: a newer one replaced it, or all were voided; use the newest you were sent, or ask for one"
        }
        "owner-not-saved" => "the device of this code has no user any more; tell your administrator",
        "device-barred" => "the device of this code, or this phone, is set aside; ask your administrator",
        "device-has-phone" => "the device of this code has a phone already; ask your administrator",
        "phone-has-device" => "this phone is activated already; if it is not yours, ask your administrator",
        _ => return None,
    })
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if clause.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

fn shown(status: StatusCode, page: Page) -> Response {
    page::shown(status, |nonce| Page { nonce, ..page }.render())
}
