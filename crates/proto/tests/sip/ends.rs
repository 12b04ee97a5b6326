//! How calls end: by either side, at any moment, and when one of them is gone.

use provost_proto::sip::message::Name;
use provost_proto::sip::{CommandError, EndReason, Event};

use crate::world::{ANSWER, Request, World, answer_to, header, status};

#[test]
fn a_phone_hangs_up_once_however_often_it_says_so() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);

    let bye = invite.in_dialog("BYE", &ok);
    assert_eq!(world.status(5060, bye.text()), 200);
    assert_eq!(world.status(5060, bye.text()), 200);

    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::PhoneHungUp }]);
    world.advance(33_000);
    assert_eq!(world.status(5060, bye.text()), 481);
}

#[test]
fn a_stranger_who_knows_the_call_id_cannot_hang_up() {
    let mut world = World::new();
    let (_, invite, ok) = world.established(5060);

    let mut bye = invite.in_dialog("BYE", &ok);
    bye.to = "<sip:5551000@192.0.2.1>;tag=0123456789abcdef".to_owned();

    assert_eq!(world.status(5060, bye.text()), 481);
    assert_eq!(world.take_events(), []);
}

#[test]
fn we_hang_up_with_a_bye_that_fits_the_dialog() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);

    world.endpoint.hang_up(world.now, call).unwrap();
    world.drain();

    let bye = world.take_sent().remove(0);
    assert!(bye.starts_with("BYE sip:alice@192.0.2.10:5060 SIP/2.0\r\n"));
    assert_eq!(header(&bye, Name::From), header(&ok, Name::To));
    assert_eq!(header(&bye, Name::To), header(&ok, Name::From));
    assert_eq!(header(&bye, Name::CallId), invite.call_id);
    assert_eq!(header(&bye, Name::CSeq), "1 BYE");
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::HungUp }]);
    assert_eq!(world.endpoint.hang_up(world.now, call), Err(CommandError::NoSuchCall));
}

#[test]
fn our_bye_is_repeated_until_it_is_answered() {
    let mut world = World::new();
    let (call, _, _) = world.established(5060);
    world.endpoint.hang_up(world.now, call).unwrap();
    world.drain();
    let bye = world.take_sent().remove(0);

    world.advance(2000);
    assert_eq!(world.take_sent(), vec![bye.clone(); 2]);
    world.datagram(5060, answer_to(&bye, 200));
    world.advance(60_000);

    assert!(world.take_sent().is_empty());
    assert_eq!(world.endpoint.counts().requests, 0);
}

#[test]
fn our_bye_waits_for_the_phones_ack() {
    let mut world = World::new();
    let invite = Request::invite("911");
    world.datagram(5060, invite.text());
    let call = world.incoming().call;
    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().pop().unwrap();

    world.endpoint.hang_up(world.now, call).unwrap();
    world.drain();
    assert!(world.take_sent().is_empty());
    world.datagram(5060, invite.ack(&ok).text());

    assert!(world.take_sent().remove(0).starts_with("BYE "));
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::HungUp }]);
}

#[test]
fn a_call_hung_up_before_the_answer_is_refused() {
    let mut world = World::new();
    world.datagram(5060, Request::invite("911").text());
    let call = world.incoming().call;
    world.sent.clear();

    world.endpoint.hang_up(world.now, call).unwrap();
    world.drain();

    assert_eq!(status(&world.take_sent().remove(0)), 480);
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::HungUp }]);
}

#[test]
fn a_call_nobody_answers_is_refused_in_time() {
    let mut world = World::new();
    world.datagram(5060, Request::invite("911").text());
    let call = world.incoming().call;
    world.sent.clear();

    world.advance(20_000);

    assert_eq!(status(&world.take_sent()[0]), 480);
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::Unanswered }]);
}

#[test]
fn a_call_that_never_ends_is_ended() {
    let mut world = World::new();
    let (call, _, _) = world.established(5060);

    world.advance(15 * 60_000);

    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::TooLong }]);
}
