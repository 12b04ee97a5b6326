//! The connector of an account to its PBX: what it is asked with, and what was found there.

use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::gate::{Posted, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::sessions::Notice;
use crate::console::typed::{Typed, told};
use askama::Template;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use provost_app::{AccountView, AppError, ConnectorView};
use provost_core::entry::connector::{ConnectorChange, ConnectorInput};
use provost_core::ids::{AccountId, ConnectorId};
use provost_core::rights::{Right, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "connector.html", whitespace = "minimize")]
struct ConnectorPage {
    frame: Frame,
    account: AccountView,
    /// `None` while one is being added.
    connector: Option<ConnectorView>,
    form: Typed,
    kinds: Vec<Choice>,
    securities: Vec<Choice>,
    /// Whether it may be led to addresses of the inside.
    may_inside: bool,
    /// Whether a password is kept.
    has_password: bool,
}

/// Words of the app crate, as people say them.
const KINDS: [(&str, &str); 3] = [
    ("kamailio", "Kamailio (JSON-RPC)"),
    ("asterisk", "Asterisk (manager interface)"),
    ("freeswitch", "FreeSWITCH (event socket)"),
];
const SECURITIES: [(&str, &str); 3] = [
    ("tls", "TLS"),
    ("plain", "in clear, to loopback and private addresses only"),
    ("plain-anywhere", "in clear, wherever it is"),
];
const FIELDS: [&str; 10] =
    ["name", "kind", "host", "port", "security", "certificate-sha256", "user", "password", "path", "profile"];

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/accounts/{account}/connectors/add", get(show_add).post(add))
        .route("/accounts/{account}/connectors/{id}", get(show).post(change))
        .route("/accounts/{account}/connectors/{id}/test", post(test))
        .route("/accounts/{account}/connectors/{id}/remove", post(remove))
}

type Place = Result<Path<(String, String)>, PathRejection>;

/// The account and connector of an address.
fn place(place: Place) -> Result<(AccountId, ConnectorId), Trouble> {
    let Ok(Path((account, id))) = place else { return Err(Trouble::NotHere) };
    match (account.parse(), id.parse()) {
        (Ok(account), Ok(id)) => Ok((account, id)),
        _ => Err(Trouble::NotHere),
    }
}

fn account_of(place: Result<Path<String>, PathRejection>) -> Result<AccountId, Trouble> {
    let Ok(Path(account)) = place else { return Err(Trouble::NotHere) };
    account.parse().map_err(|_| Trouble::NotHere)
}

async fn connector_page(
    console: &Console,
    by: &SignedIn,
    (account, status): (&AccountId, StatusCode),
    (connector, form): (Option<ConnectorView>, Typed),
) -> Result<Response, Trouble> {
    let choices = |all: &[(&str, &str)], chosen: &str| {
        let choice = |(value, label): &(&str, &str)| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            chosen: *value == chosen,
        };
        all.iter().map(choice).collect()
    };
    let actor = by.actor();
    let title = connector.as_ref().map_or("Add a connector", |connector| connector.name.as_str()).to_owned();
    let shown = ConnectorPage {
        frame: Frame::signed_in(&title, by).at("sites"),
        account: console.app.account(account, actor).await?,
        kinds: choices(&KINDS, form.text("kind")),
        securities: choices(&SECURITIES, form.text("security")),
        may_inside: actor.role.may(Right::Platform) && actor.scope == Scope::Platform,
        form: form.shown_as(|name| FIELDS.contains(&name) || name == "domain"),
        has_password: connector.as_ref().is_some_and(|connector| connector.has_password),
        connector,
    };
    Ok(page(status, &shown))
}

/// What a connector is now, in the fields of the form.
fn typed_of(view: &ConnectorView) -> Typed {
    Typed::default()
        .with("name", &view.name)
        .with("kind", view.kind)
        .with("host", &view.host)
        .with("port", view.port.to_string())
        .with("security", view.security)
        .with("certificate-sha256", view.certificate_sha256.as_deref().unwrap_or_default())
        .with("user", view.user.as_deref().unwrap_or_default())
        .with("path", &view.path)
        .with("profile", &view.profile)
        .with("domain", view.domain.as_deref().unwrap_or_default())
        .with("inside", if view.inside { "yes" } else { "" })
        .with("on", if view.on { "yes" } else { "" })
}

/// `GET /accounts/{account}/connectors/add`.
async fn show_add(
    State(console): State<Arc<Console>>,
    account: Result<Path<String>, PathRejection>,
    by: SignedIn,
) -> Result<Response, Trouble> {
    let account = account_of(account)?;
    console.app.may(by.actor(), Right::Change, &account, None).await?;
    connector_page(&console, &by, (&account, StatusCode::OK), (None, Typed::default().with("on", "yes"))).await
}

