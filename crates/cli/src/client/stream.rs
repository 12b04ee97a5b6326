//! Requests and answers that are passed on as they come, however large they are.

use super::{Client, connect_socket, refused};
use crate::failure::Failure;
use axum::body::Body;
use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt;

impl Client {
    /// Sends a request and returns the answer once it begins; a refusal is read to its end.
    pub(crate) async fn stream(
        &self,
        (method, path): (&str, &str),
        content_type: &str,
        body: Body,
    ) -> Result<Response<Body>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "provost")
            .header(header::CONTENT_TYPE, content_type);
        if let Self::Server { token, .. } = self {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(body).map_err(Failure::runtime)?;
        let answer = match self {
            Self::Inside { router, .. } => router.clone().oneshot(request).await.map_err(Failure::runtime)?,
            Self::Socket(path) => begun(connect_socket(path).await?, request).await?,
            Self::Server { address, .. } => begun(address.connect().await?, request).await?,
        };
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = answer.into_body().collect().await.map_err(Failure::runtime)?.to_bytes();
        let value: Value = serde_json::from_slice(&text)
            .map_err(|_| Failure::Runtime(format!("the server answered {status} with something that is no JSON")))?;
        Err(refused(&value))
    }
}

async fn begun(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<Response<Body>, Failure> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(Failure::runtime)?;
    // Ends by itself with the answer.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(Failure::runtime)?;
    Ok(answer.map(Body::new))
}
