//! Which values there are, who set them, and when they change.

use super::{
    MODELS, NAME, NOW, PASSWORD, TIME_SERVER, attributes, bound, catalog, document, overlay, unclaimed, url, value,
    values, with_voice,
};
use crate::facts::{Line, Pin, SipServer, SipTransport};
use crate::render::{
    Layer, RenderError, Shown, Target, Unclaimed, bootstrap, configuration, directory, settings_document,
};
use crate::secret::Secret;
use provost_catalog::{Catalog, ValueError};

fn made(catalog: &Catalog, bound: &crate::facts::BoundDevice) -> Result<String, RenderError> {
    let model = catalog.model(&bound.model).unwrap();
    let target = Target { catalog, model, firmware: &model.firmware.reference.value };
    settings_document(catalog, &configuration(target, bound, TIME_SERVER, NOW)?)
}

#[test]
fn a_bootstrap_holds_nothing_of_the_platform_and_an_activate_key() {
    let catalog = catalog();
    for model in catalog.models() {
        let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };

        let values = bootstrap(target, unclaimed(&url())).unwrap();

        let platform: Vec<_> = values.iter().filter(|v| v.parameter.starts_with("device.")).collect();
        assert!(platform.is_empty(), "{}: {platform:?}", model.id);
        let text = settings_document(&catalog, &values).unwrap();
        assert!(!text.to_ascii_lowercase().contains("device."), "{text}");
        let of = |parameter| value(&values, parameter).unwrap().value.as_str();
        assert_eq!(of("reg.1.label"), "Activate");
        assert_eq!(of("reg.1.address"), "0004f2a1b2c3");
        assert_eq!(of("reg.1.server.1.address"), "phones.example.com");
        assert_eq!(of("reg.1.server.1.register"), "0");
        assert_eq!(of("call.enableOnNotRegistered"), "1");
        assert_eq!(of("tcpIpApp.sntp.address"), TIME_SERVER);
        assert!(values.iter().all(|v| v.shown == Shown::Plainly && !v.enable));
    }
}

#[test]
fn where_a_voice_answers_the_activate_line_registers_and_dials_it() {
    let catalog = catalog();
    for model in catalog.models() {
        let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };

        let values = bootstrap(target, with_voice(&url())).unwrap();

        assert!(values.iter().all(|v| !v.parameter.starts_with("device.") && !v.enable), "{}", model.id);
        let of = |parameter| value(&values, parameter).map(|v| v.value.as_str());
        assert_eq!(of("reg.1.label"), Some("Activate"));
        assert_eq!([of("reg.1.address"), of("reg.1.auth.userId")], [Some("k3w7q2m5x6ab"); 2]);
        assert_eq!(of("reg.1.server.1.register"), Some("1"));
        assert_eq!(of("reg.1.server.1.transport"), Some("UDPOnly"));
        assert_eq!(of("call.autoOffHook.1.contact"), Some("activate"));
        assert_eq!(of("voIpProt.SIP.specialEvent.checkSync.alwaysReboot"), Some("0"));
        let secret: Vec<_> = values.iter().filter(|v| v.shown != Shown::Plainly).map(|v| &v.parameter).collect();
        assert_eq!(secret, ["reg.1.auth.password"], "{}", model.id);
    }
}

#[test]
fn the_soft_key_that_asks_for_the_code_is_there_where_the_catalog_says_so() {
    let catalog = overlay(
        "[[family]]\nid = \"vvx\"\nactivation-doors = { value = [\"voice\"], source = \"own\", evidence = \"on-hardware\" }\n",
    );
    for (id, wanted) in [("vvx450", None), ("spip550", Some("$P1N13$$Tinvite$"))] {
        let model = catalog.model(id).unwrap();
        let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };

        let values = bootstrap(target, with_voice(&url())).unwrap();

        assert_eq!(value(&values, "softkey.1.action").map(|v| v.value.as_str()), wanted, "{id}");
        assert!(value(&values, "call.autoOffHook.1.enabled").is_some(), "{id}");
    }
}

