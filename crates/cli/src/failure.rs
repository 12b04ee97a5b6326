//! How a command ends when it does not end well.

use crate::config::ConfigErrors;
use std::fmt;

/// Exit code for wrong usage (sysexits.h).
pub(crate) const USAGE: u8 = 64;
const CONFIGURATION: u8 = 78;
const RUNTIME: u8 = 1;

/// A failure with its exit code; shown as it stands, one problem a line.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something did not work.
    Runtime(String),
    /// The command line asks for what there is not.
    Usage(String),
    /// Configuration, catalog, trust or certificates are at fault: every error, one a line.
    Configuration(Vec<String>),
}

impl Failure {
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Runtime(_) => RUNTIME,
            Self::Usage(_) => USAGE,
            Self::Configuration(_) => CONFIGURATION,
        }
    }

    pub(crate) fn runtime(error: impl fmt::Display) -> Self {
        Self::Runtime(error.to_string())
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Configuration(errors.problems().iter().map(ToString::to_string).collect())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runtime(text) | Self::Usage(text) => out.write_str(text),
            Self::Configuration(lines) => out.write_str(&lines.join("\n")),
        }
    }
}
