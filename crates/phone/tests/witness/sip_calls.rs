//! How a call goes.

use std::time::Duration;

use provost_phone::{Account, CallError, CallState, EndedBy, Law};
use tokio::time::{Instant, timeout};

use crate::sip_server::{LIMIT, SipServer, USER};
use crate::sip_stage::Stage;

#[tokio::test]
async fn lifting_the_handset_calls_the_contact_and_hears_the_voice() {
    let mut stage = Stage::set().await;
    let Stage { server, line, sound } = &mut stage;
    let ear = sound.local_addr().unwrap().port();

    let (call, invite) = tokio::join!(line.dial_activation(), async {
        let first = server.expect("INVITE").await;
        server.answer(&first, "100 Trying", "", "").await;
        server.challenge(&first, "call").await;
        server.expect("ACK").await;
        let invite = server.expect("INVITE").await;
        assert!(invite.is_proven() && invite.header("CSeq") == "2 INVITE");
        let body = format!(
            "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {ear} RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        );
        let more = format!("Contact: <sip:voice@{}>\r\n", server.address);
        server.answer(&invite, "200 OK", &more, &body).await;
        let ack = server.expect("ACK").await;
        assert_eq!(ack.line(), format!("ACK sip:voice@{} SIP/2.0", server.address));
        invite
    });
    let mut call = call.unwrap();
    let (packet, next) = (stage.packet().await, stage.packet().await);
    let word = [[0x80, 8].as_slice(), &[0; 10], &[0x2a; 160]].concat();
    stage.sound.send_to(&word, ("127.0.0.1", invite.sound_port())).await.unwrap();
    let said = call.wait_for_prompt_end(LIMIT).await.unwrap();

    assert_eq!(invite.line(), format!("INVITE sip:activate@{} SIP/2.0", stage.server.address));
    assert!(invite.header("From").starts_with(&format!("\"Activate\" <sip:{USER}@127.0.0.1>;tag=")));
    for part in ["RTP/AVP 9 0 8 18 127", "a=rtpmap:0 PCMU/8000", "a=rtpmap:127 telephone-event/8000", "a=sendrecv"] {
        assert!(invite.text.contains(part), "{part}");
    }
    let number = |packet: &[u8]| u16::from_be_bytes([packet[2], packet[3]]);
    let stamp = |packet: &[u8]| u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
    assert_eq!((packet.len(), packet[0], packet[1], packet[171]), (172, 0x80, 8, 0xd5));
    assert_eq!(number(&next), number(&packet).wrapping_add(1));
    assert_eq!(stamp(&next), stamp(&packet).wrapping_add(160));
    assert_eq!(said, Duration::from_millis(20));
}

#[tokio::test]
async fn a_prompt_ends_with_silence_and_the_report_holds_what_was_heard() {
    let mut stage = Stage::set().await;
    let (mut call, invite) = stage.call().await;
    let port = invite.sound_port();

    let began = Instant::now();
    let (said, ()) = tokio::join!(call.wait_for_prompt_end(LIMIT), async {
        stage.speak(port, (25, 0x80, 0)).await;
        stage.speak(port, (50, 0xff, 25)).await;
    });
    let waited = began.elapsed();
    let (report, _) = tokio::join!(call.hang_up(), async {
        let bye = stage.server.expect("BYE").await;
        stage.server.ok(&bye, "").await;
    });

    assert_eq!(said.unwrap(), Duration::from_millis(500));
    assert!(waited >= Duration::from_millis(1150), "{waited:?}");
    let report = report.unwrap();
    assert_eq!((report.ended_by, report.heard.packets, report.heard.lost), (EndedBy::Phone, 75, 0));
    assert_eq!((report.heard.law, report.heard.sound.len()), (Law::Mu, 75 * 160));
    assert_eq!((report.heard.sound[3999], report.heard.sound[4000]), (0x80, 0xff));
    assert!(report.heard.p99_spacing <= report.heard.largest_gap && report.duration >= waited);
}

#[tokio::test]
async fn keys_are_telephone_events_with_a_tripled_end() {
    let mut stage = Stage::set().await;
    let (mut call, _) = stage.call().await;

    let mut packets = Vec::new();
    let keyed = async {
        call.key("7#").await.unwrap();
        call.key("1").await.unwrap();
    };
    tokio::pin!(keyed);
    loop {
        tokio::select! {
            () = &mut keyed => break,
            packet = stage.packet() => packets.push(packet),
        }
    }
    let events: Vec<&Vec<u8>> = packets.iter().filter(|packet| packet[1] & 0x7f == 127).collect();
    let presses: Vec<&[&Vec<u8>]> = events.chunk_by(|one, two| one[4..8] == two[4..8]).collect();

    let keys: Vec<u8> = presses.iter().map(|press| press[0][12]).collect();
    assert_eq!(keys, [7, 11, 1]);
    for press in presses {
        let ends = press.iter().filter(|packet| packet[13] & 0x80 != 0).count();
        let marks: Vec<bool> = press.iter().map(|packet| packet[1] & 0x80 != 0).collect();
        let durations: Vec<u16> = press.iter().map(|packet| u16::from_be_bytes([packet[14], packet[15]])).collect();
        assert_eq!(ends, 3);
        assert_eq!(marks, [true, false, false, false, false, false, false]);
        assert_eq!(durations, [160, 320, 480, 640, 800, 800, 800]);
    }
    let numbers: Vec<u16> = packets.iter().map(|packet| u16::from_be_bytes([packet[2], packet[3]])).collect();
    assert!(numbers.windows(2).all(|two| two[1] == two[0].wrapping_add(1)));
    assert!(packets.iter().any(|packet| packet[1] & 0x7f == 0), "no silence between the keys");
}

#[tokio::test]
async fn keys_by_info_wait_for_each_answer() {
    let mut stage = Stage::set().await;
    let (mut call, _) = stage.call().await;

    let (keyed, ()) = tokio::join!(call.key_by_info("4*"), async {
        for signal in ["Signal=4", "Signal=*"] {
            let info = stage.server.expect("INFO").await;
            assert!(info.text.contains(signal) && info.header("Content-Type") == "application/dtmf-relay");
            stage.server.ok(&info, "").await;
        }
    });

    keyed.unwrap();
    assert_eq!(call.key("x").await, Err(CallError::NoSuchKey { key: 'x' }));
}

#[tokio::test]
async fn the_other_end_hangs_up() {
    let mut stage = Stage::set().await;
    let (call, invite) = stage.call().await;

    let phone = invite.from;
    let bye = stage.inside(&invite, ("BYE", 1), "");
    stage.server.send(phone, &bye).await;
    stage.server.send(phone, &bye).await;
    let report = call.until_ended(LIMIT).await.unwrap();

    assert_eq!(report.ended_by, EndedBy::Server);
    let answers = [stage.server.receive().await.text, stage.server.receive().await.text];
    assert!(answers[0].starts_with("SIP/2.0 200") && answers[0] == answers[1], "{answers:?}");
}

#[tokio::test]
async fn a_held_call_sends_nothing_until_it_is_taken_up_again() {
    let mut stage = Stage::set().await;
    let (_call, invite) = stage.call().await;
    stage.packet().await;

    let hold = stage.inside(&invite, ("INVITE", 1), &stage.description(0, "sendonly"));
    stage.server.send(invite.from, &hold).await;
    let held = stage.server.expect("200").await;
    stage.server.send(invite.from, &stage.inside(&invite, ("ACK", 1), "")).await;
    // What was under way before the answer still comes.
    while timeout(Duration::from_millis(100), stage.packet()).await.is_ok() {}
    let taken_up = stage.inside(&invite, ("INVITE", 2), &stage.description(8, "sendrecv"));
    stage.server.send(invite.from, &taken_up).await;
    let up = stage.server.expect("200").await;
    let repeated = stage.server.receive().await;
    stage.server.send(invite.from, &stage.inside(&invite, ("ACK", 2), "")).await;

    assert!(held.text.contains("a=recvonly") && up.text.contains("a=sendrecv"), "{}", held.text);
    assert_eq!(up.text, repeated.text, "an answer without ACK is not repeated");
    assert_eq!(stage.packet().await[1], 8);
}

#[tokio::test]
async fn the_phone_holds_and_takes_up_again() {
    let mut stage = Stage::set().await;
    let (mut call, _) = stage.call().await;

    for (hold, ours, theirs) in [(true, "a=sendonly", "recvonly"), (false, "a=sendrecv", "sendrecv")] {
        let (turned, ()) = tokio::join!(async { if hold { call.hold().await } else { call.resume().await } }, async {
            let invite = stage.server.expect("INVITE").await;
            assert!(invite.text.contains(ours) && invite.header("To").ends_with(";tag=server"), "{}", invite.text);
            stage.server.answer(&invite, "200 OK", &stage.contact(), &stage.description(0, theirs)).await;
            stage.server.expect("ACK").await;
        });
        turned.unwrap();
    }
    assert_eq!(call.state(), CallState::Connected);
}

#[tokio::test]
async fn a_redirection_is_followed() {
    let mut stage = Stage::set().await;
    let mut elsewhere = SipServer::start().await;
    let mut call = stage.line.start_call("112").await.unwrap();

    let invite = stage.server.expect("INVITE").await;
    let there = format!("sip:112@{}", elsewhere.address);
    stage.server.answer(&invite, "302 Moved Temporarily", &format!("Contact: <{there}>\r\n"), "").await;
    stage.server.expect("ACK").await;
    let invite = elsewhere.expect("INVITE").await;
    elsewhere.answer(&invite, "200 OK", &format!("Contact: <{there}>\r\n"), &stage.description(0, "sendrecv")).await;
    elsewhere.expect("ACK").await;

    call.connected().await.unwrap();
    assert_eq!(invite.line(), format!("INVITE {there} SIP/2.0"));
}

#[tokio::test]
async fn redirections_without_end_are_given_up() {
    let mut stage = Stage::set().await;
    let mut call = stage.line.start_call("112").await.unwrap();

    for _ in 0..6 {
        let invite = stage.server.expect("INVITE").await;
        let contact = stage.contact();
        stage.server.answer(&invite, "302 Moved Temporarily", &contact, "").await;
        stage.server.expect("ACK").await;
    }

    assert_eq!(call.connected().await, Err(CallError::Ended(EndedBy::Redirections)));
}

#[tokio::test]
async fn a_lost_ack_is_sent_again_for_each_repeated_answer() {
    let mut stage = Stage::set().await;
    let (_call, invite) = stage.call().await;

    stage.accept(&invite).await;
    let again = stage.server.receive().await;

    assert!(again.line().starts_with("ACK "), "{}", again.text);
}

#[tokio::test]
async fn hanging_up_before_the_answer_cancels() {
    let mut stage = Stage::set().await;
    let call = stage.line.start_call("activate").await.unwrap();
    let invite = stage.server.expect("INVITE").await;

    let (report, cancel) = tokio::join!(call.hang_up(), async {
        // CANCEL waits for the first answer.
        stage.server.answer(&invite, "180 Ringing", "", "").await;
        let cancel = stage.server.expect("CANCEL").await;
        stage.server.ok(&cancel, "").await;
        stage.server.answer(&invite, "487 Request Terminated", "", "").await;
        stage.server.expect("ACK").await;
        cancel
    });

    assert_eq!(report.unwrap().ended_by, EndedBy::Phone);
    assert_eq!((cancel.header("Via"), cancel.header("CSeq")), (invite.header("Via"), "1 CANCEL"));
}

#[tokio::test]
async fn an_answer_that_crosses_the_cancel_is_hung_up_on() {
    let mut stage = Stage::set().await;
    let call = stage.line.start_call("activate").await.unwrap();
    let invite = stage.server.expect("INVITE").await;

    let (report, ()) = tokio::join!(call.hang_up(), async {
        tokio::task::yield_now().await;
        stage.accept(&invite).await;
        stage.server.expect("ACK").await;
        let bye = stage.server.expect("BYE").await;
        stage.server.ok(&bye, "").await;
    });

    assert_eq!(report.unwrap().ended_by, EndedBy::Phone);
}

#[tokio::test]
async fn a_dropped_call_hangs_up() {
    let mut stage = Stage::set().await;
    let (call, _) = stage.call().await;

    drop(call);

    stage.server.expect("BYE").await;
}

#[tokio::test]
async fn refusals_are_acknowledged_and_told() {
    let mut stage = Stage::set().await;
    for status in ["486 Busy Here", "404 Not Found", "503 Service Unavailable"] {
        let mut call = stage.line.start_call("activate").await.unwrap();
        let invite = stage.server.expect("INVITE").await;
        stage.server.answer(&invite, status, "", "").await;
        let ack = stage.server.expect("ACK").await;

        assert_eq!(ack.header("Via"), invite.header("Via"));
        assert_eq!(call.connected().await.unwrap_err().to_string(), format!("the call is over: {status}"));
    }
}

#[tokio::test]
async fn nobody_answers() {
    let mut stage = Stage::with(|account| Account { patience: Duration::from_secs(1), ..account }).await;

    let outcome = stage.line.dial_activation().await;

    assert_eq!(outcome.map(drop), Err(CallError::Ended(EndedBy::NoAnswer)));
}

#[tokio::test]
async fn an_answer_without_usable_sound_is_hung_up_on() {
    let mut stage = Stage::set().await;
    let mut call = stage.line.start_call("activate").await.unwrap();

    let invite = stage.server.expect("INVITE").await;
    let contact = stage.contact();
    stage.server.answer(&invite, "200 OK", &contact, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 9\r\n").await;
    stage.server.expect("ACK").await;
    let bye = stage.server.expect("BYE").await;
    stage.server.ok(&bye, "").await;

    assert_eq!(call.connected().await, Err(CallError::Ended(EndedBy::NoSound)));
}

#[tokio::test]
async fn a_call_that_is_never_ended_is_told_from_one_that_is() {
    let mut stage = Stage::set().await;
    let (call, _) = stage.call().await;
    let limit = Duration::from_millis(50);

    assert_eq!(call.until_ended(limit).await, Err(CallError::Late { limit }));
}
