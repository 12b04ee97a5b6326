//! Phones, their timelines and the activation on the wire.

use super::ApiError;
use super::actor::By;
use super::inventory::{Entry, Items, Paged, PagingQuery, items, paging, parsed};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use provost_app::{
    Activated, App, DeviceView, MacText, MoveSummary, NotArrivedView, PhonePasswordsView, PhoneView, TimelinePage,
};
use provost_core::mac::MacAddr;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a timeline is asked for.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(super) struct TimelineQuery {
    before: Option<String>,
    limit: Option<u32>,
}

const TIMELINE_PAGE: u32 = 100;
const TIMELINE_MOST: u32 = 500;

pub(super) async fn phones(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<PhoneView> {
    let paging = paging(query)?;
    Ok(items(app.phones(paging.page(), &by).await?, paging.page(), |view| &view.mac))
}

pub(super) async fn phone(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    By(by): By,
) -> Result<Json<PhoneView>, ApiError> {
    Ok(Json(app.phone(parsed(&mac)?, &by).await?))
}

pub(super) async fn timeline(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    query: Result<Query<TimelineQuery>, QueryRejection>,
    By(by): By,
) -> Result<Json<TimelinePage>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let limit = query.limit.unwrap_or(TIMELINE_PAGE).clamp(1, TIMELINE_MOST);
    Ok(Json(app.timeline(parsed(&mac)?, query.before.as_deref(), limit, &by).await?))
}

/// One value of a configuration.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct EffectiveView {
    parameter: String,
    value: String,
    layer: &'static str,
}

/// All values of a configuration.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct ConfigurationView {
    items: Vec<EffectiveView>,
}

pub(super) async fn configuration(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    By(by): By,
) -> Result<Json<ConfigurationView>, ApiError> {
    let values = app.configuration(parsed(&mac)?, &by).await?;
    let view = |value: provost_core::render::Effective| EffectiveView {
        parameter: value.parameter,
        value: value.value,
        layer: value.layer.as_str(),
    };
    Ok(Json(ConfigurationView { items: values.into_iter().map(view).collect() }))
}

/// A file that a phone uploaded.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct FileView {
    name: String,
    bytes: i64,
    at: String,
}

/// All files of a phone.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct FilesView {
    items: Vec<FileView>,
}

pub(super) async fn files(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    By(by): By,
) -> Result<Json<FilesView>, ApiError> {
    let files = app.uploads(parsed(&mac)?, &by).await?;
    let view = |(name, bytes, at)| FileView { name, bytes, at };
    Ok(Json(FilesView { items: files.into_iter().map(view).collect() }))
}

/// Why the passwords are wanted.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonInput {
    pub(super) reason: String,
}

pub(super) async fn passwords(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    By(by): By,
    Entry(input): Entry<ReasonInput>,
) -> Result<Json<PhonePasswordsView>, ApiError> {
    Ok(Json(app.reveal_passwords(parsed(&mac)?, &input.reason, &by).await?))
}

/// The code that was entered.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeInput {
    code: String,
}

/// A phone that is bound now.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct ActivatedView {
    mac: MacText,
    device: DeviceView,
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Path(mac): Path<String>,
    By(by): By,
    Entry(input): Entry<CodeInput>,
) -> Result<Json<ActivatedView>, ApiError> {
    let mac: MacAddr = parsed(&mac)?;
    let Activated { device, mac } = app.activate(mac, &input.code, &by).await?;
    Ok(Json(ActivatedView { mac: MacText(mac), device }))
}

/// How far the move to a new address is, with those who have not arrived.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct MovingView {
    #[serde(flatten)]
    summary: MoveSummary,
    #[serde(flatten)]
    not_arrived: Items<NotArrivedView>,
}

pub(super) async fn moving(
    State(app): State<Arc<App>>,
    query: PagingQuery,
    By(by): By,
) -> Result<Json<MovingView>, ApiError> {
    let paging = paging(query)?;
    let not_arrived = app.not_arrived(paging.page(), &by).await?;
    let Json(not_arrived) = items(not_arrived, paging.page(), |view| &view.mac);
    Ok(Json(MovingView { summary: app.move_summary(&by).await?, not_arrived }))
}

/// Somebody who proved nothing.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct StrangerView {
    address: String,
    asked_for: Option<MacText>,
    file: String,
    certificate: &'static str,
    reason: String,
    times: u64,
    at: String,
}

/// Everybody who proved nothing.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct StrangersView {
    items: Vec<StrangerView>,
}

pub(super) async fn strangers(State(app): State<Arc<App>>, By(by): By) -> Result<Json<StrangersView>, ApiError> {
    let view = |stranger: provost_app::Stranger| StrangerView {
        address: stranger.address.to_string(),
        asked_for: stranger.asked_for.map(MacText),
        file: stranger.file,
        certificate: stranger.certificate.as_str(),
        reason: stranger.reason,
        times: stranger.times,
        at: stranger.at.to_string(),
    };
    Ok(Json(StrangersView { items: app.strangers(&by)?.into_iter().map(view).collect() }))
}
