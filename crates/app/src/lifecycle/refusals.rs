//! Why a device was not changed, in words that say what to do.

use crate::AppError;
use crate::claim::reference;
use provost_core::lifecycle::RESTORABLE_DAYS;
use provost_store::ChangeRefusal;

pub(crate) fn refused(refusal: &ChangeRefusal) -> AppError {
    let (code, message) = match refusal {
        ChangeRefusal::NoPhone => {
            ("device-has-no-phone", "this device has no phone to replace; issue an activation code for it".to_owned())
        }
        ChangeRefusal::HasPhone => (
            "device-has-phone",
            "a phone is bound to this device; move the device to give it with its phone to another user".to_owned(),
        ),
        ChangeRefusal::NoUser => ("owner-not-saved", "this device has no user; move it to one first".to_owned()),
        ChangeRefusal::Disabled => ("device-barred", "this device is disabled; enable it first".to_owned()),
        ChangeRefusal::Released(at) => (
            "device-released",
            format!(
                "this device was released on {at}; restore it until {}, or add another",
                at.plus_days(RESTORABLE_DAYS)
            ),
        ),
        ChangeRefusal::NotReleased => {
            ("device-not-released", "this device was not released, so there is nothing to restore".to_owned())
        }
        ChangeRefusal::StillKept => {
            ("device-not-released", "this device had a phone; release it first, then remove it".to_owned())
        }
        ChangeRefusal::TooLate { released } => (
            "restore-too-late",
            format!(
                "this device was released on {released} and could be restored until {}; add it anew",
                released.plus_days(RESTORABLE_DAYS)
            ),
        ),
        ChangeRefusal::SamePhone => {
            ("phone-has-device", "this is the phone the device has; enter the one that takes its place".to_owned())
        }
        ChangeRefusal::PhoneTaken(mac) => {
            ("phone-has-device", format!("phone {mac} is bound to another device; it must be released there first"))
        }
        ChangeRefusal::PhoneNamed(mac) => (
            "phone-named",
            format!("phone {mac} is entered with another device of this account; remove that one first"),
        ),
        ChangeRefusal::PhoneSetAside(mac) => (
            "phone-set-aside",
            format!(
                "phone {mac} was replaced by another and set aside; let it in again first (`provost readmit {mac}`)"
            ),
        ),
        ChangeRefusal::UserGone => {
            ("user-removed", "the user of this device was removed; restore it for another user (`user`)".to_owned())
        }
    };
    AppError::Refused { code, message, reference: reference() }
}
