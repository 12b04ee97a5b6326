//! SIP sockets: where unclaimed phones register and call to be activated.
//!
//! Decides the order of things: what the machine (`proto::sip`) wants sent is sent, what it asks is asked of the app,
//! and each call gets its voice and its dialogue. What a message means, what a caller hears and whether a code is good
//! are decided there. One task owns the machine; what waits for the database runs beside it and comes back, so that no
//! slow answer holds up anybody else. Never logs what was dialed or keyed: it may be a code.

mod call;
mod calls;
mod phones;
mod streams;

use crate::rtp::{Heard, Media};
use crate::shutdown::Shutdown;
use call::KeyedBy;
use calls::Calls;
use phones::Phones;
use provost_app::{App, SipCredential};
use provost_core::mac::MacAddr;
use provost_core::voice::{Prompt, Verdict, VoicePack};
use provost_proto::sip::{AskId, CallId, Credential, Endpoint, Event, Flow, Millis, Output, Settings};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use streams::{StreamEvent, Writers};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Longer than any datagram: a cut one would be misread.
const DATAGRAM_LEN: usize = 65_536;
/// Datagrams taken in one go before the others get their turn.
const DATAGRAMS: usize = 64;
/// How often waiting dialogues are looked at: their times are seconds.
const LOOK_MS: u64 = 100;
/// What is written when the server stops is written within this, to the database and to phones.
const LEAVE: Duration = Duration::from_secs(5);
/// What was heard in calls and waits for its turn.
const HEARD: usize = 1_024;

/// The bound sockets, of one port.
#[derive(Debug)]
pub struct SipSockets {
    /// Datagrams.
    pub udp: UdpSocket,
    /// Connections.
    pub tcp: TcpListener,
}

/// What an operator settled.
#[derive(Debug)]
pub struct SipOptions {
    /// The realm of challenges.
    pub realm: String,
    /// The address phones reach this machine at, when it is not the one their packets came to.
    pub external_address: Option<IpAddr>,
    /// The ports of calls.
    pub rtp_ports: RangeInclusive<u16>,
    /// What callers hear.
    pub voice: Arc<VoicePack>,
}

/// The task that is to be run, with everything it needs already open.
pub struct SipServer {
    driver: Driver,
    tcp: TcpListener,
    heard: mpsc::Receiver<Heard>,
}

impl SipServer {
    /// Starts the media thread and the machine; nothing is answered before [`SipServer::run`].
    ///
    /// # Errors
    /// When the sockets have no address or the system starts no thread.
    pub fn new(sockets: SipSockets, options: SipOptions, app: Arc<App>) -> io::Result<Self> {
        let SipSockets { udp, tcp } = sockets;
        let local = udp.local_addr()?;
        let (hearing, heard) = mpsc::channel(HEARD);
        let media = Media::start(local.ip(), options.rtp_ports.clone(), hearing)?;
        let numbers: Arc<[String]> = app.catalog().emergency_numbers().iter().map(ToString::to_string).collect();
        let mut settings = Settings::new(&options.realm, concat!("Provost/", env!("CARGO_PKG_VERSION")));
        settings.unproven_numbers = numbers.to_vec();
        // More could be answered, but not heard: only even ports are taken.
        settings.limits.calls = options.rtp_ports.filter(|port| port.is_multiple_of(2)).count();
        if let Some(address) = options.external_address {
            let contact = SocketAddr::new(address, local.port()).to_string();
            settings.udp_contact = Some(contact.clone());
            settings.tcp_contact = Some(contact);
        }
        let clips = Prompt::all().map(|prompt| (prompt, bytes::Bytes::copy_from_slice(options.voice.samples(prompt))));
        let calls = Calls {
            clips: clips.collect(),
            emergency_numbers: numbers,
            media,
            bound: local.ip(),
            external: options.external_address,
            open: HashMap::new(),
        };
        let driver = Driver {
            endpoint: Endpoint::new(settings, rand::random()),
            bound: local.ip(),
            feeding: false,
            started: Instant::now(),
            next_look: Millis::default(),
            udp,
            writers: Writers::default(),
            phones: Phones::default(),
            calls,
            work: JoinSet::new(),
            app,
        };
        Ok(Self { driver, tcp, heard })
    }

