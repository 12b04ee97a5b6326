use super::*;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

const PAYLOAD_TYPE: u8 = 101;

/// The packets of one press, 20 ms apart, as [`Sender`] sends them.
fn press(stream: &mut Outbound, key: char, length_ms: u32) -> Vec<Vec<u8>> {
    let mut sender = Sender::new(Digit::from_char(key).unwrap(), length_ms);
    let (mut packets, mut out) = (Vec::new(), Vec::new());
    while sender.next(stream, PAYLOAD_TYPE, 160, &mut out) {
        packets.push(out.clone());
    }
    packets
}

/// Keys of 80 ms with 80 ms of audio between them; the audio is left out.
fn keyed(keys: &str) -> Vec<Vec<Vec<u8>>> {
    let mut stream = Outbound::new(0xfeed, 65_530, u32::MAX - 3000);
    let mut audio = Vec::new();
    let presses = keys.chars().map(|key| {
        let packets = press(&mut stream, key, 80);
        (0..4).for_each(|_| stream.audio(0, &[0xff; 160], &mut audio));
        packets
    });
    presses.collect()
}

fn heard<'a>(receiver: &mut Receiver, packets: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    let digits = packets.into_iter().filter_map(|bytes| receiver.receive(&Packet::parse(bytes).unwrap()));
    digits.map(Digit::reveal).collect()
}

fn report(ssrc: u32, timestamp: u32, payload: &[u8]) -> Packet<'_> {
    Packet { marker: false, payload_type: PAYLOAD_TYPE, sequence: 1, timestamp, ssrc, payload }
}

/// A report of the key 5 with this duration, in a stream of its own.
fn five(timestamp: u32, duration: u16, end: bool) -> (u32, [u8; 4]) {
    let [d0, d1] = duration.to_be_bytes();
    (timestamp, [5, if end { 0x8a } else { 0x0a }, d0, d1])
}

fn told(receiver: &mut Receiver, ssrc: u32, (timestamp, payload): (u32, [u8; 4])) -> bool {
    receiver.receive(&report(ssrc, timestamp, &payload)).is_some()
}

#[test]
fn a_press_is_sent_with_a_growing_duration_and_three_ends() {
    let mut stream = Outbound::new(9, 100, 1000);

    let packets = press(&mut stream, '#', 50);

    let packets: Vec<Packet<'_>> = packets.iter().map(|bytes| Packet::parse(bytes).unwrap()).collect();
    let shown: Vec<(bool, u16, u32, &[u8])> =
        packets.iter().map(|packet| (packet.marker, packet.sequence, packet.timestamp, packet.payload)).collect();
    assert_eq!(
        shown,
        [
            (true, 100, 1000, &[11, 10, 0, 160][..]),
            (false, 101, 1000, &[11, 10, 1, 64]),
            (false, 102, 1000, &[11, 0x8a, 1, 144]),
            (false, 103, 1000, &[11, 0x8a, 1, 144]),
            (false, 104, 1000, &[11, 0x8a, 1, 144]),
        ]
    );
    assert_eq!(stream.timestamp(), 1000 + 5 * 160);
}

#[test]
fn sixteen_keys_are_told_once_each_at_their_first_packet() {
    let keys = "0123456789*#ABCD";
    let mut receiver = Receiver::new();

    for (packets, key) in keyed(keys).iter().zip(keys.chars()) {
        let first = receiver.receive(&Packet::parse(&packets[0]).unwrap());
        assert_eq!(first.map(Digit::reveal), Some(key));
        assert_eq!(heard(&mut receiver, &packets[1..]), "");
    }
}

#[test]
fn any_one_packet_of_a_press_is_enough() {
    let presses = keyed("77");

    for one in &presses[0] {
        for other in &presses[1] {
            assert_eq!(heard(&mut Receiver::new(), [one, other]), "77");
        }
    }
}

#[test]
fn a_key_held_for_half_a_minute_is_one_press() {
    let mut stream = Outbound::new(9, 0, 0u32.wrapping_sub(50_000));
    let packets = press(&mut stream, '5', 30_000);

    let segments: std::collections::BTreeSet<u32> =
        packets.iter().map(|bytes| Packet::parse(bytes).unwrap().timestamp).collect();

    assert_eq!(segments.len(), 4);
    assert_eq!(heard(&mut Receiver::new(), &packets), "5");
    let every_third: Vec<&Vec<u8>> = packets.iter().step_by(3).collect();
    assert_eq!(heard(&mut Receiver::new(), every_third), "5");
}

