//! What administrators enter about firmware: policies, rings, doors, and steps that begin at once.

use super::check::{Check, shown};
use super::guard::checked_reason;
use super::{FieldError, FieldErrors};
use crate::firmware::policy::{AfterRing, GENERAL, Goal, HOURS, MOST_FAILURES, Place, Window};
use crate::ids::{AccountId, SiteId};
use crate::mac::MacAddr;
use provost_catalog::{Catalog, Hardware, Version};
use serde::Deserialize;

/// `POST /firmware/policies`.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyInput {
    /// The account it is for, with all below it; without account and site it is for the whole server.
    pub account: Option<String>,
    /// The site it is for.
    pub site: Option<String>,
    /// The model it is for; by default every one.
    pub model: Option<String>,
    /// The ring it is for; by default every one.
    pub ring: Option<String>,
    /// `newest`, `keep` or a version.
    pub target: String,
    /// When steps may begin, in the site's time: `22:00-05:00` or `always`; by default at night.
    pub window: Option<String>,
    /// Downloads at a time at one site, 1 to 100; by default 5.
    pub slots: Option<u32>,
    /// The ring that goes first.
    pub after_ring: Option<String>,
    /// How many hours one of that ring has to run a version before others get it, 0 to 720; by default 24.
    pub hours: Option<u32>,
    /// From so many failures on the version is paused, 1 to 100; by default 1.
    pub most_failures: Option<u32>,
    /// Why.
    pub reason: String,
}

/// A policy after checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPolicy {
    /// Where it holds.
    pub place: Place,
    /// For this model only.
    pub model: Option<String>,
    /// For this ring only.
    pub ring: Option<String>,
    /// The version to lead to.
    pub goal: Goal,
    /// When steps may begin.
    pub window: Option<Window>,
    /// Downloads at a time at one site.
    pub slots: Option<u32>,
    /// Who goes first.
    pub after: Option<AfterRing>,
    /// Why.
    pub reason: String,
}

/// `PUT /firmware/rings/{device}`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RingInput {
    /// The ring; `general` is the one of every device that is in no other.
    pub ring: String,
}

/// `POST /firmware/policies/{id}/pause` and `/resume`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseInput {
    /// The version.
    pub version: String,
    /// Why.
    pub reason: String,
}

/// `POST /devices/{id}/firmware/now`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NowInput {
    /// Why it cannot wait.
    pub reason: String,
}

/// `POST /firmware/doors`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoorInput {
    /// The phone.
    pub mac: String,
    /// Its model's id in the catalog.
    pub model: String,
    /// How long, 1 to 24.
    pub hours: u32,
    /// Why.
    pub reason: String,
}

/// A door after checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDoor {
    /// The phone.
    pub mac: MacAddr,
    /// Its model.
    pub model: String,
    /// How long, in milliseconds.
    pub lasts_ms: i64,
    /// Why.
    pub reason: String,
}

/// A day: long enough for one phone on somebody's desk.
const MOST_DOOR_HOURS: u32 = 24;
const MOST_SLOTS: u32 = 100;
const MOST_HOURS: u32 = 720;
const MOST_FAILURES_EVER: u32 = 100;
const MOST_RING_BYTES: usize = 32;

impl PolicyInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self, catalog: &Catalog) -> Result<NewPolicy, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let place = match (&self.account, &self.site) {
            (Some(_), Some(_)) => {
                check.fault("site", "stands beside an account; name one of them".to_owned());
                None
            }
            (Some(account), None) => check.parsed::<AccountId>("account", account).map(Place::Account),
            (None, Some(site)) => check.parsed::<SiteId>("site", site).map(Place::Site),
            (None, None) => Some(Place::Platform),
        };
        if let Some(model) = &self.model {
            known(&mut check, model);
        }
        if let Some(ring) = &self.ring {
            ring_word(&mut check, "ring", ring);
        }
        let goal = check.parsed::<Goal>("target", &self.target);
        let window = self.window.as_deref().map(|text| check.parsed::<Window>("window", text));
        between(&mut check, "slots", self.slots, (1, MOST_SLOTS));
        between(&mut check, "hours", self.hours, (0, MOST_HOURS));
        between(&mut check, "most-failures", self.most_failures, (1, MOST_FAILURES_EVER));
        let after = self.after(&mut check);
        let reason = reason(&mut check, &self.reason);
        let (model, ring, slots) = (self.model, self.ring, self.slots);
        let policy = place.zip(goal).zip(reason).map(|((place, goal), reason)| NewPolicy {
            place,
            model,
            ring,
            goal,
            window: window.flatten(),
            slots,
            after,
            reason,
        });
        check.done(policy)
    }

    fn after(&self, check: &mut Check<'_>) -> Option<AfterRing> {
        let Some(ring) = &self.after_ring else {
            for (field, given) in [("hours", self.hours), ("most-failures", self.most_failures)] {
                if given.is_some() {
                    check.fault(field, "goes with after-ring, which is missing".to_owned());
                }
            }
            return None;
        };
        ring_word(check, "after-ring", ring);
        if self.ring.as_ref() == Some(ring) {
            check.fault("after-ring", "is the ring the policy is for; a ring cannot wait for itself".to_owned());
        }
        let (hours, most_failures) = (self.hours.unwrap_or(HOURS), self.most_failures.unwrap_or(MOST_FAILURES));
        Some(AfterRing { ring: ring.clone(), hours, most_failures })
    }
}

