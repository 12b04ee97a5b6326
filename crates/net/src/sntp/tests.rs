use super::*;
use provost_proto::sntp::{NtpTimestamp, read_reply, request};

const NOW: UnixTime = UnixTime { seconds: 1_790_000_000, nanos: 0 };

fn started(floor: UnixTime) -> (SntpServer, UdpSocket) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.connect(socket.local_addr().unwrap()).unwrap();
    phone.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let clock: ClockSource =
        Arc::new(|| HostClock { now: NOW, state: ClockState::Unsynchronized, precision: PRECISION });
    (serve(socket, clock, floor).unwrap(), phone)
}

fn ask(phone: &UdpSocket) -> io::Result<[u8; 48]> {
    let mut reply = [0; 48];
    phone.send(&request(NtpTimestamp(42)))?;
    phone.recv(&mut reply).map(|_| reply)
}

#[test]
fn a_phone_gets_the_time_and_junk_before_it_changes_nothing() {
    let (server, phone) = started(UnixTime { seconds: 0, nanos: 0 });

    phone.send(b"junk").unwrap();
    phone.send(&[]).unwrap();
    let reply = read_reply(&ask(&phone).unwrap(), NtpTimestamp(42)).unwrap();

    assert_eq!((reply.time, reply.stratum), (NOW, 10));
    server.stop();
}

#[test]
fn the_host_clock_is_past_2020() {
    assert!(host_clock().now.seconds > 1_577_836_800);
}

#[test]
fn a_stopped_server_leaves_its_port() {
    let (server, phone) = started(UnixTime { seconds: 0, nanos: 0 });
    let address = phone.peer_addr().unwrap();

    server.stop();

    UdpSocket::bind(address).unwrap();
}
