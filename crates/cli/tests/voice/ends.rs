//! Calls that end otherwise than by hanging up: the phone crashes, the server stops.

use crate::caller::Caller;
use crate::ear::Ear;
use crate::keypad::key_well;
use crate::line::{Line, Scene, until};
use crate::provost;
use crate::wire::Wire;
use provost_testkit::{Maker, ServerSetup, TestServer};
use std::net::UdpSocket;
use std::time::Duration;

#[test]
fn a_phone_that_crashed_in_a_call_is_answered_when_it_calls_again_and_its_older_call_ends() {
    let scene = Scene::set();
    let mut crashed = Caller::new(&scene.line);
    crashed.call();
    key_well(&crashed, &scene.code[..6]);

    let mut caller = Caller::new(&scene.line);
    caller.call();

    crashed.is_asked("BYE");
    // The older call's port is closed, so nothing more is said there: half a second of it would be 25 packets.
    crashed.listen(Duration::from_millis(100));
    assert_eq!(crashed.listen(Duration::from_millis(500)).len(), 0);
    // Digits keyed in the older call are gone with it.
    key_well(&caller, &scene.code);
    caller.is_asked("BYE");
    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn a_phone_that_crashes_again_and_again_uses_up_no_ports() {
    let maker = Maker::new();
    let first = four_free_ports();
    let sections = format!("[sip]\nrtp-ports = \"{first}-{}\"\n", first + 7);
    let server = TestServer::start_with(&provost(), &maker, &ServerSetup { sections, ..ServerSetup::default() });
    let scene = Scene::on(maker, server);

    for _ in 0..20 {
        Caller::new(&scene.line).call();
    }

    let mut caller = Caller::new(&scene.line);
    caller.call();
    key_well(&caller, &scene.code);
    caller.is_asked("BYE");
    assert_eq!(scene.state(&scene.device), "activated", "{}", scene.server.log());
}

/// The first of eight ports of which nobody has an even one.
fn four_free_ports() -> u16 {
    let free = |port: u16| UdpSocket::bind(("127.0.0.1", port)).is_ok();
    let mut starts = std::iter::repeat_with(|| 20_000 + rand::random::<u16>() % 5_000 * 2);
    starts.find(|first| (0..4).all(|number| free(first + number * 2))).unwrap()
}

#[test]
fn a_server_that_stops_hangs_up_over_udp_and_over_tcp() {
    let mut scene = Scene::set();
    // Many, for each must get its BYE however the last moments of the connections fall.
    let callers: Vec<(Caller, Ear)> = (0..24)
        .map(|number| {
            let line = Line::of(&scene.server, &scene.maker, &format!("0004f20004{number:02x}"));
            let wire = if number % 8 == 0 { Wire::udp() } else { Wire::tcp(line.server) };
            let mut caller = Caller::with(&line, wire);
            caller.call();
            // An answer within the call: the server has the ACK before it.
            let info = caller.within("INFO", "Signal=1\r\nDuration=160\r\n");
            assert_eq!(caller.exchange(&info).status(), 200);
            let ear = Ear::of(&caller);
            (caller, ear)
        })
        .collect();

    assert_eq!(scene.server.stop(), Some(0), "{}", scene.server.log());

    for (caller, _) in &callers {
        let bye = until(|| caller.receive().filter(|message| message.first.starts_with("BYE ")));
        assert!(bye.is_some(), "no BYE over {}", caller.wire.name());
    }
}
