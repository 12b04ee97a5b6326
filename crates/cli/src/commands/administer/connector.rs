//! Connectors to customers' PBXs from the command line.

use super::{Call, get, object, post};
use crate::args::{Connector, ConnectorEdit, ConnectorId, ConnectorSettings, NewConnector};
use crate::failure::Failure;
use serde_json::{Map, Value, json};

const CONNECTOR: &[&str] = &["id", "account", "name", "kind", "host", "port", "security", "inside", "on", "found"];

pub(super) fn connector_call(command: Connector) -> Result<Call, Failure> {
    let at = |it: &ConnectorId| format!("/accounts/{}/connectors/{}", it.account, it.connector);
    Ok(match command {
        Connector::Add(new) => add(new)?,
        Connector::List { account, target } => get(target, format!("/accounts/{account}/connectors"), CONNECTOR),
        Connector::Show(it) => {
            let path = at(&it);
            get(it.target, path, CONNECTOR)
        }
        Connector::Change(edit) => change(edit)?,
        Connector::Remove(it) => {
            let path = at(&it);
            Call { target: it.target, method: "DELETE", path, body: None, columns: &["id", "name", "host"] }
        }
        Connector::Test(it) => {
            let path = format!("{}/test", at(&it));
            post(it.target, path, None, &["id", "found"])
        }
    })
}

fn add(new: NewConnector) -> Result<Call, Failure> {
    let NewConnector { account, kind, host, settings, inside, off, target } = new;
    let mut body = fields(settings, Value::from)?;
    body.extend([("kind".to_owned(), json!(kind)), ("host".to_owned(), json!(host))]);
    body.extend([("inside".to_owned(), json!(inside)), ("on".to_owned(), json!(!off))]);
    Ok(post(target, format!("/accounts/{account}/connectors"), Some(Value::Object(body)), CONNECTOR))
}

fn change(edit: ConnectorEdit) -> Result<Call, Failure> {
    let ConnectorEdit { account, connector, kind, host, settings, inside, on, off, target } = edit;
    let mut body = fields(settings, |text| if text.is_empty() { Value::Null } else { Value::from(text) })?;
    let more = object([
        ("kind", kind.map(Value::from)),
        ("host", host.map(Value::from)),
        ("inside", inside.map(Value::from)),
        ("on", (on || off).then(|| json!(on))),
    ]);
    body.extend(more.as_object().cloned().unwrap_or_default());
    let path = format!("/accounts/{account}/connectors/{connector}");
    Ok(Call { target, method: "PATCH", path, body: Some(Value::Object(body)), columns: CONNECTOR })
}

/// The settings that were given; `or_none` makes of a text what may be without it.
fn fields(settings: ConnectorSettings, or_none: fn(String) -> Value) -> Result<Map<String, Value>, Failure> {
    let password = match &settings.password_file {
        None => None,
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("--password-file {}: {error}", file.display())))?;
            Some(text.lines().next().unwrap_or_default().to_owned())
        }
    };
    let given = object([
        ("name", settings.name.map(Value::from)),
        ("port", settings.port.map(Value::from)),
        ("security", settings.security.map(Value::from)),
        ("certificate-sha256", settings.certificate_sha256.map(or_none)),
        ("user", settings.user.map(or_none)),
        ("password", password.map(or_none)),
        ("path", settings.path.map(Value::from)),
        ("profile", settings.profile.map(Value::from)),
        ("domain", settings.domain.map(or_none)),
    ]);
    Ok(given.as_object().cloned().unwrap_or_default())
}
