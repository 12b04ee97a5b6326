//! `provost trust fetch`, from a mirror inside the test.

use crate::provost;
use provost_testkit::{Finished, Maker, Provost, shared};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// Answers each path with these bytes, and everything else with 404; ends with the test.
fn mirror(files: HashMap<&'static str, Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if socket.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let missing = || b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
            // The reader may have left, which is what one of the tests is about.
            let _ = socket.write_all(&files.get(path).cloned().unwrap_or_else(missing));
        }
    });
    address
}

fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

const ROOT: &str = "/pki/Polycom%20Root%20CA.crt";
const POLICY: &str = "/pki/Polycom%20Equipment%20Policy%20CA.crt";
const ISSUING_1: &str = "/pki/Polycom%20Equipment%20Issuing%20CA%201.crt";
const ISSUING_2: &str = "/pki/Polycom%20Equipment%20Issuing%20CA%202.crt";

fn fetch(provost: &Provost, data: &Path, mirror: SocketAddr) -> Finished {
    let data = data.to_str().unwrap();
    provost.run(&["trust", "fetch", "--data", data, "--from", &format!("http://{mirror}/pki")])
}

fn states(provost: &Provost, data: &Path) -> Vec<String> {
    let listed = provost.run(&["trust", "list", "--json", "--data", data.to_str().unwrap()]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    listed.as_array().unwrap().iter().map(|each| each["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_makers_true_authorities_are_fetched_once() {
    let Some(shared) = shared() else { return };
    let der = |name: &str| {
        let pem = std::fs::read(shared.join("data/poly-ca").join(name)).unwrap();
        ok(&openssl::x509::X509::from_pem(&pem).unwrap().to_der().unwrap())
    };
    let mirror = mirror(HashMap::from([
        (ROOT, der("Polycom_Root_CA.pem")),
        (POLICY, der("Polycom_Equipment_Policy_CA.pem")),
        (ISSUING_1, der("Polycom_Equipment_Issuing_CA_1.pem")),
        (ISSUING_2, der("Polycom_Equipment_Issuing_CA_2.pem")),
    ]));
    let (provost, data) = (provost(), tempfile::tempdir().unwrap());

    let first = fetch(&provost, data.path(), mirror);
    let second = fetch(&provost, data.path(), mirror);

    assert_eq!(first.code, 0, "{}{}", first.out, first.err);
    assert_eq!(first.out.matches("imported: Polycom").count(), 4, "{}", first.out);
    assert_eq!(second.code, 0, "{}{}", second.out, second.err);
    assert_eq!(second.out.matches("was here already: Polycom").count(), 4, "{}", second.out);
    assert_eq!(states(&provost, data.path()), ["imported"; 4]);
}

#[test]
fn what_is_not_the_pinned_certificate_is_refused_and_named_with_its_fingerprint() {
    let maker = Maker::new();
    let redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let mirror = mirror(HashMap::from([
        (ROOT, ok(&maker.issuing_der())),
        (POLICY, redirect),
        (ISSUING_1, ok(&vec![b'x'; 200_000])),
        (ISSUING_2, ok(b"<html>not found</html>")),
    ]));
    let (provost, data) = (provost(), tempfile::tempdir().unwrap());

    let fetched = fetch(&provost, data.path(), mirror);

    assert_eq!(fetched.code, 1, "{}", fetched.out);
    for words in [
        "not imported: Polycom Root CA",
        &format!("the certificate there has SHA-256 {}", maker.issuing_sha256()),
        "expected 5a9a1f57090208b9acda4f239510153977aea210897915014d431eff06601ebe",
        "answered 302 Found, expected 200; redirects are not followed",
        "larger than 65536 bytes",
        "no certificate in it",
        "4 of the makers' authorities could not be had",
    ] {
        assert!(fetched.err.contains(words), "{words} is missing in:\n{}", fetched.err);
    }
    assert_eq!(states(&provost, data.path()), ["not imported"; 4]);
}

#[test]
fn a_mirror_that_is_not_plain_http_is_wrong_usage() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();

    let fetched = provost().run(&["trust", "fetch", "--data", data, "--from", "https://mirror.example/pki"]);

    assert_eq!(fetched.code, 64, "{}", fetched.err);
}
