//! My account: password, authenticator, recovery codes, and the sessions one has open.

use super::Console;
use super::answer::{Trouble, page, to};
use super::gate::{Named, Posted, SignedIn, Visiting, cookie};
use super::new_password::same_twice;
use super::parts::{Field, Frame};
use super::qr::QrCode;
use super::sessions::{Notice, seconds_until};
use super::sign_in::{wait_words, with_cookie};
use super::words::Moment;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, NewSession, OwnAccountView, OwnChange, SessionView, TotpOffer};
use provost_core::entry::FieldErrors;
use provost_core::secret::Secret;
use provost_core::sign_in::FEWEST_CHARACTERS;
use std::sync::Arc;

/// What was typed wrong into the forms of the page; passwords are not shown again.
#[derive(Default)]
struct Typed {
    current: Field,
    password: Field,
    again: Field,
    /// Of the form that takes the authenticator away or makes recovery codes.
    proof: Field,
}

#[derive(Template)]
#[template(path = "account.html", whitespace = "minimize")]
struct AccountPage {
    frame: Frame,
    who: String,
    own: Option<OwnAccountView>,
    sessions: Vec<OneSession>,
    typed: Typed,
    fewest: usize,
}

struct OneSession {
    id: String,
    address: String,
    browser: String,
    began: Moment,
    used: Moment,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "totp.html", whitespace = "minimize")]
struct TotpPage {
    frame: Frame,
    qr: QrCode,
    secret: String,
    ticket: String,
    code: Field,
    current: Field,
}

#[derive(Template)]
#[template(path = "recovery_codes.html", whitespace = "minimize")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
}

/// `GET /account`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    account_page(&console, &by, StatusCode::OK, Typed::default()).await
}

async fn account_page(console: &Console, by: &SignedIn, status: StatusCode, typed: Typed) -> Result<Response, Trouble> {
    let now = console.app.now();
    let own = console.app.own_account(by.session()).await?;
    let sessions = console.app.own_sessions(by.session()).await?;
    let one = |session: SessionView| OneSession {
        browser: browser_words(&session.browser),
        began: Moment::at(session.began, now),
        used: Moment::at(session.used, now),
        id: session.id,
        address: session.address,
        is_this: session.is_this,
    };
    let shown = AccountPage {
        frame: Frame::signed_in("My account", by).at("account"),
        who: by.actor().who.clone(),
        own,
        sessions: sessions.into_iter().map(one).collect(),
        typed,
        fewest: FEWEST_CHARACTERS,
    };
    Ok(page(status, &shown))
}

