//! What may stand in a layer.

use super::*;
use crate::entry::FieldErrors;
use proptest::prelude::*;
use provost_catalog::{Catalog, SourceText};

fn reach<'a>(catalog: &'a Catalog, models: &[&str]) -> Reach<'a> {
    Reach { catalog, models: models.iter().map(|id| catalog.model(id).unwrap()).collect() }
}

fn change(settings: &[(&str, &str)], raw: &[(&str, &str)]) -> LayerChange {
    let map = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Some(SettingValue::Text((*value).to_owned())))).collect()
    };
    LayerChange { settings: map(settings), raw: map(raw), reason: None }
}

fn refused(change: &LayerChange, models: &[&str]) -> Vec<(String, String)> {
    let catalog = Catalog::built_in().unwrap();
    let FieldErrors(errors) = change.onto(&Entries::default(), &reach(&catalog, models)).unwrap_err();
    errors.into_iter().map(|error| (error.field, error.message)).collect()
}

#[test]
fn a_value_is_checked_as_the_catalog_says_and_every_fault_is_named() {
    let faults = refused(
        &change(
            &[("nat.keepalive", "ten"), ("dscp.sip", "64"), ("line.type", "public"), ("nat.kepalive", "1")],
            &[("no parameter", "x"), ("device.set", "1"), ("own.x.set", "1"), ("own.y", "a\u{1}b")],
        ),
        &["vvx450"],
    );

    let of = |field: &str| faults.iter().find(|(known, _)| known == field).map(|(_, message)| message.as_str());
    assert_eq!(of("settings.nat.keepalive"), Some("`ten` is not a whole number"));
    assert_eq!(of("settings.dscp.sip"), Some("64 is outside 0 to 63"));
    assert!(of("settings.line.type").unwrap().contains("private, shared"));
    assert!(of("settings.nat.kepalive").unwrap().contains("it knows nat.keepalive"), "{faults:?}");
    assert!(of("raw.no parameter").unwrap().contains("words with dots"));
    assert!(of("raw.device.set").unwrap().contains("written by Provost"));
    assert!(of("raw.own.x.set").unwrap().contains("written by Provost"));
    assert!(of("raw.own.y").unwrap().contains("U+0001"));
    assert_eq!(faults.len(), 8);
}

#[test]
fn what_follows_from_people_sites_and_the_server_is_in_no_layer_by_either_name() {
    for (setting, parameter, word) in [
        ("line.auth-password", "reg.3.auth.password", "user"),
        ("line.server-address", "reg.1.server.2.address", "SIP servers"),
        ("password.admin", "device.auth.localAdminPassword", "new passwords"),
        ("pin.server-name", "DEVICE.prov.servername", "public-url"),
        ("network.vlan-id", "device.net.vlanId", "vlan"),
        ("dst.start-month", "tcpIpApp.sntp.daylightSavings.start.month", "time zone"),
        ("device.sntp-server", "device.sntp.serverName", "time"),
        ("polling.period", "prov.polling.period", "asks"),
    ] {
        let faults = refused(&change(&[(setting, "1")], &[(parameter, "1")]), &["vvx450", "spip550"]);
        assert_eq!(faults.len(), 2, "{setting}: {faults:?}");
        let says = |word: &str| faults.iter().all(|(_, message)| message.contains(word));
        assert!(says("cannot be set here") && (says(word) || word == "asks" && says("ask")), "{setting}: {faults:?}");
    }
}

#[test]
fn a_parameter_that_the_catalog_knows_is_entered_by_the_settings_name() {
    let faults = refused(&change(&[], &[("nat.keepalive.interval", "15"), ("reg.2.lineKeys", "3")]), &["vvx450"]);

    assert!(faults.iter().any(|(_, message)| message.contains("the setting `nat.keepalive`")), "{faults:?}");
    assert!(faults.iter().any(|(_, message)| message.contains("the setting `line.keys`")), "{faults:?}");
}

#[test]
fn a_raw_parameter_is_kept_with_a_word_on_it() {
    let catalog = Catalog::built_in().unwrap();
    let reach = reach(&catalog, &["vvx500"]);
    let after = change(&[], &[("up.own", "1"), ("httpd.enabled", "0")]).onto(&Entries::default(), &reach).unwrap();

    let told: Vec<_> = warnings(&after, &reach).into_iter().map(|warning| (warning.field, warning.message)).collect();

    assert_eq!(told[0].0, "raw.httpd.enabled");
    assert!(told[0].1.contains("Provost tells `1` by itself"), "{told:?}");
    assert_eq!(told[1].0, "raw.up.own");
    assert!(told[1].1.starts_with("not in the catalog for vvx500 "), "{told:?}");
    let case = change(&[], &[("HTTPD.enabled", "0")]).onto(&Entries::default(), &reach).unwrap_err();
    assert!(case.to_string().contains("is written `httpd.enabled`"), "{case}");
    let twin = change(&[], &[("UP.own", "0")]).onto(&after, &reach).unwrap_err();
    assert!(twin.to_string().contains("as `up.own` already"), "{twin}");
}

