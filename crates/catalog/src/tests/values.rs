use super::catalog;
use crate::{Catalog, Setting, ValueError};

fn setting<'a>(catalog: &'a Catalog, id: &str) -> &'a Setting {
    catalog.settings().find(|setting| setting.id == id).unwrap()
}

#[test]
fn line_and_server_stand_where_the_maker_puts_them() {
    let catalog = catalog();

    let name = setting(&catalog, "line.server-address").parameter(2, 3);

    assert_eq!(name, "reg.2.server.3.address");
}

#[test]
fn text_is_measured_in_bytes_and_never_cut() {
    let catalog = catalog();
    let label = setting(&catalog, "line.label");

    assert_eq!(label.encode("Zoë \"&<>' שלום").unwrap(), "Zoë \"&<>' שלום");
    let error = label.encode(&"é".repeat(128)).unwrap_err();
    assert_eq!(error, ValueError::TooLong { found: 256, max: 255 });
    assert_eq!(error.to_string(), "the value is 256 bytes long, and the phone holds at most 255");
}

#[test]
fn a_phone_password_holds_digits_only() {
    let catalog = catalog();
    let password = setting(&catalog, "password.admin");

    assert_eq!(password.encode("04810231").unwrap(), "04810231");
    assert_eq!(password.encode("12a4"), Err(ValueError::Forbidden { character: 'a' }));
}

#[test]
fn an_address_holds_no_space_quote_or_bracket() {
    let catalog = catalog();
    let address = setting(&catalog, "line.address");

    assert_eq!(address.encode("1001@pbx.example").unwrap(), "1001@pbx.example");
    for character in [' ', '"', '<', '>', '\t', '\r', '\n'] {
        let value = format!("10{character}01");
        assert_eq!(address.encode(&value), Err(ValueError::Forbidden { character }));
    }
}

#[test]
fn numbers_have_bounds() {
    let catalog = catalog();
    let port = setting(&catalog, "line.server-port");

    assert_eq!(port.encode("5061").unwrap(), "5061");
    assert_eq!(port.encode("05061").unwrap(), "5061");
    let error = port.encode("65536").unwrap_err();
    assert_eq!(error, ValueError::OutOfRange { found: 65536, min: 0, max: 65535 });
    assert_eq!(port.encode("sip").unwrap_err().to_string(), "`sip` is not a whole number");
}

#[test]
fn true_and_false_are_one_and_zero() {
    let catalog = catalog();
    let register = setting(&catalog, "line.server-register");

    assert_eq!(register.encode("true").unwrap(), "1");
    assert_eq!(register.encode("1").unwrap(), "1");
    assert_eq!(register.encode("false").unwrap(), "0");
    assert_eq!(register.encode("0").unwrap(), "0");
    assert_eq!(register.encode("yes").unwrap_err().to_string(), "`yes` is neither true nor false");
}

#[test]
fn a_choice_becomes_the_makers_word() {
    let catalog = catalog();
    let transport = setting(&catalog, "line.server-transport");

    assert_eq!(transport.encode("udp").unwrap(), "UDPOnly");
    assert_eq!(transport.encode("dns").unwrap(), "DNSnaptr");
    let error = transport.encode("UDPOnly").unwrap_err();
    assert_eq!(error.to_string(), "`UDPOnly` is not one of: dns, tcp, tls, udp");
}