#[test]
fn every_platform_parameter_has_its_enable_key_beside_it_and_the_general_one_stands_once() {
    for model in MODELS {
        let read = attributes(&document(&catalog(), &bound(model)));

        let platform: Vec<_> =
            read.iter().map(|(name, _)| name.as_str()).filter(|n| n.starts_with("device.")).collect();
        let general = platform.iter().filter(|name| **name == "device.set").count();
        let (enables, rest): (Vec<&str>, Vec<&str>) =
            platform.iter().filter(|name| **name != "device.set").partition(|name| name.ends_with(".set"));
        let wanted: Vec<_> = rest.iter().map(|name| format!("{name}.set")).collect();
        assert_eq!(general, 1, "{model}");
        assert!(!rest.is_empty(), "{model}");
        assert_eq!(enables, wanted, "{model}");
        let all_one = read.iter().filter(|(name, _)| name.ends_with(".set")).all(|(_, value)| value == "1");
        assert!(all_one, "{model}");
    }
}

#[test]
fn names_and_passwords_come_out_of_the_document_as_they_went_in() {
    for model in MODELS {
        let read = attributes(&document(&catalog(), &bound(model)));

        let of = |parameter: &str| read.iter().find(|(name, _)| name == parameter).unwrap().1.as_str();
        assert_eq!(of("reg.1.displayName"), NAME);
        assert_eq!(of("reg.1.auth.password"), PASSWORD);
        assert_eq!(of("reg.1.auth.userId"), "auth&1001");
    }
}

#[test]
fn each_value_knows_its_layer_and_whether_it_is_a_secret() {
    let values = values(&catalog(), &bound("vvx500"), NOW);

    for (parameter, layer) in [
        ("tcpIpApp.sntp.address", Layer::Platform),
        ("device.prov.serverName", Layer::Platform),
        ("nat.keepalive.interval", Layer::Platform),
        ("prov.polling.mode", Layer::Model),
        ("tcpIpApp.sntp.gmtOffset", Layer::Site),
        ("dialplan.digitmap", Layer::Site),
        ("tone.chord.callProg.dialTone.freq.1", Layer::Site),
        ("device.net.vlanId", Layer::Site),
        ("reg.1.server.2.address", Layer::Site),
        ("msg.mwi.1.callBack", Layer::Site),
        ("reg.1.address", Layer::Device),
        ("reg.1.displayName", Layer::Device),
        ("device.auth.localAdminPassword", Layer::Device),
    ] {
        assert_eq!(value(&values, parameter).map(|v| v.layer), Some(layer), "{parameter}");
    }
    let mut secrets: Vec<_> =
        values.iter().filter(|v| v.shown == Shown::OnReveal).map(|v| v.parameter.as_str()).collect();
    secrets.sort_unstable();
    assert_eq!(secrets, ["device.auth.localAdminPassword", "device.auth.localUserPassword", "reg.1.auth.password"]);
}

#[test]
fn no_value_changes_in_the_course_of_a_year() {
    let catalog = catalog();
    for zone in ["Europe/Vienna", "America/New_York", "Australia/Sydney", "Asia/Kolkata"] {
        for model in MODELS {
            let mut bound = bound(model);
            bound.site.as_mut().unwrap().time_zone = zone.to_owned();

            let months = (0..12).map(|month| values(&catalog, &bound, NOW.plus_days(30 * month)));

            let first = values(&catalog, &bound, NOW);
            months.for_each(|later| assert_eq!(later, first, "{model} in {zone}"));
        }
    }
}

#[test]
fn a_setting_replaces_a_constant_of_the_same_parameter() {
    let constant = |id: &str, parameter: &str| {
        format!(
            "[[constant]]\nid = \"{id}\"\nparameter = \"{parameter}\"\nvalue = \"9\"\nstages = [\"configuration\"]\n\
             source = \"own\"\nevidence = \"inferred\"\n"
        )
    };
    let catalog = overlay(
        &[
            constant("own.offset", "tcpIpApp.sntp.gmtOffset"),
            constant("own.label", "reg.1.label"),
            constant("own.x", "own.x"),
        ]
        .concat(),
    );

    let values = values(&catalog, &bound("vvx450"), NOW);

    let of = |parameter| value(&values, parameter).map(|v| (v.value.as_str(), v.layer));
    assert_eq!(of("tcpIpApp.sntp.gmtOffset"), Some(("3600", Layer::Site)));
    assert_eq!(of("reg.1.label"), Some(("1001", Layer::Device)));
    assert_eq!(of("own.x"), Some(("9", Layer::Platform)));
}

