//! Sentences about activation: who tried which door, what came of it, and whether the phone came back.
//!
//! No code and no dialed digits ever stand in one (docs/THREATS.md, rule 8).

use super::{Claim, Entry, EventKind, printable};
use crate::mac::MacAddr;
use crate::time::UnixMillis;
use std::net::IpAddr;

/// What happened on the line of an unclaimed phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEvent<'a> {
    /// It registered.
    Registered {
        /// From where.
        from: IpAddr,
        /// What it says it is.
        user_agent: Option<&'a str>,
    },
    /// It signed off.
    Unregistered,
    /// It called the voice.
    Called {
        /// From where.
        from: IpAddr,
    },
    /// It hung up before a code was complete.
    HungUp,
    /// It was sent a NOTIFY to restart.
    ToldToRestart,
    /// It answered that.
    RestartAnswered,
    /// It refused that with this status.
    RestartRefused(u16),
    /// It did not answer that.
    RestartUnanswered,
}

/// The entry for what happened on an unclaimed phone's line.
pub fn line_event(event: LineEvent<'_>) -> Entry {
    let (sentence, advice) = match event {
        LineEvent::Registered { from, user_agent } => {
            let who = user_agent.map_or(String::new(), |text| format!(" (`{}`)", printable(text, 80)));
            (format!("Registered its Activate line from {from}{who}."), None)
        }
        LineEvent::Unregistered => ("Signed its Activate line off.".to_owned(), None),
        LineEvent::Called { from } => (format!("Called the activation voice from {from}."), None),
        LineEvent::HungUp => ("Hung up before a whole activation code was keyed.".to_owned(), None),
        LineEvent::ToldToRestart => ("Was told to restart (NOTIFY check-sync).".to_owned(), None),
        LineEvent::RestartAnswered => ("Answered that it restarts.".to_owned(), None),
        LineEvent::RestartRefused(status) => (
            format!("Was told to restart and refused with SIP status {status}."),
            Some("Power-cycle it: it reads its settings when it starts.".to_owned()),
        ),
        LineEvent::RestartUnanswered => (
            "Was told to restart and did not answer.".to_owned(),
            Some(
                "It may be off, or a router between closed the way to it. It reads its settings at its next poll or power \
                 cycle."
                    .to_owned(),
            ),
        ),
    };
    Entry::new(EventKind::Request, sentence, advice)
}

/// The entry for a phone bound to a device.
pub fn claimed(for_whom: Option<&str>, how: Claim, mac: MacAddr) -> Entry {
    let whom = for_whom.map_or("a device without user".to_owned(), |extension| format!("extension {extension}"));
    let how = match how {
        Claim::Code => {
            "by activation code; told to restart, or at its next poll or power cycle, it reads its configuration"
        }
        Claim::Call => "by activation code in a call; it is told to restart and reads its configuration",
        Claim::Page => {
            "by activation code on the web page; told to restart, or at its next poll or power cycle, it reads its configuration"
        }
        Claim::PreAssigned => {
            "because an administrator entered its MAC beforehand; it reads its configuration now and restarts once"
        }
    };
    Entry::new(EventKind::Claim, format!("Phone {mac} was claimed for {whom} {how}."), None)
}

/// What an administrator does about a refused code, by the refusal's stable word.
pub fn next_step(code: &str) -> &'static str {
    match code {
        "code-unknown" => "Compare the code with the one shown at its device; issue a new one if it is gone.",
        "code-used" | "code-replaced" | "code-expired" => "Issue a new code for the device and hand that one out.",
        "code-other-model" => "Add a device of this phone's model and issue a code for it, or use the other phone.",
        "owner-not-saved" => "Set the device's user, then issue a new code.",
        "device-barred" => "Enable the device, then let the code be entered again.",
        "device-has-phone" => "The device has its phone; add another device for this one.",
        "phone-has-device" => "This phone is bound; it needs no code. Power-cycle it to let it read its configuration.",
        "phone-unknown" => "Let the phone boot at this server's address first.",
        "several-phones" => "Enter all twelve characters of the phone's MAC.",
        "phone-not-here" => "Look at the phone's page: it must have asked here within a day, and be unclaimed.",
        "phone-model-unknown" => "Add the model to the catalog's overlay folder.",
        "too-many-tries" => "Wait until then, or bind the phone by its MAC.",
        _ => "Look at the phone's page.",
    }
}

/// The entry for a code that was refused in a call or from an administrator; `code` is the refusal's stable word.
pub fn code_refused(door: &str, code: &str, message: &str, reference: &str) -> Entry {
    // A phone that goes on and on would fill its timeline for good: its claims stay, this is dropped in time.
    let kind = if code == "too-many-tries" { EventKind::Refused } else { EventKind::Claim };
    let sentence =
        format!("An activation code was entered for this phone {door} and refused: {message} (reference {reference}).");
    Entry::new(kind, sentence, Some(next_step(code).to_owned())).found_by(reference)
}

