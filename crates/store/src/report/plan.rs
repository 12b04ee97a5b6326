//! How a page's places are found: read off an index, sorted from few matches, or walked.

use super::select::Select;
use super::{LOOKED_AT, ReportFilter, ReportOrder, ReportPlace, ReportQuery};
use crate::{Store, StoreError, Within};
use std::cmp::Ordering;

/// Accounts that are looked through one by one; a larger tree is most of the server, and is walked as such.
const FEW_ACCOUNTS: u32 = 16;
/// The first step of a walk: most filters match something near.
const FIRST_STEP: u32 = 500;
/// The columns that filters and orders name.
const ALL: &str = "SELECT r.device, r.account, r.site, r.model, r.mac, r.extension, r.status, r.site_name, r.user_name, \
                   r.contact_ms FROM device_report r WHERE ";

/// Places in order, and where to look on.
pub(super) struct Found {
    pub(super) places: Vec<ReportPlace>,
    pub(super) next: Option<ReportPlace>,
}

/// Which index entries are looked at.
enum Base {
    Everything,
    Account(String),
    Tree { from: String, to: String },
}

/// What a filter compares, each with an index of its own.
enum Source<'a> {
    Begins(&'static str, &'a str),
    Is(&'static str, &'a str),
    Missed(i64),
}

impl ReportOrder {
    const fn column(self) -> &'static str {
        match self {
            Self::Device => "model",
            Self::Mac => "mac",
            Self::Extension => "extension",
            Self::Status => "status",
            Self::Site => "site_name",
            Self::User => "user_name",
            Self::LastContact => "contact_ms",
        }
    }

    fn compare(self, one: &ReportPlace, other: &ReportPlace) -> Ordering {
        let number = |place: &ReportPlace| place.key.parse::<i64>().unwrap_or(0);
        let keys = match self {
            Self::LastContact => number(one).cmp(&number(other)),
            _ => one.key.cmp(&other.key),
        };
        keys.then_with(|| one.device.cmp(&other.device))
    }
}

impl ReportQuery {
    fn compare(&self, one: &ReportPlace, other: &ReportPlace) -> Ordering {
        let order = self.order.compare(one, other);
        if self.descending { order.reverse() } else { order }
    }
}

impl ReportFilter {
    /// The filters as groups of alternatives: a device matches one of each group.
    fn groups(&self) -> Vec<Vec<Source<'_>>> {
        let mut groups = Vec::new();
        if let Some(text) = &self.begins {
            groups.push(["mac", "extension", "user_name"].map(|column| Source::Begins(column, text)).into());
        }
        if let Some(site) = &self.site {
            groups.push(vec![Source::Is("site", site)]);
        }
        if let Some(model) = &self.model {
            groups.push(vec![Source::Is("model", model)]);
        }
        if let Some(status) = self.status {
            groups.push(vec![Source::Is("status", status.as_str())]);
        }
        if let Some(since) = self.missed_since {
            groups.push(vec![Source::Missed(since.0)]);
        }
        groups
    }
}

impl Source<'_> {
    fn condition(&self, select: &mut Select, table: &str) {
        match self {
            Self::Is(column, value) => {
                select.push(&format!("{table}.{column} = "));
                select.text(value);
            }
            Self::Begins(column, value) => {
                select.push(&format!("({table}.{column} >= "));
                select.text(value);
                select.push(&format!(" AND {table}.{column} < "));
                // Behind everything that begins with it, in the order of bytes.
                select.text(&format!("{value}{}", char::MAX));
                select.push(")");
            }
            Self::Missed(since) => {
                select.push(&format!("({table}.contact_ms < "));
                select.number(*since);
                select.push(&format!(" AND {table}.mac <> '')"));
            }
        }
    }
}

impl Base {
    fn condition(&self, select: &mut Select) {
        match self {
            Self::Everything => select.push("1 = 1"),
            Self::Account(account) => {
                select.push("r.account = ");
                select.text(account);
            }
            Self::Tree { .. } => select.push("1 = 1"),
        }
    }

