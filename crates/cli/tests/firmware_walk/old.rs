//! Phones from before 4.0: over plain HTTP, by a door that a person opened for the one phone.

use crate::fleet::{Fleet, Led, boots_with_cuts, runtime};
use provost_phone::image::LabEntry;
use provost_phone::{Flash, Phone, PhoneSetup};
use serde_json::json;

fn http(fleet: &Fleet) -> String {
    format!("http://{}", fleet.server.address("phones_http"))
}

fn opens_door(fleet: &Fleet, led: Led<'_>) {
    let door = json!({ "mac": led.mac, "model": led.model, "hours": 2, "reason": "firmware before 4.0" });
    fleet.server.done("POST", "/firmware/doors", Some(&door));
}

/// The same phone, its memory kept, told another server.
fn pointed_elsewhere(setup: &PhoneSetup, server: String) -> PhoneSetup {
    PhoneSetup { server_url: server, ..setup.clone() }
}

/// From 3.x through the door to `target`, and then to its configuration over TLS.
fn is_brought_over(led: Led<'_>, upgrader: Option<&str>, target: &str) {
    let fleet = Fleet::new();
    let part = fleet.part(led.model);
    if let Some(version) = upgrader {
        fleet.uploads(&fleet.made(&format!("{part}.bootrom.ld"), LabEntry::updater(&part, version), None));
    }
    let application = LabEntry::application(&part, target, target);
    let application = upgrader.map_or(application.clone(), |version| application.needing(version));
    fleet.uploads(&fleet.made(&format!("{part}.sip.ld"), application, None));
    fleet.enters(led);
    let setup = PhoneSetup { flash: Flash::in_memory(), ..fleet.setup(led, &http(&fleet)) };
    let runtime = runtime();

    // Without a door there is nothing for it over plain HTTP.
    let mut phone = Phone::new(setup.clone()).unwrap();
    let before = runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(phone.memory().firmware, led.runs, "{before:?}");

    opens_door(&fleet, led);
    let (phone, had) = runtime.block_on(boots_with_cuts(&setup));
    // It learns at one start what the BootROM is and at the next takes what follows from it.
    let mut phone = if phone.memory().firmware == target { phone } else { Phone::new(setup.clone()).unwrap() };
    for _ in 0..3 {
        if phone.memory().firmware != target {
            runtime.block_on(phone.boot(&mut |_| {})).unwrap();
        }
    }
    assert_eq!(phone.memory().firmware, target, "{:#?}", fleet.server.timeline(led.mac));
    assert!(had.iter().all(|version| version == led.runs || version == target), "{had:?}");
    assert!(!phone.effective().keys().any(|name| name.contains("password")), "nothing secret came over plain HTTP");

    let mut phone = Phone::new(pointed_elsewhere(&setup, fleet.https())).unwrap();
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert!(phone.effective().contains_key("reg.1.auth.password"), "{:#?}", fleet.server.timeline(led.mac));
    let doors = fleet.server.done("GET", "/firmware/doors", None);
    assert_eq!(doors["items"].as_array().unwrap().len(), 0, "it proved who it is, so its door is closed");
}

#[test]
fn a_soundpoint_550_goes_from_3_1_by_the_upgrader_to_4_0_15() {
    let led = Led { model: "spip550", mac: "0004f2000551", runs: "3.1.8.0070", updater: Some("4.2.2.0710") };
    is_brought_over(led, Some("4.4.0.0427"), "4.0.15.1047");
}

#[test]
fn a_soundstation_6000_goes_from_3_1_by_the_upgrader_to_4_0_15() {
    let led = Led { model: "ssip6000", mac: "0004f2006000", runs: "3.2.4.0267", updater: Some("4.2.2.0710") };
    is_brought_over(led, Some("5.0.8.0001"), "4.0.15.1047");
}

#[test]
fn a_vvx_1500_goes_from_3_x_to_5_9() {
    let led = Led { model: "vvx1500", mac: "0004f2001500", runs: "3.2.4.0267", updater: Some("4.2.2.0710") };
    is_brought_over(led, None, "5.9.8.5760");
}
