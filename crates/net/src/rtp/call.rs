//! The audio of one call.

use super::{Command, Heard, PlayId};
use crate::sip::reachable;
use bytes::Bytes;
use provost_proto::media::dtmf;
use provost_proto::media::g711::Law;
use provost_proto::media::rtp::{Outbound, Packet};
use provost_proto::media::sdp::Audio;
use provost_proto::sip::CallId;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// After this long without a packet another source is believed: a phone that restarted its stream, a NAT that forgot.
const SILENT: Duration = Duration::from_secs(2);
/// A phone's packet has 172 bytes; what is longer is no voice.
const DATAGRAM_LEN: usize = 1_500;

pub(super) struct CallAudio {
    socket: std::net::UdpSocket,
    call: CallId,
    audio: Audio,
    signaling: IpAddr,
    heard: mpsc::Sender<Heard>,
}

impl CallAudio {
    pub(super) fn new(
        socket: std::net::UdpSocket,
        call: CallId,
        (audio, signaling): (Audio, IpAddr),
        heard: mpsc::Sender<Heard>,
    ) -> Self {
        Self { socket, call, audio, signaling, heard }
    }

    /// Sends and listens until the call's [`Voice`](super::Voice) is dropped.
    pub(super) async fn run(self, mut commands: mpsc::Receiver<Command>) {
        let Ok(socket) = UdpSocket::from_std(self.socket) else { return };
        let mut keys = dtmf::Receiver::new();
        let Ok(bound) = socket.local_addr() else { return };
        let mut sending = Sending::new(bound.ip(), self.call, self.audio);
        let mut ticks = ticks(&self.audio);
        let mut datagram = [0; DATAGRAM_LEN];
        loop {
            // Each arm is cancel-safe: a tick, a datagram or a command is taken whole or not at all.
            let heard = tokio::select! {
                biased;
                _ = ticks.tick() => sending.tick(&socket),
                command = commands.recv() => {
                    match command {
                        None => return,
                        Some(Command::Play { play, clips }) => sending.play(play, clips),
                        Some(Command::Hush) => sending.hush(),
                        Some(Command::Renegotiated(audio)) => {
                            ticks = self::ticks(&audio);
                            sending.renegotiated(audio);
                        }
                    }
                    None
                }
                received = socket.recv_from(&mut datagram) => {
                    // An error is an ICMP message about an earlier packet: the phone is not there yet, or no more.
                    let Ok((length, from)) = received else { continue };
                    let bytes = datagram.get(..length).unwrap_or_default();
                    sending.receive(bytes, from, self.signaling, &mut keys)
                }
            };
            // Waits when the one who listens is behind: this call's voice stalls before a key is lost.
            if let Some(heard) = heard
                && self.heard.send(heard).await.is_err()
            {
                return;
            }
        }
    }
}

fn ticks(audio: &Audio) -> Interval {
    let mut ticks = interval(Duration::from_millis(u64::from(audio.packet_ms.max(10))));
    // A late packet is followed by the next on time, so that the phone's buffer does not run dry for good.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}

/// The source that is listened to.
struct Latch {
    from: SocketAddr,
    ssrc: u32,
    heard: Instant,
}

/// What goes out.
struct Sending {
    /// The address of our socket.
    bound: IpAddr,
    call: CallId,
    audio: Audio,
    peer: SocketAddr,
    /// Whose packets are taken, once a first one came: another program at the phone's address must not press keys.
    latched: Option<Latch>,
    stream: Outbound,
    clips: VecDeque<Bytes>,
    playing: Option<PlayId>,
    /// Kept for their room.
    payload: Vec<u8>,
    packet: Vec<u8>,
}

impl Sending {
    fn new(bound: IpAddr, call: CallId, audio: Audio) -> Self {
        let stream = Outbound::new(rand::random(), rand::random(), rand::random());
        let (clips, playing) = (VecDeque::new(), None);
        let (payload, packet) = (Vec::new(), Vec::new());
        Self { bound, call, audio, peer: audio.address, latched: None, stream, clips, playing, payload, packet }
    }

    fn play(&mut self, play: PlayId, clips: Vec<Bytes>) {
        self.clips = clips.into();
        self.playing = Some(play);
    }

    fn hush(&mut self) {
        self.clips.clear();
        self.playing = None;
    }

    fn renegotiated(&mut self, audio: Audio) {
        if audio.address != self.audio.address {
            self.peer = audio.address;
        }
        // The phone may go on from elsewhere.
        self.latched = None;
        self.audio = audio;
    }

    /// Sends the next packet; silence too, which keeps a NAT's way open and tells the phone that the call lives.
    fn tick(&mut self, socket: &UdpSocket) -> Option<Heard> {
        let samples = self.audio.packet_samples();
        if !self.audio.we_send() {
            // On hold: the prompt waits, and so does its end.
            self.stream.pause(u32::try_from(samples).unwrap_or_default());
            return None;
        }
        let spoke = self.fill(samples);
        self.stream.audio(self.audio.payload_type, &self.payload, &mut self.packet);
        // A full queue loses the packet, as the network might.
        let _: io::Result<usize> = socket.try_send_to(&self.packet, reachable(self.bound, self.peer));
        if spoke || self.playing.is_none() {
            return None;
        }
        // The packet after the last of a prompt: the phone has it all now.
        self.playing.take().map(|play| Heard::Played(self.call, play))
    }

    /// Fills the payload from the clips, then with silence; whether anything of a clip is in it.
    fn fill(&mut self, samples: usize) -> bool {
        self.payload.clear();
        while let Some(clip) = self.clips.front_mut() {
            let missing = samples.saturating_sub(self.payload.len());
            let piece = clip.split_to(missing.min(clip.len()));
            match self.audio.law {
                Law::Mu => self.payload.extend_from_slice(&piece),
                Law::A => self.payload.extend(piece.iter().map(|sample| Law::A.from_mu(*sample))),
            }
            if !clip.is_empty() {
                break;
            }
            self.clips.pop_front();
        }
        let spoke = !self.payload.is_empty();
        self.payload.resize(samples, self.audio.law.silence());
        spoke
    }

    /// Nothing for a packet of another source than the one that is listened to, unless that one has been silent.
    fn latch(&mut self, from: SocketAddr, ssrc: u32) -> Option<()> {
        let now = Instant::now();
        let other = |latch: &Latch| {
            (latch.from, latch.ssrc) != (from, ssrc) && now.saturating_duration_since(latch.heard) < SILENT
        };
        if self.latched.as_ref().is_some_and(other) {
            return None;
        }
        self.latched = Some(Latch { from, ssrc, heard: now });
        Some(())
    }

    /// Takes a packet of the phone's; anybody else's is nothing.
    fn receive(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        signaling: IpAddr,
        keys: &mut dtmf::Receiver,
    ) -> Option<Heard> {
        let named = |ip: IpAddr| ip.to_canonical() == from.ip().to_canonical();
        if !named(self.audio.address.ip()) && !named(signaling) {
            return None;
        }
        let packet = Packet::parse(bytes).ok()?;
        let is_event = Some(packet.payload_type) == self.audio.events;
        if !is_event && packet.payload_type != self.audio.payload_type {
            return None;
        }
        self.latch(from, packet.ssrc)?;
        self.peer = from;
        if !is_event {
            return None;
        }
        keys.receive(&packet).map(|key| Heard::Key(self.call, key))
    }
}
