//! What layers make of a configuration.

use super::{MODELS, NOW, TIME_SERVER, attributes, bound, catalog, overlay, value};
use crate::facts::{BoundDevice, Line};
use crate::ids::AccountId;
use crate::layers::{Entries, LayerEntries, Subject, subjects};
use crate::render::{Explained, Layer, Shown, Target, configuration, explained, settings_document};
use crate::xml::is_xml_character;
use proptest::prelude::*;
use provost_catalog::Catalog;

fn of(catalog: &Catalog, bound: &BoundDevice) -> Explained {
    let model = catalog.model(&bound.model).unwrap();
    let target = Target { catalog, model, firmware: &model.firmware.reference.value };
    explained(target, bound, TIME_SERVER, NOW).unwrap()
}

fn all_subjects(bound: &BoundDevice) -> Vec<Subject> {
    let account = |n: u8| format!("account_01jd0ck3v800000000000000{n:02}").parse::<AccountId>().unwrap();
    let site = "site_01jd0ck3v80000000000000000".parse().unwrap();
    subjects(&[account(1), account(2)], Some(&site), &bound.model, &bound.device)
}

fn layer(subject: Subject, settings: &[(&str, &str)], raw: &[(&str, &str)]) -> LayerEntries {
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    LayerEntries { subject, entries: Entries { settings: map(settings), raw: map(raw) } }
}

#[test]
fn without_layers_nothing_is_different() {
    for model in MODELS {
        let mut with_empty = bound(model);
        with_empty.layers = all_subjects(&with_empty).into_iter().map(|subject| layer(subject, &[], &[])).collect();
        let (plain, empty) = (of(&catalog(), &bound(model)), of(&catalog(), &with_empty));
        assert_eq!(plain, empty);
    }
}

#[test]
fn a_value_of_a_layer_wins_over_provosts_and_the_others_are_remembered() {
    let mut bound = bound("vvx500");
    let subjects = all_subjects(&bound);
    let account = subjects[1].clone();
    bound.layers = vec![
        layer(Subject::Platform, &[("nat.keepalive", "40")], &[]),
        layer(account, &[("nat.keepalive", "50"), ("dial.digit-map", "x.T")], &[]),
        layer(Subject::Device(bound.device.clone()), &[], &[("httpd.enabled", "0"), ("device.own.password", "top")]),
    ];

    let Explained { values, left_out } = of(&catalog(), &bound);

    let keepalive = value(&values, "nat.keepalive.interval").unwrap();
    assert_eq!((keepalive.value.as_str(), keepalive.layer, keepalive.entry), ("50", Layer::Account, Some(1)));
    let over: Vec<_> = keepalive.over.iter().map(|o| (o.value.as_str(), o.layer, o.entry)).collect();
    assert_eq!(over, [("40", Layer::Platform, Some(0)), ("30", Layer::Platform, None)]);
    let digits = value(&values, "dialplan.digitmap").unwrap();
    assert_eq!((digits.value.as_str(), digits.over[0].layer), ("x.T", Layer::Site), "also over that of the country");
    let own = value(&values, "device.own.password").unwrap();
    assert_eq!((own.enable, own.shown), (true, Shown::OnReveal));
    assert_eq!(value(&values, "httpd.enabled").unwrap().value, "0");
    assert!(left_out.is_empty(), "{left_out:?}");
}

#[test]
fn a_secret_stays_one_however_a_layer_spells_its_name() {
    let mut bound = bound("vvx500");
    let device = Subject::Device(bound.device.clone());
    bound.layers = vec![
        layer(Subject::Platform, &[], &[("x.voicemailpin", "0")]),
        layer(device.clone(), &[], &[("x.voicemailPin", "1234")]),
    ];
    let hidden = |bound: &BoundDevice| {
        let values = of(&catalog(), bound).values;
        let found = values.iter().find(|value| value.parameter.eq_ignore_ascii_case("x.voicemailpin")).unwrap();
        (found.value.clone(), found.shown)
    };
    assert_eq!(hidden(&bound), ("1234".to_owned(), Shown::OnReveal));

    bound.layers = vec![
        layer(Subject::Platform, &[], &[("x.voicemailPin", "0")]),
        layer(device, &[], &[("x.voicemailpin", "1234")]),
    ];
    assert_eq!(hidden(&bound), ("1234".to_owned(), Shown::OnReveal));
}

