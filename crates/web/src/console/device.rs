//! A device as its row shows it: plain words for its state, and what can be done with it.

use super::words::Moment;
use provost_app::{DeviceView, PhoneView};
use provost_core::identity::CertificateStatus;
use provost_core::lifecycle::DeviceState;
use provost_core::time::UnixMillis;

/// How something stands: a word, what it means, and how it looks.
pub(super) struct Standing {
    /// `good`, `wait`, `bad` or `quiet`.
    pub(super) tone: &'static str,
    /// A word or three.
    pub(super) word: &'static str,
    /// What it means for the phone, or what to do.
    pub(super) meaning: &'static str,
}

const fn standing(tone: &'static str, word: &'static str, meaning: &'static str) -> Standing {
    Standing { tone, word, meaning }
}

/// Whom a device is for.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) extension: String,
}

/// An open activation code.
pub(super) struct Code {
    /// Grouped 4-4-5.
    pub(super) shown: String,
    pub(super) expires: Moment,
}

/// A device as shown.
pub(super) struct Device {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) person: Option<Person>,
    pub(super) site: Option<String>,
    pub(super) standing: Standing,
    pub(super) code: Option<Code>,
    pub(super) mac: Option<String>,
    pub(super) is_bound: bool,
    pub(super) last_contact: Option<Moment>,
    pub(super) firmware: Option<String>,
    pub(super) certificate: Option<Certificate>,
    pub(super) registration: String,
    /// Whether a code can be issued now.
    pub(super) takes_code: bool,
    pub(super) is_barred: bool,
    pub(super) is_released: bool,
    /// Where its phone stands between its claim and its return.
    pub(super) awaited: Option<String>,
}

/// A certificate status as shown.
pub(super) struct Certificate {
    pub(super) status: String,
    pub(super) tone: &'static str,
}

impl Certificate {
    pub(super) fn new(status: &str) -> Self {
        let tone = match CertificateStatus::from_words(status) {
            Some(CertificateStatus::FactoryInstalled) => "good",
            Some(CertificateStatus::Invalid | CertificateStatus::SelfSigned) => "bad",
            Some(CertificateStatus::NonePresented) | None => "quiet",
        };
        Self { status: status.to_owned(), tone }
    }
}

impl Device {
    /// The row of a device.
    pub(super) fn new(view: DeviceView, now: UnixMillis) -> Self {
        let state = DeviceState::from_word(view.state);
        let is_barred = matches!(state, Some(DeviceState::Disabled | DeviceState::Quarantined));
        let is_released = state == Some(DeviceState::Released);
        let code = view
            .activation_code
            .as_ref()
            .map(|code| Code { shown: code.shown.clone(), expires: Moment::read(&code.expires_at, now) });
        let is_bound = view.bound_at.is_some();
        Self {
            standing: device_standing(&view, state, code.as_ref()),
            code,
            takes_code: takes_code(&view),
            awaited: view.awaited,
            id: view.id,
            model: view.model_name,
            person: view.user_name.zip(view.extension).map(|(name, extension)| Person { name, extension }),
            site: view.site_name,
            mac: view.mac.map(|mac| mac.to_string()),
            is_bound,
            last_contact: view.last_seen.map(|at| Moment::read(&at, now)),
            firmware: view.firmware,
            certificate: view.certificate.as_deref().map(Certificate::new),
            registration: view.registered.words,
            is_barred,
            is_released,
        }
    }
}

/// Whether a code can be issued for the device now.
pub(super) fn takes_code(view: &DeviceView) -> bool {
    let state = DeviceState::from_word(view.state);
    let is_out = matches!(state, Some(DeviceState::Disabled | DeviceState::Quarantined | DeviceState::Released));
    view.user.is_some() && view.bound_at.is_none() && !is_out
}

fn device_standing(view: &DeviceView, state: Option<DeviceState>, code: Option<&Code>) -> Standing {
    match state {
        Some(DeviceState::Added) => standing("quiet", "In stock", "It has no user yet, so it takes no code."),
        Some(DeviceState::Assigned) => match code {
            Some(code) if code.expires.is_past => standing("bad", "Code expired", "Issue a new code."),
            Some(_) => standing("wait", "Waiting for its code", "Enter the code for its phone."),
            None if view.mac.is_some() => {
                standing("wait", "Waiting for its phone", "It is claimed when the phone boots.")
            }
            None => standing("wait", "Needs a code", "Issue one, then enter it for the phone."),
        },
        Some(DeviceState::Contacted) if view.user.is_none() => {
            standing("wait", "Phone seen", "It stays unclaimed: the device has no user.")
        }
        Some(DeviceState::Contacted) => standing("wait", "Phone seen", "Not claimed yet; its timeline says why."),
        Some(DeviceState::Activated) => standing("good", "Activated", "Its phone gets its configuration."),
        Some(DeviceState::Quarantined) => standing("bad", "Quarantined", BARRED),
        Some(DeviceState::Disabled) => standing("bad", "Disabled", BARRED),
        Some(DeviceState::Released) => standing("quiet", "Released", "Kept for its history."),
        None => standing("quiet", view.state, ""),
    }
}

const BARRED: &str = "Its phone gets nothing and keeps its old settings until it is reset.";

/// The state of a phone, as the first line of its page.
pub(super) fn phone_standing(view: &PhoneView) -> Standing {
    let Some(device) = &view.device else {
        return if view.first_seen.is_some() {
            standing(
                "wait",
                "Unclaimed",
                "Nobody has claimed this phone: it gets the bootstrap only and cannot place emergency calls.",
            )
        } else {
            standing("bad", "Never proven", "Somebody asked in its name, but no phone has proved to be it.")
        };
    };
    match DeviceState::from_word(device.state) {
        Some(DeviceState::Activated) => {
            standing("good", "Activated", "It is bound to its device and gets its configuration.")
        }
        Some(DeviceState::Disabled) => standing("bad", "Disabled", BARRED),
        Some(DeviceState::Quarantined) => standing("bad", "Quarantined", BARRED),
        _ if view.first_seen.is_none() => standing(
            "wait",
            "Expected",
            "Its MAC is entered with a device. It is claimed at its first boot here; until then it cannot place emergency calls.",
        ),
        _ => standing(
            "wait",
            "Unclaimed",
            "Its MAC is entered with a device, but it is not bound yet: it gets the bootstrap only and cannot place emergency calls. Its timeline says why.",
        ),
    }
}
