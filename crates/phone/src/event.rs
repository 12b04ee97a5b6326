//! What a phone tells whoever watches it, and what it reports at the end.
//!
//! Decides the words; never what happens.

mod words;

use std::fmt;

use crate::image::ImageKind;
use crate::network::{FoundServer, VlanSource};
use crate::request::RequestRecord;
use crate::sip::LineState;

/// Something an observer may show while the phone works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Power came, or the phone started again by itself.
    Starting {
        /// Starts in its whole life, this one included.
        boot: u64,
    },
    /// The phone goes into a VLAN.
    Vlan {
        /// Which one.
        id: u16,
        /// Who named it.
        by: VlanSource,
    },
    /// It was sent to a VLAN it came from; it stays where it is.
    VlanCircle {
        /// Where it was to go again.
        id: u16,
    },
    /// The phone knows where to ask for its configuration, or that nobody says.
    BootServer(FoundServer),
    /// A time server, or the caller, told the time.
    ClockSet {
        /// The time taken, RFC 3339 in UTC.
        to: String,
        /// The server, or nothing when the caller's clock was taken.
        server: Option<String>,
    },
    /// No time server answered.
    ClockNotSet {
        /// Why.
        reason: String,
    },
    /// A request went out and was answered, or not.
    Request(RequestRecord),
    /// A line of the phone's own log.
    Log(String),
    /// A configuration was applied.
    Applied {
        /// Values in force now.
        values: usize,
    },
    /// The phone asks for an image.
    ImageAsked {
        /// Its name.
        file: String,
    },
    /// An image of another version comes; told every ten percent.
    ImageProgress {
        /// Its name.
        file: String,
        /// How much of what is for this phone has come.
        percent: u8,
    },
    /// An image holds what the phone runs; it hung up.
    ImageCurrent {
        /// Its name.
        file: String,
        /// The version.
        version: String,
    },
    /// An image is not taken; the phone keeps its version and goes on.
    ImageRefused {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A new version is in flash; the phone starts with it next.
    Flashed(Flashed),
    /// Device values or the version changed, or the phone was told to, and it starts again.
    Restarting {
        /// The parameters that changed; none when it was told to or has a new version.
        changed: Vec<String>,
    },
    /// A line came to its first answer, or was given up.
    Line {
        /// Its number, counted from 1.
        number: u32,
        /// What is known of its registration.
        state: LineState,
    },
}

impl Event {
    /// A line of the log. Part of it may come from the network: signs that would steer a terminal are written out.
    pub(crate) fn log(text: &str) -> Self {
        Self::Log(words::harmless(text))
    }
}

/// The versions a phone runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// Of the application.
    pub application: String,
    /// Of the updater or BootROM.
    pub updater: String,
}

/// A new version that was written to flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flashed {
    /// The image it came from.
    pub file: String,
    /// Which program it replaced.
    pub kind: ImageKind,
    /// What the phone ran before.
    pub from: Versions,
    /// What it runs from now on.
    pub to: Versions,
}

/// How a boot or poll ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server's configuration is in force.
    Configured,
    /// The phone goes on with the configuration in its flash, if it has one.
    KeptCached(Kept),
    /// Every start changed device values again; the phone was stopped here.
    RestartLoop {
        /// The parameters that changed in the last start.
        changed: Vec<String>,
    },
}

/// Why the cached configuration stayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// No connection, or it broke.
    Unreachable {
        /// The reason in words.
        reason: String,
    },
    /// The server answered with a fault of its own.
    ServerFault {
        /// The file asked for.
        file: String,
        /// The status, 500 to 599.
        status: u16,
    },
    /// Neither the network nor the phone names a server.
    NoBootServer,
    /// Another server's configuration waits until somebody takes it.
    UpdateWaits,
    /// No master file is there for this phone.
    NoMasterFile,
    /// The master file is no XML.
    MasterRejected {
        /// What is wrong with it.
        reason: String,
    },
}

/// What a boot or poll came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootReport {
    /// How it ended.
    pub outcome: Outcome,
    /// Restarts the phone made by itself on the way.
    pub restarts: u32,
    /// Whether ordinary or device values differ from before.
    pub changed: bool,
    /// Files that were not taken; the cached copy stays.
    pub rejected: Vec<Rejected>,
    /// Device parameters without their marks, which the phone ignored.
    pub ignored: Vec<String>,
    /// Versions written to flash on the way, in order.
    pub flashed: Vec<Flashed>,
    /// Images that were not taken at the last look; the phone keeps its version.
    pub refused: Vec<Rejected>,
}

/// A file the phone did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its name as asked for.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// `5.9.7.4477 (updater 5.9.7.47435)`.
impl fmt::Display for Versions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} (updater {})", self.application, self.updater)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { reason } => write!(out, "the provisioning server cannot be reached: {reason}"),
            Self::ServerFault { file, status } => {
                write!(out, "the provisioning server answered {status} for {file}")
            }
            Self::NoBootServer => write!(out, "neither the network nor the phone names a provisioning server"),
            Self::UpdateWaits => write!(out, "an update waits until somebody takes it"),
            Self::NoMasterFile => write!(out, "the provisioning server has no master file for this phone"),
            Self::MasterRejected { reason } => write!(out, "the master file was rejected: {reason}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured => write!(out, "configured"),
            Self::KeptCached(why) => write!(out, "kept the cached configuration: {why}"),
            Self::RestartLoop { changed } => write!(
                out,
                "restart loop: every start changed {} again; give these parameters one value",
                changed.join(", ")
            ),
        }
    }
}

/// Whoever watches a phone work.
pub type Observer<'a> = dyn FnMut(Event) + Send + 'a;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_steers_no_terminal() {
        let Event::Log(line) = Event::log("/api/\u{1b}[2J\r\nGr\u{fc}n\u{9b}m") else { panic!("no log") };

        assert_eq!(line, "/api/\\u{1b}[2J\\r\\nGr\u{fc}n\\u{9b}m");
    }
}
