use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::phone::Lab;

const SESSIONS: &str = "5.9.7.4477";

async fn plain(lab: &Lab) -> TcpStream {
    TcpStream::connect(lab.web.http().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_nothing_keeps_nobody_waiting_and_is_hung_up_on() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let mut slow = plain(&lab).await;
    slow.write_all(b"GET /index.htm HTTP/1.1\r\nHost: x").await.unwrap();

    assert_eq!(lab.stranger().get("/index.htm").await.status, 200);

    let mut rest = Vec::new();
    let ended = timeout(Duration::from_secs(20), slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the phone still waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_a_phone_holds_are_hung_up_on_until_some_end() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let mut held = Vec::new();
    for _ in 0..32 {
        let mut stream = plain(&lab).await;
        stream.write_all(b"GET /").await.unwrap();
        held.push(stream);
    }
    sleep(Duration::from_millis(200)).await;

    assert_eq!(lab.plain().get("/index.htm").await.status, 0);
    drop(held);

    lab.until("has room again", |lab| {
        let tool = lab.plain();
        async move { tool.get("/index.htm").await.status == 200 }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_requests_get_an_answer_or_none_and_the_phone_goes_on() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let form = "POST /form-submit/auth.htm HTTP/1.1\r\nHost: x\r\n";
    let odd: Vec<Vec<u8>> = vec![
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        b"GET /%00%ff?%zz=%&&&= HTTP/1.1\r\nHost: \xff\r\nCookie: session\r\nCookie: =;=;;\r\n\r\n".to_vec(),
        b"GET /menu/../../etc/passwd HTTP/1.1\r\nHost: [::\r\n\r\n".to_vec(),
        format!("{form}Authorization: Basic ////\r\nContent-Length: 3\r\n\r\n%ff").into_bytes(),
        format!("{form}Content-Type: multipart/form-data\r\nContent-Length: 6\r\n\r\n--\r\n--").into_bytes(),
        format!("{form}Content-Length: 99999999999999999999\r\n\r\n").into_bytes(),
        format!("{form}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx").into_bytes(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(60_000)).into_bytes(),
        b"POST /push HTTP/1.1\r\nHost: x\r\nAuthorization: Digest nc=zzzzzzzzz,qop=auth,\"\r\nContent-Length: 0\r\n\r\n".to_vec(),
    ];

    for bytes in odd {
        let mut stream = plain(&lab).await;
        // The phone may hang up before everything is sent.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{}", String::from_utf8_lossy(&bytes));
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
    }

    assert_eq!(lab.stranger().get("/index.htm").await.status, 200);
}
