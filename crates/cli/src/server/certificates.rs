//! The certificates phones see while the server runs: taken in again when their files change, Provost's own renewed
//! in time, their last days told.
//!
//! Never serves what it has not checked: a pair that is broken or half replaced leaves the one before it in place.

use super::acme::{self, Folder};
use super::console::ConsoleTls;
use crate::clock;
use crate::config::Config;
use crate::failure::Failure;
use crate::set_up::{self, EXPIRING_BELOW_DAYS, RENEW_BELOW_DAYS, describe};
use provost_app::{App, ShownCertificate};
use provost_core::public_url::PublicUrl;
use provost_core::time::UnixMillis;
use provost_net::shutdown::Shutdown;
use provost_net::tls::PhoneTls;
use provost_pki::server::{ServerCertificates, ServerPair};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
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
    /// What ACME brought, where the configuration asks for it.
    pub(super) acme: Option<Folder>,
}

/// Certificates and where they came from.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) certificates: ServerCertificates,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Configured,
    Acme,
    Own,
}

impl Origin {
    const fn words(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Acme => "by ACME",
            Self::Own => "of Provost's own authority",
        }
    }
}

impl Source {
    /// What a start shows. Files of ACME that are at fault are as good as none then: others are ordered, and phones
    /// must be served meanwhile.
    pub(super) fn load_first(&self, configured: Option<ServerCertificates>) -> Result<Shown, Failure> {
        if let Some(certificates) = configured {
            return Ok(Shown { certificates, origin: Origin::Configured });
        }
        let brought = self.brought().unwrap_or_else(|failure| {
            tracing::error!("the certificate that ACME brought cannot be shown: {}", on_one_line(&failure));
            None
        });
        brought.map_or_else(|| self.own(), Ok)
    }

    /// Reads the configured pairs, those that ACME brought, or Provost's own, which it makes or renews as needed.
    fn load(&self) -> Result<Shown, Failure> {
        if let Some(certificates) = set_up::configured_certificates(&self.config)? {
            return Ok(Shown { certificates, origin: Origin::Configured });
        }
        self.brought()?.map_or_else(|| self.own(), Ok)
    }

    fn brought(&self) -> Result<Option<Shown>, Failure> {
        let Some(acme) = &self.acme else { return Ok(None) };
        let certificates = acme.certificates().map_err(Failure::Configuration)?;
        Ok(certificates.map(|certificates| Shown { certificates, origin: Origin::Acme }))
    }

    fn own(&self) -> Result<Shown, Failure> {
        if self.acme.is_some() {
            tracing::warn!("until ACME brings a certificate, phones see one of Provost's own authority");
        }
        let certificates = set_up::own_certificates(&self.data, &self.urls())?;
        Ok(Shown { certificates, origin: Origin::Own })
    }

    /// Every address that the certificates must hold.
    pub(super) fn urls(&self) -> Vec<&PublicUrl> {
        [Some(&self.public_url), self.config.former_url.as_ref()].into_iter().flatten().collect()
    }

    /// What the console shows, where it has certificates of its own.
    pub(super) fn load_console(&self) -> Result<Option<ServerCertificates>, Failure> {
        set_up::certificates_of(&self.config.console.pairs)
    }

    /// Why phones must not be told the new address: they would turn away from it.
    fn reason_to_hold(&self, shown: &ServerCertificates) -> Option<String> {
        let missing = set_up::uncovered(shown, &[&self.public_url]);
        let (url, pair) = missing.first().filter(|_| self.config.former_url.is_some())?;
        Some(format!("the {} certificate for {} does not hold {}", pair.kind, pair.names.join(", "), url.bare_host()))
    }

    /// What changes when a file does; a file that is absent has none.
    fn stamps(&self) -> Vec<Option<Stamp>> {
        let pairs = self.config.tls.pairs.iter().chain(&self.config.console.pairs);
        let configured = pairs.flat_map(|pair| [&pair.certificate, &pair.key]).cloned();
        let files = configured.chain(self.acme.iter().flat_map(Folder::files));
        let stamp = |file: PathBuf| {
            let found = std::fs::metadata(file).ok()?;
            Some(Stamp { written: (found.mtime(), found.mtime_nsec()), bytes: found.size(), inode: found.ino() })
        };
        files.map(stamp).collect()
    }
}

