//! Pages that stay current: a stream of events that says when what a page shows to this session has changed.
//!
//! Decides when it is looked and what is said: `changed`, `over` when the session is not what it was, and nothing of what
//! changed. Whatever is stored wakes every stream, and each then compares what its own session may see; so nobody learns
//! when somebody else's phones are busy (docs/THREATS.md, rule 15). Looking is no use of the session.

use super::answer::Trouble;
use super::gate::{Named, SignedIn};
use super::{Console, locked};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use provost_app::{Actor, App, AppError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};

/// Between two looks of a stream: a phone that boots changes something ten times a second.
const BETWEEN: Duration = Duration::from_secs(1);
/// A look that took long is followed by this many times its length without one.
const REST: u32 = 20;
/// A stream says something this often, so that proxies keep it and the session's end is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// When a browser asks again after a break.
const RETRY: &str = "retry: 3000\n\n";
/// Pages that one person looks at; the script ends the stream of a page that is not looked at.
const MOST_OF_SESSION: usize = 8;
const MOST: usize = 500;
/// Looks at a time: the other readers of the database are for pages and phones.
const LOOKS: usize = 2;
/// Entries of a timeline that are compared: a new one is always the first.
const NEWEST: u32 = 1;

/// How many streams there are.
pub(super) struct Places {
    of_sessions: HashMap<String, usize>,
    all: usize,
    looks: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        Self { of_sessions: HashMap::new(), all: 0, looks: Arc::new(Semaphore::new(LOOKS)) }
    }
}

/// The place of one stream, free again when this is dropped.
struct Place {
    console: Arc<Console>,
    session: String,
}

impl Place {
    fn take(console: &Arc<Console>, session: &str) -> Option<Self> {
        let mut places = locked(&console.live);
        let own = places.of_sessions.get(session).copied().unwrap_or(0);
        if own >= MOST_OF_SESSION || places.all >= MOST {
            return None;
        }
        places.of_sessions.insert(session.to_owned(), own.saturating_add(1));
        places.all = places.all.saturating_add(1);
        Some(Self { console: Arc::clone(console), session: session.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = locked(&self.console.live);
        places.all = places.all.saturating_sub(1);
        let left = places.of_sessions.get(&self.session).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            places.of_sessions.remove(&self.session);
        } else {
            places.of_sessions.insert(self.session.clone(), left);
        }
    }
}

type Looking = Pin<Box<dyn Future<Output = Result<String, AppError>> + Send>>;

/// A stream between two of its events.
struct Stream {
    by: SignedIn,
    place: Place,
    look: Box<dyn Fn(Arc<App>, Actor) -> Looking + Send + Sync>,
    seen: Option<String>,
    commits: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    looks: Arc<Semaphore>,
    next_look: Instant,
    next_beat: Instant,
    is_over: bool,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/live/home", get(home))
        .route("/live/phones/{mac}", get(phone))
        .route("/live/devices/{id}", get(device))
        .route("/live/imports/{id}", get(import))
}

/// `GET /live/home`.
async fn home(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    stream(&console, by, async |app: Arc<App>, by: Actor| Ok(print_of(&app.home(&by).await?))).await
}

/// `GET /live/phones/{mac}`.
async fn phone(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(mac): Named<MacAddr>,
) -> Result<Response, Trouble> {
    stream(&console, by, move |app: Arc<App>, by: Actor| async move {
        let (phone, uploads) = (app.phone(mac, &by).await?, app.uploads(mac, &by).await?);
        let progress = app.firmware_progress(mac);
        Ok(print_of(&(phone, uploads, progress, app.timeline(mac, None, NEWEST, &by).await?)))
    })
    .await
}

/// `GET /live/devices/{id}`.
async fn device(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<DeviceId>,
) -> Result<Response, Trouble> {
    stream(&console, by, move |app: Arc<App>, by: Actor| {
        let id = id.clone();
        async move {
            let view = app.device(&id, &by).await?;
            let progress = view.mac.and_then(|mac| app.firmware_progress(mac.0));
            Ok(print_of(&(view, progress)))
        }
    })
    .await
}

/// `GET /live/imports/{id}`.
async fn import(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<String>,
) -> Result<Response, Trouble> {
    stream(&console, by, move |app: Arc<App>, by: Actor| {
        let id = id.clone();
        async move { Ok(print_of(&app.import(&id, &by).await?)) }
    })
    .await
}

/// What a page shows, as something to compare: without times that are told from now, and only what the actor may see.
pub(super) fn print_of(shown: &impl Serialize) -> String {
    hex::encode(Sha256::digest(serde_json::to_vec(shown).unwrap_or_default()))
}

/// Answers with the events of a page, whose state `look` says in one word.
///
/// # Errors
/// What `look` says the first time: who may not see the page gets no stream either.
pub(super) async fn stream<Look, Shown>(console: &Arc<Console>, by: SignedIn, look: Look) -> Result<Response, Trouble>
where
    Look: Fn(Arc<App>, Actor) -> Shown + Send + Sync + 'static,
    Shown: Future<Output = Result<String, AppError>> + Send + 'static,
{
    // Woken by whatever is stored from here on: what is looked at first is no older.
    let (mut commits, ending) = (console.app.commits(), console.app.ending());
    commits.mark_unchanged();
    let Some(place) = Place::take(console, &by.session().id) else { return Ok(too_many()) };
    let seen = look(Arc::clone(&console.app), by.actor().clone()).await?;
    let now = Instant::now();
    let looks = Arc::clone(&locked(&console.live).looks);
    let look = Box::new(move |app, by| -> Looking { Box::pin(look(app, by)) });
    let (next_look, next_beat) = (now + BETWEEN, now + HEARTBEAT);
    let begun =
        Stream { by, place, look, seen: Some(seen), commits, ending, looks, next_look, next_beat, is_over: false };
    let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(RETRY.as_bytes())) });
    let events = stream::unfold(begun, async |stream| {
        stream.next().await.map(|(event, stream)| (Ok::<_, Infallible>(event), stream))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        // A proxy that gathers what it passes on would hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(stream::StreamExt::chain(first, events))).into_response())
}

/// The page is complete without the stream: it stays as it is until it is loaded again.
fn too_many() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "Too many pages are kept current at a time; load the page again instead.\n")
        .into_response()
}

