//! What home shows: devices by state, what needs a hand with its reason, how far sites are, alarms, unclaimed phones.
//!
//! Decides what is on which list and in which order of urgency. Times are absolute, so that two views of the same state
//! are equal.

use crate::alarms::alarm_view;
use crate::{Actor, AlarmView, App, AppError, MacText, PhoneView};
use provost_core::firmware::{FirmwareLevel, judge};
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use provost_store::{SiteProgress, Trouble, TroubleKind, TroubleQuery, Within};

/// Rows of one reason; who wants all opens the report.
const SHOWN: usize = 5;
/// Counted exactly up to here.
const COUNTED: u32 = 100;
/// Sites that are not done yet; the others are counted.
const SITES: usize = 10;
/// Alarms on home; all have a page.
const ALARMS: u32 = 5;
const UNCLAIMED: u32 = 20;
/// A device that waits this long for its code was forgotten.
const FORGOTTEN_DAYS: i64 = 2;

/// Why something needs a hand, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hand {
    /// Its phone was claimed and did not come back.
    NotBack,
    /// Its phone missed polls.
    Silent,
    /// Its phone is here and not claimed.
    NotClaimed,
    /// The last attempt to lead its phone to other firmware failed.
    FirmwareFailed,
    /// Its phone runs firmware lower than its model is served well with.
    OldFirmware,
    /// Another account names the same phone.
    Clash,
    /// Its phone has no factory certificate.
    NotFactory,
    /// Its code is over.
    CodeExpired,
    /// Its user's welcome mail did not arrive.
    WelcomeFailed,
    /// It has a user and no code.
    NoCode,
}

/// The lists in their order, with what is asked of the store.
const LISTS: [(Hand, TroubleKind); 9] = [
    (Hand::NotBack, TroubleKind::NotBack),
    (Hand::Silent, TroubleKind::Silent),
    (Hand::NotClaimed, TroubleKind::NotClaimed),
    (Hand::FirmwareFailed, TroubleKind::FirmwareFailed),
    (Hand::Clash, TroubleKind::Clash),
    (Hand::NotFactory, TroubleKind::NotFactory),
    (Hand::CodeExpired, TroubleKind::CodeExpired),
    (Hand::WelcomeFailed, TroubleKind::WelcomeFailed),
    (Hand::NoCode, TroubleKind::NoCode),
];

/// Home as one actor sees it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct HomeView {
    /// Each state that devices are in, with how many; by the words of the API.
    pub states: Vec<(&'static str, i64)>,
    /// Activated devices whose phone missed a poll, counted to ten thousand.
    pub silent: i64,
    /// Since when a phone that was not here has missed a poll, RFC 3339 to the day.
    #[serde(skip)]
    pub silent_before: String,
    /// What needs a hand, the most urgent reason first; reasons without anything are left out.
    pub hands: Vec<HandList>,
    /// When the data was restored, for who may confirm it and while it waits for that.
    pub restored_at: Option<String>,
    /// Sites that are not done, the least first.
    pub sites: Vec<SiteProgressView>,
    /// Further sites that are not done.
    pub more_sites: usize,
    /// Sites whose every device is activated.
    pub done_sites: usize,
    /// Open alarms, newest first.
    pub alarms: Vec<AlarmView>,
    /// Whether there are more.
    pub has_more_alarms: bool,
    /// Proven phones that nobody claimed, for who sees the whole server.
    pub unclaimed: Vec<PhoneView>,
}

/// What needs a hand for one reason.
#[derive(Debug, Clone, serde::Serialize)]
pub struct HandList {
    /// The reason.
    pub reason: Hand,
    /// The newest of them.
    pub items: Vec<HandView>,
    /// Further ones, counted to a hundred.
    pub more: usize,
    /// Whether there are more than that.
    pub is_uncounted: bool,
}

/// A device or a user that needs a hand.
#[derive(Debug, Clone, serde::Serialize)]
pub struct HandView {
    /// The device, unless it is about a user alone.
    pub device: Option<String>,
    /// Its model's name.
    pub model_name: Option<String>,
    /// Its phone.
    pub mac: Option<MacText>,
    /// The user.
    pub user: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// The user's extension.
    pub extension: Option<String>,
    /// The name of the user's site.
    pub site_name: Option<String>,
    /// Since when, or when last, RFC 3339; the reason says which.
    pub at: String,
}

/// How far a site is.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SiteProgressView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Devices whose phone is bound.
    pub activated: i64,
    /// These, and those that wait for a phone.
    pub wanted: i64,
}

