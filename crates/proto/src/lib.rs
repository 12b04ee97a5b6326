//! Sans-IO wire protocols.

pub mod media;
pub mod sip;
pub mod sntp;
