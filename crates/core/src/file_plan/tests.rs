use super::*;
use proptest::prelude::*;

const OURS: &str = "0004f2a1b2c3";
const OTHERS: &str = "0004f2a1b2c4";

fn catalog() -> Catalog {
    Catalog::built_in().unwrap()
}

fn mac(text: &str) -> MacAddr {
    MacAddr::from_hex12(text).unwrap()
}

fn planned(standing: Standing, method: Method, path: &str) -> Plan {
    plan(mac(OURS), standing, method, &read_path(&catalog(), path))
}

fn stored(rest: &str) -> Plan {
    Plan::Stored { name: format!("{OURS}{rest}") }
}

fn kept(rest: &str, how: Upload) -> Plan {
    Plan::Keep { name: format!("{OURS}{rest}"), how }
}

fn image(name: &str) -> Plan {
    Plan::Image { name: name.to_owned() }
}

/// What a phone asks for, what it gets unclaimed and bound, and what becomes of its upload.
fn table() -> Vec<(&'static str, Plan, Plan, Plan)> {
    use Plan::{Directory, Master, NoSuchFile, Settings};
    let none = || NoSuchFile;
    let replaced = |rest| kept(rest, Upload::Replace);
    let appended = |rest| kept(rest, Upload::Append);
    vec![
        ("/0004f2a1b2c3.cfg", Master, Master, none()),
        ("/0004F2A1B2C3.cfg", Master, Master, none()),
        ("/000000000000.cfg", Master, Master, none()),
        ("/0004f2a1b2c3-provost.cfg", Settings, Settings, none()),
        ("/0004f2a1b2c3-phone.cfg", stored("-phone.cfg"), stored("-phone.cfg"), replaced("-phone.cfg")),
        ("/0004f2a1b2c3-web.cfg", stored("-web.cfg"), stored("-web.cfg"), replaced("-web.cfg")),
        ("/0004F2A1B2C3-calls.xml", stored("-calls.xml"), stored("-calls.xml"), replaced("-calls.xml")),
        ("/0004f2a1b2c3-directory.xml", stored("-directory.xml"), Directory, replaced("-directory.xml")),
        ("/0004f2a1b2c3-app.log", stored("-app.log"), stored("-app.log"), appended("-app.log")),
        ("/0004f2a1b2c3-boot.log", stored("-boot.log"), stored("-boot.log"), appended("-boot.log")),
        ("/0004f2a1b2c3-license.cfg", none(), none(), none()),
        ("/0004f2a1b2c3-mb.cfg", none(), none(), none()),
        ("/000000000000-license.cfg", none(), none(), none()),
        ("/000000000000-directory.xml", none(), none(), none()),
        ("/3111-44500-001.sip.ld", image("3111-44500-001.sip.ld"), image("3111-44500-001.sip.ld"), none()),
        (
            "/3111-44500-001.3111-44500-001.sip.ld",
            image("3111-44500-001.3111-44500-001.sip.ld"),
            image("3111-44500-001.3111-44500-001.sip.ld"),
            none(),
        ),
        ("/sip.ld", image("sip.ld"), image("sip.ld"), none()),
        ("/languages/Website_dictionary_language_en-us.xml", none(), none(), none()),
        ("/SoundPointIPLocalization/German_Germany/SoundPointIP-dictionary.xml", none(), none(), none()),
    ]
}

#[test]
fn each_file_is_answered_by_role_standing_and_method() {
    for (path, unclaimed, bound, put) in table() {
        assert_eq!(planned(Standing::Unclaimed, Method::Read, path), unclaimed, "unclaimed reads {path}");
        assert_eq!(planned(Standing::Bound, Method::Read, path), bound, "bound reads {path}");
        assert_eq!(planned(Standing::Unclaimed, Method::Put, path), put, "unclaimed puts {path}");
        assert_eq!(planned(Standing::Bound, Method::Put, path), put, "bound puts {path}");
    }
}

#[test]
fn a_barred_phone_gets_nothing_at_all() {
    for (path, ..) in table() {
        for method in [Method::Read, Method::Put] {
            assert_eq!(planned(Standing::Barred, method, path), Plan::Refuse(Refusal::Barred), "{method:?} {path}");
        }
    }
}

