//! What becomes of a step when its phone is back, and of a version that failed too often.

use super::decide::words;
use super::due::Stand;
use super::policies::{alarm_subject, scope_of};
use crate::alarms::AlarmKind;
use crate::{Actor, App, AppError, locked};
use provost_core::firmware::policy::{AfterRing, MOST_ATTEMPTS, Policy};
use provost_core::firmware::step::{Returned, StepState};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, CameBack};
use provost_core::time::UnixMillis;
use provost_store::{CanaryQuery, PauseRow, StepEnd, StepRow};

impl App {
    /// Ends a step; whether it was still open.
    pub(super) async fn end_step(&self, mac: MacAddr, end: StepEnd<'_>) -> Result<bool, AppError> {
        let ended = self.store.end_firmware_step(end).await?;
        // Who was too late knows nothing of the step that may have begun since.
        if ended {
            self.forget_step(mac).await?;
        }
        Ok(ended)
    }

    /// Ends a step by what its phone came back as.
    pub(super) async fn came_back(&self, stand: &Stand<'_>, row: &StepRow, came: Returned) -> Result<(), AppError> {
        let runs = if row.step.is_updater { stand.updater.as_ref() } else { Some(&stand.runs) };
        let runs = runs.unwrap_or(&stand.runs);
        let (state, back) = match came {
            Returned::NotYet => return Ok(()),
            Returned::Done => (StepState::Done, CameBack::Done),
            Returned::Unchanged => (StepState::Failed, CameBack::Unchanged),
            Returned::NotWanted => (StepState::Failed, CameBack::NotWanted(row.sent)),
            Returned::TriedTooOften => (StepState::Failed, CameBack::TriedTooOften(row.tries)),
            Returned::Other => (StepState::Failed, CameBack::Other(runs)),
        };
        let end = StepEnd { id: &row.step.id, state, as_what: &runs.to_string(), at: stand.now };
        if !self.end_step(stand.mac, end).await? {
            return Ok(());
        }
        self.leading.forget_waits();
        let failures = if state == StepState::Failed {
            self.store.firmware_attempts(stand.mac, &row.step.image, UnixMillis(i64::MIN)).await?
        } else {
            0
        };
        let entry = sentence::step_ended(words(&row.step), back, (failures, MOST_ATTEMPTS));
        self.recorder.tell(stand.mac, stand.now, entry, None);
        if state == StepState::Failed {
            self.count_failure(stand, row).await?;
        }
        Ok(())
    }

    /// Pauses the version for every policy that watches it where the phone stands, once it failed often enough.
    async fn count_failure(&self, stand: &Stand<'_>, row: &StepRow) -> Result<(), AppError> {
        let policies = self.leading.policies();
        let whereabouts = stand.whereabouts();
        for policy in policies.plain.iter().filter(|policy| policy.reaches(&whereabouts)) {
            let Some(after) = &policy.after else { continue };
            if policies.pause(&policy.id, &row.step.target).is_none() {
                self.pause_if_failed((policy, after), stand, row).await?;
            }
        }
        Ok(())
    }

    async fn pause_if_failed(
        &self,
        (policy, after): (&Policy, &AfterRing),
        stand: &Stand<'_>,
        row: &StepRow,
    ) -> Result<(), AppError> {
        let policies = self.leading.policies();
        let account = policies.account(&policy.id);
        let within = self.store.within(&scope_of(&policy.place, account.as_ref())).await?;
        let query = CanaryQuery { within: &within, ring: &after.ring, model: &stand.hardware.id };
        let target = &row.step.target;
        let since = policies.counted_since(&policy.id, target);
        let failures = self.store.firmware_failures(query, (&policy.id, target), since).await?;
        if failures < after.most_failures {
            return Ok(());
        }
        let id = locked(&self.event_ids).next(stand.now);
        let pause =
            PauseRow { id, policy: policy.id.clone(), version: target.clone(), at: stand.now, failures, resumed: None };
        let words = sentence::version_paused(target, &policy.reach_words(), failures);
        let mut entry = self.audit_entry(&Actor::of_server(), words.sentence.clone(), None);
        if let Some(account) = &account {
            entry = entry.about(account, None);
        }
        if self.store.audited(entry).pause_firmware(&pause).await? {
            self.reload_policies().await?;
            self.raise_about(AlarmKind::FirmwarePaused, &alarm_subject(policy, account.as_ref()), &words).await;
        }
        Ok(())
    }
}
