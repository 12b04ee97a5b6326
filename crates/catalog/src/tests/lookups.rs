use super::catalog;
use crate::{
    AuthorityRole, BootAction, BootServerChoice, BootStage, FileRole, Program, Stage, TlsOffer, Version, VlanDiscovery,
};

#[test]
fn the_three_models_of_the_first_road_are_there() {
    let catalog = catalog();

    let ids: Vec<&str> = catalog.models().map(|model| model.id.as_str()).collect();

    assert_eq!(ids, ["spip550", "vvx450", "vvx500"]);
    for model in catalog.models() {
        assert!(catalog.boot(model).is_some());
        assert!(catalog.family(&model.family).is_some());
        assert_eq!(catalog.model_by_part_number(&model.part_numbers[0].value), Some(model));
    }
}

#[test]
fn a_user_agent_token_is_matched_exactly() {
    let catalog = catalog();

    let id = |token| catalog.model_by_user_agent_token(token).map(|model| model.id.as_str());

    assert_eq!(id("VVX_450"), Some("vvx450"));
    assert_eq!(id("vvx_450"), None);
    assert_eq!(id("VVX_45"), None);
}

#[test]
fn user_agents_of_real_phones_are_understood() {
    let catalog = catalog();
    for (text, family, token, version, stage) in [
        (
            "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application",
            "PolycomSoundPointIP",
            "SPIP_550",
            "4.0.15.1047",
            Some(BootStage::Application),
        ),
        (
            "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater",
            "PolycomVVX",
            "VVX_500",
            "5.9.7.47435",
            Some(BootStage::Updater),
        ),
        (
            "FileTransport PolyEdge-Edge_E350-UA/8.3.1.0614 Type/Application",
            "PolyEdge",
            "Edge_E350",
            "8.3.1.0614",
            Some(BootStage::Application),
        ),
        (
            "FileTransport PolycomSoundPointIP-SPIP_335-UA/3.2.1.0078",
            "PolycomSoundPointIP",
            "SPIP_335",
            "3.2.1.0078",
            None,
        ),
    ] {
        let found = catalog.user_agent(text).unwrap_or_else(|| panic!("{text}"));
        let version_found = found.version.to_string();
        assert_eq!((found.family, found.token, version_found.as_str(), found.stage), (family, token, version, stage));
    }
}

#[test]
fn other_user_agents_say_nothing() {
    for text in [
        "",
        "curl/8.0",
        "FileTransport ",
        "FileTransport PolycomVVX-VVX_500-UA/",
        "FileTransport PolycomVVX-VVX_500-UA/5.9 Type/Other",
        "Microbrowser/1.1 PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application",
    ] {
        assert_eq!(catalog().user_agent(text), None, "{text}");
    }
}

#[test]
fn a_written_user_agent_is_the_recorded_one() {
    let catalog = catalog();
    let rules = catalog.phone_rules();
    let model = catalog.model("vvx500").unwrap();

    let application = &model.firmware.reference.value;
    let updater = Program { stage: BootStage::Updater, version: &model.firmware.reference_updater.value, application };
    let updater = rules.user_agent_of(model, updater, None);
    assert_eq!(updater, "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater");

    let model = catalog.model("spip550").unwrap();
    let version = &model.firmware.reference.value;
    let application = Program { stage: BootStage::Application, version, application: version };
    let application = rules.user_agent_of(model, application, Some("0004a1000002"));
    assert_eq!(
        application,
        "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application"
    );
}

#[test]
fn old_firmware_does_not_say_which_program_asks() {
    let catalog = catalog();
    let agent = |id: &str, stage, (version, application): (&str, &str)| {
        let (version, application): (Version, Version) = (version.parse().unwrap(), application.parse().unwrap());
        let program = Program { stage, version: &version, application: &application };
        catalog.phone_rules().user_agent_of(catalog.model(id).unwrap(), program, None)
    };

    let bootrom = agent("spip550", BootStage::Updater, ("4.1.0", "3.2.1.0078"));
    let application = agent("spip550", BootStage::Application, ("3.2.1.0078", "3.2.1.0078"));
    let early = agent("vvx500", BootStage::Application, ("4.1.4.7430", "4.1.4.7430"));

    assert_eq!(bootrom, "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.1.0");
    assert_eq!(application, "FileTransport PolycomSoundPointIP-SPIP_550-UA/3.2.1.0078");
    assert_eq!(early, "FileTransport PolycomSoundPointIP-VVX_500-UA/4.1.4.7430 Type/Application");
    for (text, stage) in [(&application, None), (&early, Some(BootStage::Application))] {
        assert_eq!(catalog.user_agent(text).unwrap().stage, stage, "{text}");
    }
}