#[test]
fn a_held_key_whose_duration_begins_anew_without_a_segment_is_one_press() {
    let mut receiver = Receiver::new();

    assert!(told(&mut receiver, 1, five(1000, 65_500, false)));
    assert!(!told(&mut receiver, 1, five(1000, 124, false)));
    assert!(!told(&mut receiver, 1, five(1000, 400, true)));
}

#[test]
fn the_same_key_pressed_again_after_the_time_of_a_segment_is_two_presses() {
    let mut receiver = Receiver::new();

    assert!(told(&mut receiver, 1, five(1000, 800, false)));
    assert!(told(&mut receiver, 1, five(1000 + SEGMENT, 160, false)));
    assert!(!told(&mut receiver, 1, five(1000 + SEGMENT, 50_000, true)));
    assert!(told(&mut receiver, 1, five(1000 + 2 * SEGMENT, 160, false)));
}

#[test]
fn another_stream_is_another_press() {
    let mut receiver = Receiver::new();

    assert!(told(&mut receiver, 1, five(1000, 160, false)));
    assert!(told(&mut receiver, 2, five(1000, 160, false)));
    assert!(!told(&mut receiver, 1, five(1000, 320, true)));
}

#[test]
fn another_key_with_the_same_timestamp_is_another_press() {
    let mut receiver = Receiver::new();

    assert!(receiver.receive(&report(1, 1000, &[5, 0x8a, 1, 0])).is_some());
    assert!(receiver.receive(&report(1, 1000, &[6, 0x0a, 0, 160])).is_some());
    assert!(receiver.receive(&report(1, 1000, &[5, 0x8a, 1, 0])).is_none());
}

#[test]
fn flash_and_short_payloads_are_no_keys() {
    let mut receiver = Receiver::new();

    assert!(receiver.receive(&report(1, 1000, &[16, 10, 0, 160])).is_none());
    assert!(receiver.receive(&report(1, 1000, &[5, 10, 0])).is_none());
    assert!(receiver.receive(&report(1, 1000, &[])).is_none());
}

#[test]
fn with_three_packets_of_ten_lost_practically_every_code_arrives() {
    let mut rng = StdRng::seed_from_u64(4733);
    let (mut whole, mut wrong) = (0, 0);
    for _ in 0..2000 {
        let presses = keyed("1234567890123");
        let arrived: Vec<Vec<u8>> = presses.into_iter().flatten().filter(|_| rng.random_bool(0.7)).collect();
        match heard(&mut Receiver::new(), &arrived).as_str() {
            "1234567890123" => whole += 1,
            heard => wrong += usize::from(heard.len() > 13),
        }
    }

    // A press has six packets: 13 x 0.3^6 is one code in a hundred that lacks a digit.
    assert!(whole > 1960, "{whole} of 2000 arrived");
    assert_eq!(wrong, 0, "no digit twice");
}

proptest! {
    #[test]
    fn repeated_and_reordered_packets_do_not_add_a_digit(keys in "[0-9*#A-D]{1,13}", seed: u64) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut arrived: Vec<Vec<u8>> = Vec::new();
        for mut packets in keyed(&keys) {
            let kept = rng.random_range(1..=packets.len());
            packets.shuffle(&mut rng);
            packets.truncate(kept);
            let again = packets.clone();
            packets.extend(again);
            packets.shuffle(&mut rng);
            arrived.extend(packets);
        }
        prop_assert_eq!(heard(&mut Receiver::new(), &arrived), keys);
    }

    #[test]
    fn packets_reordered_across_presses_keep_the_number_of_digits(keys in "[0-9]{1,13}", seed: u64) {
        let mut arrived: Vec<Vec<u8>> = keyed(&keys).into_iter().flatten().collect();
        arrived.shuffle(&mut StdRng::seed_from_u64(seed));
        prop_assert_eq!(heard(&mut Receiver::new(), &arrived).len(), keys.len());
    }

    #[test]
    fn no_payload_panics(payloads: Vec<(u32, u32, Vec<u8>)>) {
        let mut receiver = Receiver::new();
        for (ssrc, timestamp, payload) in &payloads {
            let _ = receiver.receive(&report(*ssrc, *timestamp, payload));
        }
    }
}
