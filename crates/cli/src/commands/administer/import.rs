//! CSV files from the command line: sent as they are read, watched until they are applied.

use crate::args::{Import, ImportCsv, Kind};
use crate::client::Client;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::Place;
use axum::body::Body;
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Bytes;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use url::form_urlencoded::Serializer;

/// Often enough for eyes, seldom enough for the server.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const PIECE: usize = 64 * 1024;

pub(crate) async fn run(place: &Place<'_>, command: Import) -> Result<(), Failure> {
    match command {
        Import::Template { kind, target } => {
            let client = Client::find(place, &target).await?;
            let text = template(&client, kind).await;
            client.close().await;
            say(text?.trim_end());
            Ok(())
        }
        Import::Csv(import) => {
            let client = Client::find(place, &import.target).await?;
            let done = imported(&client, &import).await;
            client.close().await;
            done
        }
    }
}

async fn template(client: &Client, kind: Kind) -> Result<String, Failure> {
    let path = format!("/imports/template?kind={}", word(kind));
    let answer = client.stream(("GET", &path), "text/csv", Body::empty()).await?;
    let text = answer.into_body().collect().await.map_err(Failure::runtime)?.to_bytes();
    Ok(String::from_utf8_lossy(&text).replace('\r', ""))
}

async fn imported(client: &Client, import: &ImportCsv) -> Result<(), Failure> {
    let mode = match import {
        ImportCsv { dry_run: true, .. } => "dry-run",
        ImportCsv { good_rows: true, .. } => "good-rows",
        _ => "all-or-nothing",
    };
    let mut query = Serializer::new(String::new());
    query.append_pair("kind", word(import.kind)).append_pair("mode", mode);
    if let Some(account) = &import.account {
        query.append_pair("account", account);
    }
    let path = format!("/imports?{}", query.finish());
    let cannot = |error: io::Error| Failure::Usage(format!("{}: {error}", import.file.display()));
    let file = File::open(&import.file).await.map_err(cannot)?;
    let size = file.metadata().await.map_err(cannot)?.len();
    let bar = bar(size, import.target.json);
    bar.set_message("sending and checking");
    let (sender, body) = Channel::<Bytes, io::Error>::new(2);
    tokio::spawn(sent(file, sender, bar.clone()));
    let answer = client.stream(("POST", &path), "text/csv", Body::new(body)).await?;
    let text = answer.into_body().collect().await.map_err(Failure::runtime)?.to_bytes();
    let mut state: Value = serde_json::from_slice(&text).map_err(Failure::runtime)?;
    let id = field(&state, "id").to_owned();
    bar.set_message("applying");
    bar.set_position(0);
    while matches!(field(&state, "state"), "receiving" | "applying") {
        let number = |name: &str| state.get(name).and_then(Value::as_u64).unwrap_or(0);
        bar.set_length(number("rows").saturating_sub(number("bad")));
        bar.set_position(number("applied"));
        tokio::time::sleep(LOOK_EVERY).await;
        state = client.call("GET", &format!("/imports/{id}"), None).await?;
    }
    bar.finish_and_clear();
    told(client, import, state).await
}

/// The file as it is read.
pub(super) async fn sent(mut file: File, mut sender: Sender<Bytes, io::Error>, bar: ProgressBar) {
    loop {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                bar.inc(u64::try_from(length).unwrap_or(0));
                if sender.send_data(Bytes::from(piece)).await.is_err() {
                    return;
                }
            }
            Err(error) => return sender.abort(error),
        }
    }
}

/// Prints the verdicts on bad rows and how it ended.
async fn told(client: &Client, import: &ImportCsv, state: Value) -> Result<(), Failure> {
    let id = field(&state, "id");
    let mut bad = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let page = client.call("GET", &format!("/imports/{id}/rows?verdict=bad&after={after}"), None).await?;
        for row in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            if import.target.json {
                bad.push(row.clone());
            } else {
                print(row);
            }
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    if import.target.json {
        let whole = json!({ "import": state, "bad": bad });
        say(serde_json::to_string_pretty(&whole).map_err(Failure::runtime)?);
    }
    let summary = field(&state, "summary").to_owned();
    let is_good = match (field(&state, "state"), field(&state, "mode")) {
        ("done", "dry-run") => state.get("bad").and_then(Value::as_u64) == Some(0),
        ("done", _) => true,
        _ => false,
    };
    if !is_good {
        return Err(Failure::Runtime(summary));
    }
    if !import.target.json {
        say(summary);
    }
    Ok(())
}

fn print(row: &Value) {
    let number = row.get("row").and_then(Value::as_i64).unwrap_or(0);
    for fault in row.get("faults").and_then(Value::as_array).into_iter().flatten() {
        say(format!("row {number} ({}): {}: {}", field(row, "about"), field(fault, "field"), field(fault, "message")));
    }
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => "users",
        Kind::Devices => "devices",
        Kind::Lines => "lines",
    }
}

/// Drawn on a terminal only.
pub(super) fn bar(size: u64, hidden: bool) -> ProgressBar {
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(size), target);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {percent} %") {
        bar.set_style(style);
    }
    bar
}
