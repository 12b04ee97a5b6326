//! Who is registered where: one contact for each proven identity.
//!
//! Decides what a REGISTER wishes and whether it may have it; never who somebody is. Rules: RFC 3261 §10.3.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::Millis;
use super::field::{self, NameAddr};
use super::message::Name;
use super::reply::Source;
use super::request::Request;
use super::settings::Expires;
use super::timers::{Due, Timers};

/// All registrations.
#[derive(Default)]
pub(crate) struct Registrar(HashMap<Arc<str>, Entry>);

/// One registration.
pub(crate) struct Entry {
    pub(crate) source: Source,
    pub(crate) contact: String,
    pub(crate) until: Millis,
    /// The `host:port` the phone knows us by.
    pub(crate) addressed_as: String,
    pub(crate) knows_sha256: bool,
    call_id: String,
    cseq: u32,
    wake: Option<Millis>,
}

/// What a REGISTER wishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To know what there is.
    Fetch,
    /// To be reached at a contact for some seconds.
    Bind { contact: String, expires_s: u32 },
    /// Not to be reached any more: at this contact, or at any.
    Unbind { contact: Option<String> },
}

/// Why a REGISTER gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    Malformed,
    /// Below the least.
    TooBrief,
    /// Older than one that was granted.
    OutOfOrder,
    Full,
}

impl Wish {
    pub(crate) fn of(request: &Request<'_>, expires: Expires) -> Result<Self, Denial> {
        let header = request.message.header(Name::Expires);
        let contacts: Vec<_> = request.message.listed(Name::Contact).filter_map(NameAddr::parse).collect();
        let Some(first) = contacts.first() else { return Ok(Self::Fetch) };
        if contacts.iter().any(|contact| contact.uri == "*") {
            let alone = contacts.len() == 1 && header.and_then(seconds) == Some(0);
            return if alone { Ok(Self::Unbind { contact: None }) } else { Err(Denial::Malformed) };
        }
        let lasts = |contact: &NameAddr<'_>| {
            let wish = contact.params.value("expires").or(header);
            wish.map_or(expires.default_s, |wish| seconds(wish).unwrap_or(expires.default_s))
        };
        // A phone that moved takes its old contact away and brings the new one in the same message.
        let kept = contacts.iter().find(|contact| lasts(contact) > 0);
        let Some(contact) = kept else { return Ok(Self::Unbind { contact: Some(first.uri.to_owned()) }) };
        match lasts(contact) {
            wish if wish < expires.min_s => Err(Denial::TooBrief),
            wish => Ok(Self::Bind { contact: contact.uri.to_owned(), expires_s: wish.min(expires.max_s) }),
        }
    }
}

/// Seconds as sent; more than fits is as much as fits, what is no number is none.
fn seconds(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| field::decimal(text).unwrap_or(u32::MAX))
}

impl Registrar {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn find(&self, user: &str) -> Option<&Entry> {
        self.0.get(user)
    }

    /// Whether `request` may change what is registered: not when a newer one of the same boot was granted.
    pub(crate) fn admits(&self, user: &str, request: &Request<'_>, limit: usize) -> Result<(), Denial> {
        match self.0.get(user) {
            Some(entry) if entry.call_id == request.call_id && request.cseq <= entry.cseq => Err(Denial::OutOfOrder),
            None if self.0.len() >= limit => Err(Denial::Full),
            _ => Ok(()),
        }
    }

    /// Registers `user` at `contact`.
    pub(crate) fn bind(
        &mut self,
        timers: &mut Timers,
        user: &str,
        (request, source): (&Request<'_>, Source),
        (contact, until, knows_sha256): (String, Millis, bool),
    ) {
        let (key, wake) = match self.0.remove_entry(user) {
            Some((key, old)) => (key, old.wake),
            None => (Arc::from(user), None),
        };
        let mut entry = Entry {
            source,
            contact,
            until,
            addressed_as: request.addressed_as(),
            knows_sha256,
            call_id: request.call_id.to_owned(),
            cseq: request.cseq,
            wake,
        };
        timers.set(&mut entry.wake, &Due::Registration(Arc::clone(&key)), Some(until));
        self.0.insert(key, entry);
    }

    /// Drops the registration of `user`, or only the one at `contact`; false when there is none.
    pub(crate) fn unbind(&mut self, timers: &mut Timers, user: &str, contact: Option<&str>) -> bool {
        if self.0.get(user).is_none_or(|entry| contact.is_some_and(|contact| contact != entry.contact)) {
            return false;
        }
        let Some((key, mut entry)) = self.0.remove_entry(user) else { return false };
        timers.set(&mut entry.wake, &Due::Registration(key), None);
        true
    }

    /// An alarm rang: drops a registration nobody renewed.
    pub(crate) fn expired(&mut self, user: &str) -> bool {
        self.0.remove(user).is_some()
    }
}
