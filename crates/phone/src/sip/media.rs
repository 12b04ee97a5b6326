//! The sound of one call: a packet every 20 ms, and an ear.
//!
//! Decides what is sent when. Never speaks: the phone's microphone is off, so it sends silence, or keys.
//! Rules: RFC 3550 and RFC 3551 (G.711, 20 ms); RFC 4733 for keys.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::sip::account::Account;
use crate::sip::heard::{Ear, Heard, Hearing};
use crate::sip::keys::{self, Slot, TICKS};
use crate::sip::random;
use crate::sip::sdp::{Direction, Law, MediaPlan};

/// Time between packets.
const SPACING: Duration = Duration::from_millis(20);
/// The largest packet that is read whole.
const PACKET_LIMIT: usize = 2048;
/// Tries to find an even port (RFC 3550, 11: RTP takes the even one).
const PORT_TRIES: u32 = 16;

/// Keys to press, and whom to tell when they are sent.
pub(crate) struct Keys {
    pub(crate) events: Vec<u8>,
    pub(crate) done: oneshot::Sender<()>,
}

pub(crate) struct Media {
    socket: UdpSocket,
    plan: watch::Receiver<Option<MediaPlan>>,
    keys: mpsc::Receiver<Keys>,
    hearing: watch::Sender<Hearing>,
    ear: Ear,
    slots: VecDeque<Slot>,
    sequence: u16,
    timestamp: u32,
    source: [u8; 4],
    /// When the key being held went down, by the sound's clock.
    pressed_at: u32,
    speaks: bool,
}

/// The other ends of a call's sound.
pub(crate) struct Handles {
    pub(crate) keys: mpsc::Sender<Keys>,
    pub(crate) hearing: watch::Receiver<Hearing>,
}

impl Media {
    pub(crate) fn new(
        socket: UdpSocket,
        plan: watch::Receiver<Option<MediaPlan>>,
        account: &Account,
    ) -> (Self, Handles) {
        let (keys_in, keys) = mpsc::channel(4);
        let (hearing, hearing_out) = watch::channel(Hearing::default());
        let media = Self {
            socket,
            plan,
            keys,
            hearing,
            ear: Ear::new(account.heard_bytes),
            slots: VecDeque::new(),
            sequence: u16::from_be_bytes(random::bytes()),
            timestamp: u32::from_be_bytes(random::bytes()),
            source: random::bytes(),
            pressed_at: 0,
            speaks: account.speaks,
        };
        (media, Handles { keys: keys_in, hearing: hearing_out })
    }

    /// Runs until the call's handle or the line lets go.
    pub(crate) async fn run(mut self) -> Heard {
        let mut tick = tokio::time::interval(SPACING);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut datagram = [0; PACKET_LIMIT];
        loop {
            // Each branch only waits; what it took is handled below before the next wait.
            tokio::select! {
                received = self.socket.recv_from(&mut datagram) => {
                    // An error is the other end's port being closed; more may come.
                    if let Ok((length, _)) = received {
                        self.hear(datagram.get(..length).unwrap_or_default());
                    }
                }
                _ = tick.tick() => self.send_next().await,
                keys = self.keys.recv() => match keys {
                    Some(keys) => self.press(keys),
                    None => break,
                },
                changed = self.plan.changed() => match changed {
                    Ok(()) => self.ear.pause(),
                    Err(_) => break,
                },
            }
        }
        self.ear.finish()
    }

    fn hear(&mut self, datagram: &[u8]) {
        let Some((law, payload)) = self.plan.borrow().as_ref().map(|plan| (plan.law, plan.payload)) else { return };
        let now = self.ear.packet(datagram, (law, payload), Instant::now());
        self.hearing.send_replace(now);
    }

    fn press(&mut self, keys: Keys) {
        for event in keys.events {
            keys::press(&mut self.slots, event);
        }
        self.slots.push_back(Slot::Done(keys.done));
    }

    async fn send_next(&mut self) {
        self.timestamp = self.timestamp.wrapping_add(TICKS.into());
        let Some(plan) = self.plan.borrow().clone() else { return };
        let mut slot = self.slots.pop_front();
        while let Some(Slot::Done(done)) = slot {
            // Whoever pressed the keys may have stopped waiting.
            let _ = done.send(());
            slot = self.slots.pop_front();
        }
        match (slot, plan.events) {
            (Some(Slot::Down { event, duration, first }), Some(payload)) => {
                if first {
                    self.pressed_at = self.timestamp;
                }
                self.send_event(&plan, payload, (keys::payload(event, duration, false), first)).await;
            }
            (Some(Slot::Released { event, duration }), Some(payload)) => {
                for _ in 0..3 {
                    self.send_event(&plan, payload, (keys::payload(event, duration, true), false)).await;
                }
            }
            _ if self.speaks && plan.direction.hears() => {
                let silence = [if plan.law == Law::Mu { 0xff } else { 0xd5 }; 160];
                self.send(&plan, (plan.payload, self.timestamp), &silence).await;
            }
            _ => {}
        }
    }

    async fn send_event(&mut self, plan: &MediaPlan, payload: u8, (event, marked): ([u8; 4], bool)) {
        let mark = if marked { 0x80 } else { 0 };
        self.send(plan, (payload | mark, self.pressed_at), &event).await;
    }

    async fn send(&mut self, plan: &MediaPlan, (payload, timestamp): (u8, u32), sound: &[u8]) {
        if plan.direction == Direction::Inactive && plan.remote.ip().is_unspecified() {
            return;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut packet = Vec::with_capacity(sound.len().saturating_add(12));
        packet.extend([0x80, payload]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend(self.source);
        packet.extend(sound);
        // Sound that cannot be sent is lost, as on any network.
        let _ = self.socket.send_to(&packet, plan.remote).await;
    }
}

/// A socket on an even port of `ip`, if one is found soon.
pub(crate) async fn socket(ip: IpAddr) -> std::io::Result<UdpSocket> {
    let mut odd = Vec::new();
    for _ in 0..PORT_TRIES {
        let socket = UdpSocket::bind(SocketAddr::from((ip, 0))).await?;
        if socket.local_addr()?.port().is_multiple_of(2) {
            return Ok(socket);
        }
        odd.push(socket);
    }
    odd.pop().ok_or_else(|| std::io::ErrorKind::AddrInUse.into())
}
