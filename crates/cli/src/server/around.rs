//! Tells the use-cases where this process listens, what it shows, and where its files are.

use super::certificates::Noted;
use super::sockets::Ready;
use crate::config::{Config, Database};
use crate::key_ring;
use provost_app::{App, Surroundings};
use std::sync::PoisonError;

/// Lets the settings page look around in this process.
pub(super) fn tell(app: &App, config: &Config, ready: &Ready, certificates: Noted) {
    let text = |address: &Option<std::net::SocketAddr>| address.map(|address| address.to_string());
    let listeners: Vec<_> = [
        ("phones-https", text(&ready.phones_https)),
        ("phones-http", text(&ready.phones_http)),
        ("console", ready.console.clone()),
        ("sntp", text(&ready.sntp)),
        ("sip", text(&ready.sip)),
    ]
    .into_iter()
    .filter_map(|(name, address)| Some((name, address?)))
    .collect();
    let database = match config.database {
        Database::Sqlite => "SQLite, in one file of the data folder",
        Database::Postgres(_) => "PostgreSQL",
    };
    let (data_dir, key_file) = (ready.data.display().to_string(), config.key_file());
    app.look_around(move |key| Surroundings {
        listeners: listeners.clone(),
        certificates: certificates.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        data_dir: data_dir.clone(),
        database,
        key_file: key_file.display().to_string(),
        key_exported: key_ring::is_exported(&key_file, key),
    });
}
