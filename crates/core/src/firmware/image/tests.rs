//! Files that are images and files that are not.

use super::{Beside, ImageRefusal, Recognized, Said, Seen, recognize, version_in, version_in_zip_name};
use crate::firmware::ImageKind;
use proptest::prelude::{any, prop_assert, proptest};
use proptest::{collection, sample};
use provost_catalog::Catalog;

const LARGE: u64 = 5_000_000;
const OF_450: &str = "3111-48840-001";
const OF_350: &str = "3111-48830-001";

fn catalog() -> Catalog {
    Catalog::built_in().unwrap()
}

/// Bytes of which nothing is known, as the maker's images begin.
const UNKNOWN: &[u8] = b"\x00\x01\xff\x80 something binary \x00";

fn told(name: &str, said: &Said, beside: &Beside) -> Result<Recognized, ImageRefusal> {
    recognize(&catalog(), &Seen { name, head: UNKNOWN, bytes: LARGE }, said, beside)
}

fn version(text: &str) -> Said {
    Said { version: Some(text.parse().unwrap()), ..Said::default() }
}

fn lab(entries: &str) -> Vec<u8> {
    let header = format!("{{\"entries\":[{entries}]}}");
    let length = u32::try_from(header.len()).unwrap().to_be_bytes();
    [b"PROVOST LAB IMAGE 1\n".as_slice(), &length, header.as_bytes(), b"signature and payloads"].concat()
}

fn entry(part: &str, kind: &str, version: &str) -> String {
    format!(
        r#"{{"part":"{part}","kind":"{kind}","version":"{version}","updater":"6.4.8.2","offset":0,"bytes":1,"sha256":""}}"#
    )
}

fn of_lab(name: &str, head: &[u8], said: &Said) -> Result<Recognized, ImageRefusal> {
    recognize(&catalog(), &Seen { name, head, bytes: LARGE }, said, &Beside::default())
}

#[test]
fn an_image_is_known_by_its_part_and_the_version_somebody_says() {
    for name in [OF_450.to_owned() + ".sip.ld", format!("folder/{OF_450}.{OF_450}.sip.ld")] {
        let found = told(&name, &version("6.4.8.1234"), &Beside::default()).unwrap();

        assert_eq!((found.kind, found.part.as_deref(), found.line), (ImageKind::Application, Some(OF_450), None));
        assert_eq!(found.version.to_string(), "6.4.8.1234");
    }
    let updater = told("2345-12500-001.bootrom.ld", &version("4.4.0.1"), &Beside::default()).unwrap();
    assert_eq!(updater.kind, ImageKind::Updater);
}

#[test]
fn an_image_of_many_models_needs_one_of_them_said() {
    assert_eq!(told("sip.ld", &version("6.4.8.1"), &Beside::default()), Err(ImageRefusal::NoLine));
    let said = |model: &str| Said { model: Some(model.to_owned()), ..version("6.4.8.1") };

    let of_model = told("sip_64x.ld", &said("vvx450"), &Beside::default()).unwrap();
    let of_line = told("sip.ld", &said("vvx-6"), &Beside::default()).unwrap();

    assert_eq!((of_model.part, of_model.line.as_deref()), (None, Some("vvx-6")));
    assert_eq!(of_line.line.as_deref(), Some("vvx-6"));
    let unknown = told("sip.ld", &said("vvx9"), &Beside::default()).unwrap_err();
    assert!(matches!(unknown, ImageRefusal::Model { .. }), "{unknown}");
}

#[test]
fn what_the_catalog_does_not_know_or_refuses_is_refused_with_what_to_do() {
    let words = |name: &str, said: &Said| told(name, said, &Beside::default()).unwrap_err().to_string();

    let unknown = words("9999-99999-999.sip.ld", &version("6.4.8.1"));
    assert!(unknown.contains("part 9999-99999-999 is not in the catalog"), "{unknown}");
    let obi = words("sip.ld", &Said { model: Some("vvxd230".to_owned()), ..version("6.4.8.1") });
    assert!(obi.contains("OBi"), "{obi}");
    let name = words(&format!("{OF_450}.bootblock.ld"), &version("6.4.8.1"));
    assert!(name.contains("bootblock.ld") && name.contains("the name the maker gave it"), "{name}");
    let other_model =
        words(&format!("{OF_450}.sip.ld"), &Said { model: Some("vvx350".to_owned()), ..version("6.4.8.1") });
    assert!(other_model.contains("expected vvx350 (as you say)") && other_model.contains(OF_450), "{other_model}");
    let twice = words(&format!("{OF_450}.{OF_350}.sip.ld"), &version("6.4.8.1"));
    assert!(twice.contains(OF_450) && twice.contains(OF_350), "{twice}");
}

