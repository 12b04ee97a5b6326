//! Gets the server's certificates from a public authority and renews them in time (ACME, RFC 8555).
//!
//! Decides when to order and how long to wait after a failure, for each kind of key by itself. Never orders again at
//! once what may have been issued: it is held until it can be written, or waited for half a day. Writes what came to `DATA/server/acme`, from where
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
use folder::{Checked, KINDS, with_article};
pub(crate) use folder::{Folder, is_late};
use https::Https;
use instant_acme::{Account, Order};
use provost_net::shutdown::Shutdown;
use provost_pki::authority::ServerKeyKind;
use provost_web::phones::Challenges;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use trouble::Trouble;

/// How often it is looked whether something is to be renewed: often enough for certificates that live a day.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// For one order until it is proven that the names lead here; each step has a shorter one of its own.
const PROOF_DEADLINE: Duration = Duration::from_secs(3 * 60);
/// For the certificate after that.
const FETCH_DEADLINE: Duration = Duration::from_secs(2 * 60);
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
        let mut courses = KINDS.map(Course::new);
        loop {
            tokio::select! {
                () = self.round(&mut courses) => {}
                // An order that is dropped closes its challenges; the authority forgets it.
                () = stop.pulled() => return,
            }
            if courses.iter().all(|course| course.until.is_none()) {
                tracing::debug!("no certificate is to be ordered; the next look is in an hour");
            }
            let waits = courses.iter().filter_map(Course::left);
            tokio::select! {
                () = tokio::time::sleep(waits.min().unwrap_or(LOOK_EVERY).min(LOOK_EVERY)) => {}
                () = stop.pulled() => return,
            }
        }
    }

    async fn round(&self, courses: &mut [Course]) {
        let mut account = None;
        let mut courses = courses.iter_mut();
        while let Some(course) = courses.next() {
            if course.left().is_some_and(|left| !left.is_zero()) {
                continue;
            }
            let Err(why) = self.get(course, &mut account).await else {
                (course.failures, course.until) = (0, None);
                continue;
            };
            let bounds = Bounds::of(&why, self.folder.left(course.kind, clock::now()));
            let wait = wait_after(course.failures, &bounds, rand::random());
            course.put_off(wait);
            self.tell(course.kind, &why, wait);
            if why.is_common() {
                courses.by_ref().for_each(|other| other.put_off(wait));
            }
        }
    }

    /// Has what this kind needs, if it needs anything.
    async fn get(&self, course: &mut Course, account: &mut Option<Account>) -> Result<(), Trouble> {
        let kind = course.kind;
        self.keep(course).await?;
        let Some(reason) = self.folder.reason(kind, clock::now()) else { return Ok(()) };
        tracing::info!(
            "ordering {} certificate for {} from {}: {reason}",
            with_article(kind),
            self.names(),
            self.acme.directory
        );
        let folder = self.folder.clone();
        tokio::task::spawn_blocking(move || folder.try_out()).await??;
        let order = timeout(PROOF_DEADLINE, self.prove(account)).await;
        let order = order.unwrap_or(Err(Trouble::Late(PROOF_DEADLINE)))?;
        let request = order::request(&self.acme.names, kind).await?;
        let late = || Trouble::Unfetched(Box::new(Trouble::Late(FETCH_DEADLINE)));
        let issued = timeout(FETCH_DEADLINE, order::fetch(order, request)).await.unwrap_or_else(|_| Err(late()))?;
        let checked = self.folder.check(kind, &issued.key, &issued.chain);
        course.held = Some(Arc::new(checked.map_err(|faults| Trouble::Unusable(faults.join("; ")))?));
        self.keep(course).await?;
        tracing::info!("{} certificate for {} came", with_article(kind), self.names());
        Ok(())
    }

    /// Writes down what came, now or before.
    async fn keep(&self, course: &mut Course) -> Result<(), Trouble> {
        let Some(held) = course.held.clone() else { return Ok(()) };
        let file = held.file().to_owned();
        let kept = tokio::task::spawn_blocking(move || held.keep()).await?;
        kept.map_err(|error| Trouble::Unkept { file, error })?;
        course.held = None;
        Ok(())
    }

    /// An order under the account, which is made if there is none and forgotten if the authority forgot it.
    async fn prove(&self, account: &mut Option<Account>) -> Result<Order, Trouble> {
        let file = self.folder.account_file();
        let proven = async {
            let account = match account {
                Some(account) => account,
                none => none.insert(account::open(&file, &self.acme, &self.https).await?),
            };
            order::prove(account, &self.acme.names, &self.challenges).await
        };
        let proven = proven.await;
        if proven.as_ref().is_err_and(Trouble::is_unknown_account) {
            account::forget(&file)?;
        }
        proven
    }

    fn names(&self) -> String {
        self.acme.names.join(", ")
    }

    fn tell(&self, kind: ServerKeyKind, why: &Trouble, wait: Duration) {
        let minutes = wait.as_secs().saturating_add(30) / 60;
        // What is held is lost by one.
        let or = if matches!(why, Trouble::Unkept { .. }) { "" } else { ", or at a restart" };
        tracing::error!(
            "no {} certificate for {} from {}: {why}; {}; the next try is in about {minutes} min{or}",
            name(kind),
            self.names(),
            self.acme.directory,
            why.advice(&self.names())
        );
    }
}

