//! Registrations and NOTIFY.

use provost_proto::sip::message::Name;
use provost_proto::sip::{Event, Flow, StreamId, UnregisterReason};

use crate::world::{Request, World, address, answer_to, header, settings, status, udp};

/// Registers alice and returns the request that did.
fn registered(world: &mut World, port: u16, register: &Request) -> (Request, String) {
    let proven = world.prove(port, register, "wonder");
    let answer = world.ask(port, proven.text());
    assert_eq!(status(&answer), 200, "{answer}");
    (proven, answer)
}

/// The next REGISTER under the same nonce.
fn again(last: &Request, challenge_of: &str, count: u32) -> Request {
    last.next().proving(challenge_of, "wonder", count)
}

#[test]
fn a_phone_registers_and_is_found_where_it_came_from() {
    let mut world = World::new();

    let (_, answer) = registered(&mut world, 5060, &Request::register("3600").with("User-Agent: PolycomVVX"));

    assert_eq!(header(&answer, Name::Contact), "<sip:alice@192.0.2.10:5060>;expires=3600");
    let contact = "sip:alice@192.0.2.10:5060".to_owned();
    let expected = Event::Registered {
        user: "alice".to_owned(),
        from: address(5060),
        contact: contact.clone(),
        expires_s: 3600,
        user_agent: Some("PolycomVVX".to_owned()),
    };
    assert_eq!(world.take_events(), [expected]);
    let registration = world.endpoint.registration("alice").unwrap();
    assert_eq!((registration.flow, registration.contact), (udp(5060), contact.as_str()));
}

#[test]
fn a_registration_nobody_renews_ends() {
    let mut world = World::new();
    registered(&mut world, 5060, &Request::register("60"));
    world.take_events();

    world.advance(60_000);

    let ended = Event::Unregistered { user: "alice".to_owned(), why: UnregisterReason::Expired };
    assert_eq!(world.take_events(), [ended]);
    assert_eq!(world.endpoint.registration("alice"), None);
}

#[test]
fn a_renewed_registration_lasts_from_then() {
    let mut world = World::new();
    let register = Request::register("60");
    let challenge = world.ask(5060, register.text());
    let first = again(&register, &challenge, 1);
    assert_eq!(world.status(5060, first.text()), 200);
    world.advance(50_000);

    assert_eq!(world.status(5060, again(&first, &challenge, 2).text()), 200);
    world.take_events();
    world.advance(59_999);

    assert_eq!(world.take_events(), []);
    assert!(world.endpoint.registration("alice").is_some());
}

#[test]
fn a_wish_is_cut_to_the_most_and_none_is_the_default() {
    let cases = [("999999999999999999999", 3600), ("7200", 3600), ("", 3600), ("soon", 3600), ("600", 600)];
    for (wish, granted) in cases {
        let mut world = World::new();
        let (_, answer) = registered(&mut world, 5060, &Request::register(wish));
        assert!(header(&answer, Name::Contact).ends_with(&format!(";expires={granted}")), "{wish}");
    }
}

#[test]
fn a_contacts_own_expiry_counts_more_than_the_header() {
    let mut world = World::new();
    let mut register = Request::register("3600");
    register.headers[0] += ";expires=120";

    let (_, answer) = registered(&mut world, 5060, &register);

    assert!(header(&answer, Name::Contact).ends_with(";expires=120"));
}

#[test]
fn too_short_a_wish_is_told_the_least() {
    let mut world = World::new();
    let proven = world.prove(5060, &Request::register("59"), "wonder");

    let refused = world.ask(5060, proven.text());

    assert_eq!((status(&refused), header(&refused, Name::MinExpires).as_str()), (423, "60"));
    assert_eq!(world.endpoint.registration("alice"), None);
}

#[test]
fn a_phone_takes_its_contact_away() {
    for wish in ["Contact: *", "Contact: <sip:alice@192.0.2.10:5060>"] {
        let mut world = World::new();
        let (first, _) = registered(&mut world, 5060, &Request::register("3600"));
        world.take_events();
        let mut register = first.next();
        register.authorization = None;
        register.headers = vec![wish.to_owned(), "Expires: 0".to_owned()];

        let (_, answer) = registered(&mut world, 5060, &register);

        assert_eq!(header(&answer, Name::Contact), "");
        let ended = Event::Unregistered { user: "alice".to_owned(), why: UnregisterReason::Asked };
        assert_eq!(world.take_events(), [ended], "{wish}");
        world.advance(4_000_000);
        assert_eq!(world.take_events(), []);
    }
}

