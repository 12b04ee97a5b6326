//! The idle display, calls by keys, and what goes wrong.

use std::time::Duration;

use provost_phone::{CallState, EndedBy, Key, Order, OrderRefused, PhoneSetup, Registration};

use crate::handset::Held;
use crate::server::BootServer;
use crate::sip_phone::{ACTIVATES, values};
use crate::sip_server::{Asked, LIMIT, SipServer};
use crate::support::{server_with, setup};

const SOFT_KEY: &str = r#"feature.enhancedFeatureKeys.enabled="1" softkey.1.enable="1" softkey.1.label="Activate"
    softkey.1.action="$P1N13$$Tinvite$" efk.efkprompt.1.label="Enter activation code""#;
const SYNC: &str = "Event: check-sync\r\n";

/// A ready phone whose line is registered at a SIP server.
async fn online(label: &str, more: &str) -> (Held, BootServer, SipServer, Asked) {
    let mut sip = SipServer::start().await;
    let boot = server_with(&values(sip.address.port(), label, more)).await;
    let held = Held::new(setup("vvx500", &boot));
    held.phone.plug_in().await;
    let proven = sip.registers(300).await;
    held.until("a registered line", |face| {
        face.line_keys.first().is_some_and(|key| key.registration == Some(Registration::Registered))
    })
    .await;
    (held, boot, sip, proven)
}

/// Answers a call with sound and events.
async fn accept(sip: &mut SipServer) -> (Asked, tokio::net::UdpSocket) {
    let invite = sip.expect("INVITE").await;
    let sound = tokio::net::UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let port = sound.local_addr().unwrap().port();
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 127\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:127 telephone-event/8000\r\na=sendrecv\r\n"
    );
    let contact = format!("Contact: <sip:voice@{}>\r\n", sip.address);
    sip.answer(&invite, "200 OK", &contact, &body).await;
    sip.expect("ACK").await;
    (invite, sound)
}

/// The first telephone event that comes.
async fn event(sound: &tokio::net::UdpSocket) -> u8 {
    let mut packet = [0; 2048];
    loop {
        let received = tokio::time::timeout(LIMIT, sound.recv(&mut packet)).await.expect("no event came").unwrap();
        if received > 12 && packet[1] & 0x7f == 127 {
            return packet[12];
        }
    }
}

#[tokio::test]
async fn the_activate_key_calls_keys_tones_and_hangs_up() {
    let (held, _boot, mut sip, _) = online("Activate", ACTIVATES).await;
    assert_eq!(held.face().line_keys[0].label, "Activate");
    assert_eq!(held.face().page, (1, 1));

    held.phone.press(Key::Line(1)).await;
    let (invite, sound) = accept(&mut sip).await;
    assert!(invite.line().starts_with("INVITE sip:activate@"), "{}", invite.line());
    held.until("a call", |face| face.call.as_ref().is_some_and(|call| call.state == "Connected")).await;
    held.phone.press(Key::Digit(7)).await;
    assert_eq!(event(&sound).await, 7);
    held.soft("End Call").await;

    let bye = sip.expect("BYE").await;
    sip.ok(&bye, "").await;
    held.ready().await;
    let calls = held.phone.view().await.calls;
    assert_eq!((calls.len(), calls[0].state.clone()), (1, CallState::Ended(EndedBy::Phone)));
}

#[tokio::test]
async fn lifting_the_handset_calls_by_itself_and_putting_it_down_ends_the_call() {
    let (held, _boot, mut sip, _) = online("Activate", ACTIVATES).await;

    held.phone.press(Key::HookUp).await;
    accept(&mut sip).await;
    held.until("a call", |face| face.call.as_ref().is_some_and(|call| call.state == "Connected")).await;
    held.phone.press(Key::HookDown).await;

    let bye = sip.expect("BYE").await;
    sip.ok(&bye, "").await;
    held.ready().await;
}

