//! Sites, users, devices and models on the wire.

use super::ApiError;
use super::actor::By;
use super::answer::Created;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Query, State};
use provost_app::{App, Bar, DeviceView, Page, SiteView, UserView};
use provost_core::entry::{DeviceInput, SiteInput, UserInput};
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
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(super) struct Paging {
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

impl Paging {
    const MOST: u32 = 500;

    /// The paging of a query that says more than that.
    pub(super) const fn new(after: String, limit: Option<u32>) -> Self {
        Self { after, limit }
    }

    pub(super) fn page(&self) -> Page<'_> {
        Page { after: &self.after, limit: self.limit.unwrap_or(Self::MOST).clamp(1, Self::MOST) }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, schemars::JsonSchema)]
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

pub(super) async fn site(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Result<Json<SiteView>, ApiError> {
    Ok(Json(app.site(&parsed(&id)?, &by).await?))
}

pub(super) async fn add_site(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<SiteInput>,
) -> Result<Created<SiteView>, ApiError> {
    Ok(Created(app.add_site(input, &by).await?))
}

pub(super) async fn users(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<UserView> {
    let paging = paging(query)?;
    Ok(items(app.users(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn add_user(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<UserInput>,
) -> Result<Created<UserView>, ApiError> {
    Ok(Created(app.add_user(input, &by).await?))
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
) -> Result<Created<DeviceView>, ApiError> {
    Ok(Created(app.add_device(input, &by).await?))
}

pub(super) async fn device(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Result<Json<DeviceView>, ApiError> {
    Ok(Json(app.device(&parsed(&id)?, &by).await?))
}

/// The answer to a new code.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct IssuedCode {
    code: String,
    shown: String,
    expires_at: String,
}

pub(super) async fn issue_code(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Result<Created<IssuedCode>, ApiError> {
    let (code, expires) = app.issue_code(&parsed(&id)?, &by).await?;
    let issued = IssuedCode { code: code.digits(), shown: code.grouped(), expires_at: expires.to_string() };
    Ok(Created(issued))
}

/// For whom a device shall be.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
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

type Changed = Result<Json<DeviceView>, ApiError>;

pub(super) async fn disable(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Changed {
    Ok(Json(app.bar_device(&parsed(&id)?, Some(Bar::Disabled), &by).await?))
}

pub(super) async fn quarantine(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Changed {
    Ok(Json(app.bar_device(&parsed(&id)?, Some(Bar::Quarantined), &by).await?))
}

pub(super) async fn enable(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Changed {
    Ok(Json(app.bar_device(&parsed(&id)?, None, &by).await?))
}

pub(super) async fn models(State(app): State<Arc<App>>, _: By) -> Json<Items<provost_app::ModelView>> {
    whole(provost_app::model_views(app.catalog()))
}
