//! Accounts and their sites: where people are, and what all phones there are told.

mod account;
mod connectors;
mod route;
mod site;
mod tree;

use super::Console;
use super::answer::Trouble;
use super::parts::Choice;
use axum::Router;
use axum::routing::{get, post};
use provost_app::{Actor, App, Page};
use provost_core::ids::SiteId;
use std::sync::Arc;

/// Everything about accounts and sites.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/sites", get(tree::show))
        .route("/sites/add", get(site::show_add).post(site::add))
        .route("/sites/{id}", get(site::show).post(site::change))
        .route("/sites/{id}/remove", post(site::remove))
        .route("/sites/{id}/emergency-route", post(route::set))
        .route("/sites/{id}/emergency-route/remove", post(route::remove))
        .route("/accounts/add", get(account::show_add).post(account::add))
        .route("/accounts/{id}", get(account::show).post(account::rename))
        .merge(connectors::routes())
}

/// Accounts whose sites are offered in a list; whoever has more begins at the site.
const CHOICES: u32 = 200;

/// The sites to choose from: with the account's name where there are several, and an entry for none of them.
pub(super) async fn site_choices(
    app: &App,
    by: &Actor,
    (chosen, none): (&str, Option<&str>),
) -> Result<Vec<Choice>, Trouble> {
    let branches = app.branches(None, Page { after: "", limit: CHOICES }, by).await?;
    let is_one = branches.accounts.len() == 1;
    let mut choices: Vec<Choice> = none
        .map(|label| Choice { value: String::new(), label: label.to_owned(), chosen: chosen.is_empty() })
        .into_iter()
        .collect();
    for account in &branches.accounts {
        for site in &account.sites {
            let label = if is_one { site.name.clone() } else { format!("{}, {}", account.name, site.name) };
            choices.push(Choice { value: site.id.clone(), label, chosen: site.id == chosen });
        }
    }
    // One that has no place in the list any more is not lost by a form that is sent.
    if !choices.iter().any(|choice| choice.chosen)
        && let Ok(id) = chosen.parse::<SiteId>()
        && let Ok(site) = app.site(&id, by).await
    {
        choices.push(Choice { value: site.id, label: site.name, chosen: true });
    }
    Ok(choices)
}
