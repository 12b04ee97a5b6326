//! What a request must bring: a session, and a form token where it changes something.
//!
//! Decides only whether the request goes on; a request without session is sent to sign in.

use super::answer::Trouble;
use super::sessions::{Notice, SESSION_LASTS_MS, Ticket};
use super::{Console, locked};
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Request};
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use provost_app::{Actor, ShownToken};
use provost_core::identity::Peer;
use std::str::FromStr;
use std::sync::Arc;

const SESSION_COOKIE: &str = "provost-session";

/// A request of somebody who is signed in.
pub(super) struct SignedIn {
    console: Arc<Console>,
    id: String,
    csrf: Ticket,
    actor: Actor,
}

impl SignedIn {
    /// What every form of this session carries.
    pub(super) fn csrf(&self) -> &str {
        self.csrf.as_str()
    }

    /// Who does what this request does.
    pub(super) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Tells something on the next page.
    pub(super) fn leave_notice(&self, notice: Notice) {
        locked(&self.console.sessions).leave_notice(&self.id, notice);
    }

    /// What was left for this page; it is gone then.
    pub(super) fn take_notice(&self) -> Option<Notice> {
        locked(&self.console.sessions).take_notice(&self.id)
    }

    pub(super) fn end(&self) {
        locked(&self.console.sessions).end(&self.id);
    }
}

impl FromRequestParts<Arc<Console>> for SignedIn {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        let now = console.app.now();
        let found = {
            let mut sessions = locked(&console.sessions);
            session_ids(&parts.headers).find_map(|id| Some((id.to_owned(), sessions.open(id, now)?)))
        };
        let (id, (csrf, token)) = found.ok_or(Trouble::SignedOut)?;
        let address = parts.extensions.get::<Peer>().map(|peer| peer.address);
        // Asked each time: whoever revokes a token ends its sessions.
        if let ShownToken::Good(actor) = console.app.token_again(&token, address).await? {
            return Ok(Self { console: Arc::clone(console), id, csrf, actor });
        }
        locked(&console.sessions).end(&id);
        Err(Trouble::SignedOut)
    }
}

/// A form of somebody who is signed in, with the token of that session.
pub(super) struct Posted {
    /// Whose form it is.
    pub(super) by: SignedIn,
    fields: Vec<(String, String)>,
}

impl Posted {
    /// What was typed, without space around it; empty where the form has no such field.
    pub(super) fn text(&self, name: &str) -> &str {
        text(&self.fields, name)
    }

    /// What was typed, if anything was.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

impl FromRequest<Arc<Console>> for Posted {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let by = SignedIn::from_request_parts(&mut parts, console).await?;
        let fields = fields(Request::from_parts(parts, body)).await?;
        if by.csrf.is(text(&fields, "csrf")) { Ok(Self { by, fields }) } else { Err(Trouble::ForeignForm) }
    }
}

/// The fields of a form, in any order and number.
pub(super) async fn fields(request: Request) -> Result<Vec<(String, String)>, Trouble> {
    let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    form.map(|Form(fields)| fields).map_err(|_| Trouble::BrokenForm)
}

/// The first field of that name, without space around it.
pub(super) fn text<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
}

/// What the path names; anything else is not here.
pub(super) struct Named<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<Arc<Console>> for Named<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        let named = Path::<String>::from_request_parts(parts, console).await.ok();
        named.and_then(|Path(text)| text.parse().ok()).map(Self).ok_or(Trouble::NotHere)
    }
}

/// Whether the browser says that another site sent this request. Browsers that say nothing pass.
pub(super) fn from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// Every session id the request brings: a planted second cookie must not hide the good one.
pub(super) fn session_ids(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == SESSION_COOKIE).map(|(_, id)| id)
}

/// Sets the session's cookie. Without `Secure`: this console is plain HTTP on loopback only.
pub(super) fn cookie(id: &Ticket) -> Result<HeaderValue, Trouble> {
    let seconds = SESSION_LASTS_MS.div_euclid(1000);
    let text = format!("{SESSION_COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}", id.as_str());
    HeaderValue::try_from(text).map_err(|_| Trouble::BrokenForm)
}

/// Takes the session's cookie away.
pub(super) const NO_COOKIE: HeaderValue =
    HeaderValue::from_static("provost-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
