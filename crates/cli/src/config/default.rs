//! What a key means when it is left out, each with its reason.

use std::path::{Path, PathBuf};

use super::{Database, Listen, LogFormat, LogLevel};

/// Beside the configuration file, so that trying Provost out leaves everything in one place.
pub(super) fn data_dir(base_dir: &Path) -> PathBuf {
    base_dir.join("provost-data")
}

/// One file and no server to run: right for every installation of one node.
pub(super) fn database() -> Database {
    Database::Sqlite
}

/// Loopback and above 1024: a first start needs no rights and shows nothing to the network.
pub(super) fn phones_https() -> Listen {
    Listen::loopback(8443)
}

/// As for `phones-https`; nothing is served here until a bootstrap is opened.
pub(super) fn phones_http() -> Listen {
    Listen::loopback(8080)
}

/// Loopback, since whoever reaches the console holds every phone.
pub(super) fn console() -> Listen {
    Listen::loopback(8081)
}

/// Loopback and above 1024; real phones need port 123, which takes rights to open.
pub(super) fn sntp() -> Listen {
    Listen::loopback(1123)
}

/// Loopback, at the port of SIP, which takes no rights to open.
pub(super) fn sip() -> Listen {
    Listen::loopback(5060)
}

/// Off: TLS 1.0 and 1.1, SHA-1 and 1024-bit keys are breakable, so someone must want them.
pub(super) fn legacy_tls() -> bool {
    false
}

/// On: makers issued short-lived certificates that no phone can renew.
pub(super) fn accept_expired_leaf() -> bool {
    true
}

/// In the data folder, so that a backup of that folder holds it.
pub(super) fn trust_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("trust")
}

/// In the data folder, which is there in any case; images of a fleet want a larger disk.
pub(super) fn firmware_store(data_dir: &Path) -> PathBuf {
    data_dir.join("firmware")
}

/// Off: a console without TLS of its own is right only where a proxy is known to stand.
pub(super) fn behind_proxy() -> bool {
    false
}

/// In the data folder, where only the server's own user reads; shared storage wants another.
pub(super) fn key_file(data_dir: &Path) -> PathBuf {
    data_dir.join("secret.key")
}

/// One line for each step of a phone: what an administrator looks for first.
pub(super) fn log_level() -> LogLevel {
    LogLevel::Info
}

/// For people: whoever collects logs by machine knows to ask for JSON.
pub(super) fn log_format() -> LogFormat {
    LogFormat::Text
}
