//! The report's columns and what stands in them.

use super::Report;
use crate::claim::{code_owner, password_owner};
use crate::connectors::Asked;
use crate::{Actor, App, AppError};
use provost_core::code::ActivationCode;
use provost_store::ReportRow;
use serde::ser::SerializeMap as _;

/// A column: its name for programs and its title.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Device,
    Mac,
    Password,
    Extension,
    Status,
    Code,
    Site,
    User,
    Firmware,
    LastContact,
    Certificate,
    Registered,
}

const fn column(key: &'static str, title: &'static str, what: What) -> Column {
    Column { key, title, what }
}

pub(crate) const COLUMNS: &[Column] = &[
    column("device", "Device", What::Device),
    column("mac-address", "MAC Address", What::Mac),
    column("device-admin-password", "Device Admin Password", What::Password),
    column("extension-number", "Extension Number", What::Extension),
    column("status", "Status", What::Status),
    column("activation-code", "Activation Code", What::Code),
    column("site", "Site", What::Site),
    column("user", "User", What::User),
    column("firmware", "firmware", What::Firmware),
    column("last-contact", "last contact", What::LastContact),
    column("certificate-status", "certificate status", What::Certificate),
    column("registered", "registered", What::Registered),
];

/// What of the secrets is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reveal {
    /// That there are some.
    Nothing,
    /// Activation codes.
    Codes,
    /// Activation codes and administrator passwords.
    Everything,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportCell {
    /// Nothing is known.
    Empty,
    /// Text.
    Text(String),
    /// An open activation code; its digits only for who may see them.
    Code {
        /// RFC 3339.
        expires_at: String,
        /// Thirteen digits, grouped 4-4-5.
        shown: Option<String>,
    },
}

/// A device of the report, by the columns that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportItem {
    id: String,
    cells: Vec<(&'static str, ReportCell)>,
}

/// A page of the report.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ReportPageView {
    /// The devices.
    pub items: Vec<ReportItem>,
    /// `after` of the next page. A page with filters may be short and still not the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Code<'a> {
    open: bool,
    expires_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<&'a str>,
}

impl serde::Serialize for ReportCell {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => to.serialize_none(),
            Self::Text(text) => to.serialize_str(text),
            Self::Code { expires_at, shown } => Code { open: true, expires_at, shown: shown.as_deref() }.serialize(to),
        }
    }
}

impl serde::Serialize for ReportItem {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        for (key, cell) in &self.cells {
            map.serialize_entry(key, cell)?;
        }
        map.end()
    }
}

impl schemars::JsonSchema for ReportItem {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ReportItem".into()
    }

    fn json_schema(schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let code = schemas.subschema_for::<Option<Code<'_>>>();
        let cell = |column: &Column| match column.what {
            What::Code => code.clone(),
            _ => schemars::json_schema!({ "type": ["string", "null"] }),
        };
        let mut properties: serde_json::Map<_, _> =
            COLUMNS.iter().map(|column| (column.key.to_owned(), cell(column).to_value())).collect();
        properties.insert("id".to_owned(), serde_json::json!({ "type": "string" }));
        schemars::json_schema!({
            "type": "object",
            "description": "A device of the report, with the columns that were asked for.",
            "properties": properties,
            "required": ["id"],
            "additionalProperties": false,
        })
    }
}

/// The report's columns in their order: each with its name for programs and its title.
pub fn report_columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    COLUMNS.iter().map(|column| (column.key, column.title))
}

impl ReportItem {
    /// The device's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What stands in a column, by its name for programs; `None` where it was not asked for.
    pub fn cell(&self, column: &str) -> Option<&ReportCell> {
        self.cells.iter().find(|(key, _)| *key == column).map(|(_, cell)| cell)
    }

    /// The cells as text.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.cells.iter().map(|(_, cell)| match cell {
            ReportCell::Empty => String::new(),
            ReportCell::Text(text) => text.clone(),
            ReportCell::Code { shown: Some(shown), .. } => shown.clone(),
            ReportCell::Code { expires_at, shown: None } => format!("open until {expires_at}"),
        })
    }
}

impl App {
    pub(crate) async fn report_item(
        &self,
        row: &ReportRow,
        report: &Report,
        reveal: Reveal,
    ) -> Result<ReportItem, AppError> {
        let mut cells = Vec::with_capacity(report.columns.len());
        for column in &report.columns {
            let cell = match column.what {
                What::Registered => self.registered_cell(row, &report.by).await?,
                what => self.report_cell(row, what, reveal)?,
            };
            cells.push((column.key, cell));
        }
        Ok(ReportItem { id: row.id.to_string(), cells })
    }

    async fn registered_cell(&self, row: &ReportRow, by: &Actor) -> Result<ReportCell, AppError> {
        // A phone that is bound has a password of ours; one that is only named beforehand has none.
        let phone = row.mac.filter(|_| row.admin_password.is_some());
        let asked = Asked { device: &row.id, account: &row.account, phone };
        Ok(ReportCell::Text(self.registered(asked, by).await?.words))
    }

    fn report_cell(&self, row: &ReportRow, what: What, reveal: Reveal) -> Result<ReportCell, AppError> {
        let text = |text: &Option<String>| text.clone().map_or(ReportCell::Empty, ReportCell::Text);
        Ok(match what {
            What::Device => {
                let name = self.catalog.model(&row.model).map(|model| model.name.value.clone());
                ReportCell::Text(name.unwrap_or_else(|| row.model.clone()))
            }
            What::Mac => text(&row.mac.map(|mac| mac.to_string())),
            What::Extension => text(&row.extension),
            What::Status => ReportCell::Text(row.status.to_string()),
            What::Site => text(&row.site),
            What::User => text(&row.user),
            What::Firmware => text(&row.firmware),
            What::LastContact => text(&row.last_contact.map(|at| at.to_string())),
            What::Certificate => text(&row.certificate),
            What::Registered => ReportCell::Empty,
            What::Password => match (&row.admin_password, row.mac) {
                (Some(sealed), Some(mac)) if reveal == Reveal::Everything => {
                    let password = self.vault.open(&password_owner(mac, "admin"), sealed)?;
                    ReportCell::Text(password.reveal().to_owned())
                }
                (Some(_), _) => ReportCell::Text("hidden".to_owned()),
                (None, _) => ReportCell::Empty,
            },
            What::Code => match &row.code {
                None => ReportCell::Empty,
                Some((sealed, expires)) => {
                    let expires_at = expires.to_string();
                    if reveal == Reveal::Nothing {
                        return Ok(ReportCell::Code { expires_at, shown: None });
                    }
                    let digits = self.vault.open(&code_owner(&row.id), sealed)?;
                    let grouped = ActivationCode::parse(digits.reveal()).map(|code| code.grouped());
                    let shown = grouped.unwrap_or_else(|_| digits.reveal().to_owned());
                    ReportCell::Code { expires_at, shown: Some(shown) }
                }
            },
        })
    }
}
