use super::*;
use proptest::prelude::*;

const FLOOR: UnixTime = UnixTime { seconds: 1_767_225_600, nanos: 0 };
const NOW: UnixTime = UnixTime { seconds: 1_790_000_000, nanos: 123_456_789 };

fn host(state: ClockState) -> HostClock {
    HostClock { now: NOW, state, precision: -20 }
}

fn reply_of(answer: SntpAnswer) -> [u8; MESSAGE_LEN] {
    match answer {
        SntpAnswer::Reply(bytes) => bytes,
        SntpAnswer::Silent(why) => panic!("silent: {why}"),
    }
}

#[test]
fn a_phone_learns_the_time_from_an_unsynchronized_host_at_stratum_10() {
    let asked = NtpTimestamp(0x0102_0304_0506_0708);

    let bytes = reply_of(answer(&request(asked), &host(ClockState::Unsynchronized), FLOOR));
    let reply = read_reply(&bytes, asked).unwrap();

    assert_eq!((reply.time.seconds, reply.stratum), (NOW.seconds, 10));
    assert!(reply.time.nanos.abs_diff(NOW.nanos) < 2);
    assert_eq!(reply.dispersion, Duration::from_secs(1));
    assert_eq!(bytes[12..16], [127, 127, 1, 0]);
    assert_eq!(bytes[0] >> 6, 0, "leap");
}

#[test]
fn a_synchronized_host_states_its_error() {
    let asked = NtpTimestamp(7);
    let state = ClockState::Synchronized { max_error: Duration::from_millis(250) };

    let reply = read_reply(&reply_of(answer(&request(asked), &host(state), FLOOR)), asked).unwrap();

    assert_eq!((reply.stratum, reply.dispersion), (3, Duration::from_millis(250)));
}

#[test]
fn the_answer_has_the_askers_version_and_poll_interval() {
    for version in 1..=4u8 {
        let mut asked = request(NtpTimestamp(9));
        asked[0] = (version << 3) | MODE_CLIENT;
        asked[2] = 6;

        let bytes = reply_of(answer(&asked, &host(ClockState::Unsynchronized), FLOOR));

        assert_eq!((bytes[0], bytes[2]), ((version << 3) | MODE_SERVER, 6));
        assert_eq!(i8::from_be_bytes([bytes[3]]), -20);
    }
}

#[test]
fn a_symmetric_active_peer_gets_a_symmetric_passive_answer() {
    let mut asked = request(NtpTimestamp(9));
    asked[0] = (3 << 3) | MODE_SYMMETRIC_ACTIVE;

    let bytes = reply_of(answer(&asked, &host(ClockState::Unsynchronized), FLOOR));

    assert_eq!(bytes[0] & 7, MODE_SYMMETRIC_PASSIVE);
}

#[test]
fn answers_control_messages_and_unknown_versions_get_no_answer() {
    let quiet = [(4 << 3) | MODE_SERVER, (4 << 3) | 6, (2 << 3) | 7, (4 << 3), MODE_CLIENT, (5 << 3) | MODE_CLIENT];
    for first in quiet {
        let mut asked = request(NtpTimestamp(9));
        asked[0] = first;
        let silent = SntpAnswer::Silent(Silence::NotARequest);
        assert_eq!(answer(&asked, &host(ClockState::Unsynchronized), FLOOR), silent, "{first:#x}");
    }
    let short = &request(NtpTimestamp(9))[..47];
    assert_eq!(answer(short, &host(ClockState::Unsynchronized), FLOOR), SntpAnswer::Silent(Silence::NotARequest));
}

#[test]
fn a_clock_before_the_floor_is_kept_to_itself() {
    let mut clock = host(ClockState::Unsynchronized);
    clock.now = UnixTime { seconds: FLOOR.seconds - 1, nanos: 999_999_999 };

    let silent = answer(&request(NtpTimestamp(9)), &clock, FLOOR);

    assert_eq!(silent, SntpAnswer::Silent(Silence::ClockBeforeFloor { floor: FLOOR.seconds }));
}

#[test]
fn the_era_that_begins_in_2036_is_read_as_2036() {
    // 2036-02-07T06:28:16Z is second 0 of era 1 (RFC 4330 §3).
    let rollover = UnixTime { seconds: ERA_SECONDS - NTP_TO_UNIX, nanos: 0 };
    assert_eq!(NtpTimestamp::at(rollover), NtpTimestamp(0));
    for seconds in [-61_505_152, 0, 1_790_000_000, rollover.seconds - 1, rollover.seconds + 1, 4_233_000_000] {
        let time = UnixTime { seconds, nanos: 500_000_000 };
        assert_eq!(NtpTimestamp::at(time).to_unix(), time);
    }
}

#[test]
fn a_client_discards_what_rfc_4330_tells_it_to() {
    let asked = NtpTimestamp(9);
    let good = reply_of(answer(&request(asked), &host(ClockState::Unsynchronized), FLOOR));
    let with = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        read_reply(&bytes, asked)
    };

    assert_eq!(read_reply(&good[..47], asked), Err(ReplyError::Short { found: 47 }));
    assert_eq!(with(0, (4 << 3) | 5), Err(ReplyError::Mode { found: 5 }));
    assert_eq!(with(0, (3 << 6) | (4 << 3) | 4), Err(ReplyError::Unsynchronized));
    assert_eq!(with(1, 0), Err(ReplyError::Stratum { found: 0 }));
    assert_eq!(with(1, 16), Err(ReplyError::Stratum { found: 16 }));
    assert_eq!(read_reply(&good, NtpTimestamp(10)), Err(ReplyError::NotOurs));
    let mut timeless = good;
    timeless[40..].fill(0);
    assert_eq!(read_reply(&timeless, asked), Err(ReplyError::NoTime));
}

proptest! {
    #[test]
    fn any_time_of_era_0_and_1_survives_the_wire(seconds in -61_000_000i64..4_233_000_000, nanos in 0u32..1_000_000_000, asked: u64) {
        let clock = HostClock { now: UnixTime { seconds, nanos }, state: ClockState::Unsynchronized, precision: -20 };
        let floor = UnixTime { seconds: i64::MIN, nanos: 0 };
        let stamp = NtpTimestamp::at(clock.now);
        prop_assume!(stamp != NtpTimestamp(0));
        let bytes = reply_of(answer(&request(NtpTimestamp(asked)), &clock, floor));
        let reply = read_reply(&bytes, NtpTimestamp(asked)).unwrap();
        prop_assert_eq!(reply.time.seconds, seconds);
        prop_assert!(reply.time.nanos.abs_diff(nanos) < 2);
    }

    #[test]
    fn no_datagram_panics(datagram in proptest::collection::vec(any::<u8>(), 0..80), seconds: i64, asked: u64) {
        let clock = HostClock { now: UnixTime { seconds, nanos: u32::MAX }, state: ClockState::Unsynchronized, precision: -20 };
        let reply = answer(&datagram, &clock, FLOOR);
        if let SntpAnswer::Reply(bytes) = reply {
            prop_assert_eq!(bytes.len(), MESSAGE_LEN);
        }
        let _ = read_reply(&datagram, NtpTimestamp(asked));
        let _ = NtpTimestamp(asked).to_unix();
    }
}