    /// Serves until shut down.
    pub async fn run(self, mut stop: Shutdown) {
        let Self { mut driver, tcp, mut heard } = self;
        let (events, mut streams) = streams::channel();
        let accepting = tokio::spawn(streams::accept(tcp, events, stop.clone()));
        let (mut restarts, mut barred) = (driver.app.restarts(), driver.app.barred());
        driver.restart_all_awaited();
        let mut datagram = vec![0; DATAGRAM_LEN];
        loop {
            let wake = driver.wake();
            // Each arm is cancel-safe: readiness is asked again, everything else is taken whole or not at all.
            tokio::select! {
                () = stop.pulled() => break,
                Ok(()) = driver.udp.readable() => driver.read_datagrams(&mut datagram),
                Some(event) = streams.recv() => driver.stream(event),
                Some(heard) = heard.recv() => guarded(|| driver.heard(heard)),
                Some(Ok(done)) = driver.work.join_next() => guarded(|| driver.done(done)),
                restart = restarts.recv() => driver.restart_wanted(restart),
                // One that is missed is refused at its next registration.
                Ok(user) = barred.recv() => driver.forget(&user),
                () = sleep_until(wake) => driver.tick(),
            }
        }
        // What phones still send is heard no more, so that no connection waits for us to read it.
        drop(streams);
        driver.leave().await;
        // An error is a panic, which has been printed already.
        let _ = accepting.await;
    }
}

/// Runs what a message from outside led to. It panics on nothing that we know of; if it does all the same, that costs
/// this message and nobody else's.
fn guarded(work: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(work)).is_err() {
        tracing::error!("a SIP message broke its own handling; please report it with the lines above");
    }
}

/// `to` as a socket at `bound` reaches it: one for IPv6 takes IPv4 addresses in their mapped form only.
pub(crate) fn reachable(bound: IpAddr, to: SocketAddr) -> SocketAddr {
    match (bound, to.ip()) {
        (IpAddr::V6(_), IpAddr::V4(ip)) => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
        _ => to,
    }
}

struct Driver {
    bound: IpAddr,
    feeding: bool,
    app: Arc<App>,
    started: Instant,
    next_look: Millis,
    endpoint: Endpoint,
    udp: UdpSocket,
    writers: Writers,
    phones: Phones,
    calls: Calls,
    work: JoinSet<Done>,
}

/// What came back from the app.
enum Done {
    Credential { ask: AskId, user: String, found: Option<SipCredential> },
    Verdict { call: CallId, verdict: Verdict },
    Restart { mac: MacAddr, user: Option<String> },
    Nothing,
}

impl Driver {
    fn now(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// When there is something to do even if nothing comes.
    fn wake(&self) -> Instant {
        let look = if self.calls.open.is_empty() { None } else { Some(self.next_look) };
        let next = [self.endpoint.next_wake(), look].into_iter().flatten().min();
        // An hour: nothing waits for it.
        let ms = next.map_or(3_600_000, |next| next.since(self.now())).max(1);
        Instant::now().checked_add(Duration::from_millis(ms)).unwrap_or_else(Instant::now)
    }

    /// Ends every call, and lets codes that are being tried come to their end.
    async fn leave(&mut self) {
        let now = self.now();
        for call in self.calls.open.keys().copied().collect::<Vec<_>>() {
            self.feed(|endpoint| {
                let _ = endpoint.hang_up(now, call);
            });
        }
        // Every connection writes what it was given and ends.
        self.writers = Writers::default();
        let under_way = async { while self.work.join_next().await.is_some() {} };
        if tokio::time::timeout(LEAVE, under_way).await.is_err() {
            self.work.shutdown().await;
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        self.feed(|endpoint| endpoint.tick(now));
        if now < self.next_look {
            return;
        }
        self.next_look = now.plus(LOOK_MS);
        for call in self.calls.due(now) {
            self.advance(call, |call| call.woke(now));
        }
    }

    /// Gives the machine one input and does what it wants done.
    fn feed(&mut self, input: impl FnOnce(&mut Endpoint)) {
        guarded(|| input(&mut self.endpoint));
        // What comes of an input that an output led to is taken by the loop below, not by one within it.
        if std::mem::replace(&mut self.feeding, true) {
            return;
        }
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Transmit { to: Flow::Udp(to), bytes } => {
                    // A full queue loses it, as the network might; the transaction repeats it.
                    let _ = self.udp.try_send_to(&bytes, reachable(self.bound, to));
                }
                Output::Transmit { to: Flow::Stream(stream), bytes } => {
                    if !self.writers.send(stream, bytes) {
                        let now = self.now();
                        self.endpoint.stream_closed(now, stream);
                    }
                }
                Output::CloseStream(stream) => self.writers.close(stream),
                Output::Event(event) => guarded(|| self.event(event)),
            }
        }
        self.feeding = false;
    }

