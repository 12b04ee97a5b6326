use super::*;
use crate::mac::MacAddr;
use proptest::prelude::*;
use provost_catalog::Catalog;
use std::net::IpAddr;

const PHONE: Speaker<'static> = Speaker {
    model: Some("VVX 500"),
    firmware: Some("5.9.7.4477"),
    certificate: CertificateStatus::FactoryInstalled,
    note: None,
};

fn kind_of(name: &str) -> Kind {
    crate::file_plan::read_path(&Catalog::built_in().unwrap(), name).kind
}

fn told(name: &str, settings: SettingsAre, outcome: &Outcome) -> Entry {
    answered(name, &kind_of(name), settings, outcome, PHONE)
}

fn mac() -> MacAddr {
    "0004f2a1b2c3".parse().unwrap()
}

#[test]
fn what_a_phone_read_is_one_sentence() {
    let bootstrap = told("0004f2a1b2c3-provost.cfg", SettingsAre::Bootstrap, &Outcome::Sent(900));
    let configuration = told("0004f2a1b2c3-provost.cfg", SettingsAre::Configuration, &Outcome::Sent(4100));

    assert_eq!(
        bootstrap.sentence,
        "Read its bootstrap (0004f2a1b2c3-provost.cfg, 900 bytes): VVX 500 on firmware 5.9.7.4477; certificate Factory Installed."
    );
    assert!(bootstrap.advice.unwrap().contains("enter the activation code"));
    assert_eq!(
        configuration.sentence,
        "Read its configuration (0004f2a1b2c3-provost.cfg, 4100 bytes): VVX 500 on firmware 5.9.7.4477; certificate Factory Installed."
    );
    assert_eq!(configuration.advice, None);
}

#[test]
fn a_phone_without_line_is_told_with_what_is_missing_and_what_it_means() {
    for (why, part) in
        [(WhyNoLine::NoUser, "no user"), (WhyNoLine::NoLine, "no SIP line"), (WhyNoLine::NoServer, "no SIP server")]
    {
        let entry = told("0004f2a1b2c3-provost.cfg", SettingsAre::WithoutLine(why), &Outcome::Sent(1));
        let advice = entry.advice.unwrap();
        assert!(advice.contains(part) && advice.contains("emergency"), "{advice}");
    }
    let master = told("0004f2a1b2c3.cfg", SettingsAre::WithoutLine(WhyNoLine::NoUser), &Outcome::Sent(1));
    assert_eq!(master.advice, None);
}

#[test]
fn what_is_not_there_is_said_to_be_normal() {
    let absent = |name| told(name, SettingsAre::Configuration, &Outcome::Absent).sentence;

    assert_eq!(
        absent("3111-44500-001.sip.ld"),
        "Asked for a firmware image (3111-44500-001.sip.ld): no firmware step is due, so it keeps its version; \
         VVX 500 on firmware 5.9.7.4477; certificate Factory Installed."
    );
    assert!(absent("0004f2a1b2c3-web.cfg").contains("none was ever sent, which is normal"));
    assert!(absent("0004f2a1b2c3-app.log").contains("there is none yet, which is normal"));
    assert!(absent("000000000000-license.cfg").contains("there is none, which is harmless"));
}

#[test]
fn uploads_heads_and_failures_read_well() {
    let log = Outcome::Kept { bytes: 120, how: Upload::Append };
    let failed = told(
        "0004f2a1b2c3.cfg",
        SettingsAre::Configuration,
        &Outcome::Failed("the database did not answer".to_owned()),
    );

    assert_eq!(
        told("0004f2a1b2c3-app.log", SettingsAre::Configuration, &log).sentence,
        "Sent its log (0004f2a1b2c3-app.log, 120 bytes), added to what is kept: VVX 500 on firmware 5.9.7.4477; \
         certificate Factory Installed."
    );
    assert_eq!(
        told("0004f2a1b2c3-app.log", SettingsAre::Configuration, &Outcome::There).sentence,
        "Asked whether its log (0004f2a1b2c3-app.log) is here, and it is: VVX 500 on firmware 5.9.7.4477; \
         certificate Factory Installed."
    );
    assert!(failed.sentence.starts_with(
        "Asked for its master file (0004f2a1b2c3.cfg) and was told to come back later: the database did not answer."
    ));
    assert!(failed.advice.unwrap().starts_with("The phone keeps what it has."));
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let other = refused("0004f2a1b2c4.cfg", &Refusal::OtherPhone("0004f2a1b2c4".parse().unwrap()), PHONE);
    let barred = refused("0004f2a1b2c3.cfg", &Refusal::Barred, PHONE);

    assert_eq!(
        other.sentence,
        "Asked for 0004f2a1b2c4.cfg and got nothing: that belongs to phone 0004f2a1b2c4, not to this one; \
         VVX 500 on firmware 5.9.7.4477; certificate Factory Installed."
    );
    assert_eq!(other.kind, EventKind::Refused);
    assert!(barred.advice.unwrap().contains("Enable the device"));
}

