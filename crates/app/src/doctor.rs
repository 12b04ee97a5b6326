//! What the symptom doctor looks at, and what a phone is to be pointed at.

use crate::{Actor, App, AppError, CertificateView, PhoneView};
use provost_core::doctor::Record;
use provost_core::identity::CertificateStatus;
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// What is keyed into a phone, or given to it by the network, so that it asks here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointing {
    /// The menu's word.
    pub server_type: &'static str,
    /// Server Address, as it is typed.
    pub server: String,
    /// SNTP Address.
    pub sntp: String,
    /// The value of the DHCP options.
    pub dhcp_value: String,
    /// What to key into a phone that must begin over plain HTTP, while that is answered.
    pub plain_http: Option<String>,
}

impl App {
    /// What phones are pointed at here.
    pub fn pointing(&self) -> Pointing {
        let url = &self.told.public_url;
        let plain_http = match &self.told.plain_http {
            crate::PlainHttp::On { url } => url.clone(),
            crate::PlainHttp::Off => None,
        };
        Pointing {
            server_type: "HTTPS",
            server: url.authority(),
            sntp: self.told.time_server_at(url).to_owned(),
            dhcp_value: format!("https://{}", url.authority()),
            plain_http,
        }
    }

    /// What is known of a phone, for its symptoms; nothing of one that nobody heard of.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn record_of(&self, mac: MacAddr, by: &Actor) -> Result<Option<Record>, AppError> {
        let phone = match self.phone(mac, by).await {
            Ok(phone) => phone,
            Err(AppError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let seen = phone.last_seen.as_deref().and_then(UnixMillis::from_rfc3339);
        let failed = self.failed_handshakes_of(mac, phone.address.as_deref()).await?;
        // What failed before it proved itself is over.
        let failed =
            failed.into_iter().filter(|(at, ..)| seen.is_none_or(|seen| *at > seen)).max_by_key(|(at, ..)| *at);
        let now = self.now();
        Ok(Some(Record { handshake_failed: failed.map(|(_, entry, _)| entry.sentence), ..self.record(phone, now) }))
    }

    fn record(&self, phone: PhoneView, now: UnixMillis) -> Record {
        let hardware = phone.model.as_deref().and_then(|id| self.catalog.hardware(id));
        let device = phone.device.as_ref();
        let code = device.and_then(|device| device.activation_code.as_ref());
        let expires = code.and_then(|code| UnixMillis::from_rfc3339(&code.expires_at));
        let proved = phone.first_seen.is_some();
        let certificate = |view: CertificateView| Some((CertificateStatus::from_words(view.status)?, view.reason));
        Record {
            model: phone.model_name,
            firmware: phone.firmware.as_deref().and_then(|text| text.parse().ok()),
            floor: hardware.and_then(|known| known.floor.as_ref()).map(|fact| fact.value.clone()),
            last_proved: phone.last_seen.map(|at| format!("at {at}")),
            last_refused: phone
                .last_refused
                .and_then(|refused| refused.reason)
                .or_else(|| phone.certificate.reason.clone().filter(|_| !proved)),
            certificate: certificate(phone.certificate),
            handshake_failed: None,
            device: device.and_then(|device| DeviceState::from_word(device.state)),
            has_user: device.is_some_and(|device| device.user.is_some()),
            has_code: expires.is_some_and(|at| at > now),
        }
    }
}
