//! What was set on a phone itself: kept as the phone sent it, shown as the topmost layer, and cleared.
//!
//! Clearing empties the files that the phone reads its own settings from at its next start. That a phone then forgets
//! what it had is inferred from the order in which files win; nobody saw it, and view and guide say so.

use super::views::masked;
use crate::{Actor, App, AppError, error_reference, locked};
use provost_catalog::FileRole;
use provost_core::entry::guard::checked_reason;
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::render::settings_document;
use provost_core::rights::Right;
use provost_core::sentence;
use provost_core::xml::parameters;
use provost_store::{ClearedRow, NewEvent, Store};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

/// The emptied files that phones have not fetched, in memory so that a request costs no query.
#[derive(Debug, Default)]
pub(crate) struct Clearing(Mutex<HashMap<MacAddr, BTreeSet<String>>>);

impl Clearing {
    pub(crate) async fn load(store: &Store) -> Result<Self, AppError> {
        let mut all: HashMap<MacAddr, BTreeSet<String>> = HashMap::new();
        for (mac, name) in store.unfetched_overrides().await? {
            all.entry(mac).or_default().insert(name);
        }
        Ok(Self(Mutex::new(all)))
    }

    fn wait_for(&self, mac: MacAddr, names: impl Iterator<Item = String>) {
        locked(&self.0).entry(mac).or_default().extend(names);
    }

    /// Whether the phone is to fetch this emptied file.
    pub(crate) fn is_awaited(&self, mac: MacAddr, name: &str) -> bool {
        locked(&self.0).get(&mac).is_some_and(|names| names.contains(name))
    }

    fn done(&self, mac: MacAddr, name: &str) {
        let mut all = locked(&self.0);
        if let Some(names) = all.get_mut(&mac) {
            names.remove(name);
            if names.is_empty() {
                all.remove(&mac);
            }
        }
    }
}

/// What a phone did with an emptied file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Did {
    /// It read it.
    Fetch,
    /// It sent its own instead.
    Send,
}

/// What was set on a phone itself, as shown.
#[derive(Debug, Clone, Default, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OverridesView {
    /// What counts on the phone over what it is told, by name.
    pub items: Vec<OwnSetting>,
    /// The files it sent.
    pub files: Vec<OwnFile>,
    /// What was cleared.
    pub clearing: Vec<ClearingView>,
    /// How far the clearing is, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
}

/// One value of a phone's own.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OwnSetting {
    /// The maker's name.
    pub parameter: String,
    /// The value; what may be a secret is `(hidden)`.
    pub value: String,
    /// `phone menu` or `web page`.
    pub from: &'static str,
    /// What the phone is told and does not heed; absent when it is told nothing.
    pub hides: Option<String>,
}

/// A file of a phone's own settings.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OwnFile {
    /// Its name.
    pub name: String,
    /// When it came.
    pub at: String,
    /// Whether all of it could be read.
    pub is_whole: bool,
}

/// How far the clearing of a file is.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ClearingView {
    /// The file.
    pub file: String,
    /// `waiting` or `fetched`.
    pub state: &'static str,
    /// The same in words.
    pub sentence: String,
    /// When it was cleared.
    pub cleared_at: String,
    /// Who did it.
    pub cleared_by: String,
    /// When the phone fetched the emptied file.
    pub fetched_at: Option<String>,
}

/// Larger files are no settings of a phone; uploads end at the same size.
const MOST_BYTES: usize = 1024 * 1024;