/// How far it is with one kind of key.
struct Course {
    kind: ServerKeyKind,
    failures: u32,
    /// When to try again after a failure.
    until: Option<Instant>,
    /// What came and could not be written yet.
    held: Option<Arc<Checked>>,
}

impl Course {
    const fn new(kind: ServerKeyKind) -> Self {
        Self { kind, failures: 0, until: None, held: None }
    }

    fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    fn put_off(&mut self, wait: Duration) {
        self.failures = self.failures.saturating_add(1);
        self.until = self.until.max(Instant::now().checked_add(wait));
    }
}

const fn name(kind: ServerKeyKind) -> &'static str {
    match kind {
        ServerKeyKind::Rsa2048 => "RSA",
        ServerKeyKind::P256 => "P-256",
    }
}

/// Between which a wait after a failure stays.
struct Bounds {
    least: Duration,
    most: Duration,
}

impl Bounds {
    /// With so much `left` of what phones see: a quarter of it at most, so that several tries fit into any life.
    fn of(why: &Trouble, left: Option<Duration>) -> Self {
        if why.may_be_issued() {
            return Self { least: LONGEST_WAIT, most: Duration::MAX };
        }
        let least = if why.is_rate_limit() { LOOK_EVERY } else { FIRST_WAIT };
        let most = left.and_then(|left| left.checked_div(4)).unwrap_or(Duration::MAX);
        Self { least, most: most.max(least) }
    }
}

/// How long to wait after the failure that follows `failures` others: longer each time, and by up to a quarter more by
/// `chance`, so that servers that failed together do not try together.
fn wait_after(failures: u32, bounds: &Bounds, chance: u8) -> Duration {
    let grown = FIRST_WAIT.saturating_mul(4u32.saturating_pow(failures)).clamp(bounds.least, LONGEST_WAIT);
    let more = grown.saturating_mul(u32::from(chance)).checked_div(1024).unwrap_or_default();
    grown.saturating_add(more).min(bounds.most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATE: Trouble = Trouble::Late(PROOF_DEADLINE);

    fn minutes(failures: u32, why: &Trouble, left: Option<Duration>) -> u64 {
        wait_after(failures, &Bounds::of(why, left), 0).as_secs() / 60
    }

    #[test]
    fn the_wait_grows_from_a_minute_to_half_a_day_and_a_quarter_is_chance() {
        let waits = [0, 1, 2, 3, 4, 5, 40].map(|failures| minutes(failures, &LATE, None));

        assert_eq!(waits, [1, 4, 16, 64, 256, 720, 720]);
        assert_eq!(wait_after(3, &Bounds::of(&LATE, None), 255).as_secs() / 60, 79);
    }

    #[test]
    fn no_wait_is_longer_than_a_quarter_of_what_is_left_nor_shorter_than_a_minute() {
        let left = |minutes: u64| Some(Duration::from_secs(minutes * 60));

        assert_eq!([8 * 60, 60, 3, 0].map(|rest| minutes(40, &LATE, left(rest))), [120, 15, 1, 1]);
        assert_eq!(minutes(0, &LATE, left(60)), 1);
        assert_eq!(wait_after(40, &Bounds::of(&LATE, left(60)), 255).as_secs() / 60, 15);
    }

    #[test]
    fn what_may_have_been_issued_is_not_ordered_again_for_half_a_day() {
        let unfetched = Trouble::Unfetched(Box::new(LATE));
        for why in [Trouble::Unusable("it has expired".to_owned()), unfetched] {
            assert_eq!(minutes(0, &why, Some(Duration::from_secs(60))), 720);
        }
    }

    #[test]
    fn one_kinds_failures_do_not_put_the_other_off() {
        let [rsa, mut p256] = KINDS.map(Course::new);

        p256.put_off(LONGEST_WAIT);
        p256.put_off(FIRST_WAIT);

        assert!(rsa.left().is_none());
        // The longer wait counts.
        assert!(p256.left().is_some_and(|left| left > FIRST_WAIT));
        assert_eq!(p256.failures, 2);
    }
}
