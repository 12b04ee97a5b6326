//! What is in the files a phone reads.
//!
//! Decides every value and knows which layer set it. Never decides who may have a file: that is
//! [`crate::file_plan`]. Parameter names, their limits and the values Provost has no opinion on come
//! from the catalog; a value a parameter cannot hold is an error, never cut.

mod bootstrap;
mod check;
mod clock;
mod configuration;
mod diff;
mod documents;
mod http_bootstrap;
mod layered;
mod polling;

pub use bootstrap::{ACTIVATE_USER, ActivationLine, Unclaimed, bootstrap};
pub use check::check_catalog;
pub use configuration::{Explained, configuration, explained};
pub use diff::{ParameterChange, differences};
pub use documents::{directory, image_list, master, settings_document};
pub use http_bootstrap::http_bootstrap;
pub use polling::polling;

use crate::layers::owner_of;
use crate::time_zone::TimeZoneError;
use crate::xml::XmlError;
use provost_catalog::{Catalog, Model, ValueError, Version};

/// Who set a value; later ones win over earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The same for every phone here.
    Platform,
    /// The customer.
    Account,
    /// The location.
    Site,
    /// What the catalog says of the model or its family.
    Model,
    /// This device and its user.
    Device,
}

impl Layer {
    /// The word for the API and the console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Account => "account",
            Self::Site => "site",
            Self::Model => "model",
            Self::Device => "device",
        }
    }
}

/// Whether a value may be shown to everyone who may see the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Yes.
    Plainly,
    /// Only behind a reveal.
    OnReveal,
}

/// One parameter of a phone with the layer that set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The maker's name of the parameter.
    pub parameter: String,
    /// The value as the phone reads it.
    pub value: String,
    /// Who set it.
    pub layer: Layer,
    /// Whether it is a secret.
    pub shown: Shown,
    /// Whether the maker wants `<parameter>.set="1"` beside it.
    pub enable: bool,
    /// The place of the layer it was entered in, among those of the device; `None` is Provost's own.
    pub entry: Option<usize>,
    /// Whether no layer may change it.
    pub is_owned: bool,
    /// The values it took the place of, the last first.
    pub over: Vec<Overridden>,
}

/// A value that another one won over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// The value as the phone would have read it.
    pub value: String,
    /// Who set it.
    pub layer: Layer,
    /// As [`Effective::entry`].
    pub entry: Option<usize>,
}

/// An entry of a layer that this phone is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The place of its layer among those of the device.
    pub entry: usize,
    /// The setting or parameter as it was entered.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Why.
    pub why: String,
}

impl Effective {
    /// A value of Provost's own that everybody may see.
    fn of(parameter: String, value: String, layer: Layer, enable: bool) -> Self {
        let (shown, over) = (Shown::Plainly, Vec::new());
        Self { parameter, value, layer, shown, enable, entry: None, is_owned: false, over }
    }
}

/// Why a file could not be made. The phone gets 503 and keeps what it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The catalog has no parameter for something a configuration needs.
    #[error(
        "the catalog names no parameter for `{setting}` on {model} {firmware}; add it to the catalog or its overlay"
    )]
    NoParameter {
        /// The setting's id in the catalog.
        setting: String,
        /// The model's id.
        model: String,
        /// The phone's firmware.
        firmware: String,
    },
    /// A value does not fit its parameter; entry checks should have refused it.
    #[error("{parameter}: {error}")]
    Value {
        /// The maker's parameter.
        parameter: String,
        /// What is wrong.
        error: ValueError,
    },
    /// What must be the same for every phone is not.
    #[error(
        "the plain-HTTP bootstrap differs for {model}: a setting it needs is spelled for some families only; it must be the same for every phone"
    )]
    ModelsDiffer {
        /// The first model that differs.
        model: String,
    },
    /// The site's time zone is unknown.
    #[error(transparent)]
    TimeZone(#[from] TimeZoneError),
    /// The document could not be written.
    #[error(transparent)]
    Xml(#[from] XmlError),
}

/// The phone as the renderer sees it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Where parameter names come from.
    pub catalog: &'a Catalog,
    /// The model to render for.
    pub model: &'a Model,
    /// The application version it runs.
    pub firmware: &'a Version,
}

/// Collects values in the order they are set; a later layer replaces an earlier one's value.
struct Values<'a> {
    target: Target<'a>,
    list: Vec<Effective>,
    left_out: Vec<LeftOut>,
}

/// Line and server a setting's parameter name is filled with; 1 where the name has no such place.
#[derive(Clone, Copy)]
struct Place {
    line: u32,
    server: u32,
}

const FIRST: Place = Place { line: 1, server: 1 };

impl<'a> Values<'a> {
    fn new(target: Target<'a>) -> Self {
        Self { target, list: Vec::new(), left_out: Vec::new() }
    }

    fn set(&mut self, layer: Layer, id: &str, value: &str) -> Result<(), RenderError> {
        self.set_at(layer, (id, FIRST), value)
    }

    fn set_at(&mut self, layer: Layer, (id, place): (&str, Place), value: &str) -> Result<(), RenderError> {
        let Target { catalog, model, firmware } = self.target;
        let setting = catalog.setting(id, model, firmware).ok_or_else(|| RenderError::NoParameter {
            setting: id.to_owned(),
            model: model.id.clone(),
            firmware: firmware.to_string(),
        })?;
        let parameter = setting.parameter(place.line, place.server);
        let value =
            setting.encode(value).map_err(|error| RenderError::Value { parameter: parameter.clone(), error })?;
        let is_owned = owner_of(id).is_some();
        self.push(Effective { is_owned, ..Effective::of(parameter, value, layer, setting.enable) });
        Ok(())
    }

    fn set_secret(&mut self, layer: Layer, at: (&str, Place), value: &str) -> Result<(), RenderError> {
        self.set_at(layer, at, value)?;
        if let Some(last) = self.list.last_mut() {
            last.shown = Shown::OnReveal;
        }
        Ok(())
    }

    fn push(&mut self, mut value: Effective) {
        if let Some(place) = self.list.iter().position(|known| known.parameter == value.parameter) {
            let Effective { value: before, layer, entry, over, shown, .. } = self.list.remove(place);
            if shown == Shown::OnReveal {
                value.shown = Shown::OnReveal;
            }
            value.over.push(Overridden { value: before, layer, entry });
            value.over.extend(over);
        }
        self.list.push(value);
    }
}

#[cfg(test)]
mod tests;
