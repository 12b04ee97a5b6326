//! Calls: how they begin, are answered, confirmed, cancelled and ended, when nothing and when much goes wrong.

use provost_proto::sip::message::Name;
use provost_proto::sip::{CommandError, Credential, EndReason, Event, Rejection};

use crate::world::{ANSWER, OFFER, Request, World, header, settings, status, udp};

#[test]
fn a_call_is_challenged_announced_answered_and_confirmed() {
    let mut world = World::new();
    let invite = Request::invite("5551000");

    let proven = world.prove(5060, &invite, "wonder");
    world.datagram(5060, proven.with("User-Agent: PolycomVVX-VVX_450-UA/5.9.1.0615").text());

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [100]);
    let call = world.incoming();
    assert_eq!(call.user.as_deref(), Some("alice"));
    assert_eq!(call.dialed.as_str(), "5551000");
    assert_eq!(call.offer.unwrap().as_bytes(), OFFER.as_bytes());
    assert_eq!(call.user_agent.as_deref(), Some("PolycomVVX-VVX_450-UA/5.9.1.0615"));
}

#[test]
fn the_answer_carries_contact_session_and_the_hops_back() {
    let mut world = World::new();
    let invite = world.prove(5060, &Request::invite("5551000"), "wonder");
    world.datagram(5060, invite.with("Record-Route: <sip:192.0.2.99;lr>").text());
    let call = world.incoming().call;
    world.sent.clear();

    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();

    let ok = world.take_sent().remove(0);
    assert_eq!(status(&ok), 200);
    assert_eq!(header(&ok, Name::Contact), "<sip:192.0.2.1>");
    assert_eq!(header(&ok, Name::RecordRoute), "<sip:192.0.2.99;lr>");
    assert_eq!(header(&ok, Name::Via), "SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKone-2;received=192.0.2.10;rport=5060");
    assert!(header(&ok, Name::To).contains(";tag="));
    assert!(ok.as_bytes().ends_with(ANSWER));
}

#[test]
fn a_number_that_needs_no_proof_is_announced_without_challenge() {
    let mut world = World::new();

    world.datagram(5060, Request::invite("911").text());

    let call = world.incoming();
    assert_eq!(call.user, None);
    assert_eq!(call.claimed_user.as_deref(), Some("alice"));
    assert_eq!(call.dialed.as_str(), "911");
}

#[test]
fn a_number_that_begins_like_an_emergency_needs_a_proof() {
    let mut world = World::new();

    assert_eq!(world.status(5060, Request::invite("9115551000").text()), 401);
}

#[test]
fn a_call_without_offer_gets_ours_and_its_ack_brings_the_answer() {
    let mut world = World::new();
    let mut invite = Request::invite("911");
    invite.body = String::new();
    world.datagram(5060, invite.text());
    let call = world.incoming();
    assert_eq!(call.offer, None);
    world.sent.clear();
    world.endpoint.accept(world.now, call.call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().remove(0);

    let mut ack = invite.ack(&ok);
    ack.body = OFFER.to_owned();
    world.datagram(5060, ack.text());

    let events = world.take_events();
    let [Event::Established { answer: Some(answer), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(answer.as_bytes(), OFFER.as_bytes());
}

#[test]
fn a_repeated_invite_is_one_call() {
    let mut world = World::new();
    let invite = Request::invite("911").text();

    world.datagram(5060, &invite);
    world.incoming();
    world.sent.clear();
    world.datagram(5060, &invite);

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [100]);
    assert_eq!(world.take_events(), []);
}

#[test]
fn the_200_is_repeated_until_the_phone_confirms() {
    let mut world = World::new();
    let invite = Request::invite("911");
    world.datagram(5060, invite.text());
    let call = world.incoming().call;
    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().pop().unwrap();

    world.advance(8000);
    // At 0.5, 1.5, 3.5 and 7.5 s.
    assert_eq!(world.take_sent(), vec![ok.clone(); 4]);
    world.datagram(5060, invite.text());
    assert!(world.take_sent().is_empty(), "a repeated INVITE is absorbed (RFC 6026)");
    world.datagram(5060, invite.ack(&ok).text());
    world.datagram(5060, invite.ack(&ok).text());
    world.advance(40_000);

    assert_eq!(world.take_events(), [Event::Established { call, answer: None }]);
    assert!(world.take_sent().is_empty());
}

#[test]
fn a_phone_that_never_confirms_is_hung_up_on() {
    let mut world = World::new();
    let invite = world.prove(5060, &Request::invite("5551000"), "wonder");
    world.datagram(5060, invite.text());
    let call = world.incoming().call;
    world.endpoint.accept(world.now, call, ANSWER).unwrap();

    world.advance(31_999);
    assert_eq!(world.take_events(), []);
    world.advance(1);

    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::NeverConfirmed }]);
    assert!(world.take_sent().pop().unwrap().starts_with("BYE sip:alice@192.0.2.10:5060 SIP/2.0\r\n"));
    world.advance(64_000);
    assert_eq!(world.endpoint.counts(), provost_proto::sip::Counts::default());
}

