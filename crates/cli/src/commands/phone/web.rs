//! The phone's own web pages, over HTTPS with its factory certificate.

use crate::failure::Failure;
use provost_phone::{Handset, PhoneSetup, WebServer, WebSetup};
use std::net::SocketAddr;

/// Serves the pages of `handset`, which was made from `setup`, as long as what comes back lives.
pub(super) async fn serve(handset: &Handset, setup: &PhoneSetup, address: SocketAddr) -> Result<WebServer, Failure> {
    WebServer::start(handset.clone(), WebSetup::of(setup, address))
        .await
        .map_err(|error| Failure::Usage(error.to_string()))
}
