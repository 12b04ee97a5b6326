//! The outbox as whoever has a socket sees it: which mails are due, and what became of each.

use super::{Kept, PASSWORD, mail_owner};
use crate::alarms::AlarmKind;
use crate::{App, AppError, locked};
use provost_core::ids::MailId;
use provost_core::mail::welcome::LINK_HOURS;
use provost_core::mail::{MailState, Outgoing, Verdict, answer_line, gap_ms, is_tried_out};
use provost_core::secret::Secret;
use provost_core::sign_in::LINK_LASTS_MS;
use provost_core::time::UnixMillis;
use provost_store::{MailRow, NewAlarm};
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
    /// Looks after mails whose end was said, and of which nobody will hear any more what became of them: those of a run
    /// before, and those whose sending broke off. They are doubtful now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn doubt_unheard_mails(&self) -> Result<(), AppError> {
        let words = "the server stopped while it waited for the answer to the whole mail, or its sending broke off";
        for row in self.store.mails_handing_over().await? {
            if locked(&self.outbox.sending).taken.contains(&row.id) {
                continue;
            }
            let now = self.now();
            let told = NotSent::of(&row, MailState::Doubtful, words);
            let id = self.alarm_id(now);
            self.store.mail_unheard(&row.id, (words, now), &told.alarm(&id, now)).await?;
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
            // A pause longer than any is of a clock that was set back.
            let left = sending.pause_until.map_or(0, |until| until.0.saturating_sub(now.0));
            if (1..=LONGEST_PAUSE_MS).contains(&left) {
                return Ok(Vec::new());
            }
            sending.taken.len()
        };
        let more = u32::try_from(taken).unwrap_or(u32::MAX);
        let rows = self.store.due_mails(now, limit.saturating_add(more)).await?;
        let mut due = Vec::new();
        for row in rows {
            if self.is_over(&row).await? {
                continue;
            }
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
            let since = since.min(now);
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
        let state = match verdict {
            Verdict::Later(_) if is_tried_out(row.tries.saturating_add(1)) => MailState::GivenUp,
            Verdict::Later(_) => {
                let gap = gap_ms(row.tries.saturating_add(1));
                let spread = rand::rng().random_range(0..=gap / 8);
                let next = now.plus_millis(gap.saturating_add(spread));
                return Ok(self.store.mail_later(id, &answer, next).await?);
            }
            Verdict::Doubtful(_) => MailState::Doubtful,
            _ => MailState::Refused,
        };
        let told = NotSent::of(&row, state, &answer);
        let alarm = self.alarm_id(now);
        self.store.mail_ended(id, state, (&answer, now), Some(&told.alarm(&alarm, now))).await?;
        Ok(())
    }

    /// Whether what a mail brings is worth nothing any more, after days without a mail server: it is not sent then.
    async fn is_over(&self, row: &MailRow) -> Result<bool, AppError> {
        let now = self.now();
        let is_over = row.kind == PASSWORD && now >= row.created.plus_millis(LINK_LASTS_MS);
        if is_over {
            let answer = "its link was over before a mail server took it; whoever needs it asks for another";
            self.store.mail_ended(&row.id, MailState::GivenUp, (answer, now), None).await?;
        }
        Ok(is_over)
    }
}

/// What the administrators of whom a mail is are told.
struct NotSent {
    subject: String,
    sentence: String,
    advice: String,
}

impl NotSent {
    fn of(row: &MailRow, state: MailState, answer: &str) -> Self {
        let what = match state {
            MailState::Doubtful => "may not have arrived",
            MailState::GivenUp => "could not be sent for three days",
            _ => "was refused by the mail server",
        };
        Self {
            subject: row.account.as_ref().map_or_else(|| "server".to_owned(), ToString::to_string),
            sentence: format!("The {} mail to {} {what}: {answer}", row.kind, row.address),
            advice: match row.kind.as_str() {
                PASSWORD => "Whoever needs it asks for another on the sign-in page.".to_owned(),
                _ => format!("Mend what it names, then have it sent again: provost mail again {}", row.id),
            },
        }
    }

    fn alarm<'a>(&'a self, id: &'a str, at: UnixMillis) -> NewAlarm<'a> {
        let Self { subject, sentence, advice } = self;
        NewAlarm { id, kind: AlarmKind::MailNotSent.as_str(), subject, at, sentence, advice }
    }
}
