//! The keys by which Provost gets its certificate by itself.

use std::path::PathBuf;

use super::{accepted, read_with, refused};

const TOP: &str = "public-url = \"https://phones.example.com\"\n[tls]\n";
const DIRECTORY: &str = "acme-directory = \"https://acme.example/directory\"\n";

#[test]
fn a_directory_is_enough_and_its_names_are_the_public_urls() {
    let acme = accepted(&format!("{TOP}{DIRECTORY}")).tls.acme.unwrap();

    assert_eq!(acme.directory.as_str(), "https://acme.example/directory");
    assert_eq!(acme.names, ["phones.example.com"]);
    assert_eq!(acme.place.to_string(), "provost.toml:3");
    assert_eq!((acme.contact, acme.authority), (None, None));
    assert_eq!(accepted(TOP).tls.acme, None);
    let full = format!("{TOP}{DIRECTORY}acme-contact = \"mailto:a@example.com\"\nacme-authority = \"root.pem\"");
    let acme = accepted(&full).tls.acme.unwrap();
    assert_eq!(acme.contact.as_deref(), Some("mailto:a@example.com"));
    assert_eq!(acme.authority, Some(PathBuf::from("/etc/provost/root.pem")));
}

#[test]
fn while_phones_move_the_certificates_are_for_both_names() {
    let names = |former: &str| {
        let top = format!("public-url = [\"https://new.example.com\", \"https://{former}\"]\n[tls]\n");
        accepted(&format!("{top}{DIRECTORY}")).tls.acme.unwrap().names
    };

    assert_eq!(names("old.example.com"), ["new.example.com", "old.example.com"]);
    assert_eq!(names("new.example.com:8443"), ["new.example.com"]);
}

#[test]
fn a_directory_is_refused_where_it_could_not_work() {
    let needs = |text: &str| {
        let lines = refused(text);
        assert_eq!(lines.len(), 1, "{lines:#?}");
        lines[0].clone()
    };

    let no_name = "`tls.acme-directory`: needs a name to get a certificate for; write `public-url` with a DNS name";
    assert!(needs(&format!("[tls]\n{DIRECTORY}")).starts_with(&format!("provost.toml:2: {no_name}")));
    for address in ["192.0.2.7", "[2001:db8::7]"] {
        let line = needs(&format!("public-url = \"https://{address}\"\n[tls]\n{DIRECTORY}"));
        assert!(line.starts_with(&format!("provost.toml:3: {no_name}")), "{line}");
    }
    for address in ["192.0.2.7", "[2001:db8::7]"] {
        let top = format!("public-url = [\"https://new.example.com\", \"https://{address}\"]\n[tls]\n");
        let line = needs(&format!("{top}{DIRECTORY}"));
        assert!(
            line.starts_with("provost.toml:3: `tls.acme-directory`: the second `public-url` is an address"),
            "{line}"
        );
    }
    let beside = needs(&format!("{TOP}certificate = \"a\"\nkey = \"b\"\n{DIRECTORY}"));
    assert!(beside.starts_with("provost.toml:5: `tls.acme-directory`: a certificate is named as well"), "{beside}");
    let without_http = needs(&format!("{TOP}{DIRECTORY}[listen]\nphones-http = \"off\"\n"));
    assert!(without_http.contains("needs `listen.phones-http`"), "{without_http}");
}

#[test]
fn a_directory_or_contact_that_is_none_is_refused_without_showing_a_password() {
    for url in
        ["http://acme.example/", "acme.example", "https://user:hunter2@acme.example/", "https://a/#b", "file:///a"]
    {
        let lines = refused(&format!("{TOP}acme-directory = \"{url}\"\nacme-contact = \"mailto:a@example.com\""));

        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains("no address of an ACME directory") && !lines[0].contains("hunter2"), "{lines:#?}");
    }
    for contact in ["a@example.com", "mailto:", "mailto:a", "mailto:a@b,c@d", "tel:1", "mailto:a b@c"] {
        let lines = refused(&format!("{TOP}{DIRECTORY}acme-contact = \"{contact}\""));

        assert!(lines[0].contains("is no mail address"), "{lines:#?}");
    }
}

#[test]
fn the_other_two_keys_without_a_directory_are_warned_about() {
    let loaded = read_with(&format!("{TOP}acme-contact = \"mailto:a@example.com\"\nacme-authority = \"a\""), &[]);

    let warnings: Vec<String> = loaded.unwrap().warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(warnings[1].starts_with("provost.toml:4: `tls.acme-authority`: means nothing without"), "{warnings:#?}");
}