#[test]
fn a_phone_with_a_bootrom_boots_otherwise_than_its_model_today() {
    let catalog = catalog();
    let model = catalog.model("spip550").unwrap();
    let boot = |version: &str| catalog.boot_of(model, &version.parse().unwrap()).unwrap();

    assert_eq!(boot("4.0.15.1047").id, "soundpoint-ip");
    assert_eq!(boot("4.0").id, "soundpoint-ip");
    assert_eq!(boot("3.3.5.0247").id, "soundpoint-ip-bootrom");
    assert_eq!(boot("3.3.5.0247").steps[0].file.as_deref(), Some("{part}.bootrom.ld"));
    assert_eq!(catalog.file("2345-12500-001.bootrom.ld").unwrap().role, FileRole::Image);
}

#[test]
fn a_vvx_boots_as_recorded() {
    let catalog = catalog();
    let boot = catalog.boot(catalog.model("vvx500").unwrap()).unwrap();

    let files: Vec<&str> = boot.steps.iter().filter_map(|step| step.file.as_deref()).collect();

    assert_eq!(
        files,
        [
            "{mac}-boot.log",
            "{mac}.cfg",
            "{part}.{image}",
            "{mac}-phone.cfg",
            "{mac}-web.cfg",
            "000000000000-license.cfg",
            "{mac}-license.cfg",
            "{mac}-calls.xml",
            "{mac}-directory.xml",
            "000000000000-directory.xml",
            "{mac}-app.log"
        ]
    );
    assert_eq!(boot.steps[0].stage, BootStage::Updater);
    assert_eq!(boot.steps[1].fallback.as_deref(), Some("000000000000.cfg"));
    assert_eq!(boot.steps.last().unwrap().action, BootAction::AppendLog);
}

#[test]
fn old_phones_offer_static_rsa_only() {
    let catalog = catalog();

    let offer = |id: &str| catalog.model(id).unwrap().tls_offer.value;

    assert_eq!(offer("spip550"), TlsOffer::StaticRsaTls12);
    assert_eq!(offer("vvx500"), TlsOffer::StaticRsaTls12);
    assert_eq!(offer("vvx450"), TlsOffer::EcdheTls12);
}

#[test]
fn constants_come_widest_scope_first_and_only_for_their_phones() {
    let catalog = catalog();
    let names = |id: &str, stage: Stage| -> Vec<(String, String)> {
        let model = catalog.model(id).unwrap();
        let constants = catalog.constants(stage, model, &model.firmware.reference.value);
        assert!(constants.is_sorted_by_key(|constant| &constant.scope));
        constants.iter().map(|c| (c.parameter.clone(), c.value.clone())).collect()
    };
    let mode = |value: &str| ("prov.polling.mode".to_owned(), value.to_owned());

    assert!(names("vvx450", Stage::Configuration).contains(&mode("random")));
    assert!(names("spip550", Stage::Configuration).contains(&mode("rel")));
    assert!(names("spip550", Stage::Bootstrap).contains(&mode("rel")));
    for id in ["vvx450", "vvx500", "spip550"] {
        assert!(names(id, Stage::Bootstrap).iter().all(|(name, _)| !name.starts_with("device.")));
    }
}

#[test]
fn ztp_is_spelled_for_both_families_with_its_own_evidence() {
    let catalog = catalog();
    for (id, evidence) in [("vvx450", "public-code"), ("spip550", "inferred")] {
        let model = catalog.model(id).unwrap();
        let ztp = catalog.setting("pin.ztp", model, &model.firmware.reference.value).unwrap();
        assert_eq!((ztp.parameter.as_str(), ztp.evidence.as_str()), ("device.prov.ztpEnabled", evidence));
    }
}

