//! Users and sites as lists: found by a beginning, counted, a page at a time.

use crate::{Actor, App, AppError, DeviceView};
use provost_core::ids::{AccountId, SiteId, UserId};
use provost_core::rights::{Right, Scope};
use provost_store::{AccountRow, ListedPerson, ListedSite, Page, Within};

/// A user in a list.
#[derive(Debug, Clone)]
pub struct ListedUserView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: Option<String>,
    /// Site id.
    pub site: String,
    /// The site's name.
    pub site_name: String,
    /// The name of the site's account.
    pub account_name: String,
    /// How many SIP lines they have.
    pub lines: i64,
    /// How many devices are for them.
    pub devices: i64,
    /// How many of these have their phone.
    pub active: i64,
    /// What became of the newest welcome mail.
    pub welcome: Option<&'static str>,
    /// Whether a device that waits for its phone is not in it.
    pub device_assigned_since: bool,
}

/// An account with its sites.
#[derive(Debug, Clone)]
pub struct BranchView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// The account it is below.
    pub parent: Option<String>,
    /// How far it is below the highest account of the list.
    pub level: usize,
    /// Its sites by name.
    pub sites: Vec<ListedSiteView>,
}

/// A site in a list.
#[derive(Debug, Clone)]
pub struct ListedSiteView {
    /// Id.
    pub id: String,
    /// Account id.
    pub account: String,
    /// Name.
    pub name: String,
    /// IANA zone.
    pub time_zone: String,
    /// How many users are there.
    pub users: i64,
    /// How many devices are for these users.
    pub devices: i64,
}

/// Accounts with their sites, and where to go on.
#[derive(Debug, Clone, Default)]
pub struct BranchesView {
    /// Each above those that are below it.
    pub accounts: Vec<BranchView>,
    /// The last account of a full page.
    pub next: Option<String>,
    /// Whether there are sites of these accounts that are not shown.
    pub has_more_sites: bool,
}

/// More than a page of accounts shall show.
const MOST_SITES: u32 = 500;
/// Counted no further: a list says "more than".
const MOST_COUNTED: u32 = 10_000;

