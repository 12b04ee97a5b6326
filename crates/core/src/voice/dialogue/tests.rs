use super::*;
use crate::secret::Secret;
use rand::SeedableRng;

mod refusals;

/// A call and a clock.
struct Call {
    dialogue: Dialogue,
    now: Millis,
    steps: Vec<Step>,
    playing: Option<SayId>,
    wake: Option<Millis>,
}

impl Call {
    fn open(opening: &Opening) -> Self {
        let numbers: Arc<[String]> = vec!["112".to_owned(), "911".to_owned()].into();
        let (dialogue, steps) = Dialogue::start(Millis(5000), opening, numbers);
        let mut call = Self { dialogue, now: Millis(5000), steps: Vec::new(), playing: None, wake: None };
        call.take(steps);
        call
    }

    fn asked() -> Self {
        let mut call = Self::open(&Opening::Ask);
        call.said();
        call
    }

    fn take(&mut self, steps: Vec<Step>) {
        for step in steps {
            match &step {
                Step::Say { id, .. } => self.playing = Some(*id),
                Step::Hush => self.playing = None,
                Step::WakeAt(at) => {
                    self.wake = Some(*at);
                    continue;
                }
                _ => {}
            }
            self.steps.push(step);
        }
    }

    fn keys(&mut self, keys: &str) -> &mut Self {
        for key in keys.chars() {
            let steps = self.dialogue.key(self.now, Key::from_char(key).unwrap());
            self.take(steps);
            self.now = self.now.plus(200);
        }
        self
    }

    /// Plays to the end what is being said.
    fn play(&mut self) -> &mut Self {
        let id = self.playing.take().expect("something is said");
        let steps = self.dialogue.played(self.now, id);
        self.take(steps);
        self
    }

