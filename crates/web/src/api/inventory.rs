//! Sites, users, devices and models on the wire.

use super::ApiError;
use super::actor::By;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, State};
use axum::http::StatusCode;
use provost_app::{App, Bar, DeviceView, Page, SiteView, UserView};
use provost_core::entry::{DeviceInput, SiteInput, UserInput};
use provost_core::ids::DeviceId;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;

/// A JSON body whose errors are ours.
#[derive(FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(super) struct Entry<T>(pub(super) T);

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        // The library's own preamble names its types; what follows the colon names the field.
        let words = text.strip_prefix("Failed to deserialize the JSON body into the target type: ").unwrap_or(&text);
        Self::new(rejection.status(), "bad-request", words)
    }
}

/// Paging of every list.
#[derive(Debug, Deserialize)]
pub(super) struct Paging {
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

impl Paging {
    const MOST: u32 = 500;

    pub(super) fn page(&self) -> Page<'_> {
        Page { after: &self.after, limit: self.limit.unwrap_or(Self::MOST).clamp(1, Self::MOST) }
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Items<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The page with the cursor of the next one, which is the last entry's id.
pub(super) fn items<T>(items: Vec<T>, page: Page<'_>, id: impl Fn(&T) -> &str) -> Json<Items<T>> {
    let full = u32::try_from(items.len()).is_ok_and(|found| found >= page.limit);
    let next = items.last().filter(|_| full).map(|last| id(last).to_owned());
    Json(Items { items, next })
}

/// A list that is never long enough for pages.
pub(super) fn whole<T>(items: Vec<T>) -> Json<Items<T>> {
    Json(Items { items, next: None })
}

pub(super) type Paged<T> = Result<Json<Items<T>>, ApiError>;
pub(super) type Created<T> = Result<(StatusCode, Json<T>), ApiError>;

/// The paging of a request, or what is wrong with it.
pub(super) type PagingQuery = Result<Query<Paging>, axum::extract::rejection::QueryRejection>;

pub(super) fn paging(query: PagingQuery) -> Result<Paging, ApiError> {
    query.map(|Query(paging)| paging).map_err(|error| ApiError::bad_request(error.body_text()))
}

pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::bad_request(error.to_string()))
}

pub(super) async fn sites(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<SiteView> {
    let paging = paging(query)?;
    Ok(items(app.sites(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn add_site(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<SiteInput>,
) -> Created<SiteView> {
    Ok((StatusCode::CREATED, Json(app.add_site(input, &by).await?)))
}

pub(super) async fn users(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<UserView> {
    let paging = paging(query)?;
    Ok(items(app.users(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn add_user(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<UserInput>,
) -> Created<UserView> {
    Ok((StatusCode::CREATED, Json(app.add_user(input, &by).await?)))
}

pub(super) async fn user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Result<Json<UserView>, ApiError> {
    Ok(Json(app.user(&parsed(&id)?, &by).await?))
}

pub(super) async fn devices(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<DeviceView> {
    let paging = paging(query)?;
    Ok(items(app.devices(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn add_device(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<DeviceInput>,
) -> Created<DeviceView> {
    Ok((StatusCode::CREATED, Json(app.add_device(input, &by).await?)))
}

pub(super) async fn device(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Result<Json<DeviceView>, ApiError> {
    Ok(Json(app.device(&parsed(&id)?, &by).await?))
}

/// The answer to a new code.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct IssuedCode {
    code: String,
    shown: String,
    expires_at: String,
}

pub(super) async fn issue_code(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Created<IssuedCode> {
    let (code, expires) = app.issue_code(&parsed(&id)?, &by).await?;
    let issued = IssuedCode { code: code.digits(), shown: code.grouped(), expires_at: expires.to_string() };
    Ok((StatusCode::CREATED, Json(issued)))
}

/// For whom a device shall be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssignInput {
    user: String,
}

pub(super) async fn assign_device(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<AssignInput>,
) -> Result<Json<DeviceView>, ApiError> {
    Ok(Json(app.assign_device(&parsed(&id)?, &parsed(&input.user)?, &by).await?))
}

pub(super) async fn change_device(
    State(app): State<Arc<App>>,
    Path((id, action)): Path<(String, String)>,
    By(by): By,
) -> Result<Json<DeviceView>, ApiError> {
    let bar = match action.as_str() {
        "disable" => Some(Bar::Disabled),
        "quarantine" => Some(Bar::Quarantined),
        "enable" => None,
        _ => return Err(super::error::no_such_address().await),
    };
    let id: DeviceId = parsed(&id)?;
    Ok(Json(app.bar_device(&id, bar, &by).await?))
}

pub(super) async fn models(State(app): State<Arc<App>>, _: By) -> Json<Items<provost_app::ModelView>> {
    whole(provost_app::model_views(app.catalog()))
}
