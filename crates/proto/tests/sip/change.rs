//! New offers inside a call: hold, resume, refresh.

use provost_proto::sip::message::Name;
use provost_proto::sip::{CommandError, EndReason, Event};

use crate::world::{ANSWER, OFFER, World, header, status};

#[test]
fn a_new_offer_is_answered_and_the_call_goes_on() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    let again = invite.in_dialog("INVITE", &ok);

    world.datagram(5060, again.text());

    let events = world.take_events();
    let [Event::Offer { call: of, offer: Some(offer) }] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*of, offer.as_bytes()), (call, OFFER.as_bytes()));
    world.sent.clear();
    world.endpoint.answer_offer(world.now, call, ANSWER).unwrap();
    world.drain();
    let answer = world.take_sent().remove(0);
    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, Name::To), header(&ok, Name::To));
    world.advance(500);
    assert_eq!(world.take_sent(), std::slice::from_ref(&answer));
    world.datagram(5060, again.ack(&answer).text());
    world.advance(60_000);
    assert!(world.take_sent().is_empty());
    assert_eq!(world.take_events(), [], "a call is established once");
}

#[test]
fn an_offer_beside_another_is_told_to_wait() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    let first = invite.in_dialog("INVITE", &ok);
    world.datagram(5060, first.text());
    let second = first.next();

    assert_eq!(world.status(5060, second.text()), 491);

    world.endpoint.answer_offer(world.now, call, ANSWER).unwrap();
    let third = second.next();
    world.drain();
    assert_eq!(world.status(5060, third.text()), 491, "the ACK is still to come");
}

#[test]
fn an_offer_can_be_refused() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    world.datagram(5060, invite.in_dialog("INVITE", &ok).text());
    world.sent.clear();
    world.take_events();

    world.endpoint.refuse_offer(world.now, call).unwrap();
    world.drain();

    assert_eq!(status(&world.take_sent()[0]), 488);
    assert_eq!(world.take_events(), []);
    assert_eq!(world.endpoint.refuse_offer(world.now, call), Err(CommandError::NotNow));
    assert_eq!(world.endpoint.accept(world.now, call, ANSWER), Err(CommandError::NotNow));
}

#[test]
fn an_offer_nobody_answers_is_refused_and_the_call_goes_on() {
    let mut world = World::new();
    let (_, invite, ok) = world.established(5060);
    world.datagram(5060, invite.in_dialog("INVITE", &ok).text());
    world.sent.clear();
    world.take_events();

    world.advance(20_000);

    assert_eq!(status(&world.take_sent()[0]), 488);
    assert_eq!(world.take_events(), []);
}

#[test]
fn a_cancelled_offer_leaves_the_call() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    let again = invite.in_dialog("INVITE", &ok);
    world.datagram(5060, again.text());
    world.sent.clear();
    world.take_events();

    world.datagram(5060, again.same_hop("CANCEL").text());

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [200, 487]);
    assert_eq!(world.take_events(), []);
    assert_eq!(world.endpoint.hang_up(world.now, call), Ok(()));
}

#[test]
fn a_phone_that_hangs_up_in_the_middle_of_an_offer_ends_both() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    let again = invite.in_dialog("INVITE", &ok);
    world.datagram(5060, again.text());
    world.sent.clear();
    world.take_events();
    let mut bye = again.next();
    bye.method = "BYE";
    bye.body = String::new();

    world.datagram(5060, bye.text());

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [200, 487]);
    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::PhoneHungUp }]);
}

#[test]
fn an_update_with_an_offer_is_answered_without_ack() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    let mut update = invite.in_dialog("UPDATE", &ok);
    update.body = OFFER.to_owned();
    world.datagram(5060, update.text());
    assert!(matches!(world.take_events()[..], [Event::Offer { .. }]));

    world.endpoint.answer_offer(world.now, call, ANSWER).unwrap();
    world.drain();

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [200]);
    world.advance(60_000);
    assert!(world.take_sent().is_empty());
}

#[test]
fn an_update_without_offer_only_refreshes() {
    let mut world = World::new();
    let (_, invite, ok) = world.established(5060);

    assert_eq!(world.status(5060, invite.in_dialog("UPDATE", &ok).text()), 200);

    assert_eq!(world.take_events(), []);
}

#[test]
fn an_offer_after_which_the_phone_is_silent_ends_the_call() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    world.datagram(5060, invite.in_dialog("INVITE", &ok).text());
    world.take_events();
    world.endpoint.answer_offer(world.now, call, ANSWER).unwrap();

    world.advance(32_000);

    assert_eq!(world.take_events(), [Event::Ended { call, why: EndReason::NeverConfirmed }]);
}

#[test]
fn a_phone_that_moved_is_hung_up_on_where_it_is() {
    let mut world = World::new();
    let (call, invite, ok) = world.established(5060);
    world.datagram(5099, invite.in_dialog("INFO", &ok).text());
    world.sent.clear();

    world.endpoint.hang_up(world.now, call).unwrap();
    world.drain();

    assert_eq!(world.sent[0].0, crate::world::udp(5099));
}