    fn read_datagrams(&mut self, datagram: &mut [u8]) {
        for _ in 0..DATAGRAMS {
            // An error is the end of what is there, or an ICMP message about an earlier answer.
            let Ok((length, from)) = self.udp.try_recv_from(datagram) else { return };
            let now = self.now();
            let from = SocketAddr::new(from.ip().to_canonical(), from.port());
            let bytes = datagram.get(..length).unwrap_or_default();
            self.feed(|endpoint| endpoint.datagram(now, from, bytes));
        }
    }

    fn stream(&mut self, event: StreamEvent) {
        let now = self.now();
        match event {
            StreamEvent::Opened(stream, peer, writer) => {
                self.writers.opened(stream, writer);
                self.feed(|endpoint| endpoint.stream_opened(now, stream, peer));
            }
            StreamEvent::Bytes(stream, bytes) => self.feed(|endpoint| endpoint.stream_bytes(now, stream, &bytes.0)),
            StreamEvent::Closed(stream) => {
                self.writers.close(stream);
                self.feed(|endpoint| endpoint.stream_closed(now, stream));
            }
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Credentials { ask, user } => self.ask_credential(ask, user),
            Event::Unproven { user, from } => {
                tracing::debug!(address = %from, user, "a SIP digest did not match");
            }
            Event::Registered { user, from, user_agent, .. } => {
                self.registered(&user, from.ip(), user_agent.as_deref())
            }
            Event::Unregistered { user, .. } => self.unregistered(&user),
            Event::NotifyDone { user, status } => self.notified(&user, status),
            Event::Incoming(incoming) => self.incoming(incoming),
            Event::Offer { call, offer } => self.offered(call, offer.as_ref()),
            Event::Info { call, content_type, body } => {
                let now = self.now();
                if let Some(key) = provost_proto::media::info::digit(&content_type, body.as_bytes()) {
                    self.advance(call, |call| call.key(now, KeyedBy::Info, key));
                }
            }
            Event::Established { call, answer } => {
                let now = self.now();
                self.advance(call, |call| call.established(now, answer.as_ref()));
            }
            Event::Ended { call, why } => self.ended(call, why),
        }
    }

    fn heard(&mut self, heard: Heard) {
        let now = self.now();
        match heard {
            Heard::Key(call, key) => self.advance(call, |call| call.key(now, KeyedBy::Event, key)),
            Heard::Played(call, play) => self.advance(call, |call| call.played(now, play)),
        }
    }

    fn done(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Credential { ask, user, found } => {
                let credential = found.map(|found| {
                    self.phones.knows(&user, found.mac);
                    let credential = Credential::new(found.password.reveal());
                    if found.sha256 { credential.with_sha256() } else { credential }
                });
                self.feed(|endpoint| endpoint.credentials(now, ask, credential.as_ref()));
            }
            Done::Verdict { call, verdict } => self.advance(call, |call| call.verdict(now, &verdict)),
            Done::Restart { mac, user: Some(user) } => self.restart(mac, user),
            Done::Restart { user: None, .. } | Done::Nothing => {}
        }
    }

    fn ask_credential(&mut self, ask: AskId, user: String) {
        let app = Arc::clone(&self.app);
        self.work.spawn(async move {
            let found = app.sip_credential(&user).await.unwrap_or_else(|error| {
                // The phone asks again; a wrong answer would make it give up.
                tracing::warn!(%error, "a phone's SIP identity could not be looked up");
                None
            });
            Done::Credential { ask, user, found }
        });
    }

    /// A claimed phone that is to read its configuration; a missed one is caught up with all that wait.
    fn restart_wanted(&mut self, wanted: Result<MacAddr, broadcast::error::RecvError>) {
        match wanted {
            Ok(mac) => self.look_up_user(mac),
            Err(broadcast::error::RecvError::Lagged(_)) => self.restart_all_awaited(),
            Err(broadcast::error::RecvError::Closed) => {}
        }
    }
}
