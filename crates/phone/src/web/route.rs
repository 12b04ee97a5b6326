//! Which part of the phone answers a request.
//!
//! Decides the way of a request and who is let through; what is answered is said elsewhere.
//! Rules: domain notes 7.1. Pages are let through by their cookie alone, so that links work without script; changes
//! need the token where the firmware wants one, as a header or, from our own forms, as a field.

use provost_catalog::{WebLogin, WebPageKind};
use tokio::time::Instant;

use crate::web::access::{Credentials, Level};
use crate::web::answer::Answer;
use crate::web::asked::Asked;
use crate::web::form;
use crate::web::site::{Site, Visit};
use crate::web::{capture, pages, polling, push, rest, submit};

/// The header, and the field of our own forms, that carries the token.
pub(crate) const TOKEN: &str = "anti-csrf-token";
/// The cookie of a session.
const SESSION: &str = "session";
/// The cookie older firmware takes, and the header it is a copy of.
const AUTHORIZATION: &str = "Authorization";
/// What the login says when it fails.
const INVALID: &str = "INVALID_LOGIN";
/// The login page, and the first page behind it.
const LOGIN_PAGE: &str = "/index.htm";
const HOME: &str = "/home.htm";
/// The picture of the display.
const CAPTURE: &str = "/captureScreen";

/// Answers; `None` when the phone does not.
pub(crate) async fn answer(site: &Site, asked: &Asked) -> Option<Answer> {
    let visit = site.visit(asked).await?;
    let path = asked.path();
    if path.starts_with("/polling/") {
        return Some(polling::answer(&visit));
    }
    if path == "/push" {
        return Some(push::answer(&visit).await);
    }
    if !asked.tls() && visit.wants_tls() {
        return Some(Answer::moved(&over_tls(site, asked)));
    }
    if path.starts_with("/api/") {
        return Some(rest::answer(&visit).await);
    }
    if path == CAPTURE {
        return Some(captured(visit));
    }
    if visit.is(&site.web.pages_switch.value, "0") {
        return Some(Answer::not_found());
    }
    Some(page(visit).await)
}

async fn page(mut visit: Visit<'_>) -> Answer {
    match visit.asked.path() {
        "/" => return Answer::see(LOGIN_PAGE),
        "/style.css" => return pages::style(),
        LOGIN_PAGE => return pages::login(&visit, None),
        "/form-submit/auth.htm" => return log_in(&visit),
        _ => {}
    }
    visit.level = who(&visit);
    if visit.level.is_none() {
        return turned_away(&visit);
    }
    let changes = !visit.asked.is_get();
    if changes && !is_meant(&visit) {
        return Answer::text(403, "the request does not carry the page's token");
    }
    if visit.asked.path() == "/form-submit/logout.htm" && changes {
        return log_out(&visit);
    }
    let changing = page_address(&visit, WebPageKind::ChangePassword);
    if visit.must_change_password() && !is_about_password(visit.asked.path(), &changing) {
        return if changes { Answer::text(403, "change the default password first") } else { Answer::see(&changing) };
    }
    if changes { submit::answer(&visit).await } else { pages::answer(&visit).await }
}

/// The picture of the display, for whoever is logged in or shows a password. Off until it is switched on; who may see
/// it on a real phone is from memory.
fn captured(mut visit: Visit<'_>) -> Answer {
    if !visit.is(&visit.site.web.capture_switch.value, "1") {
        return Answer::not_found();
    }
    if !visit.asked.is_get() {
        return Answer::text(405, "GET");
    }
    let shown = visit.asked.header("authorization");
    visit.level =
        who(&visit).or_else(|| proved(&visit, shown.filter(|_| visit.generation.login == WebLogin::Session)?));
    match visit.level {
        None => Answer::text(401, INVALID).with("www-authenticate", "Basic realm=\"Phone\""),
        Some(_) if visit.must_change_password() => Answer::text(403, "change the default password first"),
        Some(_) => capture::answer(&visit.view.face),
    }
}

/// The address of the first page of a kind.
fn page_address(visit: &Visit<'_>, kind: WebPageKind) -> String {
    let page = visit.site.catalog.web_pages().iter().find(|page| page.does == kind);
    page.map_or_else(|| HOME.to_owned(), |page| format!("/{}", page.address))
}

fn is_about_password(path: &str, page: &str) -> bool {
    path == page || path == submit::CHANGE_PASSWORD
}

/// The same address over TLS.
fn over_tls(site: &Site, asked: &Asked) -> String {
    let named = asked.host().parse::<http::uri::Authority>().ok();
    let host = named.map_or_else(|| asked.here().to_string(), |authority| authority.host().to_owned());
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    format!("https://{host}:{}{}", site.https.port(), asked.target())
}

