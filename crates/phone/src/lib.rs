//! The virtual phone: boots over real sockets as a Poly phone does.
//!
//! Decides what a phone asks, reads and keeps; the independent witness of Provost. Never uses a rule,
//! table or template of the server: facts come from the catalog, everything else from bytes.
//! Start at [`Phone`]; a walk through one boot is in `walk`.

mod address;
mod ask;
mod clock;
mod event;
mod exchange;
mod facts;
mod flash;
pub mod image;
mod mac;
mod master;
mod phone;
mod request;
mod screen;
mod settings;
mod setup;
mod sip;
mod sntp;
mod tls;
mod walk;
mod xml;

pub use address::AddressError;
pub use clock::HostClock;
pub use event::{BootReport, Event, Flashed, Kept, Observer, Outcome, Rejected, Versions};
pub use facts::FactsError;
pub use flash::{CachedFile, Flash, FlashError, Memory};
pub use mac::{Mac, NotAMac};
pub use phone::Phone;
pub use request::{RequestLog, RequestRecord};
pub use screen::{LineKey, Registration, Screen};
pub use settings::Values;
pub use setup::{ChangedIn, Hardware, PhoneError, PhoneSetup};
pub use sip::{
    Account, AccountError, Call, CallError, CallReport, CallState, EndedBy, Heard, Law, Line, LineError, LineState,
    LineTrouble, Password, Transport,
};
pub use tls::{CredentialError, DeviceCertificate, Pem, TlsFailure};
