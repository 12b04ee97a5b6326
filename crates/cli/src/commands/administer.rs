//! Accounts, sites, users, devices, codes and timelines from the command line: the API, thinly.

mod accounts;
mod administrators;
mod configuration;
mod connector;
mod doors;
pub(crate) mod firmware;
mod firmware_policy;
mod guard;
pub(crate) mod import;
mod lifecycle;
mod mail;
pub(crate) mod report;

use crate::args::{Administer, Code, Device, NewSite, NewUser, Site, Target, User};
use crate::client::Client;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::Place;
use accounts::{account_call, token_call};
use administrators::administrator_call;
use configuration::configuration_call;
use connector::connector_call;
use doors::{doors_call, emergency_route_call};
use guard::guard_call;
use lifecycle::{device_life_call, phone_life_call, site_life_call, user_life_call};
use mail::mail_call;
use serde_json::{Map, Value, json};

/// One call of the API and how its answer is shown.
struct Call {
    target: Target,
    method: &'static str,
    path: String,
    body: Option<Value>,
    columns: &'static [&'static str],
}

const DEVICE: &[&str] = &["id", "model", "state", "extension", "user-name", "mac", "activation-code", "last-seen"];
const CODE: &[&str] = &["shown", "expires-at"];
const SITE: &[&str] = &["id", "account", "name", "time-zone", "country"];
const USER: &[&str] = &["id", "site", "extension", "name"];

pub(crate) async fn run(place: &Place<'_>, command: Administer) -> Result<(), Failure> {
    let call = call_of(command)?;
    let client = Client::find(place, &call.target).await?;
    let answer = whole(&client, &call).await;
    client.close().await;
    let answer = answer?;
    if call.target.json {
        say(serde_json::to_string_pretty(&answer).map_err(Failure::runtime)?);
    } else {
        if let Some(summary) = answer.get("summary").and_then(Value::as_str) {
            say(summary);
        }
        for line in lines(&answer, call.columns) {
            say(line);
        }
    }
    if call.path.ends_with("/test") { reached(&answer) } else { Ok(()) }
}

/// A PBX that was asked and did not answer is a failure, also where the asking itself went well.
fn reached(answer: &Value) -> Result<(), Failure> {
    let found = answer.get("found").filter(|found| found.get("state").and_then(Value::as_str) == Some("not reached"));
    match found.and_then(|found| found.get("words")).and_then(Value::as_str) {
        Some(words) => Err(Failure::runtime(words)),
        None => Ok(()),
    }
}

/// The answer; of a list all pages, but of a timeline the newest only.
async fn whole(client: &Client, call: &Call) -> Result<Value, Failure> {
    let mut answer = client.call(call.method, &call.path, call.body.as_ref()).await?;
    // Of one thing, `next` may be a sentence about it.
    let is_list = call.method == "GET" && !call.path.ends_with("/timeline") && answer.get("items").is_some();
    let joint = if call.path.contains('?') { '&' } else { '?' };
    while let Some(next) = answer.get("next").and_then(Value::as_str).filter(|_| is_list) {
        let page = client.call(call.method, &format!("{}{joint}after={next}", call.path), None).await?;
        let more = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) {
            items.extend(more);
        }
        let next = page.get("next").cloned();
        if let Some(fields) = answer.as_object_mut() {
            match next {
                Some(next) => fields.insert("next".to_owned(), next),
                None => fields.remove("next"),
            };
        }
    }
    Ok(answer)
}

fn get(target: Target, path: impl Into<String>, columns: &'static [&'static str]) -> Call {
    Call { target, method: "GET", path: path.into(), body: None, columns }
}

fn post(target: Target, path: impl Into<String>, body: Option<Value>, columns: &'static [&'static str]) -> Call {
    Call { target, method: "POST", path: path.into(), body, columns }
}

