//! Who calls the API, for the audit log.

use super::{Access, ApiError};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use provost_app::Actor;
use provost_core::identity::Peer;

/// Whoever sent this request.
pub(super) struct By(pub(super) Actor);

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let address = parts.extensions.get::<Peer>().map(|peer| peer.address);
        match parts.extensions.get::<Access>() {
            Some(Access::Token) => Ok(Self(Actor::owner_token(address))),
            Some(Access::Owner) => Ok(Self(Actor::control_socket())),
            // A change that nobody is named for is not made.
            None => {
                Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "nobody is named for this request"))
            }
        }
    }
}