#[test]
fn a_setting_that_no_phone_in_reach_has_is_refused_and_one_that_some_have_is_taken() {
    let overlay = [SourceText {
        name: "own.toml",
        text: "[[setting]]\nid = \"own.x\"\nparameter = \"own.x\"\nfamilies = [\"vvx\"]\nkind = { type = \"boolean\" }\n\
               source = \"own\"\nevidence = \"inferred\"\n",
    }];
    let catalog = Catalog::with_overlay(&overlay).unwrap();
    let set = change(&[("own.x", "true")], &[]);

    let none = set.onto(&Entries::default(), &reach(&catalog, &["spip550"])).unwrap_err();
    assert!(none.to_string().contains("known of vvx only"), "{none}");
    assert!(set.onto(&Entries::default(), &reach(&catalog, &["spip550", "vvx450"])).is_ok());
}

#[test]
fn null_takes_an_entry_away_whatever_it_is_and_the_difference_is_told() {
    let catalog = Catalog::built_in().unwrap();
    let mut before = Entries::default();
    before.settings.insert("gone.from-the-catalog".to_owned(), "1".to_owned());
    before.settings.insert("nat.keepalive".to_owned(), "15".to_owned());
    let mut change = change(&[("nat.keepalive", "20")], &[("up.own", "1")]);
    change.settings.insert("gone.from-the-catalog".to_owned(), None);

    let after = change.onto(&before, &reach(&catalog, &["vvx450"])).unwrap();

    let told: Vec<_> = before.changes(&after).into_iter().map(|c| (c.name, c.before, c.after)).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            ("gone.from-the-catalog".to_owned(), some("1"), None),
            ("nat.keepalive".to_owned(), some("15"), some("20")),
            ("up.own".to_owned(), None, some("1")),
        ]
    );
}

#[test]
fn names_of_secrets_are_known_by_their_words() {
    for name in [
        "device.net.dot1x.password",
        "sec.x.preSharedKey",
        "sec.TLS.customDeviceKey1",
        "x.voicemailPin",
        "a.psk",
        "httpd.SECRET.value",
    ] {
        assert!(is_secret_name(name), "{name}");
    }
    for name in ["softkey.1.label", "nat.keepalive.interval", "dialplan.mapping", "reg.1.lineKeys", "tone.ringing"] {
        assert!(!is_secret_name(name), "{name}");
    }
}

#[test]
fn layers_come_in_the_order_in_which_they_win() {
    let account = |n: u8| format!("account_01jd0ck3v800000000000000{n:02}").parse::<AccountId>().unwrap();
    let site: SiteId = "site_01jd0ck3v80000000000000000".parse().unwrap();
    let device: DeviceId = "device_01jd0ck3v80000000000000000".parse().unwrap();

    let all = subjects(&[account(1), account(2)], Some(&site), "vvx450", &device);

    let layers: Vec<_> = all.iter().map(Subject::layer).collect();
    assert!(layers.is_sorted(), "{layers:?}");
    assert_eq!(all.len(), 8);
    assert!(
        all.iter().position(|s| *s == Subject::Account(account(1)))
            < all.iter().position(|s| *s == Subject::Account(account(2)))
    );
    for subject in all {
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }
    assert!("site".parse::<Subject>().is_err() && "x/vvx450".parse::<Subject>().is_err());
}

proptest! {
    #[test]
    fn whatever_is_taken_as_raw_can_stand_in_a_file(name in "[ -~]{1,30}|[a-z]{1,5}\\.[a-z.]{1,9}", value in any::<String>()) {
        let catalog = Catalog::built_in().unwrap();
        let reach = reach(&catalog, &["vvx450"]);
        if let Ok(after) = change(&[], &[(&name, &value)]).onto(&Entries::default(), &reach) {
            prop_assert_eq!(after.raw.get(&name), Some(&value));
            let attributes = vec![(name.clone(), value.clone())];
            let element = crate::xml::Element { name: "own".to_owned(), attributes };
            prop_assert!(crate::xml::attributes_document("own", &[element]).is_ok());
        }
    }
}
