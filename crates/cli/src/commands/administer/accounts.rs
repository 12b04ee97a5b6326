//! Accounts and tokens from the command line.

use super::{Call, get, object, post};
use crate::args::{Account, Token};
use serde_json::{Value, json};

const ACCOUNT: &[&str] = &["id", "name", "parent"];
const TOKEN: &[&str] =
    &["id", "role", "name", "account", "site", "created-at", "expires-at", "revoked-at", "last-used-at"];

pub(super) fn account_call(command: Account) -> Call {
    match command {
        Account::Create { name, parent, target } => {
            let body = object([("name", Some(json!(name))), ("parent", parent.map(Value::from))]);
            post(target, "/accounts", Some(body), ACCOUNT)
        }
        Account::List { target } => get(target, "/accounts", ACCOUNT),
        Account::Show { id, target } => get(target, format!("/accounts/{id}"), ACCOUNT),
        Account::Rename { id, name, target } => Call {
            target,
            method: "PATCH",
            path: format!("/accounts/{id}"),
            body: Some(json!({ "name": name })),
            columns: ACCOUNT,
        },
    }
}

pub(super) fn token_call(command: Token) -> Call {
    match command {
        Token::Create(new) => {
            let body = object([
                ("role", Some(json!(new.role))),
                ("name", new.name.map(Value::from)),
                ("account", new.account.map(Value::from)),
                ("site", new.site.map(Value::from)),
                ("expires-in-days", new.days.map(Value::from)),
            ]);
            // Alone, so that a script catches it.
            post(new.target, "/tokens", Some(body), &["token"])
        }
        Token::List { target } => get(target, "/tokens", TOKEN),
        Token::Revoke { id, target } => {
            Call { target, method: "DELETE", path: format!("/tokens/{id}"), body: None, columns: TOKEN }
        }
    }
}
