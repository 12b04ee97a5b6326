//! What a phone gets for what it asks.
//!
//! Decides from proof, path and standing which file is answered; it renders nothing and stores
//! nothing. Every "no" is [`Plan::Refuse`], which the device plane turns into the same bytes for all
//! (docs/THREATS.md, rules 1 and 2); the reason is for the timeline only.

use crate::identity::{Transport, Verdict};
use crate::mac::MacAddr;
use crate::time::UnixMillis;
use provost_catalog::{Catalog, FileMatch, FileRole, Upload};

/// What the phone wants to do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read it, or ask for its size (HEAD).
    Read,
    /// Upload it.
    Put,
}

/// How Provost stands to a proven phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody claimed it.
    Unclaimed,
    /// Bound to a device.
    Bound,
    /// Its device is disabled or quarantined.
    Barred,
    /// Another phone took its place then, and it is set aside.
    SetAside(UnixMillis),
}

/// The answer to one request of a proven phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The master file.
    Master,
    /// The parameter file: bootstrap or configuration by standing.
    Settings,
    /// The phone's own directory if it uploaded one, else the generated one.
    Directory,
    /// The image of the firmware step it is in, if that has this name.
    Image {
        /// File name without folders.
        name: String,
    },
    /// The versions it may go to now.
    ImageList,
    /// What this phone uploaded under the name, if anything.
    Stored {
        /// Canonical file name.
        name: String,
    },
    /// Keep what comes.
    Keep {
        /// Canonical file name.
        name: String,
        /// At the end, or instead.
        how: Upload,
    },
    /// There is none, and that is harmless: licenses, languages.
    NoSuchFile,
    /// Not for this phone.
    Refuse(Refusal),
}

/// Why a phone does not get a file. Never shown to the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The path names another phone.
    OtherPhone(MacAddr),
    /// Disabled or quarantined.
    Barred,
    /// Another phone took its place then.
    SetAside(UnixMillis),
    /// It asked for other phones' files too often, and has to wait until then.
    Suspended(UnixMillis),
    /// Not a path that phones ask.
    NotAPhoneFile,
}

/// A path as a phone asks it, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The MAC in the name, unless it is all zeros.
    pub mac: Option<MacAddr>,
    /// What it is.
    pub kind: Kind,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Our parameter file, as the master file names it.
    Settings,
    /// A file of the catalog's list.
    File(FileMatch),
    /// Nothing phones ask for.
    Unknown,
}

/// The parameter file of the plain-HTTP bootstrap: one name and one content for every phone.
pub const HTTP_BOOTSTRAP_NAME: &str = "provost-bootstrap.cfg";

const SETTINGS_SUFFIX: &str = "-provost.cfg";

/// The name of the parameter file. One name before and after the claim: a phone that read its master
/// file just before still finds it.
pub fn settings_name(mac: MacAddr) -> String {
    format!("{mac}{SETTINGS_SUFFIX}")
}

/// Reads a request path (percent-decoded, with its leading slash).
pub fn read_path(catalog: &Catalog, path: &str) -> Asked {
    let name = path.trim_start_matches('/');
    let settings = name
        .len()
        .checked_sub(SETTINGS_SUFFIX.len())
        .and_then(|at| name.split_at_checked(at))
        .filter(|(_, suffix)| suffix.eq_ignore_ascii_case(SETTINGS_SUFFIX))
        .and_then(|(mac, _)| MacAddr::from_hex12(mac));
    if let Some(mac) = settings {
        return Asked { mac: (!mac.is_zero()).then_some(mac), kind: Kind::Settings };
    }
    match catalog.file(name) {
        Some(file) => Asked { mac: file.mac.map(MacAddr::new), kind: Kind::File(file) },
        None => Asked { mac: None, kind: Kind::Unknown },
    }
}

/// The refusals that need no look into the database, so that they take the same time whoever is named.
pub fn refused_at_sight(mac: MacAddr, asked: &Asked) -> Option<Refusal> {
    match (asked.mac, &asked.kind) {
        (Some(other), _) if other != mac => Some(Refusal::OtherPhone(other)),
        (_, Kind::Unknown) => Some(Refusal::NotAPhoneFile),
        _ => None,
    }
}

/// Decides what the proven phone `mac` gets.
pub fn plan(mac: MacAddr, standing: Standing, method: Method, asked: &Asked) -> Plan {
    if let Some(refusal) = refused_at_sight(mac, asked) {
        return Plan::Refuse(refusal);
    }
    match standing {
        Standing::Barred => return Plan::Refuse(Refusal::Barred),
        Standing::SetAside(since) => return Plan::Refuse(Refusal::SetAside(since)),
        Standing::Unclaimed | Standing::Bound => {}
    }
    match (&asked.kind, method) {
        (Kind::Unknown, _) => Plan::Refuse(Refusal::NotAPhoneFile),
        (Kind::Settings, Method::Read) => Plan::Settings,
        (Kind::Settings, Method::Put) => Plan::NoSuchFile,
        (Kind::File(file), Method::Put) => put(file),
        (Kind::File(file), Method::Read) => read(file, standing),
    }
}

fn put(file: &FileMatch) -> Plan {
    match file.upload {
        Some(how) if file.mac.is_some() => Plan::Keep { name: file.name.clone(), how },
        _ => Plan::NoSuchFile,
    }
}

fn read(file: &FileMatch, standing: Standing) -> Plan {
    match file.role {
        FileRole::Master | FileRole::DefaultMaster => Plan::Master,
        FileRole::Image => Plan::Image { name: file.name.clone() },
        FileRole::ImageList => Plan::ImageList,
        FileRole::Directory if standing == Standing::Bound => Plan::Directory,
        _ if file.upload.is_some() && file.mac.is_some() => Plan::Stored { name: file.name.clone() },
        _ => Plan::NoSuchFile,
    }
}

/// Why a connection proves no phone; the clause goes to the list of strangers.
pub fn stranger_reason(transport: Transport, verdict: &Verdict) -> String {
    match (transport, &verdict.reason) {
        (Transport::Plain, _) => "it asked over plain HTTP, which proves nothing".to_owned(),
        (Transport::Tls, Some(reason)) => reason.clone(),
        (Transport::Tls, None) => "it presented no certificate".to_owned(),
    }
}

#[cfg(test)]
mod tests;