#[test]
fn a_star_must_stand_alone_and_expire() {
    for headers in [vec!["Contact: *"], vec!["Contact: *", "Expires: 60"], vec!["Contact: *, <sip:a@b>", "Expires: 0"]]
    {
        let mut world = World::new();
        let mut register = Request::register("");
        register.headers = headers.iter().map(|header| (*header).to_owned()).collect();
        let proven = world.prove(5060, &register, "wonder");

        assert_eq!(world.status(5060, proven.text()), 400, "{headers:?}");
    }
}

#[test]
fn an_old_contact_taken_away_late_leaves_the_new_one() {
    let mut world = World::new();
    registered(&mut world, 5060, &Request::register("3600"));
    world.take_events();
    let mut late = Request::register("0");
    late.call_id = "another-boot".to_owned();
    late.headers[0] = "Contact: <sip:alice@192.0.2.10:9999>".to_owned();

    let (_, answer) = registered(&mut world, 5060, &late);

    assert!(header(&answer, Name::Contact).starts_with("<sip:alice@192.0.2.10:5060>"));
    assert_eq!(world.take_events(), []);
}

#[test]
fn a_phone_that_moved_replaces_its_contact_in_one_message() {
    let mut world = World::new();
    let mut register = Request::register("3600");
    register.headers[0] = "Contact: <sip:alice@192.0.2.10:1>;expires=0, <sip:alice@192.0.2.10:2>".to_owned();

    let (_, answer) = registered(&mut world, 5060, &register);

    assert_eq!(header(&answer, Name::Contact), "<sip:alice@192.0.2.10:2>;expires=3600");
}

#[test]
fn a_register_without_contact_only_asks() {
    let mut world = World::new();
    let (first, _) = registered(&mut world, 5060, &Request::register("3600"));
    world.take_events();
    world.advance(600_000);
    let mut register = first.next();
    register.authorization = None;
    register.headers.clear();

    let (_, answer) = registered(&mut world, 5060, &register);

    assert_eq!(header(&answer, Name::Contact), "<sip:alice@192.0.2.10:5060>;expires=3000");
    assert_eq!(world.take_events(), []);
}

#[test]
fn an_older_register_does_not_undo_a_newer_one() {
    let mut world = World::new();
    let register = Request::register("3600");
    let challenge = world.ask(5060, register.text());
    let newer = Request { cseq: 9, branch: "newer".to_owned(), ..again(&register, &challenge, 2) };
    assert_eq!(world.status(5060, newer.text()), 200);

    let older = again(&register, &challenge, 3);

    assert_eq!(world.status(5060, older.text()), 500);
}

#[test]
fn nobody_registers_for_somebody_else() {
    let mut world = World::new();
    let mut register = Request::register("3600");
    register.to = "<sip:bob@192.0.2.1>".to_owned();
    let proven = world.prove(5060, &register, "wonder");

    assert_eq!(world.status(5060, proven.text()), 403);
    assert_eq!(world.take_events(), []);
}

#[test]
fn a_full_registrar_says_so_and_still_renews() {
    let mut settings = settings();
    settings.limits.registrations = 1;
    let mut world = World::with(settings);
    let (first, _) = registered(&mut world, 5060, &Request::register("3600"));
    let bob = world.prove(5061, &Request::register("3600").by("bob"), "builder");

    assert_eq!(world.status(5061, bob.text()), 503);

    let mut renewal = first.next();
    renewal.authorization = None;
    registered(&mut world, 5060, &renewal);
}

#[test]
fn a_repeated_register_gets_the_same_answer_and_is_told_once() {
    let mut world = World::new();
    let (proven, answer) = registered(&mut world, 5060, &Request::register("3600"));
    world.take_events();

    assert_eq!(world.ask(5060, proven.text()), answer);
    assert_eq!(world.take_events(), []);
    world.advance(32_000);
    assert_eq!(world.endpoint.counts().transactions, 0);
}

#[test]
fn finished_transactions_make_room_for_new_ones() {
    let mut settings = settings();
    settings.limits.transactions = 4;
    let mut world = World::with(settings);
    let register = Request::register("3600");
    let challenge = world.ask(5060, register.text());
    let mut last = register;

    for count in 1..=50 {
        last = again(&last, &challenge, count);
        assert_eq!(world.status(5060, last.text()), 200);
        assert!(world.endpoint.counts().transactions <= 4);
    }
}

#[test]
fn unfinished_transactions_fill_the_table() {
    let mut settings = settings();
    settings.limits.transactions = 1;
    let mut world = World::with(settings);
    let first = world.prove(5060, &Request::register("60"), "wonder");
    let second = world.prove(5061, &Request::register("60").by("bob"), "builder");
    world.answering = false;
    world.datagram(5060, first.text());

    assert_eq!(world.status(5061, second.text()), 503);
    assert_eq!(world.asks.len(), 1);
}