#[test]
fn nobody_can_say_of_another_image_that_it_is_an_application() {
    for name in ["bootblock.ld", "dect.ld", "fw.ld", "fw.bin"] {
        let said = Said { kind: Some(ImageKind::Application), model: Some("vvx450".to_owned()), ..version("6.4.8.1") };

        let refused = told(name, &said, &Beside::default()).unwrap_err();

        assert!(matches!(refused, ImageRefusal::Name { .. }), "{name}: {refused}");
        let one = lab(&entry(OF_450, "application", "6.4.8.1"));
        assert!(of_lab(name, &one, &said).is_ok(), "{name}: its beginning says it");
    }
}

#[test]
fn a_part_number_elsewhere_than_first_and_a_name_that_cannot_be_kept_are_refused() {
    let said = Said { model: Some("vvx450".to_owned()), ..version("6.4.8.1") };
    for name in [
        format!("sip_{OF_450}.ld"),
        format!("sip_x.{OF_450}.ld"),
        format!("{OF_450}.{OF_450}.{OF_350}.sip.ld"),
        format!("{OF_450}-1.sip.ld"),
        format!("1{OF_450}.sip.ld"),
    ] {
        let refused = told(&name, &Said { kind: None, ..said.clone() }, &Beside::default()).unwrap_err();
        let is_name = matches!(refused, ImageRefusal::PartPlace { .. } | ImageRefusal::Name { .. });
        assert!(is_name, "{name}: {refused}");
    }
    let place = told(&format!("sip_{OF_450}.ld"), &said, &Beside::default()).unwrap_err();
    assert!(matches!(&place, ImageRefusal::PartPlace { part, .. } if part == OF_450), "{place}");
    for name in [format!("{OF_450} (1).sip.ld"), "sip_\u{202e}.ld".to_owned(), format!("sip_{}.ld", "x".repeat(120))] {
        let refused = told(&name, &said, &Beside::default()).unwrap_err();
        assert!(matches!(refused, ImageRefusal::Spelling { .. }), "{name}: {refused}");
    }
}

#[test]
fn two_digits_in_a_name_are_the_first_numbers_of_the_version() {
    let said = |text: &str| Said { model: Some("vvx450".to_owned()), ..version(text) };
    for (name, right) in [("sip_59x.ld", "5.9.8.1"), ("sip_40x.ld", "4.0.15.1"), ("sip_318.ld", "3.1.8.70")] {
        told(name, &said(right), &Beside::default()).unwrap();

        let wrong = told(name, &said("6.4.8.1"), &Beside::default()).unwrap_err().to_string();

        assert!(wrong.contains("(as its name says), found 6.4.8.1"), "{wrong}");
    }
}

#[test]
fn an_application_needs_the_version_a_phone_will_say() {
    let name = format!("{OF_450}.sip.ld");
    let short = told(&name, &version("6.4.8"), &Beside::default()).unwrap_err();
    assert!(
        matches!(short, ImageRefusal::ShortVersion { .. }) && short.to_string().contains("6.4.8 has fewer"),
        "{short}"
    );
    told(&format!("{OF_450}.bootrom.ld"), &version("4.3.1"), &Beside::default()).unwrap();
}

#[test]
fn a_version_comes_from_beside_and_every_contradiction_is_refused_with_expected_and_found() {
    let beside = Beside {
        application: Some("6.4.8.1234".parse().unwrap()),
        updater: None,
        named: Some("6.4.8".parse().unwrap()),
    };
    let name = format!("{OF_450}.sip.ld");
    assert_eq!(told(&name, &Said::default(), &beside).unwrap().version.to_string(), "6.4.8.1234");

    let said = told(&name, &version("6.4.9.1"), &beside).unwrap_err().to_string();
    assert_eq!(said, "its version: expected 6.4.9.1 (as you say), found 6.4.8.1234 (as the file beside it says)");
    let named = Beside { named: Some("6.4.7".parse().unwrap()), ..beside.clone() };
    assert!(told(&name, &Said::default(), &named).unwrap_err().to_string().contains("6.4.7 in the zip's name"));
    let nothing = Beside { application: None, ..beside };
    let asked = told(&name, &Said::default(), &nothing).unwrap_err().to_string();
    assert!(asked.contains("(the zip's name says 6.4.8)") && asked.contains("--version"), "{asked}");
    let kind = Said { kind: Some(ImageKind::Updater), ..version("6.4.8.1") };
    assert!(told(&name, &kind, &Beside::default()).unwrap_err().to_string().contains("expected updater (as you say)"));
}

