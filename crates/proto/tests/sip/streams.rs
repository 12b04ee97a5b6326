//! TCP: pieces, keep-alives, and connections that mean no good.

use provost_proto::sip::framing::{Frame, FrameError, Framer};
use provost_proto::sip::{Counts, Flow, StreamId};

use crate::world::{ANSWER, Request, World, address, settings, status};

fn options(branch: &str) -> String {
    let mut request = Request::new("OPTIONS", "sip:192.0.2.1");
    request.transport = "TCP";
    request.branch = branch.to_owned();
    request.text()
}

/// Registers alice on a connection, which may be quiet from then on.
fn registered(world: &mut World, id: u64) {
    let mut register = Request::register("3600");
    register.transport = "TCP";
    world.stream(id, register.text());
    let challenge = world.take_sent().remove(0);
    world.stream(id, register.next().proving(&challenge, "wonder", 1).text());
    assert_eq!(status(&world.take_sent()[0]), 200);
}

fn opened(world: &mut World, id: u64) {
    world.endpoint.stream_opened(world.now, StreamId(id), address(4000));
    world.drain();
}

#[test]
fn a_message_may_come_byte_by_byte_and_is_answered_on_its_connection() {
    let mut world = World::new();
    opened(&mut world, 1);

    for byte in options("a").as_bytes() {
        assert!(world.sent.is_empty());
        world.stream(1, [*byte]);
    }

    assert_eq!(world.sent[0].0, Flow::Stream(StreamId(1)));
    assert_eq!(status(&world.sent[0].1), 200);
    assert_eq!(world.endpoint.counts().buffered_bytes, 0);
}

#[test]
fn many_messages_in_one_piece_are_answered_in_order() {
    let mut world = World::new();
    opened(&mut world, 1);

    world.stream(1, format!("\r\n\r\n{}\r\n{}\r\n\r\n", options("a"), options("b")));

    let sent = world.take_sent();
    assert_eq!(sent.len(), 4);
    assert_eq!((sent[0].as_str(), sent[3].as_str()), ("\r\n", "\r\n"));
    assert!(sent[1].contains("z9hG4bKa") && sent[2].contains("z9hG4bKb"));
}

