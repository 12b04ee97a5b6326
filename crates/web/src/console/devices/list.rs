//! The devices page: the device report, with filters, orders and columns in its address.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::device::{Certificate, Code};
use super::super::gate::SignedIn;
use super::super::parts::{Choice, Frame};
use super::super::words::Moment;
use super::asked::{Asked, MISSED, Pairs};
use super::choices;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, AppError, ReportCell, ReportItem, ReportPageView, report_columns};
use provost_core::entry::FieldErrors;
use provost_core::lifecycle::DeviceState;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "devices/list.html", whitespace = "minimize")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    /// What is wrong with what was asked for.
    problems: Vec<String>,
    heads: Vec<Head>,
    rows: Vec<Row>,
    addresses: Addresses,
    is_filtered: bool,
    is_first: bool,
}

/// What the form above the list says now.
struct Filters {
    search: String,
    sort: String,
    statuses: Vec<Choice>,
    models: Vec<Choice>,
    sites: Vec<Choice>,
    accounts: Vec<Choice>,
    missed: Vec<Choice>,
    columns: Vec<Choice>,
    rows: Vec<Choice>,
}

/// Where the page's links lead.
struct Addresses {
    next: Option<String>,
    first: String,
    csv: String,
    secrets: String,
    labels: String,
    letters: String,
}

/// The head of a column.
struct Head {
    title: String,
    /// Where the other order is, for a column that can be ordered by.
    order: Option<String>,
    /// As `aria-sort` says it.
    sorted: &'static str,
}

struct Row {
    id: String,
    /// Which device it is, for whoever does not see the row.
    name: String,
    cells: Vec<Cell>,
}

struct Cell {
    title: String,
    shown: Shown,
}

