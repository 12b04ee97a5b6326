//! A plain HTTP server for images: sends in small pieces, fails and breaks off as a test says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes sent at a time: small, so that a phone is cut off within an image and not only around it.
const PIECE: usize = 4096;

#[derive(Default)]
struct Script {
    /// What a path is answered with: each content once, the last one ever after.
    files: BTreeMap<String, Vec<Vec<u8>>>,
    status: BTreeMap<String, u16>,
    cut: BTreeMap<String, usize>,
    alternating: bool,
    seen: Vec<(String, String)>,
}

/// The server; stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct ImageServer {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl ImageServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), script: Arc::default() };
        let script = Arc::clone(&server.script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script)));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lays out a file; anything else is 404.
    pub(crate) fn file(&self, path: &str, content: impl Into<Vec<u8>>) -> &Self {
        self.script.lock().unwrap().files.insert(path.to_owned(), vec![content.into()]);
        self
    }

    /// Answers with one content after the other, over and over.
    pub(crate) fn alternates(&self, path: &str, contents: Vec<Vec<u8>>) -> &Self {
        let mut script = self.script.lock().unwrap();
        script.files.insert(path.to_owned(), contents);
        script.alternating = true;
        drop(script);
        self
    }

    /// Answers a path with `status`; 0 lets it work again.
    pub(crate) fn fails(&self, path: &str, status: u16) -> &Self {
        self.script.lock().unwrap().status.insert(path.to_owned(), status);
        self
    }

    /// Hangs up after so many bytes of a path's content.
    pub(crate) fn cuts(&self, path: &str, after: usize) -> &Self {
        self.script.lock().unwrap().cut.insert(path.to_owned(), after);
        self
    }

    /// `GET /x.cfg 404`, one for each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.script.lock().unwrap().seen.iter().map(|(line, _)| line.clone()).collect()
    }

    /// The User-Agents, in the order of the requests.
    pub(crate) fn agents(&self) -> Vec<String> {
        self.script.lock().unwrap().seen.iter().map(|(_, agent)| agent.clone()).collect()
    }

    pub(crate) fn forget(&self) {
        self.script.lock().unwrap().seen.clear();
    }
}

impl Script {
    fn answer(&mut self, method: &str, path: &str) -> (u16, Vec<u8>) {
        match self.status.get(path) {
            Some(status) if *status > 0 => return (*status, Vec::new()),
            _ => {}
        }
        if method != "GET" {
            return (404, Vec::new());
        }
        let alternating = self.alternating;
        match self.files.get_mut(path) {
            None => (404, b"not found".to_vec()),
            Some(contents) => {
                let content = contents[0].clone();
                if alternating {
                    contents.rotate_left(1);
                }
                (200, content)
            }
        }
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let mut piece = [0; 1024];
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => head.extend_from_slice(&piece[..read]),
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let mut words = text.split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let agent = text.lines().find_map(|line| line.strip_prefix("user-agent: ")).unwrap_or_default().to_owned();
    let (status, content, cut) = {
        let mut script = script.lock().unwrap();
        let (status, content) = script.answer(&method, &path);
        script.seen.push((format!("{method} {path} {status}"), agent));
        (status, content, script.cut.get(&path).copied().unwrap_or(usize::MAX))
    };
    let begin = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
    if stream.write_all(begin.as_bytes()).await.is_err() {
        return;
    }
    for piece in content[..cut.min(content.len())].chunks(PIECE) {
        // A phone that hangs up early is no error.
        if stream.write_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    let _ = stream.shutdown().await;
    // Unread bytes of a body would reset the connection before the phone has read the answer.
    let mut rest = [0; 4096];
    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
}
