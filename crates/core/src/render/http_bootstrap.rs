//! The one file that is served over plain HTTP: it brings a phone to TLS and holds nothing secret.
//!
//! The same for every phone, so that it tells nobody anything (docs/THREATS.md, rules 5 and 20).

use super::{Effective, Layer, RenderError, Target, Values};
use crate::public_url::PublicUrl;
use provost_catalog::{Catalog, Model};

/// Time server, our authority if phones do not know it already, and where to ask over TLS.
///
/// # Errors
/// [`RenderError`] when the catalog cannot name a parameter, or names it differently for some models.
pub fn http_bootstrap(
    catalog: &Catalog,
    public_url: &PublicUrl,
    time_server: &str,
    authority: Option<&str>,
) -> Result<Vec<Effective>, RenderError> {
    let told = Told { public_url, time_server, authority };
    let mut common: Option<Vec<Effective>> = None;
    for model in catalog.models() {
        let values = told.values_for(catalog, model)?;
        match &common {
            None => common = Some(values),
            Some(known) if *known == values => {}
            Some(_) => return Err(RenderError::ModelsDiffer { model: model.id.clone() }),
        }
    }
    Ok(common.unwrap_or_default())
}

struct Told<'a> {
    public_url: &'a PublicUrl,
    time_server: &'a str,
    authority: Option<&'a str>,
}

impl Told<'_> {
    fn values_for(&self, catalog: &Catalog, model: &Model) -> Result<Vec<Effective>, RenderError> {
        let mut values = Values::new(Target { catalog, model, firmware: &model.firmware.reference.value });
        values.set(Layer::Platform, "sntp.address", self.time_server)?;
        // The updater asks over TLS before anything else is read, and needs the time to judge our certificate.
        values.set(Layer::Platform, "device.sntp-server", self.time_server)?;
        if let Some(authority) = self.authority {
            values.set(Layer::Platform, "tls.authority", authority)?;
            values.set(Layer::Platform, "tls.trusted-authorities", "all")?;
            values.set(Layer::Platform, "tls.provisioning-profile", "first")?;
        }
        values.set(Layer::Platform, "pin.server-type", "https")?;
        values.set(Layer::Platform, "pin.server-name", &self.public_url.authority())?;
        // Or the plain address that brought the phone here by DHCP would win again after its restart.
        values.set(Layer::Platform, "pin.boot-server", "static")?;
        Ok(values.list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Shown, settings_document};

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    fn document(authority: Option<&str>) -> String {
        let catalog = Catalog::built_in().unwrap();
        let url = PublicUrl::new("phones.example.com", 8443).unwrap();
        let values = http_bootstrap(&catalog, &url, "time.example.com", authority).unwrap();
        assert!(values.iter().all(|value| value.shown == Shown::Plainly), "nothing secret");
        settings_document(&catalog, &values).unwrap()
    }

    #[test]
    fn it_holds_time_authority_and_server_and_nothing_else() {
        let text = document(Some(PEM));

        let mut names: Vec<_> = text
            .split_whitespace()
            .filter_map(|word| word.split_once('=').map(|(name, _)| name))
            .filter(|name| name.contains('.') && !name.ends_with(".set"))
            .collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "device.dhcp.bootSrvUseOpt",
                "device.prov.serverName",
                "device.prov.serverType",
                "device.sec.TLS.customCaCert1",
                "device.sec.TLS.profile.caCertList1",
                "device.sec.TLS.profileSelection.provisioning",
                "device.sntp.serverName",
                "tcpIpApp.sntp.address",
            ]
        );
        assert_eq!(text.matches(".set=\"1\"").count(), 8, "each device value has its mark, and all have one: {text}");
        assert!(text.contains("-----BEGIN CERTIFICATE-----&#10;AAAA&#10;"), "{text}");
        assert!(text.contains("\"phones.example.com:8443\""), "{text}");
    }

    #[test]
    fn behind_a_public_certificate_the_phones_authorities_stay_as_they_are() {
        assert!(!document(None).contains("TLS"));
    }
}
