//! The phone in a browser: one page with the display and every key, for whoever learns or shows how it is used.
//!
//! Decides what the page may be asked for and by whom. It is this project's page and none of the phone's own; it
//! knows of the phone only what [`Handset`] gives. Keys are taken only from the page itself: a request under
//! another name, or sent by another page, is refused (DNS rebinding, cross-site requests).

mod drawing;
mod guard;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware;
use axum::response::sse::{Event as Told, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use self::drawing::drawn;
use crate::event::Event;
use crate::handset::{Face, Handset, Key};

const PAGE: &str = include_str!("face_web/page.html");
const STYLE: &str = include_str!("face_web/style.css");
const SCRIPT: &str = include_str!("face_web/script.js");
/// Only what this page brings along is loaded, and no other page may frame it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
/// A key press is a few bytes.
const BODY: usize = 4 * 1024;
/// The most keys that hands can hold.
const TOGETHER: usize = 8;
/// The longest hold that the page may ask for, in the phone's time.
const LONGEST_HOLD: Duration = Duration::from_secs(20);

/// Who may open the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// This machine only.
    Loopback,
    /// Whoever reaches the address: every one of them can press every key.
    Anyone,
}

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// The address is not of this machine alone, and nobody said that it may be.
    #[error(
        "{address} can be reached from elsewhere, and whoever opens the page can press every key; use 127.0.0.1, or say that anyone may"
    )]
    Open {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// The page, listening.
#[derive(Debug)]
pub struct WebFace {
    listener: TcpListener,
    address: SocketAddr,
}

impl WebFace {
    /// Listens; nothing is answered until [`WebFace::serve`].
    ///
    /// # Errors
    /// [`FaceError`] when the address is open to others without `reach` saying so, or is taken.
    pub async fn listen(address: SocketAddr, reach: Reach) -> Result<Self, FaceError> {
        if reach == Reach::Loopback && !address.ip().is_loopback() {
            return Err(FaceError::Open { address });
        }
        let taken = |source| FaceError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the page of `handset` until the listener fails.
    ///
    /// # Errors
    /// Why the listener failed.
    pub async fn serve(self, handset: Handset) -> io::Result<()> {
        axum::serve(self.listener, pages(handset)).await
    }
}

fn pages(handset: Handset) -> Router {
    Router::new()
        .route("/", get(async || document("text/html; charset=utf-8", PAGE)))
        .route("/style.css", get(async || document("text/css; charset=utf-8", STYLE)))
        .route("/script.js", get(async || document("text/javascript; charset=utf-8", SCRIPT)))
        .route("/face", get(async |State(handset): State<Handset>| Json(drawn(&handset.face().borrow()))))
        .route("/events", get(events))
        .route("/press", post(press))
        .route("/hold", post(hold))
        .route("/power", post(power))
        .layer(middleware::from_fn(guard::only_the_page))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(handset)
}

fn document(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

#[derive(Debug, Deserialize)]
struct Press {
    key: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Hold {
    keys: Vec<String>,
    millis: u64,
}

#[derive(Debug, Deserialize)]
struct Power {
    on: bool,
}

async fn press(State(handset): State<Handset>, Json(press): Json<Press>) -> Response {
    match press.key.parse() {
        Ok(key) => {
            handset.press(key).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn hold(State(handset): State<Handset>, Json(hold): Json<Hold>) -> Response {
    let keys: Result<Vec<Key>, _> = hold.keys.iter().take(TOGETHER).map(|key| key.parse()).collect();
    match keys {
        Ok(keys) => {
            handset.hold(&keys, Duration::from_millis(hold.millis).min(LONGEST_HOLD)).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn power(State(handset): State<Handset>, Json(power): Json<Power>) -> StatusCode {
    match power.on {
        true => handset.plug_in().await,
        false => handset.unplug().await,
    }
    StatusCode::NO_CONTENT
}

fn refused(error: &crate::handset::NotAKey) -> Response {
    (StatusCode::BAD_REQUEST, error.to_string()).into_response()
}

/// What the page is told: the face as it is now, each one after it, and what happens in between.
async fn events(State(handset): State<Handset>) -> Sse<impl Stream<Item = Result<Told, Infallible>>> {
    let mut face = handset.face();
    face.mark_changed();
    let state = (face, handset.events());
    Sse::new(unfold(state, |(mut face, mut events)| async move {
        let told = next(&mut face, &mut events).await?;
        Some((Ok(told), (face, events)))
    }))
    .keep_alive(KeepAlive::default())
}

async fn next(face: &mut watch::Receiver<Face>, events: &mut broadcast::Receiver<Event>) -> Option<Told> {
    loop {
        tokio::select! {
            changed = face.changed() => {
                changed.ok()?;
                let drawn = drawn(&face.borrow_and_update());
                return Some(Told::default().event("face").data(drawn.to_string()));
            }
            event = events.recv() => match event {
                Ok(event) => if let Some(line) = event.words() {
                    return Some(Told::default().event("line").data(line));
                },
                // A slow page misses lines of the log, never the display.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            },
        }
    }
}
