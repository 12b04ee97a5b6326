//! Users as a list: found by how a name or an extension begins, in order, a page at a time.
//!
//! Those whose extension begins with what is looked for come first, by extension, then those whose name does, by name.
//! Where a scope has few users they are sorted; else the index of the order is walked, which finds a page's worth soon.

use crate::report::Select;
use crate::rows::parsed;
use crate::{Page, Store, StoreError, Within};
use provost_core::ids::{AccountId, SiteId, UserId};
use provost_core::mail::MailState;
use sqlx::FromRow;

/// A user in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPerson {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: Option<String>,
    /// Their site, with its name.
    pub site: (SiteId, String),
    /// The site's account, with its name.
    pub account: (AccountId, String),
    /// How many SIP lines they have.
    pub lines: i64,
    /// How many devices are for them, and how many of these have their phone.
    pub devices: (i64, i64),
    /// What became of the newest welcome mail, and whether a device that waits for its phone is not in it.
    pub welcome: Option<(MailState, bool)>,
}

#[derive(FromRow)]
struct ListedColumns {
    id: String,
    name: String,
    extension: String,
    email: Option<String>,
    site: String,
    site_name: String,
    account: String,
    account_name: String,
    lines: i64,
    devices: i64,
    bound: i64,
    welcome: Option<String>,
    device_since: bool,
}

/// So few are sorted.
const FEW: u32 = 4_000;

/// One of the two orders of the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Extension,
    Name,
}

impl Order {
    const fn key(self) -> &'static str {
        match self {
            Self::Extension => "LOWER(p.extension)",
            Self::Name => "LOWER(p.name)",
        }
    }
}

/// Whom a query may find.
struct Sought<'a> {
    within: &'a Within,
    /// What a name or extension begins with, in lower case; empty is everybody.
    begins: &'a str,
    is_few: bool,
}

