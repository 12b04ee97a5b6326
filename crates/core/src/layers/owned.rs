//! The settings that follow from people, sites and the server, and where each is changed.

/// Beginnings of settings' names, with where the value comes from.
const OWNED: &[(&str, &str)] = &[
    ("line.address", "it comes from the user's lines; change the user"),
    ("line.auth-user", "it comes from the user's lines; change the user"),
    ("line.auth-password", "it comes from the user's lines; change the user"),
    ("line.display-name", "it comes from the user's name; change the user"),
    ("line.server-address", "it comes from the site's SIP servers; change the site"),
    ("line.server-port", "it comes from the site's SIP servers; change the site"),
    ("line.server-transport", "it comes from the site's SIP servers; change the site"),
    ("line.server-register", "it comes from the site's SIP servers; change the site"),
    ("mwi.", "it comes from the user's lines and the site's voicemail number; change the site"),
    ("network.vlan-id", "it comes from the site's voice VLAN; change the site's `vlan`"),
    ("sntp.gmt-offset", "it comes from the site's time zone; change the site"),
    ("device.sntp-gmt-offset", "it comes from the site's time zone; change the site"),
    ("dst.", "it comes from the site's time zone; change the site"),
    (
        "device.sntp-server",
        "it comes from the server's configuration: without the right time a phone cannot judge this server's certificate; `sntp.address` may be set, it counts once the phone runs",
    ),
    ("pin.", "it keeps the phone with this server and comes from `public-url`"),
    ("tls.", "it comes from the server's own authority"),
    ("password.", "Provost draws it for each phone; give the device new passwords instead"),
    ("polling.", "Provost decides when phones ask, and tells by it which did not"),
];

/// Why no layer may hold this setting; `None` when one may.
pub fn owner_of(setting: &str) -> Option<&'static str> {
    OWNED.iter().find(|(beginning, _)| setting.starts_with(beginning)).map(|(_, why)| *why)
}
