//! What a device's phone is told: every value with where it comes from, and what the phone itself has on top.

use super::views::masked;
use super::{EffectiveItem, EffectiveView, HIDDEN, LeftOutView, OriginView, OverriddenView};
use crate::{Actor, App, AppError};
use provost_catalog::{Model, Version};
use provost_core::entry::guard::checked_reason;
use provost_core::facts::BoundDevice;
use provost_core::ids::DeviceId;
use provost_core::layers::{Subject, is_secret_name};
use provost_core::mac::MacAddr;
use provost_core::render::{self, Effective, Explained, Layer, Shown, Target};
use provost_core::rights::{Right, Scope};
use provost_store::DeviceRow;
use std::collections::BTreeMap;

/// A device with all its configuration is made from.
pub(super) struct Facts<'a> {
    pub(super) mac: Option<MacAddr>,
    pub(super) model: &'a Model,
    pub(super) firmware: Version,
    pub(super) bound: BoundDevice,
}

/// What the layers of a device are called, for somebody who may not see all of them.
pub(super) struct Origins<'a> {
    facts: &'a Facts<'a>,
    layers: Vec<LayerOrigin>,
}

struct LayerOrigin {
    layer: Layer,
    view: OriginView,
    is_seen: bool,
}

impl App {
    /// Everything the device's phone is told, parameter by parameter; secrets are masked.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn effective(&self, id: &DeviceId, by: &Actor) -> Result<EffectiveView, AppError> {
        let row = self.may_device(by, Right::Read, id).await?;
        self.effective_view(&row, by, false).await
    }

    /// The same with secrets, for a reason that stands in the audit log before they are shown; those of layers outside
    /// the actor's scope stay masked.
    ///
    /// # Errors
    /// As [`App::effective`], and [`AppError::Fields`] without a reason.
    pub async fn effective_secrets(&self, id: &DeviceId, reason: &str, by: &Actor) -> Result<EffectiveView, AppError> {
        let row = self.may_device(by, Right::Secrets, id).await?;
        self.note_reveal(&row, reason, by).await?;
        self.effective_view(&row, by, true).await
    }

    pub(super) async fn note_reveal(&self, row: &DeviceRow, reason: &str, by: &Actor) -> Result<(), AppError> {
        let reason = checked_reason(reason)?;
        let site = self.store.site_of_device(&row.id).await?;
        let entry =
            self.audit_entry(by, format!("read the configuration of {} with its secrets", row.id), Some(&reason));
        Ok(self.store.audited(entry.about(&row.account, site.as_ref())).only().await?)
    }

    async fn effective_view(&self, row: &DeviceRow, by: &Actor, revealed: bool) -> Result<EffectiveView, AppError> {
        let facts = self.facts(row).await?;
        let Explained { values, left_out } = self.explain(&facts)?;
        let origins = self.origins(&facts, by).await?;
        let told = values.iter().map(|value| origins.item(value, revealed));
        let mut items: BTreeMap<String, _> = told.map(|item| (item.parameter.clone(), item)).collect();
        for own in self.own_settings(facts.mac).await?.items {
            let secret = is_secret_name(&own.parameter);
            let value = masked(&own.parameter, &own.value, revealed);
            let origin = OriginView { kind: "phone", subject: None, name: own.from.to_owned() };
            let mut item =
                EffectiveItem { parameter: own.parameter, value, layer: PHONE, origin, secret, overridden: Vec::new() };
            if let Some(told) = items.remove(&item.parameter) {
                let EffectiveItem { value, layer, origin, overridden, secret, .. } = told;
                item.secret |= secret;
                item.overridden.push(OverriddenView { value, layer, origin });
                item.overridden.extend(overridden);
            }
            items.insert(item.parameter.clone(), item);
        }
        Ok(EffectiveView {
            device: row.id.to_string(),
            mac: facts.mac.map(|mac| mac.to_string()),
            model: facts.model.id.clone(),
            firmware: facts.firmware.to_string(),
            items: items.into_values().collect(),
            not_told: left_out.iter().map(|out| origins.left_out(out)).collect(),
        })
    }

    /// What the device's configuration is made from, as it stands; also while it has no phone.
    pub(super) async fn facts(&self, row: &DeviceRow) -> Result<Facts<'_>, AppError> {
        let model = self.known_model(&row.model)?;
        let mac = self.store.phone_of(&row.id).await?;
        let bound = match mac {
            Some(mac) => self.gather(mac).await?,
            None => self.gather_without_phone(row).await?,
        };
        let phone = match mac {
            Some(mac) => self.store.phone(mac).await?,
            None => None,
        };
        let said = phone.and_then(|row| row.firmware).and_then(|text| text.parse().ok());
        let firmware = said.unwrap_or_else(|| model.firmware.reference.value.clone());
        Ok(Facts { mac, model, firmware, bound })
    }

    pub(super) fn explain(&self, facts: &Facts<'_>) -> Result<Explained, AppError> {
        let target = Target { catalog: &self.catalog, model: facts.model, firmware: &facts.firmware };
        let time_server = self.told.time_server_of(&facts.bound.pin);
        Ok(render::explained(target, &facts.bound, &time_server, self.now())?)
    }

    pub(super) async fn origins<'a>(&self, facts: &'a Facts<'a>, by: &Actor) -> Result<Origins<'a>, AppError> {
        let mut layers = Vec::with_capacity(facts.bound.layers.len());
        for held in &facts.bound.layers {
            let is_seen = self.sees_layer(by, &held.subject).await?;
            let name = if is_seen { self.layer_name(facts, &held.subject).await? } else { above(&held.subject) };
            let subject = is_seen.then(|| held.subject.to_string());
            let view = OriginView { kind: "entry", subject, name };
            layers.push(LayerOrigin { layer: held.subject.layer(), view, is_seen });
        }
        Ok(Origins { facts, layers })
    }

    /// Whether the layer of a device the actor sees is in their scope.
    pub(super) async fn sees_layer(&self, by: &Actor, subject: &Subject) -> Result<bool, AppError> {
        match subject {
            Subject::Platform | Subject::Model(_) => Ok(by.scope == Scope::Platform),
            Subject::Account(id) | Subject::AccountModel(id, _) => self.sees(by, id, None).await,
            Subject::Site(_) | Subject::Device(_) => Ok(true),
        }
    }

    pub(super) async fn layer_name(&self, facts: &Facts<'_>, subject: &Subject) -> Result<String, AppError> {
        Ok(match subject {
            Subject::Platform => "every phone here".to_owned(),
            Subject::Model(_) => facts.model.name.value.clone(),
            Subject::Account(id) | Subject::AccountModel(id, _) => {
                let name = self.store.account(id).await?.map_or_else(|| id.to_string(), |row| row.name);
                match subject {
                    Subject::AccountModel(..) => format!("{name}: {}", facts.model.name.value),
                    _ => name,
                }
            }
            Subject::Site(id) => facts.bound.site.as_ref().map_or_else(|| id.to_string(), |site| site.name.clone()),
            Subject::Device(id) => facts.bound.user.as_ref().map_or_else(|| id.to_string(), |user| user.name.clone()),
        })
    }
}

