//! What Polycom phones send, as far as it is described: see `../golden/README.md`.

use provost_proto::sip::Event;
use provost_proto::sip::digest::{Answering, Challenge};
use provost_proto::sip::message::Name;

use crate::world::{ANSWER, World, header, status};

const REGISTER: &str = include_str!("../golden/sip/register.sip");
const INVITE: &str = include_str!("../golden/sip/invite.sip");

fn on_the_wire(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// The next request of the phone, answering the challenge to the first.
fn proving(text: &str, challenge: &str, method: &str, uri: &str) -> String {
    let value = header(challenge, Name::WwwAuthenticate);
    let challenge = Challenge::parse(&value).unwrap();
    let with = Answering { username: "alice", password: "wonder", method, uri, cnonce: "Ab3/+=x", count: 1 };
    let authorization = format!("Authorization: {}\r\nMax-Forwards", challenge.answer(&with));
    let second = text.replace(&format!("CSeq: 1 {method}"), &format!("CSeq: 2 {method}"));
    second.replace("branch=z9hG4bK", "branch=z9hG4bKb").replace("Max-Forwards", &authorization)
}

#[test]
fn a_polycom_phone_registers() {
    let mut world = World::new();
    let register = on_the_wire(REGISTER);
    let challenge = world.ask(5060, &register);
    assert_eq!(status(&challenge), 401);

    let answer = world.ask(5060, proving(&register, &challenge, "REGISTER", "sip:192.0.2.1:5060"));

    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, Name::Contact), "<sip:alice@192.168.1.120:5060>;expires=3600");
    let events = world.take_events();
    let [Event::Registered { user_agent: Some(agent), .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(agent, "PolycomVVX-VVX_310-UA/5.3.0.12768");
}

#[test]
fn a_polycom_phone_calls() {
    let mut world = World::new();
    let invite = on_the_wire(INVITE);
    let challenge = world.ask(5060, &invite);

    world.datagram(5060, proving(&invite, &challenge, "INVITE", "sip:activate@192.0.2.1:5060;user=phone"));

    let call = world.incoming();
    assert_eq!(call.dialed.as_str(), "activate");
    assert!(call.offer.unwrap().as_bytes().ends_with(b"telephone-event/8000\r\n"));
    world.sent.clear();
    world.endpoint.accept(world.now, call.call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().remove(0);
    assert_eq!(header(&ok, Name::Contact), "<sip:192.0.2.1:5060>", "the address the phone itself named");
}
