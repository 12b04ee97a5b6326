//! The outbox as whoever has a socket sees it: which mails are due, and what became of each.

use super::{Kept, mail_owner};
use crate::alarms::AlarmKind;
use crate::{App, AppError, locked};
use provost_core::ids::MailId;
use provost_core::mail::welcome::LINK_HOURS;
use provost_core::mail::{GIVE_UP_AFTER_MS, MailState, Outgoing, Verdict, answer_line, gap_ms};
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use provost_store::MailRow;
use rand::RngExt as _;
use std::collections::HashSet;
use std::time::Duration;

/// How long what a mail said is kept after it was sent or given up.
const CONTENT_KEPT_MS: i64 = 14 * 86_400_000;
/// The longest pause while the mail server is not reached.
const LONGEST_PAUSE_MS: i64 = 300_000;
/// A mail server that is away for so long is somebody's business.
const ALARM_AFTER_MS: i64 = 600_000;
const HOUR_MS: i64 = 3_600_000;

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Sending {
    /// Mails that somebody has taken up.
    taken: HashSet<MailId>,
    /// Since when the mail server cannot be used, how often it was tried, and when it is tried again.
    failing: Option<(UnixMillis, u32)>,
    pause_until: Option<UnixMillis>,
    has_alarm: bool,
}