enum Shown {
    Nothing,
    Text(String),
    Device(String),
    Phone(String),
    Password,
    Status { tone: &'static str, word: String },
    Code(Code),
    OpenCode(Moment),
    Time(Moment),
    Certificate(Certificate),
}

/// The columns the report can be ordered by.
const ORDERS: [&str; 7] = ["device", "mac-address", "extension-number", "status", "site", "user", "last-contact"];
const STATES: [DeviceState; 7] = [
    DeviceState::Added,
    DeviceState::Assigned,
    DeviceState::Contacted,
    DeviceState::Activated,
    DeviceState::Quarantined,
    DeviceState::Disabled,
    DeviceState::Released,
];

/// `GET /devices`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, pairs: Pairs) -> Result<Response, Trouble> {
    let (app, asked) = (&console.app, Asked::of(pairs));
    let (status, found, problems) = match app.device_report(&asked.report(app.now()), by.actor()).await {
        Ok(found) => (StatusCode::OK, found, Vec::new()),
        Err(AppError::Fields(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, nothing(), problems(errors)),
        Err(error) => return Err(error.into()),
    };
    let columns = columns(&asked);
    let filters = filters(app, &asked, &by).await?;
    let template = ListPage {
        frame: Frame::signed_in("Devices", &by).at("devices"),
        heads: columns.iter().map(|column| head(column, &asked)).collect(),
        addresses: addresses(&asked, &found),
        rows: found.items.iter().map(|item| row(item, &columns, app.now())).collect(),
        is_filtered: asked.is_filtered(),
        is_first: asked.text("after").is_empty(),
        filters,
        problems,
    };
    Ok(page(status, &template))
}

const fn nothing() -> ReportPageView {
    ReportPageView { items: Vec::new(), next: None }
}

fn problems(FieldErrors(errors): FieldErrors) -> Vec<String> {
    errors.into_iter().map(|error| format!("{}: {}.", error.field, error.message)).collect()
}

/// The wanted columns in their order, each with its title.
fn columns(asked: &Asked) -> Vec<(&'static str, String)> {
    let wanted = asked.columns();
    let wanted: Vec<_> = wanted.split(',').collect();
    report_columns().filter(|(key, _)| wanted.contains(key)).map(|(key, title)| (key, capital(title))).collect()
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

fn head((key, title): &(&'static str, String), asked: &Asked) -> Head {
    let (column, descending) = asked.sort();
    let column = if column.is_empty() { "device" } else { column };
    let is_by_this = column == *key;
    let other = if is_by_this && !descending { format!("-{key}") } else { (*key).to_owned() };
    Head {
        title: title.clone(),
        order: ORDERS.contains(key).then(|| asked.with("/devices", ("sort", Some(&other)))),
        sorted: match (is_by_this, descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        },
    }
}

fn addresses(asked: &Asked, found: &ReportPageView) -> Addresses {
    let ids: Vec<_> = found.items.iter().map(|item| format!("id={}", item.id())).collect();
    Addresses {
        next: found.next.as_deref().map(|next| asked.with("/devices", ("after", Some(next)))),
        first: asked.with("/devices", ("after", None)),
        csv: asked.with("/devices/report.csv", ("after", None)),
        secrets: asked.with("/devices/secrets", ("after", None)),
        labels: format!("/devices/labels?{}", ids.join("&")),
        letters: format!("/devices/letters?{}", ids.join("&")),
    }
}

fn row(item: &ReportItem, columns: &[(&'static str, String)], now: UnixMillis) -> Row {
    let said = |key: &str| match item.cell(key) {
        Some(ReportCell::Text(text)) => text.as_str(),
        _ => "",
    };
    let whose = [said("mac-address"), said("user"), said("extension-number")].join(" ");
    Row {
        id: item.id().to_owned(),
        name: format!("{} {}", said("device"), whose.split_whitespace().collect::<Vec<_>>().join(" ")),
        cells: columns
            .iter()
            .map(|(key, title)| Cell { title: title.clone(), shown: shown(key, item.cell(key), now) })
            .collect(),
    }
}

fn shown(key: &str, cell: Option<&ReportCell>, now: UnixMillis) -> Shown {
    match cell {
        None | Some(ReportCell::Empty) => Shown::Nothing,
        Some(ReportCell::Code { expires_at, shown: None }) => Shown::OpenCode(Moment::read(expires_at, now)),
        Some(ReportCell::Code { expires_at, shown: Some(digits) }) => {
            Shown::Code(Code { shown: digits.clone(), expires: Moment::read(expires_at, now) })
        }
        Some(ReportCell::Text(text)) => match key {
            "device" => Shown::Device(text.clone()),
            "mac-address" => Shown::Phone(text.clone()),
            "device-admin-password" => Shown::Password,
            "status" => Shown::Status { tone: tone(text), word: capital(text) },
            "last-contact" => Shown::Time(Moment::read(text, now)),
            "certificate-status" => Shown::Certificate(Certificate::new(text)),
            _ => Shown::Text(text.clone()),
        },
    }
}

fn tone(status: &str) -> &'static str {
    match DeviceState::from_word(status) {
        Some(DeviceState::Activated) => "good",
        Some(DeviceState::Quarantined | DeviceState::Disabled) => "bad",
        Some(DeviceState::Assigned | DeviceState::Contacted) => "wait",
        Some(DeviceState::Added | DeviceState::Released) | None => "quiet",
    }
}

async fn filters(app: &App, asked: &Asked, by: &SignedIn) -> Result<Filters, AppError> {
    let choice =
        |value: &str, label: &str, chosen: bool| Choice { value: value.to_owned(), label: label.to_owned(), chosen };
    let wanted = asked.columns();
    let wanted: Vec<_> = wanted.split(',').collect();
    let status =
        |state: DeviceState| choice(state.as_str(), &capital(state.as_str()), asked.text("status") == state.as_str());
    let columns = report_columns().filter(|(key, _)| *key != "device");
    Ok(Filters {
        search: asked.text("search").to_owned(),
        sort: asked.text("sort").to_owned(),
        statuses: STATES.map(status).into(),
        models: choices::models(app, asked.text("model")),
        sites: choices::sites(app, asked.text("site"), by.actor()).await?,
        accounts: choices::accounts(app, asked.text("account"), by.actor()).await?,
        missed: MISSED.map(|(hours, words)| choice(hours, words, asked.text("missed") == hours)).into(),
        columns: columns.map(|(key, title)| choice(key, &capital(title), wanted.contains(&key))).collect(),
        rows: ["50", "100", "200"].map(|rows| choice(rows, rows, asked.text("rows") == rows)).into(),
    })
}
