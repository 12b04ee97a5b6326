//! The answers that are not plain JSON with 200, as types, so that the description of the API can read them.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// 201 with what was made.
pub(super) struct Created<T>(pub(super) T);

/// 201 where something of it was made, 200 where all of it was there.
pub(super) struct CreatedOrThere<T> {
    pub(super) made: bool,
    pub(super) body: T,
}

/// 202 with what is being worked on.
pub(super) struct Accepted<T>(pub(super) T);

/// A CSV file, perhaps still being made; with its name where it is to be kept.
pub(super) struct Csv {
    pub(super) body: Body,
    pub(super) file_name: Option<&'static str>,
}

/// Lines of JSON, perhaps still being made.
pub(super) struct Ndjson(pub(super) Body);

/// JSON or CSV, as the request says.
pub(super) enum OrCsv<T> {
    Json(T),
    Csv(Csv),
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<T: Serialize> IntoResponse for CreatedOrThere<T> {
    fn into_response(self) -> Response {
        let status = if self.made { StatusCode::CREATED } else { StatusCode::OK };
        (status, Json(self.body)).into_response()
    }
}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (StatusCode::ACCEPTED, Json(self.0)).into_response()
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
        let mut response = ([(header::CONTENT_TYPE, kind)], self.body).into_response();
        let disposition = self.file_name.map(|name| format!("attachment; filename=\"{name}\""));
        if let Some(Ok(value)) = disposition.map(HeaderValue::try_from) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
        response
    }
}

impl IntoResponse for Ndjson {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))], self.0).into_response()
    }
}

impl<T: Serialize> IntoResponse for OrCsv<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Json(body) => Json(body).into_response(),
            Self::Csv(csv) => csv.into_response(),
        }
    }
}
