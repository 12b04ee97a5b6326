//! How a line registers.

use std::time::Duration;

use provost_phone::{Account, Line, LineState, LineTrouble, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::sip_server::{Asked, LIMIT, SipServer, USER, answer, challenge, granted};

async fn registered(server: &mut SipServer) -> Line {
    let mut line = Line::open(server.account());
    server.registers(300).await;
    line.registered(LIMIT).await.unwrap();
    line
}

#[tokio::test]
async fn a_line_proves_itself_and_says_where_it_is() {
    let mut server = SipServer::start().await;
    let mut line = Line::open(Account { user_agent: "PolycomVVX-VVX_450-UA/6.4".to_owned(), ..server.account() });

    let first = server.expect("REGISTER").await;
    server.challenge(&first, "n1").await;
    let proven = server.expect("REGISTER").await;
    server.ok(&proven, &granted(&proven, 300)).await;
    line.registered(LIMIT).await.unwrap();

    assert_eq!(line.state(), LineState::Registered { granted: Duration::from_secs(300) });
    assert!(!first.has("Authorization") && proven.is_proven(), "{}", proven.text);
    assert_eq!(first.line(), format!("REGISTER sip:{} SIP/2.0", server.address));
    assert!(first.header("Contact").starts_with(&format!("<sip:{USER}@{}>", first.from)), "{}", first.text);
    assert!(first.header("Via").ends_with(";rport") && first.header("Via").contains(&first.from.to_string()));
    assert_eq!(first.header("User-Agent"), "PolycomVVX-VVX_450-UA/6.4");
    assert_eq!(first.header("Call-ID"), proven.header("Call-ID"));
    assert_eq!((first.header("CSeq"), proven.header("CSeq")), ("1 REGISTER", "2 REGISTER"));
}

#[tokio::test]
async fn only_the_first_challenge_is_read() {
    for (algorithms, taken) in [(["MD5", "SHA-256"], true), (["SHA-256", "MD5"], false)] {
        let mut server = SipServer::start().await;
        let mut line = Line::open(server.account());

        let first = server.expect("REGISTER").await;
        let both: String = algorithms.map(|algorithm| challenge(algorithm, algorithm, "")).concat();
        server.answer(&first, "401 Unauthorized", &both, "").await;

        if taken {
            let proven = server.expect("REGISTER").await;
            assert_eq!((proven.credential("nonce").as_str(), proven.is_proven()), ("MD5", true));
        } else {
            let trouble = LineState::Unregistered(LineTrouble::Challenge);
            assert_eq!(line.settled(LIMIT).await, trouble);
        }
    }
}

#[tokio::test]
async fn the_nonce_is_used_again_with_a_hexadecimal_count() {
    let mut server = SipServer::start().await;
    let mut line = registered(&mut server).await;

    for count in 2..=0x101 {
        let (refreshed, asked) = tokio::join!(line.refresh(LIMIT), async {
            let asked = server.expect("REGISTER").await;
            server.ok(&asked, &granted(&asked, 300)).await;
            asked
        });
        refreshed.unwrap();
        assert_eq!(asked.credential("nc"), format!("{count:08x}"));
        assert!(asked.is_proven());
    }
    assert_eq!(line.registrations(), 0x101);
}

#[tokio::test]
async fn a_stale_nonce_is_replaced_and_a_refused_proof_is_not_repeated() {
    let mut server = SipServer::start().await;
    let mut line = registered(&mut server).await;

    let (refreshed, ()) = tokio::join!(line.refresh(LIMIT), async {
        let old = server.expect("REGISTER").await;
        server.answer(&old, "401 Unauthorized", &challenge("n2", "MD5", ", stale=true"), "").await;
        let fresh = server.expect("REGISTER").await;
        assert_eq!((fresh.credential("nonce").as_str(), fresh.credential("nc").as_str()), ("n2", "00000001"));
        server.ok(&fresh, &granted(&fresh, 300)).await;
    });
    refreshed.unwrap();

    let (refused, ()) = tokio::join!(line.refresh(Duration::from_millis(300)), async {
        for _ in 0..2 {
            let asked = server.expect("REGISTER").await;
            server.challenge(&asked, "n3").await;
        }
    });
    assert!(refused.is_err());
    let state = line.state().to_string();
    assert_eq!(state, "is not registered: the server answered 401 Unauthorized");
}

#[tokio::test]
async fn a_registration_is_renewed_before_it_ends() {
    let mut server = SipServer::start().await;
    let mut line = Line::open(server.account());
    server.registers(4).await;
    line.registered(LIMIT).await.unwrap();

    let again = timeout(Duration::from_secs(4), server.expect("REGISTER")).await;

    let again = again.expect("the registration ended before it was renewed");
    assert_eq!(again.credential("nc"), "00000002");
}

#[tokio::test]
async fn a_longer_registration_is_asked_for_when_the_server_wants_it() {
    let mut server = SipServer::start().await;
    let mut line = Line::open(Account { expires: Duration::from_secs(60), ..server.account() });

    let short = server.expect("REGISTER").await;
    server.answer(&short, "423 Interval Too Brief", "Min-Expires: 120\r\n", "").await;
    let long = server.expect("REGISTER").await;
    server.ok(&long, "Expires: 120\r\n").await;

    assert_eq!((short.header("Expires"), long.header("Expires")), ("60", "120"));
    line.registered(LIMIT).await.unwrap();
}

#[tokio::test]
async fn power_off_takes_the_registration_back() {
    let mut server = SipServer::start().await;
    let line = registered(&mut server).await;

    let ((), last) = tokio::join!(line.power_off(), async {
        let last = server.expect("REGISTER").await;
        server.ok(&last, "").await;
        last
    });

    assert_eq!(last.header("Expires"), "0");
    assert!(last.is_proven());
}

#[tokio::test]
async fn silence_is_asked_again_and_then_given_up_for_a_while() {
    let server = SipServer::start().await;
    let mut line = Line::open(Account { patience: Duration::from_secs(1), ..server.account() });

    let state = line.settled(LIMIT).await;

    assert_eq!(state, LineState::Unregistered(LineTrouble::NoAnswer));
    assert_eq!(server.receive().await.text, server.receive().await.text);
}

#[tokio::test]
async fn a_server_that_does_not_exist_leaves_the_line_unregistered() {
    for (server, transport) in [("nowhere.invalid", Transport::Udp), ("127.0.0.1", Transport::Tcp)] {
        let account = SipServer::start().await.account();
        let mut line = Line::open(Account { server: server.to_owned(), transport, ..account });

        let state = line.settled(LIMIT).await;

        assert!(matches!(state, LineState::Unregistered(LineTrouble::Unreachable { .. })), "{state}");
        line.power_off().await;
    }
}

#[tokio::test]
async fn options_are_answered_and_strange_requests_are_refused() {
    let mut server = SipServer::start().await;
    let mut line = Line::open(server.account());
    let phone = server.registers(300).await.from;
    line.registered(LIMIT).await.unwrap();

    for (method, status) in
        [("OPTIONS", "200"), ("INVITE", "486"), ("BYE", "481"), ("CANCEL", "481"), ("REFER", "405"), ("NOTIFY", "489")]
    {
        server.send(phone, &server.outside(method, method, "Event: talk\r\n")).await;
        let answer = server.expect(status).await;
        assert_eq!(answer.header("CSeq"), format!("1 {method}"));
        assert!(answer.header("Via").contains(&format!("rport={}", server.address.port())), "{}", answer.text);
        assert!(answer.header("To").contains(";tag="), "{}", answer.text);
    }
    server.send(phone, "not a message at all\r\n\r\n").await;
    server.send(phone, &server.outside("OPTIONS", "last", "")).await;
    server.expect("200").await;
}

#[tokio::test]
async fn over_tcp_messages_come_in_pieces_and_the_connection_is_kept() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let udp = SipServer::start().await;
    let port = listener.local_addr().unwrap().port();
    let mut line = Line::open(Account { port, transport: Transport::Tcp, ..udp.account() });
    let (mut stream, from) = listener.accept().await.unwrap();

    let first = read(&mut stream, from).await;
    assert!(first.header("Contact").contains(&format!("{from};transport=tcp>")), "{}", first.text);
    assert!(first.header("Via").starts_with("SIP/2.0/TCP "));
    stream.write_all(answer(&first, "200 OK", &granted(&first, 300), "").as_bytes()).await.unwrap();
    line.registered(LIMIT).await.unwrap();
    let notify = udp.outside("NOTIFY", "tcp", "Event: check-sync\r\n");
    let (one, two) = notify.split_at(70);
    stream.write_all(b"\r\n\r\n").await.unwrap();
    stream.write_all(one.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    stream.write_all(two.as_bytes()).await.unwrap();

    assert!(read(&mut stream, from).await.line().starts_with("SIP/2.0 200"));
    line.wait_for_check_sync(LIMIT).await.unwrap();
    drop((stream, listener));
    let lost = |state: &LineState| matches!(state, LineState::Unregistered(LineTrouble::Unreachable { .. }));
    timeout(LIMIT, async {
        while !lost(&line.state()) {
            let _ = line.refresh(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the line does not see that its connection is gone");
}

async fn read(stream: &mut tokio::net::TcpStream, from: std::net::SocketAddr) -> Asked {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        timeout(LIMIT, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
    }
    Asked { text: String::from_utf8(bytes).unwrap(), from }
}

fn with_action(server: &SipServer, branch: &str, body: &str) -> String {
    let more = "Event: ACTION-URI\r\nContent-Type: application/JSON\r\n";
    let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
    server.outside("NOTIFY", branch, more).replace("Content-Length: 0\r\n\r\n", &length)
}

#[tokio::test]
async fn an_action_reaches_whoever_holds_the_phone_where_the_phone_obeys_any() {
    let body = r#"{"command-URI": "/api/v1/callctrl/dial","data":{"Dest":"1001","Line":"1","Type":"TEL"}}"#;
    for obeys in [true, false] {
        let mut server = SipServer::start().await;
        let mut line = Line::open(Account { obeys_actions: obeys, ..server.account() });
        let registered = server.registers(300).await;
        line.registered(LIMIT).await.unwrap();

        server.send(registered.from, &with_action(&server, "a1", "no JSON")).await;
        server.expect("200").await;
        server.send(registered.from, &with_action(&server, "a2", body)).await;
        server.expect("200").await;

        let action = timeout(Duration::from_millis(300), line.next_action()).await.ok().flatten();
        let told = action.map(|action| (action.uri, action.data["Dest"].clone()));
        assert_eq!(told, obeys.then(|| ("/api/v1/callctrl/dial".to_owned(), "1001".into())));
        assert_eq!(line.check_syncs(), 0);
    }
}