#[test]
fn what_a_phone_cannot_be_told_is_left_out_and_said_and_the_rest_is_told() {
    let catalog = overlay(
        "[[setting]]\nid = \"own.vvx\"\nparameter = \"own.x\"\nfamilies = [\"vvx\"]\nkind = { type = \"boolean\" }\n\
         source = \"own\"\nevidence = \"inferred\"\n",
    );
    let mut bound = bound("spip550");
    bound.layers = vec![layer(
        Subject::Platform,
        &[("own.vvx", "1"), ("nat.keepalive", "many"), ("line.keys@2", "2"), ("gone", "1"), ("dscp.sip", "10")],
        &[("reg.1.auth.PASSWORD", "stolen")],
    )];

    let Explained { values, left_out } = of(&catalog, &bound);

    let mut told: Vec<_> = left_out.iter().map(|out| (out.name.as_str(), out.why.as_str())).collect();
    told.sort_unstable();
    let names: Vec<_> = told.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["gone", "line.keys@2", "nat.keepalive", "own.vvx", "reg.1.auth.PASSWORD"]);
    assert!(told[1].1.contains("no line 2") && told[3].1.contains("SoundPoint IP 550"), "{told:?}");
    assert_eq!(value(&values, "qos.ip.callControl.dscp").unwrap().value, "10");
    assert_eq!(value(&values, "nat.keepalive.interval").unwrap().value, "30");
    assert_eq!(value(&values, "reg.1.auth.password").unwrap().value, super::PASSWORD);
}

#[test]
fn a_setting_by_line_is_for_every_line_and_with_a_number_for_that_one() {
    let mut bound = bound("vvx450");
    let second = Line { user: "1050".to_owned(), auth_user: None, password: None };
    bound.user.as_mut().unwrap().lines.push(second);
    bound.layers = vec![layer(
        Subject::Platform,
        &[("line.keys", "1"), ("line.keys@2", "3"), ("line.server-expires", "600")],
        &[],
    )];

    let Explained { values, .. } = of(&catalog(), &bound);

    let of = |parameter| value(&values, parameter).map(|value| value.value.as_str());
    assert_eq!([of("reg.1.lineKeys"), of("reg.2.lineKeys"), of("reg.3.lineKeys")], [Some("1"), Some("3"), None]);
    for (line, server) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let parameter = format!("reg.{line}.server.{server}.expires");
        assert_eq!(value(&values, &parameter).unwrap().value, "600");
    }
}

proptest! {
    #[test]
    fn of_any_layers_that_hold_a_setting_the_last_one_wins(held in proptest::collection::vec(any::<bool>(), 8)) {
        let mut bound = bound("vvx450");
        let numbered = all_subjects(&bound).into_iter().zip(&held).zip(10..);
        let mut last = None;
        bound.layers = numbered
            .filter(|((_, held), _)| **held)
            .map(|((subject, _), number): (_, u32)| {
                last = Some((subject.layer(), number.to_string()));
                layer(subject, &[("nat.keepalive", &number.to_string())], &[])
            })
            .collect();

        let values = of(&catalog(), &bound).values;

        let found = value(&values, "nat.keepalive.interval").unwrap();
        let (layer, number) = last.unwrap_or((Layer::Platform, "30".to_owned()));
        prop_assert_eq!((found.layer, &found.value), (layer, &number));
        prop_assert_eq!(found.over.len(), bound.layers.len());
    }

    #[test]
    fn a_raw_value_comes_out_of_the_file_as_it_went_in(text in any::<String>()) {
        let text: String = text.chars().filter(|c| is_xml_character(*c)).collect();
        let mut bound = bound("vvx500");
        bound.layers = vec![layer(Subject::Platform, &[], &[("own.text", &text)])];
        let catalog = catalog();
        let model = catalog.model("vvx500").unwrap();
        let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };

        let document = settings_document(&catalog, &configuration(target, &bound, TIME_SERVER, NOW).unwrap()).unwrap();

        let read = attributes(&document);
        prop_assert_eq!(&read.iter().find(|(name, _)| name == "own.text").unwrap().1, &text);
    }
}
