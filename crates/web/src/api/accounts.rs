//! Accounts and tokens on the wire.

use super::ApiError;
use super::actor::By;
use super::answer::Created;
use super::inventory::{Entry, Paged, PagingQuery, items, paging, parsed};
use axum::Json;
use axum::extract::{Path, State};
use provost_app::{AccountView, App, NewToken, TokenInput, TokenView};
use provost_core::entry::AccountInput;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) async fn accounts(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<AccountView> {
    let paging = paging(query)?;
    Ok(items(app.accounts(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn add_account(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<AccountInput>,
) -> Result<Created<AccountView>, ApiError> {
    Ok(Created(app.add_account(input, &by).await?))
}

pub(super) async fn account(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<AccountView> {
    Ok(Json(app.account(&parsed(&id)?, &by).await?))
}

/// What of an account can be changed.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenameInput {
    name: String,
}

pub(super) async fn rename_account(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<RenameInput>,
) -> Answer<AccountView> {
    Ok(Json(app.rename_account(&parsed(&id)?, input.name, &by).await?))
}

/// A new token, shown this once.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct MadeToken {
    token: String,
    #[serde(flatten)]
    view: TokenView,
}

pub(super) async fn add_token(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<TokenInput>,
) -> Result<Created<MadeToken>, ApiError> {
    let NewToken { token, view } = app.add_token(input, &by).await?;
    Ok(Created(MadeToken { token: token.reveal().to_owned(), view }))
}

pub(super) async fn tokens(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<TokenView> {
    let paging = paging(query)?;
    Ok(items(app.tokens(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn revoke_token(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<TokenView> {
    Ok(Json(app.revoke_token(&parsed(&id)?, &by).await?))
}
