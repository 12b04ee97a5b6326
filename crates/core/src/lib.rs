//! Pure rules of Provost: what a phone is, what it may have, and what is in it.
//!
//! Decides: identities, lifecycle, file plan, configuration values, activation codes, time zones.
//! Never does: sockets, files, SQL, clocks, async. Time and chance are arguments.
//! Rules come from the catalog (phone facts) and from docs/THREATS.md (what must never happen).

pub mod address_range;
pub mod code;
pub mod doctor;
pub mod entry;
pub mod facts;
pub mod file_plan;
pub mod fingerprint;
pub mod firmware;
pub mod identity;
pub mod ids;
pub mod import;
pub mod layers;
pub mod lifecycle;
pub mod mac;
pub mod mail;
pub mod pbx;
pub mod public_url;
pub mod render;
pub mod rights;
pub mod secret;
pub mod sentence;
pub mod sign_in;
pub mod time;
pub mod time_zone;
pub mod tries;
pub mod voice;
pub mod watch;
pub mod xml;