#[test]
fn nonsense_ends_its_connection_and_no_other() {
    let mut world = World::new();
    opened(&mut world, 1);
    opened(&mut world, 2);

    world.stream(1, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    world.stream(1, options("a"));
    world.stream(2, options("a"));

    assert_eq!(world.closed, [StreamId(1)]);
    assert_eq!(world.sent.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [Flow::Stream(StreamId(2))]);
}

#[test]
fn a_message_longer_than_allowed_is_refused_before_it_is_here() {
    let mut world = World::new();
    opened(&mut world, 1);

    world.stream(1, options("a").replace("Content-Length: 0", "Content-Length: 99999999999"));
    assert_eq!(status(&world.take_sent()[0]), 400, "no such number");
    opened(&mut world, 2);
    world.stream(2, options("a").replace("Content-Length: 0", "Content-Length: 16384"));

    assert_eq!(status(&world.take_sent()[0]), 513);
    assert_eq!(world.closed, [StreamId(1), StreamId(2)]);
}

#[test]
fn a_head_without_end_is_not_collected() {
    let mut world = World::new();
    opened(&mut world, 1);

    world.stream(1, options("a").trim_end());
    for _ in 0..20 {
        world.stream(1, format!("\r\nX: {}", "y".repeat(1000)));
    }

    assert_eq!(status(&world.take_sent()[0]), 513);
    assert_eq!(world.closed, [StreamId(1)]);
    assert_eq!(world.endpoint.counts(), Counts::default());
}

#[test]
fn a_datagram_longer_than_allowed_is_refused() {
    let mut world = World::new();
    let mut request = Request::new("MESSAGE", "sip:192.0.2.1");
    request.body = "x".repeat(16 * 1024);

    assert_eq!(world.status(5060, request.text()), 513);
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let mut world = World::new();
    opened(&mut world, 1);

    world.advance(20_000);

    assert_eq!(world.closed, [StreamId(1)]);
    assert_eq!(world.endpoint.counts(), Counts::default());
}

#[test]
fn a_message_that_trickles_is_not_awaited_forever() {
    let mut world = World::new();
    opened(&mut world, 1);
    registered(&mut world, 1);
    world.advance(1_000_000);
    assert!(world.closed.is_empty(), "a connection of a known phone may be quiet");

    for _ in 0..30 {
        world.stream(1, "X");
        world.advance(1000);
    }

    assert_eq!(world.closed, [StreamId(1)]);
}

#[test]
fn keep_alives_keep_a_connection() {
    let mut world = World::new();
    opened(&mut world, 1);
    registered(&mut world, 1);

    for _ in 0..10 {
        world.stream(1, "\r\n\r\n");
        world.advance(3_600_000);
    }

    assert!(world.closed.is_empty());
    assert_eq!(world.take_sent(), vec!["\r\n"; 10]);
}

#[test]
fn a_line_end_alone_begins_no_message() {
    let mut world = World::new();
    opened(&mut world, 1);
    registered(&mut world, 1);

    for line_end in ["\r\n", "\n", "\r", "\n\r", "\n\n", "\r\r\r\n"] {
        world.stream(1, line_end);
        world.advance(3_600_000);
        assert!(world.closed.is_empty(), "{line_end:?}");
    }
    world.sent.clear();
    world.stream(1, options("b"));

    assert_eq!(status(&world.take_sent()[0]), 200, "and what follows is read");
}

#[test]
fn line_ends_alone_are_no_first_message() {
    let mut world = World::new();
    opened(&mut world, 1);

    for _ in 0..20 {
        world.stream(1, "\n");
        world.advance(1000);
    }

    assert_eq!(world.closed, [StreamId(1)]);
}

#[test]
fn a_connection_nobody_proved_anything_on_may_be_quiet_for_a_minute() {
    let mut world = World::new();
    opened(&mut world, 1);
    world.stream(1, options("a"));
    world.advance(59_999);
    world.stream(1, "\r\n\r\n");
    world.advance(59_999);
    assert!(world.closed.is_empty());

    world.advance(1);

    assert_eq!(world.closed, [StreamId(1)]);
}

#[test]
fn a_wrong_password_proves_nothing_on_a_connection() {
    let mut world = World::new();
    opened(&mut world, 1);
    let mut register = Request::register("3600");
    register.transport = "TCP";
    world.stream(1, register.text());
    let challenge = world.take_sent().remove(0);
    world.stream(1, register.next().proving(&challenge, "blunder", 1).text());

    world.advance(60_000);

    assert_eq!(world.closed, [StreamId(1)]);
}

#[test]
fn a_connection_of_a_known_phone_may_be_quiet_for_two_hours() {
    let mut world = World::new();
    opened(&mut world, 1);
    registered(&mut world, 1);

    world.advance(7_199_999);
    assert!(world.closed.is_empty());
    world.advance(1);

    assert_eq!(world.closed, [StreamId(1)]);
}

#[test]
fn a_call_for_help_keeps_its_connection() {
    let mut world = World::new();
    opened(&mut world, 1);
    let mut invite = Request::invite("911");
    invite.transport = "TCP";
    world.stream(1, invite.text());
    let call = world.incoming().call;
    world.sent.clear();
    world.endpoint.accept(world.now, call, ANSWER).unwrap();
    world.drain();
    let ok = world.take_sent().remove(0);
    world.stream(1, invite.ack(&ok).text());

    world.advance(300_000);
    assert!(world.closed.is_empty());
    world.stream(1, invite.in_dialog("BYE", &ok).text());
    world.advance(60_000);

    assert_eq!(world.closed, [StreamId(1)]);
}

#[test]
fn connections_beyond_the_limit_are_closed_at_once() {
    let mut settings = settings();
    settings.limits.streams = 1;
    let mut world = World::with(settings);
    opened(&mut world, 1);

    opened(&mut world, 2);

    assert_eq!(world.closed, [StreamId(2)]);
}

#[test]
fn a_thousand_half_open_connections_hold_what_they_sent_and_no_more() {
    let mut world = World::new();
    for id in 0..1000 {
        opened(&mut world, id);
        world.stream(id, &options("a")[..100]);
    }

    assert_eq!(world.endpoint.counts().buffered_bytes, 100_000);
    world.advance(20_000);
    assert_eq!(world.closed.len(), 1000);
}

#[test]
fn an_answer_to_a_connection_that_is_gone_is_not_sent() {
    let mut world = World::new();
    opened(&mut world, 1);
    let mut register = Request::register("60");
    register.transport = "TCP";
    world.stream(1, register.text());
    let challenge = world.take_sent().remove(0);
    world.answering = false;
    world.stream(1, register.next().proving(&challenge, "wonder", 1).text());
    world.endpoint.stream_closed(world.now, StreamId(1));

    let ask = world.asks.remove(0);
    world.endpoint.credentials(world.now, ask, None);
    world.drain();

    assert!(world.take_sent().is_empty());
    assert_eq!(world.endpoint.counts(), Counts::default());
}

#[test]
fn nothing_is_kept_of_a_request_answered_on_a_connection() {
    let mut world = World::new();
    opened(&mut world, 1);
    let mut register = Request::register("60");
    register.transport = "TCP";
    world.stream(1, register.text());
    let challenge = world.take_sent().remove(0);

    world.stream(1, register.next().proving(&challenge, "wonder", 1).text());

    assert_eq!(status(&world.take_sent()[0]), 200);
    assert_eq!(world.endpoint.counts().transactions, 0);
}

#[test]
fn pings_in_datagrams_are_answered_and_other_keep_alives_are_not() {
    let mut world = World::new();

    for keep_alive in ["", "\r\n", "\0"] {
        world.datagram(5060, keep_alive);
    }
    assert!(world.take_sent().is_empty());
    world.datagram(5060, "\r\n\r\n");

    assert_eq!(world.take_sent(), ["\r\n"]);
}

#[test]
fn a_stream_without_lengths_cannot_be_cut() {
    let mut framer = Framer::new(1000);
    framer.push(b"\r\n\r\nA sip:b SIP/2.0\r\nTo: x\r\n\r\n");

    assert_eq!(framer.next_frame(), Ok(Some(Frame::Ping)));
    assert!(matches!(framer.next_frame(), Err(FrameError::NoLength(bytes)) if bytes.starts_with(b"A sip:b")));
}