impl Stream {
    /// The next event; `None` at the end.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while !self.is_over {
            let is_beat = tokio::select! {
                () = ended(&mut self.ending) => return None,
                () = sleep_until(self.next_beat) => true,
                () = changed(&mut self.commits, self.next_look) => false,
            };
            if is_beat {
                self.next_beat = Instant::now() + HEARTBEAT;
            }
            // A heartbeat comes at its time whatever others do.
            let event = self.looked().await.or(is_beat.then_some(":\n\n"));
            if let Some(event) = event {
                return Some((Bytes::from_static(event.as_bytes()), self));
            }
        }
        None
    }

    /// Looks at the session, then at what it sees; what there is to say.
    async fn looked(&mut self) -> Option<&'static str> {
        let app = Arc::clone(&self.place.console.app);
        let turn = Arc::clone(&self.looks).acquire_owned().await.ok()?;
        let began = Instant::now();
        let said = match self.by.stands().await {
            Ok(false) => {
                self.is_over = true;
                Some("event: over\ndata:\n\n")
            }
            Ok(true) => match (self.look)(app, self.by.actor().clone()).await {
                Ok(print) => self.compared(print),
                Err(AppError::NotFound { .. } | AppError::Forbidden { .. } | AppError::OutOfScope) => {
                    self.compared("not here".to_owned())
                }
                Err(error) => unknown(&error),
            },
            Err(error) => unknown(&error),
        };
        drop(turn);
        let rest = began.elapsed().saturating_mul(REST).max(BETWEEN);
        self.next_look = Instant::now() + rest;
        said
    }

    fn compared(&mut self, print: String) -> Option<&'static str> {
        let print = Some(print);
        if self.seen == print {
            return None;
        }
        self.seen = print;
        Some("event: changed\ndata:\n\n")
    }
}

/// What cannot be looked at just now is looked at again with the next heartbeat.
fn unknown(error: &AppError) -> Option<&'static str> {
    tracing::debug!(%error, "whether a page of the console is current is not known just now");
    None
}

/// Returns when the server ends. Cancel-safe: it only looks.
async fn ended(ending: &mut watch::Receiver<bool>) {
    // An error means that the use-cases are gone.
    let _ = ending.wait_for(|ending| *ending).await;
}

/// Returns when something was stored, but not before `at`.
///
/// Cancel-safe: what was stored is marked as seen only when it returns.
async fn changed(commits: &mut watch::Receiver<u64>, at: Instant) {
    // The sender lives as long as the use-cases; if it went, only heartbeats are left.
    if commits.clone().changed().await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep_until(at).await;
    commits.mark_unchanged();
}
