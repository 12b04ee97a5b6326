//! Connectors and what they saw, as shown. No password ever stands here.

use crate::MacText;
use provost_core::entry::connector::NewConnector;
use provost_core::pbx::Reach;
use provost_store::ConnectorRow;

/// A connector as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ConnectorView {
    /// Id.
    pub id: String,
    /// The account it belongs to.
    pub account: String,
    /// What it is called.
    pub name: String,
    /// `kamailio`, `asterisk` or `freeswitch`.
    pub kind: &'static str,
    /// Name or address of the PBX.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `tls`, `plain` or `plain-anywhere`.
    pub security: &'static str,
    /// SHA-256 of the one certificate that is taken.
    pub certificate_sha256: Option<String>,
    /// The name it signs in with.
    pub user: Option<String>,
    /// Whether a password is kept.
    pub has_password: bool,
    /// Kamailio: the path of the JSON-RPC.
    pub path: String,
    /// FreeSWITCH: the Sofia profile.
    pub profile: String,
    /// The domain of the lines' addresses.
    pub domain: Option<String>,
    /// Whether it may lead to addresses of the inside.
    pub inside: bool,
    /// Whether it is asked.
    pub on: bool,
    /// What was found when it was asked last.
    pub found: FoundView,
}

/// What was found when a PBX was asked last.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FoundView {
    /// `answers`, `not reached`, `not asked yet` or `off`.
    pub state: &'static str,
    /// The same in words.
    pub words: String,
    /// When it answered last.
    pub answered_at: Option<String>,
    /// Since when it cannot be asked.
    pub not_reached_since: Option<String>,
    /// How many are registered there.
    pub registrations: Option<usize>,
}

/// Whether a phone is registered at its SIP server, as far as there is evidence.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RegisteredView {
    /// `registered`, `not registered`, or `not observed` where there is no evidence.
    pub state: &'static str,
    /// What was seen, by what and when; or why nothing was.
    pub words: String,
    /// When it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// The connector that saw it, for those who see the connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// Each line with what is registered for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RegisteredLineView>,
}

/// One line of a phone and what is registered for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RegisteredLineView {
    /// The SIP user.
    pub line: String,
    /// `registered`, `not registered` or `not known`.
    pub state: &'static str,
    /// Where it registered from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// What registered calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// When the registration ends unless the phone renews it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What became of a check-sync.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckSyncView {
    /// In one sentence.
    pub summary: String,
    /// The device.
    pub device: String,
    /// Its phone.
    pub mac: MacText,
    /// The line it was sent to.
    pub line: String,
    /// Where the phone registered from.
    pub contact: String,
    /// What the PBX answered.
    pub answer: String,
    /// What the phone answered, where the PBX says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `none`, or why it is not known whether the line was in a call.
    pub calls: String,
}

impl ConnectorView {
    pub(super) fn new(row: ConnectorRow, found: FoundView) -> Self {
        let ConnectorRow { id, account, entered, password } = row;
        let NewConnector { name, kind, host, port, security, certificate, user, path, profile, domain, reach, on } =
            entered;
        Self {
            id: id.to_string(),
            account: account.to_string(),
            name,
            kind: kind.as_str(),
            host,
            port,
            security: security.as_str(),
            certificate_sha256: certificate.map(|certificate| certificate.to_string()),
            user,
            has_password: password.is_some(),
            path,
            profile,
            domain,
            inside: reach == Reach::Inside,
            on,
            found,
        }
    }
}
