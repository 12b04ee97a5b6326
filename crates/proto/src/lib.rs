//! Sans-IO wire protocols.

pub mod sntp;