#[test]
fn another_phones_file_is_refused_before_anything_else_is_looked_at() {
    for (path, ..) in table().iter().filter(|(path, ..)| path.to_ascii_lowercase().contains(OURS)) {
        let theirs = path.to_ascii_lowercase().replace(OURS, OTHERS);
        for standing in [Standing::Unclaimed, Standing::Bound, Standing::Barred] {
            for method in [Method::Read, Method::Put] {
                let wanted = Plan::Refuse(Refusal::OtherPhone(mac(OTHERS)));
                assert_eq!(planned(standing, method, &theirs), wanted, "{standing:?} {method:?} {theirs}");
                assert_eq!(
                    planned(standing, method, &theirs.to_uppercase().replace(".CFG", ".cfg")),
                    wanted,
                    "{theirs}"
                );
            }
        }
    }
}

#[test]
fn what_no_phone_asks_for_is_refused() {
    for path in
        ["/", "", "/index.html", "/.git/config", "/../0004f2a1b2c3.cfg", "/a\\b.ld", "/%2e%2e", "/\u{0}.ld", "/é.ld"]
    {
        for standing in [Standing::Unclaimed, Standing::Bound] {
            let refused = Plan::Refuse(Refusal::NotAPhoneFile);
            assert_eq!(planned(standing, Method::Read, path), refused, "{path:?}");
            assert_eq!(planned(standing, Method::Put, path), refused, "{path:?}");
        }
    }
}

#[test]
fn twelve_zeros_name_no_phone() {
    for path in ["/000000000000.cfg", "/000000000000-provost.cfg", "/000000000000-phone.cfg", "/000000000000-app.log"] {
        let asked = read_path(&catalog(), path);
        assert_eq!(asked.mac, None, "{path}");
        assert!(!matches!(plan(mac(OURS), Standing::Bound, Method::Put, &asked), Plan::Keep { .. }), "{path}");
    }
    // The certificate decides whose parameter file it is.
    assert_eq!(planned(Standing::Bound, Method::Read, "/000000000000-provost.cfg"), Plan::Settings);
}

#[test]
fn the_parameter_files_name_is_read_in_either_case() {
    let name = settings_name(mac(OURS));
    for path in [format!("/{name}"), name.to_uppercase(), format!("/{}", name.replace("provost", "Provost"))] {
        assert_eq!(read_path(&catalog(), &path), Asked { mac: Some(mac(OURS)), kind: Kind::Settings }, "{path}");
    }
}

#[test]
fn the_reason_for_a_stranger_is_said_by_transport_first() {
    let invalid = Verdict {
        status: crate::identity::CertificateStatus::Invalid,
        reason: Some("its issuer `X` is no known phone maker's authority".to_owned()),
        ..Verdict::none_presented()
    };

    assert_eq!(stranger_reason(Transport::Plain, &invalid), "it asked over plain HTTP, which proves nothing");
    assert_eq!(stranger_reason(Transport::Tls, &invalid), "its issuer `X` is no known phone maker's authority");
    assert_eq!(stranger_reason(Transport::Tls, &Verdict::none_presented()), "it presented no certificate");
}

proptest! {
    #[test]
    fn no_path_panics_and_none_that_names_another_phone_is_answered(path in any::<String>(), rest in "[ -~]{0,20}") {
        let catalog = catalog();
        for path in [path, format!("/{OTHERS}-{rest}"), format!("/x/{OTHERS}.{rest}")] {
            let asked = read_path(&catalog, &path);
            for standing in [Standing::Unclaimed, Standing::Bound, Standing::Barred] {
                for method in [Method::Read, Method::Put] {
                    let planned = plan(mac(OURS), standing, method, &asked);
                    if asked.mac.is_some_and(|named| named != mac(OURS)) {
                        prop_assert!(matches!(planned, Plan::Refuse(Refusal::OtherPhone(_))));
                    }
                    if let Plan::Keep { name, .. } | Plan::Stored { name } = planned {
                        prop_assert!(name.starts_with(OURS) && !name.contains('/'), "{}", name);
                    }
                }
            }
        }
    }
}
