use crate::{Catalog, Version, WebFieldKind, WebLogin, WebPageKind};

fn catalog() -> Catalog {
    Catalog::built_in().unwrap()
}

#[test]
fn every_firmware_has_one_way_to_know_who_asks() {
    let catalog = catalog();
    let known = |firmware: &str| catalog.web_generation(&firmware.parse::<Version>().unwrap()).unwrap();

    assert_eq!(known("4.0.15.1047").login, WebLogin::BasicCookie);
    assert_eq!((known("5.9.6.2327").login, known("5.9.6.2327").new_password), (WebLogin::Session, false));
    assert!(known("5.9.8.5760").new_password && known("6.4.7.4560").tls_only && known("8.3.1.0614").anti_csrf);
}

#[test]
fn the_address_of_the_server_has_the_number_that_was_read() {
    let catalog = catalog();
    let first = catalog.web_generation(&"5.9.6.2327".parse().unwrap()).unwrap().first_field;

    let mut fields = catalog.web_pages().iter().flat_map(|page| &page.fields);
    let at = fields.position(|field| field.parameter == "device.prov.serverName").unwrap();

    assert_eq!(first + u32::try_from(at).unwrap(), 444);
}

#[test]
fn a_page_has_fields_exactly_when_it_is_for_settings_and_a_default_is_a_choice() {
    for page in catalog().web_pages() {
        assert_eq!(page.does == WebPageKind::Settings, !page.fields.is_empty(), "{}", page.id);
        for field in &page.fields {
            let WebFieldKind::Choice(choices) = &field.kind else { continue };
            let known = |default: &String| choices.iter().any(|choice| choice.value == *default);
            assert!(field.default.as_ref().is_none_or(known), "{}", field.parameter);
        }
    }
}

#[test]
fn a_configuration_may_write_a_choice_in_several_ways() {
    let catalog = catalog();
    let mut fields = catalog.web_pages().iter().flat_map(|page| &page.fields);
    let field = fields.find(|field| field.parameter == "device.dhcp.bootSrvUseOpt").unwrap();
    let WebFieldKind::Choice(choices) = &field.kind else { panic!("no choice") };

    let meant = |text: &str| choices.iter().find(|choice| choice.is(text)).map(|choice| choice.value.as_str());

    for (text, value) in [("Static", "2"), ("static", "2"), ("2", "2"), ("CustomAndDefault", "3"), ("Opt66", "0")] {
        assert_eq!(meant(text), Some(value), "{text}");
    }
    assert_eq!(meant("Dynamic"), None);
}
