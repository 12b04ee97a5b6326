//! Who calls the API: what they may, and what the audit log calls them.

use super::ApiError;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use provost_app::Actor;

/// Whoever sent this request.
pub(super) struct By(pub(super) Actor);

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // What nobody is named for is not done.
        let nobody =
            || ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "nobody is named for this request");
        parts.extensions.get::<Actor>().cloned().map(Self).ok_or_else(nobody)
    }
}
