//! What stands between a request and the files: who is blocked, suspended, excepted, and what was opened.
//!
//! Kept in memory so that a request costs no query, which keeps strangers' answers alike in time;
//! loaded at the start, and changed only after the store was.

mod blocked;
mod exceptions;
mod http_bootstrap;
mod networks;
mod suspensions;

pub use blocked::BlockedView;
pub use exceptions::ExceptionView;
pub use http_bootstrap::HttpBootstrapView;

use crate::AppError;
use networks::Networks;
use provost_core::fingerprint::Fingerprint;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use provost_store::{ExceptionRow, HttpBootstrapRow, Store};
use std::collections::HashMap;
use std::sync::Mutex;
use suspensions::AsksForOthers;

/// The state of the guard.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// Blocked certificates with the reason.
    blocked: Mutex<HashMap<Fingerprint, String>>,
    /// Where the plain-HTTP bootstrap is open.
    http_bootstraps: Mutex<Vec<HttpBootstrapRow>>,
    /// Phones that wait, and until when.
    suspended: Mutex<HashMap<MacAddr, UnixMillis>>,
    asks_for_others: Mutex<AsksForOthers>,
    exceptions: Mutex<Vec<ExceptionRow>>,
    networks: Mutex<Networks>,
}

impl Guard {
    pub(crate) async fn load(store: &Store, now: UnixMillis) -> Result<Self, AppError> {
        let blocked = store.blocked_certificates().await?.into_iter().map(|row| (row.sha256, row.reason));
        Ok(Self {
            blocked: Mutex::new(blocked.collect()),
            http_bootstraps: Mutex::new(store.open_http_bootstraps(now).await?),
            suspended: Mutex::new(store.suspensions(now).await?.into_iter().collect()),
            exceptions: Mutex::new(store.open_exceptions(now).await?),
            ..Self::default()
        })
    }
}
