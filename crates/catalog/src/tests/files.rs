use super::catalog;
use crate::FileRole::{
    Calls, DefaultDirectory, DefaultMaster, Directory, Image, Language, License, Log, Master, Other, PhoneOverrides,
    WebOverrides,
};
use crate::{FileRole, Upload};
use proptest::prelude::*;

const SOUNDPOINT: [u8; 6] = [0x00, 0x04, 0xa1, 0x00, 0x00, 0x02];
const VVX: [u8; 6] = [0x00, 0x04, 0xf2, 0x00, 0x00, 0x04];

fn assert_roles(asked: &[(&str, FileRole, Option<[u8; 6]>)]) {
    let catalog = catalog();
    for (name, role, mac) in asked {
        let found = catalog.file(name).unwrap_or_else(|| panic!("{name} is unknown"));
        assert_eq!((found.role, found.mac), (*role, *mac), "{name}");
    }
}

#[test]
fn every_request_recorded_from_a_soundpoint_ip_550_has_its_role() {
    assert_roles(&[
        ("/0004a1000002.cfg", Master, Some(SOUNDPOINT)),
        ("/000000000000.cfg", DefaultMaster, None),
        ("/0004a1000002-user.cfg", Other, Some(SOUNDPOINT)),
        ("/0004a1000002-phone.cfg", PhoneOverrides, Some(SOUNDPOINT)),
        ("/0004a1000002-web.cfg", WebOverrides, Some(SOUNDPOINT)),
        ("/000000000000-license.cfg", License, None),
        ("/0004a1000002-app.log", Log, Some(SOUNDPOINT)),
        ("/0004a1000002-mb.cfg", Other, Some(SOUNDPOINT)),
        ("/0004a1000002-directory.xml", Directory, Some(SOUNDPOINT)),
        ("/2345-12500-001.sip.ld", Image, None),
        ("/languages/Website_dictionary_language_en-us.xml", Language, None),
        ("/SoundPointIPLocalization/German_Germany/SoundPointIP-dictionary.xml", Language, None),
    ]);
}

#[test]
fn every_request_recorded_from_a_vvx_500_has_its_role() {
    assert_roles(&[
        ("/0004f2000004-boot.log", Log, Some(VVX)),
        ("/0004f2000004.cfg", Master, Some(VVX)),
        ("/3111-44500-001.3111-44500-001.sip.ld", Image, None),
        ("/3111-44500-001.sip.ld", Image, None),
        ("/sip.ld", Image, None),
        ("/sip_59x.ld", Image, None),
        ("/0004f2000004-phone.cfg", PhoneOverrides, Some(VVX)),
        ("/0004f2000004-web.cfg", WebOverrides, Some(VVX)),
        ("/000000000000-license.cfg", License, None),
        ("/0004f2000004-license.cfg", License, Some(VVX)),
        ("/0004f2000004-calls.xml", Calls, Some(VVX)),
        ("/0004f2000004-directory.xml", Directory, Some(VVX)),
        ("/000000000000-directory.xml", DefaultDirectory, None),
        ("/0004f2000004-app.log", Log, Some(VVX)),
        ("/VVXLocalization/German_Germany/VVX-dictionary.xml", Language, None),
    ]);
}

#[test]
fn folders_before_a_name_change_nothing() {
    assert_roles(&[
        ("/logs/0004f2000004-app.log", Log, Some(VVX)),
        ("phoneconfigs/0004f2000004-phone.cfg", PhoneOverrides, Some(VVX)),
        ("0004f2000004.cfg", Master, Some(VVX)),
    ]);
}

#[test]
fn a_mac_in_capitals_is_the_same_file() {
    let found = catalog().file("/0004F2000004-Phone.cfg").unwrap();
    assert_eq!((found.role, found.name.as_str()), (Other, "0004f2000004-Phone.cfg"));

    let found = catalog().file("/64167F000001.cfg").unwrap();
    assert_eq!((found.role, found.name.as_str()), (Master, "64167f000001.cfg"));
    assert_eq!(found.mac, Some([0x64, 0x16, 0x7f, 0, 0, 1]));
}

#[test]
fn logs_are_appended_and_what_the_user_changed_is_replaced() {
    let catalog = catalog();
    let upload = |name: &str| catalog.file(name).unwrap().upload;

    assert_eq!(upload("0004f2000004-app.log"), Some(Upload::Append));
    assert_eq!(upload("0004f2000004-boot.log"), Some(Upload::Append));
    assert_eq!(upload("0004f2000004-phone.cfg"), Some(Upload::Replace));
    assert_eq!(upload("0004f2000004-web.cfg"), Some(Upload::Replace));
    assert_eq!(upload("0004f2000004-calls.xml"), Some(Upload::Replace));
    assert_eq!(upload("0004f2000004-directory.xml"), Some(Upload::Replace));
    assert_eq!(upload("0004f2000004.cfg"), None);
    assert_eq!(upload("0004f2000004-license.cfg"), None);
    assert_eq!(upload("sip.ld"), None);
    assert_eq!(upload("0004f2000004-user.cfg"), None);
}

#[test]
fn twelve_zeros_never_name_a_phone() {
    assert_roles(&[("000000000000-phone.cfg", Other, None), ("000000000000-app.log", Other, None)]);
}

#[test]
fn what_no_phone_asks_for_is_nothing() {
    for name in [
        "",
        "/",
        "index.html",
        "0004f2000004",
        "0004f200000g.cfg",
        "0004f20000045.cfg",
        "robots.txt",
        "/0004f2000004.cfg/",
        "../0004f2000004.cfg",
        "/./0004f2000004.cfg",
        "a\\0004f2000004.cfg",
        "0004f2000004-\r\n.cfg",
        "0004f2000004-é.cfg",
        "languages/Website.xml",
        "VVXLocalization/dictionary.xml",
    ] {
        assert_eq!(catalog().file(name), None, "{name:?}");
    }
}

proptest! {
    #[test]
    fn no_name_makes_the_matcher_panic(names in proptest::collection::vec(".*", 64)) {
        let catalog = catalog();
        for name in names {
            let _ = catalog.file(&name);
        }
    }

    #[test]
    fn a_name_that_carries_a_mac_is_always_of_that_phone(
        mac in any::<[u8; 6]>(),
        upper in any::<bool>(),
        rest in proptest::sample::select(vec![".cfg", "-app.log", "-x.y", ".ld", "-directory.xml"]),
    ) {
        let digits: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let asked = if upper { digits.to_uppercase() } else { digits.clone() };

        let found = catalog().file(&format!("/{asked}{rest}")).unwrap();

        prop_assert_eq!(found.mac, Some(mac).filter(|mac| *mac != [0; 6]));
        prop_assert_eq!(found.name, format!("{digits}{rest}"));
    }
}
