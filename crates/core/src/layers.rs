//! Configuration layers: what administrators set for phones, over what Provost sets by itself.
//!
//! Decides what may stand in a layer, and which of two layers wins: later kinds of [`Layer`] over earlier ones, and of
//! two accounts the one nearer to the device. What a phone makes of it is rendered by [`crate::render`]. Some settings
//! are Provost's own ([`owner_of`]): they follow from people, sites and the server, and no layer may hold them.

mod change;
mod names;
mod owned;

pub use change::{LayerChange, Reach, SettingValue, Warning, warnings};
pub use names::is_secret_name;
pub(crate) use names::setting_name;
pub use owned::owner_of;

use crate::ids::{AccountId, DeviceId, SiteId};
use crate::render::Layer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What a layer is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Every phone here.
    Platform,
    /// The phones of an account and of those below it.
    Account(AccountId),
    /// The phones of a site.
    Site(SiteId),
    /// Every phone of a model, by its id in the catalog.
    Model(String),
    /// The phones of a model in an account and in those below it.
    AccountModel(AccountId, String),
    /// One device.
    Device(DeviceId),
}

/// Text that names no layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` names no layer")]
pub struct SubjectError {
    /// The text as it came.
    pub found: String,
}

/// What stands for a secret that is not shown; nobody can mean it as a value.
pub const HIDDEN: &str = "(hidden)";

const PLATFORM: &str = "platform";
const MODEL: &str = "model";

impl Subject {
    /// The kind of layer, which decides who wins.
    pub const fn layer(&self) -> Layer {
        match self {
            Self::Platform => Layer::Platform,
            Self::Account(_) => Layer::Account,
            Self::Site(_) => Layer::Site,
            Self::Model(_) | Self::AccountModel(..) => Layer::Model,
            Self::Device(_) => Layer::Device,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => out.write_str(PLATFORM),
            Self::Account(id) => write!(out, "{id}"),
            Self::Site(id) => write!(out, "{id}"),
            Self::Model(model) => write!(out, "{MODEL}/{model}"),
            Self::AccountModel(id, model) => write!(out, "{id}/{model}"),
            Self::Device(id) => write!(out, "{id}"),
        }
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let error = || SubjectError { found: text.to_owned() };
        match text.split_once('/') {
            None if text == PLATFORM => Ok(Self::Platform),
            None => text
                .parse()
                .map(Self::Account)
                .or_else(|_| text.parse().map(Self::Site))
                .or_else(|_| text.parse().map(Self::Device))
                .map_err(|_| error()),
            Some((MODEL, model)) => Ok(Self::Model(model.to_owned())),
            Some((account, model)) => {
                account.parse().map(|id| Self::AccountModel(id, model.to_owned())).map_err(|_| error())
            }
        }
    }
}

/// What stands in a layer.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entries {
    /// Values by the catalog's word for the setting, for one line only with `@` and its number.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Values by the maker's parameter, as they stand.
    #[serde(default)]
    pub raw: BTreeMap<String, String>,
}

/// Raw values may be secrets.
impl fmt::Debug for Entries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Entries({:?}, {:?})", self.settings.keys(), self.raw.keys())
    }
}

/// One entry that came, went or changed between two states of a layer.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryChange {
    /// The setting or parameter.
    pub name: String,
    /// Whether it is a raw parameter.
    pub is_raw: bool,
    /// The value before.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

impl Entries {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.settings.len().saturating_add(self.raw.len())
    }

    /// How long all names and values are together.
    pub fn bytes(&self) -> usize {
        let all = self.settings.iter().chain(&self.raw);
        all.map(|(name, value)| name.len().saturating_add(value.len())).fold(0, usize::saturating_add)
    }

    /// What is different in `after`, settings first, each by name.
    pub fn changes(&self, after: &Self) -> Vec<EntryChange> {
        let between = |before: &BTreeMap<String, String>, after: &BTreeMap<String, String>, is_raw| {
            let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
            names.sort_unstable();
            names.dedup();
            let change = |name: &String| EntryChange {
                name: name.clone(),
                is_raw,
                before: before.get(name).cloned(),
                after: after.get(name).cloned(),
            };
            names.into_iter().map(change).filter(|change| change.before != change.after).collect::<Vec<_>>()
        };
        let mut all = between(&self.settings, &after.settings, false);
        all.extend(between(&self.raw, &after.raw, true));
        all
    }
}

/// A layer that a device is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerEntries {
    /// What it is for.
    pub subject: Subject,
    /// What stands in it.
    pub entries: Entries,
}

/// Every layer that a device of this model is in, those first that others win over. `accounts` are those from the top
/// down to its own.
pub fn subjects(accounts: &[AccountId], site: Option<&SiteId>, model: &str, device: &DeviceId) -> Vec<Subject> {
    let mut all = vec![Subject::Platform];
    all.extend(accounts.iter().cloned().map(Subject::Account));
    all.extend(site.cloned().map(Subject::Site));
    all.push(Subject::Model(model.to_owned()));
    all.extend(accounts.iter().map(|account| Subject::AccountModel(account.clone(), model.to_owned())));
    all.push(Subject::Device(device.clone()));
    all
}

#[cfg(test)]
mod tests;