/// A phone in a call, as the line key makes it.
async fn in_call() -> (Held, BootServer, SipServer, tokio::net::UdpSocket) {
    let (held, boot, mut sip, _) = online("Activate", ACTIVATES).await;
    held.phone.press(Key::Line(1)).await;
    let (_, sound) = accept(&mut sip).await;
    held.until("a call", |face| face.call.as_ref().is_some_and(|call| call.state == "Connected")).await;
    (held, boot, sip, sound)
}

#[tokio::test]
async fn putting_the_handset_down_ends_a_call_under_whatever_the_display_shows() {
    let (held, _boot, mut sip, _sound) = in_call().await;
    held.phone.order(Order::Show("Fire drill".to_owned())).await.unwrap();

    held.phone.press(Key::HookDown).await;

    let bye = sip.expect("BYE").await;
    sip.ok(&bye, "").await;
}

#[tokio::test]
async fn a_call_is_not_ended_by_a_configuration_that_is_read_again() {
    let (held, boot, mut sip, _sound) = in_call().await;
    boot.file("/all.cfg", &values(sip.address.port(), "Reception", ""));

    held.phone.order(Order::UpdateConfiguration).await.unwrap();
    let view = held.phone.view().await;
    assert!(view.face.call.is_some() && view.calls[0].ended_by.is_none());
    held.soft("End Call").await;
    let bye = sip.expect("BYE").await;
    sip.ok(&bye, "").await;
    let gone = sip.expect("REGISTER").await;
    sip.ok(&gone, "").await;
    sip.registers(300).await;

    held.until("the new label", |face| face.line_keys.first().is_some_and(|key| key.label == "Reception")).await;
}

#[tokio::test]
async fn what_would_be_another_line_of_a_request_is_not_dialed() {
    let (held, _boot, _sip, _) = online("1001", "").await;

    let refused = held.phone.order(Order::Dial { number: "110\r\nX-Own: 1".to_owned() }).await;

    assert!(matches!(refused, Err(OrderRefused::Failed { .. })), "{refused:?}");
    assert!(held.phone.view().await.calls.is_empty());
}

#[tokio::test]
async fn the_soft_key_asks_for_the_code_and_calls_it() {
    let (held, _boot, mut sip, _) = online("1001", SOFT_KEY).await;

    held.soft("Activate").await;
    assert_eq!(held.face().entry.unwrap().prompt, "Enter activation code");
    held.type_text("1234567890123").await;
    held.soft("Enter").await;

    let (invite, _sound) = accept(&mut sip).await;
    assert!(invite.line().starts_with("INVITE sip:1234567890123@"), "{}", invite.line());
}

#[tokio::test]
async fn a_number_can_be_dialed_digit_by_digit() {
    let (held, _boot, mut sip, _) = online("1001", "").await;

    held.type_text("110").await;
    assert_eq!(held.face().entry.unwrap().text, "110");
    held.soft("Dial").await;

    assert!(sip.expect("INVITE").await.line().starts_with("INVITE sip:110@"));
}

#[tokio::test]
async fn a_notify_brings_the_new_label_to_the_display() {
    let (held, boot, mut sip, proven) = online("Activate", ACTIVATES).await;
    boot.file("/all.cfg", &values(sip.address.port(), "Reception", ""));

    sip.send(proven.from, &sip.outside("NOTIFY", "1", SYNC)).await;
    sip.expect("200").await;
    let gone = sip.expect("REGISTER").await;
    sip.ok(&gone, "").await;
    sip.registers(300).await;

    held.until("the new label", |face| face.line_keys.first().is_some_and(|key| key.label == "Reception")).await;
}

#[tokio::test]
async fn a_refused_line_says_so() {
    let mut sip = SipServer::start().await;
    let boot = server_with(&values(sip.address.port(), "1001", "")).await;
    let held = Held::new(setup("spip550", &boot));
    held.phone.plug_in().await;
    let asked = sip.expect("REGISTER").await;

    sip.answer(&asked, "403 Forbidden", "", "").await;

    held.until_shown("Line Unregistered").await;
}

