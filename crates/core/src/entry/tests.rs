use super::*;
use crate::facts::SipTransport;
use crate::facts::{BoundDevice, Contact, PhonePasswords, Pin, SiteFacts, UserFacts};
use crate::ids::DeviceId;
use crate::render::{Target, configuration, directory, settings_document};
use crate::secret::Secret;
use proptest::prelude::*;

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
const ACCOUNT: &str = "account_01jd0ck3v80000000000000000";
const SITE: &str = "site_01jd0ck3v80000000000000000";

fn catalog() -> Catalog {
    Catalog::built_in().unwrap()
}

fn site() -> SiteInput {
    SiteInput {
        account: ACCOUNT.to_owned(),
        name: "Vienna".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        country: None,
        language: Some("de-AT".to_owned()),
        sip_servers: vec![server("sip.example.com", None)],
        vlan: Some(100),
        voicemail: Some("*97".to_owned()),
        emergency_address: Some("Main Street 1, floor 3, Vienna".to_owned()),
    }
}

fn server(host: &str, transport: Option<&str>) -> SipServerInput {
    SipServerInput { host: host.to_owned(), port: None, transport: transport.map(str::to_owned) }
}

fn user() -> UserInput {
    UserInput {
        site: SITE.to_owned(),
        name: "Ann".to_owned(),
        extension: "1001".to_owned(),
        email: Some("ann@example.com".to_owned()),
        language: Some("de-AT".to_owned()),
        lines: vec![line("1001", Some("s3cret"))],
    }
}

fn line(user: &str, password: Option<&str>) -> LineInput {
    LineInput { user: user.to_owned(), password: password.map(str::to_owned), auth_user: None }
}

fn device() -> DeviceInput {
    DeviceInput {
        account: ACCOUNT.to_owned(),
        model: "vvx450".to_owned(),
        user: None,
        mac: Some("00:04:F2:A1:B2:C3".to_owned()),
    }
}

/// The one fault of an entry.
fn only<T: std::fmt::Debug>(result: Result<T, FieldErrors>) -> FieldError {
    let mut errors = result.unwrap_err().0;
    let error = errors.pop().unwrap();
    assert_eq!(errors, [], "more than one fault");
    error
}

fn site_fault(change: impl FnOnce(&mut SiteInput)) -> FieldError {
    let mut input = site();
    change(&mut input);
    only(input.check(&catalog(), NOW))
}

fn user_fault(change: impl FnOnce(&mut UserInput)) -> FieldError {
    let mut input = user();
    change(&mut input);
    only(input.check(&catalog()))
}

fn device_fault(change: impl FnOnce(&mut DeviceInput)) -> FieldError {
    let mut input = device();
    change(&mut input);
    only(input.check(&catalog()))
}

fn says(error: &FieldError, field: &str, part: &str) {
    assert!(error.field == field && error.message.contains(part), "wanted `{field}` with `{part}`, got {error:?}");
}

#[test]
fn good_entries_pass_with_their_defaults() {
    let catalog = catalog();

    let (site, user, device) = (site().check(&catalog, NOW), user().check(&catalog), device().check(&catalog));

    let site = site.unwrap();
    assert_eq!(site.country.as_deref(), Some("AT"));
    assert_eq!((site.sip_servers[0].port, site.sip_servers[0].transport), (5060, SipTransport::Udp));
    assert_eq!(user.unwrap().lines[0].password.as_ref().unwrap().reveal(), "s3cret");
    assert_eq!(device.unwrap().mac.unwrap().to_string(), "0004f2a1b2c3");
}

#[test]
fn the_usual_port_follows_the_transport() {
    let mut input = site();
    input.sip_servers = ["udp", "tcp", "tls", "dns"].map(|word| server("sip.example.com", Some(word))).into();

    let ports: Vec<_> = input.check(&catalog(), NOW).unwrap().sip_servers.iter().map(|server| server.port).collect();

    assert_eq!(ports, [5060, 5060, 5061, 0]);
}

