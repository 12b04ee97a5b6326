//! What is not for us, and how politely that is said.

use provost_proto::sip::message::Name;

use crate::world::{Request, World, header, status};

#[test]
fn what_we_do_not_do_is_refused_politely() {
    let mut world = World::new();
    let cases = [
        ("SUBSCRIBE", 489),
        ("PRACK", 405),
        ("REFER", 405),
        ("MESSAGE", 405),
        ("NOTIFY", 405),
        ("PUBLISH", 405),
        ("DANCE", 501),
        ("BYE", 481),
        ("INFO", 481),
        ("UPDATE", 481),
    ];

    for (method, expected) in cases {
        let refused = world.ask(5060, Request::new(method, "sip:x@192.0.2.1").text());
        assert_eq!(status(&refused), expected, "{method}");
        let says_what_we_do = header(&refused, Name::Allow).contains("INVITE");
        assert_eq!(says_what_we_do, expected != 481, "{method}");
    }
    assert_eq!(world.endpoint.counts(), provost_proto::sip::Counts::default());
}

#[test]
fn options_needs_no_credentials_and_says_what_we_do() {
    let mut world = World::new();

    let answer = world.ask(5060, Request::new("OPTIONS", "sip:192.0.2.1").text());

    assert_eq!(status(&answer), 200);
    assert!(header(&answer, Name::Allow).contains("REGISTER"));
    assert!(header(&answer, Name::Accept).contains("application/sdp"));
    assert_eq!(header(&answer, Name::Server), "Provost");
}

#[test]
fn an_ack_for_nothing_is_not_answered() {
    let mut world = World::new();

    world.datagram(5060, Request::invite("911").same_hop("ACK").text());
    world.datagram(5060, Request::new("ACK", "nonsense:x").text());

    assert!(world.take_sent().is_empty());
}

#[test]
fn a_required_extension_we_lack_is_named() {
    let mut world = World::new();
    let invite = Request::invite("911");

    let refused = world.ask(5060, invite.clone().with("Require: 100rel, precondition").text());
    assert_eq!((status(&refused), header(&refused, Name::Unsupported).as_str()), (420, "100rel, precondition"));
    world.datagram(5060, invite.with("Supported: 100rel, timer, replaces").text());

    world.incoming();
}

#[test]
fn a_request_older_than_the_last_is_refused() {
    let mut world = World::new();
    let (_, invite, ok) = world.established(5060);
    let first = invite.in_dialog("INFO", &ok);
    let second = Request { cseq: first.cseq + 5, branch: "later".to_owned(), ..first.clone() };

    assert_eq!(world.status(5060, second.text()), 200);

    assert_eq!(world.status(5060, first.text()), 500);
}
