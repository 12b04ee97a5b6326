//! The phone's own web server, driven from outside by curl as tools for real phones drive those.

#[cfg(test)]
mod calls;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests that boot phones")]
#[path = "../witness/certificates.rs"]
mod certificates;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod login;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod phone;
#[cfg(test)]
mod push;
#[cfg(test)]
mod rest;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests that boot phones")]
#[path = "../witness/server.rs"]
mod server;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests that boot phones")]
#[path = "../witness/sip_server.rs"]
mod sip_server;
#[cfg(test)]
#[expect(dead_code, reason = "shared with the tests that boot phones")]
#[path = "../witness/support.rs"]
mod support;
#[cfg(test)]
mod tool;