    /// What is left to be compared after the index.
    fn rest(&self, select: &mut Select) {
        if let Self::Tree { from, to } = self {
            select.push(" AND k.account IN (SELECT id FROM accounts WHERE path >= ");
            select.text(from);
            select.push(" AND path < ");
            select.text(to);
            select.push(")");
        }
    }
}

impl Store {
    pub(super) async fn report_places(&self, query: &ReportQuery) -> Result<Found, StoreError> {
        let mut query = query.clone();
        let bases = match &query.within {
            Within::Nothing => Vec::new(),
            Within::Everything => vec![Base::Everything],
            Within::Account(account) => vec![Base::Account(account.to_string())],
            Within::Site(site) => {
                if query.filter.site.as_deref().is_some_and(|asked| asked != site.as_str()) {
                    return Ok(Found { places: Vec::new(), next: None });
                }
                query.filter.site = Some(site.to_string());
                vec![Base::Everything]
            }
            Within::Tree { from, to } => {
                let accounts = self.accounts_in(from, to, FEW_ACCOUNTS.saturating_add(1)).await?;
                if u32::try_from(accounts.len()).is_ok_and(|count| count <= FEW_ACCOUNTS) {
                    accounts.into_iter().map(Base::Account).collect()
                } else {
                    vec![Base::Tree { from: from.clone(), to: to.clone() }]
                }
            }
        };
        let mut parts = Vec::with_capacity(bases.len());
        for base in &bases {
            parts.push(self.places_of(base, &query).await?);
        }
        Ok(merged(parts, &query))
    }

    async fn places_of(&self, base: &Base, query: &ReportQuery) -> Result<Found, StoreError> {
        let groups = query.filter.groups();
        let plain = groups.is_empty() && !matches!(base, Base::Tree { .. });
        if plain {
            return self.walked(base, query, &groups, query.limit).await;
        }
        if !matches!(base, Base::Tree { .. }) {
            for few in &groups {
                if self.are_few(base, few).await? {
                    return self.sorted(base, query, few, &groups).await;
                }
            }
        }
        let first = self.walked(base, query, &groups, FIRST_STEP.max(query.limit)).await?;
        if first.next.is_none() || u32::try_from(first.places.len()).is_ok_and(|found| found >= query.limit) {
            return Ok(first);
        }
        self.walked(base, query, &groups, LOOKED_AT.max(query.limit)).await
    }

