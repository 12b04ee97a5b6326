//! How a phone finds its boot server, its VLAN and its time in a network, over a whole boot.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use provost_catalog::BootStage;
use provost_phone::{
    ChangedIn, DhcpAnswer, Event, Flash, FoundServer, Kept, Memory, Network, Outcome, Phone, PhoneSetup, ServerRule,
    VlanSource,
};

use crate::server::BootServer;
use crate::support::{MAC, NOW, master, nobody, server_with, setup, time_server};

/// A network whose DHCP names a time server and these options.
pub(crate) async fn network(options: &[(u8, &str)]) -> Network {
    let time = time_server(NOW).await;
    let answer = DhcpAnswer::default().with(42, [127, 0, 0, 1]);
    let answer = options.iter().fold(answer, |answer, (code, value)| answer.with(*code, *value));
    Network { dhcp: Some(answer), time_port: Some(time.port()), ..Network::default() }
}

/// A phone in `network` whose flash holds these device values; nothing was typed into it.
pub(crate) fn phone_in(network: Network, device: &[(&str, &str)], any: &BootServer) -> Phone {
    let flash = Flash::in_memory();
    let device = device.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let memory = Memory { mac: MAC.to_owned(), model: "vvx500".to_owned(), device, ..Memory::default() };
    flash.store(&memory).unwrap();
    let setup = PhoneSetup { network: Some(network), server_url: String::new(), flash, ..setup("vvx500", any) };
    Phone::new(setup).unwrap()
}

