//! References and emergency routes from the command line.

use super::{Call, get};
use crate::args::{Doors, EmergencyRoute};
use serde_json::json;

const REFERENCE: &[&str] = &["reference", "at", "phone", "sentence", "next-step"];
const ROUTE: &[&str] = &["networks", "to"];

pub(super) fn doors_call(command: Doors) -> Call {
    let Doors::Reference { reference, target } = command;
    // What is no reference is not found, whatever it holds: it must not become another address.
    let asked: String = reference.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    get(target, format!("/references/{asked}"), REFERENCE)
}

pub(super) fn emergency_route_call(route: EmergencyRoute) -> Call {
    let path = format!("/sites/{}/emergency-route", route.site);
    let (method, body) = match route.to {
        Some(to) => ("PUT", Some(json!({ "networks": route.networks, "to": to }))),
        None => ("DELETE", None),
    };
    Call { target: route.target, method, path, body, columns: ROUTE }
}
