//! What is broken stops the start, with every error and its line.

use crate::provost;
use provost_testkit::{Maker, ServerSetup, TestServer};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn check(files: &[(&str, &str)]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let config = folder.path().join("provost.toml");
    let config = config.to_str().unwrap();
    let checked = provost().run(&["check", "--config", config]);
    let served = provost().run(&["serve", "--config", config]);
    assert_eq!((checked.code, &checked.err), (served.code, &served.err), "check says what serve says");
    (checked.code, checked.err)
}

#[test]
fn a_broken_configuration_stops_the_start_with_every_error_and_its_line() {
    let text = "data-dir = 7\npublik-url = \"https://x\"\n\n[listen]\nconsole = \"0.0.0.0:8081\"\nsntp = \"nowhere\"\n";

    let (code, err) = check(&[("provost.toml", text)]);

    assert_eq!(code, 78);
    for line in ["provost.toml:1:", "provost.toml:2:", "provost.toml:5:", "provost.toml:6:"] {
        assert!(err.contains(line), "{line} is missing in:\n{err}");
    }
}

#[test]
fn a_broken_catalog_stops_the_start_with_every_error_and_its_line() {
    let overlay = "[[model]]\nid = \"VVX 9\"\n\n[[nonsense]]\n";

    let (code, err) = check(&[("provost.toml", "catalog-dir = \"overlay\"\n"), ("overlay/mine.toml", overlay)]);

    assert_eq!(code, 78);
    assert!(err.contains("mine.toml:2:") || err.contains("mine.toml:1:"), "{err}");
    assert!(err.contains("mine.toml:4:"), "{err}");
}

#[test]
fn broken_certificates_stop_the_start_and_name_their_files() {
    let config = "[tls]\ncertificate = [\"a.crt\", \"missing.crt\"]\nkey = [\"a.key\", \"missing.key\"]\n";

    let (code, err) = check(&[("provost.toml", config), ("a.crt", "no certificate"), ("a.key", "no key")]);

    assert_eq!(code, 78);
    for part in ["a.crt", "missing.crt", "missing.key", "provost.toml:2"] {
        assert!(err.contains(part), "{part} is missing in:\n{err}");
    }
}

#[test]
fn a_changed_authority_stops_the_start() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    server.stop();
    let folder = server.data().join("trust").join("maker");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(maker.bundle(), folder.join("foreign.pem")).unwrap();

    let served = server.cli(&["serve"]);

    assert_eq!(served.code, 78, "{}", served.err);
    assert!(served.err.contains("foreign.pem"), "{}", served.err);
}

#[test]
fn a_lost_key_or_another_key_stops_the_start() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    server.stop();
    let key = server.data().join("secret.key");
    let kept = fs::read(&key).unwrap();

    fs::remove_file(&key).unwrap();
    let lost = server.cli(&["serve"]);
    let write = |text: &[u8]| {
        fs::write(&key, text).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("0".repeat(64).as_bytes());
    let other = server.cli(&["serve"]);
    write(b"short");
    let broken = server.cli(&["serve"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let open = server.cli(&["serve"]);

    assert_eq!((lost.code, other.code, broken.code), (78, 78, 78));
    assert!(lost.err.contains("put the key file back"), "{}", lost.err);
    assert!(other.err.contains("was encrypted with the key"), "{}", other.err);
    assert!(broken.err.contains("64 hexadecimal digits"), "{}", broken.err);
    assert!(open.code == 78 && open.err.contains("chmod 600"), "{}", open.err);
    write(&kept);
    server.power_on();
}

#[test]
fn one_folder_has_one_server_and_the_second_names_the_first() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);

    let second = server.cli(&["serve"]);

    assert_eq!(second.code, 1);
    assert!(second.err.contains(&server.pid().to_string()), "{}", second.err);
}

#[test]
fn a_term_signal_ends_the_server_cleanly() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);

    assert_eq!(server.stop(), Some(0), "{}", server.log());
    assert!(!server.data().join("control.sock").exists());
}

#[test]
fn the_data_folder_is_its_owners_alone() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let mode = |name: &str| fs::metadata(server.data().join(name)).unwrap().permissions().mode() & 0o777;

    assert_eq!(mode(""), 0o700);
    for private in ["secret.key", "control.sock", "server/root.key", "server/rsa.key"] {
        assert_eq!(mode(private), 0o600, "{private}");
    }
}

#[test]
fn an_operators_own_certificate_is_served() {
    let maker = Maker::new();
    let folder = tempfile::tempdir().unwrap();
    let pair = maker.signed("127.0.0.1");
    let sections = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", pair.chain, pair.key);
    let server = TestServer::start_with(&provost(), &maker, &ServerSetup { top: String::new(), sections });

    let url = format!("https://{}/", server.address("phones_https"));
    let shown = folder.path().join("shown.txt");
    let reply = provost_testkit::Reply::of(&["--insecure", "--verbose", "--stderr", shown.to_str().unwrap(), &url]);

    assert_eq!(reply.status, 404);
    let shown = fs::read_to_string(&shown).unwrap();
    assert!(shown.contains("issuer: CN=Test Maker Equipment Issuing CA 1"), "{shown}");
    assert!(!server.data().join("server").exists(), "no authority of its own is made");
}
