//! What a request must bring: a session, and a form token where it changes something.
//!
//! Decides only whether the request goes on; a request without session is sent to sign in, and one of somebody who still
//! has a password that another was shown is sent to choose his own.

use super::answer::Trouble;
use super::sessions::{FormToken, Notice};
use super::{Console, Reach, locked};
use axum::extract::{Form, FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use provost_app::{Actor, AppError, NewSession, OpenSession, Visitor};
use provost_core::identity::Peer;
use provost_core::secret::Secret;
use provost_core::sign_in::SESSION_LASTS_MS;
use std::str::FromStr;
use std::sync::Arc;

const PLAIN_COOKIE: &str = "provost-session";
/// Browsers take it over HTTPS only, for this host alone, and from no page of a neighbor domain.
const HOST_COOKIE: &str = "__Host-provost-session";
/// Session cookies of one request that are looked at: a planted one must not hide the good one.
const MOST_COOKIES: usize = 4;
const TICKET_CHARACTERS: usize = 64;

/// A request of somebody who is signed in.
pub(super) struct SignedIn {
    console: Arc<Console>,
    csrf: FormToken,
    session: OpenSession,
    /// What its cookie holds.
    ticket: Secret,
    /// Whether the script of an open page asks.
    is_by_script: bool,
}

impl SignedIn {
    /// What every form of this session carries.
    pub(super) fn csrf(&self) -> &str {
        self.csrf.as_str()
    }

    /// Whether a form carries the token of this session.
    pub(super) fn sent(&self, token: &str) -> bool {
        self.csrf.is(token)
    }

    /// Who does what this request does.
    pub(super) const fn actor(&self) -> &Actor {
        &self.session.actor
    }

    /// The session it is done in.
    pub(super) const fn session(&self) -> &OpenSession {
        &self.session
    }

    /// Whether the session still is what it was when the request came: open, of the same person with the same rights.
    pub(super) async fn stands(&self) -> Result<bool, AppError> {
        let actor = &self.session.actor;
        let now = self.console.app.peek_session(self.ticket.reveal(), actor.from).await?;
        Ok(now.is_some_and(|now| now.actor == *actor && !now.must_choose))
    }

    /// Tells something on the next page.
    pub(super) fn leave_notice(&self, notice: Notice) {
        locked(&self.console.notices).leave(&self.session.id, notice);
    }

    /// What was left for this page; it is gone then. The script of an open page shows none of it, so it stays for the page
    /// that somebody goes to.
    pub(super) fn take_notice(&self) -> Option<Notice> {
        if self.is_by_script {
            return None;
        }
        locked(&self.console.notices).take(&self.session.id)
    }

    /// Whether the script of an open page asks, for the parts that may have changed.
    pub(super) const fn is_renewal(&self) -> bool {
        self.is_by_script
    }

    /// The same request in the session that takes the place of its own.
    pub(super) async fn again(&self, session: &NewSession) -> Result<Self, Trouble> {
        let ticket = session.ticket.reveal();
        let opened = self.console.app.open_session(ticket, self.session.actor.from).await?;
        let session = opened.ok_or(Trouble::SignedOut)?;
        let (console, csrf) = (Arc::clone(&self.console), FormToken::of(ticket));
        Ok(Self { console, csrf, session, ticket: Secret::from(ticket), is_by_script: self.is_by_script })
    }

    /// Whoever has an open session, also before he chose a password of his own.
    async fn any(parts: &Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        let from = address(parts);
        for ticket in tickets(&parts.headers, console.reach) {
            let is_by_script = is_by_script(parts);
            let session = if is_by_script {
                console.app.peek_session(ticket, from).await?
            } else {
                console.app.open_session(ticket, from).await?
            };
            if let Some(session) = session {
                let (console, csrf) = (Arc::clone(console), FormToken::of(ticket));
                return Ok(Self { console, csrf, session, ticket: Secret::from(ticket), is_by_script });
            }
        }
        Err(Trouble::SignedOut)
    }
}

impl FromRequestParts<Arc<Console>> for SignedIn {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        let by = Self::any(parts, console).await?;
        if by.session.must_choose { Err(Trouble::MustChoose) } else { Ok(by) }
    }
}

/// As [`SignedIn`], also before a password of their own was chosen: for the page where it is, and to sign out.
pub(super) struct Arrived(pub(super) SignedIn);

impl FromRequestParts<Arc<Console>> for Arrived {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        SignedIn::any(parts, console).await.map(Self)
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

    /// What was chosen in every field of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.trim())
    }

    /// What was typed, if anything was.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Every field but the token, without space around what was typed.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter().filter(|(name, _)| name != "csrf");
        fields.map(|(name, text)| (name.as_str(), text.trim()))
    }

    /// What stands in every field of this name.
    pub(super) fn every(&self, name: &str) -> Vec<String> {
        self.all(name).map(str::to_owned).collect()
    }

    async fn of(by: SignedIn, request: Request) -> Result<Self, Trouble> {
        let fields = fields(request).await?;
        if by.sent(text(&fields, "csrf")) { Ok(Self { by, fields }) } else { Err(Trouble::ForeignForm) }
    }
}

