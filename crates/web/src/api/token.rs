//! Lets in who shows a token, and says for whom it is.

use super::ApiError;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use provost_app::{App, ShownToken};
use provost_core::identity::Peer;
use std::sync::Arc;

pub(super) async fn require(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let refused = |message: &str| ApiError::new(StatusCode::UNAUTHORIZED, "token", message).into_response();
    let Some(token) = shown else {
        return refused("send a token as `Authorization: Bearer TOKEN`; the owner's was printed at the first start");
    };
    let from = request.extensions().get::<Peer>().map(|peer| peer.address);
    match app.shown_token(token, from).await {
        Ok(ShownToken::Good(actor)) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Ok(ShownToken::Expired(at)) => refused(&format!("this token expired at {at}; ask for another")),
        Ok(ShownToken::Unknown) => {
            refused("this token is not known here; `provost token create` beside the server makes another")
        }
        Err(error) => ApiError::from(error).into_response(),
    }
}