#[test]
fn what_is_plainly_no_image_is_refused_with_what_it_is() {
    let cases: [(&[u8], u64, &str); 10] = [
        (b"", 0, "an empty file"),
        (b"\x00\x01", 2, "only 2 bytes"),
        (b"<!DOCTYPE html><title>Sign in</title>", LARGE, "HTML"),
        (b"\xef\xbb\xbf\n <html>", LARGE, "HTML"),
        (b"<?xml version=\"1.0\"?><a/>", LARGE, "XML"),
        (b"PK\x03\x04", LARGE, "a zip"),
        (b"\x1f\x8b\x08", LARGE, "gzip"),
        (b"\x7fELF", LARGE, "ELF"),
        (b"\x89PNG", LARGE, "PNG"),
        (b"just some words", LARGE, "plain text"),
    ];
    for (head, bytes, expected) in cases {
        let name = format!("{OF_450}.sip.ld");
        let refused =
            recognize(&catalog(), &Seen { name: &name, head, bytes }, &version("6.4.8.1"), &Beside::default());
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("expected the maker's .ld file, found") && words.contains(expected), "{words}");
    }
}

#[test]
fn a_virtual_phones_image_says_what_it_is_and_nobody_may_say_another() {
    let one = lab(&entry(OF_450, "application", "6.4.8.1"));
    let name = format!("{OF_450}.sip.ld");

    let found = of_lab(&name, &one, &Said::default()).unwrap();

    assert_eq!((found.part.as_deref(), found.version.to_string()), (Some(OF_450), "6.4.8.1".to_owned()));
    assert_eq!(found.updater.unwrap().to_string(), "6.4.8.2");
    let other_name = of_lab(&format!("{OF_350}.sip.ld"), &one, &Said::default()).unwrap_err().to_string();
    assert!(other_name.contains(OF_350) && other_name.contains(OF_450), "{other_name}");
    assert!(of_lab(&name, &one, &version("6.4.8.2")).is_err());
    assert!(of_lab("bootrom.ld", &one, &Said::default()).is_err());

    let many = lab(&[entry(OF_450, "application", "6.4.8.1"), entry(OF_350, "application", "6.4.8.1")].join(","));
    assert_eq!(of_lab("sip.ld", &many, &Said::default()).unwrap().line.as_deref(), Some("vvx-6"));
    assert!(of_lab(&name, &many, &Said::default()).is_err(), "a part's name for several parts");
    let mixed = lab(&[entry(OF_450, "application", "6.4.8.1"), entry(OF_350, "application", "6.4.9.1")].join(","));
    assert!(matches!(of_lab("sip.ld", &mixed, &Said::default()), Err(ImageRefusal::Lab { .. })));
    let lines =
        lab(&[entry(OF_450, "application", "6.4.8.1"), entry("3111-44500-001", "application", "6.4.8.1")].join(","));
    assert!(matches!(of_lab("sip.ld", &lines, &Said::default()), Err(ImageRefusal::Lab { .. })));
}

#[test]
fn versions_are_found_in_texts_and_in_names_of_zips() {
    let found = |text: &str| version_in(text).map(|version| version.to_string());
    assert_eq!(found("6.4.7.4560 05-Dec-24 00:58\nmore").as_deref(), Some("6.4.7.4560"));
    assert_eq!(found("SIP/5.9.8.5760, built on x.").as_deref(), Some("5.9.8.5760"));
    assert_eq!(found("nothing here\n1.2.3"), None);
    let named = |name: &str| version_in_zip_name(name).map(|version| version.to_string());
    assert_eq!(named("Polycom-UC-Software-5-9-8-rts12-release-sig-split.zip").as_deref(), Some("5.9.8"));
    assert_eq!(named("UC_Software_4_0_15_release_sig_split.zip").as_deref(), Some("4.0.15"));
    assert_eq!(named("images.zip"), None);
}

proptest! {
    #[test]
    fn no_bytes_and_no_name_are_too_much_for_it(
        name in "[ -~]{0,40}(\\.ld)?",
        head in collection::vec(any::<u8>(), 0..300),
        starts in sample::select(vec![b"".as_slice(), b"PROVOST LAB IMAGE 1\n", b"PROVOST LAB IMAGE 1\n\0\0\0\x20{\"entries\":["]),
    ) {
        let head = [starts, &head].concat();
        let bytes = u64::try_from(head.len()).unwrap();
        let found = recognize(&catalog(), &Seen { name: &name, head: &head, bytes }, &Said::default(), &Beside::default());
        prop_assert!(found.is_err(), "{found:?}");
    }
}
