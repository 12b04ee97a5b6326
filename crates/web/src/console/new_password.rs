//! Choosing a password: at the first sign-in with one that works once, and by a link for who forgot his.
//!
//! Asking for a link is answered with the same words at once, whoever asks for whom.

use super::Console;
use super::answer::{Trouble, page, to};
use super::gate::{Arrived, Named, Outside, Posted, PostedOnArrival, SignedIn, Visiting, cookie};
use super::parts::{Field, Frame};
use super::sessions::Notice;
use super::sign_in::with_cookie;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::AppError;
use provost_core::entry::FieldErrors;
use provost_core::sign_in::FEWEST_CHARACTERS;
use std::sync::Arc;

/// Who one is, with a password of one's own.
#[derive(Template)]
#[template(path = "settle.html", whitespace = "minimize")]
struct SettlePage {
    frame: Frame,
    email: Field,
    name: Field,
    password: Field,
    again: Field,
    fewest: usize,
}

#[derive(Template)]
#[template(path = "forgotten.html", whitespace = "minimize")]
struct ForgottenPage {
    frame: Frame,
    has_mail: bool,
    is_asked: bool,
    command: String,
}

#[derive(Template)]
#[template(path = "new_password.html", whitespace = "minimize")]
struct LinkPage {
    frame: Frame,
    /// Whether the link works.
    works: bool,
    password: Field,
    again: Field,
    fewest: usize,
}

/// `GET /new-password`.
pub(super) async fn settle_page(
    State(console): State<Arc<Console>>,
    Arrived(by): Arrived,
) -> Result<Response, Trouble> {
    if !by.session().must_choose {
        return Ok(to("/account"));
    }
    let own = console.app.own_account(by.session()).await?;
    let known = own.map(|own| own.view);
    // The first owner is nobody yet; everybody else was named by whoever added him.
    let known = known.filter(|view| view.email.contains('@'));
    let page_of = SettlePage {
        email: known.as_ref().map_or_else(Field::default, |view| Field::typed(&view.email)),
        name: known.as_ref().map_or_else(Field::default, |view| Field::typed(&view.name)),
        ..blank(&by)
    };
    Ok(page(StatusCode::OK, &page_of))
}

fn blank(by: &SignedIn) -> SettlePage {
    SettlePage {
        frame: Frame::arriving("Choose your password", by),
        email: Field::default(),
        name: Field::default(),
        password: Field::default(),
        again: Field::default(),
        fewest: FEWEST_CHARACTERS,
    }
}

/// `POST /new-password`.
pub(super) async fn settle(
    State(console): State<Arc<Console>>,
    Visiting(visitor): Visiting,
    PostedOnArrival(posted): PostedOnArrival,
) -> Result<Response, Trouble> {
    let entered = (posted.text("email"), posted.text("name"), posted.text("password"));
    let errors = match same_twice(&posted) {
        Some(differ) => Err(AppError::Fields(differ)),
        None => console.app.settle(posted.by.session(), entered, &visitor).await,
    };
    let problem = match errors {
        Ok(session) => {
            console.notice_after(
                &session,
                Notice::good("Your password is chosen; sign in with it from now on.".to_owned()),
            );
            return Ok(with_cookie(to("/"), cookie(&session, console.reach)?));
        }
        Err(AppError::Fields(FieldErrors(errors))) => errors,
        Err(AppError::Conflict { message }) => {
            vec![provost_core::entry::FieldError { field: "email".to_owned(), message }]
        }
        Err(error) => return Err(error.into()),
    };
    let mut errors = problem;
    let mut wrong = SettlePage { email: Field::typed(entered.0), name: Field::typed(entered.1), ..blank(&posted.by) };
    wrong.email.take("email", &mut errors);
    wrong.name.take("name", &mut errors);
    wrong.password.take("password", &mut errors);
    wrong.again.take("again", &mut errors);
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &wrong))
}

/// That the two passwords differ, if they do.
pub(super) fn same_twice(posted: &Posted) -> Option<FieldErrors> {
    differ(posted.text("password"), posted.text("again"))
}

fn differ(password: &str, again: &str) -> Option<FieldErrors> {
    let message = "this is not what stands above; type the same password twice".to_owned();
    let error = provost_core::entry::FieldError { field: "again".to_owned(), message };
    (password != again).then(|| FieldErrors(vec![error]))
}

/// `GET /forgotten`.
pub(super) async fn forgotten_page(State(console): State<Arc<Console>>) -> Response {
    forgotten_answer(&console, false)
}

/// `POST /forgotten`.
pub(super) async fn forgotten(State(console): State<Arc<Console>>, outside: Outside) -> Response {
    console.app.forgot_password(outside.text("email"), &outside.visitor);
    forgotten_answer(&console, true)
}

fn forgotten_answer(console: &Console, is_asked: bool) -> Response {
    let frame = Frame::signed_out("Forgotten password");
    let command = console.app.told().command.clone();
    page(StatusCode::OK, &ForgottenPage { frame, has_mail: console.app.can_mail_links(), is_asked, command })
}

/// `GET /new-password/{link}`. Looking changes nothing: programs that check mails follow links.
pub(super) async fn link_page(
    State(console): State<Arc<Console>>,
    Named(link): Named<String>,
) -> Result<Response, Trouble> {
    let works = console.app.is_password_link(&link).await?;
    let status = if works { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(page(status, &LinkPage { works, ..blank_link() }))
}

fn blank_link() -> LinkPage {
    let frame = Frame::signed_out("Choose a new password");
    LinkPage { frame, works: true, password: Field::default(), again: Field::default(), fewest: FEWEST_CHARACTERS }
}

/// `POST /new-password/{link}`.
pub(super) async fn use_link(
    State(console): State<Arc<Console>>,
    Named(link): Named<String>,
    outside: Outside,
) -> Result<Response, Trouble> {
    let password = outside.text("password");
    let done = match differ(password, outside.text("again")) {
        Some(differ) => Err(AppError::Fields(differ)),
        None => console.app.choose_password(&link, password, &outside.visitor).await,
    };
    match done {
        Ok(true) => Ok(to("/sign-in")),
        Ok(false) => Ok(page(StatusCode::NOT_FOUND, &LinkPage { works: false, ..blank_link() })),
        Err(AppError::Fields(FieldErrors(mut errors))) => {
            let mut wrong = blank_link();
            wrong.password.take("password", &mut errors);
            wrong.again.take("again", &mut errors);
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &wrong))
        }
        Err(error) => Err(error.into()),
    }
}
