//! Lost updates are refused, and a request that is sent again is answered again and not done again.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};
use std::io::Write as _;

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const PHONE: &str = "0004f2000001";

fn server() -> (TestServer, Maker) {
    let maker = Maker::new();
    (TestServer::start(&provost(), &maker), maker)
}

/// A request with one more header.
fn ask(server: &TestServer, (method, path): (&str, &str), header: &str, body: Option<&Value>) -> Reply {
    let url = format!("{}/api/v1{path}", server.address("console"));
    let bearer = format!("Authorization: Bearer {}", server.token());
    let text = body.map(Value::to_string).unwrap_or_default();
    let mut all = vec!["--request", method, "--header", &bearer, "--header", header];
    if body.is_some() {
        all.extend(["--header", "Content-Type: application/json", "--data-binary", &text]);
    }
    all.push(&url);
    Reply::of(&all)
}

fn tag(server: &TestServer, path: &str) -> String {
    server.api("GET", path, None).header("etag").unwrap().to_owned()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

fn new_user(server: &TestServer, site: &str, extension: &str) -> String {
    let user = json!({ "site": site, "name": "Ada", "extension": extension, "lines": [] });
    text(&server.done("POST", "/users", Some(&user)), "id")
}

#[test]
fn of_two_who_read_the_same_only_the_first_changes_it() {
    let (server, _maker) = server();
    let (_, site) = server.site();
    let user = new_user(&server, &site, "1001");
    let path = format!("/users/{user}");
    let read = tag(&server, &path);
    let header = format!("If-Match: {read}");

    let first = ask(&server, ("PATCH", &path), &header, Some(&json!({ "name": "Ada Byron" })));
    let second = ask(&server, ("PATCH", &path), &header, Some(&json!({ "extension": "1002" })));
    let gone = ask(&server, ("DELETE", &path), &header, None);

    assert_eq!(first.status, 200, "{}", first.text());
    for late in [second, gone] {
        assert_eq!((late.status, text(&late.json(), "code").as_str()), (412, "changed-meanwhile"), "{}", late.text());
    }
    let now = server.done("GET", &path, None);
    assert_eq!((text(&now, "name"), text(&now, "extension")), ("Ada Byron".to_owned(), "1001".to_owned()));
    let fresh = format!("If-Match: \"other\", {}", tag(&server, &path));
    assert_eq!(ask(&server, ("PATCH", &path), &fresh, Some(&json!({ "name": "A" }))).status, 200);
    assert_eq!(ask(&server, ("PATCH", &path), "If-Match: *", Some(&json!({ "name": "B" }))).status, 200);
    assert_eq!(ask(&server, ("DELETE", &path), &format!("If-Match: {}", tag(&server, &path)), None).status, 200);
    let new = json!({ "site": site, "name": "X", "extension": "1003", "lines": [] });
    assert_eq!(ask(&server, ("POST", "/users"), "If-Match: *", Some(&new)).status, 400, "nothing to compare");
}

#[test]
fn of_twenty_changes_at_once_with_the_same_tag_one_is_done() {
    let (server, _maker) = server();
    let (_, site) = server.site();
    let path = format!("/sites/{site}");
    let header = format!("If-Match: {}", tag(&server, &path));

    let change = |number: usize| {
        let body = json!({ "name": format!("Name {number}") });
        ask(&server, ("PATCH", &path), &header, Some(&body)).status
    };
    let statuses: Vec<u16> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..20).map(|number| threads.spawn(move || change(number))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });

    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 19, "{statuses:?}");
}

#[test]
fn an_action_on_a_device_is_refused_when_somebody_changed_it_but_not_because_its_phone_asked() {
    let (server, maker) = server();
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let phone = maker.phone(PHONE);
    server.phone(Some(&phone), &format!("/{PHONE}.cfg"), AGENT);
    let code = server.code(&device);
    assert_eq!(server.activate(PHONE, &code).status, 200);
    let path = format!("/devices/{device}");
    let read = format!("If-Match: {}", tag(&server, &path));

    server.phone(Some(&phone), &format!("/{PHONE}.cfg"), AGENT);
    assert_eq!(format!("If-Match: {}", tag(&server, &path)), read, "its phone asked");
    let disabled = ask(&server, ("POST", &format!("{path}/disable")), &read, None);
    let late = ask(&server, ("POST", &format!("{path}/quarantine")), &read, None);

    assert_eq!((disabled.status, late.status), (200, 412), "{} {}", disabled.text(), late.text());
    assert_eq!(text(&server.done("GET", &path, None), "state"), "disabled");
}

