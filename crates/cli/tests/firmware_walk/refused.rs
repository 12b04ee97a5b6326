//! What no phone is led to, and what a phone does not take although it was offered.

use crate::fleet::{Fleet, Led, runtime};
use provost_phone::image::{ImageSigner, LabEntry};
use serde_json::json;

/// The phone asks and is offered nothing; the reason is on its timeline and its page.
fn is_refused(led: Led<'_>, stored: &[&str], target: &str, because: &str) {
    let fleet = Fleet::new();
    for version in stored {
        fleet.stores(led.model, version);
    }
    fleet.leads_to(led.model, target);
    let device = fleet.enters(led);
    let mut phone = fleet.phone(led, &fleet.https());

    runtime().block_on(phone.boot(&mut |_| {})).unwrap();

    assert_eq!(phone.memory().firmware, led.runs);
    assert_eq!(fleet.steps_of(led.mac), []);
    let firmware = fleet.server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert!(firmware["next"].as_str().unwrap().contains(because), "{firmware}");
    let told = fleet.server.timeline(led.mac);
    assert!(told.iter().any(|sentence| sentence.contains(because)), "{told:#?}");
}

#[test]
fn no_stop_is_skipped() {
    let led = Led { model: "vvx500", mac: "0004f2000502", runs: "4.1.4.7430", updater: None };
    is_refused(led, &["5.7.3.1797", "5.9.8.5760"], "5.9.8.5760", "must stop");
}

#[test]
fn no_floor_is_crossed() {
    let led = Led { model: "vvx450", mac: "64167f000451", runs: "6.4.7.4560", updater: None };
    is_refused(led, &["6.4.0.1000"], "6.4.0.1000", "below 6.4.3");
}

#[test]
fn no_phone_is_led_from_one_line_to_another() {
    let led = Led { model: "ccx500", mac: "64167f000501", runs: "7.0.1.0100", updater: None };
    is_refused(led, &["8.1.2.0100"], "8.1.2.0100", "CCX 500");
}

#[test]
fn an_image_for_another_platform_is_not_even_stored() {
    let fleet = Fleet::new();
    let path = fleet.made("9999-12345-001.sip.ld", LabEntry::application("9999-12345-001", "1.0", "1.0"), None);

    let upload = fleet.server.cli(&["firmware", "upload", path.to_str().unwrap()]);

    assert_eq!(upload.code, 1, "{}", upload.out);
    assert!(upload.err.contains("9999-12345-001"), "{}", upload.err);
    let images = fleet.server.done("GET", "/firmware/images", None);
    assert_eq!(images["items"].as_array().unwrap().len(), 0);
}

#[test]
fn a_rogue_image_is_refused_by_the_phone_and_after_three_tries_no_longer_offered() {
    let fleet = Fleet::new();
    let led = Led { model: "vvx450", mac: "64167f000452", runs: "6.4.3.5814", updater: None };
    let part = fleet.part(led.model);
    let rogue = ImageSigner::generate().unwrap();
    let entry = LabEntry::application(&part, "6.4.8.1000", "6.4.8.1000");
    fleet.uploads(&fleet.made(&format!("{part}.sip.ld"), entry, Some(&rogue)));
    fleet.leads_to(led.model, "newest");
    let device = fleet.enters(led);
    let mut phone = fleet.phone(led, &fleet.https());
    let runtime = runtime();

    for _ in 0..6 {
        runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    }

    assert_eq!(phone.memory().firmware, led.runs);
    assert!(phone.effective().contains_key("reg.1.auth.password"), "it works all the same");
    let failed = fleet.steps_of(led.mac);
    assert!(failed.iter().all(|(_, _, state)| state != "done"), "{failed:?}");
    assert!(failed.iter().filter(|(_, _, state)| state == "failed").count() <= 3, "{failed:?}");
    let firmware = fleet.server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert!(firmware["next"].as_str().unwrap().contains('3'), "{firmware}");
}

#[test]
fn what_may_not_be_led_there_is_said_before_anybody_tries() {
    let fleet = Fleet::new();
    fleet.stores("vvx500", "5.9.8.5760");

    let refused = fleet.server.done("GET", "/firmware/ladder?model=vvx500&version=4.1.4&target=5.9.8.5760", None);
    assert!(refused.to_string().contains("must stop"), "{refused}");
    let obi = fleet.server.done("GET", "/firmware/ladder?model=vvxd230&version=8.0&target=8.1", None);
    assert!(obi.to_string().contains("OBi"), "{obi}");
    let unknown = json!({ "model": "vvx999", "target": "newest", "reason": "x" });
    assert_eq!(fleet.server.api("POST", "/firmware/policies", Some(&unknown)).status, 422);
}