/// The word for what a phone has by itself.
const PHONE: &str = "phone";

/// What somebody is told of a layer that is not theirs to see.
fn above(subject: &Subject) -> String {
    match subject {
        Subject::Platform | Subject::Model(_) => "the whole server".to_owned(),
        _ => "an account above".to_owned(),
    }
}

impl Origins<'_> {
    fn of(&self, layer: Layer, entry: Option<usize>) -> OriginView {
        if let Some(known) = entry.and_then(|place| self.layers.get(place)) {
            return known.view.clone();
        }
        let bound = &self.facts.bound;
        let name = match layer {
            Layer::Model => Some(self.facts.model.name.value.as_str()),
            Layer::Site => bound.site.as_ref().map(|site| site.name.as_str()),
            Layer::Device => bound.user.as_ref().map(|user| user.name.as_str()),
            Layer::Platform | Layer::Account => None,
        };
        OriginView { kind: "provost", subject: None, name: name.unwrap_or("Provost").to_owned() }
    }

    /// Whether a secret of this origin may be shown to who may see the device's.
    pub(super) fn is_seen(&self, entry: Option<usize>) -> bool {
        entry.and_then(|place| self.layers.get(place)).is_none_or(|layer| layer.is_seen)
    }

    fn item(&self, value: &Effective, revealed: bool) -> EffectiveItem {
        let secret = value.shown == Shown::OnReveal;
        let shown = |text: &str, entry| match !secret || revealed && self.is_seen(entry) {
            true => text.to_owned(),
            false => HIDDEN.to_owned(),
        };
        let over = value.over.iter().map(|over| OverriddenView {
            value: shown(&over.value, over.entry),
            layer: over.layer.as_str(),
            origin: self.of(over.layer, over.entry),
        });
        EffectiveItem {
            parameter: value.parameter.clone(),
            value: shown(&value.value, value.entry),
            layer: value.layer.as_str(),
            origin: self.of(value.layer, value.entry),
            secret,
            overridden: over.collect(),
        }
    }

    pub(super) fn left_out(&self, out: &render::LeftOut) -> LeftOutView {
        let layer = self.layers.get(out.entry).map_or(Layer::Platform, |known| known.layer);
        LeftOutView {
            value: masked(&out.name, &out.value, false),
            name: out.name.clone(),
            layer: layer.as_str(),
            origin: self.of(layer, Some(out.entry)),
            why: out.why.clone(),
        }
    }
}