/// `POST /accounts/{account}/connectors/add`.
async fn add(
    State(console): State<Arc<Console>>,
    account: Result<Path<String>, PathRejection>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let account = account_of(account)?;
    let mut typed = Typed::of(&posted);
    let input = ConnectorInput {
        name: typed.given("name"),
        kind: typed.text("kind").to_owned(),
        host: typed.text("host").to_owned(),
        port: typed.number("port"),
        security: typed.given("security"),
        certificate_sha256: typed.given("certificate-sha256"),
        user: typed.given("user"),
        password: typed.given("password"),
        path: typed.given("path"),
        profile: typed.given("profile"),
        domain: typed.given("domain"),
        inside: typed.text("inside") == "yes",
        on: Some(typed.text("on") == "yes"),
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if typed.has_errors() {
        return connector_page(&console, &posted.by, (&account, status), (None, typed)).await;
    }
    match console.app.add_connector(&account, input, posted.by.actor()).await {
        Ok(view) => {
            let words = format!("The connector {} is added. Test it now: its PBX is asked at once then.", view.name);
            posted.by.leave_notice(Notice::good(words));
            Ok(to(&format!("/accounts/{account}/connectors/{}", view.id)))
        }
        Err(error @ AppError::NotFound { .. }) => Err(error.into()),
        Err(error) => connector_page(&console, &posted.by, (&account, status), (None, typed.refused(error)?)).await,
    }
}

/// `GET /accounts/{account}/connectors/{id}`.
async fn show(State(console): State<Arc<Console>>, at: Place, by: SignedIn) -> Result<Response, Trouble> {
    let (account, id) = place(at)?;
    let view = console.app.connector(&account, &id, by.actor()).await?;
    let form = typed_of(&view);
    connector_page(&console, &by, (&account, StatusCode::OK), (Some(view), form)).await
}

/// `POST /accounts/{account}/connectors/{id}`.
async fn change(State(console): State<Arc<Console>>, at: Place, posted: Posted) -> Result<Response, Trouble> {
    let (account, id) = place(at)?;
    let mut typed = Typed::of(&posted);
    let change = change_of(&mut typed);
    let refused = if typed.has_errors() {
        typed
    } else {
        match console.app.change_connector((&account, &id), change, posted.by.actor()).await {
            Ok(view) => {
                posted.by.leave_notice(Notice::good(format!("The connector {} is changed.", view.name)));
                return Ok(to(&format!("/accounts/{account}/connectors/{id}")));
            }
            Err(error @ AppError::NotFound { .. }) => return Err(error.into()),
            Err(error) => typed.refused(error)?,
        }
    };
    let view = console.app.connector(&account, &id, posted.by.actor()).await?;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    connector_page(&console, &posted.by, (&account, status), (Some(view), refused)).await
}

/// A password that is left empty stays, unless it is to go.
fn change_of(typed: &mut Typed) -> ConnectorChange {
    let password = match typed.given("password") {
        Some(password) => Some(Some(password)),
        None => (typed.text("no-password") == "yes").then_some(None),
    };
    ConnectorChange {
        name: typed.given("name"),
        kind: typed.given("kind"),
        host: Some(typed.text("host").to_owned()),
        port: typed.number("port"),
        security: typed.given("security"),
        certificate_sha256: Some(typed.given("certificate-sha256")),
        user: Some(typed.given("user")),
        password,
        path: typed.given("path"),
        profile: typed.given("profile"),
        domain: Some(typed.given("domain")),
        inside: Some(typed.text("inside") == "yes"),
        on: Some(typed.text("on") == "yes"),
    }
}

/// `POST /accounts/{account}/connectors/{id}/test`.
async fn test(State(console): State<Arc<Console>>, at: Place, posted: Posted) -> Result<Response, Trouble> {
    let (account, id) = place(at)?;
    let view = console.app.test_connector(&account, &id, posted.by.actor()).await?;
    let notice = if view.found.state == "not reached" {
        Notice::bad(view.found.words, None)
    } else {
        Notice::good(view.found.words)
    };
    posted.by.leave_notice(notice);
    Ok(to(&format!("/accounts/{account}/connectors/{id}")))
}

/// `POST /accounts/{account}/connectors/{id}/remove`.
async fn remove(State(console): State<Arc<Console>>, at: Place, posted: Posted) -> Result<Response, Trouble> {
    let (account, id) = place(at)?;
    let done = console.app.remove_connector(&account, &id, posted.by.actor()).await;
    told(&posted, done.map(|view| format!("The connector {} is removed.", view.name)), &format!("/accounts/{account}"))
}