#[tokio::test]
async fn a_phone_without_time_says_so_and_one_without_server_too() {
    let server = BootServer::start().await;
    let silent = tokio::net::UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let sntp = Some(silent.local_addr().unwrap().to_string());
    let held = Held::new(PhoneSetup { sntp, ..setup("vvx500", &server) });
    held.phone.plug_in().await;
    let face = held.until_shown("SNTP Error").await;
    assert!(face.clock.starts_with("1999-01-01"), "{}", face.clock);
    assert!(server.lines().is_empty(), "no certificate is valid in 1999");

    let nowhere = PhoneSetup { server_url: "https://127.0.0.1:9".to_owned(), ..setup("vvx500", &server) };
    let held = Held::new(nowhere);
    held.phone.plug_in().await;
    held.until_shown("Could not contact provisioning server").await;
}

#[tokio::test]
async fn a_power_cut_in_a_call_says_no_good_bye() {
    let (held, _boot, mut sip, _) = online("Activate", ACTIVATES).await;
    held.phone.press(Key::Line(1)).await;
    accept(&mut sip).await;
    held.until("a call", |face| face.call.as_ref().is_some_and(|call| call.state == "Connected")).await;

    held.phone.unplug().await;

    let mut nothing = [0; 64];
    let came = tokio::time::timeout(Duration::from_millis(400), sip.socket.recv(&mut nothing)).await;
    assert!(came.is_err(), "{}", String::from_utf8_lossy(&nothing));
}

#[tokio::test]
async fn more_lines_than_keys_make_pages() {
    let lines: String =
        (1..=10).map(|line| format!(r#" reg.{line}.address="a{line}" reg.{line}.label="Line {line}""#)).collect();
    let boot = server_with(&format!("<r{lines}/>")).await;
    let held = Held::new(setup("vvx500", &boot));
    held.boot().await;
    let labels = |held: &Held| held.face().line_keys.into_iter().map(|key| key.label).collect::<Vec<_>>();
    assert_eq!((held.face().page, labels(&held)[7].as_str()), ((1, 2), "Line 8"));

    held.phone.press(Key::Right).await;

    assert_eq!(
        (held.face().page, labels(&held)[..3].to_vec()),
        ((2, 2), vec!["Line 9".into(), "Line 10".into(), String::new()])
    );
    held.phone.press(Key::Right).await;
    assert_eq!(held.face().page, (1, 2));

    held.phone.press(Key::Right).await;
    boot.file("/all.cfg", r#"<r reg.1.address="a1" reg.1.label="Line 1"/>"#);
    held.phone.order(Order::UpdateConfiguration).await.unwrap();
    assert_eq!((held.face().page, labels(&held)[0].as_str()), ((1, 1), "Line 1"));
    held.phone.press(Key::Line(1)).await;
    assert!(held.face().entry.is_some(), "the key that is shown is the one that is pressed");
}

#[tokio::test]
async fn an_action_by_notify_makes_the_phone_call() {
    let mut sip = SipServer::start().await;
    let on = r#"apps.restapi.enabled="1" apps.restapi.sipNotify.enabled="1""#;
    let boot = server_with(&values(sip.address.port(), "1001", on)).await;
    let held = Held::new(setup("vvx450", &boot));
    held.phone.plug_in().await;
    let proven = sip.registers(300).await;
    let body = r#"{"command-URI": "/api/v1/callctrl/dial","data":{"Dest":"110","Line":"1","Type":"TEL"}}"#;
    let more = "Event: ACTION-URI\r\nContent-Type: application/JSON\r\n";
    let length = format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let notify = sip.outside("NOTIFY", "a1", more).replace("Content-Length: 0\r\n\r\n", &length);

    sip.send(proven.from, &notify).await;
    sip.expect("200").await;

    assert!(sip.expect("INVITE").await.line().starts_with("INVITE sip:110@"));
}

#[tokio::test]
async fn a_key_is_answered_before_what_takes_long_is_done() {
    let (held, _boot, _sip, _) = online("1001", "").await;
    held.phone.press(Key::Home).await;
    held.select("Settings").await;
    held.select("Basic").await;

    // Nobody answers the good-bye of its line.
    held.select("Restart").await;

    assert!(held.face().text().contains("Restarting"), "{}", held.face().text());
    held.phone.unplug().await;
    assert!(!held.face().power);
}