#[test]
fn each_rule_of_a_site_names_its_field_and_the_value() {
    says(&site_fault(|s| s.account = "account_1".to_owned()), "account", "`account_1`");
    says(&site_fault(|s| s.name = "  ".to_owned()), "name", "is empty");
    says(&site_fault(|s| s.name = "x".repeat(101)), "name", "has 101 characters");
    says(&site_fault(|s| s.name = "a\nb".to_owned()), "name", "U+000A");
    says(
        &site_fault(|s| (s.time_zone, s.country) = ("Vienna".to_owned(), Some("AT".to_owned()))),
        "time-zone",
        "`Vienna`",
    );
    says(&site_fault(|s| s.country = Some("ZZ".to_owned())), "country", "`ZZ`");
    says(&site_fault(|s| s.language = Some("german!".to_owned())), "language", "`german!`");
    says(&site_fault(|s| s.sip_servers = vec![server("sip example", None)]), "sip-servers[0].host", "`sip example`");
    says(&site_fault(|s| s.sip_servers[0].transport = Some("sctp".to_owned())), "sip-servers[0].transport", "`sctp`");
    says(&site_fault(|s| s.sip_servers = vec![server("a.example", None); 5]), "sip-servers", "5 servers");
    says(&site_fault(|s| s.vlan = Some(0)), "vlan", "0 is no VLAN");
    says(&site_fault(|s| s.vlan = Some(70_000)), "vlan", "70000 is no VLAN");
    says(&site_fault(|s| s.voicemail = Some("voice mail".to_owned())), "voicemail", "`voice mail`");
    says(&site_fault(|s| s.voicemail = Some(String::new())), "voicemail", "``");
    says(&site_fault(|s| s.emergency_address = Some("a\u{7}b".to_owned())), "emergency-address", "U+0007");
}

#[test]
fn each_rule_of_a_user_names_its_field_and_the_value() {
    says(&user_fault(|u| u.site = ACCOUNT.to_owned()), "site", ACCOUNT);
    says(&user_fault(|u| u.name = String::new()), "name", "is empty");
    says(&user_fault(|u| u.name = "\u{85}".to_owned() + "a"), "name", "U+0085");
    says(&user_fault(|u| u.name = "📞".repeat(90)), "name", "360 bytes");
    says(&user_fault(|u| u.extension = "10 01".to_owned()), "extension", "`10 01`");
    says(&user_fault(|u| u.extension = "1".repeat(33)), "extension", "cannot be dialed");
    says(&user_fault(|u| u.email = Some("ann".to_owned())), "email", "`ann`");
    says(&user_fault(|u| u.language = Some("german!".to_owned())), "language", "`german!`");
    says(&user_fault(|u| u.email = Some("a@b@c.example".to_owned())), "email", "`a@b@c.example`");
    says(&user_fault(|u| u.lines[0].user = "10 01".to_owned()), "lines[0].user", "`10 01`");
    says(&user_fault(|u| u.lines[0].user = "<1001>".to_owned()), "lines[0].user", "'<'");
    says(&user_fault(|u| u.lines[0].auth_user = Some(String::new())), "lines[0].auth-user", "is empty");
    says(&user_fault(|u| u.lines = vec![line("1", None); 13]), "lines", "13 lines");
}

#[test]
fn each_rule_of_a_device_and_an_account_names_its_field_and_the_value() {
    says(&device_fault(|d| d.account = SITE.to_owned()), "account", SITE);
    says(&device_fault(|d| d.model = "vvx9".to_owned()), "model", "`vvx9`");
    says(&device_fault(|d| d.user = Some("ann".to_owned())), "user", "`ann`");
    says(&device_fault(|d| d.mac = Some("00:04".to_owned())), "mac", "`00:04`");
    says(&device_fault(|d| d.mac = Some("00:00:00:00:00:00".to_owned())), "mac", "all zeros");
    let account = |name: &str| AccountInput { name: name.to_owned(), parent: None }.check(&catalog());
    says(&only(account("\t")), "name", "is empty");
    says(&only(account("a\u{0}")), "name", "U+0000");
    assert_eq!(account("שלום 📞").unwrap().name, "שלום 📞");
}

#[test]
fn a_password_at_fault_is_never_repeated() {
    for password in ["", "top\nsecret", "topsecret\u{fffe}", &"topsecret".repeat(40)] {
        let error = user_fault(|u| u.lines[0].password = Some(password.to_owned()));

        assert_eq!(error.field, "lines[0].password");
        assert!(!error.message.contains("secret"), "{error:?}");
    }
}

