//! Configuration layers: what stands in one, how it is changed, and how it came to be so.
//!
//! One set of pages for every kind of layer; the address says which. What may stand in a layer, and who may change it,
//! the app decides.

mod change;
mod draft;
mod history;
mod offered;
mod show;

use super::Console;
use super::answer::Trouble;
use super::gate::SignedIn;
use super::parts::Frame;
use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Path};
use axum::http::request::Parts;
use axum::routing::{get, post};
use provost_core::layers::Subject;
use std::collections::HashMap;
use std::sync::Arc;

const LAYERS: [&str; 6] = [
    "/configuration",
    "/models/{model}/configuration",
    "/accounts/{id}/configuration",
    "/accounts/{id}/models/{model}/configuration",
    "/sites/{id}/configuration",
    "/devices/{id}/configuration",
];

pub(super) fn routes() -> Router<Arc<Console>> {
    LAYERS.into_iter().fold(Router::new(), |router, layer| {
        router
            .route(layer, get(show::show).post(change::change))
            .route(&format!("{layer}/preview"), get(show::back).post(change::preview))
            .route(&format!("{layer}/secrets"), get(show::back).post(show::secrets))
            .route(&format!("{layer}/history"), get(history::show))
            .route(&format!("{layer}/revert"), post(history::revert).get(show::back))
    })
}

/// The layer that an address names.
pub(super) struct Layer(Subject);

impl FromRequestParts<Arc<Console>> for Layer {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Trouble> {
        let named = Path::<HashMap<String, String>>::from_request_parts(parts, console).await;
        let Path(named) = named.map_err(|_| Trouble::NotHere)?;
        let of = |name: &str| named.get(name).map(String::as_str);
        let kind = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        let kind = kind.trim_start_matches('/').split('/').next();
        let subject = match (kind, of("id"), of("model")) {
            (Some("sites"), Some(id), _) => id.parse().ok().map(Subject::Site),
            (Some("devices"), Some(id), _) => id.parse().ok().map(Subject::Device),
            (Some("accounts"), Some(id), None) => id.parse().ok().map(Subject::Account),
            (Some("accounts"), Some(id), Some(model)) => {
                id.parse().ok().map(|id| Subject::AccountModel(id, model.to_owned()))
            }
            (Some("models"), None, Some(model)) => Some(Subject::Model(model.to_owned())),
            (Some("configuration"), None, None) => Some(Subject::Platform),
            _ => None,
        };
        subject.map(Self).ok_or(Trouble::NotHere)
    }
}

/// The page of a layer.
pub(super) fn address_of(subject: &Subject) -> String {
    match subject {
        Subject::Platform => "/configuration".to_owned(),
        Subject::Account(id) => format!("/accounts/{id}/configuration"),
        Subject::Site(id) => format!("/sites/{id}/configuration"),
        Subject::Model(model) => format!("/models/{model}/configuration"),
        Subject::AccountModel(id, model) => format!("/accounts/{id}/models/{model}/configuration"),
        Subject::Device(id) => format!("/devices/{id}/configuration"),
    }
}

/// Where a layer's page is below, with the words for it.
fn above(subject: &Subject) -> (String, &'static str) {
    match subject {
        Subject::Platform => ("/settings".to_owned(), "Settings"),
        Subject::Account(id) => (format!("/accounts/{id}"), "Account"),
        Subject::Site(id) => (format!("/sites/{id}"), "Site"),
        Subject::Model(_) => ("/models".to_owned(), "Models"),
        Subject::AccountModel(id, _) => (format!("/accounts/{id}/configuration"), "Configuration of the account"),
        Subject::Device(id) => (format!("/devices/{id}/effective"), "Every value of the device"),
    }
}

/// What a layer is for, in a sentence's words.
const fn reach_words(subject: &Subject) -> &'static str {
    match subject {
        Subject::Platform => "every phone here",
        Subject::Account(_) => "the phones of this account and of those below it",
        Subject::Site(_) => "the phones of this site",
        Subject::Model(_) => "every phone of this model",
        Subject::AccountModel(..) => "the phones of this model in this account and in those below it",
        Subject::Device(_) => "this device, whichever phone it has",
    }
}

fn frame(title: &str, subject: &Subject, by: &SignedIn) -> Frame {
    let at = match subject {
        Subject::Platform => "settings",
        Subject::Account(_) | Subject::AccountModel(..) | Subject::Site(_) => "sites",
        Subject::Model(_) => "models",
        Subject::Device(_) => "devices",
    };
    Frame::signed_in(title, by).at(at)
}
