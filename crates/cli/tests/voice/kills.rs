//! Power cuts: one of them meets phones in every step of a call.

use crate::caller::Caller;
use crate::ear::{Ear, recording};
use crate::keypad::key_well;
use crate::line::{Line, Scene, until};
use crate::wire::Wire;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use std::time::Duration;

/// How far a phone has come when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Challenged,
    Registered,
    /// Its INVITE with the proof is on the way, sent so long before the cut.
    Inviting(Duration),
    /// It has the 200 and has not confirmed it.
    Answered,
    /// It hears the greeting.
    Greeted,
    /// It has keyed half of the code.
    Keying,
    /// Its last key is on the way, sent so long before the cut.
    LastKey(Duration),
    /// It is being told that it is activated.
    HearsSuccess,
    /// It has been sent BYE.
    HungUpOn,
    /// It has answered that.
    Gone,
}

impl Step {
    /// What a cut leaves of the code: used or not, where that is certain.
    const fn uses(self) -> Option<bool> {
        match self {
            Self::LastKey(_) => None,
            Self::HearsSuccess | Self::HungUpOn | Self::Gone => Some(true),
            _ => Some(false),
        }
    }
}

/// Between everybody's being ready and the cut.
const LEAD: Duration = Duration::from_millis(150);
/// How long before the cut a last key is sent: about as long as the server takes for a code, less, and much more.
const LAST_KEYS: [u64; 6] = [0, 1, 3, 6, 12, 150];

fn steps() -> Vec<Step> {
    let last_keys = LAST_KEYS.map(|ms| Step::LastKey(Duration::from_millis(ms)));
    let inviting = [0, 2].map(|ms| Step::Inviting(Duration::from_millis(ms)));
    let others = [
        Step::Challenged,
        Step::Registered,
        Step::Answered,
        Step::Greeted,
        Step::Keying,
        Step::HearsSuccess,
        Step::HungUpOn,
        Step::Gone,
    ];
    [&others[..], &inviting, &last_keys].concat()
}

/// A phone with a code of its own.
struct Phone {
    step: Step,
    mac: String,
    device: String,
    code: String,
}

impl Phone {
    /// Brings the phone to its step, and keeps it there until after the cut.
    fn goes(&self, scene: &Scene, (early, ready): (&Barrier, &Barrier)) {
        let line = Line::of(&scene.server, &scene.maker, &self.mac);
        let mut caller = Caller::with(&line, Wire::udp());
        // A whole call lasts longer than everybody else's way to their step.
        let last = matches!(self.step, Step::HungUpOn | Step::Gone);
        if last {
            self.calls_to_the_end(&mut caller);
        }
        early.wait();
        let (code, ear) = (&self.code, Ear::of(&caller));
        let mut invitation = String::new();
        match self.step {
            Step::Challenged => assert_eq!(caller.registers_once(), 401),
            Step::Registered => assert_eq!(caller.register(), 1),
            Step::Inviting(_) => invitation = caller.proven_invitation(&line.contact),
            Step::Answered => assert_eq!(caller.invite(&line.contact).status(), 200),
            Step::HungUpOn | Step::Gone => {}
            Step::Greeted | Step::Keying | Step::LastKey(_) | Step::HearsSuccess => {
                caller.call();
                ear.hears(0, &recording("welcome")[..3_200]);
            }
        }
        match self.step {
            Step::Keying => key_well(&caller, &code[..6]),
            Step::LastKey(_) => key_well(&caller, &code[..12]),
            Step::HearsSuccess => {
                key_well(&caller, code);
                ear.hears(0, &recording("activated-for")[..3_200]);
            }
            _ => {}
        }
        ready.wait();
        match self.step {
            Step::Inviting(before) => {
                std::thread::sleep(LEAD - before);
                caller.send(&invitation);
            }
            Step::LastKey(before) => {
                std::thread::sleep(LEAD - before);
                // A stream of its own, as after a pause: the press is no part of an earlier one.
                key_well(&caller, &code[12..]);
            }
            _ => std::thread::sleep(LEAD),
        }
    }

    fn calls_to_the_end(&self, caller: &mut Caller) {
        caller.call();
        key_well(caller, &self.code);
        let bye = caller.waits_for_request("BYE");
        if self.step == Step::Gone {
            caller.agrees(&bye);
        }
    }

