//! What phones are told, from the command line.

use super::{Call, get, object, post};
use crate::args::{Configuration, LayerOf, SetEntries, Target};
use crate::failure::Failure;
use serde_json::{Map, Value, json};

const LAYER: &[&str] = &["subject", "name", "revision", "settings", "raw", "warnings", "reaches"];
const HISTORY: &[&str] = &["revision", "at", "who", "why", "changes"];
const EFFECTIVE: &[&str] = &["parameter", "value", "layer", "origin", "overridden"];
const CHANGES: &[&str] = &["subject", "changes", "not-told", "warnings"];
const FILES: &[&str] = &["files"];
const DIFF: &[&str] = &["parameter", "change", "before", "after"];
const OVERRIDES: &[&str] = &["parameter", "value", "from", "hides"];

pub(super) fn configuration_call(command: Configuration) -> Result<Call, Failure> {
    let at = |id: &str, what: &str| format!("/devices/{id}/{what}");
    Ok(match command {
        Configuration::Show { of, reveal, target } => read(target, address(&of), (reveal, LAYER)),
        Configuration::Set { of, entries, reason, target } => {
            let body = with(set(entries)?, [("reason", reason.map(Value::from))]);
            Call { target, method: "PATCH", path: address(&of), body: Some(body), columns: LAYER }
        }
        Configuration::History { of, target } => get(target, format!("{}/history", address(&of)), HISTORY),
        Configuration::Revert { of, to, reason, target } => {
            let body = object([("to", to.map(Value::from)), ("reason", reason.map(Value::from))]);
            post(target, format!("{}/revert", address(&of)), Some(body), LAYER)
        }
        Configuration::Effective { id, reveal, target } => read(target, at(&id, "effective"), (reveal, EFFECTIVE)),
        Configuration::Preview { id, layer, account, entries, files, reveal, target } => {
            let more = [
                ("layer", Some(json!(layer))),
                ("account", account.map(Value::from)),
                ("reveal", reveal.map(Value::from)),
            ];
            let columns = if files { FILES } else { CHANGES };
            post(target, at(&id, "preview"), Some(with(set(entries)?, more)), columns)
        }
        Configuration::Diff { id, target } => get(target, at(&id, "fetched-diff"), DIFF),
        Configuration::Overrides { id, target } => get(target, at(&id, "overrides"), OVERRIDES),
        Configuration::Clear { id, reason, target } => {
            let body = Some(object([("reason", reason.map(Value::from))]));
            Call { target, method: "DELETE", path: at(&id, "overrides"), body, columns: OVERRIDES }
        }
    })
}

/// Where the API has a layer.
fn address(of: &LayerOf) -> String {
    let LayerOf { account, site, model, device, .. } = of;
    match (account, site, model, device) {
        (Some(account), _, None, _) => format!("/accounts/{account}/configuration"),
        (Some(account), _, Some(model), _) => format!("/accounts/{account}/models/{model}/configuration"),
        (None, Some(site), ..) => format!("/sites/{site}/configuration"),
        (None, None, Some(model), _) => format!("/models/{model}/configuration"),
        (None, None, None, Some(device)) => format!("/devices/{device}/configuration"),
        (None, None, None, None) => "/configuration".to_owned(),
    }
}

fn read(target: Target, path: String, (reveal, columns): (Option<String>, &'static [&'static str])) -> Call {
    match reveal {
        Some(reason) => post(target, format!("{path}/secrets"), Some(json!({ "reason": reason })), columns),
        None => get(target, path, columns),
    }
}

/// The entries as the API takes them.
fn set(entries: SetEntries) -> Result<Value, Failure> {
    let SetEntries { settings, raw, unset, unset_raw } = entries;
    Ok(json!({ "settings": pairs(settings, unset)?, "raw": pairs(raw, unset_raw)? }))
}

fn pairs(set: Vec<String>, unset: Vec<String>) -> Result<Map<String, Value>, Failure> {
    let mut all = Map::new();
    for text in set {
        let Some((name, value)) = text.split_once('=') else {
            return Err(Failure::Usage(format!("`{text}` names no value; write NAME=VALUE")));
        };
        all.insert(name.to_owned(), json!(value));
    }
    all.extend(unset.into_iter().map(|name| (name, Value::Null)));
    Ok(all)
}

fn with<const N: usize>(mut body: Value, more: [(&str, Option<Value>); N]) -> Value {
    if let (Value::Object(body), Value::Object(more)) = (&mut body, object(more)) {
        body.extend(more);
    }
    body
}