fn call_of(command: Administer) -> Result<Call, Failure> {
    Ok(match command {
        Administer::Account(command) => account_call(command),
        Administer::Site(Site::Create(site)) => new_site(site)?,
        Administer::Site(Site::EmergencyRoute(route)) => emergency_route_call(route),
        Administer::Site(Site::Life(command)) => site_life_call(command)?,
        Administer::Site(Site::List { target }) => get(target, "/sites", SITE),
        Administer::User(User::Create(user)) => new_user(user)?,
        Administer::User(User::Life(command)) => user_life_call(command),
        Administer::User(User::List { target }) => get(target, "/users", USER),
        Administer::Device(Device::Create { account, model, user, mac, target }) => {
            let body = object([
                ("account", Some(json!(account))),
                ("model", Some(json!(model))),
                ("user", user.map(Value::from)),
                ("mac", mac.map(Value::from)),
            ]);
            post(target, "/devices", Some(body), DEVICE)
        }
        Administer::Device(Device::List { target }) => get(target, "/devices", DEVICE),
        Administer::Device(Device::Assign { id, user, target }) => {
            post(target, format!("/devices/{id}/assign"), Some(json!({ "user": user })), DEVICE)
        }
        Administer::Device(Device::Life(command)) => device_life_call(command),
        Administer::Device(Device::Disable(id)) => post(id.target, format!("/devices/{}/disable", id.id), None, DEVICE),
        Administer::Device(Device::Quarantine(id)) => {
            post(id.target, format!("/devices/{}/quarantine", id.id), None, DEVICE)
        }
        Administer::Device(Device::Enable(id)) => post(id.target, format!("/devices/{}/enable", id.id), None, DEVICE),
        Administer::Configuration(command) => configuration_call(command)?,
        Administer::Code(Code::Issue(id)) => post(id.target, format!("/devices/{}/codes", id.id), None, CODE),
        Administer::Timeline { mac, target } => {
            get(target, format!("/phones/{mac}/timeline"), &["at", "sentence", "advice"])
        }
        Administer::Passwords { mac, reason, target } => post(
            target,
            format!("/phones/{mac}/passwords"),
            Some(json!({ "reason": reason })),
            &["admin-password", "user-password"],
        ),
        Administer::Activate { mac, code, target } => {
            post(target, format!("/phones/{mac}/activate"), Some(json!({ "code": code })), &["mac", "device"])
        }
        Administer::Strangers { target } => {
            get(target, "/strangers", &["at", "address", "asked-for", "certificate", "times", "reason"])
        }
        Administer::Move { target } => get(target, "/move", &["mac", "last-seen", "state", "sentence"]),
        Administer::Token(command) => token_call(command),
        Administer::Administrator(command) => administrator_call(*command),
        Administer::Connector(command) => connector_call(*command)?,
        Administer::Mail(command) => mail_call(*command)?,
        Administer::PhoneLife(command) => phone_life_call(command),
        Administer::Doors(command) => doors_call(command),
        Administer::Guard(command) => guard_call(command),
    })
}

/// An object of the fields that were given.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

fn new_site(site: NewSite) -> Result<Call, Failure> {
    let servers = site.sip_servers.iter().map(|text| sip_server(text)).collect::<Result<Vec<_>, _>>()?;
    let body = object([
        ("account", Some(json!(site.account))),
        ("name", Some(json!(site.name))),
        ("time-zone", Some(json!(site.time_zone))),
        ("country", site.country.map(Value::from)),
        ("language", site.language.map(Value::from)),
        ("sip-servers", Some(Value::Array(servers))),
        ("vlan", site.vlan.map(Value::from)),
        ("voicemail", site.voicemail.map(Value::from)),
        ("emergency-address", site.emergency_address.map(Value::from)),
    ]);
    Ok(post(site.target, "/sites", Some(body), SITE))
}

