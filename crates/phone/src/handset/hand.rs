//! The catalog's facts about one phone's display, keys and menus.
//!
//! Decides which facts a handset needs and refuses to be made without them. Source: the catalog alone.

use std::sync::Arc;

use provost_catalog::{
    Catalog, DialPad, FirstPassword, Handset, Menu, MenuRow, MenuTree, ModeKey, ResetMoment, Version,
};

use crate::facts::FactsError;
use crate::handset::key::Key;
use crate::handset::typist::Fingers;

/// What a phone's hands know.
#[derive(Debug, Clone)]
pub(crate) struct Hand {
    catalog: Arc<Catalog>,
    pub(crate) handset: Handset,
    pub(crate) tree: MenuTree,
    application: Version,
}

impl Hand {
    /// Gathers the facts for the phone with this id, running this application.
    pub(crate) fn of(catalog: &Arc<Catalog>, id: &str, application: &str) -> Result<Self, FactsError> {
        let missing = || FactsError::NoHandset { id: id.to_owned() };
        let handset = catalog.handset(id).ok_or_else(missing)?.clone();
        let tree = catalog.menu_tree(&handset).ok_or_else(missing)?.clone();
        Ok(Self { catalog: Arc::clone(catalog), handset, tree, application: application.parse()? })
    }

    pub(crate) fn menu(&self, id: &str) -> Option<&Menu> {
        self.catalog.menu(id)
    }

    /// The rows of a menu that this firmware has.
    pub(crate) fn rows(&self, id: &str) -> Vec<&MenuRow> {
        let rows = self.menu(id).map(|menu| menu.rows.as_slice()).unwrap_or_default();
        rows.iter().filter(|row| row.firmware.contains(&self.application)).collect()
    }

    pub(crate) fn pad(&self) -> &DialPad {
        self.catalog.dial_pad()
    }

    /// The administrator password from the factory, which phones that ask for a new one refuse.
    pub(crate) fn factory_password(&self) -> &str {
        &self.catalog.phone_rules().factory_admin_password.value
    }

    /// Whether a phone without an administrator password asks for one.
    pub(crate) fn asks_for_password(&self) -> bool {
        self.handset.first_password.value == FirstPassword::Asked
    }

    /// Whether these keys, held together, open the reset dialog; `cancelled` says whether the start was stopped.
    pub(crate) fn resets(&self, held: &[Key], cancelled: bool) -> bool {
        let Some(keys) = &self.handset.reset_keys else { return false };
        let moment = self.handset.reset_moment.as_ref().map(|moment| moment.value);
        let at_once = moment == Some(ResetMoment::FromPowerOn);
        let wanted: Vec<Key> = keys.value.iter().filter_map(|key| key.parse().ok()).collect();
        let same = wanted.len() == held.len() && wanted.iter().all(|key| held.contains(key));
        same && (cancelled || at_once)
    }

    /// What a person must know of the keys.
    pub(crate) fn fingers(&self) -> Fingers {
        Fingers { pad: self.pad().clone(), by_pound: self.handset.mode_key.value == ModeKey::Pound }
    }

    /// How many rows the display has below its head line.
    pub(crate) fn shown_rows(&self) -> usize {
        usize::try_from(self.handset.rows.value).unwrap_or(1).max(1)
    }

    pub(crate) fn soft_keys(&self) -> usize {
        usize::try_from(self.handset.soft_keys.value).unwrap_or(1).max(1)
    }

    /// Line keys on one page.
    pub(crate) fn line_keys(&self) -> u8 {
        u8::try_from(self.handset.line_keys.value).unwrap_or(u8::MAX).max(1)
    }
}
