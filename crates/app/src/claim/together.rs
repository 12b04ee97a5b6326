//! Claims written together: a crowd of activations costs one disk sync and not a hundred.
//!
//! Nobody is told of a claim before it is on disk, and a claim outlives whoever asked for it: a browser that hangs up
//! must not come between the claim and what follows from it. Decides nothing about who may claim what.

use crate::AppError;
use crate::doors::{Doors, Returns};
use crate::passwords::{DrawnPasswords, PendingPasswords};
use crate::phones::Answers;
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::sentence::{Claim, Entry};
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use provost_store::{AuditEntry, ClaimBy, ClaimOutcome, ClaimRequest, Store};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Claims of one durable step: more would make those at its end wait.
const MOST_TOGETHER: usize = 128;

/// Claims that wait for their step; the next one waits to wait.
const QUEUE: usize = 1_024;

/// By what right, kept by the claim itself.
pub(super) enum OwnedRight {
    /// The keyed hash of a code.
    Code(Vec<u8>),
    /// Its MAC was entered with the device.
    PreAssigned(DeviceId),
}

/// One claim with everything it needs.
pub(super) struct ClaimWork {
    pub(super) by: OwnedRight,
    pub(super) mac: MacAddr,
    pub(super) model: String,
    pub(super) passwords: DrawnPasswords,
    pub(super) how: Claim,
    pub(super) now: UnixMillis,
    pub(super) event_id: String,
    pub(super) tried: Option<Tried>,
    pub(super) audit: Option<AuditEntry>,
    /// What the timeline says of it.
    pub(super) tell: fn(Option<&str>, Claim, MacAddr) -> Entry,
}

impl ClaimWork {
    fn request(&self) -> ClaimRequest<'_> {
        let DrawnPasswords { admin, user, digest } = &self.passwords;
        let by = match &self.by {
            OwnedRight::Code(digest) => ClaimBy::Code(digest),
            OwnedRight::PreAssigned(device) => ClaimBy::PreAssigned(device),
        };
        ClaimRequest {
            by,
            mac: self.mac,
            model: &self.model,
            admin_password: admin,
            user_password: user,
            admin_digest: digest,
            how: self.how,
            now: self.now,
            event_id: &self.event_id,
            tried: self.tried,
            audit: self.audit.as_ref(),
            tell: self.tell,
        }
    }
}

/// A claim and who waits for how it ended.
struct Waiting {
    work: ClaimWork,
    told: oneshot::Sender<Result<ClaimOutcome, AppError>>,
}

/// The way to the one task that writes claims.
#[derive(Debug)]
pub(crate) struct Claims {
    waiting: mpsc::Sender<Waiting>,
}

impl Claims {
    pub(crate) fn start(
        store: Store,
        answers: Arc<Answers>,
        doors: &Doors,
        pending_passwords: Arc<PendingPasswords>,
    ) -> Self {
        let (waiting, from_waiting) = mpsc::channel(QUEUE);
        let writer = Writer { store, answers, returns: Arc::clone(&doors.returns), pending_passwords };
        tokio::spawn(write(Arc::new(writer), from_waiting));
        Self { waiting }
    }

    /// How the claim ended, once that is on disk.
    pub(super) async fn done(&self, work: ClaimWork) -> Result<ClaimOutcome, AppError> {
        let (told, ended) = oneshot::channel();
        if self.waiting.send(Waiting { work, told }).await.is_err() {
            return Err(AppError::Interrupted);
        }
        ended.await.unwrap_or(Err(AppError::Interrupted))
    }
}

struct Writer {
    store: Store,
    answers: Arc<Answers>,
    returns: Arc<Returns>,
    pending_passwords: Arc<PendingPasswords>,
}

/// Ends when the [`Claims`] are dropped. A step that breaks off takes no later one with it: those who wait for it are told.
async fn write(writer: Arc<Writer>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut together = Vec::new();
    // While one step is written the next one gathers.
    while waiting.recv_many(&mut together, MOST_TOGETHER).await > 0 {
        let step = Arc::clone(&writer).step(std::mem::take(&mut together));
        if let Err(error) = tokio::spawn(step).await {
            tracing::error!(%error, "a step of claims broke off");
        }
    }
}

impl Writer {
    /// Writes claims together; where that fails or breaks off, each by itself, so that one takes no other with it.
    async fn step(self: Arc<Self>, together: Vec<Waiting>) {
        let (works, told): (Vec<_>, Vec<_>) = together.into_iter().map(|one| (Arc::new(one.work), one.told)).unzip();
        let (store, all) = (self.store.clone(), works.clone());
        let written = tokio::spawn(async move {
            let requests: Vec<_> = all.iter().map(|work| work.request()).collect();
            store.claim_all(&requests).await
        });
        let written = written.await;
        // Also after a failure: a commit whose answer was lost is a commit.
        self.answers.changed();
        match written {
            Ok(Ok(outcomes)) => {
                for ((work, told), outcome) in works.iter().zip(told).zip(outcomes) {
                    let _ = told.send(self.followed(work, outcome).await);
                }
            }
            Ok(Err(_)) | Err(_) => {
                for (work, told) in works.into_iter().zip(told) {
                    let alone = tokio::spawn(Arc::clone(&self).alone(work));
                    let _ = told.send(alone.await.unwrap_or(Err(AppError::Interrupted)));
                }
            }
        }
    }