impl App {
    /// Looks after what the run before left: mails whose end was being said are doubtful now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn begin_sending(&self) -> Result<(), AppError> {
        let words = "the server stopped while it waited for the answer to the whole mail";
        for row in self.store.doubt_unheard_mails(words, self.now()).await? {
            self.tell_not_sent(&row, MailState::Doubtful, words).await;
        }
        Ok(())
    }

    /// Mails whose time has come, at most so many; each is the caller's until its verdict.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn due_mails(&self, limit: u32) -> Result<Vec<Outgoing>, AppError> {
        let now = self.now();
        let taken = {
            let sending = locked(&self.outbox.sending);
            if sending.pause_until.is_some_and(|until| now < until) {
                return Ok(Vec::new());
            }
            sending.taken.len()
        };
        let more = u32::try_from(taken).unwrap_or(u32::MAX);
        let rows = self.store.due_mails(now, limit.saturating_add(more)).await?;
        let mut due = Vec::new();
        for row in rows {
            if due.len() >= usize::try_from(limit).unwrap_or(usize::MAX)
                || !locked(&self.outbox.sending).taken.insert(row.id.clone())
            {
                continue;
            }
            match self.outgoing(&row) {
                Ok(mail) => due.push(mail),
                Err(error) => {
                    let verdict = Verdict::Refused(format!("what it says cannot be read: {error}"));
                    self.mail_verdict(&row.id, verdict).await;
                }
            }
        }
        Ok(due)
    }

    /// Waits until something is put into the outbox, or this long.
    pub async fn mail_or(&self, longest: Duration) {
        let _ = tokio::time::timeout(longest, self.outbox.changed.notified()).await;
    }

    /// Remembers, on disk, that the end of this mail is about to be said; false when it is not to be sent any more.
    ///
    /// # Errors
    /// [`AppError::Store`]: then its end must not be said.
    pub async fn mail_handing_over(&self, id: &MailId) -> Result<bool, AppError> {
        Ok(self.store.hand_over_mail(id).await?)
    }

    /// Writes down what became of a mail, and tries until that is done: what was sent must not be sent again.
    pub async fn mail_verdict(&self, id: &MailId, verdict: Verdict) {
        let mut wait = Duration::from_millis(200);
        while let Err(error) = self.keep_verdict(id, &verdict).await {
            tracing::error!(mail.id = %id, %error, "what became of a mail could not be stored; trying again");
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(Duration::from_secs(30));
        }
        locked(&self.outbox.sending).taken.remove(id);
    }

    /// Lets go of mails that were taken up and not tried.
    pub fn mails_untried<'a>(&self, ids: impl IntoIterator<Item = &'a MailId>) {
        let mut sending = locked(&self.outbox.sending);
        for id in ids {
            sending.taken.remove(id);
        }
    }

    /// The mail server could not be used at all: everything waits, longer each time, and after a while it is an alarm.
    pub async fn mail_server_failed(&self, words: &str) {
        let now = self.now();
        let (since, has_alarm) = {
            let mut sending = locked(&self.outbox.sending);
            let (since, times) = sending.failing.unwrap_or((now, 0));
            let pause = 2_000i64.saturating_mul(1i64.checked_shl(times.min(10)).unwrap_or(1)).min(LONGEST_PAUSE_MS);
            sending.failing = Some((since, times.saturating_add(1)));
            sending.pause_until = Some(now.plus_millis(pause));
            (since, sending.has_alarm)
        };
        tracing::warn!("the mail server cannot be used: {words}");
        if let Err(error) = self.store.mails_wait(&answer_line(words), now).await {
            tracing::warn!(%error, "why mails wait could not be stored");
        }
        if has_alarm || now.0.saturating_sub(since.0) < ALARM_AFTER_MS {
            return;
        }
        let server = self.outbox.server.get().map_or("", String::as_str);
        let sentence = format!("Since {since} no mail can be sent: {}.", answer_line(words));
        let advice = "Mails wait and go out by themselves when the mail server can be used again. Look at it, and at \
                      [mail] in the configuration.";
        match self.raise(AlarmKind::MailServer, server, (&sentence, advice)).await {
            Ok(()) => locked(&self.outbox.sending).has_alarm = true,
            Err(error) => tracing::error!(%error, "an alarm about the mail server could not be stored"),
        }
    }

    /// The mail server takes mails (again).
    pub async fn mail_server_answers(&self) {
        let had_failed = {
            let mut sending = locked(&self.outbox.sending);
            sending.pause_until = None;
            sending.has_alarm = false;
            sending.failing.take().is_some()
        };
        let server = self.outbox.server.get().map_or("", String::as_str);
        if had_failed
            && let Err(error) = self.store.end_alarm_about(AlarmKind::MailServer.as_str(), server, self.now()).await
        {
            tracing::error!(%error, "the alarm about the mail server could not be ended");
        }
    }

    /// Forgets what nobody needs any more of mails of long ago.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn forget_old_mail(&self) -> Result<(), AppError> {
        self.store.forget_old_mail(self.now().plus_millis(CONTENT_KEPT_MS.saturating_neg())).await?;
        Ok(())
    }

    fn outgoing(&self, row: &MailRow) -> Result<Outgoing, AppError> {
        let sealed = row.content.as_deref().unwrap_or_default();
        let text = self.vault.open(&mail_owner(row.id.as_str()), sealed)?;
        let kept: Kept = serde_json::from_str(text.reveal()).map_err(|_| AppError::Interrupted)?;
        Ok(Outgoing {
            id: row.id.clone(),
            message_id: kept.message_id,
            to: row.address.clone(),
            written: row.created,
            subject: kept.content.subject,
            text: Secret::new(kept.content.text),
            html: kept.content.html.map(Secret::new),
        })
    }

    async fn keep_verdict(&self, id: &MailId, verdict: &Verdict) -> Result<(), AppError> {
        let now = self.now();
        let (Verdict::Sent(answer) | Verdict::Refused(answer) | Verdict::Later(answer) | Verdict::Doubtful(answer)) =
            verdict;
        let answer = answer_line(answer);
        if matches!(verdict, Verdict::Sent(_)) {
            let link_until = now.plus_millis(LINK_HOURS.saturating_mul(HOUR_MS));
            return Ok(self.store.mail_sent(id, &answer, (now, link_until)).await?);
        }
        let Some(row) = self.store.mail(id).await? else { return Ok(()) };
        let is_over = now.0.saturating_sub(row.created.0) > GIVE_UP_AFTER_MS;
        let state = match verdict {
            Verdict::Later(_) if is_over => MailState::GivenUp,
            Verdict::Later(_) => {
                let gap = gap_ms(row.tries.saturating_add(1));
                let spread = rand::rng().random_range(0..=gap / 8);
                let next = now.plus_millis(gap.saturating_add(spread));
                return Ok(self.store.mail_later(id, &answer, next).await?);
            }
            Verdict::Doubtful(_) => MailState::Doubtful,
            _ => MailState::Refused,
        };
        self.store.mail_ended(id, state, (&answer, now)).await?;
        self.tell_not_sent(&row, state, &answer).await;
        Ok(())
    }

    /// Tells the administrators of whom a mail is.
    async fn tell_not_sent(&self, row: &MailRow, state: MailState, answer: &str) {
        let subject = row.account.as_ref().map_or("server", |account| account.as_str());
        let what = match state {
            MailState::Doubtful => "may not have arrived",
            MailState::GivenUp => "could not be sent for three days",
            _ => "was refused by the mail server",
        };
        let sentence = format!("The {} mail to {} {what}: {answer}", row.kind, row.address);
        let advice = format!("Mend what it names, then have it sent again: provost mail again {}", row.id);
        if let Err(error) = self.raise(AlarmKind::MailNotSent, subject, (&sentence, &advice)).await {
            tracing::error!(mail.id = %row.id, %error, "an alarm about a mail could not be stored");
        }
    }
}
