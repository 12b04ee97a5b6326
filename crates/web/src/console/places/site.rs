//! One site: what its phones are told, who is there, and its end.

use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::{Choice, Field, Frame};
use crate::console::sessions::Notice;
use crate::console::typed::{Typed, told};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AccountView, AppError, ListedSiteView, SiteView};
use provost_core::entry::change::SiteChange;
use provost_core::entry::{SipServerInput, SiteInput};
use provost_core::ids::{AccountId, SiteId};
use provost_core::rights::Right;
use provost_core::time_zone::zone_names;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "site.html", whitespace = "minimize")]
struct SitePage {
    frame: Frame,
    site: SiteView,
    account: AccountView,
    figures: ListedSiteView,
    form: SiteForm,
    route: Typed,
}

#[derive(Template)]
#[template(path = "site_add.html", whitespace = "minimize")]
struct AddPage {
    frame: Frame,
    account: AccountView,
    form: SiteForm,
}

/// The form of a site.
struct SiteForm {
    typed: Typed,
    zones: Vec<String>,
    servers: Vec<ServerFields>,
}

/// One SIP server of it.
struct ServerFields {
    /// `sip-servers[0]`, as the app crate calls it.
    name: String,
    number: usize,
    host: Field,
    port: Field,
    transport: Field,
    transports: Vec<Choice>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Of {
    #[serde(default)]
    account: String,
}

/// As many as a line holds.
const SERVERS: usize = 4;
const FIELDS: [&str; 7] = ["name", "time-zone", "country", "language", "vlan", "voicemail", "emergency-address"];
/// Words of the app crate, as people say them.
const TRANSPORTS: [(&str, &str); 4] = [("udp", "UDP"), ("tcp", "TCP"), ("tls", "TLS"), ("dns", "by DNS (NAPTR, SRV)")];

impl SiteForm {
    fn of(typed: Typed) -> Self {
        let servers = (0..SERVERS).map(|number| ServerFields::of(&typed, number)).collect();
        let typed = typed.shown_as(|name| FIELDS.contains(&name) || name.starts_with("sip-servers["));
        Self { typed, zones: zone_names(), servers }
    }
}

impl ServerFields {
    fn of(typed: &Typed, number: usize) -> Self {
        let field = |what: &str| typed.field(&format!("sip-servers[{number}].{what}"));
        let transport = field("transport");
        let choice = |(value, label): (&str, &str)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: transport.typed == value,
        };
        Self {
            name: format!("sip-servers[{number}]"),
            number: number.saturating_add(1),
            host: field("host"),
            port: field("port"),
            transports: TRANSPORTS.into_iter().map(choice).collect(),
            transport,
        }
    }
}

/// What a site is now, in the fields of the form.
fn typed_of(site: &SiteView) -> Typed {
    let mut typed = Typed::default()
        .with("before", site.mark())
        .with("name", &site.name)
        .with("time-zone", &site.time_zone)
        .with("country", site.country.as_deref().unwrap_or_default())
        .with("language", site.language.as_deref().unwrap_or_default())
        .with("vlan", site.vlan.map_or(String::new(), |vlan| vlan.to_string()))
        .with("voicemail", site.voicemail.as_deref().unwrap_or_default())
        .with("emergency-address", site.emergency_address.as_deref().unwrap_or_default());
    for (server, number) in site.sip_servers.iter().zip(0usize..) {
        let name = |what: &str| format!("sip-servers[{number}].{what}");
        // Port 0 leaves it to DNS.
        let port = if server.port == 0 { String::new() } else { server.port.to_string() };
        typed =
            typed.with(name("host"), &server.host).with(name("port"), port).with(name("transport"), server.transport);
    }
    typed
}

/// What was sent, with the servers that have a host moved up.
fn typed(posted: &Posted) -> Typed {
    let sent = Typed::of(posted);
    let mut typed = Typed::default().with("account", sent.text("account")).with("before", sent.text("before"));
    for name in FIELDS {
        typed = typed.with(name, sent.text(name));
    }
    let servers = (0..SERVERS).map(|number| ServerFields::of(&sent, number));
    for (server, number) in servers.filter(|server| !server.host.typed.is_empty()).zip(0usize..) {
        let name = |what: &str| format!("sip-servers[{number}].{what}");
        typed = typed
            .with(name("host"), &server.host.typed)
            .with(name("port"), &server.port.typed)
            .with(name("transport"), &server.transport.typed);
    }
    typed
}

