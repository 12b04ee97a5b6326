//! Each refusal as it is heard.

use super::{Call, code};
use crate::voice::{Refusal, Verdict};

/// What is heard when a code is refused for `word`.
fn refused(word: &str, wait_s: Option<u32>) -> (String, Call) {
    let mut call = Call::asked();
    call.play().keys(&code()).said();
    let why = Refusal::from_word(word, wait_s);
    call.verdict(&Verdict::Refused { why, reference: Some("R-7KQ4MX".to_owned()) });
    (call.said(), call)
}

const SPELLED: &str = "reference digit-7 letter-k letter-q digit-4 letter-m letter-x";

#[test]
fn each_cause_has_its_own_words_and_another_code_may_be_tried() {
    for word in [
        "code-unknown",
        "code-used",
        "code-replaced",
        "code-expired",
        "code-other-model",
        "owner-not-saved",
        "device-barred",
        "device-has-phone",
    ] {
        let (said, mut call) = refused(word, None);

        assert_eq!(said, format!("{word} {SPELLED} another-code"));
        call.keys(&code());
        assert_eq!(call.said(), "hush, try");
    }
}

#[test]
fn where_no_other_code_can_help_the_call_ends() {
    for (word, heard) in [
        ("phone-has-device", "phone-has-device"),
        ("phone-unknown", "phone-unknown"),
        ("phone-model-unknown", "phone-unknown"),
        ("server-failing", "server-failing"),
        ("database-on-fire", "server-failing"),
    ] {
        let (said, mut call) = refused(word, None);

        assert_eq!(said, format!("{heard} {SPELLED} goodbye"));
        call.play();
        assert_eq!(call.said(), "hang up");
    }
}

#[test]
fn too_many_tries_say_how_long_to_wait() {
    for (wait_s, heard) in [
        (Some(0), "wait-one-minute"),
        (Some(61), "wait-five-minutes"),
        (Some(900), "wait-fifteen-minutes"),
        (Some(901), "wait-one-hour"),
        (None, "wait-one-hour"),
        (Some(14_400), "wait-four-hours"),
        (Some(14_401), "wait-one-day"),
    ] {
        assert_eq!(refused("too-many-tries", wait_s).0, format!("too-many-tries {heard} {SPELLED} goodbye"));
    }
}

#[test]
fn a_refusal_without_reference_speaks_of_none() {
    for reference in [None, Some("R-".to_owned()), Some(String::new())] {
        let mut call = Call::asked();
        call.play().keys(&code()).said();
        call.verdict(&Verdict::Refused { why: Refusal::CodeUsed, reference });
        assert_eq!(call.said(), "code-used another-code");
    }
}

#[test]
fn a_verdict_nobody_waits_for_is_not_said() {
    let mut call = Call::asked();

    call.verdict(&Verdict::Activated { extension: None });

    assert_eq!(call.said(), "");
}
