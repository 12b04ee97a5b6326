use super::*;
use crate::facts::tests::{network_facts, place};
use proptest::prelude::*;

const SETTING: &str = "device.dhcp.bootSrvUseOpt";
const CODE: &str = "device.dhcp.bootSrvOpt";
const KIND: &str = "device.dhcp.bootSrvOptType";
const NAME: &str = "device.prov.serverName";
const TYPE: &str = "device.prov.serverType";

fn all_options() -> DhcpAnswer {
    DhcpAnswer::default()
        .with(66, "https://o66.example")
        .with(160, "https://o160.example")
        .with(161, "https://o161.example")
}

fn network(dhcp: DhcpAnswer) -> Network {
    Network { dhcp: Some(dhcp), ..Network::default() }
}

fn flash(pairs: &[(&str, &str)]) -> Memory {
    let device = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Memory { device, ..Memory::default() }
}

fn looked(firmware: &str, memory: &Memory, here: &Network) -> FoundServer {
    let (place, facts, firmware) = (place(), network_facts(), firmware.parse().unwrap());
    find(Told { memory, place: &place, facts, firmware: &firmware }, here).shown()
}

fn rule_and_host(pairs: &[(&str, &str)], here: &Network) -> (ServerRule, String) {
    let found = looked("5.9", &flash(pairs), here);
    (found.rule, found.address.unwrap_or_default())
}

fn option(code: u8, host: &str) -> (ServerRule, String) {
    (ServerRule::Option { code }, format!("https://{host}.example/"))
}

#[test]
fn a_phone_from_the_factory_prefers_160_and_takes_66() {
    assert_eq!(rule_and_host(&[], &network(all_options())), option(160, "o160"));
    let only_66 = network(DhcpAnswer::default().with(66, "https://o66.example").with(161, "https://o161.example"));
    assert_eq!(rule_and_host(&[], &only_66), option(66, "o66"));
}

#[test]
fn the_setting_says_which_options_are_read() {
    let here = network(all_options());
    let name = (NAME, "https://flash.example");
    for (words, expected) in [
        (["Static", "2"], (ServerRule::Static, "https://flash.example/".to_owned())),
        (["Custom", "1"], option(160, "o160")),
        (["Opt66", "0"], option(66, "o66")),
        (["Custom+Opt66", "3"], option(160, "o160")),
    ] {
        for word in words {
            assert_eq!(rule_and_host(&[name, (SETTING, word)], &here), expected, "{word}");
        }
    }
    let only_66 = network(DhcpAnswer::default().with(66, "https://o66.example"));
    assert_eq!(rule_and_host(&[name, (SETTING, "Custom")], &only_66).0, ServerRule::Flash);
    let only_160 = network(DhcpAnswer::default().with(160, "https://o160.example"));
    assert_eq!(rule_and_host(&[name, (SETTING, "Opt66")], &only_160).0, ServerRule::Flash);
}

#[test]
fn the_custom_option_is_what_a_former_provider_or_the_profile_made_it() {
    let here = network(all_options());
    let told = |pairs: &[(&str, &str)]| rule_and_host(pairs, &here);

    assert_eq!(told(&[(CODE, "161")]), option(161, "o161"));
    assert_eq!(told(&[("device.baseProfile", "Lync")]), option(161, "o161"));
    assert_eq!(told(&[("device.baseProfile", "Generic")]), option(160, "o160"));
    assert_eq!(told(&[("device.baseProfile", "Lync"), (CODE, "160")]), option(160, "o160"));
    assert_eq!(told(&[(CODE, "12")]), option(160, "o160"), "no code a custom option can have");
}

