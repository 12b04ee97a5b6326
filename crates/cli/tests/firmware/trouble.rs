//! Power cuts, and what somebody does to the folder behind the server's back.

use crate::files::{Files, OF_350, OF_450, bytes};
use crate::{images, path, server, stored, until, upload};
use provost_testkit::{Reply, TestServer};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

#[test]
fn a_power_cut_while_a_file_comes_in_leaves_nothing_half_stored() {
    let (mut server, files) = (server(), Files::new());
    let zip = files.release();
    let url = format!("{}/api/v1/firmware/images?name=images.zip", server.address("console"));
    let bearer = format!("Authorization: Bearer {}", server.token());
    let mut curl = Command::new("curl")
        .args(["--silent", "--limit-rate", "100K", "--request", "POST", "--header", &bearer])
        .args(["--upload-file", path(&zip), &url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("something came in", || {
        let folder = fs::read_dir(server.data().join("firmware")).unwrap();
        let parts = folder.map(|entry| entry.unwrap()).filter(|entry| entry.file_name() != "lock");
        let mut sizes = parts.map(|entry| entry.metadata().map_or(0, |found| found.len()));
        sizes.any(|bytes| bytes > 0).then_some(())
    });

    server.kill();

    let _ = curl.wait();
    assert_eq!(stored(&server).len(), 1, "the half");
    server.power_on();
    crate::nothing_is_kept(&server);
    assert_eq!(upload(&server, server.token(), &zip, "").status, 201);
    assert_eq!(stored(&server).len(), 2);
}

#[test]
fn a_sender_who_hangs_up_leaves_nothing_either() {
    let (server, files) = (server(), Files::new());
    let zip = files.release();
    let url = format!("{}/api/v1/firmware/images?name=images.zip", server.address("console"));
    let bearer = format!("Authorization: Bearer {}", server.token());
    let cut = Command::new("curl")
        .args(["--silent", "--limit-rate", "200K", "--max-time", "1", "--request", "POST", "--header", &bearer])
        .args(["--upload-file", path(&zip), &url])
        .status()
        .unwrap();
    assert!(!cut.success());

    until("its half is gone", || stored(&server).is_empty().then_some(()));
    crate::nothing_is_kept(&server);
}

/// A server with one image, and its file.
fn with_image() -> (TestServer, Files, PathBuf) {
    let (server, files) = (server(), Files::new());
    let image = files.file(OF_450, &bytes(1));
    assert_eq!(upload(&server, server.token(), &image, "&version=6.4.8.1234").status, 201);
    let object = server.data().join("firmware").join(&stored(&server)[0]);
    (server, files, object)
}

fn broken(server: &TestServer) -> Value {
    until("the image is broken", || images(server).pop().filter(|image| image["state"] == "broken"))
}

fn open_alarms(server: &TestServer) -> Vec<Value> {
    let all = server.done("GET", "/alarms", None);
    let all = all["items"].as_array().unwrap().iter();
    all.filter(|alarm| alarm["kind"] == "firmware-image-broken" && alarm["ended-at"].is_null()).cloned().collect()
}

#[test]
fn an_image_that_vanished_is_said_to_be_broken_and_is_whole_again_when_it_is_uploaded_again() {
    let (mut server, files, object) = with_image();
    let id = images(&server)[0]["id"].clone();
    fs::remove_file(&object).unwrap();
    server.kill();
    server.power_on();

    let image = broken(&server);

    let problem = image["problem"].as_str().unwrap();
    assert!(problem.contains("is gone") && problem.contains("upload the image again"), "{problem}");
    let alarms = until("there is an alarm", || Some(open_alarms(&server)).filter(|alarms| !alarms.is_empty()));
    assert!(alarms[0]["sentence"].as_str().unwrap().contains("6.4.8.1234 is not served any more"), "{alarms:?}");
    let again = upload(&server, server.token(), &files.file(OF_450, &bytes(1)), "&version=6.4.8.1234");
    assert_eq!((again.status, &again.json()["already"]), (200, &json!(1)), "{}", again.text());
    let whole = images(&server).pop().unwrap();
    assert_eq!((&whole["state"], &whole["id"]), (&json!("ok"), &id));
    assert!(object.exists());
    assert_eq!(open_alarms(&server), Vec::<Value>::new());
}

#[test]
fn an_image_whose_bytes_changed_is_said_to_be_broken_with_expected_and_found_and_is_whole_when_they_are_put_back() {
    let (mut server, _files, object) = with_image();
    let expected = images(&server)[0]["sha256"].as_str().unwrap().to_owned();
    let mut other = bytes(1);
    other[1000] ^= 1;
    fs::write(&object, &other).unwrap();
    server.kill();
    server.power_on();

    let problem = broken(&server)["problem"].as_str().unwrap().to_owned();

    assert!(problem.contains(&expected) && problem.contains("has the SHA-256"), "{problem}");
    until("there is an alarm", || (!open_alarms(&server).is_empty()).then_some(()));
    fs::write(&object, bytes(1)).unwrap();
    server.kill();
    server.power_on();
    until("it is whole", || images(&server).pop().filter(|image| image["state"] == "ok"));
    until("the alarm ended", || open_alarms(&server).is_empty().then_some(()));
}

#[test]
fn an_image_that_is_whole_again_ends_the_alarm_about_another_of_the_same_bytes() {
    let (mut server, files, object) = with_image();
    let twin = files.file(OF_350, &bytes(1));
    assert_eq!(upload(&server, server.token(), &twin, "&version=6.4.8.1234").status, 201);
    fs::remove_file(&object).unwrap();
    server.kill();
    server.power_on();
    until("there is an alarm", || (!open_alarms(&server).is_empty()).then_some(()));

    let again = upload(&server, server.token(), &twin, "&version=6.4.8.1234");

    assert_eq!((again.status, &again.json()["already"]), (200, &json!(1)), "{}", again.text());
    assert!(images(&server).iter().all(|image| image["state"] == "ok"));
    assert_eq!(open_alarms(&server), Vec::<Value>::new());
}

#[test]
fn a_file_that_changed_is_healed_by_an_upload_before_anybody_looked_at_it() {
    let (server, files, object) = with_image();
    assert_eq!(images(&server)[0]["state"], "ok");
    fs::write(&object, b"something else").unwrap();

    let again = upload(&server, server.token(), &files.file(OF_450, &bytes(1)), "&version=6.4.8.1234");

    assert_eq!((again.status, &again.json()["already"]), (200, &json!(1)), "{}", again.text());
    assert_eq!(fs::read(&object).unwrap(), bytes(1));
}

#[test]
fn who_sees_one_account_sees_that_an_image_is_broken_and_no_name_of_a_file() {
    let (mut server, _files, object) = with_image();
    let (account, _) = server.site();
    let body = json!({ "role": "read-only", "account": account });
    let token = server.done("POST", "/tokens", Some(&body))["token"].as_str().unwrap().to_owned();
    fs::remove_file(&object).unwrap();
    server.kill();
    server.power_on();
    assert_eq!(broken(&server)["source"], OF_450);

    let url = format!("{}/api/v1/firmware/images", server.address("console"));
    let seen = Reply::of(&["--header", &format!("Authorization: Bearer {token}"), &url]);

    let image = &seen.json()["items"][0];
    assert_eq!(image["state"], "broken", "{}", seen.text());
    assert!(image["source"].is_null() && image["problem"].is_null(), "{}", seen.text());
}
