//! The image of a step: named while the step is due, given to its phone alone, whole, in parts, or not to its end.

use crate::{
    MAC, NEW, OLD, OTHER, PART, ask, content, declines, device_for, has, in_use, named, own_image, refusal, set_policy,
    stocked, without_date,
};
use provost_testkit::Maker;
use serde_json::json;

#[test]
fn an_image_is_named_and_given_only_to_the_phone_of_a_step_that_is_due() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let (own, other) = (maker.phone(MAC), maker.phone(OTHER));
    let none = refusal(&server);

    assert_eq!(without_date(&ask(&server, &own, (&own_image(), OLD), &[])), none, "no step was offered yet");
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld", "claimed just now, so nobody uses it");
    assert_eq!(named(&server, (&other, OTHER), OLD), "", "nobody claimed it, and it is not below the floor");
    assert_eq!(without_date(&ask(&server, &other, (&own_image(), OLD), &[])), none);
    assert_eq!(without_date(&server.phone(None, &own_image(), &[])), none, "a stranger");

    let whole = ask(&server, &own, (&own_image(), OLD), &[]);
    assert_eq!((whole.status, whole.body == content("image_new")), (200, true));
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    assert_eq!(named(&server, (&own, MAC), NEW), "", "it is there");
    assert_eq!(without_date(&ask(&server, &own, (&own_image(), NEW), &[])), none, "the step is over");

    let timeline = server.timeline(MAC);
    for words in [
        &format!("from {OLD} to {NEW}: its master file names the image sip.ld (this is the last step)"),
        "nobody uses it yet",
        "Asked for a firmware image",
        "It has 50 % of the image",
        "The whole image 6.4.8.2 was sent",
        "It came back with 6.4.8.2.",
    ] {
        assert!(has(&timeline, words), "{words} is missing in {timeline:#?}");
    }
    let told = server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert_eq!((&told["state"], &told["runs"], &told["target"]), (&json!("there"), &json!(NEW), &json!("newest")));
    assert_eq!(told["attempts"][0]["state"], "done", "{told}");
    let spread = server.done("GET", "/firmware/spread", None);
    assert_eq!(spread["items"].as_array().unwrap().len(), 2, "{spread}");
}

#[test]
fn parts_sizes_and_early_ends_are_as_http_says() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    let (bytes, path) = (content("image_new"), own_image());
    let get = |more: &[&str]| ask(&server, &own, (&path, OLD), more);

    let head = get(&["--head"]);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("700001"), 0));
    let tag = head.header("etag").unwrap().to_owned();
    let part = get(&["--range", "300000-300009"]);
    assert_eq!((part.status, part.body.as_slice()), (206, &bytes[300_000..300_010]));
    assert_eq!(part.header("content-range"), Some("bytes 300000-300009/700001"));
    assert_eq!(get(&["--range", "-7"]).body, bytes[699_994..]);
    assert_eq!(get(&["--range", "700001-"]).status, 416);
    let of_other = ["--range", "0-9", "--header", "If-Range: \"other\""];
    assert_eq!(get(&of_other).body.len(), bytes.len(), "another image than was meant is sent whole");
    let of_this = format!("If-Range: {tag}");
    assert_eq!(get(&["--range", "0-9", "--header", &of_this]).status, 206);
    assert_eq!(get(&["--request", "PUT", "--data", "x"]).status, 404);
    assert_eq!(ask(&server, &own, ("/sip.ld", OLD), &[]).body, bytes, "the name without a part is asked for last");

    // A phone that looks at the beginning only.
    let early = get(&["--max-filesize", "1000"]);
    assert_ne!(early.body.len(), bytes.len());
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld", "the image stays the one of its step");
}

#[test]
fn a_phone_that_shows_to_be_another_part_gets_nothing_under_any_name() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");

    let none = refusal(&server);
    assert_eq!(without_date(&ask(&server, &own, ("/3111-48840-002.sip.ld", OLD), &[])), none);
    assert_eq!(without_date(&ask(&server, &own, ("/sip.ld", OLD), &[])), none, "nor the other way");
    assert!(has(&server.timeline(MAC), "asked for the image of part 3111-48840-002"));
    assert_ne!(PART, "3111-48840-002");
}

