//! What the devices page is asked for, by its address: filters, order, columns, place.
//!
//! Decides nothing about what is allowed: the report says what is wrong with a filter.

use super::super::gate::Posted;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use provost_app::ReportInput;
use provost_core::time::UnixMillis;

/// The query of an address, in any order and number.
pub(super) type Pairs = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// What an address asks for.
#[derive(Default)]
pub(super) struct Asked(Vec<(String, String)>);

/// For how long a phone was not here, in hours, in words.
pub(super) const MISSED: [(&str, &str); 4] =
    [("1", "for an hour"), ("24", "for a day"), ("168", "for a week"), ("720", "for 30 days")];

/// The columns that fit beside each other on most screens.
const USUAL: &str =
    "device,mac-address,device-admin-password,extension-number,status,activation-code,site,user,last-contact";

/// More devices than anybody reads on one page.
const MOST_ROWS: u32 = 200;
const HOUR_MS: i64 = 3_600_000;

/// An exact time instead of hours, as links from home have it.
pub(super) const SINCE: &str = "missed-contact-since";

impl Asked {
    pub(super) fn of(pairs: Pairs) -> Self {
        Self(pairs.map(|Query(pairs)| pairs).unwrap_or_default())
    }

    /// What a form carries on of the address it was opened at.
    pub(super) fn from_form(names: &[&str], posted: &Posted) -> Self {
        Self(names.iter().map(|name| ((*name).to_owned(), posted.text(name).to_owned())).collect())
    }

    /// The first of that name, without space around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// The first of that name, if it says something.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// All of that name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Whether anything is left out by a filter.
    pub(super) fn is_filtered(&self) -> bool {
        ["search", "status", "model", "site", "account", "missed", SINCE].iter().any(|name| !self.text(name).is_empty())
    }

    /// The address that asks for the same but this.
    pub(super) fn with(&self, path: &str, change: (&str, Option<&str>)) -> String {
        let (changed, value) = change;
        let mut address = path.to_owned();
        let kept = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        // Another order or filter begins at its first page.
        let kept = kept.filter(|(name, value)| *name != changed && *name != "after" && !value.is_empty());
        for (at, (name, value)) in kept.chain(value.map(|value| (changed, value))).enumerate() {
            address.push(if at == 0 { '?' } else { '&' });
            address.push_str(name_of(name).as_str());
            address.push('=');
            address.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        address
    }

    /// The columns that are wanted: the device is always among them, since its row is named by it.
    pub(super) fn columns(&self) -> String {
        let chosen: Vec<_> = self.all("column").filter(|key| !key.is_empty() && *key != "device").collect();
        if chosen.is_empty() { USUAL.to_owned() } else { format!("device,{}", chosen.join(",")) }
    }

    /// Column and direction of the order.
    pub(super) fn sort(&self) -> (&str, bool) {
        let sort = self.text("sort");
        sort.strip_prefix('-').map_or((sort, false), |column| (column, true))
    }

    /// The report that is asked for.
    pub(super) fn report(&self, now: UnixMillis) -> ReportInput {
        let missed = self.text("missed").parse::<i64>().ok();
        ReportInput {
            status: self.given("status"),
            site: self.given("site"),
            model: self.given("model"),
            account: self.given("account"),
            search: self.given("search"),
            missed_contact_since: missed
                .map(|hours| now.plus_millis(hours.saturating_mul(HOUR_MS).saturating_neg()).to_string())
                .or_else(|| self.given(SINCE)),
            sort: self.given("sort"),
            columns: Some(self.columns()),
            after: self.given("after"),
            limit: self.text("rows").parse::<u32>().ok().map(|rows| rows.clamp(1, MOST_ROWS)),
        }
    }
}

fn name_of(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Asked {
        Asked(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn another_order_keeps_the_filters_and_begins_at_the_first_page() {
        let asked = asked(&[("search", "a&b"), ("sort", "user"), ("site", ""), ("after", "00ff")]);

        assert_eq!(asked.with("/devices", ("sort", Some("-user"))), "/devices?search=a%26b&sort=%2Duser");
        assert_eq!(asked.with("/devices", ("search", None)), "/devices?sort=user");
    }

    #[test]
    fn the_device_is_always_a_column() {
        assert_eq!(
            asked(&[("column", "user"), ("column", "device"), ("column", "site")]).columns(),
            "device,user,site"
        );
        assert_eq!(asked(&[]).columns(), USUAL);
    }

    #[test]
    fn how_long_a_phone_was_not_here_is_counted_from_now() {
        let now = UnixMillis(1_790_000_000_000);

        assert_eq!(
            asked(&[("missed", "24")]).report(now).missed_contact_since.as_deref(),
            Some(now.plus_millis(-86_400_000).to_string().as_str())
        );
        assert_eq!(asked(&[("missed", "soon")]).report(now).missed_contact_since, None);
        let exact = asked(&[("missed-contact-since", "2026-09-21T14:13:20Z")]);
        assert_eq!(exact.report(now).missed_contact_since.as_deref(), Some("2026-09-21T14:13:20Z"));
        assert!(exact.is_filtered());
    }
}