#[test]
fn a_model_the_catalog_does_not_know_is_quoted() {
    let nobody = Speaker { model: None, firmware: None, note: Some("the certificate expired on 2020-01-01"), ..PHONE };

    assert_eq!(
        unknown_model("0004f2a1b2c3.cfg", Some("FileTransport PolycomVVX-VVX_999-UA/1.0"), nobody).sentence,
        "Asked for 0004f2a1b2c3.cfg and got nothing: model not in the catalog, it says `FileTransport PolycomVVX-VVX_999-UA/1.0`; \
         it did not say what it is; certificate Factory Installed (the certificate expired on 2020-01-01)."
    );
    assert!(unknown_model("x", None, nobody).sentence.contains("it sent no User-Agent"));
}

#[test]
fn a_stranger_is_told_with_address_and_reason() {
    let entry = stranger(
        "0004f2a1b2c3.cfg",
        "192.0.2.7".parse::<IpAddr>().unwrap(),
        CertificateStatus::SelfSigned,
        "its certificate is signed by its own key",
    );

    assert_eq!(
        entry.sentence,
        "Somebody at 192.0.2.7 asked for 0004f2a1b2c3.cfg and got nothing: its certificate is signed by its own key \
         (certificate Self-signed)."
    );
    assert!(entry.advice.unwrap().starts_with("Only a certificate the maker put into the phone proves it."));
}

#[test]
fn a_claim_is_told_with_whom_and_how() {
    assert_eq!(
        claimed(Some("1001"), Claim::Code, mac()).sentence,
        "Phone 0004f2a1b2c3 was claimed for extension 1001 by activation code; told to restart, or at its next poll or power \
         cycle, it reads its configuration."
    );
    assert!(
        claimed(None, Claim::PreAssigned, mac()).sentence.contains("a device without user because an administrator")
    );
}

#[test]
fn text_from_outside_keeps_its_letters_and_loses_what_moves_others() {
    assert_eq!(printable("שלום é\u{202e}\u{7}`\n", 40), "שלום é\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    assert_eq!(printable("ééééé", 3), "ééé");
}

#[test]
fn a_links_word_is_in_no_list_and_a_phones_file_is() {
    let word = "0123456789abcdefABCDEF0123456789abcdef0123456789";
    for (path, shown) in [
        (format!("welcome/{word}"), "welcome/..."),
        (format!("//new-password//{word}{word}?x"), "//new-password//...?x"),
        (format!("{word}.cfg"), "....cfg"),
        ("0004f2a1b2c3-provost.cfg".to_owned(), "0004f2a1b2c3-provost.cfg"),
        ("0123456789abcdef0123456789abcde".to_owned(), "0123456789abcdef0123456789abcde"),
        ("é/".to_owned(), "é/"),
    ] {
        assert_eq!(without_words_of_links(&path), shown);
    }
}

proptest! {
    #[test]
    fn nothing_a_phone_says_breaks_the_line(name in any::<String>(), said in any::<String>(), tail in "[\\u{0}-\\u{1f}\\u{2028}-\\u{202e}]{1,4}") {
        let (name, said) = (format!("{name}{tail}"), format!("{said}{tail}"));
        let speaker = Speaker { firmware: Some(&said), note: Some(&said), ..PHONE };
        let address = IpAddr::from([192, 0, 2, 1]);
        let entries = [
            answered(&name, &Kind::Unknown, SettingsAre::Configuration, &Outcome::Failed(said.clone()), speaker),
            refused(&name, &Refusal::NotAPhoneFile, speaker),
            unknown_model(&name, Some(&said), speaker),
            stranger(&name, address, CertificateStatus::Invalid, &said),
            claimed(Some(&said), Claim::Code, mac()),
            claim_note(said.clone(), Some(said.clone())),
            action(said.clone()),
        ];
        for entry in entries {
            for text in [Some(entry.sentence), entry.advice].into_iter().flatten() {
                prop_assert!(!text.chars().any(|c| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)), "{:?}", text);
            }
        }
    }
}