impl FromRequest<Arc<Console>> for Posted {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Trouble> {
        let (mut parts, body) = request.into_parts();
        let by = SignedIn::from_request_parts(&mut parts, console).await?;
        Self::of(by, Request::from_parts(parts, body)).await
    }
}

/// As [`Posted`], also before a password of their own was chosen.
pub(super) struct PostedOnArrival(pub(super) Posted);

impl FromRequest<Arc<Console>> for PostedOnArrival {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Trouble> {
        let (parts, body) = request.into_parts();
        let by = SignedIn::any(&parts, console).await?;
        Posted::of(by, Request::from_parts(parts, body)).await.map(Self)
    }
}

/// A form of somebody who is not signed in; a page of another site cannot send it.
pub(super) struct Outside {
    /// Who stands there.
    pub(super) visitor: Visitor,
    /// The session cookies the browser brings all the same.
    pub(super) tickets: Vec<String>,
    fields: Vec<(String, String)>,
}

impl Outside {
    /// What was typed, without space around it; empty where the form has no such field.
    pub(super) fn text(&self, name: &str) -> &str {
        text(&self.fields, name)
    }

    /// Whether the form has something in this field.
    pub(super) fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// The tickets as they are borrowed.
    pub(super) fn old(&self) -> Vec<&str> {
        self.tickets.iter().map(String::as_str).collect()
    }
}

impl FromRequest<Arc<Console>> for Outside {
    type Rejection = Trouble;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Trouble> {
        // Otherwise any web page the administrator visits could use up the tries.
        if from_another_site(request.headers()) {
            return Err(Trouble::ForeignForm);
        }
        let (parts, body) = request.into_parts();
        let visitor = visitor(&parts);
        let tickets = tickets(&parts.headers, console.reach).map(str::to_owned).collect();
        let fields = fields(Request::from_parts(parts, body)).await?;
        Ok(Self { visitor, tickets, fields })
    }
}

/// Who stands before the console.
pub(super) struct Visiting(pub(super) Visitor);

impl<S: Sync> FromRequestParts<S> for Visiting {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        Ok(Self(visitor(parts)))
    }
}

fn visitor(parts: &Parts) -> Visitor {
    let browser = parts.headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    Visitor { address: address(parts), browser: browser.unwrap_or_default() }
}

fn address(parts: &Parts) -> Option<std::net::IpAddr> {
    parts.extensions.get::<Peer>().map(|peer| peer.address)
}

/// The fields of a form, in any order and number.
async fn fields(request: Request) -> Result<Vec<(String, String)>, Trouble> {
    let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    form.map(|Form(fields)| fields).map_err(|_| Trouble::BrokenForm)
}

/// The first field of that name, without space around it.
fn text<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
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

/// Whether the browser says that the script of an open page asks, and nobody went anywhere.
fn is_by_script(parts: &Parts) -> bool {
    parts.method == Method::GET && parts.headers.get("sec-fetch-dest").is_some_and(|dest| dest == "empty")
}

/// Whether the browser says that another site sent this request. Browsers that say nothing pass.
fn from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// The first session cookies the request brings that could be ours.
fn tickets(headers: &HeaderMap, reach: Reach) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(move |(name, _)| *name == cookie_name(reach)).map(|(_, ticket)| ticket);
    let is_ticket = |ticket: &&str| ticket.len() == TICKET_CHARACTERS && ticket.bytes().all(|b| b.is_ascii_hexdigit());
    ours.filter(is_ticket).take(MOST_COOKIES)
}

const fn cookie_name(reach: Reach) -> &'static str {
    match reach {
        Reach::Plain => PLAIN_COOKIE,
        Reach::Https => HOST_COOKIE,
    }
}

/// Sets the session's cookie. Without `Secure` only where browsers reach this console without TLS: on loopback.
pub(super) fn cookie(session: &NewSession, reach: Reach) -> Result<HeaderValue, Trouble> {
    let seconds = SESSION_LASTS_MS.div_euclid(1000);
    let text = format!("{}={}; {}; Max-Age={seconds}", cookie_name(reach), session.ticket.reveal(), attributes(reach));
    let mut value = HeaderValue::try_from(text).map_err(|_| Trouble::BrokenForm)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Takes the session's cookie away.
pub(super) fn no_cookie(reach: Reach) -> Result<HeaderValue, Trouble> {
    let text = format!("{}=; {}; Max-Age=0", cookie_name(reach), attributes(reach));
    HeaderValue::try_from(text).map_err(|_| Trouble::BrokenForm)
}

const fn attributes(reach: Reach) -> &'static str {
    match reach {
        Reach::Plain => "Path=/; HttpOnly; SameSite=Strict",
        Reach::Https => "Path=/; Secure; HttpOnly; SameSite=Strict",
    }
}