impl RingInput {
    /// The ring; `None` is that of every device.
    ///
    /// # Errors
    /// The field at fault.
    pub fn check(self, catalog: &Catalog) -> Result<Option<String>, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        ring_word(&mut check, "ring", &self.ring);
        check.done(Some((self.ring != GENERAL).then_some(self.ring)))
    }
}

impl PauseInput {
    /// The version and why.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self, catalog: &Catalog) -> Result<(Version, String), FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let version = check.parsed::<Version>("version", &self.version);
        let reason = reason(&mut check, &self.reason);
        check.done(version.zip(reason))
    }
}

impl DoorInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self, catalog: &Catalog) -> Result<NewDoor, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let mac = check.parsed::<MacAddr>("mac", &self.mac);
        known(&mut check, &self.model);
        if catalog.hardware(&self.model).is_some_and(|hardware| !may_need_door(catalog, hardware)) {
            let why =
                "has no step from firmware before 4.0, so its phones reach this server by TLS and need no plain HTTP";
            check.fault("model", format!("`{}` {why}", shown(&self.model)));
        }
        between(&mut check, "hours", Some(self.hours), (1, MOST_DOOR_HOURS));
        let reason = reason(&mut check, &self.reason);
        let lasts_ms = i64::from(self.hours).saturating_mul(3_600_000);
        let model = self.model;
        check.done(mac.zip(reason).map(|(mac, reason)| NewDoor { mac, model, lasts_ms, reason }))
    }
}

/// Phones with firmware before this cannot reach the server by TLS.
const FIRST_BY_TLS: &str = "4.0";

/// Whether phones of this hardware may run firmware that comes in by plain HTTP alone: a step of its line begins there.
pub fn may_need_door(catalog: &Catalog, hardware: &Hardware) -> bool {
    let Ok(first) = FIRST_BY_TLS.parse::<Version>() else { return false };
    let line = hardware.line.as_deref().and_then(|line| catalog.firmware_line(line));
    line.is_some_and(|line| line.steps.iter().any(|step| step.from.from.as_ref().is_some_and(|from| *from < first)))
}

fn known(check: &mut Check<'_>, model: &str) {
    if check.catalog.hardware(model).is_none() {
        check.fault("model", format!("`{}` is no model whose firmware the catalog knows", shown(model)));
    }
}

fn ring_word(check: &mut Check<'_>, field: &str, text: &str) {
    let is_word = (1..=MOST_RING_BYTES).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_word {
        let shown = shown(text);
        check.fault(field, format!("`{shown}` is no ring; write 1 to {MOST_RING_BYTES} of a-z, 0-9 and -"));
    }
}

fn between(check: &mut Check<'_>, field: &str, given: Option<u32>, (least, most): (u32, u32)) {
    if let Some(number) = given.filter(|number| !(least..=most).contains(number)) {
        check.fault(field, format!("is {number}; it must be from {least} to {most}"));
    }
}

fn reason(check: &mut Check<'_>, text: &str) -> Option<String> {
    match checked_reason(text) {
        Ok(reason) => Some(reason),
        Err(FieldErrors(errors)) => {
            for FieldError { field, message } in errors {
                check.fault(field, message);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults<T>(checked: Result<T, FieldErrors>) -> Vec<String> {
        checked.err().map_or_else(Vec::new, |errors| errors.0.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn every_field_of_a_policy_at_fault_is_named_at_once() {
        let catalog = Catalog::built_in().unwrap();
        let input = PolicyInput {
            account: Some("acme".to_owned()),
            model: Some("tx1000".to_owned()),
            ring: Some("First Ring".to_owned()),
            target: "latest".to_owned(),
            window: Some("night".to_owned()),
            slots: Some(0),
            hours: Some(721),
            most_failures: Some(0),
            ..PolicyInput::default()
        };

        let mut found = faults(input.check(&catalog));

        found.sort_unstable();
        found.dedup();
        assert_eq!(
            found,
            ["account", "hours", "model", "most-failures", "reason", "ring", "slots", "target", "window"]
        );
    }

    #[test]
    fn a_policy_of_one_field_has_the_rest_by_default() {
        let catalog = Catalog::built_in().unwrap();
        let input = PolicyInput {
            target: "keep".to_owned(),
            after_ring: Some("canary".to_owned()),
            reason: "holidays".to_owned(),
            ..PolicyInput::default()
        };

        let policy = input.check(&catalog).unwrap();

        assert_eq!((policy.place, policy.goal, policy.window, policy.slots), (Place::Platform, Goal::Keep, None, None));
        assert_eq!(policy.after, Some(AfterRing { ring: "canary".to_owned(), hours: 24, most_failures: 1 }));
    }

    #[test]
    fn a_door_is_for_one_known_model_for_at_most_a_day_and_with_a_reason() {
        let catalog = Catalog::built_in().unwrap();
        let door = |model: &str, hours, reason: &str| DoorInput {
            mac: "0004f2000001".to_owned(),
            model: model.to_owned(),
            hours,
            reason: reason.to_owned(),
        };

        assert_eq!(door("spip550", 24, "old phone").check(&catalog).unwrap().lasts_ms, 86_400_000);
        assert_eq!(faults(door("toaster", 25, " ").check(&catalog)), ["model", "hours", "reason"]);
        assert_eq!(faults(door("vvx450", 24, "not that old").check(&catalog)), ["model"]);
        assert_eq!(RingInput { ring: "general".to_owned() }.check(&catalog), Ok(None));
    }
}