#[test]
fn a_request_that_is_sent_again_is_answered_again_also_after_a_crash_and_done_once() {
    let (mut server, _maker) = server();
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let codes = format!("/devices/{device}/codes");
    let user = json!({ "site": site, "name": "Ada", "extension": "2001", "lines": [] });

    let first = ask(&server, ("POST", "/users"), "Idempotency-Key: one", Some(&user));
    let again = ask(&server, ("POST", "/users"), "Idempotency-Key: one", Some(&user));
    let code = ask(&server, ("POST", &codes), "Idempotency-Key: two", None);
    server.kill();
    server.power_on();
    let after = ask(&server, ("POST", "/users"), "Idempotency-Key: one", Some(&user));
    let code_after = ask(&server, ("POST", &codes), "Idempotency-Key: two", None);

    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(first.header("idempotency-replayed"), None);
    for reply in [&again, &after] {
        assert_eq!((reply.status, reply.json()), (201, first.json()));
        assert_eq!(reply.header("idempotency-replayed"), Some("true"));
    }
    assert_eq!(code_after.json(), code.json());
    assert_eq!(server.sql("SELECT COUNT(*) FROM persons WHERE extension = '2001'"), "1");
    let open = server.sql("SELECT COUNT(*) FROM codes");
    assert_eq!(open, "1", "the code was not issued twice");
    let digits = text(&code.json(), "code");
    let kept = server.sql("SELECT CAST(answer AS TEXT) FROM requests");
    assert!(!kept.contains(&digits) && !kept.contains(&hex(&digits)), "answers are encrypted");
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_key_is_its_senders_for_one_request_and_free_again_after_a_refusal() {
    let (server, _maker) = server();
    let (_, site) = server.site();
    let user = |name: &str, extension: &str| json!({ "site": site, "name": name, "extension": extension, "lines": [] });
    let post =
        |key: &str, body: &Value| ask(&server, ("POST", "/users"), &format!("Idempotency-Key: {key}"), Some(body));

    let refused = post("a", &user("", "3001"));
    let corrected = post("a", &user("Ada", "3001"));
    let other = post("a", &user("Bob", "3002"));
    let same_extension = post("b", &user("Bob", "3001"));

    assert_eq!((refused.status, corrected.status), (422, 201), "{}", corrected.text());
    assert_eq!((other.status, text(&other.json(), "code").as_str()), (422, "idempotency-key"), "{}", other.text());
    assert_eq!(same_extension.status, 409);
    for bad in ["", "with space", &"x".repeat(256)] {
        assert!(matches!(post(bad, &user("Eve", "3009")).status, 201 | 400), "{bad}");
    }
    assert_eq!(post(&"x".repeat(256), &user("Eve", "3010")).status, 400);
    // What another token sends under the same key is another request.
    let token = text(&server.done("POST", "/tokens", Some(&json!({ "role": "owner" }))), "token");
    let url = format!("{}/api/v1/users", server.address("console"));
    let body = user("Cyd", "3003").to_string();
    let bearer = format!("Authorization: Bearer {token}");
    let theirs = Reply::of(&[
        "--header",
        &bearer,
        "--header",
        "Idempotency-Key: a",
        "--header",
        "Content-Type: application/json",
        "--data-binary",
        &body,
        &url,
    ]);
    assert_eq!(theirs.status, 201, "{}", theirs.text());
}

#[test]
fn what_a_crash_left_is_done_anew_if_nothing_was_done_and_told_if_it_was() {
    let (server, _maker) = server();
    let (_, site) = server.site();
    let user = |extension: &str| json!({ "site": site, "name": "Ada", "extension": extension, "lines": [] });
    let post = |key: &str, extension: &str| {
        ask(&server, ("POST", "/users"), &format!("Idempotency-Key: {key}"), Some(&user(extension)))
    };
    // As the server leaves it when it is killed behind the change and before the answer is kept.
    post("done", "4001");
    server.sql("UPDATE requests SET status = NULL, answer = NULL, process = 'one before'");
    let done = post("done", "4001");
    // And when it is killed before the change.
    post("begun", "4002");
    server.sql("DELETE FROM persons WHERE extension = '4002'");
    server.sql("UPDATE audit SET request = NULL WHERE request IN (SELECT id FROM requests WHERE status IS NOT NULL)");
    server.sql("UPDATE requests SET status = NULL, answer = NULL, process = 'one before' WHERE status IS NOT NULL");
    let begun = post("begun", "4002");

    assert_eq!((done.status, text(&done.json(), "code").as_str()), (409, "done-unanswered"), "{}", done.text());
    assert_eq!((begun.status, begun.header("idempotency-replayed")), (201, None), "{}", begun.text());
    assert_eq!(server.sql("SELECT COUNT(*) FROM persons WHERE extension IN ('4001', '4002')"), "2");
}

#[test]
fn a_client_that_hangs_up_finds_out_how_its_request_ended() {
    let (server, _maker) = server();
    let (_, site) = server.site();
    let user = json!({ "site": site, "name": "Ada", "extension": "6001", "lines": [] }).to_string();
    let address = server.address("console");
    let (host, token) = (address.trim_start_matches("http://"), server.token());
    let request = format!(
        "POST /api/v1/users HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: gone\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{user}",
        user.len()
    );
    let mut connection = std::net::TcpStream::connect(host).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    drop(connection);

    let body: Value = serde_json::from_str(&user).unwrap();
    let began = std::time::Instant::now();
    let reply = loop {
        let reply = ask(&server, ("POST", "/users"), "Idempotency-Key: gone", Some(&body));
        if reply.status != 409 || began.elapsed().as_secs() > 20 {
            break reply;
        }
    };

    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(server.sql("SELECT COUNT(*) FROM persons WHERE extension = '6001'"), "1");
}

#[test]
fn ten_of_the_same_request_at_once_are_done_once() {
    let (server, _maker) = server();
    let (_, site) = server.site();
    let user = json!({ "site": site, "name": "Ada", "extension": "5001", "lines": [] });

    let post = || ask(&server, ("POST", "/users"), "Idempotency-Key: crowd", Some(&user));
    let replies: Vec<Reply> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..10).map(|_| threads.spawn(post)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });

    let (done, running): (Vec<&Reply>, Vec<&Reply>) = replies.iter().partition(|reply| reply.status == 201);
    assert!(!done.is_empty() && done.iter().all(|reply| reply.json() == done[0].json()));
    assert!(running.iter().all(|reply| text(&reply.json(), "code") == "request-running"), "{running:?}");
    assert_eq!(server.sql("SELECT COUNT(*) FROM persons WHERE extension = '5001'"), "1");
}
