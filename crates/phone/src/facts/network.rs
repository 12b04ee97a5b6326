//! The catalog's facts about a phone's network, its time and its polling.
//!
//! Decides which parameters a phone looks into; never what they say. Source: the catalog alone.

use std::ops::Deref;
use std::sync::Arc;

use provost_catalog::{BootStage, Catalog, Model, NetworkRules, Version};

use crate::facts::Facts;
use crate::network::VendorClass;
use crate::settings::Values;

/// What one phone obeys about its network.
#[derive(Debug)]
pub(crate) struct NetworkFacts {
    pub(crate) rules: SharedRules,
    pub(crate) time: TimeWords,
    pub(crate) polling: PollingWords,
    pub(crate) vlan_id: Option<String>,
    pub(crate) lldp: Option<String>,
}

/// The rules as the catalog holds them; hundreds of phones share one.
#[derive(Debug)]
pub(crate) struct SharedRules(Arc<Catalog>);

impl Deref for SharedRules {
    type Target = NetworkRules;

    fn deref(&self) -> &NetworkRules {
        self.0.network_rules()
    }
}

/// The parameters of the time.
#[derive(Debug, Default)]
pub(crate) struct TimeWords {
    pub(crate) address: Option<String>,
    /// With `1` the address counts more than what DHCP says.
    pub(crate) address_first: Option<String>,
    pub(crate) offset: Option<String>,
    /// With `1` the offset counts more than what DHCP says.
    pub(crate) offset_first: Option<String>,
    pub(crate) device_address: Option<String>,
    pub(crate) device_offset: Option<String>,
}

/// The parameters of polling, and the words of its mode.
#[derive(Debug, Default)]
pub(crate) struct PollingWords {
    pub(crate) enabled: Option<String>,
    pub(crate) mode: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) time: Option<String>,
    pub(crate) random_end: Option<String>,
    pub(crate) relative: Option<String>,
    pub(crate) absolute: Option<String>,
    pub(crate) random: Option<String>,
}

impl NetworkFacts {
    pub(super) fn gather(catalog: &Arc<Catalog>, model: &Model, firmware: &Version) -> Self {
        let setting = |id| catalog.setting(id, model, firmware);
        let parameter = |id| setting(id).map(|setting| setting.parameter(1, 1));
        let mode = |word| setting("polling.mode").and_then(|setting| setting.encode(word).ok());
        Self {
            rules: SharedRules(Arc::clone(catalog)),
            time: TimeWords {
                address: parameter("sntp.address"),
                address_first: parameter("sntp.override-dhcp"),
                offset: parameter("sntp.gmt-offset"),
                offset_first: parameter("sntp.gmt-offset-override-dhcp"),
                device_address: parameter("device.sntp-server"),
                device_offset: parameter("device.sntp-gmt-offset"),
            },
            polling: PollingWords {
                enabled: parameter("polling.enabled"),
                mode: parameter("polling.mode"),
                period: parameter("polling.period"),
                time: parameter("polling.time"),
                random_end: parameter("polling.random-end"),
                relative: mode("relative"),
                absolute: mode("absolute"),
                random: mode("random"),
            },
            vlan_id: parameter("network.vlan-id"),
            lldp: parameter("network.lldp"),
        }
    }
}

impl Facts {
    /// How the phone names itself to DHCP servers while `stage` runs. When its programs were built is not known to
    /// the catalog and stays empty.
    pub(crate) fn vendor_class(&self, stage: BootStage) -> VendorClass {
        let rules = &self.network.rules.option_60;
        let later = self.firmware >= rules.ascii_from.value;
        let boot_word = if later { &rules.updater.value } else { &rules.bootrom.value };
        let boot_program = format!("{boot_word}/{}/", self.updater);
        let application = format!("{}/{}/", rules.application.value, self.firmware);
        let family = &self.model.user_agent_family.value;
        let family = family.strip_prefix(rules.company.value.as_str()).unwrap_or(family);
        let token = self.model.user_agent_tokens.first().map_or("", |token| token.value.as_str());
        let revision = self.revision.iter().map(|revision| format!(",{revision}"));
        VendorClass {
            enterprise: rules.enterprise.value,
            company: rules.company.value.clone(),
            model: format!("{family}-{token}"),
            part: std::iter::once(self.part.clone()).chain(revision).collect(),
            application: if stage == BootStage::Updater { boot_program.clone() } else { application },
            boot_program,
        }
    }

    /// Whether a phone with these values does what a NOTIFY with an action asks.
    pub(crate) fn obeys_actions(&self, values: &Values) -> bool {
        let rules = &self.network.rules.notify_actions;
        let on = |name: &String| values.get(name).is_some_and(|value| value == "1");
        self.firmware >= rules.from.value && rules.parameters.value.iter().all(on)
    }
}
