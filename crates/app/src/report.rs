//! The device report: which devices, in what order, which columns, and who sees their secrets.

mod csv;
mod view;

pub use csv::ReportCsv;
pub use view::{ReportCell, ReportItem, ReportPageView, report_columns};

use crate::{Actor, App, AppError};
use provost_core::entry::guard::checked_reason;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::{AccountId, SiteId};
use provost_core::lifecycle::DeviceState;
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use provost_store::{ReportFilter, ReportOrder, ReportPlace, ReportQuery, Within};
use view::{COLUMNS, Column, Reveal};

/// What report is wanted, as it was asked for.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReportInput {
    /// Lifecycle state.
    pub status: Option<String>,
    /// A site's id.
    pub site: Option<String>,
    /// A model's id.
    pub model: Option<String>,
    /// An account's id; its devices and those of accounts below it.
    pub account: Option<String>,
    /// What a MAC, extension or user's name begins with.
    pub search: Option<String>,
    /// RFC 3339: phones that were not here since.
    pub missed_contact_since: Option<String>,
    /// A column, with a minus in front the other way round.
    pub sort: Option<String>,
    /// Columns with commas between them.
    pub columns: Option<String>,
    /// Where a page before ended.
    pub after: Option<String>,
    /// At most this many.
    pub limit: Option<u32>,
}

/// What a report with secrets is asked for.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReportSecretsInput {
    /// What they are needed for.
    pub reason: String,
    /// Which devices, and how they are shown.
    #[serde(default)]
    pub filters: ReportInput,
}

/// A report that can be made.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    query: ReportQuery,
    columns: Vec<&'static Column>,
    /// Who asked: what they see of a connector is theirs.
    by: Actor,
}

const MOST: u32 = 500;
const PAGE: u32 = 50;

/// The orders by the words they are asked for with.
const ORDERS: [(&str, ReportOrder); 9] = [
    ("device", ReportOrder::Device),
    ("mac-address", ReportOrder::Mac),
    ("mac", ReportOrder::Mac),
    ("extension-number", ReportOrder::Extension),
    ("extension", ReportOrder::Extension),
    ("status", ReportOrder::Status),
    ("site", ReportOrder::Site),
    ("user", ReportOrder::User),
    ("last-contact", ReportOrder::LastContact),
];

impl App {
    /// A page of the device report. Codes are shown to who may see secrets, passwords to nobody.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] for an account out of scope, [`AppError::Forbidden`],
    /// [`AppError::Store`].
    pub async fn device_report(&self, input: &ReportInput, by: &Actor) -> Result<ReportPageView, AppError> {
        let report = self.report(input, by).await?;
        self.recorder.flush().await;
        let page = self.store.device_report(&report.query).await?;
        let reveal = if by.role.may(Right::Secrets) { Reveal::Codes } else { Reveal::Nothing };
        let mut items = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            items.push(self.report_item(row, &report, reveal).await?);
        }
        let next = page.next.map(|place| cursor(&place, report.query.order));
        Ok(ReportPageView { items, next })
    }

    /// The whole device report as CSV, without secrets whoever asks: it is a file that goes around.
    ///
    /// # Errors
    /// As [`App::device_report`].
    pub async fn device_report_csv(&self, input: &ReportInput, by: &Actor) -> Result<ReportCsv, AppError> {
        let report = self.report(input, by).await?;
        self.recorder.flush().await;
        Ok(ReportCsv::new(report, Reveal::Nothing))
    }

    /// The same with administrator passwords and codes, written into the audit log before the first of them is shown.
    ///
    /// # Errors
    /// As [`App::device_report`], and [`AppError::Fields`] without a reason.
    pub async fn device_report_secrets(&self, input: &ReportSecretsInput, by: &Actor) -> Result<ReportCsv, AppError> {
        by.has(Right::Secrets)?;
        let reason = checked_reason(&input.reason)?;
        let report = self.report(&input.filters, by).await?;
        let what =
            format!("exported admin passwords and activation codes with the device report{}", asked(&input.filters));
        let mut entry = self.audit_entry(by, what, Some(&reason));
        if let Some(account) = input.filters.account.as_deref().and_then(|text| text.parse::<AccountId>().ok()) {
            entry = entry.about(&account, None);
        }
        self.store.audited(entry).only().await?;
        self.recorder.flush().await;
        Ok(ReportCsv::new(report, Reveal::Everything))
    }

    async fn report(&self, input: &ReportInput, by: &Actor) -> Result<Report, AppError> {
        by.has(Right::Read)?;
        let mut errors = Vec::new();
        let mut fault = |field: &str, message: String| errors.push(FieldError { field: field.to_owned(), message });
        let status = input.status.as_deref().and_then(|word| {
            let state = DeviceState::from_word(word);
            if state.is_none() {
                fault("status", format!("`{}` is no state; write added, assigned, contacted, activated, quarantined, disabled or released", shown(word)));
            }
            state
        });
        if let Some(model) = input.model.as_deref().filter(|model| self.catalog.model(model).is_none()) {
            fault("model", format!("`{}` is not in the catalog; `provost models` lists it", shown(model)));
        }
        if let Some(Err(error)) = input.site.as_deref().map(str::parse::<SiteId>) {
            fault("site", error.to_string());
        }
        let account = input.account.as_deref().map(str::parse::<AccountId>).transpose();
        if let Err(error) = &account {
            fault("account", error.to_string());
        }
        let missed_since = input.missed_contact_since.as_deref().map(UnixMillis::from_rfc3339);
        if missed_since == Some(None) {
            fault("missed-contact-since", "is no time; write 2026-01-31T09:00:00Z".to_owned());
        }
        let sort = input.sort.as_deref().unwrap_or("device");
        let (word, descending) = sort.strip_prefix('-').map_or((sort, false), |word| (word, true));
        let order = ORDERS.iter().find(|(known, _)| *known == word).map(|(_, order)| *order);
        if order.is_none() {
            fault(
                "sort",
                format!(
                    "`{}` cannot be sorted by; write device, mac, extension, status, site, user or last-contact, with - in front for the last first",
                    shown(sort)
                ),
            );
        }
        let columns = chosen(input.columns.as_deref(), &mut fault);
        let order = order.unwrap_or(ReportOrder::Device);
        let after = input.after.as_deref().filter(|text| !text.is_empty()).map(|text| read_cursor(text, order));
        if after == Some(None) {
            fault("after", "is not the `next` of a page in this order".to_owned());
        }
        if !errors.is_empty() {
            return Err(FieldErrors(errors).into());
        }
        let within = self.report_within(account.ok().flatten(), by).await?;
        let begins = input.search.as_deref().map(folded).filter(|text| !text.is_empty());
        let (site, model) = (input.site.clone(), input.model.clone());
        let filter = ReportFilter { status, site, model, begins, missed_since: missed_since.flatten() };
        let limit = input.limit.unwrap_or(PAGE).clamp(1, MOST);
        let query = ReportQuery { within, filter, order, descending, after: after.flatten(), limit };
        Ok(Report { query, columns, by: by.clone() })
    }

    async fn report_within(&self, account: Option<AccountId>, by: &Actor) -> Result<Within, AppError> {
        let Some(account) = account else { return Ok(self.store.within(&by.scope).await?) };
        self.may(by, Right::Read, &account, None).await?;
        Ok(self.store.within(&Scope::Account(account)).await?)
    }
}