#[test]
fn notify_goes_the_way_the_registration_came() {
    let mut world = World::new();
    // Behind a NAT: what the phone says of itself is not where it is.
    registered(&mut world, 40_123, &Request::register("3600"));
    world.sent.clear();
    world.take_events();

    assert!(world.endpoint.notify(world.now, "alice", "check-sync"));
    world.drain();

    let (to, notify) = world.sent.remove(0);
    assert_eq!(to, udp(40_123));
    assert!(notify.starts_with("NOTIFY sip:alice@192.0.2.10:5060 SIP/2.0\r\n"));
    assert_eq!(header(&notify, Name::Event), "check-sync");
    assert_eq!(header(&notify, Name::SubscriptionState), "terminated");
    assert!(notify.ends_with("Content-Length: 0\r\n\r\n"));
    world.datagram(40_123, answer_to(&notify, 200));
    assert_eq!(world.take_events(), [Event::NotifyDone { user: "alice".to_owned(), status: Some(200) }]);
    world.advance(40_000);
    assert!(world.take_sent().is_empty());
}

#[test]
fn a_lost_notify_is_repeated_and_told_when_it_never_arrives() {
    let mut world = World::new();
    registered(&mut world, 5060, &Request::register("3600"));
    world.sent.clear();
    world.take_events();
    world.endpoint.notify(world.now, "alice", "check-sync");

    world.advance(31_999);
    assert_eq!(world.take_events(), []);
    world.advance(1);

    // At 0, 0.5, 1.5, 3.5 s and then every 4 s.
    assert_eq!(world.take_sent().len(), 11);
    assert_eq!(world.take_events(), [Event::NotifyDone { user: "alice".to_owned(), status: None }]);
    assert_eq!(world.endpoint.counts().requests, 0);
}

#[test]
fn a_phone_that_wants_a_proof_of_us_gets_none() {
    let mut world = World::new();
    registered(&mut world, 5060, &Request::register("3600"));
    world.sent.clear();
    world.take_events();
    world.endpoint.notify(world.now, "alice", "check-sync");
    world.drain();
    let notify = world.take_sent().remove(0);

    world.datagram(5060, answer_to(&notify, 100));
    assert_eq!(world.take_events(), []);
    world.datagram(5060, answer_to(&notify, 401));
    world.datagram(5060, answer_to(&notify, 200));

    assert_eq!(world.take_events(), [Event::NotifyDone { user: "alice".to_owned(), status: Some(401) }]);
}

#[test]
fn a_response_nobody_waits_for_is_ignored() {
    let mut world = World::new();
    registered(&mut world, 5060, &Request::register("3600"));
    world.sent.clear();
    world.take_events();
    world.endpoint.notify(world.now, "alice", "check-sync");
    world.drain();
    let notify = world.take_sent().remove(0);

    world.datagram(5060, answer_to(&notify, 200).replace("branch=z9hG4bK", "branch=z9hG4bK0"));
    world.datagram(5060, answer_to(&notify, 200).replace("NOTIFY", "BYE"));

    assert_eq!(world.take_events(), []);
}

#[test]
fn who_is_not_registered_is_not_notified() {
    let mut world = World::new();

    assert!(!world.endpoint.notify(world.now, "alice", "check-sync"));
    registered(&mut world, 5060, &Request::register("3600"));
    world.take_events();
    world.endpoint.forget(world.now, "alice");
    world.drain();

    let ended = Event::Unregistered { user: "alice".to_owned(), why: UnregisterReason::Forgotten };
    assert_eq!(world.take_events(), [ended]);
    assert!(!world.endpoint.notify(world.now, "alice", "check-sync"));
}

#[test]
fn notify_fails_at_once_when_its_connection_goes() {
    let mut world = World::new();
    world.endpoint.stream_opened(world.now, StreamId(1), address(5060));
    let mut register = Request::register("3600");
    register.transport = "TCP";
    world.stream(1, register.text());
    let challenge = world.take_sent().remove(0);
    world.stream(1, again(&register, &challenge, 1).text());
    assert_eq!(status(&world.take_sent()[0]), 200);
    world.take_events();

    assert!(world.endpoint.notify(world.now, "alice", "check-sync"));
    world.drain();
    let (to, notify) = world.sent.remove(0);
    assert_eq!(to, Flow::Stream(StreamId(1)));
    assert!(header(&notify, Name::Via).starts_with("SIP/2.0/TCP "));
    assert_eq!(header(&notify, Name::Contact), "<sip:192.0.2.1;transport=tcp>");
    world.endpoint.stream_closed(world.now, StreamId(1));
    world.drain();

    assert_eq!(world.take_events(), [Event::NotifyDone { user: "alice".to_owned(), status: None }]);
    assert!(!world.endpoint.notify(world.now, "alice", "check-sync"));
    assert!(world.endpoint.registration("alice").is_some(), "the phone may come back on another connection");
}
