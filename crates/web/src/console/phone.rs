//! The pages of one phone: how it stands, what it is told, what it sent, its passwords, and what can be done.

mod configuration;
mod deeds;
mod device_deeds;
mod files;
mod overview;
mod passwords;
mod visible;

pub(super) use configuration::{change_word, kind};

use super::Console;
use super::actions;
use super::answer::{Trouble, to};
use super::gate::{Named, SignedIn};
use super::parts::Frame;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use provost_app::PhoneView;
use provost_core::mac::MacAddr;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/phones/activate", post(actions::activate))
        .route("/phones/{mac}", get(overview::show))
        .route("/phones/{mac}/configuration", get(configuration::of_phone))
        .route("/phones/{mac}/configuration/secrets", get(back).post(configuration::secrets_of_phone))
        .route("/phones/{mac}/configuration/clear", get(back).post(device_deeds::clear_overrides))
        .route("/devices/{id}/effective", get(configuration::of_device))
        .route("/devices/{id}/effective/secrets", post(configuration::secrets_of_device))
        .route("/phones/{mac}/files", get(files::list))
        .route("/phones/{mac}/files/{name}", get(files::show).post(files::show_for_reason))
        .route("/phones/{mac}/files/{name}/download", get(files::download).post(files::download_for_reason))
        .route("/phones/{mac}/passwords", get(passwords::ask).post(passwords::reveal))
        .merge(deed_routes())
}

/// What is done from a phone's page; each answers with a step back to a page that says what came of it.
fn deed_routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/phones/{mac}/refresh", get(back).post(deeds::refresh))
        .route("/phones/{mac}/restart", get(back).post(deeds::restart))
        .route("/phones/{mac}/rotate", get(back).post(device_deeds::rotate))
        .route("/phones/{mac}/quarantine", get(back).post(device_deeds::quarantine))
        .route("/phones/{mac}/disable", get(back).post(device_deeds::disable))
        .route("/phones/{mac}/enable", get(back).post(device_deeds::enable))
        .route("/phones/{mac}/release", get(back).post(device_deeds::release))
        .route("/phones/{mac}/readmit", get(back).post(deeds::readmit))
        .route("/phones/{mac}/exception", get(back).post(deeds::make_exception))
        .route("/phones/{mac}/exception/end", get(back).post(deeds::end_exception))
        .route("/phones/{mac}/block", get(back).post(deeds::block))
}

/// The address of a form, opened as a page: a reload after it leads here.
async fn back(Named(mac): Named<MacAddr>, _: SignedIn) -> Result<Response, Trouble> {
    Ok(to(&address(mac)))
}

/// The page of a phone.
fn address(mac: MacAddr) -> String {
    format!("/phones/{mac}")
}

/// What stands above each page of a phone.
pub(super) struct Head {
    pub(super) mac: String,
    pub(super) model: Option<String>,
    /// Which of the pages it is, as its address behind the phone's.
    pub(super) tab: &'static str,
}

impl Head {
    fn new(view: &PhoneView, tab: &'static str) -> Self {
        let model = view.model_name.as_ref().or(view.model.as_ref());
        let model = model.or(view.device.as_ref().map(|device| &device.model_name));
        Self { mac: view.mac.clone(), model: model.cloned(), tab }
    }
}

fn frame(title: &str, by: &SignedIn) -> Frame {
    Frame::signed_in(title, by).at("devices")
}
