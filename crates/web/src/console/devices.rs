//! The devices page: add a device model, see devices.

use super::answer::{Trouble, page};
use super::device::Device;
use super::gate::SignedIn;
use super::parts::{AddForm, Choice, Frame};
use super::{Console, actions};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use provost_app::{AccountView, App, Page, SiteView, UserView};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "devices.html", whitespace = "minimize")]
struct DevicesPage {
    frame: Frame,
    add: AddForm,
    models: Vec<Choice>,
    accounts: Vec<Choice>,
    users: Vec<UserGroup>,
    /// How the command line is called beside this server.
    command: String,
    devices: Vec<Device>,
    /// Whether there are more devices than are shown.
    has_more_devices: bool,
}

/// The users of one account.
struct UserGroup {
    account: String,
    users: Vec<Choice>,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/devices", get(show).post(actions::add_device))
        .route("/devices/{id}/code", post(actions::issue_code))
        .route("/devices/{id}/disable", post(actions::disable))
        .route("/devices/{id}/quarantine", post(actions::quarantine))
        .route("/devices/{id}/enable", post(actions::enable))
}

/// `GET /devices`.
async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    devices_page(&console.app, &by, StatusCode::OK, AddForm::default()).await
}

/// The page with what was typed and what is wrong with it.
pub(super) async fn devices_page(
    app: &App,
    by: &SignedIn,
    status: StatusCode,
    add: AddForm,
) -> Result<Response, Trouble> {
    let (now, actor) = (app.now(), by.actor());
    let devices = app.devices(Page::FIRST, actor).await?;
    let (accounts, sites) = (app.accounts(Page::FIRST, actor).await?, app.sites(Page::FIRST, actor).await?);
    let users = app.users(Page::FIRST, actor).await?;
    let has_more_devices = u32::try_from(devices.len()).is_ok_and(|count| count >= Page::FIRST.limit);
    let template = DevicesPage {
        frame: Frame::signed_in("Devices", by).at("devices"),
        models: models(app, &add.model.typed),
        command: app.told().command.clone(),
        users: user_groups(&accounts, &sites, users, &add.user.typed),
        accounts: account_choices(accounts, &add.account.typed),
        devices: devices.into_iter().map(|view| Device::new(view, now)).collect(),
        has_more_devices,
        add,
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
