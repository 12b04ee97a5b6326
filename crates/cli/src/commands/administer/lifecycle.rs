//! What becomes of devices, users and sites, from the command line.

use super::{Call, DEVICE, SITE, USER, get, object, post, sip_server};
use crate::args::{DeviceLife, EditUser, PhoneLife, SiteLife, Target, UserLife};
use crate::failure::Failure;
use serde_json::{Value, json};

const PASSWORDS: &[&str] = &["mac", "state", "admin-password", "user-password", "made-at", "words"];
const RELEASED: &[&str] = &["id", "model", "mac", "released-at", "restorable-until", "removed-at"];
const PHONES: &[&str] = &["mac", "bound-at", "ended-at", "ended-how"];

pub(super) fn device_life_call(command: DeviceLife) -> Call {
    let at = |id: &str, what: &str| format!("/devices/{id}/{what}");
    match command {
        DeviceLife::Show { id, target } => get(target, format!("/devices/{id}"), DEVICE),
        DeviceLife::Move { id, user, target } => post(target, at(&id, "move"), Some(json!({ "user": user })), DEVICE),
        DeviceLife::Unassign(it) => post(it.target, at(&it.id, "unassign"), Some(why(it.reason)), DEVICE),
        DeviceLife::Swap { id, mac, reason, target } => {
            let body = object([("mac", mac.map(Value::from)), ("reason", reason.map(Value::from))]);
            post(target, at(&id, "swap"), Some(body), DEVICE)
        }
        DeviceLife::Release(it) => post(it.target, at(&it.id, "release"), Some(why(it.reason)), RELEASED_DEVICE),
        DeviceLife::Restore { id, user, target } => {
            post(target, at(&id, "restore"), Some(object([("user", user.map(Value::from))])), DEVICE)
        }
        DeviceLife::Remove(it) => {
            let body = Some(why(it.reason));
            Call { body, ..delete(it.target, format!("/devices/{}", it.id), &["id", "state", "restorable-until"]) }
        }
        DeviceLife::Released { target } => get(target, "/devices/released", RELEASED),
        DeviceLife::RotatePassword(it) => {
            post(it.target, at(&it.id, "rotate-passwords"), Some(json!({ "reason": it.reason })), DEVICE)
        }
        DeviceLife::Passwords(it) => {
            post(it.target, at(&it.id, "passwords"), Some(json!({ "reason": it.reason })), PASSWORDS)
        }
        DeviceLife::Phones { id, target } => get(target, at(&id, "phones"), PHONES),
        DeviceLife::CheckSync { id, reboot, reason, target } => {
            let body = object([("reboot", reboot.map(Value::from)), ("reason", reason.map(Value::from))]);
            post(target, at(&id, "check-sync"), Some(body), &[])
        }
        DeviceLife::Timeline { id, target } => get(target, at(&id, "timeline"), &["at", "sentence", "advice"]),
    }
}

const RELEASED_DEVICE: &[&str] = &["id", "model", "state", "released-at", "restorable-until"];

pub(super) fn phone_life_call(command: PhoneLife) -> Call {
    let PhoneLife::Readmit { mac, reason, target } = command;
    post(target, format!("/phones/{mac}/readmit"), Some(why(reason)), &["mac", "state"])
}

pub(super) fn user_life_call(command: UserLife) -> Call {
    match command {
        UserLife::Show { id, target } => get(target, format!("/users/{id}"), USER),
        UserLife::Remove { id, target } => delete(target, format!("/users/{id}"), USER),
        UserLife::Edit(EditUser { id, site, name, extension, email, language, lines, target }) => {
            let line = |text: &String| match text.split_once(':') {
                Some((user, password)) => json!({ "user": user, "password": password }),
                None => json!({ "user": text }),
            };
            let lines = (!lines.is_empty()).then(|| Value::Array(lines.iter().map(line).collect()));
            let body = object([
                ("site", site.map(Value::from)),
                ("name", name.map(Value::from)),
                ("extension", extension.map(Value::from)),
                ("email", email.map(or_nothing)),
                ("language", language.map(or_nothing)),
                ("lines", lines),
            ]);
            patch(target, format!("/users/{id}"), (body, USER))
        }
    }
}

pub(super) fn site_life_call(command: SiteLife) -> Result<Call, Failure> {
    match command {
        SiteLife::Show { id, target } => Ok(get(target, format!("/sites/{id}"), SITE)),
        SiteLife::Remove { id, target } => Ok(delete(target, format!("/sites/{id}"), SITE)),
        SiteLife::Edit(site) => {
            let servers = site.sip_servers.iter().map(|text| sip_server(text)).collect::<Result<Vec<_>, _>>()?;
            let body = object([
                ("name", site.name.map(Value::from)),
                ("time-zone", site.time_zone.map(Value::from)),
                ("country", site.country.map(or_nothing)),
                ("language", site.language.map(or_nothing)),
                ("sip-servers", (!servers.is_empty()).then_some(Value::Array(servers))),
                ("vlan", site.vlan.map(|vlan| if vlan == 0 { Value::Null } else { Value::from(vlan) })),
                ("voicemail", site.voicemail.map(or_nothing)),
                ("emergency-address", site.emergency_address.map(or_nothing)),
            ]);
            Ok(patch(site.target, format!("/sites/{}", site.id), (body, SITE)))
        }
    }
}

fn why(reason: Option<String>) -> Value {
    object([("reason", reason.map(Value::from))])
}

/// An empty text takes the field away.
fn or_nothing(text: String) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

fn delete(target: Target, path: String, columns: &'static [&'static str]) -> Call {
    Call { target, method: "DELETE", path, body: None, columns }
}

fn patch(target: Target, path: String, (body, columns): (Value, &'static [&'static str])) -> Call {
    Call { target, method: "PATCH", path, body: Some(body), columns }
}