/// A server whose only configuration shows this label.
pub(crate) async fn labelled(label: &str) -> BootServer {
    server_with(&format!(r#"<a reg.1.address="1" reg.1.label="{label}"/>"#)).await
}

fn label(phone: &Phone) -> Option<String> {
    phone.effective().remove("reg.1.label")
}

#[tokio::test]
async fn an_option_of_dhcp_brings_a_phone_from_the_factory_to_its_server() {
    let server = labelled("ours").await;
    let mut phone = phone_in(network(&[(160, &server.url())]).await, &[], &server);
    let mut told = Vec::new();

    let report = phone.boot(&mut |event| told.push(event)).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
    let found = FoundServer {
        rule: ServerRule::Option { code: 160 },
        address: Some(format!("{}/", server.url())),
        passed_over: Vec::new(),
    };
    assert!(told.contains(&Event::BootServer(found.clone())), "{told:?}");
    assert_eq!((phone.found_server().rule.option(), phone.found_server()), (Some(160), found));
    assert_eq!(label(&phone).as_deref(), Some("ours"));
}

#[tokio::test]
async fn swapping_the_boot_server_setting_swaps_whom_the_phone_asks() {
    let (ours, others) = (labelled("ours").await, labelled("others").await);
    let network = network(&[(66, &others.url())]).await;
    let typed = [("device.prov.serverName", ours.url()), ("device.prov.serverType", "HTTPS".to_owned())];
    let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut phone = phone_in(network, &typed, &ours);

    phone.boot(&mut nobody()).await.unwrap();
    assert_eq!(label(&phone).as_deref(), Some("others"), "Custom+Opt66 reads the option");

    phone.change_setting(ChangedIn::Menu, ("device.dhcp.bootSrvUseOpt", "Static")).await.unwrap();
    phone.boot(&mut nobody()).await.unwrap();
    assert_eq!((label(&phone).as_deref(), phone.found_server().rule), (Some("ours"), ServerRule::Static));

    phone.change_setting(ChangedIn::Menu, ("device.dhcp.bootSrvUseOpt", "Custom+Opt66")).await.unwrap();
    phone.boot(&mut nobody()).await.unwrap();
    assert_eq!((label(&phone).as_deref(), phone.found_server().rule.option()), (Some("others"), Some(66)));
}

#[tokio::test]
async fn a_master_file_named_in_the_option_is_asked_for_first() {
    let server = labelled("ours").await;
    let address = format!("{}/000000000000.cfg", server.url());
    server.file("/000000000000.cfg", &master("all.cfg"));
    let mut phone = phone_in(network(&[(66, &address)]).await, &[], &server);

    phone.boot(&mut nobody()).await.unwrap();

    let masters: Vec<String> = server.lines().into_iter().filter(|line| line.contains("0.cfg")).collect();
    assert_eq!(masters, ["GET /000000000000.cfg 200"]);
    assert!(!server.lines().contains(&format!("GET /{MAC}.cfg 200")));
}

#[tokio::test]
async fn credentials_in_the_option_are_sent_only_when_the_server_asks_and_never_shown() {
    let server = labelled("ours").await;
    let address = server.url().replace("https://", "https://former:Sesame@");
    server.wants(r#"Digest realm="phones", nonce="n1", qop="auth""#);
    let mut phone = phone_in(network(&[(66, &address)]).await, &[], &server);
    let mut told = String::new();

    let report = phone.boot(&mut |event| told.push_str(&format!("{event:?}"))).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
    let master: Vec<_> = server.seen().into_iter().filter(|seen| seen.line.contains(&format!("/{MAC}.cfg"))).collect();
    assert_eq!(master[0].line, format!("GET /{MAC}.cfg 401"));
    assert_eq!((master[0].proof.as_str(), master[1].line.as_str()), ("", &*format!("GET /{MAC}.cfg 200")));
    assert!(master[1].proof.starts_with(r#"Digest username="former", realm="phones", nonce="n1""#));
    let shown = format!("{told} {} {:?}", phone.requests().json_lines(), phone.memory().log);
    assert!(!shown.contains("Sesame"), "{shown}");
}

#[tokio::test]
async fn a_server_that_refuses_the_credentials_leaves_the_phone_without_configuration() {
    let server = labelled("ours").await;
    server.wants("Bearer");
    let mut phone = phone_in(network(&[(66, &server.url())]).await, &[], &server);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::KeptCached(Kept::NoMasterFile));
}

#[tokio::test]
async fn inform_is_the_last_way_of_a_phone_that_nobody_told_anything() {
    let server = labelled("ours").await;
    let inform = Some(DhcpAnswer::default().with(160, server.url()));
    let mut phone = phone_in(Network { inform, ..network(&[]).await }, &[], &server);

    phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(phone.found_server().rule, ServerRule::Informed { code: 160 });
    assert_eq!(label(&phone).as_deref(), Some("ours"));
}

#[tokio::test]
async fn without_any_server_the_phone_goes_on_with_what_it_has() {
    let server = labelled("ours").await;
    let mut phone = phone_in(network(&[(160, &server.url())]).await, &[], &server);
    phone.boot(&mut nobody()).await.unwrap();
    server.forget();

    phone.connect(Some(network(&[]).await));
    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::KeptCached(Kept::NoBootServer));
    assert_eq!(phone.found_server().rule, ServerRule::Nothing);
    assert_eq!(label(&phone).as_deref(), Some("ours"));
    assert_eq!(phone.screen().messages, ["Could not contact provisioning server"]);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_bare_name_in_the_option_is_asked_by_the_phones_server_type() {
    let server = labelled("ours").await;
    let bare = server.url().replace("https://", "");
    let mut fresh = phone_in(network(&[(160, &bare)]).await, &[], &server);

    let report = fresh.boot(&mut nobody()).await.unwrap();
    let Outcome::KeptCached(Kept::Unreachable { reason }) = report.outcome else { panic!("{}", report.outcome) };
    assert!(reason.contains("asked by FTP"), "{reason}");

    fresh.change_setting(ChangedIn::Menu, ("device.prov.serverType", "HTTPS")).await.unwrap();
    let report = fresh.boot(&mut nobody()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Configured);
}

#[tokio::test]
async fn without_a_time_server_the_phone_shows_an_sntp_error_and_does_not_come_up() {
    let server = labelled("ours").await;
    let option = DhcpAnswer::default().with(161, server.url());
    let network = Network { dhcp: Some(option), ..Network::default() };
    let mut phone = phone_in(network.clone(), &[("device.dhcp.bootSrvOpt", "161")], &server);

    let error = phone.boot(&mut nobody()).await.unwrap_err();

    assert!(error.to_string().starts_with("SNTP Error: nobody names a time server"), "{error}");
    assert_eq!(phone.screen().messages, ["SNTP Error"]);
    assert!(phone.screen().time.starts_with("1999-01-01"));
    let time = time_server(NOW).await;
    let dhcp = network.dhcp.map(|answer| answer.with(4, [127, 0, 0, 1]));
    phone.connect(Some(Network { dhcp, time_port: Some(time.port()), ..Network::default() }));
    assert_eq!(phone.boot(&mut nobody()).await.unwrap().outcome, Outcome::Configured);
    assert!(phone.screen().messages.is_empty());
}

#[tokio::test]
async fn the_time_typed_in_counts_where_dhcp_says_none() {
    let server = labelled("ours").await;
    let time: SocketAddr = time_server(NOW).await;
    let network = Network { dhcp: Some(DhcpAnswer::default().with(160, server.url())), ..Network::default() };
    let mut phone = phone_in(network, &[("device.sntp.serverName", &time.to_string())], &server);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
}

#[tokio::test]
async fn without_time_a_phone_comes_up_over_plain_http_and_asks_whom_its_configuration_names() {
    let server = BootServer::start_plain().await;
    let time = time_server(NOW).await;
    server.file("/000000000000.cfg", &master("all.cfg"));
    server.file("/all.cfg", "<a/>");
    let network = Network { dhcp: Some(DhcpAnswer::default().with(160, server.url())), ..Network::default() };
    let mut phone = phone_in(network, &[], &server);

    let report = phone.boot(&mut nobody()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Configured, "plain HTTP needs no time");
    assert_eq!(phone.screen().messages, ["SNTP Error"]);

    server.file("/all.cfg", &format!(r#"<a tcpIpApp.sntp.address="{time}"/>"#));
    phone.poll(&mut nobody()).await.unwrap();

    assert!(phone.screen().messages.is_empty());
    assert!(phone.screen().time.starts_with("2026-09-21T14:13:2"), "{}", phone.screen().time);
}

#[tokio::test]
async fn the_options_of_the_new_vlan_count_and_those_outside_do_not() {
    let (outside, inside) = (labelled("outside").await, labelled("inside").await);
    let voice = network(&[(160, &inside.url())]).await;
    let root = network(&[(160, &outside.url()), (128, "VLAN-A=0x14;")]).await;
    let root = Network { vlans: BTreeMap::from([(20, voice)]), ..root };
    let mut phone = phone_in(root, &[], &outside);
    let mut told = Vec::new();

    phone.boot(&mut |event| told.push(event)).await.unwrap();

    assert!(told.contains(&Event::Vlan { id: 20, by: VlanSource::Option { code: 128 } }), "{told:?}");
    assert_eq!((phone.vlan(), label(&phone).as_deref()), (Some(20), Some("inside")));
    assert!(outside.seen().is_empty());
}

#[tokio::test]
async fn vlans_that_send_a_phone_in_a_circle_do_not_keep_it_from_coming_up() {
    let server = labelled("ours").await;
    let one = network(&[(160, &server.url()), (128, "VLAN-A=11;")]).await;
    let other = network(&[(160, &server.url()), (128, "VLAN-A=10;")]).await;
    let root = Network { vlans: BTreeMap::from([(10, one), (11, other.clone())]), ..other };
    let mut phone = phone_in(root, &[], &server);
    let mut told = Vec::new();

    let report = phone.boot(&mut |event| told.push(event)).await.unwrap();

    assert!(told.contains(&Event::VlanCircle { id: 10 }), "{told:?}");
    assert_eq!((phone.vlan(), report.outcome), (Some(11), Outcome::Configured));
}

#[tokio::test]
async fn a_phone_says_what_it_is_in_two_forms() {
    let server = labelled("ours").await;
    let mut phone = phone_in(network(&[]).await, &[], &server);
    let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();

    assert_eq!(words(phone.vendor_class(BootStage::Application).unwrap()), "Polycom-VVX500");

    phone.change_setting(ChangedIn::Menu, ("device.dhcp.option60Type", "Binary")).await.unwrap();
    let long = phone.vendor_class(BootStage::Application).unwrap();
    assert_eq!(long[..4], [0, 0, 0x36, 0x3d]);
    let text = words(long);
    for part in ["\u{2}\u{b}VVX-VVX_500", "\u{3}\u{e}3111-44500-001", "SIP/5.9.7.4477/", "UP/5.9.7.47435/"] {
        assert!(text.contains(part), "{part:?} in {text:?}");
    }
    assert!(!words(phone.vendor_class(BootStage::Updater).unwrap()).contains("SIP/"));
    let old = PhoneSetup { firmware: Some("3.2.1.0078".to_owned()), ..setup("spip550", &server) };
    let old = words(Phone::new(old).unwrap().vendor_class(BootStage::Updater).unwrap());
    assert!(old.contains("SoundPointIP-SPIP_550") && old.contains("BR/4.1.0/"), "{old:?}");
}

#[tokio::test]
async fn a_phone_knows_when_it_polls_next() {
    let polls = r#"<a prov.polling.enabled="1" prov.polling.mode="rel" prov.polling.period="7200"/>"#;
    let server = server_with(polls).await;
    let mut phone = phone_in(network(&[(160, &server.url())]).await, &[], &server);
    assert_eq!(phone.next_poll(), None);

    phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(phone.next_poll().map(|wait| wait.as_secs()), Some(7200));
    server
        .file("/all.cfg", r#"<a prov.polling.enabled="1" prov.polling.time="15:13" tcpIpApp.sntp.gmtOffset="3600"/>"#);
    phone.poll(&mut nobody()).await.unwrap();
    // It is 14:13:20 in Greenwich, 15:13:20 where the phone is.
    assert_eq!(phone.next_poll().map(|wait| wait.as_secs()), Some(86_400 - 20));
}
