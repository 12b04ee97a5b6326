//! What administrators keep, as shown.

use crate::connectors::RegisteredView;
use crate::doors::EmergencyRouteView;
use crate::mail::WelcomeMailView;
use crate::vault::token_digest;
use provost_core::mac::MacAddr;

/// An account as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AccountView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// The account it is below.
    pub parent: Option<String>,
}

/// A site as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SiteView {
    /// Id.
    pub id: String,
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// IANA zone.
    pub time_zone: String,
    /// Country, given or of the zone.
    pub country: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// Servers in order.
    pub sip_servers: Vec<SipServerView>,
    /// Voice VLAN.
    pub vlan: Option<u16>,
    /// Voicemail number.
    pub voicemail: Option<String>,
    /// Street address for emergency services.
    pub emergency_address: Option<String>,
    /// Where emergency calls of its unclaimed phones are sent on to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_route: Option<EmergencyRouteView>,
}

impl SiteView {
    /// What tells one state of the site from another, as far as its form is about it.
    pub fn mark(&self) -> String {
        let servers: Vec<_> = self.sip_servers.iter().map(|to| (&to.host, to.port, to.transport)).collect();
        let zone = (&self.time_zone, &self.country, &self.language);
        state_mark(&(&self.name, zone, servers, self.vlan, &self.voicemail, &self.emergency_address))
    }
}

/// A SIP server as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct SipServerView {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Transport.
    pub transport: &'static str,
}

/// A user as shown: passwords never.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UserView {
    /// Id.
    pub id: String,
    /// Site.
    pub site: String,
    /// Account of the site.
    pub account: String,
    /// Name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: Option<String>,
    /// Language tag, where it is not the site's.
    pub language: Option<String>,
    /// Lines in order.
    pub lines: Vec<LineView>,
    /// What became of the newest welcome mail, if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub welcome_mail: Option<WelcomeMailView>,
}

impl UserView {
    /// What tells one state of the user from another, as far as their form is about it.
    pub fn mark(&self) -> String {
        let lines: Vec<_> = self.lines.iter().map(|line| (&line.user, &line.auth_user, line.has_password)).collect();
        state_mark(&(&self.site, &self.name, &self.extension, &self.email, &self.language, lines))
    }
}

/// A SIP line as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LineView {
    /// SIP user.
    pub user: String,
    /// Digest name.
    pub auth_user: Option<String>,
    /// Whether a password is kept.
    pub has_password: bool,
}

/// An open activation code as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CodeView {
    /// Thirteen digits.
    pub code: String,
    /// Grouped 4-4-5.
    pub shown: String,
    /// RFC 3339.
    pub expires_at: String,
}

/// A device as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DeviceView {
    /// Id.
    pub id: String,
    /// Account.
    pub account: String,
    /// Model id.
    pub model: String,
    /// Model name.
    pub model_name: String,
    /// User id.
    pub user: Option<String>,
    /// Their name.
    pub user_name: Option<String>,
    /// Their extension.
    pub extension: Option<String>,
    /// Their site's name.
    pub site_name: Option<String>,
    /// The phone: bound, or named beforehand.
    pub mac: Option<MacText>,
    /// Lifecycle state.
    pub state: &'static str,
    /// When it was bound.
    pub bound_at: Option<String>,
    /// Where the phone stands between its claim and its return, if it did not come back yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaited: Option<String>,
    /// Last contact of the phone.
    pub last_seen: Option<String>,
    /// How many times in a row the phone did not ask when its configuration says it does; absent where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_polls: Option<i64>,
    /// Whether the phone is registered at its SIP server.
    pub registered: RegisteredView,
    /// When the device was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released_at: Option<String>,
    /// Until when it can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restorable_until: Option<String>,
    /// Firmware of the phone.
    pub firmware: Option<String>,
    /// Certificate status of the phone.
    pub certificate: Option<String>,
    /// The open activation code.
    pub activation_code: Option<CodeView>,
    /// Why its phone gets nothing, though nobody barred it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_served: Option<&'static str>,
    /// Every device that names or has the same phone, for those who see them all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clash: Vec<ClaimantView>,
}

/// A device that names a phone which another names too.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ClaimantView {
    /// The device.
    pub device: String,
    /// Its account.
    pub account: String,
}

/// A MAC address as JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
#[schemars(transparent)]
pub struct MacText(#[schemars(with = "String", regex(pattern = "^[0-9a-f]{12}$"))] pub MacAddr);

impl serde::Serialize for MacText {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl std::fmt::Display for MacText {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// What tells one state from another, and nothing more.
fn state_mark(state: &impl std::fmt::Debug) -> String {
    hex::encode(token_digest(&format!("{state:?}")))
}