#[test]
fn a_constant_of_fewer_phones_replaces_one_of_all() {
    let catalog = overlay(
        "[[constant]]\nid = \"own\"\nparameter = \"nat.keepalive.interval\"\nvalue = \"15\"\nstages = [\"configuration\"]\n\
         model = \"vvx450\"\nsource = \"own\"\nevidence = \"inferred\"\n",
    );

    let keepalive = |model| {
        let values = values(&catalog, &bound(model), NOW);
        value(&values, "nat.keepalive.interval").map(|v| (v.value.clone(), v.layer)).unwrap()
    };
    assert_eq!(keepalive("vvx450"), ("15".to_owned(), Layer::Model));
    assert_eq!(keepalive("vvx500"), ("30".to_owned(), Layer::Platform));
}

#[test]
fn a_phone_left_alone_or_undecided_keeps_its_server() {
    for pin in [Pin::Undecided, Pin::LeftAlone { came_in_at: "10.0.0.1".to_owned() }] {
        for model in MODELS {
            let bound = crate::facts::BoundDevice { pin: pin.clone(), ..bound(model) };

            let text = document(&catalog(), &bound);

            assert!(!text.contains("device.prov.") && !text.contains("device.dhcp."), "{model} {pin:?}:\n{text}");
            assert!(text.contains("device.auth.localAdminPassword="), "{model}");
        }
    }
}

#[test]
fn without_user_line_or_server_there_is_no_line_and_the_rest_stays() {
    let catalog = catalog();
    let (mut no_user, mut no_line, mut no_server) = (bound("vvx500"), bound("vvx500"), bound("vvx500"));
    (no_user.user, no_user.site) = (None, None);
    no_line.user.as_mut().unwrap().lines.clear();
    no_server.site.as_mut().unwrap().sip_servers.clear();

    for bound in [no_user, no_line, no_server] {
        let text = document(&catalog, &bound);
        assert!(bound.why_no_line().is_some());
        assert!(!text.contains("reg.1."), "{text}");
        assert!(text.contains("device.auth.localAdminPassword=") && text.contains("httpd.enabled="), "{text}");
    }
}

#[test]
fn two_lines_have_keys_servers_and_voicemail_of_their_own() {
    let mut bound = bound("vvx450");
    let second = Line { user: "1050".to_owned(), auth_user: None, password: None };
    bound.user.as_mut().unwrap().lines.push(second);

    let values = values(&catalog(), &bound, NOW);

    let of = |parameter| value(&values, parameter).map(|v| v.value.as_str());
    assert_eq!((of("reg.1.label"), of("reg.2.label")), (Some("1001"), Some("1050")));
    assert_eq!((of("reg.2.auth.userId"), of("reg.2.auth.password")), (Some("1050"), None));
    assert_eq!(of("reg.2.server.2.transport"), Some("TLS"));
    assert_eq!(of("msg.mwi.2.callBack"), Some("*97"));
}

#[test]
fn a_value_that_does_not_fit_is_an_error_that_names_the_parameter() {
    let catalog = catalog();
    let mut long = bound("vvx500");
    long.user.as_mut().unwrap().name = "é".repeat(200);
    let mut letters = bound("spip550");
    letters.passwords.as_mut().unwrap().admin = Secret::from("not digits");
    let mut host = bound("vvx450");
    host.site.as_mut().unwrap().sip_servers =
        vec![SipServer { host: "a b".to_owned(), port: 5060, transport: SipTransport::Udp }];

    let (long, letters, host) = (made(&catalog, &long), made(&catalog, &letters), made(&catalog, &host));

    let error = ValueError::TooLong { found: 400, max: 255 };
    assert_eq!(long, Err(RenderError::Value { parameter: "reg.1.displayName".to_owned(), error }));
    let error = ValueError::Forbidden { character: 'n' };
    assert_eq!(letters, Err(RenderError::Value { parameter: "device.auth.localAdminPassword".to_owned(), error }));
    assert!(host.unwrap_err().to_string().starts_with("reg.1.server.1.address: "));
}

#[test]
fn a_control_character_that_xml_cannot_hold_is_an_error_and_no_document() {
    let mut bound = bound("vvx450");
    bound.user.as_mut().unwrap().lines[0].password = Some(Secret::from("a\u{1}b"));

    assert!(matches!(made(&catalog(), &bound), Err(RenderError::Xml(_))));
}

