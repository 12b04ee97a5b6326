//! Layers and what comes of them, as shown.

use super::{HIDDEN, Home, Present};
use provost_core::layers::{EntryChange, Subject, is_secret_name, warnings};
use provost_core::render::ParameterChange;
use provost_store::{REACH_COUNTED, RevisionRow};
use std::collections::BTreeMap;

/// A layer as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LayerView {
    /// `platform`, `account`, `site`, `model` or `device`.
    pub layer: &'static str,
    /// What it is for: an id, `platform`, or a model.
    pub subject: String,
    /// The same as people call it.
    pub name: String,
    /// The revision that counts; 0 for a layer that was never changed.
    pub revision: i64,
    /// When it came to be.
    pub changed_at: Option<String>,
    /// Who made it so.
    pub changed_by: Option<String>,
    /// Values by the catalog's word for the setting.
    pub settings: BTreeMap<String, String>,
    /// Values by the maker's parameter; what may be a secret is `(hidden)`.
    pub raw: BTreeMap<String, String>,
    /// What to know of entries.
    pub warnings: Vec<WarningView>,
    /// How many devices are in it.
    pub reaches: ReachView,
}

/// What to know of an entry.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct WarningView {
    /// The entry.
    pub field: String,
    /// What to know.
    pub message: String,
}

/// How many devices a layer reaches.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct ReachView {
    /// At least so many.
    pub devices: i64,
    /// Whether there are more, which are not counted.
    pub more: bool,
}

/// A revision of a layer as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RevisionView {
    /// Its number, from 1.
    pub revision: String,
    /// RFC 3339.
    pub at: String,
    /// Who made it.
    pub who: String,
    /// The reason given.
    pub why: Option<String>,
    /// The revision whose content came back with it; 0 is the empty layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restores: Option<i64>,
    /// What it changed.
    pub changes: Vec<EntryChangeView>,
}

/// An entry that came, went or changed.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EntryChangeView {
    /// The setting or parameter.
    pub name: String,
    /// `setting` or `raw`.
    pub kind: &'static str,
    /// The value before; absent for one that came.
    pub before: Option<String>,
    /// The value after; absent for one that went.
    pub after: Option<String>,
}

/// Everything a device's phone is told, with where it comes from.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EffectiveView {
    /// The device.
    pub device: String,
    /// Its phone.
    pub mac: Option<String>,
    /// Its model.
    pub model: String,
    /// The firmware it is made for: the phone's own, else the catalog's reference.
    pub firmware: String,
    /// Every parameter, by name; with what the phone itself has on top.
    pub items: Vec<EffectiveItem>,
    /// Entries of layers that this phone is not told.
    pub not_told: Vec<LeftOutView>,
}

/// One parameter as it counts on the phone.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EffectiveItem {
    /// The maker's name.
    pub parameter: String,
    /// The value that counts; a secret is `(hidden)`.
    pub value: String,
    /// `platform`, `account`, `site`, `model`, `device` or `phone`.
    pub layer: &'static str,
    /// Where exactly it comes from.
    pub origin: OriginView,
    /// Whether it is or may be a secret.
    pub secret: bool,
    /// The values it hides, the next to count first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<OverriddenView>,
}

/// A value that another one hides.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OverriddenView {
    /// The value; a secret is `(hidden)`.
    pub value: String,
    /// As [`EffectiveItem::layer`].
    pub layer: &'static str,
    /// Where exactly it comes from.
    pub origin: OriginView,
}

/// Where a value comes from.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct OriginView {
    /// `provost` for what follows from catalog, people, sites and server; `entry` for an entry of a layer; `phone` for
    /// what was set on the phone.
    pub kind: &'static str,
    /// The layer it was entered in; absent when that is not yours to see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The account, site, model, user or place as people call it.
    pub name: String,
}

/// An entry that a phone is not told.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LeftOutView {
    /// The setting or parameter.
    pub name: String,
    /// Its value; what may be a secret is `(hidden)`.
    pub value: String,
    /// As [`EffectiveItem::layer`].
    pub layer: &'static str,
    /// Where exactly it was entered.
    pub origin: OriginView,
    /// Why it is not told.
    pub why: String,
}

/// A parameter that comes, goes or changes.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ChangeView {
    /// The maker's name.
    pub parameter: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The value before; a secret is `(hidden)`.
    pub before: Option<String>,
    /// The value after; a secret is `(hidden)`.
    pub after: Option<String>,
}

/// A value, or what stands for it when it may be a secret.
pub(super) fn masked(name: &str, value: &str, revealed: bool) -> String {
    if revealed || !is_secret_name(name) { value.to_owned() } else { HIDDEN.to_owned() }
}

pub(super) fn layer(
    subject: &Subject,
    home: &Home<'_>,
    (present, reached): (&Present, i64),
    revealed: bool,
) -> LayerView {
    let warning =
        |warning: provost_core::layers::Warning| WarningView { field: warning.field, message: warning.message };
    let raw = present.entries.raw.iter();
    LayerView {
        layer: subject.layer().as_str(),
        subject: subject.to_string(),
        name: home.name.clone(),
        revision: present.number,
        changed_at: present.row.as_ref().map(|row| row.at.to_string()),
        changed_by: present.row.as_ref().map(|row| row.who.clone()),
        settings: present.entries.settings.clone(),
        raw: raw.map(|(name, value)| (name.clone(), masked(name, value, revealed))).collect(),
        warnings: warnings(&present.entries, &home.reach).into_iter().map(warning).collect(),
        reaches: ReachView { devices: reached.min(REACH_COUNTED), more: reached > REACH_COUNTED },
    }
}

pub(super) fn revision(row: &RevisionRow, changes: Vec<EntryChange>) -> RevisionView {
    let change = |change: EntryChange| EntryChangeView {
        kind: if change.is_raw { "raw" } else { "setting" },
        before: change.before.map(|value| masked(&change.name, &value, false)),
        after: change.after.map(|value| masked(&change.name, &value, false)),
        name: change.name,
    };
    RevisionView {
        revision: row.number.to_string(),
        at: row.at.to_string(),
        who: row.who.clone(),
        why: row.why.clone(),
        restores: row.restores,
        changes: changes.into_iter().map(change).collect(),
    }
}

/// A change of a parameter; `is_secret` says what else than its name makes one.
pub(super) fn parameter_change(change: ParameterChange, is_secret: impl Fn(&str) -> bool) -> ChangeView {
    let ParameterChange { parameter, before, after } = change;
    let word = match (&before, &after) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    let hide = is_secret(&parameter);
    let shown = |value: Option<String>| value.map(|value| if hide { HIDDEN.to_owned() } else { value });
    ChangeView { change: word, before: shown(before), after: shown(after), parameter }
}
