//! Sentences about firmware: what was offered and why now, how far the phone got, and what it came back as.

use super::{Entry, EventKind, printable};
use crate::time::UnixMillis;
use provost_catalog::Version;
use std::net::IpAddr;

/// A step in words.
#[derive(Debug, Clone, Copy)]
pub struct StepWords<'a> {
    /// What the phone runs.
    pub from: &'a Version,
    /// What it is led to.
    pub to: &'a Version,
    /// The file its master file names.
    pub file: &'a str,
}

/// What became of a step when its phone was back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameBack<'a> {
    /// With the version.
    Done,
    /// As it was, after the whole image was sent.
    Unchanged,
    /// As it was, after it closed the connection with so many bytes of the image.
    NotWanted(u64),
    /// As it was, after it asked so often for the image and never took the whole.
    TriedTooOften(u32),
    /// With this.
    Other(&'a Version),
}

/// The entry for a step that is offered from now on; `left` steps follow it.
pub fn step_offered(step: StepWords<'_>, left: usize, why: &str) -> Entry {
    let StepWords { from, to, file } = step;
    let after = match left {
        0 => "this is the last step".to_owned(),
        1 => "one step follows".to_owned(),
        left => format!("{left} steps follow"),
    };
    Entry::new(
        EventKind::Firmware,
        format!("It is to go from {from} to {to}: its master file names the image {file} ({after}). Why now: {why}."),
        None,
    )
}

/// The entry for a step that somebody chose at the phone.
pub fn step_chosen(from: &Version, to: &Version) -> Entry {
    let sentence = format!("Somebody chose {to} on the phone's own upgrade page: it goes there from {from}.");
    Entry::new(EventKind::Firmware, sentence, None)
}

/// The entry for a download that has come so far.
pub fn image_progress(percent: u8, step: StepWords<'_>, bytes: u64) -> Entry {
    let to = step.to;
    Entry::new(EventKind::Firmware, format!("It has {percent} % of the image {to} ({}).", megabytes(bytes)), None)
}

/// The entry for an image that was sent whole.
pub fn image_sent(step: StepWords<'_>, bytes: u64, took_ms: i64) -> Entry {
    let (to, took) = (step.to, took_ms.max(0) / 1000);
    Entry::new(
        EventKind::Firmware,
        format!(
            "The whole image {to} was sent ({} in {took} s). It checks it, writes it and restarts.",
            megabytes(bytes)
        ),
        Some("Do not take its power until it is back: that takes some minutes.".to_owned()),
    )
}

/// The entry for a phone that closed the connection before the image was whole.
pub fn image_closed_early(step: StepWords<'_>, sent: u64, bytes: u64) -> Entry {
    let to = step.to;
    Entry::new(
        EventKind::Firmware,
        format!(
            "Closed the connection after about {} of the {} of the image {to}: that is normal where it only looks at the \
             beginning.",
            megabytes(sent),
            megabytes(bytes)
        ),
        None,
    )
}

/// The entry for an image that could not be read to its end.
pub fn image_broke_off(step: StepWords<'_>, why: &str) -> Entry {
    let to = step.to;
    Entry::new(
        EventKind::Firmware,
        format!("The image {to} could not be sent to its end: {}.", printable(why, 200)),
        Some(
            "The phone keeps what it runs and asks again. Look at the server's log and at its image store.".to_owned(),
        ),
    )
}

/// The entry for a phone that asked with its updater while a step is under way.
pub fn restarted(updater: &Version) -> Entry {
    Entry::new(EventKind::Firmware, format!("It restarted: its updater {updater} asks."), None)
}

/// The entry for a phone that is back from a step, after `failures` of `most` attempts that failed.
pub fn step_ended(step: StepWords<'_>, came: CameBack<'_>, (failures, most): (u32, u32)) -> Entry {
    let StepWords { from, to, .. } = step;
    let sentence = match came {
        CameBack::Done => return Entry::new(EventKind::Firmware, format!("It came back with {to}."), None),
        CameBack::Unchanged => format!("It came back with {from} although the whole image {to} was sent"),
        CameBack::NotWanted(sent) => {
            format!("It still runs {from}: it took about {} of the image {to} and no more", megabytes(sent))
        }
        CameBack::TriedTooOften(times) => {
            format!("It still runs {from}: it asked for the image {to} in {times} starts and never took the whole")
        }
        CameBack::Other(runs) => format!("It came back with {runs}, neither {from} nor {to}"),
    };
    let is_given_up = failures >= most;
    let advice = if is_given_up {
        "It is not tried again with this image. Look at the phone's boot log for the reason, whether the image is for this very \
         model and part number, and try by hand (`provost firmware now`) only when that is clear."
    } else {
        "It is offered again. If that fails too, look at the phone's boot log."
    };
    let last = if is_given_up { ": given up" } else { "" };
    Entry::new(
        EventKind::Firmware,
        format!("{sentence} (failed, {failures} of {most}{last})."),
        Some(advice.to_owned()),
    )
}

