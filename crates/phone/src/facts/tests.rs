//! Facts for the tests of whatever obeys them.

use std::sync::{Arc, OnceLock};

use provost_catalog::Catalog;

use crate::facts::{NetworkFacts, Place};

/// Those of a phone with the newest firmware.
pub(crate) fn network_facts() -> &'static NetworkFacts {
    static FACTS: OnceLock<NetworkFacts> = OnceLock::new();
    FACTS.get_or_init(|| {
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let model = catalog.model("vvx450").unwrap();
        NetworkFacts::gather(&catalog, model, &model.firmware.reference.value)
    })
}

/// The parameters of its place.
pub(crate) fn place() -> Place {
    Place {
        server_name: Some("device.prov.serverName".to_owned()),
        server_type: Some("device.prov.serverType".to_owned()),
        boot_server: Some("device.dhcp.bootSrvUseOpt".to_owned()),
        static_word: Some("Static".to_owned()),
    }
}
