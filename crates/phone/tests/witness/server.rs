//! A scripted boot server: answers what a test laid out and remembers who asked for what.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode, SslVersion};
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;

use crate::certificates::{Authority, Identity};

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) user_agent: String,
    pub(crate) host: String,
    /// Common name of the certificate the client showed, and how many it sent.
    pub(crate) client: Option<(String, usize)>,
    pub(crate) cipher: String,
    pub(crate) body: String,
    /// What it proves itself with; empty without.
    pub(crate) proof: String,
}

#[derive(Default)]
struct Script {
    files: BTreeMap<String, Vec<u8>>,
    put: BTreeMap<String, u16>,
    fault: Option<(String, u16)>,
    challenge: Option<String>,
    seen: Vec<Seen>,
}

/// The server; stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct BootServer {
    address: SocketAddr,
    plain: bool,
    script: Arc<Mutex<Script>>,
}

impl BootServer {
    pub(crate) async fn start() -> Self {
        Self::start_as(Authority::server()).await
    }

    pub(crate) async fn start_as(identity: &Identity) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), plain: false, script: Arc::default() };
        let context = context(identity);
        let script = Arc::clone(&server.script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(context.clone(), stream, Arc::clone(&script)));
            }
        });
        server
    }

    /// A server without TLS.
    pub(crate) async fn start_plain() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), plain: true, script: Arc::default() };
        let script = Arc::clone(&server.script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = Arc::clone(&script);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, Arc::clone(&script), None, String::new()));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.plain { "http" } else { "https" };
        format!("{scheme}://{}", self.address)
    }

    /// Lays out a file; anything else is 404.
    pub(crate) fn file(&self, path: &str, text: &str) -> &Self {
        self.bytes(path, text.as_bytes().to_vec())
    }

    /// Lays out a file that is no text.
    pub(crate) fn bytes(&self, path: &str, content: Vec<u8>) -> &Self {
        self.script.lock().unwrap().files.insert(path.to_owned(), content);
        self
    }

    pub(crate) fn remove(&self, path: &str) -> &Self {
        self.script.lock().unwrap().files.remove(path);
        self
    }

    /// Answers PUT of `path` with `status`; anything else is 404.
    pub(crate) fn takes(&self, path: &str, status: u16) -> &Self {
        self.script.lock().unwrap().put.insert(path.to_owned(), status);
        self
    }

    /// Hangs up on every path that starts so, without an answer.
    pub(crate) fn hangs_up(&self, prefix: &str) -> &Self {
        self.fails(prefix, 0)
    }

    /// Answers every path that starts so with `status`.
    pub(crate) fn fails(&self, prefix: &str, status: u16) -> &Self {
        self.script.lock().unwrap().fault = Some((prefix.to_owned(), status));
        self
    }

    /// Answers 401 with this challenge to whoever brings no credentials, whatever they are otherwise.
    pub(crate) fn wants(&self, challenge: &str) -> &Self {
        self.script.lock().unwrap().challenge = Some(challenge.to_owned());
        self
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }

    /// `GET /x.cfg 404`, one for each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    pub(crate) fn forget(&self) {
        self.script.lock().unwrap().seen.clear();
    }
}

fn context(identity: &Identity) -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder.set_security_level(0);
    builder.set_max_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    builder.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    builder.set_certificate(&identity.certificate).unwrap();
    builder.set_private_key(&identity.key).unwrap();
    builder.set_session_id_context(b"test").unwrap();
    builder.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    builder.build()
}

async fn serve(context: SslContext, stream: TcpStream, script: Arc<Mutex<Script>>) {
    let mut stream = SslStream::new(Ssl::new(&context).unwrap(), stream).unwrap();
    if Pin::new(&mut stream).accept().await.is_err() {
        return;
    }
    let ssl = stream.ssl();
    let client = ssl.peer_certificate().map(|leaf| {
        let name = leaf.subject_name().entries_by_nid(openssl::nid::Nid::COMMONNAME).next().unwrap();
        let sent = ssl.peer_cert_chain().map_or(0, openssl::stack::StackRef::len);
        (name.data().to_string().unwrap(), sent)
    });
    let cipher = ssl.current_cipher().map_or(String::new(), |cipher| cipher.name().to_owned());
    let service = service_fn(|request| answer(request, Arc::clone(&script), client.clone(), cipher.clone()));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    script: Arc<Mutex<Script>>,
    client: Option<(String, usize)>,
    cipher: String,
) -> io::Result<Response<Full<Bytes>>> {
    let header =
        |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (user_agent, host) = (header("user-agent"), header("host"));
    let proof = header("authorization");
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut script = script.lock().unwrap();
    let fault = script.fault.as_ref().filter(|(prefix, _)| path.starts_with(prefix.as_str()));
    let challenge = script.challenge.clone().filter(|_| proof.is_empty());
    let (status, content) = match (fault, &method) {
        _ if challenge.is_some() => (401, Vec::new()),
        (Some((_, status)), _) => (*status, Vec::new()),
        (None, &Method::PUT) => (script.put.get(&path).copied().unwrap_or(404), Vec::new()),
        (None, _) => match script.files.get(&path) {
            Some(content) => (200, content.clone()),
            None => (404, b"not found".to_vec()),
        },
    };
    if status == 0 {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let line = format!("{method} {path} {status}");
    let body = String::from_utf8_lossy(&body).into_owned();
    script.seen.push(Seen { line, user_agent, host, client, cipher, body, proof });
    let response = match challenge {
        Some(challenge) => Response::builder().header("WWW-Authenticate", challenge),
        None => Response::builder(),
    };
    Ok(response.status(status).body(Full::new(content.into())).unwrap())
}
