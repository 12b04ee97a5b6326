//! Callers without proof: emergency numbers however they are dialed, and how little room strangers get.

use std::net::SocketAddr;

use provost_proto::sip::{Counts, EndReason, Event, Rejection, Settings};

use crate::world::{ANSWER, Request, World, settings, status};

/// A call for help of its own.
fn help(call_id: &str) -> Request {
    Request { call_id: call_id.to_owned(), branch: call_id.to_owned(), ..Request::invite("911") }
}

/// The status of the answer to a datagram from anywhere; 100 when a call began.
fn status_from(world: &mut World, from: &str, request: &Request) -> u16 {
    world.sent.clear();
    world.endpoint.datagram(world.now, from.parse::<SocketAddr>().unwrap(), request.text().as_bytes());
    world.drain();
    status(&world.take_sent().pop().unwrap())
}

fn dialing(uri: &str) -> Request {
    Request { uri: uri.to_owned(), ..Request::invite("x") }
}

#[test]
fn an_emergency_number_may_be_dialed_in_many_ways() {
    for uri in [
        "sip:911@192.0.2.1",
        "sip:9-1-1@192.0.2.1",
        "sip:(9).1-1;phone-context=example.com@192.0.2.1;user=phone",
        "sip:9%201%201@192.0.2.1",
        "tel:9-1-1;phone-context=+1",
        "urn:service:sos",
        "URN:Service:SOS.Fire",
        "urn:service:sos.police.municipal",
    ] {
        let mut world = World::new();
        world.datagram(5060, dialing(uri).text());
        let call = world.incoming();
        assert_eq!((call.dialed.as_str(), call.user), ("911", None), "{uri}");
    }
}

#[test]
fn the_emergency_service_is_112_where_that_is_known() {
    let mut settings = settings();
    settings.unproven_numbers.push("112".to_owned());
    let mut world = World::with(settings);

    world.datagram(5060, dialing("urn:service:sos").text());

    assert_eq!(world.incoming().dialed.as_str(), "112");
}

#[test]
fn what_only_resembles_an_emergency_needs_a_proof() {
    for uri in ["urn:service:sosa", "urn:service:counseling", "urn:x:service:sos", "sip:9*1-1@192.0.2.1"] {
        assert_eq!(World::new().status(5060, dialing(uri).text()), 401, "{uri}");
    }
    let mut world = World::with(Settings::new("provost", "Provost"));
    assert_eq!(world.status(5060, dialing("urn:service:sos").text()), 401, "no number is an emergency");
}

#[test]
fn separators_in_other_numbers_stay() {
    let mut world = World::new();
    let invite = world.prove(5060, &Request::invite("555-1000"), "wonder");

    world.datagram(5060, invite.text());

    assert_eq!(world.incoming().dialed.as_str(), "555-1000");
}

#[test]
fn calls_of_strangers_that_are_over_fill_a_quarter_of_the_transactions_at_most() {
    let mut settings = settings();
    settings.limits.transactions = 16;
    let mut world = World::with(settings);
    for at in 0..4 {
        world.datagram(5060, help(&format!("help-{at}")).text());
        let call = world.incoming().call;
        world.endpoint.reject(world.now, call, &Rejection::new(486)).unwrap();
        world.drain();
        world.take_events();
    }
    assert_eq!((world.endpoint.counts().calls, world.endpoint.counts().transactions), (0, 4));

    assert_eq!(world.status(5060, help("help-5").text()), 503);
    assert_eq!(world.endpoint.counts().transactions, 4, "refused without memory");
    world.established(5060);
    world.datagram(5060, help("help-0").same_hop("ACK").text());
    world.advance(5000);
    world.datagram(5060, help("help-6").text());

    world.incoming();
}

#[test]
fn new_offers_in_the_call_of_a_stranger_fill_no_more_either() {
    let mut settings = settings();
    settings.limits.transactions = 16;
    let mut world = World::with(settings);
    let invite = help("help");
    world.datagram(5060, invite.text());
    let call = world.incoming().call;
    world.sent.clear();
    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().remove(0);
    world.datagram(5060, invite.ack(&ok).text());

    let mut change = invite.in_dialog("INVITE", &ok);
    for at in 0..10 {
        change.branch = format!("change-{at}");
        world.datagram(5060, change.text());
        change.cseq += 1;
    }

    assert_eq!(world.endpoint.counts().transactions, 4);
    assert!(world.take_sent().iter().skip(4).all(|text| status(text) == 503));
}

#[test]
fn strangers_get_four_calls_at_once_from_one_address() {
    let mut world = World::new();
    for at in 0..4 {
        assert_eq!(status_from(&mut world, &format!("198.51.100.7:{}", 6000 + at), &help(&format!("help-{at}"))), 100);
    }
    let call = world.take_events().into_iter().find_map(|event| match event {
        Event::Incoming(call) => Some(call.call),
        _ => None,
    });

    assert_eq!(status_from(&mut world, "198.51.100.7:6009", &help("fifth")), 486);
    assert_eq!(status_from(&mut world, "[::ffff:198.51.100.7]:6009", &help("mapped")), 486);
    assert_eq!(world.endpoint.counts().transactions, 4, "refused without memory");
    assert_eq!(status_from(&mut world, "198.51.100.8:6000", &help("neighbor")), 100);
    world.endpoint.hang_up(world.now, call.unwrap()).unwrap();
    assert_eq!(status_from(&mut world, "198.51.100.7:6009", &help("later")), 100);
}

#[test]
fn one_network_of_ipv6_counts_as_one_address() {
    let mut world = World::new();
    for at in 0..4 {
        assert_eq!(status_from(&mut world, &format!("[2001:db8::{at}]:5060"), &help(&format!("help-{at}"))), 100);
    }

    assert_eq!(status_from(&mut world, "[2001:db8::ffff:0:0:1]:5060", &help("fifth")), 486);
    assert_eq!(status_from(&mut world, "[2001:db8:0:1::1]:5060", &help("other")), 100);
}

#[test]
fn a_stranger_who_never_confirms_is_told_five_times_and_given_up() {
    let mut world = World::new();
    world.datagram(5060, help("help").text());
    let call = world.incoming().call;
    world.sent.clear();
    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();

    world.advance(11_499);
    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [200; 5]);
    assert_eq!(world.take_events(), []);
    world.advance(1);

    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::NeverConfirmed }]);
    world.advance(64_000);
    let sent = world.take_sent();
    assert!(sent.len() == 1 && sent[0].starts_with("BYE "), "{sent:?}");
    assert_eq!(world.endpoint.counts(), Counts::default());
}
