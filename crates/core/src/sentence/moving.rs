//! Sentences about phones that move from one server address to another.

use super::{Entry, EventKind};
use crate::time::UnixMillis;

/// How far a phone has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Its configuration still holds the old address, or none.
    NotYetTold,
    /// Its configuration holds the new address.
    Told {
        /// Since when.
        at: UnixMillis,
        /// When it asked at the old address again all the same.
        back: Option<UnixMillis>,
    },
    /// It was seen at the new address.
    Arrived {
        /// When first.
        at: UnixMillis,
    },
    /// It has not arrived, and its device is disabled or quarantined: it gets nothing.
    Barred,
}

/// How many claimed phones have not arrived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NotArrived {
    /// Not told the new address yet.
    pub not_told: u64,
    /// Told, and not seen there.
    pub told: u64,
    /// Disabled or quarantined, told or not: nobody waits for them.
    pub barred: u64,
}

/// The entry for a pinned phone whose configuration holds the new address from now on.
pub fn moves(from: &str, to: &str) -> Entry {
    Entry::new(
        EventKind::Claim,
        format!("It is told to move from {from} to {to}: it restarts once and asks there from then on."),
        None,
    )
}

/// The entry for the first decision on a phone that came in at the old address.
pub fn stays_after_former(from: &str, to: &str) -> Entry {
    Entry::new(
        EventKind::Claim,
        format!(
            "It came in at {from}, the former address, and is told to stay with {to}: server address, boot server Static, \
             zero-touch service off."
        ),
        None,
    )
}

/// The entry for a phone that was seen at the new address.
pub fn arrived(to: &str) -> Entry {
    Entry::new(EventKind::Claim, format!("It arrived: it asks at {to} now, as it was told."), None)
}

/// The entry for a phone that starts over at the old address although it was told the new one.
pub fn came_back(from: &str, to: &str) -> Entry {
    Entry::new(
        EventKind::Claim,
        format!("It asked at {from} again, although it was told {to}; it is served there as before."),
        Some(came_back_advice(to)),
    )
}

fn came_back_advice(to: &str) -> String {
    format!(
        "If it does not arrive at its next contact: try https://{to}/ from its network (404 is the right answer; look at \
         DNS and firewalls), see whether DHCP hands it a server address, and look at the failed handshakes."
    )
}

/// A pin to an address that is in no list moves no more, so the address must count when the phone asks.
fn barred_advice(to: &str) -> String {
    format!(
        "To serve one again after its old address is gone, let that count again as the second one of public-url, and \
         enter {to} on the phone as its server address."
    )
}

/// Where a phone stands in the move, for its page.
pub fn progress(from: &str, to: &str, progress: Progress) -> String {
    match progress {
        Progress::NotYetTold => format!("Not yet told to move to {to}: that comes with its next configuration."),
        Progress::Told { at, back: None } => {
            format!("Told at {at} to move from {from} to {to}, where it has not been seen yet.")
        }
        Progress::Told { at, back: Some(back) } => format!(
            "Told at {at} to move from {from} to {to}, where it has not been seen; it asked at {from} again at {back} and is \
             served there. {}",
            came_back_advice(to)
        ),
        Progress::Arrived { at } => format!("Moved from {from} to {to}, where it was first seen at {at}."),
        Progress::Barred => format!(
            "Not seen at {to}; it is disabled or quarantined, so it gets nothing and is not waited for. {}",
            barred_advice(to)
        ),
    }
}

/// How far all phones have come: addresses, how many have not arrived, and why none is told.
pub fn move_summary((from, to): (Option<&str>, &str), open: NotArrived, held: Option<&str>) -> String {
    let NotArrived { not_told, told, barred } = open;
    let hold = held.map_or(String::new(), |why| format!("No phone is told {to} at present: {why}. "));
    let move_words = match (from, not_told, told) {
        (None, _, 0) => format!("Phones live at {to}; no former address counts."),
        (None, _, told) => format!(
            "Phones live at {to}; {told} were told so and have not been seen there since. Let their old address count \
             again as the second one of public-url."
        ),
        (Some(from), 0, 0) => format!(
            "Everyone arrived: no claimed phone that is in use lives at {from}, so {from} can be retired. Phones that \
             nobody claimed are told no address; those that ask at {from} must be pointed at {to} first."
        ),
        (Some(from), not_told, told) => format!(
            "Phones move from {from} to {to}: {not_told} not told yet, {told} told and not seen there yet. Keep {from} \
             until all have arrived."
        ),
    };
    let barred_words = match barred {
        0 => String::new(),
        barred => format!(" Not waited for: {barred} that are disabled or quarantined. {}", barred_advice(to)),
    };
    format!("{hold}{move_words}{barred_words}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_name_can_be_retired_once_nobody_is_left_there_and_not_before() {
        let says = |from, (not_told, told)| {
            move_summary((from, "new.example"), NotArrived { not_told, told, barred: 0 }, None)
        };

        assert!(says(Some("old.example"), (0, 0)).contains("old.example can be retired"));
        for counts in [(1, 0), (0, 1)] {
            assert!(says(Some("old.example"), counts).contains("Keep old.example"), "{counts:?}");
        }
        assert!(says(None, (0, 2)).contains("2 were told so") && says(None, (0, 0)).contains("no former address"));
        let between = (Some("old.example"), "new.example");
        let one = NotArrived { not_told: 1, ..NotArrived::default() };
        let held = move_summary(between, one, Some("the certificate is not for it"));
        assert!(held.starts_with("No phone is told new.example at present: the certificate is not for it."), "{held}");
    }

    #[test]
    fn barred_phones_are_named_and_not_waited_for() {
        let open = NotArrived { barred: 2, ..NotArrived::default() };

        let words = move_summary((Some("old.example"), "new.example"), open, None);

        assert!(words.contains("can be retired") && words.contains("2 that are disabled or quarantined"), "{words}");
    }

    #[test]
    fn a_phone_that_came_back_is_told_what_to_look_at() {
        let told = Progress::Told { at: UnixMillis(0), back: Some(UnixMillis(1000)) };

        let words = progress("old.example", "new.example", told);

        assert!(words.contains("asked at old.example again at 1970-01-01T00:00:01"), "{words}");
        assert!(words.contains("try https://new.example/ from its network"), "{words}");
    }
}