impl Shown {
    /// Whether somebody should act: what ACME brings may have short lives, which have a measure of their own.
    fn is_expiring(&self, pair: &ServerPair, now: UnixMillis) -> bool {
        match self.origin {
            Origin::Acme => acme::is_late(pair, now),
            Origin::Configured | Origin::Own => pair.days_left(now) < EXPIRING_BELOW_DAYS,
        }
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
    shown: Shown,
    /// Where the console speaks HTTPS.
    console: Option<ConsoleTls>,
    seen: Vec<Option<Stamp>>,
    hang_up: Signal,
    app: Arc<App>,
    /// What is shown now, for whoever asks.
    noted: Noted,
}

/// The certificates that are shown, as they were noted last.
pub(super) type Noted = Arc<Mutex<Vec<ShownCertificate>>>;

impl Watch {
    /// Starts with the certificates that `tls` shows now.
    pub(super) fn new(
        source: Source,
        (tls, shown): (Arc<PhoneTls>, Shown),
        console: Option<ConsoleTls>,
        app: Arc<App>,
    ) -> Result<Self, Failure> {
        // From here on a hang-up no longer ends the process.
        let hang_up = signal(SignalKind::hangup()).map_err(Failure::runtime)?;
        let seen = source.stamps();
        for pair in shown.certificates.pairs() {
            tracing::info!("phones see the {}", describe(pair, clock::now()));
        }
        let noted = Noted::default();
        let watch = Self { source: Arc::new(source), tls, shown, console, seen, hang_up, app, noted };
        watch.hold_or_release_move();
        watch.note();
        Ok(watch)
    }

    /// Where the certificates stand that are shown, now and later.
    pub(super) fn noted(&self) -> Noted {
        Arc::clone(&self.noted)
    }

    fn note(&self) {
        let told = |origin| {
            move |pair: &ServerPair| ShownCertificate {
                kind: pair.kind.to_string(),
                names: pair.names.clone(),
                origin,
                ends: pair.not_after,
            }
        };
        let of_phones = self.shown.certificates.pairs().map(told(self.shown.origin.words()));
        let of_console = self.console.iter().flat_map(ConsoleTls::pairs).map(told("configured, for the console"));
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = of_phones.chain(of_console).collect();
    }

    /// Keeps phones where they are while the certificates do not hold the address they are to move to.
    fn hold_or_release_move(&self) {
        let why = self.source.reason_to_hold(&self.shown.certificates);
        if let Some(why) = &why {
            tracing::error!("no phone is told the new public-url: {why}");
        }
        self.app.hold_move(why);
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
        let days = self.shown.certificates.pairs().map(|pair| pair.days_left(clock::now())).min();
        if self.shown.origin == Origin::Own && days.is_some_and(|left| left <= RENEW_BELOW_DAYS) {
            self.take_in().await;
        }
        for pair in self.shown.certificates.pairs() {
            let now = clock::now();
            if self.shown.is_expiring(pair, now) {
                tracing::error!(days_left = pair.days_left(now), "renew the {}", describe(pair, now));
            }
        }
        self.tell_days().await;
    }

    /// Raises the alarm of a certificate in its last days, or ends it once it was renewed.
    async fn tell_days(&self) {
        // RSA and P-256 for the same names are one thing to renew: the sooner end counts.
        let mut days_of = BTreeMap::new();
        let of_console = self.console.iter().flat_map(ConsoleTls::pairs);
        for pair in self.shown.certificates.pairs().chain(of_console) {
            let now = clock::now();
            // What is not expiring ends the alarm, however few days its life has.
            let days = if self.shown.is_expiring(pair, now) { pair.days_left(now) } else { EXPIRING_BELOW_DAYS };
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
        let loaded = tokio::task::spawn_blocking(move || (source.load(), source.load_console())).await;
        let (loaded, of_console) = match loaded {
            Ok((loaded, of_console)) => (Ok(loaded), of_console),
            Err(error) => (Err(error), Ok(None)),
        };
        let replaced = loaded.map_err(Failure::runtime).and_then(|loaded| loaded).and_then(|found| {
            self.tls.replace(&found.certificates, self.tls.policy()).map_err(Failure::runtime)?;
            Ok(found)
        });
        match replaced {
            Ok(found) => {
                for pair in found.certificates.pairs() {
                    tracing::info!("phones see from now on the {}", describe(pair, clock::now()));
                }
                self.shown = found;
                self.hold_or_release_move();
                self.tell_days().await;
            }
            Err(failure) => {
                let why = on_one_line(&failure);
                tracing::error!("the server certificate stays as it was, because the new one is at fault: {why}");
            }
        }
        let taken = self.console.as_mut().map(|console| console.take_in(of_console, &self.shown.certificates));
        if let Some(Err(failure)) = taken {
            let why = on_one_line(&failure);
            tracing::error!("the console's certificate stays as it was, because the new one is at fault: {why}");
        }
        self.note();
    }
}

fn on_one_line(failure: &Failure) -> String {
    failure.to_string().replace('\n', "; ")
}

const fn day_of(now: UnixMillis) -> i64 {
    now.0.div_euclid(86_400_000)
}
