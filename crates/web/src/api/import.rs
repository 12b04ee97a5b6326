//! CSV imports on the wire: a file comes in as it is read, its verdicts go out by the page or as lines.

use super::ApiError;
use super::actor::By;
use super::answer::{Accepted, Csv};
use super::inventory::{Paged, PagingQuery, items, paging};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use http_body_util::BodyExt as _;
use provost_app::{App, AppError, ImportInput, ImportRowView, ImportView, Receiving};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Asked<T> = Result<Query<T>, QueryRejection>;

fn asked<T>(query: Asked<T>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|error| ApiError::bad_request(error.body_text()))
}

pub(super) async fn add_import(
    State(app): State<Arc<App>>,
    By(by): By,
    query: Asked<ImportInput>,
    body: Body,
) -> Result<Accepted<ImportView>, ApiError> {
    let receiving = app.begin_import(&asked(query)?, &by).await?;
    // In a task of its own: a client that hangs up must leave an import that says so.
    let received = tokio::spawn(received(receiving, body)).await;
    let import = received.unwrap_or_else(|_| Err(AppError::Interrupted.into()))?;
    Ok(Accepted(import))
}

async fn received(mut receiving: Receiving, mut body: Body) -> Result<ImportView, ApiError> {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            receiving.broke("The connection broke while the file came in; nothing was applied. Send it again.").await;
            return Err(ApiError::bad_request("the file did not come in whole"));
        };
        if let Ok(piece) = frame.into_data()
            && let Err(error) = receiving.feed(&piece).await
        {
            receiving.broke(&format!("{error}. Nothing was applied.")).await;
            return Err(error.into());
        }
    }
    match receiving.finish().await {
        Ok(import) => Ok(import),
        Err(error) => {
            receiving.broke(&format!("{error}. Nothing was applied.")).await;
            Err(error.into())
        }
    }
}

pub(super) async fn imports(State(app): State<Arc<App>>, query: PagingQuery, By(by): By) -> Paged<ImportView> {
    let paging = paging(query)?;
    Ok(items(app.imports(paging.page(), &by).await?, paging.page(), |view| &view.id))
}

pub(super) async fn import(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
) -> Result<Json<ImportView>, ApiError> {
    Ok(Json(app.import(&id, &by).await?))
}

/// Which rows are wanted.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsQuery {
    verdict: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
}

/// Rows of an import with their verdicts.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct RowsView {
    items: Vec<ImportRowView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

const MOST: u32 = 1_000;

pub(super) async fn rows(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    query: Asked<RowsQuery>,
) -> Result<Json<RowsView>, ApiError> {
    let query = asked(query)?;
    let only_bad = match query.verdict.as_deref() {
        None | Some("all") => false,
        Some("bad") => true,
        Some(_) => return Err(ApiError::bad_request("verdict: write bad or all")),
    };
    let limit = query.limit.unwrap_or(MOST).clamp(1, MOST);
    let items = app.import_rows(&id, only_bad, (query.after.unwrap_or(0).max(0), limit), &by).await?;
    let full = u32::try_from(items.len()).is_ok_and(|found| found >= limit);
    let next = items.last().filter(|_| full).map(|last| last.row.to_string());
    Ok(Json(RowsView { items, next }))
}

/// Of what kind a template is wanted.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateQuery {
    kind: String,
}

pub(super) async fn template(
    State(app): State<Arc<App>>,
    By(by): By,
    query: Asked<TemplateQuery>,
) -> Result<Csv, ApiError> {
    by.has(provost_core::rights::Right::Read)?;
    let text = app.import_template(&asked(query)?.kind)?;
    Ok(Csv { body: Body::from(text), file_name: None })
}