    /// Whether so few match one of these that they can be sorted.
    async fn are_few(&self, base: &Base, sources: &[Source<'_>]) -> Result<bool, StoreError> {
        let mut left = i64::from(LOOKED_AT);
        for source in sources {
            let mut select = Select::new("SELECT COUNT(*) FROM (SELECT r.device FROM device_report r WHERE ");
            base.condition(&mut select);
            select.push(" AND ");
            source.condition(&mut select, "r");
            select.push(&format!(" LIMIT {LOOKED_AT}) k"));
            let (count,): (i64,) = select.query().fetch_one(&self.read).await?;
            left = left.saturating_sub(count);
            if left <= 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The page of those that match one of `few`, which are few, and everything else.
    async fn sorted(
        &self,
        base: &Base,
        query: &ReportQuery,
        few: &[Source<'_>],
        groups: &[Vec<Source<'_>>],
    ) -> Result<Found, StoreError> {
        let mut select = opened(query);
        for (index, source) in few.iter().enumerate() {
            if index > 0 {
                select.push(" UNION ALL ");
            }
            select.push("SELECT * FROM (");
            select.push(ALL);
            base.condition(&mut select);
            select.push(" AND ");
            source.condition(&mut select, "r");
            // Left out here instead of by UNION, which would compare whole rows.
            for found in few.iter().take(index) {
                select.push(" AND NOT ");
                found.condition(&mut select, "r");
            }
            // The limit is never reached; it keeps the engines from looking for another way in.
            select.push(&format!(" LIMIT {LOOKED_AT}) few{index}"));
        }
        select.push(") k WHERE 1 = 1");
        if let Some(after) = &query.after {
            select.push(" AND ");
            behind(&mut select, query, after, "k");
        }
        closed(&mut select, base, query, groups);
        let places = self.read_places(select).await?;
        let next = full(&places, query.limit);
        Ok(Found { places, next })
    }

    /// The page of those among the next `looked_at` entries of the order's index that match.
    async fn walked(
        &self,
        base: &Base,
        query: &ReportQuery,
        groups: &[Vec<Source<'_>>],
        looked_at: u32,
    ) -> Result<Found, StoreError> {
        let entries = |select: &mut Select| {
            select.push(ALL);
            base.condition(select);
            if let Some(after) = &query.after {
                select.push(" AND ");
                behind(select, query, after, "r");
            }
            ordered(select, query, "r", false);
            select.push(&format!(" LIMIT {looked_at}) k"));
        };
        let mut select = opened(query);
        entries(&mut select);
        select.push(" WHERE 1 = 1");
        closed(&mut select, base, query, groups);
        let places = self.read_places(select).await?;
        if let Some(next) = full(&places, query.limit) {
            return Ok(Found { places, next: Some(next) });
        }
        let mut count = Select::new("SELECT COUNT(*) FROM (");
        entries(&mut count);
        let (seen,): (i64,) = count.query().fetch_one(&self.read).await?;
        if seen < i64::from(looked_at) {
            return Ok(Found { places, next: None });
        }
        let mut end = opened(query);
        entries(&mut end);
        ordered(&mut end, query, "k", true);
        end.push(" LIMIT 1");
        let next = self.read_places(end).await?.pop();
        Ok(Found { places, next })
    }

    async fn read_places(&self, select: Select) -> Result<Vec<ReportPlace>, StoreError> {
        let rows: Vec<(String, String)> = select.query().fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(|(key, device)| ReportPlace { key, device }).collect())
    }
}

fn opened(query: &ReportQuery) -> Select {
    Select::new(&format!("SELECT CAST(k.{} AS TEXT) AS place_key, k.device FROM (", query.order.column()))
}

/// Adds what must match, the order and the limit.
fn closed(select: &mut Select, base: &Base, query: &ReportQuery, groups: &[Vec<Source<'_>>]) {
    base.rest(select);
    for group in groups {
        for (index, source) in group.iter().enumerate() {
            select.push(if index == 0 { " AND (" } else { " OR " });
            source.condition(select, "k");
        }
        select.push(")");
    }
    ordered(select, query, "k", false);
    select.push(&format!(" LIMIT {}", query.limit));
}

fn behind(select: &mut Select, query: &ReportQuery, after: &ReportPlace, table: &str) {
    let than = if query.descending { '<' } else { '>' };
    select.push(&format!("({table}.{}, {table}.device) {than} (", query.order.column()));
    match query.order {
        ReportOrder::LastContact => select.number(after.key.parse().unwrap_or(0)),
        _ => select.text(&after.key),
    }
    select.push(", ");
    select.text(&after.device);
    select.push(")");
}

fn ordered(select: &mut Select, query: &ReportQuery, table: &str, turned: bool) {
    let way = if query.descending == turned { "ASC" } else { "DESC" };
    select.push(&format!(" ORDER BY {table}.{} {way}, {table}.device {way}", query.order.column()));
}

/// Where to go on behind a page that is full.
fn full(places: &[ReportPlace], limit: u32) -> Option<ReportPlace> {
    let full = u32::try_from(places.len()).is_ok_and(|found| found >= limit);
    places.last().filter(|_| full).cloned()
}

/// One page out of those of several accounts: nothing behind the place up to which all of them were looked at.
fn merged(parts: Vec<Found>, query: &ReportQuery) -> Found {
    let mut places = Vec::new();
    let mut known_to: Option<ReportPlace> = None;
    for part in parts {
        places.extend(part.places);
        known_to = match (known_to, part.next) {
            (Some(one), Some(other)) if query.compare(&other, &one).is_lt() => Some(other),
            (None, next) => next,
            (known, _) => known,
        };
    }
    places.sort_by(|one, other| query.compare(one, other));
    if let Some(end) = &known_to {
        places.retain(|place| query.compare(place, end).is_le());
    }
    places.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    let next = full(&places, query.limit).or(known_to);
    Found { places, next }
}
