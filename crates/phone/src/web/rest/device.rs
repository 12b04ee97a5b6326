//! What REST tells of the phone, its network and its lines.
//!
//! Decides the shapes: those of domain notes 7.2, as recorded from a VVX 350 and as tools read them. What this phone
//! does not know of itself is left out.

use std::time::Duration;

use provost_catalog::Version;
use serde_json::{Value, json};

use crate::screen::{LineKey, Registration};
use crate::web::site::Visit;

/// From this on the first form has the members of the second, too.
const NESTED_FROM: &str = "5.7";

pub(crate) fn info(visit: &Visit<'_>) -> Value {
    let nested = NESTED_FROM.parse().is_ok_and(|from: Version| visit.firmware >= from);
    let view = &visit.view;
    let common = json!({
        "ModelNumber": view.model_name,
        "DeviceType": "HardwareEndpoint",
        "DeviceVendor": "Polycom",
        "MACAddress": view.mac.to_string(),
        "IPV4Address": address(visit),
    });
    let own = match nested {
        true => json!({ "Firmware": firmware(visit), "UpTime": up_time(view.up), "ReadyToUse": "True" }),
        false => json!({
            "FirmwareRelease": view.versions.application,
            "UpTimeSinceLastReboot": up_time_in_words(view.up),
            "MacAddress": view.mac.to_string(),
        }),
    };
    joined(common, own)
}

pub(crate) fn info_v2(visit: &Visit<'_>) -> Value {
    let view = &visit.view;
    json!({
        "DeviceType": "HardwareEndpoint",
        "DeviceVendor": "Polycom",
        "ModelNumber": view.model_name,
        "MACAddress": view.mac.to_string(),
        "Firmware": firmware(visit),
        "UpTime": up_time(view.up),
        "AttachedHardware": { "EM": [] },
        "CanApplyShutdownRequest": "True",
        "IntendToShutdown": "False",
        "ReadyToUse": "True",
        "IPStack": if visit.asked.here().is_ipv6() { "IPv6 Only" } else { "IPv4 Only" },
        "IPAddress": address(visit),
        "AppState": "AppStateCall",
    })
}

/// The address the phone speaks from, or was reached at.
fn address(visit: &Visit<'_>) -> String {
    visit.view.address.unwrap_or_else(|| visit.asked.here()).to_string()
}

fn firmware(visit: &Visit<'_>) -> Value {
    let versions = &visit.view.versions;
    json!({ "Application": versions.application, "Updater": versions.updater })
}

/// Days, hours, minutes and seconds.
fn parts(up: Duration) -> [u64; 4] {
    let seconds = up.as_secs();
    [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60]
}

fn up_time(up: Duration) -> Value {
    let [days, hours, minutes, seconds] = parts(up).map(|number| number.to_string());
    json!({ "Days": days, "Hours": hours, "Minutes": minutes, "Seconds": seconds })
}

fn up_time_in_words(up: Duration) -> String {
    let [days, hours, minutes, seconds] = parts(up);
    let plural = if days == 1 { "" } else { "s" };
    format!("{days} Day{plural} {hours}:{minutes:02}:{seconds:02}")
}

/// Puts the members of two objects into one.
fn joined(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}

pub(crate) fn network(visit: &Visit<'_>) -> Value {
    json!({
        "IPV4Address": address(visit),
        "MACAddress": visit.view.mac.to_string(),
        "ProvServerAddress": visit.view.boot_server.as_deref().unwrap_or_default(),
    })
}

const fn registration(line: &LineKey) -> &'static str {
    match line.registration {
        Registration::Registered => "registered",
        Registration::Off | Registration::NotObserved | Registration::Unregistered => "unregistered",
    }
}

/// What the configuration says of a line, by the catalog's word for the setting.
fn setting<'a>(visit: &'a Visit<'_>, word: &str, line: u32) -> &'a str {
    let Visit { site, firmware, .. } = visit;
    let parameter = visit.model().and_then(|model| site.catalog.setting(word, &model, firmware));
    parameter.and_then(|setting| visit.value(&setting.parameter(line, 1))).unwrap_or_default()
}

pub(crate) fn lines(visit: &Visit<'_>) -> Value {
    let line = |line: &LineKey| {
        json!({
            "LineNumber": line.line.to_string(),
            "Label": line.label,
            "RegistrationStatus": registration(line),
            "SIPAddress": setting(visit, "line.address", line.line),
            "UserID": setting(visit, "line.auth-user", line.line),
            "ProxyAddress": setting(visit, "line.server-address", line.line),
            "Port": setting(visit, "line.server-port", line.line),
            "LineType": "private",
            "Protocol": "SIP",
        })
    };
    visit.view.lines.iter().map(line).collect()
}

pub(crate) fn lines_v2(visit: &Visit<'_>) -> Value {
    let line = |line: &LineKey| {
        json!({
            "LineNumber": line.line.to_string(),
            "Label": line.label,
            "RegistrationStatus": registration(line),
            "Username": setting(visit, "line.address", line.line),
            "ProxyAddress": setting(visit, "line.server-address", line.line),
            "Port": setting(visit, "line.server-port", line.line),
            "LineType": "private",
            "Protocol": "SIP",
        })
    };
    visit.view.lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_since_power_on_is_told_in_both_forms() {
        let up = Duration::from_secs(86_400 + 3_600 + 3 * 60 + 1);

        assert_eq!(up_time(up), json!({ "Days": "1", "Hours": "1", "Minutes": "3", "Seconds": "1" }));
        assert_eq!(up_time_in_words(up), "1 Day 1:03:01");
    }
}
