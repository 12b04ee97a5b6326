//! Backups on the wire, and the confirmation of a restored one.

use super::ApiError;
use super::actor::By;
use super::answer::Ndjson;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http_body_util::channel::Channel;
use provost_app::{App, RestoreView};
use std::io;
use std::sync::Arc;

/// Pieces that wait for a slow reader.
const PIECES: usize = 2;

/// Everything, as lines of JSON. A backup that breaks off lacks its last line, which a restore looks for.
pub(super) async fn backup(State(app): State<Arc<App>>, By(by): By) -> Result<Ndjson, ApiError> {
    let mut backup = app.backup(&by).await?;
    let (mut pieces, body) = Channel::<Bytes, io::Error>::new(PIECES);
    tokio::spawn(async move {
        loop {
            match backup.next().await {
                Ok(None) => return,
                Ok(Some(piece)) => {
                    if pieces.send_data(Bytes::from(piece)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a backup broke off");
                    pieces.abort(io::Error::other(error));
                    return;
                }
            }
        }
    });
    Ok(Ndjson(Body::new(body)))
}

pub(super) async fn restore_state(State(app): State<Arc<App>>, By(by): By) -> Result<Json<RestoreView>, ApiError> {
    Ok(Json(app.restore_state(&by)?))
}

pub(super) async fn confirm_restore(State(app): State<Arc<App>>, By(by): By) -> Result<Json<RestoreView>, ApiError> {
    Ok(Json(app.confirm_restore(&by).await?))
}
