//! Lets in who shows the owner's token.

use super::ApiError;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use provost_app::App;
use std::sync::Arc;

pub(super) async fn require(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let refused = |message| ApiError::new(StatusCode::UNAUTHORIZED, "token", message).into_response();
    let Some(token) = shown else {
        return refused("send the owner's token as `Authorization: Bearer TOKEN`; it was printed at the first start");
    };
    match app.token_is_good(token).await {
        Ok(true) => next.run(request).await,
        Ok(false) => refused("this token is not known here; `provost token create` beside the server makes another"),
        Err(error) => ApiError::from(error).into_response(),
    }
}