/// `POST /account/password`.
pub(super) async fn change_password(
    State(console): State<Arc<Console>>,
    Visiting(visitor): Visiting,
    posted: Posted,
) -> Result<Response, Trouble> {
    let entered = (posted.text("current"), posted.text("password"));
    let done = match same_twice(&posted) {
        Some(differ) => Err(AppError::Fields(differ)),
        None => console.app.change_own_password(posted.by.session(), entered, &visitor).await,
    };
    let mut typed = Typed::default();
    let status = match done {
        Ok(OwnChange::Done(session)) => {
            let words = "Your password is changed. All your other sessions have ended.";
            return go_on(&console, &session, words);
        }
        Ok(other) => refusal(&console, other, &mut typed.current),
        Err(AppError::Fields(FieldErrors(mut errors))) => {
            typed.password.take("password", &mut errors);
            typed.again.take("again", &mut errors);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => return Err(error.into()),
    };
    account_page(&console, &posted.by, status, typed).await
}

/// `POST /account/totp`.
pub(super) async fn offer_totp(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let offer = console.app.offer_totp(posted.by.session()).await?;
    totp_page(&posted.by, StatusCode::OK, &offer, [Field::default(), Field::default()])
}

/// `GET` of an address that is for forms of the account's page, after a reload.
pub(super) async fn back(_: SignedIn) -> Response {
    to("/account")
}

fn totp_page(
    by: &SignedIn,
    status: StatusCode,
    offer: &TotpOffer,
    [code, current]: [Field; 2],
) -> Result<Response, Trouble> {
    let shown = TotpPage {
        frame: Frame::signed_in("Set up your authenticator", by),
        qr: QrCode::of(&offer.url)?,
        secret: grouped(offer.secret.reveal()),
        ticket: offer.ticket.reveal().to_owned(),
        code,
        current,
    };
    Ok(page(status, &shown))
}

/// `POST /account/totp/begin`.
pub(super) async fn begin_totp(
    State(console): State<Arc<Console>>,
    Visiting(visitor): Visiting,
    posted: Posted,
) -> Result<Response, Trouble> {
    let ticket = posted.text("ticket");
    let entered = (ticket, posted.text("code"), posted.text("current"));
    let done = match console.app.begin_totp(posted.by.session(), entered, &visitor).await {
        Err(AppError::Refused { message, reference, .. }) => {
            posted.by.leave_notice(Notice::bad(message, Some(reference)));
            return Ok(to("/account"));
        }
        done => done?,
    };
    let (mut code, mut current) = (Field::default(), Field::default());
    let status = match done {
        OwnChange::Done(begun) => {
            let by = posted.by.again(&begun.session).await?;
            let response = codes_page(&by, &begun.codes);
            return Ok(with_cookie(response, cookie(&begun.session, console.reach)?));
        }
        OwnChange::WrongCode => {
            code.error = Some("does not fit; wait for the next one and enter that".to_owned());
            StatusCode::FORBIDDEN
        }
        other => refusal(&console, other, &mut current),
    };
    let offer = console.app.offer_totp_again(posted.by.session(), ticket).await?;
    totp_page(&posted.by, status, &offer, [code, current])
}

/// `POST /account/totp/end`.
pub(super) async fn end_totp(
    State(console): State<Arc<Console>>,
    Visiting(visitor): Visiting,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.end_totp(posted.by.session(), posted.text("current"), &visitor).await?;
    match done {
        OwnChange::Done(session) => go_on(&console, &session, "You sign in without an authenticator from now on."),
        other => with_wrong_proof(&console, &posted, other).await,
    }
}

/// `POST /account/recovery-codes`.
pub(super) async fn renew_codes(
    State(console): State<Arc<Console>>,
    Visiting(visitor): Visiting,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.renew_recovery_codes(posted.by.session(), posted.text("current"), &visitor).await?;
    match done {
        OwnChange::Done(codes) => Ok(codes_page(&posted.by, &codes)),
        other => with_wrong_proof(&console, &posted, other).await,
    }
}

async fn with_wrong_proof<T>(console: &Console, posted: &Posted, done: OwnChange<T>) -> Result<Response, Trouble> {
    let mut typed = Typed::default();
    let status = refusal(console, done, &mut typed.proof);
    account_page(console, &posted.by, status, typed).await
}

/// `POST /account/sessions/{id}/end`.
pub(super) async fn end_session(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    console.app.end_own_session(&id, posted.by.session()).await?;
    posted.by.leave_notice(Notice::good("That session has ended.".to_owned()));
    Ok(to("/account"))
}

/// `POST /account/sessions/end-others`.
pub(super) async fn end_others(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let count = console.app.end_other_sessions(posted.by.session()).await?;
    let words = match count {
        0 => "You had no other session.".to_owned(),
        1 => "Your one other session has ended.".to_owned(),
        count => format!("Your {count} other sessions have ended."),
    };
    posted.by.leave_notice(Notice::good(words));
    Ok(to("/account"))
}

fn go_on(console: &Console, session: &NewSession, words: &str) -> Result<Response, Trouble> {
    console.notice_after(session, Notice::good(words.to_owned()));
    Ok(with_cookie(to("/account"), cookie(session, console.reach)?))
}

/// Says beside the field why nothing was done.
fn refusal<T>(console: &Console, done: OwnChange<T>, field: &mut Field) -> StatusCode {
    let (status, words) = match done {
        OwnChange::Wait(until) => {
            let seconds = seconds_until(until, console.app.now());
            (StatusCode::TOO_MANY_REQUESTS, wait_words(seconds))
        }
        _ => (StatusCode::FORBIDDEN, "this is not your password; nothing was changed".to_owned()),
    };
    field.error = Some(words);
    field.is_first = true;
    status
}

fn codes_page(by: &SignedIn, codes: &[Secret]) -> Response {
    let codes = codes.iter().map(|code| code.reveal().to_owned()).collect();
    page(StatusCode::OK, &CodesPage { frame: Frame::signed_in("Your recovery codes", by), codes })
}

/// A secret as it is keyed in: in groups of four.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

/// A browser's name for people; one that says nothing known is shown as it is.
fn browser_words(agent: &str) -> String {
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let found =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, word)| *word);
    match (found(&BROWSERS), found(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) if agent.is_empty() => "a program without a name".to_owned(),
        (None, _) => agent.chars().take(60).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_as_people_name_it() {
        for (agent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36 Edg/124.0",
                "Edge on Windows",
            ),
            ("curl/7.88.1", "curl"),
            ("", "a program without a name"),
            ("something else", "something else"),
        ] {
            assert_eq!(browser_words(agent), words);
        }
        assert_eq!(grouped("ABCDEFGHIJ"), "ABCD EFGH IJ");
    }
}
