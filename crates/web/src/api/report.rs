//! The device report on the wire: JSON by the page, CSV as a stream.

use super::ApiError;
use super::actor::By;
use super::answer::{Csv, OrCsv};
use super::inventory::Entry;
use crate::report_stream::{FILE_NAME, streamed};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use provost_app::{App, ReportCsv, ReportInput, ReportPageView, ReportSecretsInput};
use serde::Deserialize;
use std::sync::Arc;

/// The report's own questions, and in which format it is to be answered.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(super) struct ReportQuery {
    status: Option<String>,
    site: Option<String>,
    model: Option<String>,
    account: Option<String>,
    search: Option<String>,
    missed_contact_since: Option<String>,
    sort: Option<String>,
    columns: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
    format: Option<String>,
}

impl ReportQuery {
    /// Whether CSV is wanted, and what else.
    fn parted(self, headers: &HeaderMap) -> Result<(bool, ReportInput), ApiError> {
        let accepts = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("text/csv"));
        let csv = match self.format.as_deref() {
            None => headers.get_all(header::ACCEPT).iter().any(accepts),
            Some("csv") => true,
            Some("json") => false,
            Some(_) => return Err(ApiError::bad_request("format: write csv or json")),
        };
        let input = ReportInput {
            status: self.status,
            site: self.site,
            model: self.model,
            account: self.account,
            search: self.search,
            missed_contact_since: self.missed_contact_since,
            sort: self.sort,
            columns: self.columns,
            after: self.after,
            limit: self.limit,
        };
        Ok((csv, input))
    }
}

pub(super) async fn devices(
    State(app): State<Arc<App>>,
    By(by): By,
    headers: HeaderMap,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Result<OrCsv<ReportPageView>, ApiError> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let (as_csv, input) = query.parted(&headers)?;
    if as_csv {
        let report = app.device_report_csv(&input, &by).await?;
        return Ok(OrCsv::Csv(csv(app, report)));
    }
    Ok(OrCsv::Json(app.device_report(&input, &by).await?))
}

pub(super) async fn device_secrets(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<ReportSecretsInput>,
) -> Result<Csv, ApiError> {
    let report = app.device_report_secrets(&input, &by).await?;
    Ok(csv(app, report))
}

fn csv(app: Arc<App>, report: ReportCsv) -> Csv {
    Csv { body: streamed(app, report), file_name: Some(FILE_NAME) }
}
