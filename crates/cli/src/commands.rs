//! The subcommands, one module each.

pub(crate) mod administer;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod fleet;
pub(crate) mod key;
pub(crate) mod models;
pub(crate) mod phone;
pub(crate) mod serve;
pub(crate) mod trust;
pub(crate) mod up;
