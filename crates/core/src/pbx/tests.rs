use super::*;

fn from(agent: Option<&str>, instance: Option<&str>) -> Registration {
    let text = |text: Option<&str>| text.map(ToOwned::to_owned);
    Registration { line: "1001".to_owned(), agent: text(agent), instance: text(instance), ..Registration::default() }
}

fn mac(text: &str) -> Option<MacAddr> {
    MacAddr::from_hex12(text)
}

#[test]
fn a_phone_that_tags_its_name_is_told_by_its_mac() {
    for agent in [
        "PolycomVVX-VVX_310-UA/4.1.4.7430_0004f2abcdef",
        "PolycomVVX-VVX_500-UA/5.9.7.4477 (SN:0004f2abcdef)",
        "Polycom/5.5.2.8571 PolycomVVX-VVX_310-UA/5.5.2.8571_0004F2ABCDEF",
    ] {
        assert_eq!(from(Some(agent), None).mac(), mac("0004f2abcdef"), "{agent}");
    }
    for agent in ["PolycomVVX-VVX_310-UA/5.3.0.12768", "Yealink SIP-T46S 66.84.0.15", "baresip v1.0.0", "_", "(SN:"] {
        assert_eq!(from(Some(agent), None).mac(), None, "{agent}");
    }
}

#[test]
fn an_instance_that_ends_in_a_mac_names_the_phone_too() {
    let instance = "\"<urn:uuid:00000000-0000-1000-8000-0004F2ABCDEF>\"";

    assert_eq!(from(Some("PolycomVVX-VVX_310-UA/5.3.0.12768"), Some(instance)).mac(), mac("0004f2abcdef"));
    assert_eq!(from(None, Some("<urn:uuid:>")).mac(), None);
}

#[test]
fn the_user_of_an_address_is_found_however_it_is_written() {
    for address in ["1001", "1001@pbx.example.com", "sip:1001@10.0.0.1:5060;transport=tcp", "<sips:1001@x>"] {
        assert_eq!(line_of(address), "1001", "{address}");
    }
    assert_eq!(domain_of("sip:1001@pbx.example.com:5060;x=y"), Some("pbx.example.com"));
    assert_eq!(domain_of("1001"), None);
}

#[test]
fn of_phones_with_one_line_the_one_that_names_itself_is_known_and_the_others_are_said_not_to_be() {
    let tagged = from(Some("PolycomVVX-VVX_310-UA/4.1.4.7430_0004f2abcdef"), None);
    let untagged = from(Some("PolycomVVX-VVX_310-UA/5.3.0.12768"), None);
    let (this, other) = (mac("0004f2abcdef"), mac("0004f2000001"));

    assert_eq!(whose(&[], this, 1), Whose::Nobody);
    assert_eq!(whose(&[&untagged], this, 1), Whose::This(&untagged));
    assert_eq!(whose(&[&untagged], this, 2), Whose::Unknown(&untagged, 2));
    assert_eq!(whose(&[&untagged, &tagged], this, 2), Whose::This(&tagged));
    assert_eq!(whose(&[&tagged], other, 2), Whose::Others);
}

#[test]
fn what_only_asks_holds_nothing_that_could_be_sent() {
    let asks = Registration::out_of_reach("1002");

    assert_eq!(asks.line, "1002");
    assert!(!is_plain(&asks.contact) && !is_plain(&asks.way.address_of_record));
    assert_eq!(asks.way.call_id, None);
}

#[test]
fn addresses_of_the_inside_are_known_however_they_are_written() {
    for (text, wanted) in [
        ("127.0.0.1", Standing::Loopback),
        ("::1", Standing::Loopback),
        ("::ffff:127.0.0.1", Standing::Loopback),
        ("10.1.2.3", Standing::Private),
        ("172.31.0.1", Standing::Private),
        ("192.168.0.1", Standing::Private),
        ("100.64.0.1", Standing::Private),
        ("fd00::1", Standing::Private),
        ("64:ff9b::10.0.0.1", Standing::Private),
        ("2002:a00:1::1", Standing::Private),
        ("169.254.169.254", Standing::LinkLocal),
        ("fe80::1", Standing::LinkLocal),
        ("0.0.0.0", Standing::Special),
        ("::", Standing::Special),
        ("::7f00:1", Standing::Special),
        ("224.0.0.1", Standing::Special),
        ("255.255.255.255", Standing::Special),
        ("ff02::1", Standing::Special),
        ("8.8.8.8", Standing::Public),
        ("172.32.0.1", Standing::Public),
        ("2001:db8::1", Standing::Public),
        ("2606:4700::1", Standing::Public),
    ] {
        assert_eq!(standing(text.parse().unwrap()), wanted, "{text}");
    }
}
