//! References and emergency routes on the wire.

use super::ApiError;
use super::actor::By;
use super::inventory::{Entry, parsed};
use axum::Json;
use axum::extract::{Path, State};
use provost_app::{App, EmergencyRouteView, ReferenceView};
use provost_core::entry::emergency::EmergencyRouteInput;
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) async fn reference(
    State(app): State<Arc<App>>,
    Path(reference): Path<String>,
    By(by): By,
) -> Answer<ReferenceView> {
    Ok(Json(app.reference(&reference, &by).await?))
}

pub(super) async fn set_emergency_route(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    By(by): By,
    Entry(input): Entry<EmergencyRouteInput>,
) -> Answer<EmergencyRouteView> {
    Ok(Json(app.set_emergency_route(&parsed(&site)?, input, &by).await?))
}

pub(super) async fn remove_emergency_route(
    State(app): State<Arc<App>>,
    Path(site): Path<String>,
    By(by): By,
) -> Answer<EmergencyRouteView> {
    Ok(Json(app.remove_emergency_route(&parsed(&site)?, &by).await?))
}
