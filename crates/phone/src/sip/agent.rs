//! The line's task: everything that happens to one line, one after the other.
//!
//! Decides who hears of what came: registration, call, or an answer at once. Every wait has a deadline.
//! Rules: RFC 3261; what a phone does on NOTIFY check-sync: domain notes 1.6.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::sip::account::Account;
use crate::sip::action::Action;
use crate::sip::leg::{Ends, Leg};
use crate::sip::message::{Message, Start};
use crate::sip::pending::{Pending, Purpose};
use crate::sip::random;
use crate::sip::registration::Registration;
use crate::sip::sdp::Direction;
use crate::sip::state::{EndedBy, LineState, LineTrouble, Status};
use crate::sip::wire::{self, Wire};

/// Answers and acknowledgments kept to be repeated.
const KEPT: usize = 16;
/// How long the task sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// What the handles ask of the line.
pub(crate) enum Command {
    Call { number: String, ends: Ends },
    HangUp { call: SocketAddr },
    Info { body: (&'static str, String), done: Outcome },
    Turn { direction: Direction, done: Outcome },
    Refresh,
    Close,
}

pub(crate) type Outcome = oneshot::Sender<Result<(), EndedBy>>;

pub(crate) struct Agent {
    pub(crate) account: Account,
    pub(crate) wire: Option<Wire>,
    /// Where the server was found.
    pub(crate) server: Option<SocketAddr>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) status: watch::Sender<Status>,
    commands: mpsc::Receiver<Command>,
    /// What NOTIFY told the phone to do, for whoever holds it.
    pub(crate) actions: mpsc::Sender<Action>,
    pub(crate) registration: Registration,
    pub(crate) leg: Option<Leg>,
    /// Answers sent, by branch and method.
    pub(crate) answered: VecDeque<(String, Vec<u8>, SocketAddr)>,
    /// Acknowledgments sent, by the branch of their INVITE.
    pub(crate) acknowledged: VecDeque<(String, Vec<u8>, SocketAddr)>,
    pub(crate) closing: bool,
}

enum Happened {
    Received(io::Result<(Vec<u8>, SocketAddr)>),
    Asked(Option<Command>),
    Time,
}

impl Agent {
    pub(crate) fn new(
        account: Account,
        status: watch::Sender<Status>,
        (commands, actions): (mpsc::Receiver<Command>, mpsc::Sender<Action>),
    ) -> Self {
        Self {
            registration: Registration::new(&account),
            account,
            wire: None,
            server: None,
            pending: Vec::new(),
            status,
            commands,
            actions,
            leg: None,
            answered: VecDeque::new(),
            acknowledged: VecDeque::new(),
            closing: false,
        }
    }

    /// Runs until the line is closed and has said good-bye.
    pub(crate) async fn run(mut self) {
        self.connect().await;
        while !self.finished() {
            let wake = self.wake();
            // Each branch only waits and loses nothing when another wins; what it took is handled below.
            let happened = tokio::select! {
                received = receive(&mut self.wire) => Happened::Received(received),
                command = self.commands.recv(), if !self.closing => Happened::Asked(command),
                () = tokio::time::sleep_until(wake) => Happened::Time,
            };
            match happened {
                Happened::Received(Ok((bytes, from))) => self.received(&bytes, from).await,
                Happened::Received(Err(error)) => self.lost(&error),
                Happened::Asked(Some(command)) => self.obey(command).await,
                Happened::Asked(None) => self.close().await,
                Happened::Time => self.on_time().await,
            }
            // Nobody holds the handset any more.
            if self.leg.as_ref().is_some_and(|leg| leg.state.is_closed()) {
                self.hang_up().await;
            }
        }
        self.end_call(EndedBy::Phone);
        self.status.send_modify(|status| status.state = LineState::Closed);
    }

    fn finished(&self) -> bool {
        self.closing && self.pending.is_empty()
    }

    /// Finds the server, opens a way to it and registers.
    pub(crate) async fn connect(&mut self) {
        let opened = match wire::resolve(self.account.bare_server(), self.account.port).await {
            Ok(server) => Wire::open(self.account.transport, server).await.map(|wire| (wire, server)),
            Err(error) => Err(error),
        };
        match opened {
            Ok((wire, server)) => {
                let local = wire.local();
                self.status.send_modify(|status| status.local = Some(local));
                (self.wire, self.server) = (Some(wire), Some(server));
                if self.account.registers {
                    self.register(Purpose::Register).await;
                }
            }
            Err(error) => self.unregistered(LineTrouble::Unreachable { reason: error.to_string() }),
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Call { number, ends } => self.start_call(&number, ends).await,
            Command::HangUp { call } => {
                if self.leg.as_ref().is_some_and(|leg| leg.ours.address == call) {
                    self.hang_up().await;
                }
            }
            Command::Info { body, done } => self.ask_in_call(Purpose::Info, body, done).await,
            Command::Turn { direction, done } => self.turn(direction, done).await,
            Command::Refresh if self.wire.is_none() => self.connect().await,
            Command::Refresh => self.register(Purpose::Register).await,
            Command::Close => self.close().await,
        }
    }

    async fn close(&mut self) {
        self.closing = true;
        self.hang_up().await;
        let registered = matches!(self.status.borrow().state, LineState::Registered { .. });
        self.pending.retain(|pending| pending.purpose != Purpose::Register);
        if registered {
            self.register(Purpose::Unregister).await;
        }
    }

    async fn received(&mut self, bytes: &[u8], from: SocketAddr) {
        let Some(message) = Message::read(bytes) else { return };
        match &message.start {
            Start::Request { method, .. } => {
                let method = method.clone();
                self.answer(&method, &message, from).await;
            }
            Start::Answer { status, reason } => {
                let (status, reason) = (*status, reason.clone());
                self.answered(&message, (status, reason)).await;
            }
        }
    }

