//! A template being written, and what comes of it.
//!
//! The preview is an answer of its own in a frame: its content policy lets the mail's own styles be seen, keeps it in a
//! sandbox, and loads nothing. The page around it may frame this server only. The form is sent into the frame as any
//! form is, so it works without script; nothing is stored and nothing is sent.

use super::templates::{Owner, WELCOME};
use crate::console::answer::{Trouble, page, to};
use crate::console::gate::{Posted, SignedIn};
use crate::console::parts::Frame;
use crate::console::sessions::Notice;
use crate::console::typed::Typed;
use crate::console::{Console, Policy};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use provost_app::{AppError, MailPreviewInput, UserView};
use provost_core::entry::mail::MailTemplateInput;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::UserId;
use std::sync::Arc;

/// The page frames its preview, which is of this server.
const FRAMING: Policy = Policy(
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
/// What is in the frame: no script, no form, nothing loaded, no way out, and no address of this server's origin.
const FRAMED: Policy = Policy(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'",
);

#[derive(Template)]
#[template(path = "mail_draft.html", whitespace = "minimize")]
struct DraftPage {
    frame: Frame,
    owner: Owner,
    form: Typed,
    user: Option<UserView>,
    /// Whose template is shown to begin with.
    from: &'static str,
}

#[derive(Template)]
#[template(path = "mail_preview.html", whitespace = "minimize")]
struct PreviewPage {
    subject: String,
    text: String,
    is_masked: bool,
    has_html: bool,
    faults: Vec<FieldError>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    account: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    user: String,
}

/// `GET /mail/templates/edit`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let owner = Owner::of(&console, &by, &asked.account).await?;
    let language = if asked.language.is_empty() { "any" } else { asked.language.as_str() };
    let holds = console.app.mail_template((owner.id().as_ref(), WELCOME, language), by.actor()).await;
    let holds = match holds {
        Err(AppError::Fields(_)) => return Err(Trouble::NotHere),
        holds => holds?,
    };
    let form = Typed::default()
        .with("language", language)
        .with("subject", holds.subject)
        .with("text", holds.text)
        .with("html", holds.html)
        .with("user", &asked.user);
    draft_page(&console, &by, (StatusCode::OK, holds.from), (owner, form)).await
}

async fn draft_page(
    console: &Console,
    by: &SignedIn,
    (status, from): (StatusCode, &'static str),
    (owner, form): (Owner, Typed),
) -> Result<Response, Trouble> {
    let user = match form.text("user").parse::<UserId>() {
        Ok(user) => Some(console.app.user(&user, by.actor()).await?),
        Err(_) => None,
    };
    let form = form.shown_as(|name| matches!(name, "language" | "subject" | "text" | "html"));
    let shown = DraftPage { frame: Frame::signed_in("Template", by).at("mail"), owner, form, user, from };
    let mut response = page(status, &shown);
    response.extensions_mut().insert(FRAMING);
    Ok(response)
}

/// `POST /mail/templates/edit`.
pub(super) async fn save(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let form = draft(&posted);
    let owner = Owner::of(&console, &posted.by, posted.text("account")).await?;
    let input = MailTemplateInput {
        subject: form.text("subject").to_owned(),
        text: form.text("text").to_owned(),
        html: form.text("html").to_owned(),
    };
    let language = form.given("language").unwrap_or_else(|| "any".to_owned());
    let id = owner.id();
    match console.app.set_mail_template((id.as_ref(), WELCOME, &language), input, posted.by.actor()).await {
        Ok(_) => {
            let words = format!("The template is saved and holds for {} and all below from now on.", owner.name());
            posted.by.leave_notice(Notice::good(words));
            Ok(to(&format!("/mail/templates?account={}", owner.word())))
        }
        Err(error) => {
            let form = form.refused(error)?;
            draft_page(&console, &posted.by, (StatusCode::UNPROCESSABLE_ENTITY, "own"), (owner, form)).await
        }
    }
}

/// What was typed, with line ends as templates have them.
fn draft(posted: &Posted) -> Typed {
    let mut form = Typed::of(posted);
    for part in ["text", "html"] {
        let text = posted.text(part).replace("\r\n", "\n");
        form = form.with(part, if text.is_empty() { text } else { format!("{text}\n") });
    }
    form
}

/// `POST /mail/templates/preview`, into the frame.
pub(super) async fn preview(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let form = draft(&posted);
    let owner = Owner::of(&console, &posted.by, posted.text("account")).await?;
    let input = MailPreviewInput {
        subject: Some(form.text("subject").to_owned()),
        text: Some(form.text("text").to_owned()),
        html: Some(form.text("html").to_owned()),
        language: form.given("language"),
        user: form.given("for").filter(|_| form.text("for") == form.text("user")),
        reason: form.given("reason"),
    };
    let id = owner.id();
    let mut response = match console.app.preview_mail((id.as_ref(), WELCOME), input, posted.by.actor()).await {
        Ok(made) => match made.html {
            Some(html) if posted.text("part") == "html" => Html(html).into_response(),
            html => page(
                StatusCode::OK,
                &PreviewPage {
                    subject: made.subject,
                    text: made.text,
                    is_masked: made.masked,
                    has_html: html.is_some(),
                    faults: Vec::new(),
                },
            ),
        },
        Err(AppError::Fields(FieldErrors(faults))) => page(
            StatusCode::OK,
            &PreviewPage { subject: String::new(), text: String::new(), is_masked: false, has_html: true, faults },
        ),
        Err(error) => return Err(error.into()),
    };
    response.extensions_mut().insert(FRAMED);
    Ok(response)
}
