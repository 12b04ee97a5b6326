//! The commands about what becomes of devices, users and sites after they were added.

use super::Target;
use clap::Subcommand;

/// What becomes of a device.
#[derive(Debug, Subcommand)]
pub(crate) enum DeviceLife {
    /// Show a device
    #[command(after_help = "Example:\n  provost device show device_01…")]
    Show {
        /// The device's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Give a device with its phone to another user; the phone reads it at its next poll
    #[command(after_help = "Example:\n  provost device move device_01… --user user_01…")]
    Move {
        /// The device's id
        id: String,
        /// The user's id
        #[arg(long)]
        user: String,
        #[command(flatten)]
        target: Target,
    },
    /// Put a device back to stock; its phone shows Activate again
    #[command(after_help = "Example:\n  provost device unassign device_01…")]
    Unassign(WithReason),
    /// Put another phone in the place of a dead one: user, settings and history stay, the old phone gets nothing
    #[command(
        after_help = "Example:\n  provost device swap device_01…                      prints a new activation code\n  provost device swap device_01… --mac 0004f2a1b2c3   the new phone is known by its MAC"
    )]
    Swap {
        /// The device's id
        id: String,
        /// The new phone; without it a new activation code is issued
        #[arg(long)]
        mac: Option<String>,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Give a device up: its phone is anybody's; for 30 days it can be restored
    #[command(after_help = "Example:\n  provost device release device_01… --reason 'left the company'")]
    Release(WithReason),
    /// Have a released or removed device back: same phone if it is free, same passwords, same user
    #[command(
        after_help = "Example:\n  provost device restore device_01…\n  provost device restore device_01… --user user_01…   for another user"
    )]
    Restore {
        /// The device's id
        id: String,
        /// Another user than the one it had
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Remove a device that was released or never had a phone; its passwords stay
    #[command(after_help = "Example:\n  provost device remove device_01…")]
    Remove(WithReason),
    /// List devices that were released or removed, with the day until which they can be restored
    #[command(after_help = "Example:\n  provost device released")]
    Released {
        #[command(flatten)]
        target: Target,
    },
    /// Give the device's phone new passwords; old and new are shown until the phone has the new ones
    #[command(after_help = "Example:\n  provost device rotate-password device_01… --reason 'technician left'")]
    RotatePassword(ForReason),
    /// Show all passwords the device's phones were ever to have; who asked and why goes into the audit log
    #[command(after_help = "Example:\n  provost device passwords device_01… --reason 'reset at the desk'")]
    Passwords(ForReason),
    /// List the phones a device has and had
    #[command(after_help = "Example:\n  provost device phones device_01…")]
    Phones {
        /// The device's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Have its phone told to check its configuration, through the PBX it is registered at; never during a call that the
    /// PBX knows of
    #[command(
        after_help = "Example:\n  provost device check-sync device_01…\n  provost device check-sync device_01… --reboot true --reason 'new ring tone'"
    )]
    CheckSync {
        /// The device's id
        id: String,
        /// Whether the phone is told to reboot, or told not to; by default its settings decide
        #[arg(long, value_name = "TRUE|FALSE")]
        reboot: Option<bool>,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show the timeline of a device over all its phones
    #[command(after_help = "Example:\n  provost device timeline device_01…")]
    Timeline {
        /// The device's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

/// A thing and maybe why.
#[derive(Debug, clap::Args)]
pub(crate) struct WithReason {
    /// The device's id
    pub(crate) id: String,
    /// Why, for the audit log
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// A thing and why.
#[derive(Debug, clap::Args)]
pub(crate) struct ForReason {
    /// The device's id
    pub(crate) id: String,
    /// Why, for the audit log
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What becomes of phones.
#[derive(Debug, Subcommand)]
pub(crate) enum PhoneLife {
    /// Let a phone in again that was set aside when another took its place
    #[command(after_help = "Example:\n  provost readmit 0004f2a1b2c3 --reason repaired")]
    Readmit {
        /// MAC address
        mac: String,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// What becomes of a person.
#[derive(Debug, Subcommand)]
pub(crate) enum UserLife {
    /// Show a person
    #[command(after_help = "Example:\n  provost user show user_01…")]
    Show {
        /// The user's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Change a person's fields; their phones read it at their next poll
    #[command(
        after_help = "Example:\n  provost user edit user_01… --name 'Ada King'\n  provost user edit user_01… --email ''   takes the mail address away"
    )]
    Edit(EditUser),
    /// Remove a person for whom there is no device
    #[command(after_help = "Example:\n  provost user remove user_01…")]
    Remove {
        /// The user's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct EditUser {
    /// The user's id
    pub(crate) id: String,
    /// Another site of the same account
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Extension
    #[arg(long)]
    pub(crate) extension: Option<String>,
    /// Mail address; empty takes it away
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Language tag; empty leaves it to the site
    #[arg(long)]
    pub(crate) language: Option<String>,
    /// All SIP lines, as USER or USER:PASSWORD; a line keeps its password where none is given; repeat for more lines
    #[arg(long = "line", value_name = "USER[:PASSWORD]")]
    pub(crate) lines: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What becomes of a location.
#[derive(Debug, Subcommand)]
pub(crate) enum SiteLife {
    /// Show a location
    #[command(after_help = "Example:\n  provost site show site_01…")]
    Show {
        /// The site's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Change a location's fields; its phones read it at their next poll
    #[command(
        after_help = "Example:\n  provost site edit site_01… --sip-server pbx2.example.com\n  provost site edit site_01… --voicemail ''   takes the number away"
    )]
    Edit(EditSite),
    /// Remove a location where nobody is
    #[command(after_help = "Example:\n  provost site remove site_01…")]
    Remove {
        /// The site's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct EditSite {
    /// The site's id
    pub(crate) id: String,
    /// Name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// IANA time zone; it brings its country
    #[arg(long)]
    pub(crate) time_zone: Option<String>,
    /// Country code; empty takes that of the time zone
    #[arg(long)]
    pub(crate) country: Option<String>,
    /// Language tag; empty takes it away
    #[arg(long)]
    pub(crate) language: Option<String>,
    /// All SIP servers, HOST[:PORT][/udp|tcp|tls|dns], first choice first; repeat for fail-over
    #[arg(long = "sip-server", value_name = "SERVER")]
    pub(crate) sip_servers: Vec<String>,
    /// Voice VLAN; 0 takes it away
    #[arg(long)]
    pub(crate) vlan: Option<u32>,
    /// What the Messages key dials; empty takes it away
    #[arg(long)]
    pub(crate) voicemail: Option<String>,
    /// Street address for emergency services; empty takes it away
    #[arg(long)]
    pub(crate) emergency_address: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}
