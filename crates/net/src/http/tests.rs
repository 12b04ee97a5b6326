use super::*;
use crate::fixtures::{Leaf, MAC, NOW, phone};
use crate::lab::{Phone, exchange, phone_tls};
use crate::shutdown::{ShutdownTrigger, shutdown};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A running loop and what it said about handshakes.
struct Running {
    address: SocketAddr,
    failures: Arc<Mutex<Vec<String>>>,
    failed: Arc<Notify>,
    trigger: ShutdownTrigger,
    ended: JoinHandle<()>,
    /// Tells a request for `/wait` to go on.
    go_on: Arc<Notify>,
    /// Says that a request for `/wait` has come.
    arrived: Arc<Notify>,
}

async fn start(limits: Limits, over_tls: bool) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (trigger, shutdown) = shutdown();
    let (go_on, arrived, failed) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let failures = Arc::new(Mutex::new(Vec::new()));
    let (wait, came) = (Arc::clone(&go_on), Arc::clone(&arrived));
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let (wait, came) = (Arc::clone(&wait), Arc::clone(&came));
        async move {
            if request.uri().path() == "/wait" {
                came.notify_one();
                wait.notified().await;
            }
            let peer = request.extensions().get::<Peer>().unwrap().clone();
            let mut body = request.into_body();
            while std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_some() {}
            let mac = peer.verdict.mac.map_or_else(|| "nobody".to_owned(), |mac| mac.to_string());
            Ok::<_, Infallible>(Response::new(format!("{} {:?} {mac}", peer.address, peer.transport)))
        }
    });
    let server = HttpServer { service, limits, shutdown };
    let ended = if over_tls {
        let (list, notify) = (Arc::clone(&failures), Arc::clone(&failed));
        let on_failed_handshake: OnFailedHandshake = Arc::new(move |from, failure: &HandshakeFailure| {
            list.lock().unwrap().push(format!("{from}: {failure}"));
            notify.notify_one();
        });
        let port = PhonePort { tls: phone_tls(false), clock: Arc::new(|| NOW), on_failed_handshake };
        tokio::spawn(serve_phones_tls(listener, port, server))
    } else {
        tokio::spawn(serve_plain(listener, server))
    };
    Running { address, failures, failed, trigger, ended, go_on, arrived }
}

/// A connection from this loopback address.
async fn connect(running: &Running, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(running.address).await.unwrap()
}

async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await.expect("still open");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn tls_get(running: &Running, from: &str) -> String {
    let socket = connect(running, from).await.into_std().unwrap();
    socket.set_nonblocking(false).unwrap();
    let context = Phone::stock().with(&phone(&Leaf::default())).build();
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    tokio::task::spawn_blocking(move || exchange(&context, socket, request)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_request_knows_who_asks() {
    let running = start(Limits::default(), true).await;

    let answer = tls_get(&running, "127.0.0.3").await;

    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&format!("127.0.0.3 Tls {}", MAC.to_lowercase())), "{answer}");
}

#[tokio::test]
async fn plain_http_proves_nobody_and_keeps_the_connection() {
    let running = start(Limits::default(), false).await;
    let mut socket = connect(&running, "127.0.0.1").await;

    socket.write_all(b"GET / HTTP/1.1\r\nHost: \xff\x00\r\n\r\n".split_at(16).0).await.unwrap();
    socket.write_all(b"Host: x\r\n\r\nGET / HTTP/1.0\r\n\r\n").await.unwrap();
    let answer = read_to_end(&mut socket).await;

    assert_eq!(answer.matches("127.0.0.1 Plain nobody").count(), 2, "{answer}");
}

#[tokio::test]
async fn a_malformed_request_gets_a_plain_400_and_the_end() {
    let running = start(Limits::default(), false).await;
    let long = [b"GET /".to_vec(), vec![b'a'; 100_000]].concat();
    for (bytes, status) in [
        (b"\x00\x01\x02\r\n\r\n".to_vec(), "400"),
        (b"GET / HTTP/1.1\r\nHost\x00: x\r\n\r\n".to_vec(), "400"),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(), "400"),
        (long, "4"),
    ] {
        let mut socket = connect(&running, "127.0.0.1").await;
        let _ = socket.write_all(&bytes).await;
        let answer = read_to_end(&mut socket).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) || answer.is_empty(), "{answer}");
    }
    assert!(!running.ended.is_finished());
}

