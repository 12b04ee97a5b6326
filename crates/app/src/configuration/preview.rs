//! What a phone would be told if a layer were changed: nothing is stored.

use super::effective::Facts;
use super::views::parameter_change;
use super::{ChangeView, HIDDEN, LeftOutView, WarningView};
use crate::{Actor, App, AppError};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::file_plan::settings_name;
use provost_core::ids::DeviceId;
use provost_core::layers::{
    Entries, LayerChange, LayerEntries, Reach, SettingValue, Subject, is_secret_name, subjects, warnings,
};
use provost_core::render::{self, Effective, Shown, differences};
use provost_core::rights::Right;
use provost_store::DeviceRow;
use std::collections::{BTreeMap, BTreeSet};

/// `POST /devices/{id}/preview`.
#[derive(Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PreviewInput {
    /// The layer that would be changed: `platform`, `account`, `site`, `model` or, by default, `device`.
    pub layer: Option<String>,
    /// Which of the device's accounts, for `account` and `model`; by default its own, and for `model` all of the server.
    pub account: Option<String>,
    /// As in a change of the layer.
    pub settings: BTreeMap<String, Option<SettingValue>>,
    /// As in a change of the layer.
    pub raw: BTreeMap<String, Option<SettingValue>>,
    /// Why secrets are needed; without it they are masked.
    pub reveal: Option<String>,
}

/// What a phone would be told.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PreviewView {
    /// The device.
    pub device: String,
    /// The layer that would be changed.
    pub subject: String,
    /// The files that would be different or are read beside them, as the phone would get them.
    pub files: Vec<FileView>,
    /// What is different from the present configuration.
    pub changes: Vec<ChangeView>,
    /// Entries of layers that this phone would not be told.
    pub not_told: Vec<LeftOutView>,
    /// What to know of entries of the layer.
    pub warnings: Vec<WarningView>,
}

/// A file of a preview.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FileView {
    /// Its name.
    pub name: String,
    /// Its content, byte for byte but for masked secrets.
    pub content: String,
}

/// The name that stands for the phone's while a device has none.
const NO_PHONE: &str = "MAC";

impl App {
    /// The files the device's phone would get with this change, and what is different from the present ones.
    ///
    /// # Errors
    /// [`AppError::Fields`] names every entry at fault; [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn preview(&self, id: &DeviceId, input: PreviewInput, by: &Actor) -> Result<PreviewView, AppError> {
        let right = if input.reveal.is_some() { Right::Secrets } else { Right::Read };
        let row = self.may_device(by, right, id).await?;
        let mut facts = self.facts(&row).await?;
        let (subject, order) = self.subject_of(&row, &facts, &input).await?;
        let models = match subject {
            Subject::Platform | Subject::Account(_) | Subject::Site(_) => self.catalog.models().collect(),
            Subject::Model(_) | Subject::AccountModel(..) | Subject::Device(_) => vec![facts.model],
        };
        let reach = Reach { catalog: &self.catalog, models };
        // The layer is there before as after, if empty: values are found by the place of their layer.
        if !facts.bound.layers.iter().any(|held| held.subject == subject) {
            facts.bound.layers.push(LayerEntries { subject: subject.clone(), entries: Entries::default() });
        }
        facts.bound.layers.sort_by_key(|held| order.iter().position(|subject| *subject == held.subject));
        let before = self.explain(&facts)?.values;
        if input.raw.keys().any(|name| is_secret_name(name)) {
            // Whether a secret changes by this would tell who guesses it that the guess was right.
            by.has(Right::Secrets)?;
        }
        let change = LayerChange { settings: input.settings, raw: input.raw, reason: None };
        let present = facts.bound.layers.iter_mut().find(|held| held.subject == subject);
        let Some(present) = present else { return Err(AppError::Interrupted) };
        let entries = change.onto(&present.entries, &reach)?;
        let told = warnings(&entries, &reach).into_iter();
        let told = told.map(|warning| WarningView { field: warning.field, message: warning.message }).collect();
        present.entries = entries;
        if let Some(reason) = &input.reveal {
            self.note_reveal(&row, reason, by).await?;
        }
        let after = self.explain(&facts)?;
        let origins = self.origins(&facts, by).await?;
        let hidden = |value: &Effective| {
            value.shown == Shown::OnReveal && !(input.reveal.is_some() && origins.is_seen(value.entry))
        };
        let secrets: BTreeSet<&str> = before
            .iter()
            .chain(&after.values)
            .filter(|value| hidden(value))
            .map(|value| value.parameter.as_str())
            .collect();
        let changes = differences(pairs(&before), pairs(&after.values)).into_iter();
        let changes = changes.map(|change| {
            parameter_change(change, |name| secrets.contains(name) || input.reveal.is_none() && is_secret_name(name))
        });
        Ok(PreviewView {
            device: row.id.to_string(),
            subject: subject.to_string(),
            changes: changes.collect(),
            files: self.files(&facts, &after.values, hidden)?,
            not_told: after.left_out.iter().map(|out| origins.left_out(out)).collect(),
            warnings: told,
        })
    }

    fn files(
        &self,
        facts: &Facts<'_>,
        values: &[Effective],
        hidden: impl Fn(&Effective) -> bool,
    ) -> Result<Vec<FileView>, AppError> {
        let shown: Vec<_> = values
            .iter()
            .map(|value| match hidden(value) {
                true => Effective { value: HIDDEN.to_owned(), ..value.clone() },
                false => value.clone(),
            })
            .collect();
        let (phone, settings) = match facts.mac {
            Some(mac) => (mac.to_string(), settings_name(mac)),
            None => (NO_PHONE.to_owned(), format!("{NO_PHONE}-provost.cfg")),
        };
        let master = render::master(&self.catalog, "", &[&settings])?;
        Ok(vec![
            FileView { name: format!("{phone}.cfg"), content: master },
            FileView { name: settings, content: render::settings_document(&self.catalog, &shown)? },
        ])
    }

    /// The layer a preview is about, and the order of all layers of the device.
    async fn subject_of(
        &self,
        row: &DeviceRow,
        facts: &Facts<'_>,
        input: &PreviewInput,
    ) -> Result<(Subject, Vec<Subject>), AppError> {
        let accounts = self.store.accounts_above(&row.account).await?;
        let site = self.store.site_of_device(&row.id).await?;
        let order = subjects(&accounts, site.as_ref(), &row.model, &row.id);
        let fault = |field: &str, message: &str| {
            FieldErrors(vec![FieldError { field: field.to_owned(), message: message.to_owned() }])
        };
        let account = match &input.account {
            None => None,
            Some(id) => match accounts.iter().find(|account| account.as_str() == id) {
                Some(account) => Some(account.clone()),
                None => return Err(fault("account", "is none of the accounts this device is in").into()),
            },
        };
        let subject = match input.layer.as_deref().unwrap_or("device") {
            "platform" => Subject::Platform,
            "account" => Subject::Account(account.unwrap_or_else(|| row.account.clone())),
            "site" => match site {
                Some(site) => Subject::Site(site),
                None => return Err(fault("layer", "the device has no user, and so no site").into()),
            },
            "model" => match account {
                Some(account) => Subject::AccountModel(account, facts.model.id.clone()),
                None => Subject::Model(facts.model.id.clone()),
            },
            "device" => Subject::Device(row.id.clone()),
            _ => return Err(fault("layer", "is not platform, account, site, model or device").into()),
        };
        Ok((subject, order))
    }
}

pub(super) fn pairs(values: &[Effective]) -> impl Iterator<Item = (&str, &str)> {
    values.iter().map(|value| (value.parameter.as_str(), value.value.as_str()))
}