    /// Whether the code is used; fails when that is half done, or done otherwise than this phone was told.
    fn has_used(&self, scene: &Scene) -> bool {
        let Self { step, mac, device, .. } = self;
        let bindings = sql(
            scene,
            &format!(
                "SELECT (SELECT COUNT(*) FROM bindings WHERE mac = '{mac}' AND device = '{device}'), \
             (SELECT COUNT(*) FROM codes WHERE device = '{device}' AND used_by = '{mac}'), \
             (SELECT COUNT(*) FROM codes WHERE device = '{device}')"
            ),
        );
        let used = match bindings.as_str() {
            "0|0|1" => false,
            "1|1|1" => true,
            half => panic!("half done at {step:?}: {half}"),
        };
        assert_eq!(step.uses().unwrap_or(used), used, "{step:?}");
        used
    }

    /// The code is good for this phone, once, and for no other.
    fn ends_well(&self, scene: &Scene, used: bool, other: &str) {
        let Self { step, mac, device, code } = self;
        if !used {
            let line = Line::of(&scene.server, &scene.maker, mac);
            let mut caller = Caller::with(&line, Wire::udp());
            let answer = caller.invite(code);
            assert_eq!(answer.status(), 200, "{step:?}: {}", answer.first);
            caller.established(&answer);
            let done = until(|| (scene.state(device) == "activated").then_some(()));
            assert!(done.is_some(), "{step:?}: {}", scene.server.log());
        }
        assert_eq!(scene.state(device), "activated", "{step:?}");
        let again = scene.server.activate(other, code);
        assert!((400..500).contains(&again.status), "used twice at {step:?}: {}", again.text());
        assert!(self.has_used_now(scene), "{step:?}");
    }

    fn has_used_now(&self, scene: &Scene) -> bool {
        let Self { mac, device, .. } = self;
        sql(scene, &format!("SELECT COUNT(*), MIN(mac) FROM bindings WHERE device = '{device}'")) == format!("1|{mac}")
    }
}

/// Asks the database, with patience: after a cut whoever opens it first puts it in order.
fn sql(scene: &Scene, query: &str) -> String {
    let told = scene.server.sql(&format!("PRAGMA busy_timeout = 10000; {query}"));
    told.lines().last().unwrap_or_default().to_owned()
}

/// Kills a process the moment it is told to: starting a program first would take milliseconds.
struct Switch(Child);

impl Switch {
    fn of(pid: u32) -> Self {
        let script = format!("read -r _; kill -KILL {pid}");
        Self(Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap())
    }

    fn cut(mut self) {
        self.0.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

#[test]
fn a_kill_at_any_step_of_a_call_never_uses_a_code_twice_nor_loses_it() {
    let mut scene = Scene::set();
    let spare = "0004f2000009";
    Line::of(&scene.server, &scene.maker, spare);
    let cuts = if std::env::var_os("PROVOST_SLOW").is_some() { 40 } else { 4 };
    let (mut last_keys, mut kills) = ([0; 2], 0);
    for cut in 0..cuts {
        let phones: Vec<Phone> = (1_u32..)
            .zip(steps())
            .map(|(number, step)| {
                let number = cut * 32 + number;
                let (device, code) = scene.another(&format!("{}", 10 + number), "vvx500");
                Phone { step, mac: format!("0004f2{:06x}", 0x1_0000 + number), device, code }
            })
            .collect();
        let (early, ready) = (Barrier::new(phones.len()), Barrier::new(phones.len() + 1));
        let switch = Switch::of(scene.server.pid());
        std::thread::scope(|threads| {
            for phone in &phones {
                threads.spawn(|| phone.goes(&scene, (&early, &ready)));
            }
            ready.wait();
            std::thread::sleep(LEAD);
            switch.cut();
        });
        scene.server.kill();
        scene.server.power_on();
        std::thread::scope(|threads| {
            let ends: Vec<_> = phones
                .iter()
                .map(|phone| {
                    let scene = &scene;
                    threads.spawn(move || {
                        let used = phone.has_used(scene);
                        phone.ends_well(scene, used, spare);
                        used
                    })
                })
                .collect();
            for (phone, end) in phones.iter().zip(ends) {
                let used = end.join().unwrap();
                kills += 1;
                if phone.step.uses().is_none() {
                    last_keys[usize::from(used)] += 1;
                }
            }
        });
    }
    println!("{kills} calls cut; at the last key {} codes were not used yet and {} were", last_keys[0], last_keys[1]);
    assert!(last_keys.iter().all(|count| *count > 0), "one outcome was never seen: {last_keys:?}");
}