#[test]
fn all_faults_are_said_at_once() {
    let input = SiteInput { name: String::new(), vlan: Some(5000), voicemail: Some("a b".to_owned()), ..site() };

    let errors = input.check(&catalog(), NOW).unwrap_err();

    let fields: Vec<_> = errors.0.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["name", "vlan", "voicemail"]);
    assert!(errors.to_string().starts_with("`name` is empty; `vlan` 5000 is no VLAN"), "{errors}");
}

#[test]
fn names_of_any_script_pass_and_controls_do_not() {
    for name in ["דנה", "علي", "Zoë O'Hara & <Söhne> \"Z\"", "☎📞", "\u{200f}דנה\u{200f}"] {
        let input = UserInput { name: name.to_owned(), ..user() };
        assert_eq!(input.check(&catalog()).unwrap().name, name);
    }
    for bad in ['\n', '\r', '\t', '\u{0}', '\u{7f}', '\u{9f}', '\u{ffff}'] {
        let error = user_fault(|u| u.name = format!("a{bad}b"));
        says(&error, "name", &format!("U+{:04X}", u32::from(bad)));
    }
}

/// The checked user at the checked site, as the renderer takes it.
fn bound(model: &str, user: &NewUser, site: NewSite) -> BoundDevice {
    BoundDevice {
        device: DeviceId::mint(NOW, &mut <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(1)),
        model: model.to_owned(),
        user: Some(UserFacts { name: user.name.clone(), extension: user.extension.clone(), lines: user.lines.clone() }),
        site: Some(SiteFacts {
            name: site.name,
            time_zone: site.time_zone,
            country: site.country,
            sip_servers: site.sip_servers,
            vlan: site.vlan,
            voicemail: site.voicemail,
        }),
        passwords: Some(PhonePasswords { admin: Secret::from("12345678"), user: Secret::from("87654321") }),
        pin: Pin::Undecided,
        contacts: vec![Contact { name: user.name.clone(), extension: user.extension.clone() }],
        layers: Vec::new(),
    }
}

/// Text with what XML and phones could stumble over, often enough.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9]{1,12}", "[ -~]{1,60}", "[\"&<>' א-ת☎-☏😀-😎]{1,30}", "\\PC{1,130}", any::<String>()]
}

proptest! {
    #[test]
    fn what_was_accepted_is_rendered_and_read_back_exactly(
        name in text(), extension in "[0-9*#+]{1,8}", sip_user in text(), auth_user in proptest::option::of(text()),
        password in text(), host in "[a-z0-9.-]{1,20}", voicemail in proptest::option::of("[0-9*]{1,6}"),
    ) {
        let catalog = catalog();
        let line = LineInput { user: sip_user, auth_user, password: Some(password) };
        let user = UserInput { name, extension, lines: vec![line], ..user() }.check(&catalog);
        let site = SiteInput { sip_servers: vec![server(&host, None)], voicemail, ..site() }.check(&catalog, NOW);
        let (Ok(user), Ok(site)) = (user, site) else { return Ok(()) };

        for model in catalog.models() {
            let bound = bound(&model.id, &user, site.clone());
            let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };
            let values = configuration(target, &bound, "t.example", NOW).unwrap();
            // Writing reads the document back and compares every value.
            prop_assert!(settings_document(&catalog, &values).is_ok());
            prop_assert!(directory(&catalog, &bound.contacts).is_ok());
            let of = |parameter: &str| values.iter().find(|v| v.parameter == parameter).map(|v| v.value.as_str());
            let kept = &user.lines[0];
            prop_assert_eq!(of("reg.1.displayName"), Some(user.name.as_str()));
            prop_assert_eq!(of("reg.1.address"), Some(kept.user.as_str()));
            prop_assert_eq!(of("reg.1.auth.userId"), Some(kept.auth_user.as_deref().unwrap_or(&kept.user)));
            prop_assert_eq!(of("reg.1.auth.password"), kept.password.as_ref().map(Secret::reveal));
        }
    }
}
