//! The media thread: sends each call's voice packet by packet and tells the keys it hears.
//!
//! Decides when a packet leaves and whose packets are taken; what is said and what a key means is decided elsewhere.
//! A thread of its own, so that no database and no TLS handshake delays a packet. Never grows: one socket and one small
//! task a call, as many as there are ports.
//! Symmetric RTP (RFC 4961): packets go back where the phone's came from, through any NAT, but only to an address that
//! the call itself named.

mod call;
mod ports;

use bytes::Bytes;
use call::CallAudio;
use ports::Ports;
use provost_proto::media::Digit;
use provost_proto::media::sdp::Audio;
use provost_proto::sip::CallId;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::thread::JoinHandle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Commands a call may fall behind: a person cannot press keys that fast.
const COMMANDS: usize = 32;

/// What came of a call's audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A key was pressed.
    Key(CallId, Digit),
    /// Everything of this [`Voice::play`] was sent.
    Played(CallId, PlayId),
}

/// One [`Voice::play`] of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlayId(u32);

/// The running thread; it ends, and with it every call's audio, when dropped.
#[derive(Debug)]
pub struct Media {
    bind: IpAddr,
    ports: Mutex<Ports>,
    opening: Option<mpsc::Sender<Opening>>,
    heard: mpsc::Sender<Heard>,
    thread: Option<JoinHandle<()>>,
}

struct Opening {
    audio: CallAudio,
    commands: mpsc::Receiver<Command>,
}

#[derive(Debug)]
enum Command {
    Play { play: PlayId, clips: Vec<Bytes> },
    Hush,
    Renegotiated(Audio),
}

/// The audio of one call; it ends when dropped.
#[derive(Debug)]
pub struct Voice {
    /// The port phones send to.
    pub port: u16,
    commands: mpsc::Sender<Command>,
    last: PlayId,
}

impl Media {
    /// Starts the thread; calls take even ports of `ports` at the address `bind`.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(bind: IpAddr, ports: RangeInclusive<u16>, heard: mpsc::Sender<Heard>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let ports = Ports::new(ports);
        // Each waiting call holds a port already, so there is always room; a whole site may lift its handsets at once.
        let (opening, opened) = mpsc::channel(ports.len().max(1));
        let thread = std::thread::Builder::new().name("rtp".to_owned()).spawn(move || runtime.block_on(run(opened)))?;
        Ok(Self { bind, ports: Mutex::new(ports), opening: Some(opening), heard, thread: Some(thread) })
    }

    /// Opens the audio of a call whose other side offered `audio`; packets are taken from its address and from
    /// `signaling`, where the call itself came from.
    ///
    /// # Errors
    /// When every port is taken or the thread is overrun; the call should be refused as *busy here*.
    pub fn open(&self, call: CallId, audio: Audio, signaling: IpAddr) -> io::Result<Voice> {
        let socket = self.ports.lock().unwrap_or_else(std::sync::PoisonError::into_inner).bind(self.bind)?;
        let port = socket.local_addr()?.port();
        let (sender, commands) = mpsc::channel(COMMANDS);
        let audio = CallAudio::new(socket, call, (audio, signaling), self.heard.clone());
        let overrun = || io::Error::new(io::ErrorKind::WouldBlock, "the media thread takes no call");
        let opening = self.opening.as_ref().ok_or_else(overrun)?;
        opening.try_send(Opening { audio, commands }).map_err(|_| overrun())?;
        Ok(Voice { port, commands: sender, last: PlayId::default() })
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.opening = None;
        if let Some(thread) = self.thread.take() {
            // An error is a panic of the thread, which has been printed already.
            let _ = thread.join();
        }
    }
}

impl Voice {
    /// Says these clips (mu-law, 8,000 bytes a second) one after the other, instead of what is being said.
    ///
    /// [`Heard::Played`] with the returned id follows, unless something else is said before the end.
    pub fn play(&mut self, clips: Vec<Bytes>) -> PlayId {
        self.last = PlayId(self.last.0.wrapping_add(1));
        // A full channel means a call that is over, or a phone that keys faster than anybody can.
        let _ = self.commands.try_send(Command::Play { play: self.last, clips });
        self.last
    }

    /// Says nothing more.
    pub fn hush(&self) {
        let _ = self.commands.try_send(Command::Hush);
    }

    /// Goes on as a new offer wants it.
    pub fn renegotiated(&self, audio: Audio) {
        let _ = self.commands.try_send(Command::Renegotiated(audio));
    }
}

/// Takes calls up until the last [`Media`] is gone.
async fn run(mut opened: mpsc::Receiver<Opening>) {
    let mut calls = JoinSet::new();
    loop {
        tokio::select! {
            opening = opened.recv() => match opening {
                Some(Opening { audio, commands }) => {
                    calls.spawn(audio.run(commands));
                }
                None => break,
            },
            Some(_) = calls.join_next(), if !calls.is_empty() => {}
        }
    }
    calls.shutdown().await;
}

#[cfg(test)]
mod tests;
