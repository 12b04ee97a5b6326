//! The commands about connectors to customers' PBXs.

use super::Target;
use clap::Subcommand;
use std::path::PathBuf;

/// Thin clients of the API's part about connectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Connector {
    /// Add the way to a customer's PBX, which is asked within seconds; `connector test` says what was found
    #[command(
        after_help = "Example:\n  provost connector add account_01… --kind kamailio --host pbx.example.com --port 8443\n  provost connector add account_01… --kind asterisk --host 10.0.0.5 --security plain --inside --user provost --password-file ami.txt"
    )]
    Add(NewConnector),
    /// List a customer's connectors; one of an account above may serve it all the same
    #[command(after_help = "Example:\n  provost connector list account_01…")]
    List {
        /// The customer's id
        account: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show a connector and what was found when its PBX was asked last
    #[command(after_help = "Example:\n  provost connector show account_01… connector_01…")]
    Show(ConnectorId),
    /// Change a connector, whose PBX is asked anew within seconds
    #[command(
        after_help = "Example:\n  provost connector change account_01… connector_01… --domain example.com\n  provost connector change account_01… connector_01… --off"
    )]
    Change(ConnectorEdit),
    /// Take a connector away: nothing is observed through it any more
    #[command(after_help = "Example:\n  provost connector remove account_01… connector_01…")]
    Remove(ConnectorId),
    /// Ask a PBX now and say what was found
    #[command(after_help = "Example:\n  provost connector test account_01… connector_01…")]
    Test(ConnectorId),
}

/// Which connector.
#[derive(Debug, clap::Args)]
pub(crate) struct ConnectorId {
    /// The customer's id
    pub(crate) account: String,
    /// The connector's id
    pub(crate) connector: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewConnector {
    /// The customer's id
    pub(crate) account: String,
    /// kamailio, asterisk or freeswitch
    #[arg(long)]
    pub(crate) kind: String,
    /// Name or address of the PBX
    #[arg(long)]
    pub(crate) host: String,
    #[command(flatten)]
    pub(crate) settings: ConnectorSettings,
    /// Let it lead to loopback, private and link-local addresses; only whoever runs the server may
    #[arg(long)]
    pub(crate) inside: bool,
    /// Keep it, but do not ask its PBX
    #[arg(long)]
    pub(crate) off: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ConnectorEdit {
    /// The customer's id
    pub(crate) account: String,
    /// The connector's id
    pub(crate) connector: String,
    /// kamailio, asterisk or freeswitch
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Name or address of the PBX; the password has to be entered again
    #[arg(long)]
    pub(crate) host: Option<String>,
    #[command(flatten)]
    pub(crate) settings: ConnectorSettings,
    /// Whether it may lead to addresses of the inside
    #[arg(long, value_name = "TRUE|FALSE")]
    pub(crate) inside: Option<bool>,
    /// Ask its PBX
    #[arg(long, conflicts_with = "off")]
    pub(crate) on: bool,
    /// Do not ask its PBX
    #[arg(long)]
    pub(crate) off: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What may be said of any connector. In a change, an empty text takes away what may be without.
#[derive(Debug, clap::Args)]
pub(crate) struct ConnectorSettings {
    /// What it is called; by default main
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Port; by default 5038 (with TLS 5039) for Asterisk, 8021 for FreeSWITCH
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// tls, plain (loopback and private addresses only) or plain-anywhere; by default tls
    #[arg(long)]
    pub(crate) security: Option<String>,
    /// SHA-256 of the one certificate to take, instead of what the system's authorities sign
    #[arg(long, value_name = "SHA256")]
    pub(crate) certificate_sha256: Option<String>,
    /// The name to sign in with
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// File whose first line is the password to sign in with
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Kamailio: path of the JSON-RPC; by default /RPC
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// FreeSWITCH: Sofia profile that phones register at; by default internal
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// The domain of the lines' addresses, where the PBX serves several
    #[arg(long)]
    pub(crate) domain: Option<String>,
}
