//! What drop-down lists offer. A list stays short: where there are more, whoever needs one comes by a link of its page.

use super::super::parts::Choice;
use provost_app::{Actor, App, AppError, Page};
use provost_core::ids::{AccountId, SiteId};

/// Entries one still looks through.
const MOST: u32 = 60;

/// Models of the catalog.
pub(super) fn models(app: &App, chosen: &str) -> Vec<Choice> {
    let choice = |model: &provost_catalog::Model| Choice {
        value: model.id.clone(),
        label: model.name.value.clone(),
        chosen: model.id == chosen,
    };
    app.catalog().models().map(choice).collect()
}

/// Accounts somebody sees; with the chosen one, wherever it stands.
pub(super) async fn accounts(app: &App, chosen: &str, by: &Actor) -> Result<Vec<Choice>, AppError> {
    let mut found = app.accounts(Page { limit: MOST, ..Page::FIRST }, by).await?;
    if !found.iter().any(|account| account.id == chosen)
        && let Ok(id) = chosen.parse::<AccountId>()
        && let Ok(account) = app.account(&id, by).await
    {
        found.push(account);
    }
    Ok(found
        .into_iter()
        .map(|account| Choice { chosen: account.id == chosen, value: account.id, label: account.name })
        .collect())
}

/// Sites somebody sees; with the chosen one, wherever it stands.
pub(super) async fn sites(app: &App, chosen: &str, by: &Actor) -> Result<Vec<Choice>, AppError> {
    let mut found = app.sites(Page { limit: MOST, ..Page::FIRST }, by).await?;
    if !found.iter().any(|site| site.id == chosen)
        && let Ok(id) = chosen.parse::<SiteId>()
        && let Ok(site) = app.site(&id, by).await
    {
        found.push(site);
    }
    let choice = |site: provost_app::SiteView| Choice { chosen: site.id == chosen, value: site.id, label: site.name };
    Ok(found.into_iter().map(choice).collect())
}