    /// Lets time go by, with an alarm clock that rings when it was told to.
    fn wait(&mut self, seconds: u64) -> &mut Self {
        let until = self.now.plus(seconds * 1000);
        while let Some(at) = self.wake.filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.wake = None;
            let steps = self.dialogue.woke(self.now);
            self.take(steps);
        }
        self.now = until;
        self
    }

    fn verdict(&mut self, verdict: &Verdict) -> &mut Self {
        let steps = self.dialogue.verdict(self.now, verdict);
        self.take(steps);
        self
    }

    /// What happened since the last call of this, in words.
    fn said(&mut self) -> String {
        let words = self.steps.drain(..).map(|step| match step {
            Step::Say { prompts, .. } => prompts.iter().map(|prompt| prompt.name()).collect::<Vec<_>>().join(" "),
            Step::Hush => "hush".to_owned(),
            Step::Try(_) => "try".to_owned(),
            Step::Emergency { number } => format!("emergency {number}"),
            Step::HangUp => "hang up".to_owned(),
            Step::WakeAt(_) => "wake".to_owned(),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

fn code() -> String {
    ActivationCode::draw(&mut rand::rngs::StdRng::seed_from_u64(4)).digits()
}

/// Thirteen digits of which the last was mistyped.
fn mistyped() -> String {
    let code = code();
    let last = code.chars().last().and_then(|digit| digit.to_digit(10)).unwrap();
    format!("{}{}", &code[..12], (last + 1) % 10)
}

fn activated(extension: &str) -> Verdict {
    Verdict::Activated { extension: Some(extension.to_owned()) }
}

#[test]
fn a_caller_is_welcomed_and_asked_for_the_code() {
    assert_eq!(Call::open(&Opening::Ask).said(), "welcome enter-code");
}

#[test]
fn the_thirteenth_digit_sends_the_code_off_and_the_pound_after_it_means_nothing() {
    let mut call = Call::asked();

    call.play().keys(&code());
    assert!(call.steps.iter().any(|step| matches!(step, Step::Try(tried) if tried.digits() == code())));
    assert_eq!(call.said(), "try");
    call.keys("#");
    assert_eq!(call.said(), "");
}

#[test]
fn success_says_for_whom_and_hangs_up_after_the_last_word() {
    let mut call = Call::asked();
    call.keys(&code()).said();

    call.verdict(&activated("1001"));
    assert_eq!(call.said(), "activated-for digit-1 digit-0 digit-0 digit-1 restarting");
    call.keys("5#*");
    assert_eq!(call.said(), "", "no key stops it");
    call.play();
    assert_eq!(call.said(), "hang up");
    assert!(call.dialogue.is_over());
    call.wait(600);
    assert_eq!(call.said(), "");
}

#[test]
fn success_without_extension_says_so_without_digits() {
    for extension in [None, Some("reception".to_owned())].map(|extension| Verdict::Activated { extension }) {
        let mut call = Call::asked();
        call.keys(&code()).said();
        call.verdict(&extension);
        let said = call.said();
        assert!(said.starts_with("activated") && said.ends_with("restarting"), "{said}");
    }
}

#[test]
fn a_key_stops_the_voice_once() {
    let mut call = Call::asked();

    call.keys("12");

    assert_eq!(call.said(), "hush");
}

#[test]
fn the_end_of_something_that_was_stopped_means_nothing() {
    let mut call = Call::asked();
    let stopped = call.playing.unwrap();
    call.keys("1*").said();

    let steps = call.dialogue.played(call.now, stopped);

    assert_eq!(steps, []);
}

#[test]
fn star_starts_over() {
    let mut call = Call::asked();

    call.keys("12345*");
    assert_eq!(call.said(), "hush, enter-code");
    call.keys(&code());
    assert_eq!(call.said(), "hush, try");
}

#[test]
fn pound_after_too_few_digits_says_that_the_length_is_wrong() {
    let mut call = Call::asked();

    call.play().keys("12345#");
    assert_eq!(call.said(), "wrong-length enter-code");
    call.keys(&code());
    assert_eq!(call.said(), "hush, try", "and the next thirteen digits count");
}

#[test]
fn pound_alone_asks_again() {
    let mut call = Call::asked();

    call.play().keys("#");

    assert_eq!(call.said(), "enter-code");
}

#[test]
fn a_typing_mistake_is_told_at_once_and_the_pound_does_not_stop_it() {
    let mut call = Call::asked();

    call.play().keys(&mistyped()).keys("#");

    assert_eq!(call.said(), "mistyped enter-code");
    call.keys(&code());
    assert_eq!(call.said(), "hush, try");
}

#[test]
fn silence_brings_two_reminders_and_then_goodbye() {
    let mut call = Call::asked();

    call.play().wait(9);
    assert_eq!(call.said(), "");
    call.wait(2);
    assert_eq!(call.said(), "enter-code");
    call.wait(20);
    assert_eq!(call.said(), "", "not while it is said");
    call.play().wait(11);
    assert_eq!(call.said(), "enter-code");
    call.play().wait(11);
    assert_eq!(call.said(), "goodbye");
    call.play();
    assert_eq!(call.said(), "hang up");
}

#[test]
fn silence_within_a_code_keeps_the_digits() {
    let mut call = Call::asked();
    let code = code();

    call.play().keys(&code[..6]).wait(11);
    assert_eq!(call.said(), "go-on");
    call.keys(&code[6..]);
    assert_eq!(call.said(), "hush, try");
}

#[test]
fn a_slow_decision_is_announced_and_one_that_never_comes_is_the_servers_fault() {
    let mut call = Call::asked();
    call.keys(&code()).said();

    call.wait(1);
    assert_eq!(call.said(), "");
    call.wait(1);
    assert_eq!(call.said(), "one-moment");
    call.play().wait(20);
    assert_eq!(call.said(), "server-failing goodbye");
    call.verdict(&activated("1001"));
    assert_eq!(call.said(), "", "too late to be said");
    call.play();
    assert_eq!(call.said(), "hang up");
}

#[test]
fn a_call_ends_after_three_minutes_whatever_is_keyed() {
    let mut call = Call::asked();

    for _ in 0..40 {
        call.keys("1").wait(5);
        call.keys("*");
    }

    let said = call.said();
    assert!(said.ends_with("hush, goodbye"), "{said}");
    call.wait(60);
    assert_eq!(call.said(), "hang up", "even if nobody reports the last word");
}

#[test]
fn a_code_that_was_dialed_is_tried_without_asking() {
    assert_eq!(Call::open(&Opening::Code(Secret::new(code()))).said(), "try");
    assert_eq!(Call::open(&Opening::Code(Secret::new(mistyped()))).said(), "mistyped enter-code");
    assert_eq!(Call::open(&Opening::Code(Secret::from("1234567890"))).said(), "wrong-length enter-code");
}

#[test]
fn what_was_dialed_is_an_emergency_a_code_or_a_question() {
    let numbers = ["112".to_owned(), "911".to_owned()];

    assert_eq!(Opening::of_dialed("911", &numbers), Opening::Emergency("911".to_owned()));
    assert_eq!(Opening::of_dialed("1234-5678-90123", &numbers), Opening::Code(Secret::from("1234-5678-90123")));
    assert_eq!(Opening::of_dialed("123456789012", &numbers), Opening::Code(Secret::from("123456789012")));
    assert_eq!(Opening::of_dialed("activate", &numbers), Opening::Ask);
    assert_eq!(Opening::of_dialed("1001", &numbers), Opening::Ask);
    assert_eq!(Opening::of_dialed("1234567890123@x", &numbers), Opening::Ask);
}

#[test]
fn a_dialed_emergency_is_answered_twice_and_ended() {
    let mut call = Call::open(&Opening::Emergency("911".to_owned()));

    assert_eq!(call.said(), "emergency 911, not-in-service not-in-service");
    call.keys("1").play();
    assert_eq!(call.said(), "hang up");
}

#[test]
fn an_emergency_number_and_pound_are_no_wrong_code() {
    let mut call = Call::asked();

    call.keys("112#");

    assert_eq!(call.said(), "hush, emergency 112, not-in-service not-in-service");
    call.play().wait(11);
    assert_eq!(call.said(), "enter-code");
}

#[test]
fn an_emergency_number_and_a_pause_are_told_once() {
    let mut call = Call::asked();

    call.play().keys("911").wait(4);
    assert_eq!(call.said(), "emergency 911, not-in-service not-in-service");
    call.play().wait(11);
    assert_eq!(call.said(), "enter-code");
    call.play().wait(11);
    assert_eq!(call.said(), "enter-code");
}

#[test]
fn a_code_that_begins_like_an_emergency_number_still_counts_after_a_pause() {
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let code = std::iter::repeat_with(|| ActivationCode::draw(&mut rng).digits());
    let code = code.into_iter().find(|code| code.starts_with("112")).unwrap();
    let mut call = Call::asked();

    call.play().keys(&code[..3]).wait(4).said();
    call.keys(&code[3..]);

    assert_eq!(call.said(), "hush, try");
}

#[test]
fn an_emergency_number_within_more_digits_is_none() {
    let mut call = Call::asked();

    call.play().keys("911").keys("4").wait(4);

    assert_eq!(call.said(), "");
}

#[test]
fn what_was_keyed_stands_in_no_debug_output() {
    let mut call = Call::asked();
    call.keys("846");

    let shown = format!("{:?} {:?} {:?}", call.dialogue, Key::from_char('8'), Opening::Code(Secret::from("846846")));

    assert!(!shown.contains("846"), "{shown}");
    assert_eq!(Key::from_char('A'), None);
}