impl App {
    /// What was set on the device's phone itself, with what of it hides what it is told.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn overrides(&self, id: &DeviceId, by: &Actor) -> Result<OverridesView, AppError> {
        let row = self.may_device(by, Right::Read, id).await?;
        let facts = self.facts(&row).await?;
        let mut view = self.own_settings(facts.mac).await?;
        let values = self.explain(&facts)?.values;
        for item in &mut view.items {
            let told = values.iter().find(|value| value.parameter == item.parameter);
            item.hides = told.map(|value| masked(&item.parameter, &value.value, false));
            item.value = masked(&item.parameter, &item.value, false);
        }
        let Some(mac) = facts.mac else { return Ok(view) };
        let command = &self.told.command;
        view.clearing = self.store.cleared_overrides(mac).await?.iter().map(|row| clearing(row, command)).collect();
        view.summary = view
            .clearing
            .iter()
            .map(|one| format!("{}: {}", one.file, one.sentence))
            .reduce(|all, one| all + "\n" + &one);
        Ok(view)
    }

    /// Empties the files of the phone's own settings. The phone reads them at its next start.
    ///
    /// # Errors
    /// [`AppError::Refused`] when there is nothing to clear; [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn clear_overrides(
        &self,
        id: &DeviceId,
        reason: Option<&str>,
        by: &Actor,
    ) -> Result<OverridesView, AppError> {
        let row = self.may_device(by, Right::Change, id).await?;
        let why = reason.map(checked_reason).transpose()?;
        let mac = self.store.phone_of(id).await?;
        let own = self.own_settings(mac).await?;
        let is_something = !own.items.is_empty() || own.files.iter().any(|file| !file.is_whole);
        let Some(mac) = mac.filter(|_| is_something) else { return Err(nothing_to_clear()) };
        let empty = settings_document(&self.catalog, &[])?.into_bytes();
        let files: Vec<_> = own.files.into_iter().map(|file| (file.name, empty.clone())).collect();
        let site = self.store.site_of_device(id).await?;
        let what = format!("cleared what was set on phone {mac} of {id} itself");
        let entry = self.audit_entry(by, what, why.as_deref()).about(&row.account, site.as_ref());
        let told =
            "An administrator cleared what was set on this phone itself. It reads the emptied files at its next start.";
        let event = NewEvent {
            id: locked(&self.event_ids).next(entry.at),
            mac,
            at: entry.at,
            entry: sentence::action(told.to_owned()),
            contact: None,
        };
        let done = self.store.audited(entry).clear_overrides((mac, id, &by.who), &files, &event).await?;
        if !done {
            return Err(nothing_to_clear());
        }
        self.clearing.wait_for(mac, files.into_iter().map(|(name, _)| name));
        self.overrides(id, by).await
    }

    /// What a phone set by itself, as its files say; of two, the phone's own menu wins over its web page.
    pub(super) async fn own_settings(&self, mac: Option<MacAddr>) -> Result<OverridesView, AppError> {
        let Some(mac) = mac else { return Ok(OverridesView::default()) };
        let mut read = Vec::new();
        for (name, _, at) in self.store.uploads(mac).await? {
            let from = match self.catalog.file(&name).map(|file| file.role) {
                Some(FileRole::PhoneOverrides) => "phone menu",
                Some(FileRole::WebOverrides) => "web page",
                _ => continue,
            };
            let bytes = self.store.upload(mac, &name).await?.unwrap_or_default();
            let found = parameters(bytes.get(..MOST_BYTES).unwrap_or(&bytes));
            read.push((from, found, OwnFile { name, at: at.to_string(), is_whole: true }));
        }
        read.sort_by_key(|(from, ..)| *from);
        let mut items: BTreeMap<String, OwnSetting> = BTreeMap::new();
        let mut files = Vec::new();
        for (from, found, mut file) in read {
            file.is_whole = found.is_whole;
            files.push(file);
            for (parameter, value) in found.list {
                if !self.is_enable_key(&parameter) {
                    let own = OwnSetting { parameter: parameter.clone(), value, from, hides: None };
                    items.entry(parameter).or_insert(own);
                }
            }
        }
        Ok(OverridesView { items: items.into_values().collect(), files, clearing: Vec::new(), summary: None })
    }

    /// The phone read an emptied file, or sent its own before it did.
    pub(crate) async fn watch_clearing(&self, mac: MacAddr, name: &str, did: Did) {
        let now = self.now();
        let told = match did {
            Did::Fetch => {
                "It fetched its own settings as they were cleared. What it still sends after this was set again."
            }
            Did::Send => "It sent its own settings before it fetched the emptied file: they stand as before.",
        };
        let entry = sentence::action(told.to_owned());
        let event = NewEvent { id: locked(&self.event_ids).next(now), mac, at: now, entry, contact: None };
        let noted = match did {
            Did::Fetch => self.store.emptied_was_fetched((mac, name), &event).await,
            Did::Send => self.store.clearing_was_overtaken((mac, name), &event).await,
        };
        match noted {
            Ok(()) => self.clearing.done(mac, name),
            Err(error) => {
                tracing::error!(phone.mac = %mac, file.name = %name, %error, "that phone {mac} came for {name} could not be noted; tried again at its next time");
            }
        }
    }
}

fn clearing(row: &ClearedRow, command: &str) -> ClearingView {
    let (state, sentence) = match row.fetched {
        None => ("waiting", "emptied here; it waits for the phone's next start, when the phone fetches it".to_owned()),
        Some(at) => (
            "fetched",
            format!(
                "the phone fetched the emptied file at {at}; that it then forgets what it had is inferred and nobody saw \
                 it. Look again after it started (`{command} configuration overrides`): if it sends the same, reset its \
                 local settings at its menu"
            ),
        ),
    };
    ClearingView {
        file: row.name.clone(),
        state,
        sentence,
        cleared_at: row.cleared.to_string(),
        cleared_by: row.who.clone(),
        fetched_at: row.fetched.map(|at| at.to_string()),
    }
}

fn nothing_to_clear() -> AppError {
    let message = "nothing was set on a phone of this device itself, as far as it sent".to_owned();
    AppError::Refused { code: "nothing-to-clear", message, reference: error_reference() }
}
