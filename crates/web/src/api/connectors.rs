//! Connectors to customers' PBXs, and what is sent through them, on the wire.

use super::ApiError;
use super::actor::By;
use super::answer::Created;
use super::inventory::{Entry, Items, parsed, whole};
use super::lifecycle::Maybe;
use super::routes::Routes;
use axum::Json;
use axum::extract::{Path, State};
use provost_app::{App, CheckSyncView, ConnectorView};
use provost_core::entry::connector::{CheckSyncInput, ConnectorChange, ConnectorInput};
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/accounts/{id}/connectors", "The connectors of an account and those above that serve it", connectors)
        .post("/accounts/{id}/connectors", "Add a connector to a PBX", add)
        .get("/accounts/{id}/connectors/{connector}", "One connector", connector)
        .patch("/accounts/{id}/connectors/{connector}", "Change a connector", change)
        .delete("/accounts/{id}/connectors/{connector}", "Remove a connector", remove)
        .post("/accounts/{id}/connectors/{connector}/test", "Ask a PBX what it knows, now", test)
        .post("/devices/{id}/check-sync", "Tell a phone, through its PBX, to fetch its configuration", check_sync)
}

async fn connectors(
    State(app): State<Arc<App>>,
    Path(account): Path<String>,
    By(by): By,
) -> Answer<Items<ConnectorView>> {
    Ok(whole(app.connectors(&parsed(&account)?, &by).await?))
}

async fn add(
    State(app): State<Arc<App>>,
    Path(account): Path<String>,
    By(by): By,
    Entry(input): Entry<ConnectorInput>,
) -> Result<Created<ConnectorView>, ApiError> {
    Ok(Created(app.add_connector(&parsed(&account)?, input, &by).await?))
}

async fn connector(
    State(app): State<Arc<App>>,
    Path((account, id)): Path<(String, String)>,
    By(by): By,
) -> Answer<ConnectorView> {
    Ok(Json(app.connector(&parsed(&account)?, &parsed(&id)?, &by).await?))
}

async fn change(
    State(app): State<Arc<App>>,
    Path((account, id)): Path<(String, String)>,
    By(by): By,
    Entry(change): Entry<ConnectorChange>,
) -> Answer<ConnectorView> {
    Ok(Json(app.change_connector((&parsed(&account)?, &parsed(&id)?), change, &by).await?))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path((account, id)): Path<(String, String)>,
    By(by): By,
) -> Answer<ConnectorView> {
    Ok(Json(app.remove_connector(&parsed(&account)?, &parsed(&id)?, &by).await?))
}

async fn test(
    State(app): State<Arc<App>>,
    Path((account, id)): Path<(String, String)>,
    By(by): By,
) -> Answer<ConnectorView> {
    Ok(Json(app.test_connector(&parsed(&account)?, &parsed(&id)?, &by).await?))
}

async fn check_sync(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(input): Maybe<CheckSyncInput>,
) -> Answer<CheckSyncView> {
    Ok(Json(app.check_sync(&parsed(&id)?, input, &by).await?))
}
