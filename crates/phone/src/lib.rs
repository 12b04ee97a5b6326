//! The virtual phone: boots over real sockets as a Poly phone does.
//!
//! Decides what a phone asks, reads and keeps; the independent witness of Provost. Never uses a rule,
//! table or template of the server: facts come from the catalog, everything else from bytes.
//! Start at [`Phone`]; a walk through one boot is in `walk`.

mod address;
mod ask;
mod clock;
mod credentials;
mod event;
mod exchange;
pub mod face_web;
mod facts;
mod flash;
mod handset;
pub mod image;
mod mac;
mod master;
mod network;
mod phone;
mod polling;
mod request;
mod screen;
pub mod script;
mod settings;
mod setup;
mod sip;
mod sntp;
mod tls;
mod walk;
mod web;
mod xml;

pub use address::AddressError;
pub use clock::HostClock;
pub use event::{BootReport, Event, Flashed, Kept, Observer, Outcome, Rejected, Versions};
pub use facts::FactsError;
pub use flash::{CachedFile, Flash, FlashError, Memory};
pub use handset::{
    CallFace, CallView, CertificateState, Entry, Face, Handset, Key, Lamp, LineKeyFace, NotAKey, NotTyped, Order,
    OrderRefused, Pace, ResetScope, Row, Stage, View,
};
pub use mac::{Mac, NotAMac};
pub use network::{DhcpAnswer, FoundServer, Network, ServerRule, VendorClass, VlanSource};
pub use phone::Phone;
pub use request::{RequestLog, RequestRecord};
pub use screen::{LineKey, Registration, Screen};
pub use settings::Values;
pub use setup::{ChangedIn, Hardware, PhoneError, PhoneSetup};
pub use sip::{
    Account, AccountError, Action, Call, CallError, CallReport, CallState, EndedBy, Heard, Law, Line, LineError,
    LineState, LineTrouble, Password, Transport,
};
pub use tls::{CredentialError, DeviceCertificate, Pem, TlsFailure};
pub use web::{WebError, WebServer, WebSetup};
