//! What a phone is made of, and why it cannot be made or used.
//!
//! Decides nothing: the words between the caller and the phone.

use std::sync::Arc;

use provost_catalog::Catalog;

use crate::address::AddressError;
use crate::clock::HostClock;
use crate::facts::FactsError;
use crate::flash::{Flash, FlashError};
use crate::image::ImageKeyError;
use crate::mac::Mac;
use crate::network::Network;
use crate::tls::{CredentialError, DeviceCertificate, Pem, TlsFailure};

/// All a phone is given before it gets power.
#[derive(Debug, Clone)]
pub struct PhoneSetup {
    /// What is known about phones.
    pub catalog: Arc<Catalog>,
    /// The catalog's id of the model (`vvx450`).
    pub model: String,
    /// Its MAC address.
    pub mac: Mac,
    /// Application version it has at its first start; the catalog's reference version when absent. From then on
    /// its flash says what it runs.
    pub firmware: Option<String>,
    /// What of its hardware is not as the catalog says.
    pub hardware: Hardware,
    /// The boot server as typed in by hand; counts only where there is no network to ask.
    pub server_url: String,
    /// What DHCP and the switch say. With it the phone finds its boot server and its time as real ones do, and
    /// neither `server_url` nor `sntp` counts.
    pub network: Option<Network>,
    /// The factory certificate; a phone may have none.
    pub certificate: Option<DeviceCertificate>,
    /// Authorities of server certificates; those of the system when absent.
    pub authorities: Option<Pem>,
    /// Public key of the image maker, as PEM text; without one the phone takes no image.
    pub image_key: Option<Pem>,
    /// Time server (`HOST` or `HOST:PORT`); the caller's clock is taken when absent.
    pub sntp: Option<String>,
    /// Where its memory is.
    pub flash: Flash,
    /// The caller's clock; stamps the request log.
    pub clock: HostClock,
}

/// A phone's hardware where it is not as the catalog says, and the boot program it came with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hardware {
    /// Its part number; the model's first one when absent.
    pub part_number: Option<String>,
    /// Its revision, which some images name.
    pub revision: Option<String>,
    /// The updater or BootROM it has at its first start; when absent, the one that belongs to its application.
    pub updater: Option<String>,
}

/// Why a phone cannot be made, or its boot ended without a phone one could use.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// The catalog lacks something this phone needs.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// Its certificate, key or authorities are unusable.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The image maker's key is unusable.
    #[error(transparent)]
    ImageKey(#[from] ImageKeyError),
    /// Its memory cannot be read or written.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// The memory belongs to another phone.
    #[error(
        "the flash belongs to phone {found_mac} ({found_model}), not to {mac} ({model}); give this phone a folder of its own"
    )]
    OtherPhone {
        /// MAC address in the flash.
        found_mac: String,
        /// Model in the flash.
        found_model: String,
        /// MAC address asked for.
        mac: Mac,
        /// Model asked for.
        model: String,
    },
    /// The boot server's address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The clock still says 1999, so no certificate is valid yet.
    #[error(
        "SNTP Error: {reason}; the phone's clock says {clock}, before the server's certificate begins, so it cannot be trusted"
    )]
    ClockNotSet {
        /// Why no time came.
        reason: String,
        /// What the phone believes, RFC 3339.
        clock: String,
    },
    /// The boot server's certificate is refused.
    #[error("{server}: {reason} (the phone's clock says {clock})")]
    ServerCertificate {
        /// The boot server.
        server: String,
        /// Why.
        reason: TlsFailure,
        /// What the phone believes, RFC 3339.
        clock: String,
    },
    /// No parameter can have this name.
    #[error("`{name}` is no name of a parameter")]
    ParameterName {
        /// The name as it came.
        name: String,
    },
}

/// Where on the phone a person changes a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedIn {
    /// The menu; uploaded as the phone's overrides.
    Menu,
    /// The web pages; uploaded as the web's overrides.
    WebPages,
}
