//! What the phone fetched last beside what it would be told now.

use super::ChangeView;
use super::preview::pairs;
use super::views::parameter_change;
use crate::recorder::Sealing;
use crate::vault::{Vault, VaultError};
use crate::{Actor, App, AppError};
use bytes::Bytes;
use provost_core::ids::DeviceId;
use provost_core::layers::is_secret_name;
use provost_core::mac::MacAddr;
use provost_core::render::{Shown, differences};
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use provost_core::xml::parameters;
use provost_store::FetchedRow;
use std::collections::BTreeSet;

/// A configuration that was just sent.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) device: DeviceId,
    pub(crate) file: Bytes,
}

/// What is different from what the phone fetched last.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FetchedView {
    /// `never-fetched`, `same` or `differs`.
    pub state: &'static str,
    /// The same in words.
    pub summary: String,
    /// When the phone first fetched what it has.
    pub fetched_at: Option<String>,
    /// What its next fetch brings.
    pub items: Vec<ChangeView>,
}

impl Fetched {
    /// What its keyed hash is made from.
    pub(crate) fn digest(vault: &Vault, file: &str) -> Vec<u8> {
        vault.tag("fetched-configuration", file)
    }

    /// The row to be kept, unless the phone had the same before.
    pub(crate) fn row(
        &self,
        (mac, at): (MacAddr, UnixMillis),
        known: Option<(String, Vec<u8>)>,
        Sealing(vault): &Sealing,
    ) -> Result<Option<FetchedRow>, VaultError> {
        let Ok(file) = std::str::from_utf8(&self.file) else { return Ok(None) };
        let digest = Self::digest(vault, file);
        if known.is_some_and(|(device, before)| device == self.device.as_str() && before == digest) {
            return Ok(None);
        }
        let content = vault.seal(&fetched_owner(mac), file)?;
        Ok(Some(FetchedRow { mac, device: self.device.clone(), at, digest, content }))
    }
}

/// What the ciphertext of a fetched configuration belongs to.
pub(crate) fn fetched_owner(mac: MacAddr) -> String {
    format!("phone/{mac}/fetched")
}

impl App {
    /// What the next fetch of the device's phone brings that the last one did not.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn fetched_diff(&self, id: &DeviceId, by: &Actor) -> Result<FetchedView, AppError> {
        let row = self.may_device(by, Right::Read, id).await?;
        self.recorder.flush().await;
        let never = |summary: &str| FetchedView {
            state: "never-fetched",
            summary: summary.to_owned(),
            fetched_at: None,
            items: Vec::new(),
        };
        let facts = self.facts(&row).await?;
        let Some(mac) = facts.mac else { return Ok(never("no phone is bound to this device")) };
        let fetched = self.store.fetched(mac).await?.filter(|fetched| fetched.device == *id);
        let Some(fetched) = fetched else {
            return Ok(never("its phone has not fetched its configuration for this device yet"));
        };
        let file = self.vault.open(&fetched_owner(mac), &fetched.content)?;
        let was = parameters(file.reveal().as_bytes()).list;
        let before = was.iter().filter(|(name, _)| !self.is_enable_key(name));
        let values = self.explain(&facts)?.values;
        let secrets: BTreeSet<&str> = values
            .iter()
            .filter(|value| value.shown == Shown::OnReveal)
            .map(|value| value.parameter.as_str())
            .collect();
        let changes = differences(before.map(|(name, value)| (name.as_str(), value.as_str())), pairs(&values));
        let is_secret = |name: &str| secrets.contains(name) || is_secret_name(name);
        let items: Vec<_> = changes.into_iter().map(|change| parameter_change(change, is_secret)).collect();
        let at = fetched.at;
        let (state, summary) = match items.len() {
            0 => ("same", format!("unchanged since fetched at {at}")),
            1 => ("differs", format!("1 parameter is different from what was fetched at {at}")),
            many => ("differs", format!("{many} parameters are different from what was fetched at {at}")),
        };
        Ok(FetchedView { state, summary, fetched_at: Some(at.to_string()), items })
    }

    /// Whether a parameter only says that another one counts.
    pub(super) fn is_enable_key(&self, name: &str) -> bool {
        let rules = self.catalog.phone_rules();
        let (lower, suffix) = (name.to_ascii_lowercase(), rules.set_suffix.value.to_ascii_lowercase());
        lower.ends_with(&suffix) || name.eq_ignore_ascii_case(&rules.set_all.value)
    }
}
