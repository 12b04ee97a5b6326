//! Sentences about customers' PBXs, and about what phones are told through them.

use super::{Entry, EventKind, printable};

/// What stands in an alarm about a connector whose PBX cannot be asked.
pub fn pbx_not_reached(name: &str, place: &str, why: &str) -> Entry {
    Entry::new(
        EventKind::Action,
        format!("The connector {name} cannot ask the PBX at {place}: {why}. Whether phones are registered there is not observed."),
        Some(
            "See that the PBX runs and lets this server in; `provost connector test` asks at once. This ends by itself when it answers."
                .to_owned(),
        ),
    )
}

/// The entry for a phone that was told to look at its configuration.
pub fn told_to_check(line: &str, answer: &str, reason: Option<&str>) -> Entry {
    let reason = reason.map_or(String::new(), |reason| format!(" Reason: {}.", printable(reason, 300)));
    let (line, answer) = (printable(line, 60), printable(answer, 200));
    Entry::new(
        EventKind::Action,
        format!(
            "An administrator had it told to check its configuration (NOTIFY check-sync) through its PBX, line {line}: {answer}.{reason}"
        ),
        None,
    )
}