/// The entry for a code that was refused on the web page, where nobody proves anything.
pub fn page_refused(from: IpAddr, code: &str, message: &str, reference: &str) -> Entry {
    let sentence = format!(
        "Somebody at {from} entered an activation code on the web page and was refused: {message} (reference {reference})."
    );
    Entry::new(EventKind::Refused, sentence, Some(next_step(code).to_owned())).found_by(reference)
}

/// The entry for a call whose code could not be judged.
pub fn call_failed(why: &str, reference: &str) -> Entry {
    let sentence = format!("Its call could not be dealt with: {why} (reference {reference}).");
    let advice = "Nothing was changed. Look at the server's log and disk, then let the code be entered again.";
    Entry::new(EventKind::Refused, sentence, Some(advice.to_owned())).found_by(reference)
}

/// The entry for a claimed phone that read its configuration.
pub fn has_come_back(since: UnixMillis) -> Entry {
    Entry::new(
        EventKind::Claim,
        format!("It came back as theirs: claimed at {since}, and now read its configuration."),
        None,
    )
}

/// Where a claimed phone stands that has not read its configuration, for its device.
pub fn awaited_words(since: UnixMillis, told: Option<UnixMillis>, is_overdue: bool) -> String {
    let so_far = match told {
        Some(told) => format!("Claimed at {since}, told to restart at {told}"),
        None => format!("Claimed at {since}"),
    };
    match (is_overdue, told) {
        (false, Some(_)) => format!("{so_far}; it is expected back within minutes."),
        (false, None) => format!("{so_far}; it reads its configuration once told to restart, or at its next poll."),
        (true, Some(_)) => format!("{so_far}, has not come back: power-cycle it."),
        (true, None) => {
            format!("{so_far}; it is not registered here, so it could not be told to restart: power-cycle it.")
        }
    }
}

/// The entry for a claimed phone that is overdue.
pub fn does_not_come_back(since: UnixMillis, told: Option<UnixMillis>) -> Entry {
    let advice = "It reads its configuration at its next poll too, within an hour, if it still runs.";
    Entry::new(EventKind::Claim, awaited_words(since, told, true), Some(advice.to_owned()))
}

/// The entry for an unclaimed phone that a device names now.
pub fn to_be_restarted() -> Entry {
    let sentence = "A device names this phone now: it is told to restart if it is registered here, and claimed then.";
    Entry::new(EventKind::Action, sentence.to_owned(), None)
}

/// The entry, and the words of the alarm, for an emergency call from an unclaimed phone.
pub fn emergency_call(number: &str, from: IpAddr, sent_on_to: Option<&str>) -> Entry {
    let number = printable(number, 16);
    let done = match sent_on_to {
        Some(to) => format!("it was sent on to {}", printable(to, 255)),
        None => "it was told that this phone is not in service".to_owned(),
    };
    Entry::new(
        EventKind::Alarm,
        format!("Somebody dialed the emergency number {number} on this unclaimed phone, at {from}: {done}."),
        Some("Find out whether somebody there needs help.".to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    #[test]
    fn a_refused_code_is_told_with_its_reference_and_what_to_do() {
        let entry = code_refused("in a call", "code-expired", "this activation code expired", "R-ABCDEF");

        assert_eq!(entry.reference.as_deref(), Some("R-ABCDEF"));
        assert!(entry.sentence.contains("in a call and refused: this activation code expired (reference R-ABCDEF)"));
        assert!(entry.advice.unwrap().contains("Issue a new code"));
        assert_eq!(entry.kind, EventKind::Claim);
        assert_eq!(code_refused("in a call", "too-many-tries", "x", "R-ABCDEF").kind, EventKind::Refused);
    }

    #[test]
    fn a_phone_that_does_not_come_back_is_said_to_need_a_power_cycle() {
        let told = awaited_words(NOW, Some(NOW), true);
        assert!(told.contains("told to restart at") && told.ends_with("has not come back: power-cycle it."), "{told}");
        assert!(awaited_words(NOW, None, true).contains("could not be told"));
        assert!(!awaited_words(NOW, Some(NOW), false).contains("power-cycle"));
    }

    #[test]
    fn what_a_phone_says_of_itself_stays_within_its_sentence() {
        let from = "192.0.2.1".parse().unwrap();
        let entry = line_event(LineEvent::Registered { from, user_agent: Some("Poly\r\n`evil") });
        assert!(!entry.sentence.contains(['\r', '\n']) && entry.sentence.matches('`').count() == 2, "{entry:?}");
    }
}
