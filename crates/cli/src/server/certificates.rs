//! The certificates phones see while the server runs: taken in again when their files change, Provost's own renewed
//! in time, their last days told.
//!
//! Never serves what it has not checked: a pair that is broken or half replaced leaves the one before it in place.

use crate::clock;
use crate::config::Config;
use crate::failure::Failure;
use crate::set_up::{self, EXPIRING_BELOW_DAYS, RENEW_BELOW_DAYS, describe};
use provost_app::App;
use provost_core::public_url::PublicUrl;
use provost_core::time::UnixMillis;
use provost_net::shutdown::Shutdown;
use provost_net::tls::PhoneTls;
use provost_pki::server::ServerCertificates;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How soon a replaced file is noticed without a signal.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Where the certificates come from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) config: Config,
    pub(super) data: PathBuf,
    pub(super) public_url: PublicUrl,
}

impl Source {
    /// Reads the configured pairs, or Provost's own, which it makes or renews as needed.
    pub(super) fn load(&self) -> Result<ServerCertificates, Failure> {
        match set_up::configured_certificates(&self.config)? {
            Some(certificates) => Ok(certificates),
            None => set_up::own_certificates(&self.data, &self.public_url),
        }
    }

    /// What changes when a configured file does; a file that is absent has none.
    fn stamps(&self) -> Vec<Option<Stamp>> {
        let files = self.config.tls.pairs.iter().flat_map(|pair| [&pair.certificate, &pair.key]);
        let stamp = |file: &PathBuf| {
            let found = std::fs::metadata(file).ok()?;
            Some(Stamp { written: (found.mtime(), found.mtime_nsec()), bytes: found.size(), inode: found.ino() })
        };
        files.map(stamp).collect()
    }

    const fn is_own(&self) -> bool {
        self.config.tls.pairs.is_empty()
    }
}

/// The inode besides, because a file may be replaced by one of the same size within the clock's resolution.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    written: (i64, i64),
    bytes: u64,
    inode: u64,
}

/// What keeps the certificates current.
pub(super) struct Watch {
    source: Arc<Source>,
    tls: Arc<PhoneTls>,
    shown: ServerCertificates,
    seen: Vec<Option<Stamp>>,
    hang_up: Signal,
    app: Arc<App>,
}

impl Watch {
    /// Starts with the certificates that `tls` shows now.
    pub(super) fn new(
        source: Source,
        tls: Arc<PhoneTls>,
        shown: ServerCertificates,
        app: Arc<App>,
    ) -> Result<Self, Failure> {
        // From here on a hang-up no longer ends the process.
        let hang_up = signal(SignalKind::hangup()).map_err(Failure::runtime)?;
        let seen = source.stamps();
        for pair in shown.pairs() {
            tracing::info!("phones see the {}", describe(pair, clock::now()));
        }
        Ok(Self { source: Arc::new(source), tls, shown, seen, hang_up, app })
    }

    /// Looks until stopped.
    pub(super) async fn run(mut self, mut stop: Shutdown) {
        let mut day = None;
        loop {
            // By the calendar and not by a timer, so that a machine that slept or got the right time is not late.
            let today = day_of(clock::now());
            if day.replace(today) != Some(today) {
                self.daily().await;
            }
            let called = tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => false,
                _ = self.hang_up.recv() => true,
                () = stop.pulled() => return,
            };
            // Before the files are read: a change in between is then seen the next time.
            let stamps = self.source.stamps();
            if called || stamps != self.seen {
                self.seen = stamps;
                self.take_in().await;
            }
        }
    }

    async fn daily(&mut self) {
        let days = |shown: &ServerCertificates| shown.pairs().map(|pair| pair.days_left(clock::now())).min();
        if self.source.is_own() && days(&self.shown).is_some_and(|left| left <= RENEW_BELOW_DAYS) {
            self.take_in().await;
        }
        for pair in self.shown.pairs() {
            let now = clock::now();
            if pair.days_left(now) < EXPIRING_BELOW_DAYS {
                tracing::error!(days_left = pair.days_left(now), "renew the {}", describe(pair, now));
            }
        }
        self.tell_days().await;
    }

    /// Raises the alarm of a certificate in its last days, or ends it once it was renewed.
    async fn tell_days(&self) {
        // RSA and P-256 for the same names are one thing to renew: the sooner end counts.
        let mut days_of = BTreeMap::new();
        for pair in self.shown.pairs() {
            let days = pair.days_left(clock::now());
            days_of.entry(&pair.names).and_modify(|fewest: &mut i64| *fewest = days.min(*fewest)).or_insert(days);
        }
        for (names, days) in days_of {
            if let Err(error) = self.app.server_certificate_days(days, names).await {
                tracing::error!(%error, "the alarm about a server certificate could not be written");
            }
        }
    }

    /// Shows what the files hold now, if it is good.
    async fn take_in(&mut self) {
        let source = Arc::clone(&self.source);
        // Making a key takes a tenth of a second, and a folder on the network may take longer.
        let loaded = tokio::task::spawn_blocking(move || source.load()).await;
        let replaced = loaded.map_err(Failure::runtime).and_then(|loaded| loaded).and_then(|found| {
            self.tls.replace(&found, self.tls.policy()).map_err(Failure::runtime)?;
            Ok(found)
        });
        match replaced {
            Ok(found) => {
                for pair in found.pairs() {
                    tracing::info!("phones see from now on the {}", describe(pair, clock::now()));
                }
                self.shown = found;
                self.tell_days().await;
            }
            Err(failure) => {
                let why = failure.to_string().replace('\n', "; ");
                tracing::error!("the server certificate stays as it was, because the new one is at fault: {why}");
            }
        }
    }
}

const fn day_of(now: UnixMillis) -> i64 {
    now.0.div_euclid(86_400_000)
}
