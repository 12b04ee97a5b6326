//! What comes in, is listed and goes.

use crate::files::{Files, OF_350, OF_450, OF_NOBODY, bytes, sha256};
use crate::{images, path, server, stored, upload};
use provost_testkit::Reply;
use serde_json::{Value, json};
use std::fs::File;

fn names(list: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_release_brings_every_known_image_in_it_says_what_it_left_out_and_comes_twice_as_once() {
    let (server, files) = (server(), Files::new());
    let zip = files.release();

    let done = server.cli(&["firmware", "upload", path(&zip), "--sha256", &sha256(&zip), "--json"]);

    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let answer: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(names(&answer["images"]), [OF_350, OF_450]);
    assert_eq!((&answer["added"], &answer["already"], &answer["left-out-count"]), (&json!(2), &json!(0), &json!(4)));
    let left_out = answer["left-out"].to_string();
    assert!(
        left_out.contains(OF_NOBODY) && left_out.contains("part 9999-99999-999 is not in the catalog"),
        "{left_out}"
    );
    for image in images(&server) {
        assert_eq!(
            (&image["version"], &image["kind"], &image["state"]),
            (&json!("6.4.8.1234"), &json!("application"), &json!("ok"))
        );
        assert_eq!(image["put-by"], "control socket");
    }
    let of_450 = server.done("GET", "/firmware/images?model=vvx450", None);
    assert_eq!(names(&of_450["items"]), [OF_450]);
    assert_eq!(of_450["items"][0]["models"], json!(["VVX 450"]));
    assert_eq!(of_450["items"][0]["sha256"].as_str().unwrap(), sha256(&files.file("one", &bytes(1))));

    let again = upload(&server, server.token(), &zip, "");

    assert_eq!((again.status, &again.json()["already"]), (200, &json!(2)), "{}", again.text());
    assert_eq!((images(&server).len(), stored(&server).len()), (2, 2));
    let audit = server.done("GET", "/audit", None).to_string();
    assert_eq!(audit.matches("uploaded the firmware file").count(), 1, "{audit}");
}

#[test]
fn one_image_comes_in_by_its_name_and_a_version_and_goes_for_a_reason() {
    let (server, files) = (server(), Files::new());
    let image = files.file(OF_450, &bytes(1));
    let unsaid = upload(&server, server.token(), &image, "");
    assert_eq!((unsaid.status, &unsaid.json()["code"]), (409, &json!("not-an-image")), "{}", unsaid.text());
    assert!(unsaid.text().contains("--version"), "{}", unsaid.text());

    let done = upload(&server, server.token(), &image, "&version=6.4.8.1234&updater=6.4.8.99");

    assert_eq!(done.status, 201, "{}", done.text());
    let view = &done.json()["images"][0];
    assert_eq!((&view["updater"], &view["bytes"]), (&json!("6.4.8.99"), &json!(bytes(1).len())));
    let other = files.file(OF_450, &bytes(9));
    let other = upload(&server, server.token(), &other, "&version=6.4.8.1234");
    assert_eq!((other.status, &other.json()["code"]), (409, &json!("exists")), "{}", other.text());
    assert!(other.text().contains("remove it first"), "{}", other.text());
    let id = view["id"].as_str().unwrap();
    let silent = server.api("DELETE", &format!("/firmware/images/{id}"), None);
    assert_eq!(silent.status, 422, "{}", silent.text());

    let removed = server.cli(&["firmware", "remove", id, "--reason", "wrong release"]);

    assert_eq!(removed.code, 0, "{}", removed.err);
    crate::nothing_is_kept(&server);
    let audit = server.done("GET", "/audit", None);
    assert_eq!(audit["items"][0]["why"], "wrong release", "{audit}");
    assert_eq!(server.api("GET", &format!("/firmware/images/{id}"), None).status, 404);
}

#[test]
fn only_who_runs_the_server_changes_the_store_and_whoever_reads_sees_what_is_there() {
    let (server, files) = (server(), Files::new());
    let (account, _) = server.site();
    let image = files.file(OF_450, &bytes(1));
    assert_eq!(upload(&server, server.token(), &image, "&version=6.4.8.1234").status, 201);
    let id = images(&server)[0]["id"].as_str().unwrap().to_owned();
    for (role, body) in [
        ("administrator", json!({ "role": "administrator" })),
        ("owner of an account", json!({ "role": "owner", "account": account })),
        ("read-only", json!({ "role": "read-only", "account": account })),
    ] {
        let token = server.done("POST", "/tokens", Some(&body))["token"].as_str().unwrap().to_owned();

        let refused = upload(&server, &token, &image, "&version=6.4.9.1");

        assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("forbidden")), "{role}: {}", refused.text());
        let url = format!("{}/api/v1/firmware/images", server.address("console"));
        let bearer = format!("Authorization: Bearer {token}");
        let removed = Reply::of(&["--request", "DELETE", "--header", &bearer, &format!("{url}/{id}?reason=x")]);
        assert_eq!(removed.status, 403, "{role}: {}", removed.text());
        let seen = Reply::of(&["--header", &bearer, &url]);
        assert_eq!(seen.json()["items"][0]["id"], json!(id), "{role}");
        let whose = &seen.json()["items"][0]["put-by"];
        assert_eq!(whose.is_null(), role != "administrator", "{role}: {whose}");
    }
    assert_eq!(images(&server).len(), 1);
}

#[test]
fn three_hundred_megabytes_stream_through_in_little_memory() {
    let (server, files) = (server(), Files::new());
    let image = files.file(OF_450, b"");
    File::options().write(true).open(&image).unwrap().set_len(300 * 1024 * 1024).unwrap();
    // What a server holds after its first request.
    assert!(images(&server).is_empty());
    let before = server.resident_kb();

    let done = upload(&server, server.token(), &image, "&version=6.4.8.1234");

    assert_eq!(done.status, 201, "{}", done.text());
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < before + 48 * 1024, "{before} kB before, {peak} kB at most");
}
