//! Errors on the wire: one place maps what went wrong to a status and a stable code.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use provost_app::AppError;
use serde::Serialize;

/// An error as the API answers it.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: Body,
}

/// Why a request was refused.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Error")]
pub(super) struct Body {
    /// Stable, for programs.
    code: &'static str,
    /// What happened and what to do, for people.
    message: String,
    /// By which the server's log knows it.
    reference: String,
    /// Each field that is not as it must be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Field {
    /// Its name.
    field: String,
    /// What is wrong and what to do.
    message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let body =
            Body { code, message: message.into(), reference: provost_app::error_reference(), fields: Vec::new() };
        Self { status, body }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let message = error.to_string();
        match error {
            AppError::NotFound { .. } => Self::new(StatusCode::NOT_FOUND, "not-found", message),
            AppError::Forbidden { .. } | AppError::OutOfScope => Self::new(StatusCode::FORBIDDEN, "forbidden", message),
            AppError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message),
            AppError::Conflict { .. } => Self::new(StatusCode::CONFLICT, "exists", message),
            AppError::Refused { code, message, reference } => {
                Self { status: StatusCode::CONFLICT, body: Body { code, message, reference, fields: Vec::new() } }
            }
            AppError::TooManyTries { message, reference, .. } => Self {
                status: StatusCode::CONFLICT,
                body: Body { code: provost_app::TOO_MANY_TRIES, message, reference, fields: Vec::new() },
            },
            AppError::Fields(errors) => {
                let mut answer = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "fields", message);
                let field =
                    |error: provost_core::entry::FieldError| Field { field: error.field, message: error.message };
                answer.body.fields = errors.0.into_iter().map(field).collect();
                answer
            }
            AppError::Store(_) => {
                let words = "the database did not answer; try again, and look at the server's log";
                let answer = Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", words);
                tracing::error!(reference = %answer.body.reference, error = %message, "an API request failed at the database");
                answer
            }
            AppError::DiskFull | AppError::ImageDiskFull(_) => {
                let answer = Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk-full", message);
                tracing::error!(reference = %answer.body.reference, error = %answer.body.message, "an API request failed");
                answer
            }
            AppError::ImageStore(_) => {
                let answer = Self::new(StatusCode::SERVICE_UNAVAILABLE, "image-store-unavailable", message);
                tracing::error!(reference = %answer.body.reference, error = %answer.body.message, "an API request failed");
                answer
            }
            AppError::Vault(_) | AppError::Render(_) | AppError::OtherKey { .. } | AppError::Interrupted => {
                let answer = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
                tracing::error!(reference = %answer.body.reference, error = %answer.body.message, "an API request failed");
                answer
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let challenge = self.status == StatusCode::UNAUTHORIZED;
        let mut response = (self.status, Json(self.body)).into_response();
        if challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What the library refuses by itself is said as every other refusal is.
pub(super) async fn in_json(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_text {
        return response;
    }
    let words = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "the body is larger than any entry",
        _ => "the request cannot be read: an address or a body is not what HTTP allows",
    };
    ApiError::new(status, "bad-request", words).into_response()
}

pub(super) async fn no_such_address() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not-found", "the API has no such address")
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this address does not take this method")
}