#[test]
fn a_user_that_calls_anew_is_answered_and_its_older_call_ends_with_bye() {
    let mut world = World::new();
    let (older, invite, ok) = world.established(5060);
    let branch = "second".to_owned();
    let second = Request { call_id: branch.clone(), branch, ..Request::invite("5551000") };
    let proven = world.prove(5061, &second, "wonder");
    world.take_sent();

    world.datagram(5061, proven.text());

    let sent = std::mem::take(&mut world.sent);
    assert!(sent[0].0 == udp(5060) && sent[0].1.starts_with("BYE "), "{sent:?}");
    let events = world.take_events();
    let [Event::Ended { call, why: EndReason::Replaced }, Event::Incoming(newer)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*call, older);
    assert_eq!(world.endpoint.counts().calls, 1);
    assert_eq!(world.status(5060, invite.in_dialog("INFO", &ok).text()), 481);
    world.endpoint.accept(world.now, newer.call, ANSWER).unwrap();
    world.drain();
    assert_eq!(status(&world.take_sent().pop().unwrap()), 200);
}

#[test]
fn a_user_that_calls_anew_before_the_first_call_is_answered_or_confirmed_has_one_call_too() {
    for answered in [false, true] {
        let mut world = World::new();
        let first = world.prove(5060, &Request::invite("5551000"), "wonder");
        world.datagram(5060, first.text());
        let older = world.incoming().call;
        if answered {
            world.endpoint.accept(world.now, older, ANSWER).unwrap();
            world.drain();
        }
        let branch = "second".to_owned();
        let second = Request { call_id: branch.clone(), branch, ..Request::invite("5551000") };
        let proven = world.prove(5060, &second, "wonder");
        world.take_sent();

        world.datagram(5060, proven.text());

        let first_said = world.take_sent().remove(0);
        assert!(first_said.starts_with(if answered { "BYE " } else { "SIP/2.0 480 " }), "{first_said}");
        assert_eq!(world.take_events()[0], Event::Ended { call: older, why: EndReason::Replaced });
        // The same INVITE once more is a repetition, not another call.
        world.datagram(5060, proven.text());
        assert_eq!(world.take_events(), []);
        assert_eq!(world.endpoint.counts().calls, 1);
    }
}

#[test]
fn an_invite_that_does_not_prove_the_user_ends_nobodys_call() {
    let mut world = World::new();
    world.established(5060);
    let branch = "second".to_owned();
    let second = Request { call_id: branch.clone(), branch, ..Request::invite("5551000") };

    let guessed = world.prove(5061, &second, "guessed");
    assert_eq!(world.status(5061, guessed.text()), 401);

    assert!(!world.take_events().iter().any(|event| matches!(event, Event::Ended { .. })));
    assert_eq!(world.endpoint.counts().calls, 1);
}

#[test]
fn a_user_in_a_call_may_still_call_for_help() {
    let mut world = World::new();
    world.established(5060);

    world.datagram(5060, Request { call_id: "help".to_owned(), ..Request::invite("911") }.text());

    assert_eq!(world.incoming().dialed.as_str(), "911");
}

#[test]
fn a_cancelled_call_ends_with_487_repeated_until_its_ack() {
    let mut world = World::new();
    let invite = Request::invite("911");
    world.datagram(5060, invite.text());
    let call = world.incoming().call;
    world.sent.clear();

    world.datagram(5060, invite.same_hop("CANCEL").text());

    let sent = world.take_sent();
    assert_eq!(sent.iter().map(|text| status(text)).collect::<Vec<_>>(), [200, 487]);
    assert_eq!(header(&sent[0], Name::To), header(&sent[1], Name::To));
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::Cancelled }]);
    assert_eq!(world.endpoint.accept(world.now, call, ANSWER), Err(CommandError::NoSuchCall));
    world.advance(1500);
    assert_eq!(world.take_sent().len(), 2);
    world.datagram(5060, invite.same_hop("ACK").text());
    world.advance(60_000);
    assert!(world.take_sent().is_empty());
    assert_eq!(world.endpoint.counts().transactions, 0);
}

#[test]
fn a_cancel_that_crosses_the_answer_changes_nothing() {
    let mut world = World::new();
    let invite = Request::invite("911");
    world.datagram(5060, invite.text());
    let call = world.incoming().call;
    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().pop().unwrap();

    assert_eq!(world.status(5060, invite.same_hop("CANCEL").text()), 200);
    world.datagram(5060, invite.ack(&ok).text());

    assert_eq!(world.take_events(), [Event::Established { call, answer: None }]);
}

