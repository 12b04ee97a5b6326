//! Which firmware phones are led to, from the command line.

use super::firmware::removal;
use super::{Call, get, object, post};
use crate::args::{DoorCommand, FirmwarePolicy, OfVersion, PolicyCommand, RingCommand, SetPolicy, Target};
use serde_json::{Value, json};
use url::form_urlencoded::{Serializer, byte_serialize};

const POLICY: &[&str] = &[
    "id",
    "reach",
    "target",
    "window",
    "slots",
    "after-ring",
    "hours",
    "most-failures",
    "reason",
    "paused",
    "remarks",
];
const RING: &[&str] = &["device", "ring"];
const STEPS: &[&str] = &["id", "offered-at", "mac", "model", "from", "to", "state", "sent", "bytes", "ended-as"];
const SPREAD: &[&str] = &["model-name", "firmware", "phones", "level", "end-of-life"];
const LADDER: &[&str] = &["kind", "version", "image", "evidence"];
const DOOR: &[&str] = &["id", "mac", "model", "ends-at", "reason", "url"];
const DEVICE: &[&str] = &["mac", "runs", "updater", "level", "target", "policy", "ring", "next", "state"];

pub(super) fn firmware_policy_call(command: FirmwarePolicy) -> Call {
    match command {
        FirmwarePolicy::Policy(command) => policy_call(command),
        FirmwarePolicy::Ring(RingCommand::Set { device, ring, target }) => {
            let body = Some(json!({ "ring": ring }));
            Call { target, method: "PUT", path: format!("/firmware/rings/{}", escaped(&device)), body, columns: RING }
        }
        FirmwarePolicy::Ring(RingCommand::List { target }) => get(target, "/firmware/rings", RING),
        FirmwarePolicy::Steps { state, target } => {
            let path = state
                .map_or("/firmware/steps".to_owned(), |state| format!("/firmware/steps?state={}", escaped(&state)));
            get(target, path, STEPS)
        }
        FirmwarePolicy::Spread { target } => get(target, "/firmware/spread", SPREAD),
        FirmwarePolicy::Pause(of) => version_call(of, "pause"),
        FirmwarePolicy::Resume(of) => version_call(of, "resume"),
        FirmwarePolicy::Now { device, reason, target } => {
            let body = json!({ "reason": reason });
            post(target, format!("/devices/{}/firmware/now", escaped(&device)), Some(body), &[])
        }
        FirmwarePolicy::Device { device, target } => {
            get(target, format!("/devices/{}/firmware", escaped(&device)), DEVICE)
        }
        FirmwarePolicy::Ladder { model, from, updater, to, target } => {
            let mut query = Serializer::new(String::new());
            query.append_pair("model", &model).append_pair("version", &from).append_pair("target", &to);
            if let Some(updater) = &updater {
                query.append_pair("updater", updater);
            }
            get(target, format!("/firmware/ladder?{}", query.finish()), LADDER)
        }
        FirmwarePolicy::Door(command) => door_call(command),
    }
}

fn policy_call(command: PolicyCommand) -> Call {
    match command {
        PolicyCommand::Set(policy) => set_call(*policy),
        PolicyCommand::List { target } => get(target, "/firmware/policies", POLICY),
        PolicyCommand::Remove { id, reason, target } => delete(target, removal("policies", &id, &reason), POLICY),
    }
}

fn set_call(policy: SetPolicy) -> Call {
    let body = object([
        ("account", policy.account.map(Value::from)),
        ("site", policy.site.map(Value::from)),
        ("model", policy.model.map(Value::from)),
        ("ring", policy.ring.map(Value::from)),
        ("target", Some(json!(policy.version))),
        ("window", policy.window.map(Value::from)),
        ("slots", policy.slots.map(Value::from)),
        ("after-ring", policy.after_ring.map(Value::from)),
        ("hours", policy.hours.map(Value::from)),
        ("most-failures", policy.most_failures.map(Value::from)),
        ("reason", Some(json!(policy.reason))),
    ]);
    post(policy.target, "/firmware/policies", Some(body), POLICY)
}

fn version_call(of: OfVersion, what: &str) -> Call {
    let body = json!({ "version": of.version, "reason": of.reason });
    post(of.target, format!("/firmware/policies/{}/{what}", escaped(&of.policy)), Some(body), POLICY)
}

fn door_call(command: DoorCommand) -> Call {
    match command {
        DoorCommand::Open { mac, model, hours, reason, target } => {
            let body = json!({ "mac": mac, "model": model, "hours": hours, "reason": reason });
            post(target, "/firmware/doors", Some(body), DOOR)
        }
        DoorCommand::List { target } => get(target, "/firmware/doors", DOOR),
        DoorCommand::Close { id, target } => delete(target, format!("/firmware/doors/{}", escaped(&id)), DOOR),
    }
}

fn delete(target: Target, path: String, columns: &'static [&'static str]) -> Call {
    Call { target, method: "DELETE", path, body: None, columns }
}

/// What somebody wrote, as a part of a path: it names one thing, and never another path.
fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_one_part_of_a_path() {
        assert_eq!(escaped("device_01jd0ck3v8"), "device_01jd0ck3v8");
        assert_eq!(escaped("x/../../tokens?a&b#c"), "x%2F..%2F..%2Ftokens%3Fa%26b%23c");
    }
}
