//! Reports from the command line: rows are printed as they come.

use crate::args::{DeviceReport, Report};
use crate::client::Client;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::Place;
use axum::body::Body;
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use std::io::Write as _;
use url::form_urlencoded::Serializer;

/// Entries of a page of JSON.
const PAGE: &str = "500";
/// As the report has them when none is chosen.
const COLUMNS: [&str; 12] = [
    "device",
    "mac-address",
    "device-admin-password",
    "extension-number",
    "status",
    "activation-code",
    "site",
    "user",
    "firmware",
    "last-contact",
    "certificate-status",
    "registered",
];

pub(crate) async fn run(place: &Place<'_>, command: Report) -> Result<(), Failure> {
    let Report::Devices(report) = command;
    let client = Client::find(place, &report.target).await?;
    let printed =
        if report.secrets || report.csv { csv(&client, &report).await } else { pages(&client, &report).await };
    client.close().await;
    printed
}

/// What is asked for, by the names of the API.
fn asked(report: &DeviceReport) -> Vec<(&'static str, &str)> {
    let fields = [
        ("status", &report.status),
        ("site", &report.site),
        ("model", &report.model),
        ("account", &report.account),
        ("search", &report.search),
        ("missed-contact-since", &report.missed_contact_since),
        ("sort", &report.sort),
        ("columns", &report.columns),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
}

fn path(report: &DeviceReport, more: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(asked(report)).extend_pairs(more).finish();
    format!("/reports/devices?{query}")
}

async fn csv(client: &Client, report: &DeviceReport) -> Result<(), Failure> {
    let answer = if report.secrets {
        let filters: Map<_, _> =
            asked(report).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let body = json!({ "reason": report.reason, "filters": filters }).to_string();
        client.stream(("POST", "/reports/devices/secrets"), "application/json", Body::from(body)).await?
    } else {
        client.stream(("GET", &path(report, &[("format", "csv")])), "text/csv", Body::empty()).await?
    };
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| Failure::Runtime(format!("the report broke off and is not whole: {error}")))?;
        if let Ok(piece) = frame.into_data()
            && std::io::stdout().lock().write_all(&piece).is_err()
        {
            // Whoever stopped reading does not want the rest.
            return Ok(());
        }
    }
    let _ = std::io::stdout().lock().flush();
    Ok(())
}

/// The report page by page, as lines for people or as one JSON object.
async fn pages(client: &Client, report: &DeviceReport) -> Result<(), Failure> {
    let named =
        report.columns.as_deref().map_or_else(|| COLUMNS.to_vec(), |list| list.split(',').map(str::trim).collect());
    let columns: Vec<_> = std::iter::once("id").chain(named).collect();
    let mut after = String::new();
    let mut printed = 0_usize;
    if report.target.json {
        say("{\"items\":[");
    }
    loop {
        let page = client.call("GET", &path(report, &[("limit", PAGE), ("after", &after)]), None).await?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            if report.target.json {
                say(format!("{}{item}", if printed > 0 { "," } else { "" }));
            } else {
                if printed == 0 {
                    say(columns.join("  "));
                }
                say(cells(item, &columns).join("  "));
            }
            printed = printed.saturating_add(1);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut after),
            None => break,
        }
    }
    match (report.target.json, printed) {
        (true, _) => say("]}"),
        (false, 0) => say("none"),
        (false, _) => {}
    }
    Ok(())
}

/// Every cell, so that columns stay where they are.
fn cells(item: &Value, columns: &[&str]) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(code) => {
            let of = |name: &str| code.get(name).and_then(Value::as_str);
            of("shown").map_or_else(|| format!("open until {}", of("expires-at").unwrap_or("?")), ToOwned::to_owned)
        }
        other => other.to_string(),
    };
    columns.iter().map(|column| item.get(*column).map_or_else(String::new, text)).collect()
}
