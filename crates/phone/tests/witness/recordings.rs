//! Recorded boots of real phones, replayed line by line (domain notes 1.2; MAC addresses changed).
//!
//! The expected lines are typed from the recordings, not made from the catalog: every request, in order, with its
//! status and its User-Agent.

use std::collections::BTreeMap;

use provost_catalog::Catalog;
use provost_phone::{Flash, Memory, Outcome, Phone, PhoneSetup};

use crate::server::BootServer;
use crate::support::{nobody, setup};

/// Every request a server saw, with its User-Agent; nothing is left out.
fn seen(server: &BootServer) -> Vec<(String, String)> {
    server.seen().into_iter().map(|seen| (seen.line, seen.user_agent)).collect()
}

fn lines(text: &str) -> Vec<(String, String)> {
    text.trim()
        .lines()
        .map(|line| line.split_once(" UA: ").unwrap())
        .map(|(a, b)| (a.trim().to_owned(), b.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_soundpoint_550_boots_as_recorded() {
    const MAC: &str = "0004a1000002";
    let server = BootServer::start().await;
    server.file("/000000000000.cfg", r#"<APPLICATION APP_FILE_PATH="" CONFIG_FILES="[PHONE_MAC_ADDRESS]-user.cfg"/>"#);
    let page = format!("{}/{MAC}-mb.cfg", server.url());
    server.file(&format!("/{MAC}-user.cfg"), &format!(r#"<PHONE mb.idleDisplay.home="{page}"/>"#));
    server.file(&format!("/{MAC}-mb.cfg"), "<html/>");
    let flash = Flash::in_memory();
    let tagged = BTreeMap::from([("device.prov.tagSerialNo".to_owned(), "1".to_owned())]);
    let memory = Memory { mac: MAC.to_owned(), model: "spip550".to_owned(), device: tagged, ..Memory::default() };
    flash.store(&memory).unwrap();
    let setup = PhoneSetup { mac: MAC.parse().unwrap(), flash, ..setup("spip550", &server) };
    let mut phone = Phone::new(setup).unwrap();

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
    assert_eq!(seen(&server), lines("
GET /0004a1000002.cfg 404 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
GET /000000000000.cfg 200 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
GET /0004a1000002-user.cfg 200 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
GET /0004a1000002-phone.cfg 404 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
GET /0004a1000002-web.cfg 404 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
GET /000000000000-license.cfg 404 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
PUT /0004a1000002-app.log 404 UA: FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application
GET /0004a1000002-mb.cfg 200 UA: Microbrowser/1.1 PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application
"));
    let shown: Vec<bool> = server.seen().iter().map(|seen| seen.client.is_some()).collect();
    assert_eq!(shown.iter().filter(|shown| !**shown).count(), 1);
    assert_eq!(shown.last(), Some(&false), "the browser never shows the factory certificate");
}

#[tokio::test]
async fn a_vvx_500_boots_as_recorded() {
    const MAC: &str = "0004f2000004";
    let server = BootServer::start().await;
    let image = "3111-44500-001.sip.ld";
    server.file(&format!("/{MAC}.cfg"), &format!(r#"<APPLICATION APP_FILE_PATH="{image}" CONFIG_FILES=""/>"#));
    // The recording keeps no statuses. Only an answer explains that the plain name is not asked for next.
    server.file(&format!("/3111-44500-001.{image}"), "image");
    server.takes(&format!("/{MAC}-app.log"), 201);
    let mut phone = Phone::new(setup("vvx500", &server)).unwrap();

    phone.boot(&mut nobody()).await.unwrap();

    let updater = "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater";
    let application = "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application";
    let expected = [
        ("PUT /0004f2000004-boot.log 404", updater),
        ("GET /0004f2000004.cfg 200", application),
        ("GET /3111-44500-001.3111-44500-001.sip.ld 200", application),
        ("GET /0004f2000004-phone.cfg 404", application),
        ("GET /0004f2000004-web.cfg 404", application),
        ("GET /000000000000-license.cfg 404", application),
        ("GET /0004f2000004-license.cfg 404", application),
        ("GET /0004f2000004-calls.xml 404", application),
        ("GET /0004f2000004-directory.xml 404", application),
        ("GET /000000000000-directory.xml 404", application),
        ("HEAD /0004f2000004-app.log 404", application),
        ("PUT /0004f2000004-app.log 201", application),
    ];
    assert_eq!(seen(&server), expected.map(|(line, agent)| (line.to_owned(), agent.to_owned())));
    let own: Vec<String> = phone.requests().iter().map(|record| record.summary()).collect();
    assert_eq!(own, server.lines(), "the phone's own record is what the server saw");
}

#[tokio::test]
async fn every_model_of_the_catalog_boots_and_shows_its_whole_chain() {
    for model in Catalog::built_in().unwrap().models() {
        let server = BootServer::start().await;
        server.file("/000000000000.cfg", r#"<APPLICATION APP_FILE_PATH="" CONFIG_FILES=""/>"#);
        let mut phone = Phone::new(setup(&model.id, &server)).unwrap();

        let report = phone.boot(&mut nobody()).await.unwrap();

        assert_eq!(report.outcome, Outcome::Configured, "{}", model.id);
        for seen in server.seen() {
            assert_eq!(seen.client, Some(("0004F2000004".to_owned(), 1)), "{}: {}", model.id, seen.line);
            assert!(seen.host.starts_with("127.0.0.1:"), "{}", seen.host);
        }
    }
}

#[tokio::test]
async fn old_phones_offer_nothing_but_static_rsa() {
    for (model, static_rsa) in [("spip550", true), ("vvx500", true), ("vvx450", false)] {
        let server = BootServer::start().await;
        let mut phone = Phone::new(setup(model, &server)).unwrap();

        phone.boot(&mut nobody()).await.unwrap();

        let cipher = &server.seen()[0].cipher;
        assert_eq!(!cipher.starts_with("ECDHE-"), static_rsa, "{model} {cipher}");
        assert!(!cipher.starts_with("TLS_"), "{model} {cipher} is of TLS 1.3");
    }
}

#[tokio::test]
async fn an_image_is_asked_for_by_part_number_and_then_by_its_plain_name() {
    let server = BootServer::start().await;
    server.file("/000000000000.cfg", r#"<APPLICATION APP_FILE_PATH="images/sip.ld" CONFIG_FILES=""/>"#);
    let mut phone = Phone::new(setup("vvx450", &server)).unwrap();

    phone.boot(&mut nobody()).await.unwrap();

    let images: Vec<String> = server.lines().into_iter().filter(|line| line.contains(".ld")).collect();
    assert_eq!(images, ["GET /images/3111-48840-001.sip.ld 404", "GET /images/sip.ld 404"]);
}

#[tokio::test]
async fn every_line_of_firmware_names_itself_in_its_own_way() {
    // The forms of domain notes 1.4 and 10a, with the models of this catalog.
    for (model, firmware, first, last) in [
        (
            "spip550",
            "3.2.1.0078",
            "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.1.0",
            "FileTransport PolycomSoundPointIP-SPIP_550-UA/3.2.1.0078",
        ),
        (
            "spip550",
            "4.0.3.7562",
            "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.3.7562 Type/Application",
            "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.3.7562 Type/Application",
        ),
        (
            "vvx500",
            "4.1.4.7430",
            "FileTransport PolycomSoundPointIP-VVX_500-UA/5.9.7.47435 Type/Updater",
            "FileTransport PolycomSoundPointIP-VVX_500-UA/4.1.4.7430 Type/Application",
        ),
        (
            "vvx500",
            "5.9.6.2327",
            "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater",
            "FileTransport PolycomVVX-VVX_500-UA/5.9.6.2327 Type/Application",
        ),
        (
            "vvx450",
            "5.9.1.0615",
            "FileTransport PolycomVVX-VVX_450-UA/6.4.7.3828 Type/Updater",
            "FileTransport PolycomVVX-VVX_450-UA/5.9.1.0615 Type/Application",
        ),
        (
            "vvx450",
            "6.4.7.4560",
            "FileTransport PolycomVVX-VVX_450-UA/6.4.7.3828 Type/Updater",
            "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application",
        ),
    ] {
        let server = BootServer::start().await;
        server.file("/000000000000.cfg", r#"<APPLICATION APP_FILE_PATH="" CONFIG_FILES=""/>"#);
        let setup = PhoneSetup { firmware: Some(firmware.to_owned()), ..setup(model, &server) };

        Phone::new(setup).unwrap().boot(&mut nobody()).await.unwrap();

        let seen = seen(&server);
        assert_eq!((seen[0].1.as_str(), seen.last().unwrap().1.as_str()), (first, last), "{model} {firmware}");
    }
}
