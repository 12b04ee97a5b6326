//! Configuration layers and what comes of them, on the wire: one set of handlers for every kind of layer.

use super::ApiError;
use super::actor::By;
use super::inventory::{Entry, Paged, PagingQuery, items, paging, parsed};
use super::lifecycle::{Maybe, Why};
use super::phones::ReasonInput;
use super::routes::Routes;
use axum::Json;
use axum::extract::{FromRequestParts, MatchedPath, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use provost_app::{
    App, EffectiveView, FetchedView, LayerView, MOST_REVISIONS_A_PAGE, OverridesView, Page, PreviewInput, PreviewView,
    RevertInput, RevisionView,
};
use provost_core::layers::{LayerChange, Subject};
use std::collections::HashMap;
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

/// The addresses of one kind of layer: itself, its history, taking back, its secrets.
type Addresses = [&'static str; 4];

const LAYERS: [Addresses; 6] = [
    ["/configuration", "/configuration/history", "/configuration/revert", "/configuration/secrets"],
    [
        "/models/{model}/configuration",
        "/models/{model}/configuration/history",
        "/models/{model}/configuration/revert",
        "/models/{model}/configuration/secrets",
    ],
    [
        "/accounts/{id}/configuration",
        "/accounts/{id}/configuration/history",
        "/accounts/{id}/configuration/revert",
        "/accounts/{id}/configuration/secrets",
    ],
    [
        "/accounts/{id}/models/{model}/configuration",
        "/accounts/{id}/models/{model}/configuration/history",
        "/accounts/{id}/models/{model}/configuration/revert",
        "/accounts/{id}/models/{model}/configuration/secrets",
    ],
    [
        "/sites/{id}/configuration",
        "/sites/{id}/configuration/history",
        "/sites/{id}/configuration/revert",
        "/sites/{id}/configuration/secrets",
    ],
    [
        "/devices/{id}/configuration",
        "/devices/{id}/configuration/history",
        "/devices/{id}/configuration/revert",
        "/devices/{id}/configuration/secrets",
    ],
];

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get(
            "/devices/{id}/effective",
            "Every value the phone of a device is told, with where it comes from",
            effective,
        )
        .post("/devices/{id}/effective/secrets", "The same with secrets; the reason is kept", effective_secrets)
        .post("/devices/{id}/preview", "What the phone would get if a layer were changed; nothing is stored", preview)
        .get("/devices/{id}/fetched-diff", "What the next fetch of the phone brings", fetched_diff)
        .get("/devices/{id}/overrides", "What was set on the phone itself", overrides)
        .delete("/devices/{id}/overrides", "Clear what was set on the phone itself", clear_overrides);
    LAYERS.into_iter().fold(routes, |routes, [layer, past, back, hidden]| {
        routes
            .get(layer, "A layer of configuration", show)
            .patch(layer, "Change a layer: what is named is set, null takes away", change)
            .get(past, "The revisions of a layer, newest first", history)
            .post(back, "Take back the last change of a layer, or all behind a revision", revert)
            .post(hidden, "A layer with values that may be secrets; the reason is kept", secrets)
    })
}

/// The layer that an address names.
pub(super) struct Layer(Subject);

impl<S: Send + Sync> FromRequestParts<S> for Layer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let named = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let Path(named) = named.map_err(|error| ApiError::new(error.status(), "bad-request", error.body_text()))?;
        let of = |name: &str| named.get(name).map(String::as_str);
        let kind = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        let kind = kind.trim_start_matches("/api/v1").trim_start_matches('/').split('/').next();
        let subject = match (kind, of("id"), of("model")) {
            (Some("sites"), Some(id), _) => Subject::Site(parsed(id)?),
            (Some("devices"), Some(id), _) => Subject::Device(parsed(id)?),
            (Some("accounts"), Some(id), None) => Subject::Account(parsed(id)?),
            (Some("accounts"), Some(id), Some(model)) => Subject::AccountModel(parsed(id)?, model.to_owned()),
            (Some("models"), None, Some(model)) => Subject::Model(model.to_owned()),
            (Some("configuration"), None, None) => Subject::Platform,
            _ => return Err(ApiError::new(StatusCode::NOT_FOUND, "not-found", "the API has no such layer")),
        };
        Ok(Self(subject))
    }
}

async fn show(State(app): State<Arc<App>>, Layer(layer): Layer, By(by): By) -> Answer<LayerView> {
    Ok(Json(app.layer(&layer, &by).await?))
}

async fn secrets(
    State(app): State<Arc<App>>,
    Layer(layer): Layer,
    By(by): By,
    Entry(input): Entry<ReasonInput>,
) -> Answer<LayerView> {
    Ok(Json(app.layer_secrets(&layer, &input.reason, &by).await?))
}

async fn change(
    State(app): State<Arc<App>>,
    Layer(layer): Layer,
    By(by): By,
    Entry(change): Entry<LayerChange>,
) -> Answer<LayerView> {
    Ok(Json(app.change_layer(&layer, change, &by).await?))
}

async fn history(
    State(app): State<Arc<App>>,
    Layer(layer): Layer,
    By(by): By,
    query: PagingQuery,
) -> Paged<RevisionView> {
    let paging = paging(query)?;
    let page = paging.page();
    let page = Page { limit: page.limit.min(MOST_REVISIONS_A_PAGE), ..page };
    Ok(items(app.layer_history(&layer, page, &by).await?, page, |view| &view.revision))
}

async fn revert(
    State(app): State<Arc<App>>,
    Layer(layer): Layer,
    By(by): By,
    Maybe(input): Maybe<RevertInput>,
) -> Answer<LayerView> {
    Ok(Json(app.revert_layer(&layer, &input, &by).await?))
}

async fn effective(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<EffectiveView> {
    Ok(Json(app.effective(&parsed(&id)?, &by).await?))
}

async fn effective_secrets(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<ReasonInput>,
) -> Answer<EffectiveView> {
    Ok(Json(app.effective_secrets(&parsed(&id)?, &input.reason, &by).await?))
}

async fn preview(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Entry(input): Entry<PreviewInput>,
) -> Answer<PreviewView> {
    Ok(Json(app.preview(&parsed(&id)?, input, &by).await?))
}

async fn fetched_diff(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<FetchedView> {
    Ok(Json(app.fetched_diff(&parsed(&id)?, &by).await?))
}

async fn overrides(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<OverridesView> {
    Ok(Json(app.overrides(&parsed(&id)?, &by).await?))
}

async fn clear_overrides(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(why): Maybe<Why>,
) -> Answer<OverridesView> {
    Ok(Json(app.clear_overrides(&parsed(&id)?, why.reason(), &by).await?))
}