/// What whoever asks may do.
fn who(visit: &Visit<'_>) -> Option<Level> {
    let now = Instant::now();
    let Visit { site, asked, .. } = visit;
    match visit.generation.login {
        WebLogin::Session => site.access().session(asked.cookie(SESSION)?, now),
        WebLogin::BasicCookie => proved(visit, asked.cookie(AUTHORIZATION).or_else(|| asked.header("authorization"))?),
    }
}

/// What a name and a password let somebody do; wrong ones count.
fn proved(visit: &Visit<'_>, shown: &str) -> Option<Level> {
    let (Visit { site, view, .. }, now) = (visit, Instant::now());
    let credentials = Credentials::basic(shown)?;
    let mut access = site.access();
    if access.is_locked(now) {
        return None;
    }
    let level = credentials.level(view, &site.web);
    if level.is_none() {
        access.count_wrong(&site.web, now);
    }
    level
}

fn turned_away(visit: &Visit<'_>) -> Answer {
    let by_cookie = visit.generation.login == WebLogin::BasicCookie;
    let shown = by_cookie && visit.asked.header("authorization").is_some();
    if shown || !visit.asked.is_get() {
        return Answer::text(401, INVALID);
    }
    let answer = Answer::see(LOGIN_PAGE);
    // A browser that goes on showing an old password would lock its own way in.
    if by_cookie { answer.with("set-cookie", forgetting(AUTHORIZATION)) } else { answer }
}

/// Makes a browser forget a cookie.
fn forgetting(name: &str) -> String {
    format!("{name}=; Path=/; Max-Age=0")
}

/// Whether a page of this server, and no other, sent the change.
fn is_meant(visit: &Visit<'_>) -> bool {
    if !visit.generation.anti_csrf {
        return true;
    }
    let asked = visit.asked;
    let shown = match asked.header(TOKEN) {
        Some(token) => token.to_owned(),
        None if asked.content_type() == "multipart/form-data" => {
            form::uploaded_field(asked.body(), TOKEN).unwrap_or_default()
        }
        None => asked.form().get(TOKEN).unwrap_or_default().to_owned(),
    };
    shown == visit.site.token && asked.is_from_own_page()
}

fn log_in(visit: &Visit<'_>) -> Answer {
    let Visit { site, asked, view, .. } = visit;
    let now = Instant::now();
    if asked.is_get() {
        return Answer::text(405, "send the login");
    }
    if !is_meant(visit) {
        return Answer::text(403, "the request does not carry the page's token");
    }
    let form = asked.form();
    let by_form = form.get("password").map(|password| typed(visit, &form, password));
    let shown = by_form.clone().or_else(|| asked.header("authorization").and_then(Credentials::basic));
    let mut access = site.access();
    let locked = access.is_locked(now);
    let proved = shown.filter(|_| !locked).and_then(|shown| Some((shown.level(view, &site.web)?, shown)));
    let Some((level, shown)) = proved else {
        if !locked {
            access.count_wrong(&site.web, now);
        }
        let why = if locked { "Too many wrong passwords. Wait a minute." } else { "The password is not right." };
        return match by_form {
            Some(_) => pages::login(visit, Some(why)),
            None => Answer::text(200, format!("{INVALID}\n{why}\n")),
        };
    };
    let answer = if by_form.is_some() { Answer::see(HOME) } else { Answer::text(200, "LOGIN_OK\n") };
    let secure = if asked.tls() { "; Secure" } else { "" };
    let cookie = match visit.generation.login {
        WebLogin::Session => format!("{SESSION}={}", access.open(level, view.starts, now)),
        WebLogin::BasicCookie => format!("{AUTHORIZATION}={}", shown.header()),
    };
    answer.with("set-cookie", format!("{cookie}; Path=/; HttpOnly; SameSite=Strict{secure}"))
}

/// The name behind the word a person chose on the login page.
fn typed(visit: &Visit<'_>, form: &form::Form, password: &str) -> Credentials {
    let web = &visit.site.web;
    let chosen = form.get("user").unwrap_or_default();
    let name =
        if chosen.eq_ignore_ascii_case(&web.administrator_word.value) { &web.administrator.value } else { chosen };
    Credentials { name: name.to_owned(), password: password.to_owned() }
}

fn log_out(visit: &Visit<'_>) -> Answer {
    let name = match visit.generation.login {
        WebLogin::Session => {
            visit.site.access().close(visit.asked.cookie(SESSION).unwrap_or_default());
            SESSION
        }
        WebLogin::BasicCookie => AUTHORIZATION,
    };
    Answer::see(LOGIN_PAGE).with("set-cookie", forgetting(name))
}
