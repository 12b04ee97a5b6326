//! When a step may begin: windows, slots, rings, freezes.

use crate::{
    Image, MAC, NEW, OLD, OTHER, PART, agent, ask, command, content, declines, device_for, has, in_use, named,
    own_image, refusal, set_policy, stock, stocked, without_date,
};
use provost_testkit::Maker;
use serde_json::json;

/// A window of an hour that is closed now, by the clocks of Vienna.
fn closed_window() -> String {
    let output = std::process::Command::new("date").env("TZ", "Europe/Vienna").arg("+%H").output().unwrap();
    let hour: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    format!("{:02}:00-{:02}:00", (hour + 5) % 24, (hour + 6) % 24)
}

#[test]
fn a_phone_in_use_waits_for_the_window_and_for_whoever_wants_it_now() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let own = in_use(&server, &maker, (&device, MAC));

    let window = closed_window();
    set_policy(&server, &json!({ "site": site, "window": window }));
    assert_eq!(named(&server, (&own, MAC), OLD), "");
    assert_eq!(named(&server, (&own, MAC), OLD), "");
    let timeline = server.timeline(MAC);
    let said = timeline.iter().filter(|sentence| sentence.contains("steps begin in the window")).count();
    assert_eq!(said, 1, "it is said once: {timeline:#?}");
    let told = server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert_eq!(told["state"], "window", "{told}");
    assert!(told["policy"].as_str().unwrap().contains(&site), "{told}");

    server.done("POST", &format!("/devices/{device}/firmware/now"), Some(&json!({ "reason": "the user waits" })));
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    assert!(has(&server.timeline(MAC), "somebody asked for it now"));
    assert_eq!(named(&server, (&own, MAC), NEW), "");
    assert_eq!(server.sql("SELECT COUNT(*) FROM firmware_now"), "0", "once");

    set_policy(&server, &json!({ "site": site, "target": "keep" }));
    assert_eq!(named(&server, (&own, MAC), OLD), "", "frozen");
    let frozen = server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert_eq!((&frozen["state"], &frozen["target"]), (&json!("kept"), &json!("keep")), "{frozen}");
}

#[test]
fn so_many_phones_of_a_site_load_at_a_time_and_no_more() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    for (extension, mac) in [("1001", MAC), ("1002", OTHER)] {
        device_for(&server, (&account, &site), (extension, mac));
    }
    let (first, second) = (maker.phone(MAC), maker.phone(OTHER));
    set_policy(&server, &json!({ "account": account, "slots": 1 }));

    assert_eq!(named(&server, (&first, MAC), OLD), "sip.ld");
    assert_eq!(named(&server, (&second, OTHER), OLD), "");
    assert!(has(&server.timeline(OTHER), "another phone of its site is loading an image"));
    assert_eq!(named(&server, (&first, MAC), OLD), "sip.ld", "who has the slot keeps it");
    // Half an hour without a word.
    server.sql("UPDATE firmware_steps SET touched_ms = touched_ms - 1800000");
    assert_eq!(named(&server, (&second, OTHER), OLD), "sip.ld");
    assert_eq!(named(&server, (&first, MAC), OLD), "", "its slot is another's");
    assert_eq!(named(&server, (&second, OTHER), NEW), "", "it is back");
    assert_eq!(named(&server, (&first, MAC), OLD), "sip.ld");
}