/// The columns that are wanted, in their order; all of them when none is named.
fn chosen(columns: Option<&str>, fault: &mut impl FnMut(&str, String)) -> Vec<&'static Column> {
    let Some(columns) = columns else { return COLUMNS.iter().collect() };
    let mut chosen = Vec::new();
    for name in columns.split(',').map(str::trim) {
        match COLUMNS.iter().find(|column| column.key == name) {
            Some(column) => chosen.push(column),
            None => {
                let known: Vec<_> = COLUMNS.iter().map(|column| column.key).collect();
                fault("columns", format!("`{}` is no column; there are {}", shown(name), known.join(", ")));
            }
        }
    }
    chosen
}

/// Lower case as it is stored; of a MAC the digits, however it is written.
fn folded(text: &str) -> String {
    let text = text.trim().to_ascii_lowercase();
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let is_mac = digits.len() >= 4 && digits.len() < text.len() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_mac { digits } else { text }
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The filters as the audit log says them.
fn asked(input: &ReportInput) -> String {
    let named = [
        ("status", &input.status),
        ("site", &input.site),
        ("model", &input.model),
        ("account", &input.account),
        ("search", &input.search),
        ("missed contact since", &input.missed_contact_since),
    ];
    let given: Vec<_> =
        named.iter().filter_map(|(name, value)| Some(format!("{name} {}", shown(value.as_deref()?)))).collect();
    if given.is_empty() { " of all devices".to_owned() } else { format!(": {}", given.join(", ")) }
}

/// A place as one opaque word.
fn cursor(place: &ReportPlace, order: ReportOrder) -> String {
    hex::encode(format!("{order:?}\n{}\n{}", place.device, place.key))
}

fn read_cursor(text: &str, order: ReportOrder) -> Option<ReportPlace> {
    let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
    let (of, rest) = text.split_once('\n')?;
    let (device, key) = rest.split_once('\n')?;
    let is_ours = of == format!("{order:?}") && !key.contains('\0');
    ReportPlace::checked(key.to_owned(), device, order).ok().filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_searched_by_its_digits_and_all_else_as_written() {
        assert_eq!(folded(" 00:04:F2 "), "0004f2");
        assert_eq!(folded("0004.f2a1"), "0004f2a1");
        assert_eq!(folded("Ann-Marie"), "ann-marie");
        assert_eq!(folded("10.1"), "10.1");
    }

    #[test]
    fn a_cursor_is_good_for_its_order_only() {
        let device = "device_01jd0ck3v80000000000000001".to_owned();
        let place = ReportPlace { key: "zo\u{eb}\nx".to_owned(), device };

        let text = cursor(&place, ReportOrder::User);

        assert_eq!(read_cursor(&text, ReportOrder::User), Some(place));
        assert_eq!(read_cursor(&text, ReportOrder::Site), None);
        assert_eq!(read_cursor("zz", ReportOrder::User), None);
    }
}