    /// A claim by itself; where the commit happened after all, it was claimed before.
    async fn alone(self: Arc<Self>, work: Arc<ClaimWork>) -> Result<ClaimOutcome, AppError> {
        let written = self.store.claim(&work.request()).await;
        self.answers.changed();
        self.followed(&work, written?).await
    }

    /// What follows from a claim that is on disk.
    async fn followed(&self, work: &ClaimWork, outcome: ClaimOutcome) -> Result<ClaimOutcome, AppError> {
        let ClaimWork { mac, how, now, event_id, .. } = work;
        let (mac, how, now) = (*mac, *how, *now);
        match outcome {
            ClaimOutcome::Claimed(_) => {
                self.pending_passwords.wait_for(mac, event_id.clone());
                self.returns.wait_for(mac, now, how == Claim::PreAssigned);
            }
            ClaimOutcome::ClaimedBefore(_) => {
                if let Some(row) = self.store.awaited_phone(mac).await? {
                    self.returns.wait_on(row, now);
                }
            }
            ClaimOutcome::Refused(_) => {}
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, App, Parts, PlainHttp, Told, Vault};
    use provost_catalog::Catalog;
    use provost_core::entry::{AccountInput, DeviceInput, LineInput, SipServerInput, SiteInput, UserInput};
    use provost_core::public_url::PublicUrl;
    use provost_core::sentence;

    const NOW: UnixMillis = UnixMillis(1_790_000_000_000);

    fn mac(n: u8) -> MacAddr {
        MacAddr::new([0, 4, 0xf2, 0, 0, n])
    }

    fn breaks(_: Option<&str>, _: Claim, _: MacAddr) -> Entry {
        panic!("a test breaks this step off")
    }

    async fn server() -> (tempfile::TempDir, Arc<App>) {
        let folder = tempfile::tempdir().unwrap();
        let parts = Parts {
            store: Store::open(&folder.path().join("provost.db")).await.unwrap(),
            catalog: Arc::new(Catalog::built_in().unwrap()),
            vault: Vault::new(&[7; 32]).unwrap(),
            told: Told {
                public_url: PublicUrl::new("phones.example.com", 443).unwrap(),
                former: None,
                plain_http: PlainHttp::On { url: None },
                time_server: None,
                sip: None,
                server_root: None,
                command: "provost".to_owned(),
                console: None,
            },
            clock: || NOW,
            firmware_store: folder.path().join("firmware"),
        };
        let app = App::start(parts).await.unwrap();
        (folder, app)
    }

    /// An account with somebody in it.
    async fn customer(app: &App) -> (String, String) {
        let by = Actor::control_socket();
        let input = AccountInput { name: "Example".to_owned(), parent: None };
        let account = app.add_account(input, &by).await.unwrap().id;
        let site = SiteInput {
            account: account.clone(),
            name: "Head office".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            country: None,
            language: None,
            sip_servers: vec![SipServerInput { host: "pbx.example.com".to_owned(), port: None, transport: None }],
            vlan: None,
            voicemail: None,
            emergency_address: None,
        };
        let site = app.add_site(site, &by).await.unwrap().id;
        let user = UserInput {
            site,
            name: "Somebody".to_owned(),
            extension: "201".to_owned(),
            email: None,
            language: None,
            lines: vec![LineInput { user: "201".to_owned(), password: None, auth_user: None }],
        };
        (account, app.add_user(user, &by).await.unwrap().id)
    }

    async fn work(app: &App, (account, user): &(String, String), n: u8) -> ClaimWork {
        let input = DeviceInput {
            account: account.clone(),
            model: "vvx450".to_owned(),
            user: Some(user.clone()),
            mac: Some(mac(n).to_string()),
        };
        let device = app.add_device(input, &Actor::control_socket()).await.unwrap();
        ClaimWork {
            by: OwnedRight::PreAssigned(device.id.parse().unwrap()),
            mac: mac(n),
            model: "vvx450".to_owned(),
            passwords: DrawnPasswords { admin: vec![1], user: vec![2], digest: vec![n] },
            how: Claim::PreAssigned,
            now: NOW,
            event_id: format!("01TEST{n}"),
            tried: None,
            audit: None,
            tell: sentence::claimed,
        }
    }

    #[tokio::test]
    async fn a_claim_that_breaks_off_takes_none_of_its_step_and_no_later_one_with_it() {
        let (_folder, app) = server().await;
        let customer = customer(&app).await;
        let (one, two) = (work(&app, &customer, 1).await, work(&app, &customer, 2).await);
        let (three, four) = (work(&app, &customer, 3).await, work(&app, &customer, 4).await);

        let two = ClaimWork { tell: breaks, ..two };
        let (one, two, three) = tokio::join!(app.claims.done(one), app.claims.done(two), app.claims.done(three));
        let four = app.claims.done(four).await;

        assert!(matches!(two, Err(AppError::Interrupted)), "{two:?}");
        for claimed in [one, three, four] {
            assert!(matches!(claimed, Ok(ClaimOutcome::Claimed(_))), "{claimed:?}");
        }
    }
}
