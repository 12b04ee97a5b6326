//! What callers hear is what the language pack says, sample by sample; and what they key after hearing it.

use crate::caller::Caller;
use crate::ear::{Ear, from_a, from_mu, recording, recordings, spelled};
use crate::keypad::key_well;
use crate::line::{MAC, Scene, until};

/// A code with a right check digit that nobody has.
const UNKNOWN: &str = "0000000000000";

/// The reference of the refusal with these words, without its `R-`.
fn reference(scene: &Scene, words: &str) -> String {
    let told = scene.told(MAC, words);
    let sentence = told.iter().find(|sentence| sentence.contains(words)).unwrap();
    sentence.split_once("R-").unwrap().1.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn is_one_unbroken_stream(ear: &Ear, payload_type: u8) {
    let packets = ear.packets();
    assert!(packets.len() > 100, "{}", packets.len());
    for pair in packets.windows(2) {
        let [one, next] = pair else { unreachable!() };
        assert_eq!(next.sequence, one.sequence.wrapping_add(1));
        assert_eq!(next.timestamp, one.timestamp.wrapping_add(160));
        assert_eq!((next.ssrc, next.payload_type, next.payload.len()), (one.ssrc, payload_type, 160));
    }
}

#[test]
fn a_caller_hears_the_greeting_and_a_refusal_exactly_as_recorded_in_one_unbroken_stream() {
    let scene = Scene::set();
    let mut caller = Caller::new(&scene.line);
    caller.call();
    let ear = Ear::of(&caller);

    let greeting = recordings(&["welcome", "enter-code"]);
    let began = ear.hears(0, &greeting);
    let mut before = ear.packets().into_iter().flat_map(|packet| packet.payload).take(began);
    assert!(before.all(|sample| sample == 0xff), "something was said before the greeting");

    let keyed = ear.now();
    key_well(&caller, UNKNOWN);
    let refusal = [
        recordings(&["code-unknown", "reference"]),
        spelled(&reference(&scene, "nobody has")),
        recording("another-code"),
    ];
    ear.hears(keyed, &refusal.concat());

    is_one_unbroken_stream(&ear, 0);
}

#[test]
fn a_caller_who_takes_only_a_law_hears_the_same_words() {
    let scene = Scene::set();
    let mut caller = Caller::new(&scene.line);
    caller.formats = "8 101";
    caller.call();
    let ear = Ear::of(&caller);
    let recorded: Vec<f64> = recordings(&["welcome", "enter-code"]).into_iter().map(from_mu).collect();

    // The greeting begins with one of the packets of the first second.
    until(|| (ear.now() > recorded.len() + 8_000).then_some(())).expect("the voice fell silent");
    let heard: Vec<f64> = ear.packets().into_iter().flat_map(|packet| packet.payload).map(from_a).collect();

    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let likeness =
        |heard: &[f64]| product(&recorded, heard) / (product(&recorded, &recorded) * product(heard, heard)).sqrt();
    let best = (0..50).map(|packet| likeness(&heard[packet * 160..][..recorded.len()])).fold(0.0, f64::max);
    assert!(best > 0.999, "{best}");
    is_one_unbroken_stream(&ear, 8);
}

#[test]
fn the_right_code_is_keyed_in_the_same_call_after_wrong_ones_were_refused() {
    let scene = Scene::set();
    let (_, other_model) = scene.another("1002", "vvx450");
    let mut caller = Caller::new(&scene.line);
    caller.call();
    let ear = Ear::of(&caller);

    for (wrong, words) in [(UNKNOWN, "code-unknown"), (&other_model, "code-other-model")] {
        let keyed = ear.now();
        // People press `#` although they need not; it must not be taken for an empty code after the refusal.
        key_well(&caller, &format!("{wrong}#"));
        ear.hears(keyed, &recording(words));
        assert_eq!(scene.state(&scene.device), "assigned");
    }
    let keyed = ear.now();
    key_well(&caller, &scene.code);
    ear.hears(keyed, &[recording("activated-for"), spelled("1001"), recording("restarting")].concat());

    caller.is_asked("BYE");
    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn any_key_stops_the_voice() {
    let scene = Scene::set();
    let mut caller = Caller::new(&scene.line);
    caller.call();
    let ear = Ear::of(&caller);
    ear.hears(0, &recording("welcome")[..1_600]);

    key_well(&caller, "1");
    let stopped = ear.now();
    // A fifth of a second of silence, in the middle of what was being said.
    ear.hears(stopped.saturating_sub(1_600), &[0xff; 1_600]);

    assert_eq!(ear.finds(0, &recording("enter-code")), None);
}
