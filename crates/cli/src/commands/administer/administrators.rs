//! Administrators from the command line.

use super::{Call, Target, get, object, post};
use crate::args::Administrator;
use serde_json::{Value, json};

const ADMINISTRATOR: &[&str] = &[
    "id",
    "email",
    "name",
    "role",
    "account",
    "site",
    "disabled",
    "must-choose-password",
    "totp",
    "last-signed-in-at",
];
const WITH_PASSWORD: &[&str] = &["id", "email", "one-time-password", "expires-at"];

pub(super) fn administrator_call(command: Administrator) -> Call {
    match command {
        Administrator::Create(new) => {
            let body = object([
                ("email", Some(json!(new.email))),
                ("name", Some(json!(new.name))),
                ("role", Some(json!(new.role))),
                ("account", new.account.map(Value::from)),
                ("site", new.site.map(Value::from)),
                ("language", new.language.map(Value::from)),
            ]);
            post(new.target, "/administrators", Some(body), WITH_PASSWORD)
        }
        Administrator::List { target } => get(target, "/administrators", ADMINISTRATOR),
        Administrator::Show(one) => get(one.target, format!("/administrators/{}", one.id), ADMINISTRATOR),
        Administrator::Change(change) => {
            let whole = change.whole_server.then_some(Value::Null);
            // An account without a site is all of it, which has to be said.
            let all_of_it = change.account.as_ref().map(|_| Value::Null);
            let body = object([
                ("email", change.email.map(Value::from)),
                ("name", change.name.map(Value::from)),
                ("role", change.role.map(Value::from)),
                ("account", change.account.map(Value::from).or(whole)),
                ("site", change.site.map(Value::from).or(all_of_it)),
                ("language", change.language.map(Value::from)),
            ]);
            patch(change.target, &change.id, body)
        }
        Administrator::Disable(one) => patch(one.target, &one.id, json!({ "disabled": true })),
        Administrator::Enable(one) => patch(one.target, &one.id, json!({ "disabled": false })),
        Administrator::Remove(one) => delete(one.target, format!("/administrators/{}", one.id), ADMINISTRATOR),
        Administrator::ResetPassword { id, turn_off_totp, target } => {
            let body = json!({ "turn-off-totp": turn_off_totp });
            post(target, format!("/administrators/{id}/reset-password"), Some(body), WITH_PASSWORD)
        }
        Administrator::EndSessions(one) => {
            delete(one.target, format!("/administrators/{}/sessions", one.id), &["ended"])
        }
    }
}

fn patch(target: Target, id: &str, body: Value) -> Call {
    Call { target, method: "PATCH", path: format!("/administrators/{id}"), body: Some(body), columns: ADMINISTRATOR }
}

fn delete(target: Target, path: String, columns: &'static [&'static str]) -> Call {
    Call { target, method: "DELETE", path, body: None, columns }
}
