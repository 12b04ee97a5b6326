//! Which firmware phones are led to, on the wire: policies, rings, steps, doors, and what runs where.

use super::ApiError;
use super::actor::By;
use super::answer::Created;
use super::firmware::RemoveQuery;
use super::inventory::{Entry, Items, Paged, Paging, PagingQuery, items, paging, parsed, whole};
use super::routes::Routes;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use provost_app::{
    App, AppError, DeviceFirmwareView, FirmwareDoorView, FirmwareNowView, LadderView, PolicyView, RingView, SpreadView,
    StepView,
};
use provost_core::entry::firmware::{DoorInput, NowInput, PauseInput, PolicyInput, RingInput};
use provost_core::firmware::Version;
use provost_core::firmware::step::StepState;
use serde::Deserialize;
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/firmware/policies", "The firmware policies in scope", policies)
        .post("/firmware/policies", "Set which firmware phones are led to, and when", set_policy)
        .delete("/firmware/policies/{id}", "Take a firmware policy away; the reason is kept", remove_policy)
        .post("/firmware/policies/{id}/pause", "Pause a version under a policy", pause)
        .post("/firmware/policies/{id}/resume", "Resume a version under a policy", resume)
        .get("/firmware/rings", "The devices in other rings than everybody's", rings)
        .put("/firmware/rings/{device}", "Put a device into a ring", set_ring)
        .get("/firmware/steps", "The attempts to lead phones to other firmware, newest first", steps)
        .get("/firmware/spread", "How many phones run which firmware", spread)
        .get("/firmware/ladder", "Every step from a version to another, or why there is none", ladder)
        .get("/firmware/doors", "The phones that get firmware over plain HTTP", doors)
        .post("/firmware/doors", "Open firmware over plain HTTP for one phone and some hours", open_door)
        .delete("/firmware/doors/{id}", "Close firmware over plain HTTP for a phone", close_door)
        .get("/devices/{id}/firmware", "What a device's phone runs, is to run, and what happens next", device)
        .post("/devices/{id}/firmware/now", "Let a device's firmware step begin now", now)
}

async fn policies(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<PolicyView>> {
    Ok(whole(app.firmware_policies(&by).await?))
}

async fn set_policy(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<PolicyInput>,
) -> Result<Created<PolicyView>, ApiError> {
    Ok(Created(app.set_firmware_policy(input, &by).await?))
}

async fn remove_policy(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    query: Result<Query<RemoveQuery>, QueryRejection>,
) -> Answer<PolicyView> {
    let Query(RemoveQuery { reason }) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    Ok(Json(app.remove_firmware_policy(&id, &reason, &by).await?))
}

async fn pause(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<PauseInput>,
) -> Answer<PolicyView> {
    Ok(Json(app.pause_firmware(&id, input, &by).await?))
}

async fn resume(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<PauseInput>,
) -> Answer<PolicyView> {
    Ok(Json(app.resume_firmware(&id, input, &by).await?))
}

async fn rings(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<RingView> {
    let paging = paging(query)?;
    Ok(items(app.firmware_rings(paging.page(), &by).await?, paging.page(), |view| &view.device))
}

async fn set_ring(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
    By(by): By,
    Entry(input): Entry<RingInput>,
) -> Answer<RingView> {
    Ok(Json(app.set_firmware_ring(&parsed(&device)?, input, &by).await?))
}

/// Which steps are listed.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct StepsQuery {
    /// `offered`, `loading`, `sent`, `done`, `failed` or `withdrawn`; absent for all.
    state: Option<String>,
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

async fn steps(
    State(app): State<Arc<App>>,
    query: Result<Query<StepsQuery>, QueryRejection>,
    By(by): By,
) -> Paged<StepView> {
    let Query(StepsQuery { state, after, limit }) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let state = state.as_deref().map(parsed::<StepState>).transpose()?;
    let paging = Paging::new(after, limit);
    Ok(items(app.firmware_steps(state, paging.page(), &by).await?, paging.page(), |view| &view.id))
}

async fn spread(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<SpreadView>> {
    Ok(whole(app.firmware_spread(&by).await?))
}

/// From where to where.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct LadderQuery {
    /// The model's id in the catalog.
    model: String,
    /// What a phone runs.
    version: String,
    /// Its updater or BootROM, where that matters.
    updater: Option<String>,
    /// What it is to run.
    target: String,
}

async fn ladder(
    State(app): State<Arc<App>>,
    query: Result<Query<LadderQuery>, QueryRejection>,
    By(by): By,
) -> Answer<LadderView> {
    let Query(asked) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let version = parsed::<Version>(&asked.version)?;
    let updater = asked.updater.as_deref().map(parsed::<Version>).transpose()?;
    let target = parsed::<Version>(&asked.target)?;
    Ok(Json(app.firmware_ladder(&asked.model, (&version, updater.as_ref()), &target, &by)?))
}

async fn doors(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<FirmwareDoorView>> {
    Ok(whole(app.firmware_doors(&by).await?))
}

async fn open_door(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<DoorInput>,
) -> Result<Created<FirmwareDoorView>, ApiError> {
    Ok(Created(app.open_firmware_door(input, &by).await?))
}

async fn close_door(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<FirmwareDoorView> {
    Ok(Json(app.close_firmware_door(&id, &by).await?))
}

async fn device(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<DeviceFirmwareView> {
    let view = app.device_firmware(&parsed(&id)?, &by).await?;
    Ok(Json(view.ok_or(AppError::NotFound { what: "phone bound to device", name: id })?))
}

async fn now(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<NowInput>,
) -> Answer<FirmwareNowView> {
    Ok(Json(app.firmware_now(&parsed(&id)?, input, &by).await?))
}