#[test]
fn others_wait_for_the_ring_that_goes_first_and_a_failure_there_pauses_the_version() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let canary = device_for(&server, (&account, &site), ("1001", MAC));
    device_for(&server, (&account, &site), ("1002", OTHER));
    let (first, second) = (maker.phone(MAC), maker.phone(OTHER));
    let set = command(&server, &["firmware", "ring", "set", &canary, "canary"]);
    assert_eq!(set["ring"], "canary");
    let policy = set_policy(&server, &json!({ "account": account, "after-ring": "canary", "hours": 0 }));
    let id = policy["id"].as_str().unwrap();

    assert_eq!(named(&server, (&second, OTHER), OLD), "");
    assert!(has(&server.timeline(OTHER), "in the ring canary has to run the version for 0 hours first"));
    assert_eq!(named(&server, (&first, MAC), OLD), "sip.ld");
    declines(&server, (&first, MAC));
    assert_eq!(named(&server, (&first, MAC), OLD), "", "it came back as it was: the version is paused");
    let listed = command(&server, &["firmware", "policy", "list"]);
    assert_eq!(listed["items"][0]["paused"][0]["version"], NEW, "{listed}");
    let alarms = server.done("GET", "/alarms", None);
    assert_eq!(alarms["items"][0]["kind"], "firmware-paused", "{alarms}");
    let audit = server.done("GET", "/audit", None);
    assert!(audit["items"].to_string().contains("6.4.8.2 is paused"), "{audit}");

    command(&server, &["firmware", "resume", id, "--version", NEW, "--reason", "a broken switch"]);
    let alarms = server.done("GET", "/alarms", None);
    assert!(alarms["items"][0]["ended-at"].is_string(), "nothing is paused any more: {alarms}");
    assert_eq!(named(&server, (&first, MAC), OLD), "sip.ld");
    assert_eq!(ask(&server, &first, (&own_image(), OLD), &[]).status, 200);
    assert_eq!(named(&server, (&first, MAC), NEW), "", "now it is there");
    server.timeline(MAC);
    assert_eq!(named(&server, (&second, OTHER), OLD), "sip.ld", "and others follow");
}

#[test]
fn a_version_is_led_to_up_and_down_and_the_updater_in_between_is_named_the_same() {
    let maker = Maker::new();
    let mut server = stocked(&maker);
    stock(&mut server, &[Image::of("image_low", PART, "6.4.8.0")]);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    set_policy(&server, &json!({ "account": account, "target": "6.4.8.0" }));

    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld", "{:#?}", server.timeline(MAC));
    assert_eq!(ask(&server, &own, (&own_image(), OLD), &["--range", "0-99"]).status, 206);
    let updater = agent("6.4.8.1234", "Updater");
    let master = server.phone(Some(&own), &format!("/{MAC}.cfg"), &["--user-agent", &updater]);
    assert_eq!(crate::image_in(&master.text()), "sip.ld");
    let image = server.phone(Some(&own), &own_image(), &["--user-agent", &updater]);
    assert!(image.body == crate::content("image_low"));
    assert_eq!(named(&server, (&own, MAC), "6.4.8.0"), "");
    let timeline = server.timeline(MAC);
    assert!(has(&timeline, "It restarted: its updater 6.4.8.1234 asks"), "{timeline:#?}");
    assert!(has(&timeline, "It came back with 6.4.8.0."));

    set_policy(&server, &json!({ "account": account, "target": "6.4.2.1" }));
    assert_eq!(named(&server, (&own, MAC), "6.4.8.0"), "", "below the floor");
    assert!(has(&server.timeline(MAC), "6.4.2.1 is below 6.4.3"));
    let ladder = command(&server, &["firmware", "ladder", "vvx450", "--from", "6.4.8.0", "--to", NEW]);
    assert_eq!(ladder["items"][0]["version"], NEW, "{ladder}");
    let refused = command(&server, &["firmware", "ladder", "vvx450", "--from", "6.4.8.0", "--to", "6.4.2.1"]);
    assert!(refused["refused"].as_str().unwrap().contains("below"), "{refused}");
}

#[test]
fn a_freeze_ends_a_step_that_has_begun_and_no_policy_leads_whom_nobody_claimed() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let (own, other) = (maker.phone(MAC), maker.phone(OTHER));
    set_policy(&server, &json!({ "target": "newest" }));
    assert_eq!(named(&server, (&other, OTHER), OLD), "", "nobody claimed it, and it is not below the floor");
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    assert_eq!(ask(&server, &own, (&own_image(), OLD), &["--range", "0-9"]).status, 206);

    set_policy(&server, &json!({ "account": account, "target": "keep" }));

    assert_eq!(named(&server, (&own, MAC), OLD), "");
    assert_eq!(ask(&server, &own, (&own_image(), OLD), &[]).status, 404);
    assert!(has(&server.timeline(MAC), "is not offered any more: it is where it is to be"));
}

