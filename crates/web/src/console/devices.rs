//! The devices page: add a device model, see devices, enter a code, see who else asked.

use super::Console;
use super::answer::{Trouble, page};
use super::device::{Certificate, Device};
use super::gate::SignedIn;
use super::parts::{AddForm, Choice, ClaimForm, Frame};
use super::words::Moment;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AccountView, Actor, App, AppError, Page, PhoneView, SiteView, Stranger, UserView};
use provost_core::rights::Scope;
use provost_core::time::UnixMillis;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Short tables: who wants more looks at one phone's timeline.
const MOST_IN_SHORT_TABLES: u32 = 20;

#[derive(Template)]
#[template(path = "devices.html", whitespace = "minimize")]
struct DevicesPage {
    frame: Frame,
    add: AddForm,
    models: Vec<Choice>,
    accounts: Vec<Choice>,
    users: Vec<UserGroup>,
    next_step: Option<NextStep>,
    /// How the command line is called beside this server.
    command: String,
    devices: Vec<Device>,
    /// Whether there are more devices than are shown.
    has_more_devices: bool,
    claim: ClaimForm,
    unclaimed: Vec<UnclaimedRow>,
    /// Whether what belongs to the whole server is shown.
    sees_all: bool,
    strangers: Vec<StrangerRow>,
    more_strangers: usize,
}

/// The users of one account.
struct UserGroup {
    account: String,
    users: Vec<Choice>,
}

/// What an administrator needs before the first phone can be somebody's.
enum NextStep {
    Account,
    Site { account: String },
    User { site: String },
}

/// A proven phone that belongs to no device.
struct UnclaimedRow {
    mac: String,
    model: String,
    firmware: String,
    certificate: Certificate,
    address: String,
    last_contact: Option<Moment>,
}

/// Somebody who asked and proved nothing.
struct StrangerRow {
    address: String,
    mac: Option<String>,
    file: String,
    certificate: Certificate,
    reason: String,
    advice: String,
    times: u64,
    at: Moment,
}

/// What was typed into the page's two forms.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) add: AddForm,
    pub(super) claim: ClaimForm,
}

/// `GET /`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    devices_page(&console.app, &by, StatusCode::OK, Typed::default()).await
}

/// The page with what was typed and what is wrong with it.
pub(super) async fn devices_page(
    app: &App,
    by: &SignedIn,
    status: StatusCode,
    Typed { add, claim }: Typed,
) -> Result<Response, Trouble> {
    let (now, actor) = (app.now(), by.actor());
    let devices = app.devices(Page::FIRST, actor).await?;
    let unclaimed = unclaimed(app, now, actor).await?;
    let (accounts, sites) = (app.accounts(Page::FIRST, actor).await?, app.sites(Page::FIRST, actor).await?);
    let users = app.users(Page::FIRST, actor).await?;
    // What nobody proved belongs to the whole server.
    let sees_all = actor.scope == Scope::Platform;
    let strangers = if sees_all { app.strangers(actor)? } else { Vec::new() };
    let has_more_devices = u32::try_from(devices.len()).is_ok_and(|count| count >= Page::FIRST.limit);
    let short = usize::try_from(MOST_IN_SHORT_TABLES).unwrap_or(usize::MAX);
    let template = DevicesPage {
        frame: Frame::signed_in("Devices", by).at("devices"),
        models: models(app, &add.model.typed),
        next_step: next_step(&accounts, &sites, &users),
        command: app.told().command.clone(),
        users: user_groups(&accounts, &sites, users, &add.user.typed),
        accounts: account_choices(accounts, &add.account.typed),
        devices: devices.into_iter().map(|view| Device::new(view, now)).collect(),
        has_more_devices,
        unclaimed,
        sees_all,
        more_strangers: strangers.len().saturating_sub(short),
        strangers: strangers.iter().take(short).map(|stranger| stranger_row(stranger, now)).collect(),
        add,
        claim,
    };
    Ok(page(status, &template))
}

fn models(app: &App, chosen: &str) -> Vec<Choice> {
    let choice = |model: &provost_catalog::Model| Choice {
        value: model.id.clone(),
        label: format!("{} ({})", model.name.value, model.id),
        chosen: model.id == chosen,
    };
    app.catalog().models().map(choice).collect()
}

fn account_choices(accounts: Vec<AccountView>, chosen: &str) -> Vec<Choice> {
    let choice = |account: AccountView| Choice { chosen: account.id == chosen, value: account.id, label: account.name };
    accounts.into_iter().map(choice).collect()
}

fn user_groups(accounts: &[AccountView], sites: &[SiteView], users: Vec<UserView>, chosen: &str) -> Vec<UserGroup> {
    let sites: BTreeMap<_, _> = sites.iter().map(|site| (site.id.as_str(), site.name.as_str())).collect();
    let mut by_account: BTreeMap<String, Vec<Choice>> = BTreeMap::new();
    for user in users {
        let site = sites.get(user.site.as_str()).copied().unwrap_or("another site");
        let label = format!("{} · {} · {site}", user.name, user.extension);
        let choice = Choice { chosen: user.id == chosen, value: user.id, label };
        by_account.entry(user.account).or_default().push(choice);
    }
    let group = |account: &AccountView| {
        let mut users = by_account.remove(&account.id)?;
        users.sort_by_cached_key(|user| user.label.to_lowercase());
        Some(UserGroup { account: account.name.clone(), users })
    };
    accounts.iter().filter_map(group).collect()
}

fn next_step(accounts: &[AccountView], sites: &[SiteView], users: &[UserView]) -> Option<NextStep> {
    match (accounts, sites, users) {
        ([], _, _) => Some(NextStep::Account),
        ([account, ..], [], _) => Some(NextStep::Site { account: account.id.clone() }),
        (_, [site, ..], []) => Some(NextStep::User { site: site.id.clone() }),
        _ => None,
    }
}

/// Proven phones that no device names. Asks for each candidate, since the device may be past the first page.
async fn unclaimed(app: &App, now: UnixMillis, by: &Actor) -> Result<Vec<UnclaimedRow>, AppError> {
    let row = |phone: PhoneView| UnclaimedRow {
        model: phone.model_name.or(phone.model).unwrap_or_else(|| "not in the catalog".to_owned()),
        firmware: phone.firmware.unwrap_or_else(|| "not said".to_owned()),
        certificate: Certificate::new(phone.certificate.status),
        address: phone.address.unwrap_or_default(),
        last_contact: phone.last_seen.map(|at| Moment::read(&at, now)),
        mac: phone.mac,
    };
    Ok(app.unclaimed_phones(MOST_IN_SHORT_TABLES, by).await?.into_iter().map(row).collect())
}

fn stranger_row(stranger: &Stranger, now: UnixMillis) -> StrangerRow {
    let Stranger { address, asked_for, file, certificate, reason, times, at, .. } = stranger;
    StrangerRow {
        address: address.to_string(),
        mac: asked_for.map(|mac| mac.to_string()),
        file: file.clone(),
        certificate: Certificate::new(certificate.as_str()),
        reason: reason.clone(),
        advice: stranger.entry().advice.unwrap_or_default(),
        times: *times,
        at: Moment::at(*at, now),
    }
}