#[test]
fn the_makers_authorities_are_a_root_a_policy_and_two_that_issue() {
    let catalog = catalog();

    let roles: Vec<AuthorityRole> = catalog.authorities().iter().map(|a| a.role).collect();

    assert_eq!(roles, [AuthorityRole::Root, AuthorityRole::Policy, AuthorityRole::Issuing, AuthorityRole::Issuing]);
    assert_eq!(catalog.authorities()[0].name, "Polycom Root CA");
    assert_eq!(catalog.authorities()[0].sha256[..4], [0x5a, 0x9a, 0x1f, 0x57]);
    let address = catalog.authorities()[2].address.as_deref();
    assert_eq!(address, Some("http://pki.polycom.com/pki/Polycom%20Equipment%20Issuing%20CA%201.crt"));
}

#[test]
fn a_time_zone_leads_to_its_country() {
    let catalog = catalog();

    let code = |zone| catalog.country_of_time_zone(zone).map(|country| country.code.as_str());

    assert_eq!(code("Europe/London"), Some("GB"));
    assert_eq!(code("America/Chicago"), Some("US"));
    assert_eq!(code("Atlantic/Canary"), Some("ES"));
    assert_eq!(code("Pacific/Chatham"), Some("NZ"));
    assert_eq!(code("Mars/Olympus"), None);
    assert_eq!(catalog.country("US").unwrap().time_zones[0], "America/New_York");
}

/// Whether a pattern without repetition is exactly these digits; `T` at its end may wait.
fn fits(pattern: &str, number: &str) -> bool {
    let mut rest = pattern.trim_end_matches('T');
    number.chars().all(|digit| {
        let (set, after) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((set, after)) => (set, after),
            None => rest.split_at(rest.len().min(1)),
        };
        rest = after;
        set.contains(digit)
    }) && rest.is_empty()
}

#[test]
fn every_emergency_number_completes_the_digit_map() {
    for country in catalog().countries() {
        for number in &country.emergency_numbers.value {
            let map = &country.digit_map.value;
            assert!(map.split('|').any(|pattern| fits(pattern, number)), "{number} in {}", country.code);
        }
    }
}

#[test]
fn twenty_countries_are_there() {
    let catalog = catalog();

    let codes: Vec<&str> = catalog.countries().map(|country| country.code.as_str()).collect();

    assert_eq!(codes.join(" "), "AT AU BE CA CH DE DK ES FI FR GB IE IT NL NO NZ PL PT SE US");
}

#[test]
fn the_phones_habits_are_known() {
    let catalog = catalog();
    let (master, rules, directory) = (catalog.master_file(), catalog.phone_rules(), catalog.directory());

    assert_eq!(master.element, "APPLICATION");
    assert_eq!(master.mac_variable, "[PHONE_MAC_ADDRESS]");
    assert_eq!((rules.set_all.value.as_str(), rules.set_suffix.value.as_str()), ("device.set", ".set"));
    assert!(rules.earlier_file_wins.value);
    assert_eq!(directory.label_max_bytes, 40);
}

#[test]
fn a_choice_about_the_network_is_spelled_in_words_and_numbers() {
    let catalog = catalog();
    let rules = catalog.network_rules();

    for (value, choice) in [
        ("Static", Some(BootServerChoice::Static)),
        ("static", Some(BootServerChoice::Static)),
        ("2", Some(BootServerChoice::Static)),
        ("Custom+Opt66", Some(BootServerChoice::CustomAnd66)),
        ("0", Some(BootServerChoice::Option66)),
        ("4", None),
        ("", None),
    ] {
        assert_eq!(rules.boot_server_choice(value), choice, "{value}");
    }
    assert_eq!(rules.boot_server_word(BootServerChoice::CustomAnd66), Some("Custom+Opt66"));
    assert_eq!(rules.vlan.discovery("fixed"), Some(VlanDiscovery::Fixed));
    assert_eq!(rules.custom_option.value, 160);
}
