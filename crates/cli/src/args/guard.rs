//! The commands about audit, alarms, and what is blocked, opened and excepted.

use super::{Id, Target};
use clap::Subcommand;

/// Thin clients of the API's guarding part.
#[derive(Debug, Subcommand)]
pub(crate) enum Guard {
    /// Show who did what, newest first
    #[command(after_help = "Example:\n  provost audit")]
    Audit {
        #[command(flatten)]
        target: Target,
    },
    /// What an administrator should look at
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Example:\n  provost alarms\n  provost alarms end 01J…"
    )]
    Alarms(Alarms),
    /// Certificates that are refused whatever they prove
    #[command(subcommand)]
    Blocked(Blocked),
    /// List TLS handshakes that failed, with the phone it may have been
    #[command(after_help = "Example:\n  provost failed-handshakes")]
    FailedHandshakes {
        #[command(flatten)]
        target: Target,
    },
    /// The plain-HTTP bootstrap that brings phones to TLS: off, until it is opened
    #[command(subcommand)]
    HttpBootstrap(HttpBootstrap),
    /// Phones without factory certificate that are let in once
    #[command(subcommand)]
    Exception(Exception),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Alarms {
    #[command(subcommand)]
    pub(crate) end: Option<EndAlarm>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EndAlarm {
    /// End an alarm that was looked at
    #[command(after_help = "Example:\n  provost alarms end 01J…")]
    End {
        /// The alarm's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Blocked {
    /// Block a certificate
    #[command(after_help = "Example:\n  provost blocked add 3f0c… --reason 'key was copied'")]
    Add {
        /// SHA-256 of the certificate, as a phone's page shows it
        sha256: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// List blocked certificates
    #[command(after_help = "Example:\n  provost blocked list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Take a certificate off the list
    #[command(after_help = "Example:\n  provost blocked remove 3f0c…")]
    Remove {
        /// SHA-256 of the certificate
        sha256: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum HttpBootstrap {
    /// Open it for a range of addresses
    #[command(after_help = "Example:\n  provost http-bootstrap open 10.1.0.0/16 --minutes 60 --reason 'new floor'")]
    Open {
        /// Range of addresses
        range: String,
        /// How long, at most 1440
        #[arg(long)]
        minutes: u32,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// List what is open
    #[command(after_help = "Example:\n  provost http-bootstrap list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Close it before its end
    #[command(after_help = "Example:\n  provost http-bootstrap close 01j…")]
    Close {
        /// The opening's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Exception {
    /// Let the device's phone in once
    #[command(
        after_help = "Example:\n  provost exception open device_01… --mac 0004f2a1b2c3 --minutes 30 --reason 'certificate lost in repair'"
    )]
    Open {
        /// The device's id
        device: String,
        /// The phone
        #[arg(long)]
        mac: String,
        /// How long, at most 120
        #[arg(long)]
        minutes: u32,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// List what is open
    #[command(after_help = "Example:\n  provost exception list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Take it back
    #[command(after_help = "Example:\n  provost exception revoke device_01…")]
    Revoke(Id),
}
