//! What a phone does when time, server or certificate are not as they should be.

use provost_phone::{Event, Flash, Kept, Memory, Outcome, Pem, Phone, PhoneError, PhoneSetup};
use tokio::net::UdpSocket;

use crate::certificates::Authority;
use crate::server::BootServer;
use crate::support::{MAC, NOW, nobody, phone, server_with, setup, time_server};

#[tokio::test]
async fn the_time_server_sets_the_clock_that_judges_certificates() {
    let server = server_with("<a/>").await;
    let time = time_server(NOW).await;
    let mut phone = Phone::new(PhoneSetup { sntp: Some(time.to_string()), ..setup("vvx500", &server) }).unwrap();
    let mut told = Vec::new();

    let report = phone.boot(&mut |event| told.push(event)).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
    let set = Event::ClockSet { to: "2026-09-21T14:13:20.000Z".to_owned(), server: Some(time.to_string()) };
    assert!(told.contains(&set), "{told:?}");
}

#[tokio::test]
async fn without_a_time_server_the_phone_is_in_1999_and_trusts_nobody() {
    let server = server_with("<a/>").await;
    let silent = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let mut phone = Phone::new(PhoneSetup { sntp: Some(silent.to_string()), ..setup("vvx500", &server) }).unwrap();

    let error = phone.boot(&mut nobody()).await.unwrap_err();

    assert!(matches!(error, PhoneError::ClockNotSet { .. }));
    assert!(error.to_string().starts_with("SNTP Error: "), "{error}");
    assert!(error.to_string().contains("1999-01-01"), "{error}");
    assert_eq!(phone.screen().messages, ["SNTP Error"]);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_time_server_with_the_wrong_year_makes_certificates_invalid() {
    for (seconds, reason) in [(946_684_800, "not yet valid"), (2_240_000_000, "expired")] {
        let server = server_with("<a/>").await;
        let time = time_server(seconds).await;
        let mut phone = Phone::new(PhoneSetup { sntp: Some(time.to_string()), ..setup("vvx450", &server) }).unwrap();

        let error = phone.boot(&mut nobody()).await.unwrap_err();

        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_refused_in_plain_words() {
    let server = server_with("<a/>").await;
    let other = Some(Pem::Text(Authority::of_the_maker().root_pem()));
    let mut phone = Phone::new(PhoneSetup { authorities: other, ..setup("vvx500", &server) }).unwrap();

    let error = phone.boot(&mut nobody()).await.unwrap_err().to_string();

    assert!(error.contains("the server's certificate is refused: unable to get local issuer certificate"), "{error}");
    assert!(error.contains(&server.url()), "{error}");
    assert_eq!(phone.screen().messages, ["Could not contact provisioning server"]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = server_with("<a/>").await;
    let address = server.url().replace("127.0.0.1", "localhost");
    let mut phone = Phone::new(PhoneSetup { server_url: address, ..setup("vvx450", &server) }).unwrap();

    let error = phone.boot(&mut nobody()).await.unwrap_err().to_string();

    assert!(error.contains("hostname mismatch"), "{error}");
}

#[tokio::test]
async fn a_failing_server_leaves_the_cached_configuration() {
    for fault in ["/", "/0004f2000004.cfg", "/all.cfg"] {
        let server = server_with(r#"<a reg.1.label="good"/>"#).await;
        let mut phone = phone(&server);
        phone.boot(&mut nobody()).await.unwrap();
        server.fails(fault, 503);

        let report = phone.boot(&mut nobody()).await.unwrap();

        assert!(report.outcome.to_string().starts_with("kept the cached configuration: "), "{}", report.outcome);
        assert!(report.outcome.to_string().contains("503"), "{}", report.outcome);
        assert!(!server.lines().iter().any(|line| line.starts_with("GET /000000000000.cfg")), "no bootstrap for it");
        assert_eq!(phone.effective()["reg.1.label"], "good");
        assert_eq!(phone.screen().messages, ["Could not contact provisioning server"]);
    }
}

#[tokio::test]
async fn a_server_that_is_gone_leaves_the_cached_configuration() {
    let flash = Flash::in_memory();
    let server = server_with(r#"<a reg.1.label="good"/>"#).await;
    let setup = PhoneSetup { flash, ..setup("vvx500", &server) };
    Phone::new(setup.clone()).unwrap().boot(&mut nobody()).await.unwrap();
    let closed = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let mut phone = Phone::new(PhoneSetup { server_url: format!("https://{closed}"), ..setup }).unwrap();

    let report = phone.boot(&mut nobody()).await.unwrap();

    let words = report.outcome.to_string();
    assert!(words.contains("cannot be reached: cannot connect to 127.0.0.1:"), "{words}");
    assert_eq!(phone.effective()["reg.1.label"], "good");
    assert_eq!(phone.requests().iter().last().unwrap().status, None);
}

#[tokio::test]
async fn a_server_that_goes_away_before_the_last_file_leaves_the_cached_configuration() {
    for path in ["/0004f2000004.cfg", "/3111-44500-001.sip.ld", "/all.cfg"] {
        let server = server_with(r#"<a reg.1.label="good"/>"#).await;
        let with_image = r#"<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES="all.cfg"/>"#;
        server.file(&format!("/{MAC}.cfg"), with_image);
        let mut phone = phone(&server);
        phone.boot(&mut nobody()).await.unwrap();
        server.file("/all.cfg", r#"<a reg.1.label="new"/>"#).hangs_up(path);

        let report = phone.boot(&mut nobody()).await.unwrap();

        assert!(matches!(report.outcome, Outcome::KeptCached(Kept::Unreachable { .. })), "{path}: {}", report.outcome);
        assert_eq!(phone.effective()["reg.1.label"], "good", "{path}");
    }
}

#[tokio::test]
async fn a_server_that_goes_away_after_the_last_file_has_configured_the_phone() {
    let server = server_with(r#"<a reg.1.label="new"/>"#).await;
    server.hangs_up("/0004f2000004-web.cfg");
    let mut phone = phone(&server);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
    assert_eq!(phone.effective()["reg.1.label"], "new");
}

#[tokio::test]
async fn trouble_that_has_passed_leaves_the_screen() {
    let server = server_with("<a/>").await;
    let mut phone = phone(&server);
    server.fails("/", 500);
    phone.boot(&mut nobody()).await.unwrap();
    assert!(!phone.screen().messages.is_empty());

    server.fails("/nothing", 500);
    phone.poll(&mut nobody()).await.unwrap();

    assert!(phone.screen().messages.is_empty());
}

#[tokio::test]
async fn a_flash_of_another_phone_is_refused() {
    let server = BootServer::start().await;
    let flash = Flash::in_memory();
    flash.store(&Memory { mac: "0004f2999999".to_owned(), model: "vvx450".to_owned(), ..Memory::default() }).unwrap();

    let Err(error) = Phone::new(PhoneSetup { flash, ..setup("vvx500", &server) }) else { panic!("taken") };

    assert!(error.to_string().contains(&format!("belongs to phone 0004f2999999 (vvx450), not to {MAC} (vvx500)")));
}

#[tokio::test]
async fn unusable_setups_are_refused_with_what_to_do() {
    let server = BootServer::start().await;
    let refused = |setup| match Phone::new(setup) {
        Ok(_) => panic!("taken"),
        Err(error) => error.to_string(),
    };

    let unknown = refused(PhoneSetup { model: "vvx9000".to_owned(), ..setup("vvx500", &server) });
    assert!(unknown.contains("model `vvx9000` is not in the catalog"), "{unknown}");
    let version = refused(PhoneSetup { firmware: Some("new".to_owned()), ..setup("vvx500", &server) });
    assert!(version.contains("`new` is not a version"), "{version}");
    let empty = refused(PhoneSetup { authorities: Some(Pem::Text(Vec::new())), ..setup("vvx500", &server) });
    assert!(empty.contains("no certificate in it"), "{empty}");
}

#[tokio::test]
async fn a_phone_with_another_firmware_says_so() {
    let server = server_with("<a/>").await;
    let setup = PhoneSetup { firmware: Some("5.9.8.5760".to_owned()), ..setup("vvx500", &server) };

    Phone::new(setup).unwrap().boot(&mut nobody()).await.unwrap();

    let agents: Vec<String> = server.seen().into_iter().map(|seen| seen.user_agent).collect();
    assert!(agents.contains(&"FileTransport PolycomVVX-VVX_500-UA/5.9.8.5760 Type/Application".to_owned()));
}