#[test]
fn a_phone_that_comes_back_as_it_was_is_tried_three_times_and_then_left() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);

    for _ in 0..3 {
        assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
        declines(&server, (&own, MAC));
        set_policy(&server, &json!({ "account": account }));
    }
    assert_eq!(named(&server, (&own, MAC), OLD), "");

    let timeline = server.timeline(MAC);
    for words in ["(failed, 1 of 3).", "(failed, 2 of 3).", "(failed, 3 of 3: given up).", "it is not tried again"] {
        assert!(has(&timeline, words), "{words} is missing in {timeline:#?}");
    }
    let told = server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert_eq!(told["state"], "given-up", "{told}");
    let failed = server.done("GET", "/firmware/steps?state=failed", None);
    assert_eq!(failed["items"].as_array().unwrap().len(), 3);

    let now = server.done("POST", &format!("/devices/{device}/firmware/now"), Some(&json!({ "reason": "mended" })));
    assert!(now["summary"].as_str().unwrap().contains("could not be told to ask now"), "{now}");
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld", "somebody wants it tried again");
}

#[test]
fn a_step_outlives_a_power_cut_of_the_server() {
    let maker = Maker::new();
    let mut server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    let step = server.sql("SELECT id FROM firmware_steps");

    server.kill();
    server.power_on();

    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    assert_eq!(ask(&server, &own, (&own_image(), OLD), &[]).status, 200);
    // A phone whose own power fails then starts over with its master file.
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    assert_eq!(server.sql("SELECT id FROM firmware_steps"), step, "it is the same step");
}

#[test]
fn only_what_left_from_the_first_byte_to_the_last_is_a_whole_image() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    let state = || server.sql("SELECT state FROM firmware_steps");
    let get = |range: &str| ask(&server, &own, (&own_image(), OLD), &["--range", range]).status;

    assert_eq!((get("-1"), get("300000-")), (206, 206));
    assert_eq!(ask(&server, &own, (&format!("/{MAC}-provost.cfg"), OLD), &[]).status, 200);
    assert_eq!((state().as_str(), named(&server, (&own, MAC), OLD).as_str()), ("loading", "sip.ld"));
    assert_eq!((get("0-299999"), get("300000-")), (206, 206));
    assert_eq!(state(), "sent", "one part after the other");
}

#[test]
fn a_phone_that_asks_without_end_fills_no_timeline_and_is_not_waited_for_without_end() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");

    for _ in 0..20 {
        ask(&server, &own, (&own_image(), OLD), &["--range", "0-399999"]);
    }
    server.timeline(MAC);
    let told: u32 = server.sql("SELECT COUNT(*) FROM events WHERE kind = 'firmware'").parse().unwrap();
    assert!(told <= 4, "offered, 25 %, 50 %, closed early: {:#?}", server.timeline(MAC));
    assert_eq!(server.sql("SELECT tries FROM firmware_steps"), "1", "within a minute");

    // Four more starts in which it looked at the beginning.
    server.sql("UPDATE firmware_steps SET tries = 5");
    set_policy(&server, &json!({ "account": account, "target": "keep" }));
    assert_eq!(named(&server, (&own, MAC), OLD), "");
    assert!(has(
        &server.timeline(MAC),
        "it asked for the image 6.4.8.2 in 5 starts and never took the whole (failed, 1"
    ));
}

#[test]
fn what_a_phone_did_with_its_image_is_known_after_a_power_cut_of_the_server() {
    let maker = Maker::new();
    let mut server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    declines(&server, (&own, MAC));

    server.kill();
    server.power_on();

    named(&server, (&own, MAC), OLD);
    assert!(has(&server.timeline(MAC), "although the whole image 6.4.8.2 was sent (failed, 1 of 3)"));
}

#[test]
fn an_image_of_a_part_is_given_by_its_part_first_and_only_while_the_phone_is_heard_of() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    device_for(&server, (&account, &site), ("1001", MAC));
    let own = maker.phone(MAC);
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    let get = |path: &str| ask(&server, &own, (path, OLD), &["--range", "0-9"]).status;

    assert_eq!((get("/sip.ld"), get(&own_image()), get("/sip.ld")), (404, 206, 206));
    server.sql("UPDATE firmware_steps SET touched_ms = touched_ms - 1800000");
    assert_eq!(get(&own_image()), 404, "its slot may be another's");
    assert_eq!(named(&server, (&own, MAC), OLD), "sip.ld");
    assert_eq!(get(&own_image()), 206);
}

#[test]
fn a_claimed_phone_below_the_floor_says_so_beside_its_line_and_a_better_one_does_not() {
    let maker = Maker::new();
    let server = stocked(&maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let own = in_use(&server, &maker, (&device, MAC));
    let label = |running: &str| {
        let reply = ask(&server, &own, (&format!("/{MAC}-provost.cfg"), running), &[]);
        let text = String::from_utf8(reply.body).unwrap();
        text.split("reg.1.label=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
    };

    assert_eq!(label("6.4.2.3008"), "1001 Old firmware");
    assert_eq!(label(OLD), "1001");
}
