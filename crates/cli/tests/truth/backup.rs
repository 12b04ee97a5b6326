//! A backup of a running server, and what holds after it was restored.

use crate::provost;
use provost_testkit::{Maker, TestServer};
use std::fs;

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const OURS: &str = "0004f2000001";
const LATER: &str = "0004f2000002";

fn master(server: &TestServer, maker: &Maker, mac: &str) -> u16 {
    server.phone(Some(&maker.phone(mac)), &format!("/{mac}.cfg"), AGENT).status
}

/// A server with a claimed phone and a device whose code is open.
fn scene() -> (Maker, TestServer, String, String) {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let claimed = server.device((&account, &site), "1001", "vvx500");
    assert_eq!(master(&server, &maker, OURS), 200);
    assert_eq!(server.activate(OURS, &server.code(&claimed)).status, 200);
    let open = server.device((&account, &site), "1002", "vvx500");
    let code = server.code(&open);
    (maker, server, claimed, code)
}

#[test]
fn a_backup_of_a_running_server_is_restored_and_says_what_it_voids() {
    let (maker, mut server, claimed, code) = scene();
    let file = server.data().join("backup.ndjson");
    let path = file.to_str().unwrap();

    let made = server.cli(&["backup", path]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.err.contains("key export"), "{}", made.err);
    let again = server.cli(&["backup", path]);
    assert_eq!(again.code, 64, "a backup is not written over another: {}", again.err);
    // Claimed after the backup was made: the restored data does not know it.
    assert_eq!(master(&server, &maker, LATER), 200);
    assert_eq!(server.activate(LATER, &code).status, 200);
    let text = fs::read_to_string(&file).unwrap();
    let key = fs::read_to_string(server.data().join("secret.key")).unwrap();
    assert!(!text.contains(key.trim()) && !text.contains(&code), "no key and no code in clear");

    let refused = server.cli(&["restore", path]);
    assert_eq!(refused.code, 1, "a running server is left alone: {}", refused.err);
    server.stop();
    let full = server.cli(&["restore", path]);
    assert!(full.code == 1 && full.err.contains("holds data already"), "{}", full.err);
    server.lose_database();
    let restored = server.cli(&["restore", path]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    assert!(restored.out.contains("1 open activation code"), "{}", restored.out);
    server.power_on();

    assert_eq!(server.done("GET", &format!("/devices/{claimed}"), None)["state"], "activated");
    assert_eq!(master(&server, &maker, OURS), 200, "{}", server.log());
    assert_eq!(master(&server, &maker, LATER), 503, "{}", server.log());
    assert_eq!(server.activate(LATER, &code).json()["code"], "code-replaced");
    let told = server.cli(&["restore", "--confirm"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert_eq!(master(&server, &maker, LATER), 200, "{}", server.log());
    let audit = server.done("GET", "/audit", None).to_string();
    assert!(audit.contains("restored a backup of") && audit.contains("confirmed the restore"), "{audit}");
}

#[test]
fn a_restore_without_its_key_or_of_a_damaged_file_touches_nothing() {
    let (_, mut server, _, _) = scene();
    let file = server.data().join("backup.ndjson");
    let path = file.to_str().unwrap();
    let exported = server.data().join("exported.key");
    assert_eq!(server.cli(&["key", "export", exported.to_str().unwrap()]).code, 0);
    let made = server.cli(&["backup", path]);
    assert!(made.code == 0 && !made.err.contains("key export"), "{}", made.err);
    server.stop();
    server.lose_database();
    let key = server.data().join("secret.key");
    let whole = fs::read_to_string(&file).unwrap();

    fs::remove_file(&key).unwrap();
    let keyless = server.cli(&["restore", path]);
    assert!(keyless.code == 78 && keyless.err.contains("is missing"), "{}", keyless.err);
    fs::copy(&exported, &key).unwrap();
    for damaged in [&whole[..whole.len() / 2], &whole.replacen("1001", "1003", 1)] {
        fs::write(&file, damaged).unwrap();
        let refused = server.cli(&["restore", path]);
        assert_eq!(refused.code, 1, "{}", refused.out);
    }
    fs::write(&file, &whole).unwrap();
    let restored = server.cli(&["restore", path]);
    assert_eq!(restored.code, 0, "nothing was made by those that failed: {}", restored.err);
}
