//! Reading and writing: no bytes panic, and what is written is read back.

use proptest::prelude::*;
use provost_proto::sip::digest::{Authorization, Challenge};
use provost_proto::sip::field::{CSeq, NameAddr, Params, Via, list};
use provost_proto::sip::framing::{Frame, Framer};
use provost_proto::sip::message::{Message, Name, Start, SyntaxError};
use provost_proto::sip::uri::{Scheme, Uri, UriError};
use provost_proto::sip::write::Writer;
use provost_proto::sip::{Endpoint, Millis, Output, StreamId};

use crate::world::{Request, address, settings};

#[test]
fn a_message_is_taken_apart() {
    let text = b"\r\nINVITE sip:1@h SIP/2.0\r\nv: SIP/2.0/UDP a\r\nVIA: SIP/2.0/TCP b\r\nSubject:  long\r\n  story \r\n\r\nbody";

    let message = Message::parse(text).unwrap();

    assert_eq!(message.start, Start::Request { method: "INVITE", uri: "sip:1@h", version: "SIP/2.0" });
    assert_eq!(message.all(Name::Via).collect::<Vec<_>>(), ["SIP/2.0/UDP a", "SIP/2.0/TCP b"]);
    assert_eq!(message.header(Name::Other("subject")), Some("long\r\n  story"));
    assert_eq!(message.body, b"body");
}