impl App {
    /// Users whose name or extension begins with this, or all: of a site, or of all the actor sees.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a site outside the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn find_users(
        &self,
        (site, begins): (Option<&SiteId>, &str),
        page: Page<'_>,
        by: &Actor,
    ) -> Result<Vec<ListedUserView>, AppError> {
        let within = self.users_within(site, by).await?;
        let found = self.store.people(&within, begins.trim(), page).await?;
        Ok(found.into_iter().map(ListedUserView::new).collect())
    }

    /// As [`App::find_users`], of one account and none below it; whoever sees one site of it finds those there.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an account outside the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn find_users_of(
        &self,
        (account, begins): (&AccountId, &str),
        page: Page<'_>,
        by: &Actor,
    ) -> Result<Vec<ListedUserView>, AppError> {
        let within = match &by.scope {
            Scope::Site { account: own, site } if own == account => {
                by.has(Right::Read)?;
                Within::Site(site.clone())
            }
            _ => {
                self.may(by, Right::Read, account, None).await?;
                Within::Account(account.clone())
            }
        };
        let found = self.store.people(&within, begins.trim(), page).await?;
        Ok(found.into_iter().map(ListedUserView::new).collect())
    }

    /// How many users there are: of a site, or of all the actor sees, and whether there are more than were counted.
    ///
    /// # Errors
    /// As [`App::find_users`].
    pub async fn count_users(&self, site: Option<&SiteId>, by: &Actor) -> Result<(i64, bool), AppError> {
        let within = self.users_within(site, by).await?;
        let count = self.store.count_people(&within, MOST_COUNTED).await?;
        Ok((count, count >= i64::from(MOST_COUNTED)))
    }

    async fn users_within(&self, site: Option<&SiteId>, by: &Actor) -> Result<Within, AppError> {
        let Some(site) = site else {
            by.has(Right::Read)?;
            return Ok(self.store.within(&by.scope).await?);
        };
        self.may_site(by, Right::Read, site).await?;
        Ok(Within::Site(site.clone()))
    }

    /// The devices of a user.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a user in the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn user_devices(&self, id: &UserId, by: &Actor) -> Result<Vec<DeviceView>, AppError> {
        self.may_user(by, Right::Read, id).await?;
        self.recorder.flush().await;
        let mut views = Vec::new();
        for device in self.store.devices_of_user(id).await? {
            if let Some(row) = self.store.device(&device.device).await? {
                views.push(self.device_view(row, by).await?);
            }
        }
        Ok(views)
    }

    /// Accounts with their sites: an account and all below it, or all the actor sees.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an account outside the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn branches(&self, of: Option<&AccountId>, page: Page<'_>, by: &Actor) -> Result<BranchesView, AppError> {
        by.has(Right::Read)?;
        let scope = match (of, &by.scope) {
            (None, scope) => scope.clone(),
            (Some(account), scope) => {
                self.account(account, by).await?;
                // Whoever sees one site only sees no other of its account.
                if matches!(scope, Scope::Site { .. }) { scope.clone() } else { Scope::Account(account.clone()) }
            }
        };
        let within = self.store.within(&scope).await?;
        let mut rows = self.store.branch(&within, page).await?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|found| found >= page.limit);
        let next = rows.last().filter(|_| is_full).map(|row| row.id.to_string());
        in_order_of_names(&mut rows);
        let ids: Vec<_> = rows.iter().map(|row| row.id.clone()).collect();
        let sites = self.store.sites_of(&ids, &within, MOST_SITES).await?;
        let has_more_sites = u32::try_from(sites.len()).is_ok_and(|found| found >= MOST_SITES);
        let top = rows.iter().map(|row| row.depth).min().unwrap_or(0);
        let branch = |row: AccountRow| BranchView {
            sites: sites.iter().filter(|site| site.account == row.id).map(ListedSiteView::new).collect(),
            id: row.id.to_string(),
            name: row.name,
            parent: row.parent.map(|parent| parent.to_string()),
            level: row.depth.saturating_sub(top),
        };
        Ok(BranchesView { accounts: rows.into_iter().map(branch).collect(), next, has_more_sites })
    }

    /// One site with how many users and devices it has.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a site in the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn listed_site(&self, id: &SiteId, by: &Actor) -> Result<ListedSiteView, AppError> {
        self.may_site(by, Right::Read, id).await?;
        let row = self.store.listed_site(id).await?;
        let row = row.ok_or_else(|| AppError::NotFound { what: "site", name: id.to_string() })?;
        Ok(ListedSiteView::new(&row))
    }
}

/// Sorts siblings by name; what is below an account stays behind it.
fn in_order_of_names(rows: &mut Vec<AccountRow>) {
    let ids: std::collections::HashSet<_> = rows.iter().map(|row| row.id.clone()).collect();
    let mut below: std::collections::HashMap<Option<AccountId>, Vec<AccountRow>> = std::collections::HashMap::new();
    for row in rows.drain(..) {
        let parent = row.parent.clone().filter(|parent| ids.contains(parent));
        below.entry(parent).or_default().push(row);
    }
    for siblings in below.values_mut() {
        siblings.sort_by_cached_key(|row| std::cmp::Reverse(row.name.to_lowercase()));
    }
    let mut next = below.remove(&None).unwrap_or_default();
    while let Some(row) = next.pop() {
        next.extend(below.remove(&Some(row.id.clone())).unwrap_or_default());
        rows.push(row);
    }
}

impl ListedUserView {
    fn new(row: ListedPerson) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name,
            extension: row.extension,
            email: row.email,
            site: row.site.0.to_string(),
            site_name: row.site.1,
            account_name: row.account.1,
            lines: row.lines,
            devices: row.devices.0,
            active: row.devices.1,
            welcome: row.welcome.map(|(state, _)| state.as_str()),
            device_assigned_since: row.welcome.is_some_and(|(_, since)| since),
        }
    }
}

impl ListedSiteView {
    fn new(row: &ListedSite) -> Self {
        Self {
            id: row.id.to_string(),
            account: row.account.to_string(),
            name: row.name.clone(),
            time_zone: row.time_zone.clone(),
            users: row.users,
            devices: row.devices,
        }
    }
}
