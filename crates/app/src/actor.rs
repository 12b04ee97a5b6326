//! Who does something, for the audit log.

use crate::{App, locked};
use provost_store::AuditEntry;
use std::net::IpAddr;

/// Who does something, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    who: &'static str,
    from: Option<IpAddr>,
}

impl Actor {
    /// Whoever showed the owner's token, at this address.
    pub const fn owner_token(from: Option<IpAddr>) -> Self {
        Self { who: "owner token", from }
    }

    /// Whoever may open the data folder: its control socket, or a command beside a server that does not run.
    pub const fn control_socket() -> Self {
        Self { who: "control socket", from: None }
    }

    /// The server itself at its first start.
    pub const fn first_start() -> Self {
        Self { who: "first start", from: None }
    }
}

impl App {
    /// The entry for what this actor is about to do.
    pub(crate) fn audit_entry(&self, by: &Actor, what: String, why: Option<&str>) -> AuditEntry {
        let at = self.now();
        AuditEntry {
            id: locked(&self.event_ids).next(at),
            at,
            who: by.who.to_owned(),
            what,
            why: why.map(ToOwned::to_owned),
            from: by.from.map_or("this machine".to_owned(), |address| address.to_string()),
        }
    }
}