#[test]
fn what_is_no_message_is_said_to_be_none() {
    let cases: [(&[u8], SyntaxError); 9] = [
        (b"", SyntaxError::Empty),
        (b"\r\n\r\n", SyntaxError::Empty),
        (b"OPTIONS sip:a SIP/2.0\nVia: x\n\n", SyntaxError::LineEnd),
        (b"OPTIONS sip:a SIP/2.0\r\nVia: x\ry\r\n\r\n", SyntaxError::LineEnd),
        (b"OPTIONS\r\n\r\n", SyntaxError::StartLine),
        (b"SIP/2.0 99 x\r\n\r\n", SyntaxError::StartLine),
        (b"OPTIONS sip:a SIP/2.0\r\n continued\r\n\r\n", SyntaxError::HeaderName),
        (b"OPTIONS sip:a SIP/2.0\r\nno colon\r\n\r\n", SyntaxError::HeaderName),
        (b"OPTIONS sip:a SIP/2.0\r\nTo: \xff\r\n\r\n", SyntaxError::NotText),
    ];
    for (bytes, expected) in cases {
        assert_eq!(Message::parse(bytes).err(), Some(expected), "{}", String::from_utf8_lossy(bytes));
    }
    let many = format!("A b SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(257));
    assert_eq!(Message::parse(many.as_bytes()), Err(SyntaxError::TooManyHeaders));
}

#[test]
fn lists_are_cut_at_commas_outside_of_quotes_and_brackets() {
    let text = r#""a, \"b" <sip:a,b@c>;x="1,2" , <sip:d>,e"#;

    assert_eq!(list(text).collect::<Vec<_>>(), [r#""a, \"b" <sip:a,b@c>;x="1,2""#, "<sip:d>", "e"]);
}

#[test]
fn addresses_are_read_with_and_without_brackets() {
    let read = |text| NameAddr::parse(text).map(|address: NameAddr<'_>| (address.uri, address.tag()));

    assert_eq!(read("\"A \\\" <x>\" <sip:a@b;p>;tag=1"), Some(("sip:a@b;p", Some("1"))));
    assert_eq!(read("A B<sip:a@b> ; tag = 2"), Some(("sip:a@b", Some("2"))));
    assert_eq!(read("sip:a@b;tag=3"), Some(("sip:a@b", Some("3"))));
    for broken in ["\"A <sip:a@b>", "<sip:a@b", "sip:a@b?x=y", "<sip:a>;;", "<sip:a> x", "\"A\" sip:a", "A\" <sip:a>"] {
        assert_eq!(read(broken), None, "{broken}");
    }
}

#[test]
fn uris_are_taken_apart() {
    let uri = Uri::parse("SIPS:a%20b:secret@[2001:db8::1]:5061;transport=tcp?x=y").unwrap();

    assert_eq!((uri.scheme, uri.host, uri.port, uri.has_headers), (Scheme::Sips, "[2001:db8::1]", Some(5061), true));
    assert_eq!(uri.user_text().as_deref(), Some("a b"));
    assert_eq!(uri.params.value("Transport"), Some("tcp"));
    assert_eq!(Uri::parse("tel:+1-555;ext=1").unwrap().user, Some("+1-555"));
    assert_eq!(Uri::parse("http://x"), Err(UriError::Scheme));
    for broken in
        ["", "sip", "sip:", "sip:@h", "sip:a@", "sip:h:", "sip:h:65536", "sip:a b@h", "sip:a@b@c", "1:x", "sip:[::1"]
    {
        assert_eq!(Uri::parse(broken), Err(UriError::Malformed), "{broken}");
    }
    assert_eq!(Uri::parse("sip:a%2@h").unwrap().user_text(), None);
}

#[test]
fn names_have_long_and_short_forms() {
    assert_eq!(Name::of("M"), Name::Contact);
    assert_eq!(Name::of("call-id").text(), "Call-ID");
    assert_eq!(Name::of("X-Mine"), Name::Other("X-Mine"));
    assert_eq!(Name::of(""), Name::Other(""));
}

/// Gives the machine all bytes by both transports, and lets time pass.
fn swallow(bytes: &[u8], pieces: &[usize]) {
    let mut endpoint = Endpoint::new(settings(), [1; 32]);
    endpoint.datagram(Millis(0), address(1), bytes);
    endpoint.stream_opened(Millis(0), StreamId(1), address(1));
    let mut rest = bytes;
    for piece in pieces {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        endpoint.stream_bytes(Millis(1), StreamId(1), now);
        rest = later;
    }
    endpoint.stream_bytes(Millis(2), StreamId(1), rest);
    let mut steps = 0;
    loop {
        while let Some(output) = endpoint.poll() {
            if let Output::Transmit { bytes, .. } = output
                && *bytes != *b"\r\n"
            {
                assert!(Message::parse(&bytes).is_ok(), "{}", String::from_utf8_lossy(&bytes));
            }
        }
        let Some(wake) = endpoint.next_wake() else { break };
        endpoint.tick(wake);
        steps += 1;
        assert!(steps < 1000);
    }
}

fn sample(which: usize) -> String {
    let message = [
        Request::invite("911").with("Contact: \"A\" <sip:a@b>;q=1").text(),
        Request::register("60").with("Authorization: Digest username=\"alice\", realm=\"provost\", nonce=\"00\", uri=\"sip:192.0.2.1\", response=\"0\", algorithm=MD5, cnonce=\"a\", qop=auth, nc=00000001").text(),
        Request::new("OPTIONS", "sip:192.0.2.1").with("Require: x").text(),
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK0000000000000001\r\nCSeq: 1 NOTIFY\r\n\r\n".to_owned(),
    ];
    message[which % message.len()].clone()
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), pieces in proptest::collection::vec(0usize..40, 0..20)) {
        swallow(&bytes, &pieces);
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = (Via::parse(&text), NameAddr::parse(&text), CSeq::parse(&text), Params::parse(&text));
        let _ = (Uri::parse(&text), Challenge::parse(&text), Authorization::parse(&text), list(&text).count());
        let digest = format!("Digest {text}");
        let _ = (Challenge::parse(&digest), Authorization::parse(&digest));
    }

    #[test]
    fn damaged_messages_do_not_panic(
        which in 0usize..4,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..8),
        pieces in proptest::collection::vec(0usize..80, 0..20),
    ) {
        let mut bytes = sample(which).into_bytes();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        swallow(&bytes, &pieces);
    }

    #[test]
    fn framing_does_not_depend_on_the_pieces(
        whats in proptest::collection::vec(0usize..6, 1..6),
        cuts in proptest::collection::vec(1usize..200, 0..30),
    ) {
        let parts = whats.iter().map(|what| match what {
            4 => "\r\n".to_owned(),
            5 => "\r\n\r\n".to_owned(),
            // The sample response has no length.
            which => sample(which % 3),
        });
        let bytes = parts.collect::<String>().into_bytes();
        let whole = frames(&[&bytes]);

        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);

        prop_assert_eq!(frames(&pieces), whole);
    }

    #[test]
    fn what_is_written_is_read_back(
        method in "[A-Z]{1,10}",
        headers in proptest::collection::vec(("X-[A-Za-z]{1,8}", "[^\\x00-\\x1f\\x7f]{0,40}"), 0..8),
        body in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut writer = Writer::request(&method, "sip:a@b");
        for (name, value) in &headers {
            writer = writer.header(name, value);
        }
        let bytes = writer.body("application/sdp", &body);

        let message = Message::parse(&bytes).unwrap();

        prop_assert_eq!(message.method(), Some(method.as_str()));
        prop_assert_eq!(message.body, &body[..]);
        let wanted = headers.iter().map(|(name, value)| (name.as_str(), value.trim_matches([' ', '\t'])));
        for (name, value) in wanted {
            prop_assert!(message.all(Name::Other(name)).any(|found| found == value));
        }
    }

    #[test]
    fn no_value_makes_a_header_of_its_own(value in "[a-z\r\n: ]{0,40}") {
        let bytes = Writer::response(200, &value).header("X", &value).finish();

        let message = Message::parse(&bytes).unwrap();

        prop_assert_eq!(message.all(Name::Other("X")).count(), 1);
        prop_assert_eq!(message.header(Name::ContentLength), Some("0"));
        prop_assert_eq!(message.body, b"");
    }
}

fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
    let mut framer = Framer::new(16_384);
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    frames
}
