//! Sentences about what was blocked, opened, excepted and noticed.

use super::{Entry, EventKind, printable};
use crate::address_range::AddressRange;
use crate::mac::MacAddr;
use crate::time::UnixMillis;
use std::net::IpAddr;

/// The entry for a TLS handshake that failed where this phone was last seen.
pub fn failed_handshake(address: IpAddr, mac: MacAddr, words: &str, advice: Option<&str>) -> Entry {
    Entry::new(
        EventKind::Refused,
        format!("Somebody at {address}, where phone {mac} was last seen, could not complete TLS: {words}."),
        advice.map(ToOwned::to_owned),
    )
}

/// The entry for somebody who read the plain-HTTP bootstrap in this phone's name.
pub fn read_http_bootstrap(name: &str, address: IpAddr) -> Entry {
    Entry::new(
        EventKind::Request,
        format!(
            "Somebody at {address} read {name} over plain HTTP, which an administrator opened for that address: time server, \
             server address and authority, nothing secret."
        ),
        Some(
            "If this is the phone itself, it restarts and comes back over TLS with its factory certificate. If it does not, \
             look at the failed handshakes."
                .to_owned(),
        ),
    )
}

/// The entry for an emergency call that nobody can be held to.
pub fn called_for_help(number: &str, address: IpAddr) -> Entry {
    Entry::new(
        EventKind::Alarm,
        format!("Somebody at {address} dialed the emergency number {number} here without being a known phone."),
        Some("Find out whether somebody there needs help.".to_owned()),
    )
}

/// The entry for somebody whose certificate an administrator blocked.
pub fn blocked(name: &str, address: IpAddr, reason: &str) -> Entry {
    Entry::new(
        EventKind::Refused,
        format!("Somebody at {address} asked for {name} and got nothing: {reason}."),
        Some(
            "Take the certificate off the block list if the phone is good again; until then it keeps its old settings."
                .to_owned(),
        ),
    )
}

/// The entry, and the words of the alarm, for one certificate in use in two networks at once.
pub fn in_two_networks(here: AddressRange, there: AddressRange) -> Entry {
    Entry::new(
        EventKind::Alarm,
        format!("This phone's certificate is in use in two networks by turns: {here} and {there}."),
        Some(
            "A phone is in one place. If nobody carries it to and fro and no line fails over, its key may have been copied: \
             block the certificate, and exchange the phone."
                .to_owned(),
        ),
    )
}

/// The entry, and the words of the alarm, for a phone that asked for other phones' files again and again.
pub fn suspended(times: usize, until: UnixMillis) -> Entry {
    Entry::new(
        EventKind::Alarm,
        format!(
            "This phone asked for other phones' files {times} times within an hour: it gets nothing, its own files included, \
             until {until}."
        ),
        Some(
            "A phone asks for its own files only. Look at what is at its address; if its key may have been copied, block the \
             certificate."
                .to_owned(),
        ),
    )
}

/// The entry for an exception that an administrator made.
pub fn exception_made(until: UnixMillis, reason: &str) -> Entry {
    Entry::new(
        EventKind::Action,
        format!("An administrator lets this phone in once without a factory certificate, until {until}: {reason}."),
        Some(
            "Whoever asks for its files first gets them. Connect the phone now, and nothing else in its name."
                .to_owned(),
        ),
    )
}

/// The entry for an exception that an administrator took back.
pub fn exception_revoked() -> Entry {
    Entry::new(
        EventKind::Action,
        "An administrator took the exception back: this phone needs its factory certificate again.".to_owned(),
        None,
    )
}

/// The entry for the first use of an exception.
pub fn exception_used(address: IpAddr, reason: &str) -> Entry {
    Entry::new(
        EventKind::Claim,
        format!(
            "Somebody at {address} is let in as this phone without proof, by the exception made because: {reason}."
        ),
        Some("From now on the exception holds for this address only. If that is not the phone, revoke it.".to_owned()),
    )
}

/// What stands as a remark on the certificate of a phone let in by exception.
pub fn exception_note(reason: &str) -> String {
    format!("let in by exception: {}", printable(reason, 300))
}