impl Store {
    /// Users of a scope whose extension or name begins with this, or all; a page continues after the last id of the one
    /// before. Letters beyond ASCII are compared as they are.
    pub async fn people(&self, within: &Within, begins: &str, page: Page<'_>) -> Result<Vec<ListedPerson>, StoreError> {
        let begins = begins.to_ascii_lowercase();
        let sought = Sought { within, begins: &begins, is_few: self.are_few_people(within).await? };
        let mut after = self.place_of(page.after, &sought).await?;
        let mut ids = Vec::new();
        if !begins.is_empty() && after.as_ref().is_none_or(|(order, ..)| *order == Order::Extension) {
            let from = after.take().map(|(_, key, id)| (key, id));
            ids = self.person_ids((&sought, Order::Extension), from, page.limit).await?;
        }
        let left = page.limit.saturating_sub(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        if left > 0 {
            let from = after.map(|(_, key, id)| (key, id));
            ids.extend(self.person_ids((&sought, Order::Name), from, left).await?);
        }
        self.listed(&ids).await
    }

    /// How many users a scope has, counted up to `most`.
    pub async fn count_people(&self, within: &Within, most: u32) -> Result<i64, StoreError> {
        let mut select = Select::new("SELECT COUNT(*) FROM (SELECT p.id FROM persons p WHERE ");
        scope(&mut select, within, "p.site");
        select.push(&format!(" LIMIT {most}) k"));
        let (count,): (i64,) = select.query().fetch_one(&self.read).await?;
        Ok(count)
    }

    async fn are_few_people(&self, within: &Within) -> Result<bool, StoreError> {
        Ok(self.count_people(within, FEW).await? < i64::from(FEW))
    }

    /// Where the page before ended; nowhere when its last user is gone, or is one that the scope does not show: where
    /// such a one stands is told to nobody.
    async fn place_of(&self, after: &str, sought: &Sought<'_>) -> Result<Option<(Order, String, String)>, StoreError> {
        if after.is_empty() {
            return Ok(None);
        }
        let mut select = Select::new("SELECT LOWER(p.extension), LOWER(p.name) FROM persons p WHERE p.id = ");
        select.text(after);
        select.push(" AND ");
        scope(&mut select, sought.within, "p.site");
        let row: Option<(String, String)> = select.query().fetch_optional(&self.read).await?;
        Ok(row.map(|(extension, name)| {
            let by_extension = !sought.begins.is_empty() && extension.starts_with(sought.begins);
            let (order, key) = if by_extension { (Order::Extension, extension) } else { (Order::Name, name) };
            (order, key, after.to_owned())
        }))
    }

    async fn person_ids(
        &self,
        (sought, order): (&Sought<'_>, Order),
        after: Option<(String, String)>,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let key = order.key();
        let mut select = Select::new("SELECT p.id FROM ");
        if sought.is_few {
            // The limit is never reached; it keeps the engines from walking an index of everybody's.
            select.push("(SELECT p.* FROM persons p WHERE ");
            scope(&mut select, sought.within, "p.site");
            select.push(&format!(" LIMIT {FEW}) p WHERE 1 = 1"));
        } else {
            select.push("persons p WHERE ");
            // The empty text keeps the engines from going by site, which would sort them all.
            scope(&mut select, sought.within, "(p.site || '')");
        }
        // One lower bound: the index is entered where the page before ended, not at the beginning of what is looked for.
        let from = after.as_ref().map_or(sought.begins, |(from, _)| from.as_str());
        select.push(&format!(" AND {key} >= "));
        select.text(from);
        if !sought.begins.is_empty() {
            select.push(&format!(" AND {key} < "));
            select.text(&behind(sought.begins));
        }
        if let Some((from, id)) = &after {
            select.push(&format!(" AND ({key} > "));
            select.text(from);
            select.push(" OR p.id > ");
            select.text(id);
            select.push(")");
        }
        if !sought.begins.is_empty() && order == Order::Name {
            let key = Order::Extension.key();
            select.push(&format!(" AND NOT ({key} >= "));
            select.text(sought.begins);
            select.push(&format!(" AND {key} < "));
            select.text(&behind(sought.begins));
            select.push(")");
        }
        select.push(&format!(" ORDER BY {key}, p.id LIMIT {limit}"));
        let rows: Vec<(String,)> = select.query().fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// These users, in this order.
    async fn listed(&self, ids: &[String]) -> Result<Vec<ListedPerson>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = Select::new(&format!(
            "SELECT p.id, p.name, p.extension, p.email, p.site, s.name AS site_name, s.account, a.name AS account_name, \
             (SELECT COUNT(*) FROM person_lines l WHERE l.person = p.id) AS lines, \
             (SELECT COUNT(*) FROM devices d WHERE d.person = p.id AND d.released_ms IS NULL) AS devices, \
             (SELECT COUNT(*) FROM devices d JOIN bindings b ON b.device = d.id WHERE d.person = p.id) AS bound, \
             m.state AS welcome, {} AS device_since \
             FROM persons p JOIN sites s ON s.id = p.site JOIN accounts a ON a.id = s.account \
             LEFT JOIN welcomes w ON w.person = p.id LEFT JOIN mails m ON m.id = w.mail WHERE p.id IN (",
            crate::mail::DEVICE_SINCE
        ));
        for (place, id) in ids.iter().enumerate() {
            select.push(if place == 0 { "" } else { ", " });
            select.text(id);
        }
        select.push(")");
        let mut rows: Vec<ListedColumns> = select.query().fetch_all(&self.read).await?;
        let place = |row: &ListedColumns| ids.iter().position(|id| *id == row.id);
        rows.sort_by_key(place);
        rows.into_iter().map(ListedPerson::read).collect()
    }
}

/// Whose site is in the scope.
fn scope(select: &mut Select, within: &Within, site: &str) {
    match within {
        Within::Everything => select.push("1 = 1"),
        Within::Nothing => select.push("1 = 0"),
        Within::Site(id) => {
            select.push(&format!("{site} = "));
            select.text(id.as_str());
        }
        Within::Account(id) => {
            select.push(&format!("{site} IN (SELECT s.id FROM sites s WHERE s.account = "));
            select.text(id.as_str());
            select.push(")");
        }
        Within::Tree { from, to } => {
            select.push(&format!(
                "{site} IN (SELECT s.id FROM sites s JOIN accounts a ON a.id = s.account WHERE a.path >= "
            ));
            select.text(from);
            select.push(" AND a.path < ");
            select.text(to);
            select.push(")");
        }
    }
}

/// Behind everything that begins with this, in the order of bytes.
fn behind(begins: &str) -> String {
    format!("{begins}{}", char::MAX)
}

impl ListedPerson {
    fn read(row: ListedColumns) -> Result<Self, StoreError> {
        let state = row.welcome.as_deref().map(|state| parsed("mails.state", state)).transpose()?;
        Ok(Self {
            id: parsed("persons.id", &row.id)?,
            name: row.name,
            extension: row.extension,
            email: row.email,
            site: (parsed("persons.site", &row.site)?, row.site_name),
            account: (parsed("sites.account", &row.account)?, row.account_name),
            lines: row.lines,
            devices: (row.devices, row.bound),
            welcome: state.map(|state: MailState| (state, row.device_since)),
        })
    }
}
