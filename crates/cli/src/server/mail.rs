//! Between the outbox and the mail server: takes up mails that are due, and says what became of each.

use provost_app::App;
use provost_core::ids::MailId;
use provost_core::mail::{Outgoing, Verdict};
use provost_core::time::UnixMillis;
use provost_net::shutdown::Shutdown;
use provost_outbound::mail::{MailServer, Offered, Session};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Connections at once: enough for ten thousand mails in a quarter of an hour, and fewer than any server minds.
const SESSIONS: usize = 2;
/// Mails one connection brings; some servers end it after more.
const MAILS_A_SESSION: usize = 20;
/// How often the outbox is looked at when nobody says that there is something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const ALARMS_EVERY_MS: i64 = 10_000;
const FORGET_EVERY_MS: i64 = 3_600_000;
const UNHEARD_EVERY_MS: i64 = 60_000;

/// What this server calls itself: a name, or an address in brackets (RFC 5321, 4.1.3).
pub(crate) fn hello(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) => host.to_owned(),
    }
}

/// Sends what is in the outbox until the server stops; a mail that is being said is said to its end.
pub(crate) async fn send(app: Arc<App>, server: MailServer, mut stop: Shutdown) {
    let server = Arc::new(server);
    let (mut alarms, mut forget) = (Every::new(ALARMS_EVERY_MS), Every::new(FORGET_EVERY_MS));
    let mut unheard = Every::new(UNHEARD_EVERY_MS);
    loop {
        if unheard.is_due(app.now()) {
            look_through(&app).await;
        }
        if alarms.is_due(app.now())
            && let Err(error) = app.mail_new_alarms().await
        {
            tracing::warn!(%error, "new alarms could not be mailed");
        }
        if forget.is_due(app.now())
            && let Err(error) = app.forget_old_mail().await
        {
            tracing::warn!(%error, "old mails could not be cleared away");
        }
        if round(&app, &server, &stop).await && !stop.is_pulled() {
            continue;
        }
        tokio::select! {
            () = app.mail_or(LOOK_EVERY) => {}
            () = stop.pulled() => return,
        }
    }
}

/// Says of mails that were broken off after their end that nobody knows whether they arrived.
pub(crate) async fn look_through(app: &App) {
    if let Err(error) = app.doubt_unheard_mails().await {
        tracing::error!(%error, "the outbox could not be looked through; mails that were broken off may stay in it");
    }
}

/// Sends what is due now; false when there was nothing.
async fn round(app: &Arc<App>, server: &Arc<MailServer>, stop: &Shutdown) -> bool {
    let most = u32::try_from(SESSIONS.saturating_mul(MAILS_A_SESSION)).unwrap_or(1);
    let mut due = match app.due_mails(most).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "the outbox could not be read");
            return false;
        }
    };
    if due.is_empty() {
        return false;
    }
    let ids: Vec<MailId> = due.iter().map(|mail| mail.id.clone()).collect();
    let each = due.len().div_ceil(SESSIONS);
    let mut sessions = JoinSet::new();
    while !due.is_empty() {
        let rest = due.split_off(each.min(due.len()));
        let (app, server, stop) = (Arc::clone(app), Arc::clone(server), stop.clone());
        sessions.spawn(async move { bring(&app, &server, due, &stop).await });
        due = rest;
    }
    while let Some(done) = sessions.join_next().await {
        if let Err(error) = done {
            tracing::error!(%error, "the sending of mails broke off; they are tried again");
        }
    }
    app.mails_untried(&ids);
    true
}

/// Brings mails by one connection, or by another one where it ends between.
async fn bring(app: &App, server: &MailServer, mails: Vec<Outgoing>, stop: &Shutdown) {
    let mut left = mails.as_slice();
    let mut session: Option<Session> = None;
    while let [mail, rest @ ..] = left
        && !stop.is_pulled()
    {
        let mut open = match session.take().filter(Session::is_usable) {
            Some(open) => open,
            None => match server.connect().await {
                Ok(open) => open,
                Err(why) => {
                    app.mail_server_failed(&why).await;
                    break;
                }
            },
        };
        if let Err(why) = one(app, &mut open, mail).await {
            app.mail_server_failed(&why).await;
            break;
        }
        left = rest;
        session = Some(open);
    }
    app.mails_untried(left.iter().map(|mail| &mail.id));
    if let Some(open) = session {
        open.quit().await;
    }
}

/// Brings one mail and says what became of it.
///
/// # Errors
/// What the mail server says against us, and not against the mail.
async fn one(app: &App, session: &mut Session, mail: &Outgoing) -> Result<(), String> {
    let verdict = match session.offer(mail).await {
        Offered::ServerFails(why) => return Err(why),
        Offered::Not(verdict) => verdict,
        Offered::AllButEnd => match app.mail_handing_over(&mail.id).await {
            Ok(true) => session.finish().await,
            Ok(false) => {
                session.abandon();
                app.mails_untried([&mail.id]);
                return Ok(());
            }
            Err(error) => {
                // Its end was not said, so it waits, whatever of that is stored.
                session.abandon();
                Verdict::Later(format!("it was kept back, since nothing could be stored: {error}"))
            }
        },
    };
    // Only now: a server that lets us in and then wants no mail of ours cannot be used.
    app.mail_server_answers().await;
    app.mail_verdict(&mail.id, verdict).await;
    Ok(())
}

/// Something to be done now and then.
struct Every {
    every_ms: i64,
    last: Option<UnixMillis>,
}

impl Every {
    const fn new(every_ms: i64) -> Self {
        Self { every_ms, last: None }
    }

    /// Also after the clock was set back.
    fn is_due(&mut self, now: UnixMillis) -> bool {
        let is_due = self.last.is_none_or(|last| now.0.abs_diff(last.0) >= self.every_ms.unsigned_abs());
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}