#[test]
fn a_phone_in_use_waits_while_its_pbx_cannot_be_asked_whether_it_is_in_a_call() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let own = in_use(&server, &maker, (&device, MAC));
    set_policy(&server, &json!({ "account": account }));
    // Nobody listens there.
    let pbx = json!({ "kind": "kamailio", "host": "127.0.0.1", "port": 1, "security": "plain", "inside": true });
    let added = server.done("POST", &format!("/accounts/{account}/connectors"), Some(&pbx));

    assert_eq!(named(&server, (&own, MAC), OLD), "");
    assert!(has(&server.timeline(MAC), "whether it is in a call could not be found out"));
    let told = server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert_eq!(told["state"], "due", "who only looks asks no PBX: {told}");

    let path = format!("/accounts/{account}/connectors/{}", added["id"].as_str().unwrap());
    server.done("DELETE", &path, None);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld", "without a PBX the phone itself decides when to restart");
}

#[test]
fn the_phones_own_upgrade_page_is_told_the_next_legal_version_and_whoever_chooses_it_needs_no_window() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let own = in_use(&server, &maker, (&device, MAC));
    let policy = set_policy(&server, &json!({ "site": site, "window": closed_window() }));
    let list = |running: &str| {
        let reply = ask(&server, &own, ("/phone-images.xml", running), &[]);
        assert_eq!(reply.status, 200);
        String::from_utf8(reply.body).unwrap()
    };
    let none = refusal(&server);
    let other = maker.phone(OTHER);
    let of_other = ask(&server, &other, ("/phone-images.xml", OLD), &[]);
    assert!(!String::from_utf8(of_other.body).unwrap().contains(NEW), "nobody claimed it");
    assert_eq!(without_date(&server.phone(None, "/phone-images.xml", &[])), none, "a stranger");
    assert_eq!(without_date(&ask(&server, &own, (&own_image(), OLD), &[])), none, "nothing was listed");

    let listed = list(OLD);
    assert!(listed.contains(&format!("<VERSION>{NEW}</VERSION>")) && listed.contains("/sip.ld</PATH>"), "{listed}");
    assert_eq!(listed.matches("<PHONE_IMAGE>").count(), 1, "{listed}");
    assert_eq!(named(&server, (&own, MAC), OLD), "", "the window is closed for the master file");
    let chosen = ask(&server, &own, (&own_image(), OLD), &[]);
    assert_eq!((chosen.status, chosen.body == content("image_new")), (200, true));
    assert!(has(&server.timeline(MAC), "Somebody chose 6.4.8.2 on the phone's own upgrade page"));
    assert_eq!(named(&server, (&own, MAC), NEW), "", "it is there");
    assert!(!list(NEW).contains("PHONE_IMAGE>\n"), "nothing is left to choose");

    let id = policy["id"].as_str().unwrap();
    command(&server, &["firmware", "pause", id, "--version", NEW, "--reason", "calls are cut"]);
    assert!(!list(OLD).contains(NEW), "a paused version is nobody's choice");
    set_policy(&server, &json!({ "site": site, "target": "keep" }));
    assert!(!list(OLD).contains(NEW), "nor is any where the policy keeps what runs");
}

#[test]
fn a_version_paused_for_the_whole_server_is_offered_nowhere_whichever_policy_is_nearer() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    let whole = set_policy(&server, &json!({}));
    let nearer = set_policy(&server, &json!({ "site": site, "target": "6.4.8.9", "after-ring": "nobody" }));
    let remarks = nearer["remarks"].to_string();
    assert!(remarks.contains("No image of 6.4.8.9 is stored") && remarks.contains("ring nobody"), "{nearer}");
    let nearer = set_policy(&server, &json!({ "site": site, "target": NEW }));
    assert!(nearer["remarks"].is_null(), "{nearer}");
    let id = whole["id"].as_str().unwrap();
    let refused = server.cli(&["firmware", "resume", id, "--version", NEW, "--reason", "go on"]);
    assert!(refused.code == 1 && refused.err.contains("6.4.8.2 is not paused under this policy"), "{}", refused.err);

    command(&server, &["firmware", "pause", id, "--version", NEW, "--reason", "calls are cut"]);
    assert_eq!(named(&server, (&own, MAC), OLD), "");
    assert!(has(&server.timeline(MAC), "paused"));
    command(&server, &["firmware", "resume", id, "--version", NEW, "--reason", "it was the switch"]);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
}