#[test]
fn an_address_of_four_bytes_is_one_only_where_the_type_says_so() {
    let here = network(DhcpAnswer::default().with(160, [192, 0, 2, 9]));
    let kept = [(NAME, "https://flash.example")];

    let by_type = [(TYPE, "HTTPS"), (KIND, "IP")];
    let expected = (ServerRule::Option { code: 160 }, "https://192.0.2.9/".to_owned());
    assert_eq!(rule_and_host(&by_type, &here), expected);
    let text = network(DhcpAnswer::default().with(160, "https://o160.example"));
    let found = looked("5.9", &flash(&[kept[0], (KIND, "0")]), &network(DhcpAnswer::default().with(160, "odd")));
    assert_eq!(found.rule, ServerRule::Flash);
    assert_eq!(found.passed_over, ["option 160 holds 3 bytes that are no IP address"]);
    assert_eq!(rule_and_host(&[(KIND, "String")], &text), option(160, "o160"));
    let bytes = looked("5.9", &flash(&kept), &network(DhcpAnswer::default().with(160, [0xff, 0xfe])));
    assert_eq!(bytes.passed_over, ["option 160 holds 2 bytes that are no text"]);
}

#[test]
fn an_unusable_custom_option_lets_66_through() {
    let here = network(DhcpAnswer::default().with(160, [0xff, 0xfe]).with(66, "https://o66.example"));

    assert_eq!(rule_and_host(&[], &here), option(66, "o66"));
}

#[test]
fn every_form_of_an_address_is_read() {
    for (text, server_type, address) in [
        ("phones.example", "HTTPS", "https://phones.example/"),
        ("phones.example/a/b", "2", "http://phones.example/a/b"),
        ("http://phones.example/a", "3", "http://phones.example/a"),
        ("https://user:secret@phones.example/a", "0", "https://phones.example/a"),
        ("http://phones.example/000000000000.cfg", "0", "http://phones.example/"),
    ] {
        let here = network(DhcpAnswer::default().with(66, text));
        assert_eq!(rule_and_host(&[(TYPE, server_type)], &here).1, address, "{text}");
    }
}

#[test]
fn a_bare_name_is_asked_by_ftp_from_the_factory_and_the_phone_says_that_it_does_not() {
    let found = looked("5.9", &flash(&[]), &network(DhcpAnswer::default().with(160, "phones.example")));

    assert_eq!((found.rule, found.address.as_ref()), (ServerRule::Option { code: 160 }, None));
    let words = found.to_string();
    assert!(words.starts_with("none (option 160 of DHCP); `phones.example` would be asked by FTP"), "{words}");
}

#[test]
fn inform_is_sent_only_when_neither_dhcp_nor_flash_names_a_server() {
    let inform = Some(DhcpAnswer::default().with(160, "https://informed.example"));
    let here = Network { dhcp: Some(DhcpAnswer::default()), inform, ..Network::default() };
    let informed = (ServerRule::Informed { code: 160 }, "https://informed.example/".to_owned());

    assert_eq!(rule_and_host(&[], &here), informed);
    assert_eq!(rule_and_host(&[(NAME, "0.0.0.0")], &here), informed);
    assert_eq!(rule_and_host(&[(NAME, "https://flash.example")], &here).0, ServerRule::Flash);
    assert_eq!(rule_and_host(&[], &Network::default()), (ServerRule::Nothing, String::new()));
    assert_eq!(rule_and_host(&[(SETTING, "Static")], &here).0, ServerRule::Nothing, "Static asks nobody");
}

#[test]
fn firmware_before_3_1_sends_inform_first() {
    let inform = Some(DhcpAnswer::default().with(160, "https://informed.example"));
    let here = Network { inform, ..Network::default() };
    let used = flash(&[(NAME, "https://flash.example")]);

    assert_eq!(looked("2.2.2", &used, &here).rule, ServerRule::Informed { code: 160 });
    assert_eq!(looked("2.2.2", &used, &Network::default()).rule, ServerRule::Flash);
    assert_eq!(looked("3.1.0", &used, &here).rule, ServerRule::Flash);
}

#[test]
fn a_phone_without_dhcp_reads_no_option() {
    let used = [("device.dhcp.enabled", "0"), (NAME, "https://flash.example")];

    assert_eq!(rule_and_host(&used, &network(all_options())).0, ServerRule::Flash);
}

proptest! {
    #[test]
    fn no_answer_of_a_dhcp_server_breaks_anything(value: Vec<u8>, kind in "IP|String", code in 60_u8..170) {
        let here = network(DhcpAnswer::default().with(code, value.clone()).with(160, value));

        let found = looked("5.9", &flash(&[(KIND, &kind)]), &here);

        prop_assert!(!found.to_string().is_empty());
    }
}
