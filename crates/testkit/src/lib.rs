//! Dev only: starts the real server on free ports and drives it from outside, with tools Provost did
//! not write: curl for HTTP, OpenSSL for certificates, sqlite3 for a look at what was stored.
//!
//! Failures panic: this crate is part of tests.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "dev only: a failure here is a failed test"
)]

mod maker;
mod postgres;
mod process;
mod reply;
mod server;

pub use maker::{Maker, PhoneKey};
pub use postgres::PostgresDatabase;
pub use process::{Finished, Provost};
pub use reply::Reply;
pub use server::{ServerSetup, TestServer};

/// Says that a test needs something that is not there; `./test` counts such lines.
pub fn skipped(why: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The folder of shared test data, or `None` (said as skipped) when it is not there.
pub fn shared() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("PROVOST_SHARED").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        std::path::PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    skipped(&format!("there is no folder of shared test data at {}", folder.display()));
    None
}
