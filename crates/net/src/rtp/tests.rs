//! The media thread over real sockets, with a phone made of a plain socket.

use super::*;
use provost_proto::media::dtmf::Sender;
use provost_proto::media::g711::Law;
use provost_proto::media::rtp::{Outbound, Packet};
use provost_proto::media::sdp::Direction;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const CALL: CallId = CallId(7);
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// Long enough for a machine under load; nothing waits that long unless it fails.
const DEADLINE: Duration = Duration::from_secs(10);

struct Phone {
    socket: UdpSocket,
    heard: mpsc::Receiver<Heard>,
    voice: Voice,
    _media: Media,
}

impl Phone {
    fn call(change: impl FnOnce(&mut Audio)) -> Self {
        let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut audio = Audio {
            address: socket.local_addr().unwrap(),
            law: Law::Mu,
            payload_type: 0,
            events: Some(101),
            packet_ms: 20,
            direction: Direction::SendRecv,
            held: false,
        };
        change(&mut audio);
        let (hearing, heard) = mpsc::channel(16);
        let media = Media::start(LOOPBACK, 20_000..=29_999, hearing).unwrap();
        let voice = media.open(CALL, audio, LOOPBACK).unwrap();
        Self { socket, heard, voice, _media: media }
    }

    fn receive(&self) -> Vec<u8> {
        let mut datagram = [0; 1_500];
        let length = self.socket.recv(&mut datagram).unwrap();
        Packet::parse(&datagram[..length]).unwrap().payload.to_vec()
    }

    /// Sends one press of a key as a phone does, from `socket`.
    fn press(&self, key: char, socket: &UdpSocket) {
        let mut stream = Outbound::new(1, 2, 3);
        let mut sender = Sender::new(Digit::from_char(key).unwrap(), 60);
        let mut packet = Vec::new();
        while sender.next(&mut stream, 101, 160, &mut packet) {
            let to: SocketAddr = (LOOPBACK, self.voice.port).into();
            socket.send_to(&packet, to).unwrap();
        }
    }

    fn next_heard(&mut self) -> Option<Heard> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(DEADLINE, self.heard.recv()).await.ok().flatten() })
    }
}

#[test]
fn a_prompt_is_sent_whole_and_in_order_and_its_end_is_told_then_there_is_silence() {
    let mut phone = Phone::call(|_| ());

    let play = phone.voice.play(vec![Bytes::from_static(&[1; 200]), Bytes::from_static(&[2; 40])]);

    let silence = vec![0xff; 160];
    let mut packets = std::iter::repeat_with(|| phone.receive()).skip_while(|payload| *payload == silence);
    let (first, second, third) = (packets.next().unwrap(), packets.next().unwrap(), packets.next().unwrap());
    assert_eq!(first, [1; 160]);
    assert_eq!((&second[..40], &second[40..80], &second[80..]), (&[1; 40][..], &[2; 40][..], &[0xff; 80][..]));
    assert_eq!(third, silence);
    drop(packets);
    assert_eq!(phone.next_heard(), Some(Heard::Played(CALL, play)));
}

#[test]
fn a_phone_that_chose_a_law_hears_a_law() {
    let mut phone = Phone::call(|audio| (audio.law, audio.payload_type) = (Law::A, 8));

    phone.voice.play(vec![Bytes::from_static(&[0x80; 160])]);

    let spoken = std::iter::repeat_with(|| phone.receive()).find(|payload| *payload != [0xd5; 160]);
    assert_eq!(spoken.unwrap(), [Law::A.from_mu(0x80); 160]);
}

#[test]
fn what_is_said_next_takes_the_place_of_what_is_being_said() {
    let mut phone = Phone::call(|_| ());

    phone.voice.play(vec![Bytes::from_static(&[1; 80_000])]);
    assert!(std::iter::repeat_with(|| phone.receive()).take(100).any(|payload| payload == [1; 160]));
    let second = phone.voice.play(vec![Bytes::from_static(&[2; 160])]);

    assert_eq!(phone.next_heard(), Some(Heard::Played(CALL, second)), "the first is never told as played");
}

#[test]
fn one_press_is_one_key_and_strangers_press_nothing() {
    let mut phone = Phone::call(|_| ());
    let stranger = UdpSocket::bind("127.0.0.2:0").unwrap();

    phone.press('9', &stranger);
    phone.press('4', &phone.socket);
    phone.press('#', &phone.socket.try_clone().unwrap());

    assert_eq!(phone.next_heard(), Some(Heard::Key(CALL, Digit::from_char('4').unwrap())));
    // The same stream and time again, another key: a new press all the same.
    assert_eq!(phone.next_heard(), Some(Heard::Key(CALL, Digit::from_char('#').unwrap())));
}

#[test]
fn the_voice_goes_where_the_phones_packets_come_from() {
    let phone = Phone::call(|audio| audio.address = "127.0.0.3:9".parse().unwrap());

    phone.press('1', &phone.socket);

    assert_eq!(phone.receive().len(), 160);
}

#[test]
fn a_phone_on_hold_hears_nothing_and_the_prompt_waits() {
    let mut phone = Phone::call(|audio| audio.held = true);
    let address = phone.socket.local_addr().unwrap();
    phone.voice.play(vec![Bytes::from_static(&[1; 160])]);
    phone.socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(phone.socket.recv(&mut [0; 1_500]).is_err());

    phone.voice.renegotiated(Audio {
        address,
        law: Law::Mu,
        payload_type: 0,
        events: None,
        packet_ms: 20,
        direction: Direction::SendRecv,
        held: false,
    });

    phone.socket.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(phone.receive(), [1; 160]);
}
