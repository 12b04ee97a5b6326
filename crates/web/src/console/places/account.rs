//! One account: its name, what is below it, and what belongs to it as a whole.

use super::tree::{Asked, SHOWN};
use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::Frame;
use crate::console::sessions::Notice;
use crate::console::typed::Typed;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AccountView, BranchesView, ConnectorView, Page};
use provost_core::entry::AccountInput;
use provost_core::ids::AccountId;
use provost_core::rights::{Right, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "customer.html", whitespace = "minimize")]
struct AccountPage {
    frame: Frame,
    account: AccountView,
    parent: Option<AccountView>,
    tree: BranchesView,
    is_first_page: bool,
    form: Typed,
    /// `None` where whoever looks sees one site of the account only.
    connectors: Option<Vec<ConnectorView>>,
}

#[derive(Template)]
#[template(path = "customer_add.html", whitespace = "minimize")]
struct AddPage {
    frame: Frame,
    parent: Option<AccountView>,
    form: Typed,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Below {
    #[serde(default)]
    parent: String,
}

/// `GET /accounts/{id}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Named(id): Named<AccountId>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let after = asked.map(|Query(asked)| asked.after).unwrap_or_default();
    account_page(&console, &by, (&id, StatusCode::OK, &after), None).await
}

async fn account_page(
    console: &Console,
    by: &SignedIn,
    (id, status, after): (&AccountId, StatusCode, &str),
    form: Option<Typed>,
) -> Result<Response, Trouble> {
    let app = &console.app;
    let account = app.account(id, by.actor()).await?;
    let parent = match account.parent.as_deref().map(str::parse::<AccountId>) {
        // Whoever has this account only does not see the one above it.
        Some(Ok(parent)) => app.account(&parent, by.actor()).await.ok(),
        _ => None,
    };
    let connectors = match by.actor().scope {
        Scope::Site { .. } => None,
        _ => Some(app.connectors(id, by.actor()).await?),
    };
    let shown = AccountPage {
        frame: Frame::signed_in(&account.name, by).at("sites"),
        tree: app.branches(Some(id), Page { after, limit: SHOWN }, by.actor()).await?,
        is_first_page: after.is_empty(),
        form: form.unwrap_or_else(|| Typed::default().with("name", &account.name)),
        parent,
        account,
        connectors,
    };
    Ok(page(status, &shown))
}

/// `POST /accounts/{id}`.
pub(super) async fn rename(
    State(console): State<Arc<Console>>,
    Named(id): Named<AccountId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let typed = Typed::of(&posted);
    match console.app.rename_account(&id, typed.text("name").to_owned(), posted.by.actor()).await {
        Ok(account) => {
            posted.by.leave_notice(Notice::good(format!("The account is called {} now.", account.name)));
            Ok(to(&format!("/accounts/{id}")))
        }
        Err(error @ provost_app::AppError::NotFound { .. }) => Err(error.into()),
        Err(error) => {
            let typed = typed.refused(error)?;
            account_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY, ""), Some(typed)).await
        }
    }
}

/// `GET /accounts/add`.
pub(super) async fn show_add(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Below>, QueryRejection>,
) -> Result<Response, Trouble> {
    by.actor().has(Right::Change)?;
    let parent = asked.map(|Query(asked)| asked.parent).unwrap_or_default();
    add_page(&console, &by, StatusCode::OK, Typed::default().with("parent", parent)).await
}

async fn add_page(console: &Console, by: &SignedIn, status: StatusCode, form: Typed) -> Result<Response, Trouble> {
    let parent = match form.given("parent") {
        Some(id) => {
            let id = id.parse().map_err(|_| Trouble::NotHere)?;
            Some(console.app.account(&id, by.actor()).await?)
        }
        None => None,
    };
    let form = form.shown_as(|name| name == "name");
    Ok(page(status, &AddPage { frame: Frame::signed_in("Add an account", by).at("sites"), parent, form }))
}

/// `POST /accounts/add`.
pub(super) async fn add(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let typed = Typed::of(&posted);
    let input = AccountInput { name: typed.text("name").to_owned(), parent: typed.given("parent") };
    match console.app.add_account(input, posted.by.actor()).await {
        Ok(account) => {
            posted.by.leave_notice(Notice::good(format!("{} is added. Add its first site next.", account.name)));
            Ok(to(&format!("/accounts/{}", account.id)))
        }
        Err(error) => {
            let typed = typed.refused(error)?;
            add_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
    }
}
