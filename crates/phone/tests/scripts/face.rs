//! The phone in a browser, asked over its socket.

use std::net::SocketAddr;
use std::time::Duration;

use provost_phone::face_web::{FaceError, Reach, WebFace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::stage::Stage;

/// The phone of a fresh stage, and where its page is.
async fn page() -> (provost_phone::Handset, SocketAddr) {
    let handset = Stage::new().await.handset("vvx450");
    let face = WebFace::listen(([127, 0, 0, 1], 0).into(), Reach::Loopback).await.unwrap();
    let address = face.address();
    tokio::spawn(face.serve(handset.clone()));
    (handset, address)
}

async fn sent(address: SocketAddr, head: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!("{head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn answer(address: SocketAddr, head: &str, body: &str) -> String {
    let head = format!("{head}\r\nConnection: close");
    let mut answer = String::new();
    sent(address, &head, body).await.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_whole_in_itself() {
    let (_handset, address) = page().await;
    let get = async |path: &str| answer(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}"), "").await;

    let page = get("/").await;

    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "something is loaded from elsewhere");
    for path in ["/style.css", "/script.js"] {
        assert!(page.contains(&format!("\"{path}\"")) && get(path).await.starts_with("HTTP/1.1 200"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_pressed_by_the_page_and_by_nobody_else() {
    let (handset, address) = page().await;
    let post = async |origin: &str, path: &str, body: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}");
        answer(address, &head, body).await
    };
    let own = format!("http://{address}");
    let mut face = handset.face();

    let refused = post("http://evil.example", "/power", r#"{"on":true}"#).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(!face.borrow().power);

    let taken = post(&own, "/power", r#"{"on":true}"#).await;
    assert!(taken.starts_with("HTTP/1.1 204"), "{taken}");
    let ready = face.wait_for(|face| face.soft_key("New Call").is_some());
    timeout(Duration::from_secs(60), ready).await.unwrap().unwrap();
    assert!(post(&own, "/press", r#"{"key":"home"}"#).await.starts_with("HTTP/1.1 204"));
    assert!(face.borrow().text().contains("Settings"));
    let wrong = post(&own, "/press", r#"{"key":"any"}"#).await;
    assert!(wrong.starts_with("HTTP/1.1 400") && wrong.contains("`any` is no key"), "{wrong}");
    let large = format!(r#"{{"key":"{}"}}"#, "x".repeat(10_000));
    assert!(post(&own, "/press", &large).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_watches_sees_each_face() {
    let (handset, address) = page().await;
    let mut stream = sent(address, &format!("GET /events HTTP/1.1\r\nHost: {address}"), "").await;
    let mut told = String::new();
    let mut until = async |words: &str| {
        while !told.contains(words) {
            let mut piece = [0; 4096];
            let read = timeout(Duration::from_secs(60), stream.read(&mut piece)).await.unwrap().unwrap();
            assert!(read > 0, "{told}");
            told.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
    };

    until(r#""power":false"#).await;
    handset.plug_in().await;

    until(r#""power":true"#).await;
    until("event: line").await;
}

#[tokio::test]
async fn a_page_for_others_is_asked_for_by_name() {
    let everywhere: SocketAddr = ([0, 0, 0, 0], 0).into();

    let refused = WebFace::listen(everywhere, Reach::Loopback).await.unwrap_err();

    assert!(matches!(refused, FaceError::Open { .. }), "{refused}");
    WebFace::listen(everywhere, Reach::Anyone).await.unwrap();
}
