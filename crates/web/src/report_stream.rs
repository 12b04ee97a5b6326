//! The device report as a body that is written while it is read: the API and the console answer with the same file.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::channel::Channel;
use provost_app::{App, ReportCsv};
use std::io;
use std::sync::Arc;

/// What browsers and scripts keep the file as.
pub(crate) const FILE_NAME: &str = "devices.csv";

/// Pieces that wait for a slow reader.
const PIECES: usize = 2;

/// The report as it is made. Whoever reads slowly makes it wait, and a broken answer ends it: its length is not known
/// beforehand, so a client notices a file that is not whole.
pub(crate) fn streamed(app: Arc<App>, mut report: ReportCsv) -> Body {
    let (mut pieces, body) = Channel::<Bytes, io::Error>::new(PIECES);
    tokio::spawn(async move {
        loop {
            match report.next(&app).await {
                Ok(None) => return,
                Ok(Some(piece)) => {
                    if pieces.send_data(Bytes::from(piece)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a device report broke off");
                    pieces.abort(io::Error::other(error));
                    return;
                }
            }
        }
    });
    Body::new(body)
}