/// The entry for a step that is not offered any more.
pub fn step_withdrawn(step: StepWords<'_>, why: &str) -> Entry {
    let StepWords { from, to, .. } = step;
    Entry::new(EventKind::Firmware, format!("The step from {from} to {to} is not offered any more: {why}."), None)
}

/// The entry for a phone that is not where it should be, and gets no step now.
pub fn no_step_now(runs: &Version, why: &str) -> Entry {
    // Told at each change: a request's place in the story, which is kept for a while only.
    Entry::new(EventKind::Request, format!("It keeps firmware {runs} for now: {why}."), None)
}

/// The entry for a phone that no step may lead where it should be.
pub fn no_step(runs: &Version, why: &str, is_below_floor: bool) -> Entry {
    let advice = is_below_floor.then(|| {
        "It is below the lowest version its model is served with, so it may not work. Store the image that is missing, or \
         bring the phone up by other means."
            .to_owned()
    });
    Entry::new(EventKind::Request, format!("It keeps firmware {runs}: {why}."), advice)
}

/// The entry, and the words of the alarm, for a version that was paused.
pub fn version_paused(version: &Version, reach: &str, failures: u32) -> Entry {
    Entry::new(
        EventKind::Alarm,
        format!("Firmware {version} is paused for {reach}: {failures} attempts failed."),
        Some(
            "Nobody else gets it by this policy. Look at the phones that failed; then resume it (`provost firmware resume`), or \
             set another target."
                .to_owned(),
        ),
    )
}

/// The entry for a door that was opened for a phone.
pub fn door_opened(model: &str, until: UnixMillis, reason: &str) -> Entry {
    Entry::new(
        EventKind::Action,
        format!(
            "An administrator opened firmware over plain HTTP for this MAC as a {model}, until {until}: {}.",
            printable(reason, 300)
        ),
        Some("Whoever says to be this phone gets the image of its next step, and nothing else.".to_owned()),
    )
}

/// The entry for a door that is closed.
pub fn door_closed(why: &str) -> Entry {
    Entry::new(EventKind::Action, format!("Firmware over plain HTTP is closed again for this MAC: {why}."), None)
}

/// The entry for somebody who was served through the door.
pub fn through_the_door(name: &str, address: IpAddr, what: &str) -> Entry {
    // Anybody may do it a thousand times: kept for a while only.
    Entry::new(
        EventKind::Request,
        format!("Somebody at {address}, unproven, asked for {name} over plain HTTP: {what}."),
        None,
    )
}

/// Bytes as people read them: with one decimal below ten megabytes.
pub fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    if tenths == 0 && bytes > 0 {
        return format!("{bytes} bytes");
    }
    if tenths < 100 { format!("{}.{} MB", tenths / 10, tenths % 10) } else { format!("{} MB", tenths / 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_reads_as_a_story_with_what_to_do_only_where_something_is_to_be_done() {
        let (from, to): (Version, Version) = ("6.4.7.4560".parse().unwrap(), "6.4.8.1".parse().unwrap());
        let step = StepWords { from: &from, to: &to, file: "sip.ld" };

        let offered = step_offered(step, 1, "the window is open");
        assert!(
            offered.sentence.contains("from 6.4.7.4560 to 6.4.8.1") && offered.sentence.contains("one step follows")
        );
        assert_eq!(image_progress(25, step, 42_000_000).sentence, "It has 25 % of the image 6.4.8.1 (42 MB).");
        assert_eq!(step_ended(step, CameBack::Done, (0, 3)).advice, None);
        let failed = step_ended(step, CameBack::Unchanged, (2, 3));
        assert!(failed.sentence.ends_with("(failed, 2 of 3).") && failed.advice.unwrap().contains("offered again"));
        let given_up = step_ended(step, CameBack::NotWanted(4096), (3, 3));
        assert!(given_up.sentence.contains("4096 bytes") && given_up.sentence.ends_with("(failed, 3 of 3: given up)."));
    }

    #[test]
    fn sizes_are_said_shortly() {
        let said: Vec<_> = [0, 1, 4096, 60_000, 9_940_000, 9_950_000, 41_999_999].into_iter().map(megabytes).collect();
        assert_eq!(said, ["0.0 MB", "1 bytes", "4096 bytes", "0.1 MB", "9.9 MB", "10 MB", "42 MB"]);
    }
}
