//! Streams of the console from outside: a phone asks and curl is told; the server ends and waits for no stream.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MAC: &str = "0004f2a1b2c3";

/// Signs in with the owner's token; the cookie jar.
fn signed_in(server: &TestServer) -> tempfile::NamedTempFile {
    let jar = tempfile::NamedTempFile::new().unwrap();
    let url = format!("{}/sign-in", server.address("console"));
    let token = format!("token={}", server.token());
    let reply = Reply::of(&["--cookie-jar", jar.path().to_str().unwrap(), "--data-urlencode", &token, &url]);
    assert_eq!(reply.status, 303, "{}", reply.text());
    jar
}

/// A stream that curl writes out as it comes.
fn stream(server: &TestServer, jar: &tempfile::NamedTempFile) -> (Child, BufReader<std::process::ChildStdout>) {
    let url = format!("{}/live/home", server.address("console"));
    let mut child = Command::new("curl")
        .args(["--silent", "--no-buffer", "--max-time", "60", "--cookie", jar.path().to_str().unwrap(), &url])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, lines)
}

/// Reads to a line; what is read in vain ends with curl.
fn read_to(lines: &mut impl BufRead, wanted: &str) {
    let mut line = String::new();
    while line.trim_end() != wanted {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the stream ended before {wanted:?}");
    }
}

#[test]
fn curl_is_told_that_a_phone_asked_and_the_end_of_the_server_waits_for_no_stream() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let jar = signed_in(&server);
    let (mut child, mut lines) = stream(&server, &jar);
    read_to(&mut lines, "retry: 3000");

    let reply = server.phone(
        Some(&maker.phone(MAC)),
        &format!("/{MAC}.cfg"),
        &["-A", "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application"],
    );
    assert_eq!(reply.status, 200);

    read_to(&mut lines, "event: changed");
    let began = Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(8), "it took {:?}, as long as the drain", began.elapsed());
    assert!(child.wait().unwrap().success(), "the stream ended as streams do");
}
