//! The command line.

mod accounts;
mod administrators;
mod backup;
mod configuration;
mod connector;
mod doors;
mod firmware;
mod firmware_policy;
mod fleet;
mod guard;
mod import;
mod lifecycle;
mod mail;
mod phone;
mod report;

pub(crate) use accounts::{Account, Token};
pub(crate) use administrators::Administrator;
pub(crate) use backup::{Backup, Restore};
pub(crate) use configuration::{Configuration, LayerOf, SetEntries};
pub(crate) use connector::{Connector, ConnectorEdit, ConnectorId, ConnectorSettings, NewConnector};
pub(crate) use doors::{Doors, EmergencyRoute};
pub(crate) use firmware::{Firmware, ImageKind, UploadImage};
pub(crate) use firmware_policy::{DoorCommand, FirmwarePolicy, OfVersion, PolicyCommand, RingCommand, SetPolicy};
pub(crate) use fleet::Fleet;
pub(crate) use guard::{Alarms, Blocked, EndAlarm, Exception, Guard, HttpBootstrap};
pub(crate) use import::{Import, ImportCsv, Kind};
pub(crate) use lifecycle::{DeviceLife, EditUser, PhoneLife, SiteLife, UserLife};
pub(crate) use mail::{Mail, MailTemplate, TemplateFiles, TemplateOf, Welcome};
pub(crate) use phone::{Around, Boot, Image, Kind as LabImageKind, Parts, Phone, PhoneAction, RunPhone, RunScripts};
pub(crate) use report::{DeviceReport, Report};

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Brings Poly desk phones to life: proves them, provisions them, activates them.
#[derive(Debug, Parser)]
#[command(
    name = "provost",
    version,
    after_help = "Example:\n  provost up                     one virtual phone walks the whole road\n  provost serve --config provost.toml"
)]
pub(crate) struct Args {
    /// Configuration file (provost.toml)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data folder, instead of the configuration's data-dir
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a lab with nothing configured: a virtual VVX 450 walks the whole road, then the server goes on
    #[command(
        after_help = "Example:\n  provost up --exit              stop after the walk; exit code 0 if the phone came up"
    )]
    Up(Up),
    /// Serve phones and administrators
    #[command(
        after_help = "Example:\n  provost serve --config /etc/provost/provost.toml --ready-file /run/provost/ready.json"
    )]
    Serve(Serve),
    /// Check configuration, catalog, authorities and certificates without starting
    #[command(after_help = "Example:\n  provost check --config provost.toml")]
    Check,
    /// List the phone models of the catalog
    #[command(after_help = "Example:\n  provost models --json")]
    Models(Models),
    /// The authorities that phones' certificates are judged by
    Trust(Trust),
    /// The key that secrets in the database are encrypted with
    Key(Key),
    /// Write everything a server remembers into a file, while it runs; the key is not in it
    #[command(after_help = "Example:\n  provost backup /var/backups/provost.ndjson --config /etc/provost/provost.toml")]
    Backup(Backup),
    /// Fill an empty server from a backup
    #[command(
        after_help = "Example:\n  provost restore /var/backups/provost.ndjson --config /etc/provost/provost.toml\n  provost restore --confirm"
    )]
    Restore(Restore),
    /// The virtual phone: with display and keys, step by step from a script, or one boot
    Phone(Phone),
    /// Boot many virtual phones at a server, let them poll, and measure
    #[command(
        after_help = "Example:\n  provost fleet --phones 300 --server https://127.0.0.1:8443 --models vvx450,vvx500,spip550 --data DIR --json"
    )]
    Fleet(Fleet),
    /// What there is, as tables
    #[command(subcommand)]
    Report(Report),
    /// Users, devices and lines from files
    #[command(subcommand)]
    Import(Import),
    /// Firmware: the images at hand, which version phones are led to and when, and what becomes of it
    #[command(subcommand)]
    Firmware(Firmware),
    #[command(flatten)]
    Administer(Administer),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Up {
    /// Written once every listener is bound
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Stop after the walk
    #[arg(long)]
    pub(crate) exit: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Written once every listener is bound
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Models {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Trust {
    #[command(subcommand)]
    pub(crate) action: TrustAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrustAction {
    /// List the authorities the catalog pins and those imported
    #[command(after_help = "Example:\n  provost trust list")]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Import a maker's authority whose fingerprint the catalog pins, or with --custom any other
    #[command(after_help = "Example:\n  provost trust import Polycom_Equipment_Issuing_CA_1.pem")]
    Import {
        /// Trust an authority the catalog does not know
        #[arg(long)]
        custom: bool,
        /// PEM or DER file; PEM may hold several
        file: PathBuf,
    },
    /// Download the makers' authorities that are missing; only those with the pinned fingerprint are taken
    #[command(after_help = "Example:\n  provost trust fetch\n  provost trust fetch --from http://mirror.example/pki")]
    Fetch {
        /// Folder of a mirror that holds the files under the makers' names
        #[arg(long, value_name = "URL-BASE")]
        from: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    pub(crate) action: KeyAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Encrypt every secret with a new key; the server must be stopped
    #[command(after_help = "Example:\n  provost key rotate --config /etc/provost/provost.toml")]
    Rotate,
    /// Copy the key into a file, to be kept apart from backups
    #[command(after_help = "Example:\n  provost key export /media/safe/provost.key")]
    Export {
        /// Where to; must not exist yet
        file: PathBuf,
    },
}

/// Where an administration command goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// A server's console address; by default the server of the data folder, or the folder itself
    #[arg(long, value_name = "URL", requires = "token")]
    pub(crate) server: Option<String>,
    /// Authorities that the server's certificate may come from (PEM), beside those of this machine
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) ca: Option<PathBuf>,
    /// A token of that server
    #[arg(long, value_name = "TOKEN", requires = "server")]
    pub(crate) token: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Thin clients of the REST API.
#[derive(Debug, Subcommand)]
pub(crate) enum Administer {
    /// Customers
    #[command(subcommand)]
    Account(Account),
    /// Locations
    #[command(subcommand)]
    Site(Site),
    /// People with an extension
    #[command(subcommand)]
    User(User),
    /// Devices: entries that phones get bound to
    #[command(subcommand)]
    Device(Device),
    /// Activation codes
    #[command(subcommand)]
    Code(Code),
    /// What phones are told: layers of settings, what comes of them, their history
    #[command(subcommand)]
    Configuration(Configuration),
    /// Show a phone's timeline
    #[command(after_help = "Example:\n  provost timeline 0004f2a1b2c3")]
    Timeline {
        /// MAC address
        mac: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show the admin and user password of a claimed phone; who asked and why goes into the audit log
    #[command(after_help = "Example:\n  provost passwords 0004f2a1b2c3 --reason 'reset at the desk'")]
    Passwords {
        /// MAC address
        mac: String,
        /// Why they are needed
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// Bind a phone to the device of an activation code
    #[command(after_help = "Example:\n  provost activate 0004f2a1b2c3 1234-5678-90123")]
    Activate {
        /// MAC address
        mac: String,
        /// The code; spaces and dashes do not matter
        code: String,
        #[command(flatten)]
        target: Target,
    },
    /// List those who asked without proving to be a phone
    #[command(after_help = "Example:\n  provost strangers")]
    Strangers {
        #[command(flatten)]
        target: Target,
    },
    /// Show how far phones have come on the way to a new public-url, and list those that have not arrived
    #[command(after_help = "Example:\n  provost move")]
    Move {
        #[command(flatten)]
        target: Target,
    },
    /// People who sign in at the console
    #[command(subcommand)]
    Administrator(Box<Administrator>),
    /// Tokens for the API and the page
    #[command(subcommand)]
    Token(Token),
    /// Ways to customers' PBXs: who is registered there, and check-sync through them
    #[command(subcommand)]
    Connector(Box<Connector>),
    /// Mail: welcome mails, what became of each, templates, alarms by mail
    #[command(subcommand)]
    Mail(Box<Mail>),
    #[command(flatten)]
    PhoneLife(PhoneLife),
    #[command(flatten)]
    Doors(Doors),
    #[command(flatten)]
    Guard(Guard),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    /// Add a location
    #[command(
        after_help = "Example:\n  provost site create --account account_01… --name Vienna --time-zone Europe/Vienna --sip-server pbx.example.com:5060/udp"
    )]
    Create(NewSite),
    /// Send emergency calls of a location's unclaimed phones on to a SIP server
    #[command(
        after_help = "Example:\n  provost site emergency-route site_01… --network 10.1.0.0/16 --to pbx.example.com\n  provost site emergency-route site_01… --none"
    )]
    EmergencyRoute(EmergencyRoute),
    #[command(flatten)]
    Life(SiteLife),
    /// List locations
    #[command(after_help = "Example:\n  provost site list")]
    List {
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewSite {
    /// The customer's id
    #[arg(long)]
    pub(crate) account: String,
    /// Name
    #[arg(long)]
    pub(crate) name: String,
    /// IANA time zone
    #[arg(long)]
    pub(crate) time_zone: String,
    /// Country code; by default that of the time zone
    #[arg(long)]
    pub(crate) country: Option<String>,
    /// Language tag; kept, but phones are not told it yet
    #[arg(long)]
    pub(crate) language: Option<String>,
    /// HOST[:PORT][/udp|tcp|tls|dns], first choice first; repeat for fail-over
    #[arg(long = "sip-server", value_name = "SERVER")]
    pub(crate) sip_servers: Vec<String>,
    /// Voice VLAN
    #[arg(long)]
    pub(crate) vlan: Option<u32>,
    /// What the Messages key dials
    #[arg(long)]
    pub(crate) voicemail: Option<String>,
    /// Street address for emergency services
    #[arg(long)]
    pub(crate) emergency_address: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person
    #[command(
        after_help = "Example:\n  provost user create --site site_01… --name 'Ada Byron' --extension 1001 --line 1001 --password-file ada.txt"
    )]
    Create(NewUser),
    #[command(flatten)]
    Life(UserLife),
    /// List people
    #[command(after_help = "Example:\n  provost user list")]
    List {
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewUser {
    /// The site's id
    #[arg(long)]
    pub(crate) site: String,
    /// Name
    #[arg(long)]
    pub(crate) name: String,
    /// Extension
    #[arg(long)]
    pub(crate) extension: String,
    /// Mail address
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Language tag, where it is not the site's
    #[arg(long)]
    pub(crate) language: Option<String>,
    /// SIP user of a line, as USER or USER:PASSWORD; repeat for more lines
    #[arg(long = "line", value_name = "USER[:PASSWORD]")]
    pub(crate) lines: Vec<String>,
    /// File with the password of each line, one a line, so that none stands in the process list
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Device {
    /// Add a device model, for a user or from stock
    #[command(after_help = "Example:\n  provost device create --account account_01… --model vvx450 --user user_01…")]
    Create {
        /// The customer's id
        #[arg(long)]
        account: String,
        /// Model id (`provost models`)
        #[arg(long)]
        model: String,
        /// The user's id
        #[arg(long)]
        user: Option<String>,
        /// The phone, if it is known beforehand
        #[arg(long)]
        mac: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// List devices
    #[command(after_help = "Example:\n  provost device list --json")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Set the user of a device that has no phone yet
    #[command(after_help = "Example:\n  provost device assign device_01… --user user_01…")]
    Assign {
        /// The device's id
        id: String,
        /// The user's id
        #[arg(long)]
        user: String,
        #[command(flatten)]
        target: Target,
    },
    #[command(flatten)]
    Life(DeviceLife),
    /// Give its phone nothing any more; it keeps its old settings until it is reset
    #[command(after_help = "Example:\n  provost device disable device_01…")]
    Disable(Id),
    /// Set the device aside: its phone gets nothing
    #[command(after_help = "Example:\n  provost device quarantine device_01…")]
    Quarantine(Id),
    /// Serve its phone again
    #[command(after_help = "Example:\n  provost device enable device_01…")]
    Enable(Id),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Id {
    /// The device's id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Code {
    /// Issue an activation code for a device; it voids the open one
    #[command(after_help = "Example:\n  provost code issue device_01…")]
    Issue(Id),
}
