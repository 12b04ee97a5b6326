//! What Provost knows about phones: strict parsing of the catalog's TOML and look-ups.
//!
//! Text in, answers out: reads no file and no environment. Every fact carries its source and how
//! well it is known; a mistake in a file is reported with its line, all of them at once. The format
//! is described in `catalog/README.md`, the sources in `catalog/SOURCES.md`.

mod authority;
mod boot;
mod built_in;
mod catalog;
mod check;
mod constant;
mod country;
mod fact;
mod file;
mod guide;
mod handset;
mod hardware;
mod menu;
mod merge;
mod model;
mod network;
mod phone_web;
mod reader;
mod rules;
mod setting;
mod tree;
mod unsupported;
mod user_agent;
mod version;

#[cfg(test)]
mod tests;

pub use authority::{Authority, AuthorityRole};
pub use boot::{BootAction, BootSequence, BootStage, BootStep, BootVariant};
pub use built_in::source_words;
pub use catalog::{Catalog, SourceText};
pub use constant::{Constant, Scope, Stage};
pub use country::{Country, ToneParameter};
pub use fact::{Evidence, Fact, Gap};
pub use file::{FileMatch, FilePattern, FileRole, Upload};
pub use guide::{Guide, GuidePlace, Symptom, SymptomCheck};
pub use handset::{DialPad, FirstPassword, Handset, ModeKey, ModeWords, ResetMoment};
pub use hardware::{FirmwareLine, FirmwareStep, Hardware, HardwareFloor, ImageKind, NoImageKind};
pub use menu::{Choice, Edit, EditForm, Menu, MenuAction, MenuRow, MenuTree, RowPurpose, Shown};
pub use model::{ActivationDoor, Family, Firmware, Model, PasswordRule, SipDigest, TlsOffer};
pub use network::{
    BootServerChoice, NetworkRules, NotifyActions, Option60Rules, PollingRules, Spelled, TrustRules, VlanDiscovery,
    VlanRules,
};
pub use phone_web::{PhoneWeb, WebChoice, WebField, WebFieldKind, WebGeneration, WebLogin, WebPage, WebPageKind};
pub use reader::{CatalogError, CatalogErrors, Problem};
pub use rules::{DirectoryFormat, EarlyFamily, ImageListFormat, MasterFile, PhoneRules, UndividedUserAgent};
pub use setting::{Setting, ValueError, ValueKind};
pub use unsupported::Unsupported;
pub use user_agent::{Program, UserAgent};
pub use version::{Version, VersionError, VersionRange};
