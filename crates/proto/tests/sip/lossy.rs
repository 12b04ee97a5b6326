//! A phone and the machine at the two ends of a bad network: whatever is lost, both come to an end they agree on.

use provost_proto::sip::message::Name;
use provost_proto::sip::{Counts, Event, Millis};

use crate::world::{ANSWER, Request, World, answer_to, header, status};

const STEP_MS: u64 = 10;

/// Chance from a seed, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// A caller with the timers of RFC 3261 §17.1 and nothing else.
struct Phone {
    dice: Dice,
    loss_percent: u64,
    /// On their way to the machine, and when they arrive.
    to_machine: Vec<(Millis, String)>,
    to_phone: Vec<(Millis, String)>,
    waiting: Option<(Request, u64, Millis)>,
    /// The ACK of the 200, sent again whenever that comes again.
    confirmed: Option<Request>,
    hung_up: bool,
    calls_lasts_ms: u64,
    bye_at: Option<Millis>,
    ok: String,
}

impl Phone {
    fn new(seed: u64, loss_percent: u64) -> Self {
        Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            loss_percent,
            to_machine: Vec::new(),
            to_phone: Vec::new(),
            waiting: None,
            confirmed: None,
            hung_up: false,
            calls_lasts_ms: 3000,
            bye_at: None,
            ok: String::new(),
        }
    }

    /// Loses, delays or doubles.
    fn carry(&mut self, now: Millis) -> Vec<Millis> {
        let copies = 1 + u64::from(self.dice.below(10) == 0);
        let kept = (0..copies).filter(|_| self.dice.below(100) >= self.loss_percent).count();
        (0..kept).map(|_| now.plus(5 + self.dice.below(120))).collect()
    }

    fn send(&mut self, now: Millis, text: &str) {
        for at in self.carry(now) {
            self.to_machine.push((at, text.to_owned()));
        }
    }

    fn begin(&mut self, now: Millis, request: Request) {
        self.send(now, &request.text());
        self.waiting = Some((request, 500, now.plus(500)));
    }

    fn step(&mut self, world: &mut World) {
        let now = world.now;
        if let Some((request, wait, again)) = self.waiting.take() {
            if again <= now {
                self.send(now, &request.text());
                self.waiting = Some((request, wait * 2, now.plus(wait * 2)));
            } else {
                self.waiting = Some((request, wait, again));
            }
        }
        if self.bye_at.is_some_and(|at| at <= now) {
            self.bye_at = None;
            let bye = self.confirmed.clone().unwrap().in_dialog("BYE", &self.ok);
            self.begin(now, bye);
        }
        for text in due(&mut self.to_machine, now) {
            world.datagram(5060, text);
        }
        let sent = world.take_sent();
        for text in sent {
            for at in self.carry(now) {
                self.to_phone.push((at, text.clone()));
            }
        }
        for text in due(&mut self.to_phone, now) {
            self.receive(now, &text);
        }
    }

    fn receive(&mut self, now: Millis, text: &str) {
        if text.starts_with("BYE ") {
            self.hung_up = true;
            self.bye_at = None;
            self.send(now, &answer_to(text, 200));
            return;
        }
        let status = status(text);
        if let Some(invite) =
            self.confirmed.clone().filter(|_| status == 200 && header(text, Name::CSeq).ends_with("INVITE"))
        {
            let ack = invite.ack(text).text();
            return self.send(now, &ack);
        }
        let Some((request, _, _)) = self.waiting.clone() else { return };
        if header(text, Name::CSeq) != format!("{} {}", request.cseq, request.method) {
            return;
        }
        match (request.method, status) {
            (_, 100) => self.waiting.as_mut().unwrap().2 = now.plus(100_000),
            ("INVITE", 401) => {
                let ack = request.same_hop("ACK").text();
                self.send(now, &ack);
                self.begin(now, request.next().proving(text, "wonder", 1));
            }
            ("INVITE", 200) => {
                self.waiting = None;
                self.ok = text.to_owned();
                let ack = request.ack(text).text();
                self.send(now, &ack);
                self.confirmed = Some(request);
                self.bye_at = Some(now.plus(self.calls_lasts_ms));
            }
            ("BYE", 200 | 481) => {
                self.waiting = None;
                self.hung_up = true;
            }
            other => panic!("{other:?}: {text}"),
        }
    }
}

fn due(queue: &mut Vec<(Millis, String)>, now: Millis) -> Vec<String> {
    let mut arrived: Vec<_> = queue.extract_if(.., |(at, _)| *at <= now).collect();
    arrived.sort_by_key(|(at, _)| *at);
    arrived.into_iter().map(|(_, text)| text).collect()
}

/// Runs a call and returns its events.
fn call(seed: u64, loss_percent: u64, hang_up_after: Option<u64>) -> Vec<Event> {
    let mut world = World::new();
    let mut phone = Phone::new(seed, loss_percent);
    phone.begin(world.now, Request::invite("5551000"));
    let mut all = Vec::new();
    let mut hang_up = None;
    for _ in 0..20_000 {
        world.advance(STEP_MS);
        phone.step(&mut world);
        for event in world.take_events() {
            match &event {
                Event::Incoming(call) => world.endpoint.accept(world.now, call.call, ANSWER).unwrap(),
                Event::Established { call, .. } => hang_up = hang_up_after.map(|ms| (world.now.plus(ms), *call)),
                _ => {}
            }
            all.push(event);
        }
        if let Some((_, call)) = hang_up.take_if(|(at, _)| *at <= world.now) {
            // The phone may have been faster.
            let _ = world.endpoint.hang_up(world.now, call);
        }
        world.drain();
    }
    assert_eq!(world.endpoint.counts(), Counts::default(), "seed {seed}");
    all
}

#[test]
fn a_call_over_a_network_that_loses_a_third_begins_and_ends_once() {
    for seed in 0..60 {
        for hang_up_after in [None, Some(500), Some(2900)] {
            let events = call(seed, 30, hang_up_after);
            let count = |which: fn(&Event) -> bool| events.iter().filter(|event| which(event)).count();

            assert_eq!(count(|event| matches!(event, Event::Incoming(_))), 1, "seed {seed}: {events:?}");
            assert!(count(|event| matches!(event, Event::Established { .. })) <= 1, "seed {seed}: {events:?}");
            assert!(matches!(events.last(), Some(Event::Ended { .. })), "seed {seed}: {events:?}");
            assert_eq!(count(|event| matches!(event, Event::Ended { .. })), 1, "seed {seed}: {events:?}");
        }
    }
}

#[test]
fn a_call_over_a_good_network_is_established_and_ended_by_the_phone() {
    let events = call(1, 0, None);

    assert!(matches!(events[..], [Event::Incoming(_), Event::Established { .. }, Event::Ended { .. }]), "{events:?}");
}