#[tokio::test]
async fn a_flood_of_half_open_connections_leaves_room_for_phones() {
    let limits = Limits { handshakes_per_address: 3, handshakes: 8, ..Limits::default() };
    let running = start(limits, true).await;

    let mut flood = Vec::new();
    for _ in 0..20 {
        flood.push(connect(&running, "127.0.0.9").await);
    }
    for socket in flood.iter_mut().skip(3) {
        assert_eq!(read_to_end(socket).await, "", "over the limit");
    }

    assert!(tls_get(&running, "127.0.0.3").await.contains("200 OK"));
}

#[tokio::test]
async fn an_address_that_connects_too_often_is_closed_and_another_is_served() {
    let limits = Limits {
        handshake_burst_per_address: 3,
        handshakes_per_second_per_address: 0,
        rate_on_loopback: true,
        ..Limits::default()
    };
    let running = start(limits, true).await;

    for _ in 0..3 {
        assert!(tls_get(&running, "127.0.0.9").await.contains("200 OK"));
    }
    let mut fourth = connect(&running, "127.0.0.9").await;

    assert_eq!(read_to_end(&mut fourth).await, "");
    assert!(tls_get(&running, "127.0.0.3").await.contains("200 OK"));
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let limits = Limits { connections_per_address: 2, ..Limits::default() };
    let running = start(limits, false).await;

    let first = connect(&running, "127.0.0.1").await;
    let _second = connect(&running, "127.0.0.1").await;
    let mut third = connect(&running, "127.0.0.1").await;

    assert_eq!(read_to_end(&mut third).await, "");
    let mut elsewhere = connect(&running, "127.0.0.2").await;
    elsewhere.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut elsewhere).await.contains("200 OK"));
    drop(first);
}

#[tokio::test]
async fn a_silent_connection_is_closed_at_the_deadline_and_told() {
    let limits = Limits { handshake: Duration::from_millis(50), ..Limits::default() };
    let running = start(limits, true).await;
    let mut socket = connect(&running, "127.0.0.7").await;

    assert_eq!(read_to_end(&mut socket).await, "");

    running.failed.notified().await;
    assert_eq!(*running.failures.lock().unwrap(), ["127.0.0.7: it did not complete the handshake in time"]);
}

#[tokio::test]
async fn plain_http_at_the_tls_port_is_closed_quietly_and_told() {
    let running = start(Limits::default(), true).await;
    let mut socket = connect(&running, "127.0.0.7").await;

    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert_eq!(read_to_end(&mut socket).await, "");

    running.failed.notified().await;
    assert!(running.failures.lock().unwrap()[0].starts_with("127.0.0.7: it does not speak TLS"));
}

#[tokio::test]
async fn an_idle_connection_and_half_a_head_are_closed() {
    // Long enough for a whole request on a busy machine.
    let limits = Limits { idle: Duration::from_secs(1), ..Limits::default() };
    let running = start(limits, false).await;
    let mut open = Vec::new();
    for (sent, answers) in [("", 0), ("GET / HT", 0), ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 1)] {
        let mut socket = connect(&running, "127.0.0.1").await;
        socket.write_all(sent.as_bytes()).await.unwrap();
        open.push((socket, sent, answers));
    }

    for (mut socket, sent, answers) in open {
        assert_eq!(read_to_end(&mut socket).await.matches("200 OK").count(), answers, "{sent}");
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_ends_the_connection() {
    let limits = Limits { stall: Duration::from_millis(50), ..Limits::default() };
    let running = start(limits, false).await;
    let mut socket = connect(&running, "127.0.0.1").await;

    socket.write_all(b"PUT /log HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc").await.unwrap();

    read_to_end(&mut socket).await;
}

#[tokio::test]
async fn a_shutdown_finishes_the_request_it_is_in_and_ends_the_idle() {
    let running = start(Limits::default(), false).await;
    let mut idle = connect(&running, "127.0.0.1").await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    idle.read_exact(&mut head).await.unwrap();
    let mut busy = connect(&running, "127.0.0.1").await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    running.arrived.notified().await;

    running.trigger.pull();
    read_to_end(&mut idle).await;
    running.go_on.notify_one();

    assert!(read_to_end(&mut busy).await.contains("200 OK"));
    timeout(Duration::from_secs(5), running.ended).await.expect("still running").unwrap();
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_hold_up_the_shutdown() {
    let limits = Limits { drain: Duration::from_millis(50), ..Limits::default() };
    let running = start(limits, false).await;
    let mut busy = connect(&running, "127.0.0.1").await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    running.arrived.notified().await;

    drop(running.trigger);

    timeout(Duration::from_secs(5), running.ended).await.expect("still running").unwrap();
    assert_eq!(read_to_end(&mut busy).await, "");
}
