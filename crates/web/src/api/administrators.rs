//! Administrators on the wire: people who sign in at the console.

use super::ApiError;
use super::actor::By;
use super::answer::Created;
use super::inventory::{Entry, Paged, PagingQuery, items, paging, parsed};
use super::routes::Routes;
use axum::Json;
use axum::extract::{Path, State};
use provost_app::{AdministratorView, App, OneTimePassword};
use provost_core::entry::administrator::{AdministratorChange, AdministratorInput};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

/// What is at which address.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/administrators", "The administrators in scope: people who sign in at the console", administrators)
        .post("/administrators", "Add an administrator; the one-time password is shown this once", add)
        .get("/administrators/{id}", "One administrator", administrator)
        .patch("/administrators/{id}", "Change, disable or enable an administrator", change)
        .delete("/administrators/{id}", "Remove an administrator", remove)
        .post(
            "/administrators/{id}/reset-password",
            "Give an administrator a one-time password, shown this once",
            reset,
        )
        .delete("/administrators/{id}/sessions", "End the sessions of an administrator", end_sessions)
}

/// An administrator with a password, shown this once.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct WithPassword {
    /// Works once; whoever signs in with it chooses their own.
    one_time_password: String,
    /// Until when it works, RFC 3339.
    expires_at: String,
    /// Whose it is.
    #[serde(flatten)]
    view: AdministratorView,
}

impl From<OneTimePassword> for WithPassword {
    fn from(made: OneTimePassword) -> Self {
        let OneTimePassword { password, until, view } = made;
        Self { one_time_password: password.reveal().to_owned(), expires_at: until.to_string(), view }
    }
}

/// What else a reset of a password does.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ResetInput {
    /// Also takes their authenticator away, for whoever lost it with its recovery codes.
    turn_off_totp: bool,
}

/// How many sessions ended.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct EndedView {
    /// How many there were.
    ended: u64,
}

async fn administrators(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<AdministratorView> {
    let paging = paging(query)?;
    Ok(items(app.administrators(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

async fn add(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<AdministratorInput>,
) -> Result<Created<WithPassword>, ApiError> {
    Ok(Created(app.add_administrator(input, &by).await?.into()))
}

async fn administrator(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<AdministratorView> {
    Ok(Json(app.administrator(&parsed(&id)?, &by).await?))
}

async fn change(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(change): Entry<AdministratorChange>,
) -> Answer<AdministratorView> {
    Ok(Json(app.change_administrator(&parsed(&id)?, change, &by).await?))
}

async fn remove(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<AdministratorView> {
    Ok(Json(app.remove_administrator(&parsed(&id)?, &by).await?))
}

async fn reset(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<ResetInput>,
) -> Answer<WithPassword> {
    Ok(Json(app.reset_password(&parsed(&id)?, input.turn_off_totp, &by).await?.into()))
}

async fn end_sessions(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<EndedView> {
    Ok(Json(EndedView { ended: app.end_sessions(&parsed(&id)?, &by).await? }))
}
