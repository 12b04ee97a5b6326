//! Firmware images on the wire: a file comes in as it is read, straight to the disk.

use super::ApiError;
use super::actor::By;
use super::answer::CreatedOrThere;
use super::inventory::{Paged, items};
use super::routes::Routes;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::header;
use http_body_util::BodyExt as _;
use provost_app::{App, AppError, ImageInput, ImageView, Page, ReceivingImage, UploadedView};
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

type Asked<T> = Result<Query<T>, QueryRejection>;

/// How long what still comes of a refused file is read and thrown away: a client that only hears a closed connection
/// would not be told why.
const LISTEN_ON: Duration = Duration::from_secs(20);

/// A file as it comes, and its length where that was said.
pub(super) struct FileBody {
    body: Body,
    length: Option<u64>,
}

impl<S: Send + Sync> FromRequest<S> for FileBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Infallible> {
        let length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        Ok(Self { body: request.into_body(), length })
    }
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/firmware/images", "The firmware images at hand", images)
        .post(
            "/firmware/images",
            "Upload a firmware image, or the maker's zip of images; all that is in it is taken, or nothing",
            upload,
        )
        .get("/firmware/images/{id}", "One firmware image", image)
        .delete("/firmware/images/{id}", "Remove a firmware image; the reason is kept", remove)
}

fn asked<T>(query: Asked<T>) -> Result<T, ApiError> {
    query.map(|Query(query)| query).map_err(|error| ApiError::bad_request(error.body_text()))
}

/// Which images are wanted.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImagesQuery {
    /// Those that this model may take.
    model: Option<String>,
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

/// Images in a page.
const MOST: u32 = 500;

async fn images(State(app): State<Arc<App>>, query: Asked<ImagesQuery>, By(by): By) -> Paged<ImageView> {
    let query = asked(query)?;
    let page = Page { after: &query.after, limit: query.limit.unwrap_or(MOST).clamp(1, MOST) };
    Ok(items(app.firmware_images(query.model.as_deref(), page, &by)?, page, |view| &view.id))
}

async fn image(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Result<Json<ImageView>, ApiError> {
    Ok(Json(app.firmware_image(&id, &by)?))
}

/// Why an image or a policy is removed.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveQuery {
    /// For whoever reads the audit log later.
    #[serde(default)]
    pub(super) reason: String,
}

async fn remove(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    query: Asked<RemoveQuery>,
) -> Result<Json<ImageView>, ApiError> {
    let query = asked(query)?;
    // In a task of its own: whoever hangs up must not leave bytes that no row names.
    let done = tokio::spawn(async move { app.remove_firmware_image(&id, &query.reason, &by).await });
    Ok(Json(done.await.unwrap_or(Err(AppError::Interrupted))?))
}

async fn upload(
    State(app): State<Arc<App>>,
    By(by): By,
    query: Asked<ImageInput>,
    file: FileBody,
) -> Result<CreatedOrThere<UploadedView>, ApiError> {
    let FileBody { mut body, length } = file;
    let receiving = match asked(query) {
        Ok(input) => app.begin_image(&input, length, &by).await.map_err(ApiError::from),
        Err(error) => Err(error),
    };
    let uploaded = match receiving {
        Ok(receiving) => received(receiving, &mut body).await,
        Err(error) => Err(error),
    };
    if uploaded.is_err() {
        listen_on(body).await;
    }
    let uploaded = uploaded?;
    Ok(CreatedOrThere { made: uploaded.added > 0, body: uploaded })
}

async fn received(mut receiving: ReceivingImage, body: &mut Body) -> Result<UploadedView, ApiError> {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Err(ApiError::bad_request("the file did not come in whole; nothing of it was kept, send it again"));
        };
        if let Ok(piece) = frame.into_data() {
            receiving.feed(piece).await?;
        }
    }
    Ok(receiving.finish().await?)
}

async fn listen_on(mut body: Body) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // Who still sends after that hears the connection close.
    let _ = timeout(LISTEN_ON, rest).await;
}
