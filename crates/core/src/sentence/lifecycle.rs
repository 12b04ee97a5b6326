//! Sentences about what administrators do with a claimed phone's device, and about its passwords.
//!
//! No password ever stands in one (docs/THREATS.md, rule 8).

use super::{Entry, EventKind, action};
use crate::mac::MacAddr;
use crate::time::UnixMillis;

/// How a bound phone learns of a change: nobody can reach it from here once it registers elsewhere.
const AT_ITS_NEXT_POLL: &str = "it reads its new configuration at its next poll, or at once when it is restarted";

fn whom(extension: Option<&str>) -> String {
    extension.map_or("nobody".to_owned(), |extension| format!("extension {extension}"))
}

/// The entry for a bound phone whose device got another user.
pub fn device_moved(from: Option<&str>, to: &str) -> Entry {
    let (from, to) = (whom(from), whom(Some(to)));
    action(format!("An administrator moved this phone's device from {from} to {to}: {AT_ITS_NEXT_POLL}."))
}

/// The entry for a phone whose device was put back to stock.
pub fn device_unassigned(extension: Option<&str>) -> Entry {
    let whom = whom(extension);
    Entry::new(
        EventKind::Action,
        format!(
            "An administrator took this phone's device from {whom} and put it back to stock: the phone is nobody's."
        ),
        Some(NEXT_AFTER_END.to_owned()),
    )
}

/// The entry for a phone whose device was released.
pub fn device_released(extension: Option<&str>, restorable_until: UnixMillis) -> Entry {
    let whom = whom(extension);
    Entry::new(
        EventKind::Action,
        format!(
            "An administrator released this phone's device, which was for {whom}: the phone is nobody's. Until \
             {restorable_until} the device can be restored."
        ),
        Some(NEXT_AFTER_END.to_owned()),
    )
}

const NEXT_AFTER_END: &str = "At its next poll, or when it is restarted, it reads the bootstrap and shows Activate. Its admin password stays what \
     it is until it is claimed again or reset; it is kept with the device.";

/// The entry for a phone that another one took the place of.
pub fn phone_swapped(extension: Option<&str>, new: Option<MacAddr>) -> Entry {
    let whom = whom(extension);
    let by = new.map_or("another phone, which needs the new activation code".to_owned(), |new| format!("phone {new}"));
    Entry::new(
        EventKind::Action,
        format!("An administrator replaced this phone of {whom} by {by}: it is set aside and gets nothing any more."),
        Some(
            "It keeps its old settings until it is reset. To use it again, let it in again (`provost readmit`)."
                .to_owned(),
        ),
    )
}

/// The entry for the phone that is to take the place of another.
pub fn takes_the_place_of(old: MacAddr, extension: Option<&str>) -> Entry {
    let whom = whom(extension);
    action(format!(
        "An administrator entered this phone in the place of phone {old} of {whom}: it is claimed when it asks for its master file."
    ))
}

/// The entry for a phone whose device was restored.
pub fn device_restored(extension: Option<&str>) -> Entry {
    let whom = whom(extension);
    action(format!("An administrator restored this phone's device for {whom}, with its passwords: {AT_ITS_NEXT_POLL}."))
}

/// The entry for a phone that may come in again.
pub fn phone_readmitted() -> Entry {
    action(
        "An administrator let this phone in again, which had been set aside: it is treated as any unclaimed phone."
            .to_owned(),
    )
}

/// The entry for a phone of a user whose fields or lines were changed.
pub fn user_changed(extension: &str) -> Entry {
    action(format!("An administrator changed extension {extension}, for whom this phone is: {AT_ITS_NEXT_POLL}."))
}

/// The entry for new passwords.
pub fn passwords_rotated(reason: &str) -> Entry {
    Entry::new(
        EventKind::Action,
        format!("An administrator gave this phone new passwords ({reason})."),
        Some(
            "Until it has read them and restarted, the old ones are valid; both are shown with its device.".to_owned(),
        ),
    )
}

/// The entry for a phone that restarted with its new passwords.
pub fn passwords_taken() -> Entry {
    Entry::new(EventKind::Claim, "Restarted with its new passwords: the old ones are void.".to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_says_for_whom_and_what_the_phone_does_next() {
        let mac = MacAddr::new([0, 4, 0xf2, 0, 0, 1]);
        let moved = device_moved(Some("1001"), "1002").sentence;
        assert!(moved.contains("from extension 1001 to extension 1002") && moved.contains("next poll"), "{moved}");
        let swapped = phone_swapped(Some("1001"), Some(mac));
        assert!(swapped.sentence.contains("by phone 0004f2000001"), "{}", swapped.sentence);
        assert!(swapped.advice.is_some_and(|advice| advice.contains("readmit")));
        assert!(phone_swapped(None, None).sentence.contains("of nobody by another phone"));
        let released = device_released(Some("1001"), UnixMillis(0)).sentence;
        assert!(released.contains("1970-01-01"), "{released}");
    }
}