    /// An answer goes to the request it belongs to; one that belongs to none may repeat an old one.
    async fn answered(&mut self, answer: &Message, (status, reason): (u16, String)) {
        let Some((branch, (_, method))) = answer.branch().zip(answer.cseq()) else { return };
        let fits = |pending: &Pending| pending.branch == branch && pending.purpose.method() == method;
        let Some(at) = self.pending.iter().position(fits) else {
            if method == "INVITE" && status >= 200 {
                self.acknowledge_again(branch).await;
            }
            return;
        };
        if status < 200 {
            if let Some(pending) = self.pending.get_mut(at) {
                let patience = pending.deadline.max(Instant::now() + self.account.patience);
                pending.arrived(patience);
            }
            return self.progressed(status, answer).await;
        }
        let pending = self.pending.remove(at);
        match pending.purpose {
            Purpose::Register | Purpose::Unregister => {
                self.registration_answered(pending.purpose, answer, (status, reason)).await;
            }
            Purpose::Invite | Purpose::Reinvite => self.invite_answered(pending, answer, (status, reason)).await,
            Purpose::Bye | Purpose::Info => self.in_call_answered(pending.purpose, answer, (status, reason)).await,
            // The INVITE's own answer ends the call.
            Purpose::Cancel => {}
        }
    }

    async fn on_time(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        for pending in &mut self.pending {
            if pending.deadline > now && pending.repeats(now) {
                due.push((pending.bytes.clone(), pending.to));
            }
        }
        for (bytes, to) in due {
            self.send(&bytes, to).await;
        }
        let all = std::mem::take(&mut self.pending).into_iter();
        let (late, waiting): (Vec<_>, Vec<_>) = all.partition(|one| one.deadline <= now);
        self.pending = waiting;
        for pending in late {
            self.unanswered(&pending);
        }
        self.repeat_answer(now).await;
        if self.registration.next.is_some_and(|next| next <= now) && !self.closing {
            self.registration.next = None;
            match self.wire {
                Some(_) if self.account.registers => self.register(Purpose::Register).await,
                Some(_) => {}
                None => self.connect().await,
            }
        }
    }

    fn unanswered(&mut self, pending: &Pending) {
        match pending.purpose {
            Purpose::Register => self.unregistered(LineTrouble::NoAnswer),
            Purpose::Unregister | Purpose::Cancel => {}
            Purpose::Invite => self.end_call(EndedBy::NoAnswer),
            Purpose::Bye => self.end_call(EndedBy::Phone),
            Purpose::Info | Purpose::Reinvite => {
                if let Some(leg) = &mut self.leg {
                    leg.tell(Err(EndedBy::NoAnswer));
                }
            }
        }
    }

    fn wake(&self) -> Instant {
        let requests = self.pending.iter().map(Pending::wake);
        let answer = self.leg.as_ref().and_then(|leg| leg.repeated.as_ref()).map(|repeated| repeated.at);
        let registration = self.registration.next.filter(|_| !self.closing);
        let idle = Instant::now() + IDLE;
        requests.chain(answer).chain(registration).min().unwrap_or(idle)
    }

    fn lost(&mut self, error: &io::Error) {
        // A datagram socket tells of one refused packet; a stream is gone.
        if matches!(self.wire, Some(Wire::Udp { .. })) {
            return;
        }
        self.wire = None;
        self.pending.clear();
        self.end_call(EndedBy::Lost);
        self.unregistered(LineTrouble::Unreachable { reason: error.to_string() });
    }

    pub(crate) async fn send(&mut self, bytes: &[u8], to: SocketAddr) {
        if let Some(wire) = &mut self.wire
            && let Err(error) = wire.send(bytes, to).await
        {
            self.lost(&error);
        }
    }

    /// Sends a request and waits for its answer from now on.
    pub(crate) async fn ask(&mut self, pending: Pending) {
        let patience = match pending.purpose {
            // The phone is on its way out and does not wait long.
            Purpose::Unregister => self.account.patience.min(Duration::from_secs(2)),
            _ => self.account.patience,
        };
        let pending = pending.sent(Instant::now(), self.account.transport, patience);
        let (bytes, to) = (pending.bytes.clone(), pending.to);
        self.pending.push(pending);
        self.send(&bytes, to).await;
    }

    /// A new Via and its branch.
    pub(crate) fn via(&self) -> (String, String) {
        let branch = format!("z9hG4bK{}", random::token());
        let local = self.wire.as_ref().map(|wire| wire.local().to_string()).unwrap_or_default();
        (format!("SIP/2.0/{} {local};branch={branch};rport", self.account.transport.word()), branch)
    }

    /// Where the phone can be reached.
    pub(crate) fn contact(&self) -> String {
        let local = self.wire.as_ref().map(|wire| wire.local().to_string()).unwrap_or_default();
        let transport = match self.account.transport {
            wire::Transport::Udp => "",
            wire::Transport::Tcp => ";transport=tcp",
        };
        format!("<sip:{}@{local}{transport}>", self.account.name())
    }

    pub(crate) fn keep(kept: &mut VecDeque<(String, Vec<u8>, SocketAddr)>, one: (String, Vec<u8>, SocketAddr)) {
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(one);
    }
}

/// The next message; waits for ever while there is no way to the server.
async fn receive(wire: &mut Option<Wire>) -> io::Result<(Vec<u8>, SocketAddr)> {
    match wire {
        Some(wire) => wire.receive().await,
        None => std::future::pending().await,
    }
}