/// Reads `HOST[:PORT][/TRANSPORT]`; the API judges the parts.
fn sip_server(text: &str) -> Result<Value, Failure> {
    let (address, transport) = match text.split_once('/') {
        Some((address, transport)) => (address, Some(transport)),
        None => (text, None),
    };
    let after_bracket = address.rfind(']').unwrap_or(0);
    let colon = address.get(after_bracket..).and_then(|rest| rest.find(':')).map(|at| at.saturating_add(after_bracket));
    let (host, port) = match colon.and_then(|at| address.split_at_checked(at)) {
        Some((host, port)) => {
            let number = port.trim_start_matches(':');
            let port: u16 = number.parse().map_err(|_| {
                Failure::Usage(format!(
                    "--sip-server {text}: `{number}` is no port; write HOST[:PORT][/udp|tcp|tls|dns]"
                ))
            })?;
            (host, Some(port))
        }
        None => (address, None),
    };
    Ok(object([
        ("host", Some(json!(host))),
        ("port", port.map(Value::from)),
        ("transport", transport.map(Value::from)),
    ]))
}

fn new_user(user: NewUser) -> Result<Call, Failure> {
    let from_file = match &user.password_file {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("--password-file {}: {error}", file.display())))?,
        None => String::new(),
    };
    if user.password_file.is_some() {
        let (given, wanted) = (from_file.lines().count(), user.lines.len());
        if given != wanted || user.lines.iter().any(|line| line.contains(':')) {
            return Err(Failure::Usage(format!(
                "--password-file holds {given} passwords for {wanted} lines; it needs one password a line for every --line, and none with the --line itself"
            )));
        }
    }
    let mut passwords = from_file.lines();
    let lines: Vec<_> = user
        .lines
        .iter()
        .map(|line| match line.split_once(':') {
            Some((name, password)) => json!({ "user": name, "password": password }),
            None => object([("user", Some(json!(line))), ("password", passwords.next().map(Value::from))]),
        })
        .collect();
    let body = object([
        ("site", Some(json!(user.site))),
        ("name", Some(json!(user.name))),
        ("extension", Some(json!(user.extension))),
        ("email", user.email.map(Value::from)),
        ("language", user.language.map(Value::from)),
        ("lines", Some(Value::Array(lines))),
    ]);
    Ok(post(user.target, "/users", Some(body), USER))
}

/// The answer for people: a line per entry of a list, or per field of a single entry.
fn lines(answer: &Value, columns: &[&str]) -> Vec<String> {
    match answer.get("items").and_then(Value::as_array) {
        Some(items) if items.is_empty() => vec!["none".to_owned()],
        Some(items) => items.iter().map(|item| row(item, columns)).collect(),
        // A single field is what a script wants to catch, such as a new token.
        None if columns.len() == 1 => columns.iter().filter_map(|column| answer.get(*column)).map(text).collect(),
        None => {
            columns.iter().filter_map(|column| Some(format!("{column:<16} {}", text(answer.get(*column)?)))).collect()
        }
    }
}

fn row(item: &Value, columns: &[&str]) -> String {
    let cells: Vec<_> =
        columns.iter().filter_map(|column| item.get(*column)).map(text).filter(|cell| !cell.is_empty()).collect();
    cells.join("  ")
}

/// An object within an entry: what is different, what to know, or its most telling field.
fn told(fields: &Map<String, Value>) -> String {
    let of = |name: &str| fields.get(name).and_then(Value::as_str);
    let named = of("parameter").or(of("name"));
    if let Some(name) = named.filter(|_| fields.contains_key("before")) {
        return format!("{name}: {} -> {}", of("before").unwrap_or("-"), of("after").unwrap_or("-"));
    }
    if let Some((name, why)) = of("field").zip(of("message")).or(named.zip(of("why"))) {
        return format!("{name}: {why}");
    }
    // What a value hides is a value and a layer, of the same parameter.
    if let Some((value, layer)) = of("value").zip(of("layer")).filter(|_| named.is_none()) {
        return format!("hides {value} of {layer}");
    }
    // A file, a code within a device, a device within an activation, where a value comes from.
    if let Some(telling) = ["content", "shown", "id", "words", "name"].iter().find_map(|name| fields.get(*name)) {
        return text(telling);
    }
    let pair = |(name, value): (&String, &Value)| format!("{name}={}", text(value));
    fields.iter().map(pair).collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let between = if items.iter().any(Value::is_object) { "\n" } else { ", " };
            items.iter().map(text).collect::<Vec<_>>().join(between)
        }
        Value::Object(fields) => told(fields),
        other => other.to_string(),
    }
}
