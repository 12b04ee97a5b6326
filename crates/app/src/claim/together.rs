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
use provost_core::sentence::{self, Claim};
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
            tell: sentence::claimed,
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
        tokio::spawn(writer.write(from_waiting));
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

impl Writer {
    /// Ends when the [`Claims`] are dropped.
    async fn write(self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut together = Vec::with_capacity(MOST_TOGETHER);
        // While one step is written the next one gathers.
        while waiting.recv_many(&mut together, MOST_TOGETHER).await > 0 {
            let requests: Vec<_> = together.iter().map(|waiting| waiting.work.request()).collect();
            let written = self.store.claim_all(&requests).await;
            drop(requests);
            // Also after a failure: a commit whose answer was lost is a commit.
            self.answers.changed();
            match written {
                Ok(outcomes) => {
                    for (Waiting { work, told }, outcome) in together.drain(..).zip(outcomes) {
                        let _ = told.send(self.followed(work, outcome).await);
                    }
                }
                Err(_) => {
                    for Waiting { work, told } in together.drain(..) {
                        let _ = told.send(self.alone(work).await);
                    }
                }
            }
        }
    }

    /// A claim by itself, so that one that fails takes no other with it; where the commit happened after all, it was
    /// claimed before.
    async fn alone(&self, work: ClaimWork) -> Result<ClaimOutcome, AppError> {
        let written = self.store.claim(&work.request()).await;
        self.answers.changed();
        self.followed(work, written?).await
    }

    /// What follows from a claim that is on disk.
    async fn followed(&self, work: ClaimWork, outcome: ClaimOutcome) -> Result<ClaimOutcome, AppError> {
        let ClaimWork { mac, how, now, event_id, .. } = work;
        match outcome {
            ClaimOutcome::Claimed(_) => {
                self.pending_passwords.wait_for(mac, event_id);
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
