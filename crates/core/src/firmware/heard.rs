//! What is known of a phone from before 4.0 that says neither who it is nor which of its two programs asks.
//!
//! Decides from the order of what one address asks: a start asks for the updater's image first, which only a BootROM does,
//! and then, as another version, the application asks for its master file. Never takes a single request for the one or the
//! other: a BootROM 4.1 taken for an application 4.1 would be led past the stop it must make, and that bricks the phone.
//! (SIP 3.1 administrator's guide, catalog/SOURCES.md; docs/THREATS.md, rule 21.)

use crate::time::UnixMillis;
use provost_catalog::Version;

/// From the BootROM's first request to the application's is one start: minutes, slow networks included.
pub const ONE_START_MS: i64 = 15 * 60_000;

/// What was heard of a phone, of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Who asked last for the updater's image, and when.
    bootrom: Option<(Version, UnixMillis)>,
    /// BootROM and application of one start.
    both: Option<(Version, Version)>,
}

impl Heard {
    /// Somebody asked for the updater's image, which begins a start.
    pub fn asked_for_updater(&mut self, version: &Version, now: UnixMillis) {
        // Another BootROM than before: what runs above it is to be shown anew.
        if self.both.as_ref().is_some_and(|(bootrom, _)| bootrom != version) {
            self.both = None;
        }
        self.bootrom = Some((version.clone(), now));
    }

    /// Somebody asked for the master file; what says no program is an application only `below` this version.
    pub fn asked_for_master(&mut self, version: &Version, below: &Version, now: UnixMillis) {
        if self.is_of_both(version) {
            return;
        }
        self.both = None;
        let Some((bootrom, since)) = &self.bootrom else { return };
        let is_one_start = (0..ONE_START_MS).contains(&now.0.saturating_sub(since.0));
        if bootrom == version {
            // The BootROM's own look at the master file; its application is still to come.
        } else if is_one_start && version < below {
            self.both = Some((bootrom.clone(), version.clone()));
        } else {
            self.bootrom = None;
        }
    }

    /// BootROM and application, once one start has shown both and nobody has contradicted since.
    pub fn both(&self) -> Option<(&Version, &Version)> {
        self.both.as_ref().map(|(bootrom, application)| (bootrom, application))
    }

    /// Whether it is one of the two that asks.
    pub fn is_of_both(&self, version: &Version) -> bool {
        self.both.as_ref().is_some_and(|(bootrom, application)| version == bootrom || version == application)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn shown(heard: &Heard) -> Option<(String, String)> {
        heard.both().map(|(bootrom, application)| (bootrom.to_string(), application.to_string()))
    }

    fn master(heard: &mut Heard, text: &str, minutes: i64) {
        heard.asked_for_master(&version(text), &version("4.0"), UnixMillis(minutes * 60_000));
    }

    fn updater(heard: &mut Heard, text: &str, minutes: i64) {
        heard.asked_for_updater(&version(text), UnixMillis(minutes * 60_000));
    }

    #[test]
    fn a_whole_start_shows_both_programs() {
        let mut heard = Heard::default();
        updater(&mut heard, "4.1.0", 0);
        master(&mut heard, "4.1.0", 1);
        assert_eq!(shown(&heard), None);
        master(&mut heard, "3.2.4", 3);
        assert_eq!(shown(&heard), Some(("4.1.0".to_owned(), "3.2.4".to_owned())));
        updater(&mut heard, "4.1.0", 60);
        master(&mut heard, "4.1.0", 61);
        assert!(shown(&heard).is_some(), "the next start says the same");
    }

    #[test]
    fn a_bootrom_is_never_taken_for_an_application() {
        // The door was opened, or the server restarted, after it had asked for its own image.
        let mut heard = Heard::default();
        master(&mut heard, "4.1.0", 0);
        master(&mut heard, "3.2.4", 2);
        assert_eq!(shown(&heard), None);
        // The other way: what stands before it is somebody else's.
        updater(&mut heard, "3.2.4", 10);
        master(&mut heard, "4.1.0", 11);
        assert_eq!(shown(&heard), None, "no application that says no program is 4.1.0");
        master(&mut heard, "3.2.4", 12);
        assert_eq!(shown(&heard), None, "the contradiction begins anew");
    }

    #[test]
    fn another_bootrom_or_a_late_application_shows_nothing() {
        let mut heard = Heard::default();
        updater(&mut heard, "4.1.0", 0);
        master(&mut heard, "3.2.4", 15);
        assert_eq!(shown(&heard), None, "that is no one start");
        updater(&mut heard, "4.1.0", 20);
        master(&mut heard, "3.2.4", 21);
        updater(&mut heard, "4.4.0", 30);
        assert_eq!(shown(&heard), None, "what runs above the new one is to be shown");
        master(&mut heard, "3.2.3", 31);
        assert_eq!(shown(&heard), Some(("4.4.0".to_owned(), "3.2.3".to_owned())));
        master(&mut heard, "3.1.0", 50);
        assert_eq!(shown(&heard), None, "a third version");
    }
}
