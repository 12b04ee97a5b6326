//! The command line's way to the REST API: a server by URL, the running server of a data folder by its
//! control socket, or, when nobody holds the folder, the same router inside this process.

mod reach;
mod stream;

use crate::args::Target;
use crate::config::Database;
use crate::data_dir::{DataDir, NotHeld, control_socket};
use crate::failure::Failure;
use crate::set_up::{self, Addresses, Place, Ports};
use axum::Router;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use provost_app::App;
use provost_core::public_url::PublicUrl;
use provost_web::api::{self, Access};
use reach::Address;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tower::ServiceExt;

/// A way to the API.
pub(crate) enum Client {
    /// A server's console address.
    Server { address: Address, token: String },
    /// The server that holds the data folder.
    Socket(UnixStreamPath),
    /// Nobody holds it: the API inside this process.
    Inside { app: Arc<App>, router: Router, _held: DataDir },
}

type UnixStreamPath = std::path::PathBuf;

impl Client {
    /// Finds the way a command asks for.
    pub(crate) async fn find(place: &Place<'_>, target: &Target) -> Result<Self, Failure> {
        if let (Some(server), Some(token)) = (&target.server, &target.token) {
            return Self::server(server, token, target.ca.as_deref());
        }
        let config = place.configuration()?;
        if config.database == Database::Sqlite && !config.data_dir.join("provost.db").exists() {
            return Err(Failure::Usage(format!(
                "{} holds no data of a server; name the right folder with --data or --config, or start one with `provost serve`",
                config.data_dir.display()
            )));
        }
        match DataDir::hold(&config.data_dir) {
            Ok(held) => Self::inside(&config, held).await,
            Err(NotHeld::Failure(failure)) => Err(failure),
            Err(NotHeld::ByAnother { pid }) => {
                let socket = control_socket(&config.data_dir);
                if UnixStream::connect(&socket).await.is_err() {
                    return Err(Failure::Runtime(format!(
                        "process {pid} holds {}, but does not answer at {}; if it is just starting, try again",
                        config.data_dir.display(),
                        socket.display()
                    )));
                }
                Ok(Self::Socket(socket))
            }
        }
    }

    /// The API of a console's address.
    pub(crate) fn server(url: &str, token: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        Ok(Self::Server { address: Address::read(url, ca)?, token: token.to_owned() })
    }

    async fn inside(config: &crate::config::Config, held: DataDir) -> Result<Self, Failure> {
        let catalog = set_up::catalog(config)?;
        let url = match &config.public_url {
            Some(url) => url.clone(),
            // Only phones are told it, and none is served here.
            None => PublicUrl::new("localhost", 443).map_err(Failure::runtime)?,
        };
        let app = set_up::app(config, &held, catalog, Addresses::new(config, url, &Ports::default())).await?;
        let router = api::router(Arc::clone(&app), Access::Owner);
        Ok(Self::Inside { app, router, _held: held })
    }

    /// Sends one request and returns the JSON answered.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "provost")
            .header(header::CONTENT_TYPE, "application/json");
        if let Self::Server { token, .. } = self {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(body))).map_err(Failure::runtime)?;
        let (status, answer) = match self {
            Self::Inside { router, .. } => {
                let response = router.clone().oneshot(request).await.map_err(Failure::runtime)?;
                let status = response.status();
                (status, response.into_body().collect().await.map_err(Failure::runtime)?.to_bytes())
            }
            Self::Socket(path) => in_time(send(connect_socket(path).await?, request)).await?,
            Self::Server { address, .. } => in_time(async { send(address.connect().await?, request).await }).await?,
        };
        let value: Value = serde_json::from_slice(&answer)
            .map_err(|_| Failure::Runtime(format!("the server answered {status} with something that is no JSON")))?;
        if status.is_success() { Ok(value) } else { Err(refused(&value)) }
    }

    /// Writes what is pending; needed after working inside this process.
    pub(crate) async fn close(self) {
        if let Self::Inside { app, .. } = self {
            app.stop().await;
        }
    }
}

/// Longer than the database's longest wait.
const DEADLINE: Duration = Duration::from_secs(60);

async fn in_time<T>(call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(DEADLINE, call)
        .await
        .unwrap_or_else(|_| Err(Failure::Runtime(format!("the server did not answer within {} s", DEADLINE.as_secs()))))
}

async fn connect_socket(path: &Path) -> Result<UnixStream, Failure> {
    UnixStream::connect(path).await.map_err(|error| Failure::Runtime(format!("{}: {error}", path.display())))
}

async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(http::StatusCode, Bytes), Failure> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Failure::runtime)?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(Failure::runtime)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(Failure::runtime)?.to_bytes();
    drop(sender);
    let _ = driver.await;
    Ok((status, body))
}

/// The server's refusal as a person reads it.
fn refused(answer: &Value) -> Failure {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut lines = vec![format!("{} ({}, reference {})", text("message"), text("code"), text("reference"))];
    for field in answer.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let of = |name: &str| field.get(name).and_then(Value::as_str).unwrap_or_default();
        lines.push(format!("  {}: {}", of("field"), of("message")));
    }
    Failure::Runtime(lines.join("\n"))
}
