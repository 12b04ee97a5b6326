//! What needs a hand, in words: why, and the next step.

use crate::console::words::{Moment, devices_at};
use provost_app::{Hand, HandList, HandView};
use provost_core::time::UnixMillis;

/// What needs a hand for one reason.
pub(super) struct Group {
    /// How it looks.
    pub(super) tone: &'static str,
    /// What is the matter.
    pub(super) title: &'static str,
    /// Why, and what to do.
    pub(super) next: &'static str,
    /// What its times say.
    pub(super) when: &'static str,
    /// The first of them.
    pub(super) rows: Vec<Row>,
    /// How many more, if there are more.
    pub(super) more: Option<String>,
    /// Where all of them are.
    pub(super) link: String,
}

/// A device or a user that needs a hand.
pub(super) struct Row {
    /// Where to go.
    pub(super) link: String,
    /// What the link is called: the phone, else the user, else the model.
    pub(super) name: String,
    /// Whether that is a MAC address.
    pub(super) is_mac: bool,
    /// Who it is for, if the link does not say so.
    pub(super) user: Option<String>,
    pub(super) extension: Option<String>,
    pub(super) model: Option<String>,
    pub(super) site: Option<String>,
    pub(super) at: Moment,
}

/// Tone, title, next step, and what the time is.
type Words = (&'static str, &'static str, &'static str, &'static str);

const FIRMWARE_FAILED: Words = (
    "bad",
    "Firmware was not taken",
    "The phone was led to another version and came back with what it ran before. Its page says how often, and why nothing more is offered.",
    "failed",
);
const OLD_FIRMWARE: Words = (
    "wait",
    "Old firmware",
    "The phone runs less than its model is served well with, and says so beside its line. Its page says what it is led to next; without a stored image it stays as it is.",
    "last here",
);

const fn words(reason: Hand) -> Words {
    match reason {
        Hand::NotBack => (
            "bad",
            "Claimed, and did not come back",
            "The code was right, but the phone has not read its configuration since. Restart it; if it shows Activate again, its timeline says what it asked for.",
            "claimed",
        ),
        Hand::Silent => (
            "bad",
            "Stopped asking",
            "The phone should have asked for its files and did not. Is it plugged in, and does it have a network? It may also ask somewhere else now.",
            "last here",
        ),
        Hand::NotClaimed => (
            "wait",
            "Here, and not claimed",
            "The phone asks, but it is not bound to its device and cannot place emergency calls. Its timeline says why: another model, no user yet, or a clash.",
            "last here",
        ),
        Hand::FirmwareFailed => FIRMWARE_FAILED,
        Hand::OldFirmware => OLD_FIRMWARE,
        Hand::Clash => (
            "bad",
            "Two devices name one phone",
            "Nobody gets it until one of them lets it go: take the MAC address off the device that is wrong, or release it.",
            "added",
        ),
        Hand::NotFactory => (
            "wait",
            "Claimed without a factory certificate",
            "An exception let the phone in, and it gets no more than that gave it. Replace it, or have its certificate mended by the maker.",
            "last here",
        ),
        Hand::CodeExpired => (
            "wait",
            "The code has expired",
            "Nobody entered it in time. Issue a new one and give it to the user.",
            "expired",
        ),
        Hand::WelcomeFailed => (
            "bad",
            "The welcome mail did not arrive",
            "It was refused, given up, or may not have arrived; the mail says which. Mend the address and send it again.",
            "written",
        ),
        Hand::NoCode => (
            "wait",
            "No code for days",
            "The device has a user and no code, so nobody can activate a phone for it. Issue a code, or enter the MAC address of the phone.",
            "added",
        ),
    }
}

fn all_of(reason: Hand, silent_before: &str) -> String {
    match reason {
        Hand::NotBack | Hand::NotFactory => devices_at(&[("status", "activated")]),
        Hand::Silent => devices_at(&[("status", "activated"), ("missed-contact-since", silent_before)]),
        Hand::NotClaimed => devices_at(&[("status", "contacted")]),
        Hand::CodeExpired | Hand::NoCode => devices_at(&[("status", "assigned")]),
        Hand::FirmwareFailed | Hand::OldFirmware => "/firmware".to_owned(),
        Hand::Clash => "/devices".to_owned(),
        Hand::WelcomeFailed => "/mail".to_owned(),
    }
}

impl Group {
    pub(super) fn new(list: HandList, silent_before: &str, now: UnixMillis) -> Self {
        let HandList { reason, items, more, is_uncounted } = list;
        let (tone, title, next, when) = words(reason);
        let more = match (more, is_uncounted) {
            (0, _) => None,
            (more, false) => Some(format!("and {more} more")),
            (more, true) => Some(format!("and more than {more} more")),
        };
        let rows = items.into_iter().map(|item| Row::new(item, now)).collect();
        Self { tone, title, next, when, rows, more, link: all_of(reason, silent_before) }
    }
}

impl Row {
    fn new(view: HandView, now: UnixMillis) -> Self {
        let at = Moment::read(&view.at, now);
        let (link, name, is_mac, user) = match (view.mac, view.device, view.user) {
            (Some(mac), ..) => (format!("/phones/{mac}"), mac.to_string(), true, view.user_name),
            (None, Some(device), _) => {
                let name = view.user_name.clone().or(view.model_name.clone()).unwrap_or_else(|| device.clone());
                (format!("/devices/{device}"), name, false, None)
            }
            (None, None, Some(user)) => {
                (format!("/users/{user}"), view.user_name.clone().unwrap_or_else(|| user.clone()), false, None)
            }
            (None, None, None) => ("/devices".to_owned(), "a device".to_owned(), false, None),
        };
        Self { link, name, is_mac, user, extension: view.extension, model: view.model_name, site: view.site_name, at }
    }
}