impl App {
    /// What home shows to this actor.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn home(&self, by: &Actor) -> Result<HomeView, AppError> {
        by.has(Right::Read)?;
        self.recorder.flush().await;
        let within = self.store.within(&by.scope).await?;
        let silent_before = self.silent_before();
        let states = self.store.devices_by_state(&within).await?;
        let mut alarms = self.store.open_alarms(&within, ALARMS.saturating_add(1)).await?;
        let has_more_alarms = u32::try_from(alarms.len()).is_ok_and(|found| found > ALARMS);
        alarms.truncate(usize::try_from(ALARMS).unwrap_or(usize::MAX));
        let may_confirm = by.scope == Scope::Platform && by.role.may(Right::Platform);
        let restored_at = if may_confirm { self.restore_state(by)?.restored_at } else { None };
        let (sites, more_sites, done_sites) = progress(self.store.site_progress(&within).await?);
        Ok(HomeView {
            states: states.into_iter().map(|(state, count)| (state.as_str(), count)).collect(),
            silent: self.store.silent_count(&within, silent_before).await?,
            silent_before: silent_before.to_string(),
            hands: self.hands(&within, silent_before).await?,
            restored_at,
            sites,
            more_sites,
            done_sites,
            alarms: alarms.into_iter().map(alarm_view).collect(),
            has_more_alarms,
            unclaimed: self.unclaimed_phones(UNCLAIMED, by).await?,
        })
    }

    async fn hands(&self, within: &Within, silent_before: UnixMillis) -> Result<Vec<HandList>, AppError> {
        let mut lists = Vec::new();
        for (reason, kind) in LISTS {
            let before = match reason {
                Hand::Silent => silent_before,
                Hand::NoCode => self.now().plus_days(-FORGOTTEN_DAYS),
                _ => self.now(),
            };
            let found = self.store.troubles(TroubleQuery { within, kind, before, limit: COUNTED }).await?;
            lists.extend(self.hand_list(reason, found));
            if reason == Hand::FirmwareFailed {
                let old = self.store.phones_running(&self.old_versions().await?, within, COUNTED).await?;
                lists.extend(self.hand_list(Hand::OldFirmware, old));
            }
        }
        Ok(lists)
    }

    /// The versions in use that are lower than their model is served well with.
    async fn old_versions(&self) -> Result<Vec<(String, String)>, AppError> {
        let is_old = |(model, firmware): &(String, String)| {
            judge(self.catalog.hardware(model), firmware.parse().ok().as_ref(), None).level == FirmwareLevel::BelowFloor
        };
        Ok(self.store.versions_seen().await?.into_iter().filter(is_old).collect())
    }

    fn hand_list(&self, reason: Hand, found: Vec<Trouble>) -> Option<HandList> {
        if found.is_empty() {
            return None;
        }
        let is_uncounted = u32::try_from(found.len()).is_ok_and(|count| count >= COUNTED);
        let more = found.len().saturating_sub(SHOWN);
        let items = found.into_iter().take(SHOWN).map(|trouble| self.hand_view(trouble)).collect();
        Some(HandList { reason, items, more, is_uncounted })
    }

    fn hand_view(&self, trouble: Trouble) -> HandView {
        let name = |id: String| self.catalog.model(&id).map_or(id.clone(), |model| model.name.value.clone());
        HandView {
            device: trouble.device.map(|id| id.to_string()),
            model_name: trouble.model.map(name),
            mac: trouble.mac.map(MacText),
            user: trouble.person.map(|id| id.to_string()),
            user_name: trouble.user,
            extension: trouble.extension,
            site_name: trouble.site,
            at: trouble.at.to_string(),
        }
    }
}

/// The sites that are not done with the least done first, how many more of them, and how many are done.
fn progress(all: Vec<SiteProgress>) -> (Vec<SiteProgressView>, usize, usize) {
    let count = all.len();
    let mut open: Vec<_> = all.into_iter().filter(|site| site.activated < site.wanted).collect();
    let done = count.saturating_sub(open.len());
    let share = |site: &SiteProgress| site.activated.saturating_mul(1000).checked_div(site.wanted).unwrap_or(0);
    open.sort_by_key(share);
    let more = open.len().saturating_sub(SITES);
    open.truncate(SITES);
    let view = |site: SiteProgress| SiteProgressView {
        id: site.site.to_string(),
        name: site.name,
        activated: site.activated,
        wanted: site.wanted,
    };
    (open.into_iter().map(view).collect(), more, done)
}
