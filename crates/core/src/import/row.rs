//! One row, checked as the entry it would be.

use super::csv::{Record, RowTrouble};
use super::{Header, ImportKind, Sites};
use crate::entry::{DeviceInput, FieldError, FieldErrors, LineInput, UserInput};
use crate::ids::{AccountId, SiteId};
use crate::secret::Secret;
use provost_catalog::Catalog;

/// A row as it was understood. What a bad row says is kept as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedRow {
    /// As a spreadsheet counts.
    pub number: i64,
    /// The site it names or means.
    pub site: Option<SiteId>,
    /// Display name.
    pub name: Option<String>,
    /// Extension, of a device or line that of its user.
    pub extension: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// Model id.
    pub model: Option<String>,
    /// Twelve hexadecimal digits.
    pub mac: Option<String>,
    /// SIP user.
    pub sip_user: Option<String>,
    /// Digest name.
    pub auth_user: Option<String>,
    /// Digest password.
    pub password: Option<Secret>,
}

/// What rows are checked with.
#[derive(Debug)]
pub struct RowChecks<'a> {
    /// Phone facts.
    pub catalog: &'a Catalog,
    /// The account the rows are for.
    pub account: &'a AccountId,
    /// Its sites.
    pub sites: &'a Sites,
}

/// Stands for a site that is not known, so that the other fields are checked all the same.
const NO_SITE: &str = "site_00000000000000000000000000";

struct Cells<'a> {
    header: &'a Header,
    record: &'a Record,
}

impl Cells<'_> {
    /// The cell as it stands; `None` when it is empty or not there.
    fn exact(&self, name: &str) -> Option<String> {
        let place = self.header.names.iter().position(|known| *known == name)?;
        self.record.cells.get(place).filter(|cell| !cell.is_empty()).cloned()
    }

    /// The cell without spaces around it.
    fn given(&self, name: &str) -> Option<String> {
        self.exact(name).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty())
    }
}

/// Longer cells are faults in every column.
const MOST_SHOWN: usize = 400;
/// The column whose cells are never shown.
pub const SECRET_COLUMN: &str = "password";

/// The cells of a row in the order of the template, to be shown and mended; a password is left out.
pub fn cells_of(header: &Header, record: &Record) -> Vec<String> {
    let cells = Cells { header, record };
    let shown = |name: &'static str| match cells.exact(name) {
        Some(cell) if name != SECRET_COLUMN => cell.chars().take(MOST_SHOWN).collect(),
        _ => String::new(),
    };
    super::column_names(header.kind).into_iter().map(shown).collect()
}

/// The row, and every fault that it shows on its own.
pub fn check_row(header: &Header, record: &Record, checks: &RowChecks<'_>) -> (ImportedRow, Vec<FieldError>) {
    let cells = Cells { header, record };
    let mut faults = Vec::new();
    let mut fault = |field: &str, message: &str| {
        faults.push(FieldError { field: field.to_owned(), message: message.to_owned() });
    };
    match record.trouble {
        Some(RowTrouble::NotUtf8) => fault("row", "is not UTF-8; save the file as CSV UTF-8"),
        Some(RowTrouble::AfterQuote) => {
            fault("row", "has text behind a closing quotation mark; write a quotation mark within a cell twice");
        }
        None => {}
    }
    let (found, wanted) = (record.cells.len(), header.names.len());
    if record.cells.iter().skip(wanted).any(|cell| !cell.is_empty()) {
        fault(
            "row",
            &format!("has {found} cells, the first row {wanted}; put a cell that holds a comma in quotation marks"),
        );
    }
    let mut row = ImportedRow { number: record.row, extension: cells.given("extension"), ..ImportedRow::default() };
    // A device from stock is at no site.
    if header.kind != ImportKind::Devices || row.extension.is_some() || cells.given("site").is_some() {
        match checks.sites.find(&cells.given("site").unwrap_or_default()) {
            Ok(site) => row.site = Some(site),
            Err(message) => fault("site", &message),
        }
    }
    match header.kind {
        ImportKind::Users => user(&cells, &mut row, checks, &mut faults),
        ImportKind::Devices => device(&cells, &mut row, checks, &mut faults),
        ImportKind::Lines => line(&cells, &mut row, checks, &mut faults),
    }
    (row, faults)
}

fn user(cells: &Cells<'_>, row: &mut ImportedRow, checks: &RowChecks<'_>, faults: &mut Vec<FieldError>) {
    row.name = cells.given("name");
    row.email = cells.given("email");
    row.language = cells.given("language");
    let input = user_input(row, row.name.clone().unwrap_or_default());
    take(input.check(checks.catalog).map(drop), faults);
}

fn user_input(row: &ImportedRow, name: String) -> UserInput {
    UserInput {
        site: row.site.as_ref().map_or(NO_SITE, SiteId::as_str).to_owned(),
        name,
        extension: row.extension.clone().unwrap_or_default(),
        email: row.email.clone(),
        language: row.language.clone(),
        lines: Vec::new(),
    }
}

fn device(cells: &Cells<'_>, row: &mut ImportedRow, checks: &RowChecks<'_>, faults: &mut Vec<FieldError>) {
    let model = cells.given("model").unwrap_or_default();
    // "VVX 450" is what a spreadsheet holds; a model's id is its letters and digits.
    let folded: String = model.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    let known = checks.catalog.model(&folded).is_some();
    let model = if known { folded } else { model };
    let input =
        DeviceInput { account: checks.account.to_string(), model: model.clone(), user: None, mac: cells.given("mac") };
    row.model = Some(model);
    match input.check(checks.catalog) {
        Ok(device) => row.mac = device.mac.map(|mac| mac.to_string()),
        Err(errors) => take(Err(errors), faults),
    }
    if row.extension.is_none() && row.site.is_some() {
        let message = "is empty, but a site is named; write whose device it is, or leave the site out".to_owned();
        faults.push(FieldError { field: "extension".to_owned(), message });
    }
}

fn line(cells: &Cells<'_>, row: &mut ImportedRow, checks: &RowChecks<'_>, faults: &mut Vec<FieldError>) {
    row.sip_user = cells.given("sip-user");
    row.auth_user = cells.given("auth-user");
    // A space may be part of it.
    let password = cells.exact("password");
    let mut input = user_input(row, "x".to_owned());
    input.lines.push(LineInput {
        user: row.sip_user.clone().unwrap_or_default(),
        auth_user: row.auth_user.clone(),
        password: password.clone(),
    });
    row.password = password.map(Secret::new);
    take(input.check(checks.catalog).map(drop), faults);
}

/// Takes over the faults, by the names of the file's columns.
fn take(checked: Result<(), FieldErrors>, faults: &mut Vec<FieldError>) {
    let Err(FieldErrors(errors)) = checked else { return };
    for error in errors {
        let field = match error.field.as_str() {
            "lines[0].user" => "sip-user".to_owned(),
            "lines[0].auth-user" => "auth-user".to_owned(),
            "lines[0].password" => "password".to_owned(),
            _ => error.field,
        };
        faults.push(FieldError { field, message: error.message });
    }
}
