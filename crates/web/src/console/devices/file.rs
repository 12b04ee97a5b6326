//! The device report as a CSV file; with secrets only by a form that asks why.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::gate::{Posted, SignedIn};
use super::super::parts::{Field, Frame};
use super::asked::{Asked, Pairs, SINCE};
use super::list::capital;
use crate::report_stream::{FILE_NAME, streamed};
use askama::Template;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use provost_app::{App, AppError, ReportCsv, ReportInput, ReportSecretsInput};
use provost_core::rights::Right;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "devices/secrets.html", whitespace = "minimize")]
struct SecretsPage {
    frame: Frame,
    /// The filters, as they go with the form.
    filters: Vec<(&'static str, String)>,
    reason: Field,
}

/// What the form carries of the page it was opened from.
const FILTERS: [&str; 7] = ["search", "status", "model", "site", "account", "missed", SINCE];

/// `GET /devices/report.csv`.
pub(super) async fn plain(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    pairs: Pairs,
) -> Result<Response, Trouble> {
    let app = &console.app;
    let input = whole(Asked::of(pairs).report(app.now()));
    let report = app.device_report_csv(&input, by.actor()).await?;
    Ok(csv(app, report))
}

/// Every column: a file is for programs and for later.
fn whole(input: ReportInput) -> ReportInput {
    ReportInput { columns: None, after: None, limit: None, ..input }
}

fn csv(app: &Arc<App>, report: ReportCsv) -> Response {
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    let mut response = ([(CONTENT_TYPE, kind)], streamed(Arc::clone(app), report)).into_response();
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{FILE_NAME}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    response
}

/// `GET /devices/secrets`.
pub(super) async fn secrets_form(by: SignedIn, pairs: Pairs) -> Result<Response, Trouble> {
    by.actor().has(Right::Secrets)?;
    let asked = Asked::of(pairs);
    Ok(form(&by, &|name| asked.text(name).to_owned(), Field::default()))
}

fn form(by: &SignedIn, filter: &dyn Fn(&str) -> String, reason: Field) -> Response {
    let status = if reason.error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let filters = FILTERS.map(|name| (name, filter(name)));
    let filters = filters.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let frame = Frame::signed_in("Device report with secrets", by).at("devices");
    page(status, &SecretsPage { frame, filters, reason })
}

/// `POST /devices/secrets.csv`.
pub(super) async fn secrets(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let app = &console.app;
    let filters = whole(Asked::from_form(&FILTERS, &posted).report(app.now()));
    let input = ReportSecretsInput { reason: posted.text("reason").to_owned(), filters };
    match app.device_report_secrets(&input, posted.by.actor()).await {
        Ok(report) => Ok(csv(app, report)),
        Err(AppError::Fields(mut errors)) => {
            let mut reason = Field { is_first: true, ..Field::typed(posted.text("reason")) };
            reason.take("reason", &mut errors.0);
            let others = errors.0.into_iter().map(|error| format!("{}: {}", error.field, error.message));
            let all: Vec<_> = reason
                .error
                .take()
                .map(|words| capital(&format!("reason {words}")))
                .into_iter()
                .chain(others)
                .collect();
            reason.error = Some(all.join("; "));
            Ok(form(&posted.by, &|name| posted.text(name).to_owned(), reason))
        }
        Err(error) => Err(error.into()),
    }
}