fn servers(typed: &mut Typed) -> Vec<SipServerInput> {
    let mut servers = Vec::new();
    for number in 0..SERVERS {
        let name = |what: &str| format!("sip-servers[{number}].{what}");
        if let Some(host) = typed.given(&name("host")) {
            servers.push(SipServerInput {
                host,
                port: typed.number(&name("port")),
                transport: typed.given(&name("transport")),
            });
        }
    }
    servers
}

/// `GET /sites/{id}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Named(id): Named<SiteId>,
    by: SignedIn,
) -> Result<Response, Trouble> {
    site_page(&console, &by, (&id, StatusCode::OK), (None, None)).await
}

/// The page with what was typed into one of its forms.
pub(super) async fn site_page(
    console: &Console,
    by: &SignedIn,
    (id, status): (&SiteId, StatusCode),
    (form, route): (Option<Typed>, Option<Typed>),
) -> Result<Response, Trouble> {
    let app = &console.app;
    let site = app.site(id, by.actor()).await?;
    let account = site.account.parse::<AccountId>().map_err(|_| Trouble::NotHere)?;
    let shown = SitePage {
        frame: Frame::signed_in(&site.name, by).at("sites"),
        account: app.account(&account, by.actor()).await?,
        figures: app.listed_site(id, by.actor()).await?,
        form: SiteForm::of(form.unwrap_or_else(|| typed_of(&site))),
        route: route.unwrap_or_else(|| super::route::typed_of(&site)),
        site,
    };
    Ok(page(status, &shown))
}

/// `POST /sites/{id}`.
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    Named(id): Named<SiteId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let mut typed = typed(&posted);
    let change = SiteChange {
        name: Some(typed.text("name").to_owned()),
        time_zone: Some(typed.text("time-zone").to_owned()),
        country: Some(typed.given("country")),
        language: Some(typed.given("language")),
        sip_servers: Some(servers(&mut typed)),
        vlan: Some(typed.number("vlan")),
        voicemail: Some(typed.given("voicemail")),
        emergency_address: Some(typed.given("emergency-address")),
        before: typed.given("before"),
    };
    if typed.has_errors() {
        return site_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY), (Some(typed), None)).await;
    }
    match console.app.change_site(&id, change, posted.by.actor()).await {
        Ok(site) => {
            let words = format!("{} is changed. The phones there read it at their next poll.", site.name);
            posted.by.leave_notice(Notice::good(words));
            Ok(to(&format!("/sites/{id}")))
        }
        Err(error @ AppError::NotFound { .. }) => Err(error.into()),
        Err(error) => {
            let typed = typed.refused(error)?;
            site_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY), (Some(typed), None)).await
        }
    }
}

/// `POST /sites/{id}/remove`.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<SiteId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.remove_site(&id, posted.by.actor()).await;
    let next = done.as_ref().map_or_else(|_| format!("/sites/{id}"), |site| format!("/accounts/{}", site.account));
    told(&posted, done.map(|site| format!("{} is removed.", site.name)), &next)
}

/// `GET /sites/add`.
pub(super) async fn show_add(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Of>, QueryRejection>,
) -> Result<Response, Trouble> {
    by.actor().has(Right::Change)?;
    let account = asked.map(|Query(asked)| asked.account).unwrap_or_default();
    add_page(&console, &by, StatusCode::OK, Typed::default().with("account", account)).await
}

async fn add_page(console: &Console, by: &SignedIn, status: StatusCode, typed: Typed) -> Result<Response, Trouble> {
    let account = typed.text("account").parse::<AccountId>().map_err(|_| Trouble::NotHere)?;
    let account = console.app.account(&account, by.actor()).await?;
    let frame = Frame::signed_in("Add a site", by).at("sites");
    Ok(page(status, &AddPage { frame, account, form: SiteForm::of(typed) }))
}

/// `POST /sites/add`.
pub(super) async fn add(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let mut typed = typed(&posted);
    let input = SiteInput {
        account: typed.text("account").to_owned(),
        name: typed.text("name").to_owned(),
        time_zone: typed.text("time-zone").to_owned(),
        country: typed.given("country"),
        language: typed.given("language"),
        sip_servers: servers(&mut typed),
        vlan: typed.number("vlan"),
        voicemail: typed.given("voicemail"),
        emergency_address: typed.given("emergency-address"),
    };
    if typed.has_errors() {
        return add_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, typed).await;
    }
    match console.app.add_site(input, posted.by.actor()).await {
        Ok(site) => {
            posted.by.leave_notice(Notice::good(format!("{} is added. Add its users next.", site.name)));
            Ok(to(&format!("/sites/{}", site.id)))
        }
        Err(error) => {
            let typed = typed.refused(error)?;
            add_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
    }
}
