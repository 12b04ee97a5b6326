//! Gets the server's certificates from a public authority and renews them in time (ACME, RFC 8555).
//!
//! Decides when to order and how long to wait after a failure. Writes what came to `DATA/server/acme`, from where
//! [`super::certificates`] takes it like any file that changed; never touches what phones see itself.
//! An RSA and a P-256 certificate are two orders, RSA first.

mod account;
mod folder;
mod https;
mod order;
mod trouble;

use crate::clock;
use crate::config::Acme;
use crate::failure::Failure;
pub(crate) use folder::{Folder, is_late};
use folder::{KINDS, with_article};
use https::Https;
use instant_acme::Account;
use provost_net::shutdown::Shutdown;
use provost_pki::authority::ServerKeyKind;
use provost_web::phones::Challenges;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use trouble::Trouble;

/// How often it is looked whether something is to be renewed: often enough for certificates that live a day.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// For one certificate; each step has a shorter one of its own.
const ORDER_DEADLINE: Duration = Duration::from_secs(5 * 60);
/// The first wait after a failure; each further one is four times as long. Public authorities allow five failures an
/// hour.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// At most this: two tries a day for a month, before a certificate of 90 days is over.
const LONGEST_WAIT: Duration = Duration::from_secs(12 * 60 * 60);

/// What keeps certificates coming.
pub(super) struct Renewal {
    acme: Acme,
    folder: Folder,
    https: Https,
    challenges: Arc<Challenges>,
}

/// What is wrong with `acme-authority`, which is read at the start.
pub(crate) fn check(acme: &Acme) -> Result<(), Failure> {
    https(acme).map(drop)
}

fn https(acme: &Acme) -> Result<Https, Failure> {
    let at_fault = |why: &dyn fmt::Display| {
        let file = acme.authority.as_deref().unwrap_or(Path::new("")).display();
        Failure::Configuration(vec![format!(
            "{}: tls.acme-authority: cannot take roots from {file}: {why}; name a PEM file with certificates",
            acme.place
        )])
    };
    if let Some(Err(error)) = acme.authority.as_ref().map(std::fs::metadata) {
        return Err(at_fault(&error));
    }
    Https::new(acme.authority.as_deref()).map_err(|error| at_fault(&error))
}

impl Renewal {
    /// Reads the roots for the authority's server.
    pub(super) fn new(acme: &Acme, folder: Folder, challenges: Arc<Challenges>) -> Result<Self, Failure> {
        Ok(Self { acme: acme.clone(), folder, https: https(acme)?, challenges })
    }

    /// Orders what is missing or near its end, until stopped.
    pub(super) async fn run(self, mut stop: Shutdown) {
        let mut failures: u32 = 0;
        loop {
            let round = tokio::select! {
                round = self.round() => round,
                // An order that is dropped closes its challenges; the authority forgets it.
                () = stop.pulled() => return,
            };
            let wait = match round {
                Ok(()) => {
                    failures = 0;
                    tracing::debug!("no certificate is to be ordered; the next look is in an hour");
                    LOOK_EVERY
                }
                Err(failed) => {
                    let wait = wait_after(failures, failed.why.is_rate_limit(), rand::random());
                    failures = failures.saturating_add(1);
                    self.tell(&failed, wait);
                    wait
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.pulled() => return,
            }
        }
    }

    async fn round(&self) -> Result<(), Failed> {
        let now = clock::now();
        let mut account = None;
        for kind in KINDS {
            let Some(reason) = self.folder.reason(kind, now) else { continue };
            let failed = |why| Failed { kind, why };
            tracing::info!(
                "ordering {} certificate for {} from {}: {reason}",
                with_article(kind),
                self.names(),
                self.acme.directory
            );
            let order = tokio::time::timeout(ORDER_DEADLINE, self.order(kind, &mut account)).await;
            order.unwrap_or(Err(Trouble::Late(ORDER_DEADLINE))).map_err(failed)?;
            tracing::info!("{} certificate for {} came", with_article(kind), self.names());
        }
        Ok(())
    }

    async fn order(&self, kind: ServerKeyKind, account: &mut Option<Account>) -> Result<(), Trouble> {
        let file = self.folder.account_file();
        let account = match account {
            Some(account) => account,
            none => none.insert(account::open(&file, &self.acme, &self.https).await?),
        };
        let issued = order::certificate(account, &self.acme.names, kind, &self.challenges).await;
        let issued = match issued {
            Err(why) if why.is_unknown_account() => {
                account::forget(&file)?;
                return Err(why);
            }
            issued => issued?,
        };
        let checked = self.folder.check(kind, &issued.key, &issued.chain);
        let checked = checked.map_err(|faults| Trouble::Unusable(faults.join("; ")))?;
        let file = self.folder.file(kind);
        let kept = tokio::task::spawn_blocking(move || checked.keep()).await?;
        kept.map_err(|error| Trouble::File { file, error })
    }

    fn names(&self) -> String {
        self.acme.names.join(", ")
    }

    fn tell(&self, failed: &Failed, wait: Duration) {
        let Failed { kind, why } = failed;
        let minutes = wait.as_secs().saturating_add(30) / 60;
        tracing::error!(
            "no {} certificate for {} from {}: {why}; {}; the next try is in about {minutes} min, or at a restart",
            name(*kind),
            self.names(),
            self.acme.directory,
            why.advice(&self.names())
        );
    }
}

/// A certificate that did not come.
struct Failed {
    kind: ServerKeyKind,
    why: Trouble,
}

const fn name(kind: ServerKeyKind) -> &'static str {
    match kind {
        ServerKeyKind::Rsa2048 => "RSA",
        ServerKeyKind::P256 => "P-256",
    }
}

/// How long to wait after the failure that follows `failures` others: longer each time, and by up to a quarter more by
/// `chance`, so that servers that failed together do not try together.
fn wait_after(failures: u32, is_rate_limit: bool, chance: u8) -> Duration {
    let least = if is_rate_limit { LOOK_EVERY } else { FIRST_WAIT };
    let grown = FIRST_WAIT.saturating_mul(4u32.saturating_pow(failures)).clamp(least, LONGEST_WAIT);
    grown.saturating_add(grown.saturating_mul(u32::from(chance)).checked_div(1024).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_from_a_minute_to_half_a_day_and_a_quarter_is_chance() {
        let minutes = |failures, chance| wait_after(failures, false, chance).as_secs() / 60;

        assert_eq!([0, 1, 2, 3, 4, 5, 40].map(|failures| minutes(failures, 0)), [1, 4, 16, 64, 256, 720, 720]);
        assert_eq!(minutes(3, 255), 79);
        assert_eq!(wait_after(0, true, 0), LOOK_EVERY);
    }
}
