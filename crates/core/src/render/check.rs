//! Renders every model of a catalog once, so that a gap stops the start and not a phone.

use super::{
    ActivationLine, RenderError, Target, Unclaimed, bootstrap, configuration, directory, http_bootstrap, master,
    settings_document,
};
use crate::facts::{BoundDevice, Contact, Line, PhonePasswords, Pin, SipServer, SipTransport, SiteFacts, UserFacts};
use crate::ids::DeviceId;
use crate::mac::MacAddr;
use crate::public_url::{PublicUrl, PublicUrlError};
use crate::secret::Secret;
use crate::time::UnixMillis;
use provost_catalog::{Catalog, Model};
use rand::SeedableRng;

/// What stops a model from being served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// A file cannot be made.
    #[error("model {model}, country {country}: {error}")]
    Render {
        /// The model's id.
        model: String,
        /// The country's code.
        country: String,
        /// What is wrong.
        error: RenderError,
    },
    /// The sample itself is at fault: a bug.
    #[error("the sample for checking the catalog is unusable: {0}")]
    Sample(#[from] PublicUrlError),
}

/// Makes every file of every model, with every country, on the model's reference firmware.
///
/// # Errors
/// Every model and country that cannot be served, at once.
pub fn check_catalog(catalog: &Catalog, now: UnixMillis) -> Result<(), Vec<CheckError>> {
    let mut errors = Vec::new();
    for model in catalog.models() {
        for country in catalog.countries() {
            let sample = sample(model, Some(country.code.clone()));
            match PublicUrl::new("phones.example.com", 443) {
                Ok(url) => {
                    if let Err(error) = make_all(catalog, model, &sample, (&url, now)) {
                        errors.push(CheckError::Render {
                            model: model.id.clone(),
                            country: country.code.clone(),
                            error,
                        });
                    }
                }
                Err(error) => errors.push(error.into()),
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn make_all(
    catalog: &Catalog,
    model: &Model,
    bound: &BoundDevice,
    (url, now): (&PublicUrl, UnixMillis),
) -> Result<(), RenderError> {
    let target = Target { catalog, model, firmware: &model.firmware.reference.value };
    let mac = MacAddr::new([0, 4, 0xf2, 0, 0, 1]);
    master(catalog, "", &["sample.cfg"])?;
    let unclaimed = Unclaimed { mac, public_url: url, time_server: url.host(), activation: None, is_stuck: false };
    settings_document(catalog, &bootstrap(target, unclaimed)?)?;
    for server in bound.site.iter().flat_map(|site| &site.sip_servers) {
        let password = &Secret::from("sample");
        let line = ActivationLine { server, user: "sample", password };
        let with_voice = Unclaimed { activation: Some(line), ..unclaimed };
        settings_document(catalog, &bootstrap(target, with_voice)?)?;
    }
    settings_document(catalog, &configuration(target, bound, url.host(), now)?)?;
    directory(catalog, &bound.contacts)?;
    http_bootstrap(catalog, url, url.host(), Some("sample"))?;
    Ok(())
}

/// A device that uses everything a configuration can hold.
fn sample(model: &Model, country: Option<String>) -> BoundDevice {
    let server = |transport| SipServer { host: "sip.example.com".to_owned(), port: 5060, transport };
    let digits: String = std::iter::repeat_n(&model.admin_password.value.alphabet, model.admin_password.value.length)
        .filter_map(|alphabet| alphabet.chars().next())
        .collect();
    BoundDevice {
        device: DeviceId::mint(UnixMillis(0), &mut rand::rngs::StdRng::seed_from_u64(0)),
        model: model.id.clone(),
        user: Some(UserFacts {
            name: "Sample".to_owned(),
            extension: "1001".to_owned(),
            lines: vec![Line { user: "1001".to_owned(), auth_user: None, password: Some(Secret::from("sample")) }],
        }),
        site: Some(SiteFacts {
            name: "Sample".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            country,
            sip_servers: SipTransport::WORDS.map(|(_, transport)| server(transport)).into(),
            vlan: Some(100),
            voicemail: Some("*97".to_owned()),
        }),
        passwords: Some(PhonePasswords { admin: Secret::new(digits.clone()), user: Secret::new(digits) }),
        pin: Pin::Pinned { authority: "phones.example.com".to_owned() },
        contacts: vec![Contact { name: "Sample".to_owned(), extension: "1002".to_owned() }],
        layers: Vec::new(),
    }
}
