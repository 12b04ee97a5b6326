//! Audit log, alarms, block list, plain-HTTP bootstrap, exceptions and failed handshakes on the wire.

use super::ApiError;
use super::actor::By;
use super::answer::Created;
use super::inventory::{Entry, Items, Paged, PagingQuery, items, paging, parsed, whole};
use axum::Json;
use axum::extract::{Path, State};
use provost_app::{AlarmView, App, AuditView, BlockedView, ExceptionView, FailedHandshakeView, HttpBootstrapView};
use provost_core::entry::guard::{BlockInput, ExceptionInput, HttpBootstrapInput};
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) async fn audit(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<AuditView> {
    let paging = paging(query)?;
    Ok(items(app.audit(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn alarms(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<AlarmView> {
    let paging = paging(query)?;
    Ok(items(app.alarms(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn end_alarm(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<AlarmView> {
    Ok(Json(app.end_alarm(&id, &by).await?))
}

pub(super) async fn blocked(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<BlockedView>> {
    Ok(whole(app.blocked_certificates(&by).await?))
}

pub(super) async fn block(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<BlockInput>,
) -> Result<Created<BlockedView>, ApiError> {
    Ok(Created(app.block_certificate(input, &by).await?))
}

pub(super) async fn unblock(
    State(app): State<Arc<App>>,
    Path(sha256): Path<String>,
    By(by): By,
) -> Answer<BlockedView> {
    Ok(Json(app.unblock_certificate(parsed(&sha256)?, &by).await?))
}

pub(super) async fn http_bootstraps(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<HttpBootstrapView>> {
    Ok(whole(app.http_bootstraps(&by).await?))
}

pub(super) async fn open_http_bootstrap(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<HttpBootstrapInput>,
) -> Result<Created<HttpBootstrapView>, ApiError> {
    Ok(Created(app.open_http_bootstrap(input, &by).await?))
}

pub(super) async fn close_http_bootstrap(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Answer<HttpBootstrapView> {
    Ok(Json(app.close_http_bootstrap(&id, &by).await?))
}

pub(super) async fn exceptions(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<ExceptionView>> {
    Ok(whole(app.exceptions(&by).await?))
}

pub(super) async fn make_exception(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
    By(by): By,
    Entry(input): Entry<ExceptionInput>,
) -> Result<Created<ExceptionView>, ApiError> {
    Ok(Created(app.make_exception(&parsed(&device)?, input, &by).await?))
}

pub(super) async fn revoke_exception(
    State(app): State<Arc<App>>,
    Path(device): Path<String>,
    By(by): By,
) -> Answer<ExceptionView> {
    Ok(Json(app.revoke_exception(&parsed(&device)?, &by).await?))
}

pub(super) async fn failed_handshakes(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<FailedHandshakeView>> {
    Ok(whole(app.failed_handshakes(&by).await?))
}
