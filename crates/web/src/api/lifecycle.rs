//! What becomes of devices, users and sites after they were added, on the wire.

use super::ApiError;
use super::actor::By;
use super::inventory::{Entry, Items, Paged, PagingQuery, items, paging, parsed, whole};
use super::phones::ReasonInput;
use super::routes::Routes;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use provost_app::{
    App, DevicePhoneView, DeviceView, PasswordPairView, ReleasedView, RemovedView, SiteView, TimelinePage, UserView,
};
use provost_core::entry::change::{SiteChange, UserChange};
use provost_core::mac::MacAddr;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/devices/released", "The devices that can still be restored", released)
        .delete("/devices/{id}", "Remove a device; its history and passwords are kept", remove)
        .post("/devices/{id}/move", "Give a device to another user", move_device)
        .post("/devices/{id}/unassign", "Put a device back to stock", unassign)
        .post("/devices/{id}/swap", "Put another phone in the place of a dead one", swap)
        .post("/devices/{id}/release", "Release a device and its phone", release)
        .post("/devices/{id}/restore", "Take a release back, within 30 days", restore)
        .post("/devices/{id}/passwords", "Reveal every password a device had; the reason is kept", passwords)
        .post(
            "/devices/{id}/rotate-passwords",
            "Give a device new passwords; both are kept until its phone has the new",
            rotate_passwords,
        )
        .get("/devices/{id}/phones", "The phones a device had", phones)
        .get("/devices/{id}/timeline", "What became of a device, newest first", timeline)
        .post("/phones/{mac}/readmit", "Let a phone in again that was set aside", readmit)
        .patch("/users/{id}", "Change a user", change_user)
        .delete("/users/{id}", "Remove a user without devices", remove_user)
        .patch("/sites/{id}", "Change a site", change_site)
        .delete("/sites/{id}", "Remove a site without users", remove_site)
}

/// A JSON body that may be left out.
pub(super) struct Maybe<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for Maybe<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection| ApiError::new(rejection.status(), "bad-request", rejection.body_text()))?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(T::default()));
        }
        Ok(Self(Json::from_bytes(&body).map_err(ApiError::from)?.0))
    }
}

/// Why something is done.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Why {
    reason: Option<String>,
}

impl Why {
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// For whom a device shall be.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveInput {
    user: String,
}

async fn move_device(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<MoveInput>,
) -> Answer<DeviceView> {
    Ok(Json(app.move_device(&parsed(&id)?, &parsed(&input.user)?, &by).await?))
}

async fn unassign(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(why): Maybe<Why>,
) -> Answer<DeviceView> {
    Ok(Json(app.unassign_device(&parsed(&id)?, why.reason.as_deref(), &by).await?))
}

/// What takes the place of a dead phone.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SwapInput {
    mac: Option<String>,
    reason: Option<String>,
}

async fn swap(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(input): Maybe<SwapInput>,
) -> Answer<DeviceView> {
    let with = (input.mac.as_deref(), input.reason.as_deref());
    Ok(Json(app.swap_device(&parsed(&id)?, with, &by).await?))
}

async fn release(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(why): Maybe<Why>,
) -> Answer<DeviceView> {
    Ok(Json(app.release_device(&parsed(&id)?, why.reason.as_deref(), &by).await?))
}

/// For whom a device is restored, if for another.
#[derive(Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RestoreInput {
    user: Option<String>,
}

async fn restore(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(input): Maybe<RestoreInput>,
) -> Answer<DeviceView> {
    let user = input.user.as_deref().map(parsed).transpose()?;
    Ok(Json(app.restore_device(&parsed(&id)?, user.as_ref(), &by).await?))
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(why): Maybe<Why>,
) -> Answer<RemovedView> {
    Ok(Json(app.remove_device(&parsed(&id)?, why.reason.as_deref(), &by).await?))
}

async fn released(State(app): State<Arc<App>>, By(by): By, query: PagingQuery) -> Paged<ReleasedView> {
    let paging = paging(query)?;
    Ok(items(app.released_devices(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

async fn passwords(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<ReasonInput>,
) -> Answer<Items<PasswordPairView>> {
    Ok(whole(app.device_passwords(&parsed(&id)?, &input.reason, &by).await?))
}

async fn rotate_passwords(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<ReasonInput>,
) -> Answer<DeviceView> {
    Ok(Json(app.rotate_passwords(&parsed(&id)?, &input.reason, &by).await?))
}

async fn phones(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<Items<DevicePhoneView>> {
    Ok(whole(app.device_phones(&parsed(&id)?, &by).await?))
}

/// What a timeline is asked for.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(super) struct TimelineQuery {
    before: Option<String>,
    limit: Option<u32>,
}

const TIMELINE_PAGE: u32 = 100;
const TIMELINE_MOST: u32 = 500;

async fn timeline(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    query: Result<Query<TimelineQuery>, QueryRejection>,
) -> Answer<TimelinePage> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let limit = query.limit.unwrap_or(TIMELINE_PAGE).clamp(1, TIMELINE_MOST);
    Ok(Json(app.device_timeline(&parsed(&id)?, (query.before.as_deref(), limit), &by).await?))
}

async fn readmit(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    By(by): By,
    Maybe(why): Maybe<Why>,
) -> Answer<Readmitted> {
    let mac: MacAddr = parsed(&mac)?;
    app.readmit_phone(mac, why.reason.as_deref(), &by).await?;
    Ok(Json(Readmitted { mac: mac.to_string(), state: "unclaimed" }))
}

/// A phone that may come in again.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Readmitted {
    mac: String,
    state: &'static str,
}

async fn change_user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(change): Entry<UserChange>,
) -> Answer<UserView> {
    Ok(Json(app.change_user(&parsed(&id)?, change, &by).await?))
}

async fn remove_user(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<UserView> {
    Ok(Json(app.remove_user(&parsed(&id)?, &by).await?))
}

async fn change_site(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(change): Entry<SiteChange>,
) -> Answer<SiteView> {
    Ok(Json(app.change_site(&parsed(&id)?, change, &by).await?))
}

async fn remove_site(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<SiteView> {
    Ok(Json(app.remove_site(&parsed(&id)?, &by).await?))
}