#[test]
fn a_cancel_before_the_password_is_known_announces_nothing() {
    let mut world = World::new();
    let invite = world.prove(5060, &Request::invite("5551000"), "wonder");
    world.answering = false;
    world.datagram(5060, invite.text());
    world.sent.clear();

    world.datagram(5060, invite.same_hop("CANCEL").text());

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [200, 487]);
    let ask = world.asks.remove(0);
    world.endpoint.credentials(world.now, ask, None);
    world.drain();
    assert_eq!(world.take_events(), []);
    assert_eq!(world.endpoint.counts().asks, 0);
}

#[test]
fn a_cancel_of_nothing_is_told_so() {
    let mut world = World::new();

    assert_eq!(world.status(5060, Request::invite("911").same_hop("CANCEL").text()), 481);
}

#[test]
fn a_rejection_can_send_the_caller_elsewhere() {
    let mut world = World::new();
    world.datagram(5060, Request::invite("911").text());
    let call = world.incoming().call;
    world.sent.clear();
    let contact = ("Contact".to_owned(), "<sip:911@192.0.2.77>\r\nX-Injected: 1".to_owned());

    let rejection = Rejection { headers: vec![contact], ..Rejection::new(302) };
    world.endpoint.reject(world.now, call, &rejection).unwrap();
    world.drain();

    let moved = world.take_sent().remove(0);
    assert_eq!(status(&moved), 302);
    assert!(header(&moved, Name::Contact).starts_with("<sip:911@192.0.2.77>"));
    assert_eq!(header(&moved, Name::Other("X-Injected")), "", "no value makes a header of its own");
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::Rejected }]);
}

#[test]
fn an_invite_that_came_two_ways_is_one_call() {
    let mut world = World::new();
    let invite = Request::invite("911");
    world.datagram(5060, invite.text());
    world.incoming();

    let other = Request { branch: "two".to_owned(), ..invite };

    assert_eq!(world.status(5060, other.text()), 482);
    assert_eq!(world.take_events(), []);
}

#[test]
fn two_phones_that_choose_the_same_names_never_share_a_transaction() {
    let mut world = World::new();
    let first = Request::invite("911");
    let second = Request { call_id: "other".to_owned(), ..first.clone() };
    world.datagram(5060, first.text());
    let one = world.incoming().call;
    world.datagram(5061, second.text());
    let two = world.incoming().call;
    world.sent.clear();

    world.datagram(5061, second.same_hop("CANCEL").text());

    assert_eq!(world.take_events(), [Event::Ended { call: two, why: EndReason::Cancelled }]);
    assert!(world.sent.iter().all(|(to, _)| *to == crate::world::udp(5061)));
    assert_eq!(world.endpoint.accept(world.now, one, ANSWER), Ok(()));
}

#[test]
fn strangers_can_fill_half_of_the_calls_only() {
    let mut settings = settings();
    settings.limits.calls = 4;
    let mut world = World::with(settings);
    for at in 0..2 {
        let call_id = format!("stranger-{at}");
        world.datagram(6000 + at, Request { call_id, ..Request::invite("911") }.text());
    }
    world.take_events();

    let refused = world.ask(6009, Request { call_id: "stranger-9".to_owned(), ..Request::invite("911") }.text());
    assert_eq!((status(&refused), header(&refused, Name::RetryAfter).as_str()), (503, "10"));
    world.established(5060);
    let invite = Request { call_id: "second".to_owned(), ..Request::invite("5551000").by("bob") };
    let invite = world.prove(5061, &invite, "builder");
    world.datagram(5061, invite.text());
    world.incoming();
    world.knows("carol", Credential::new("singer"));
    let invite = Request { call_id: "third".to_owned(), ..Request::invite("5551000").by("carol") };
    let invite = world.prove(5062, &invite, "singer");
    assert_eq!(world.status(5062, invite.text()), 503);
}

#[test]
fn digits_by_info_are_told_once_and_never_printed() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    let mut info = invite.in_dialog("INFO", &ok);
    info.content_type = "Application/DTMF-Relay ; x=y";
    info.body = "Signal=5\r\nDuration=160\r\n".to_owned();

    assert_eq!(world.status(5060, info.text()), 200);
    assert_eq!(world.status(5060, info.text()), 200);

    let events = world.take_events();
    assert!(!format!("{events:?}").contains("Signal"));
    let [Event::Info { call: of, content_type, body }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*of, content_type.as_str(), body.as_bytes()), (call, "application/dtmf-relay", info.body.as_bytes()));
}

#[test]
fn an_info_of_another_kind_is_refused_with_what_we_accept() {
    let mut world = World::new();
    let (_, invite, ok) = world.established(5060);
    let mut info = invite.in_dialog("INFO", &ok);
    info.content_type = "application/poly-report+json";
    info.body = "{}".to_owned();

    let refused = world.ask(5060, info.text());

    assert_eq!(status(&refused), 415);
    assert!(header(&refused, Name::Accept).contains("application/dtmf-relay"));
}