#[test]
fn everybody_of_the_site_stands_in_the_directory_whatever_the_name() {
    let text = directory(&catalog(), &bound("vvx500").contacts).unwrap();

    for extension in ["1002", "1003", "1004"] {
        assert!(text.contains(&format!("<ct>{extension}</ct>")), "{extension} is missing in {text}");
    }
}

#[test]
fn an_unknown_time_zone_is_an_error() {
    let mut bound = bound("vvx450");
    bound.site.as_mut().unwrap().time_zone = "Mars/Olympus".to_owned();

    assert!(matches!(made(&catalog(), &bound), Err(RenderError::TimeZone(_))));
}

#[test]
fn ice_is_off_while_the_firmware_has_a_known_hole_whatever_a_layer_says() {
    let catalog = catalog();
    let model = catalog.model("vvx450").unwrap();
    let ice = |firmware: &str| {
        let firmware = firmware.parse().unwrap();
        let mut bound = bound("vvx450");
        let raw = [("tcpIpApp.ice.mode".to_owned(), "Standard".to_owned())].into();
        let entries = crate::layers::Entries { settings: std::collections::BTreeMap::new(), raw };
        bound.layers = vec![crate::layers::LayerEntries { subject: crate::layers::Subject::Platform, entries }];
        let target = Target { catalog: &catalog, model, firmware: &firmware };
        let values = configuration(target, &bound, TIME_SERVER, NOW).unwrap();
        values
            .into_iter()
            .find(|value| value.parameter == "tcpIpApp.ice.mode")
            .map(|value| (value.value, value.is_owned))
    };

    assert_eq!(ice("6.4.7.4560"), Some(("Disabled".to_owned(), true)));
    assert_eq!(ice("6.4.8"), Some(("Standard".to_owned(), false)), "nothing speaks against it then");
}

#[test]
fn the_key_of_an_unclaimed_phone_that_no_step_leads_further_says_so() {
    let catalog = catalog();
    let model = catalog.model("vvx450").unwrap();
    let (url, firmware) = (url(), "6.4.2".parse().unwrap());
    let target = Target { catalog: &catalog, model, firmware: &firmware };
    let label = |is_stuck| {
        let values = bootstrap(target, Unclaimed { is_stuck, ..unclaimed(&url) }).unwrap();
        values.into_iter().find(|value| value.parameter == "reg.1.label").unwrap().value
    };

    assert_eq!((label(false), label(true)), ("Activate".to_owned(), "Old firmware".to_owned()));
}

#[test]
fn a_claimed_phone_below_the_floor_says_so_beside_its_first_line_whatever_its_label() {
    let catalog = catalog();
    let model = catalog.model("vvx450").unwrap();
    let label = |firmware: &str, entered: Option<&str>| {
        let firmware = firmware.parse().unwrap();
        let mut bound = bound("vvx450");
        if let Some(entered) = entered {
            let raw = [("reg.1.label".to_owned(), entered.to_owned())].into();
            let entries = crate::layers::Entries { settings: std::collections::BTreeMap::new(), raw };
            bound.layers = vec![crate::layers::LayerEntries { subject: crate::layers::Subject::Platform, entries }];
        }
        let target = Target { catalog: &catalog, model, firmware: &firmware };
        let values = configuration(target, &bound, TIME_SERVER, NOW).unwrap();
        values.into_iter().find(|value| value.parameter == "reg.1.label").unwrap().value
    };

    let usual = label("6.4.8", None);
    assert_eq!(label("6.4.2", None), format!("{usual} Old firmware"));
    assert_eq!(label("6.4.2", Some("Reception")), "Reception Old firmware");
    assert_eq!(label("6.4.8", Some("Reception")), "Reception");
}

#[test]
fn a_phone_that_has_not_said_its_version_is_told_no_ice_where_any_version_has_a_hole_it_would_open() {
    let catalog = catalog();
    for model in catalog.models() {
        let Some(secure) = catalog.hardware(&model.id).and_then(|hardware| hardware.secure_from.as_ref()) else {
            continue;
        };
        assert!(model.firmware.reference.value < secure.value, "{}: rendered for until it says what it runs", model.id);
    }
}
