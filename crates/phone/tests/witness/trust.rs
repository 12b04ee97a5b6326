//! Whom a phone trusts as a server, as its flash says.

use provost_phone::{Flash, Memory, Outcome, Pem, Phone, PhoneError, PhoneSetup};

use crate::certificates::Authority;
use crate::server::BootServer;
use crate::support::{MAC, master, nobody, server_with, setup};

/// A phone whose makers knew another authority than the server's, with these values in its flash.
fn phone(server: &BootServer, device: &[(&str, &str)], url: String) -> Phone {
    let flash = Flash::in_memory();
    let device = device.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let memory = Memory { mac: MAC.to_owned(), model: "vvx500".to_owned(), device, ..Memory::default() };
    flash.store(&memory).unwrap();
    let authorities = Some(Pem::Text(Authority::of_the_maker().root_pem()));
    Phone::new(PhoneSetup { authorities, flash, server_url: url, ..setup("vvx500", server) }).unwrap()
}

fn root() -> String {
    String::from_utf8(Authority::of_servers().root_pem()).unwrap()
}

async fn comes_up(device: &[(&str, &str)]) -> bool {
    let server = server_with("<a/>").await;
    match phone(&server, device, server.url()).boot(&mut nobody()).await {
        Ok(report) => report.outcome == Outcome::Configured,
        Err(PhoneError::ServerCertificate { .. }) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_authority_that_was_loaded_into_the_phone_is_trusted() {
    let loaded = ("device.sec.TLS.customCaCert1", root());
    let list = "device.sec.TLS.profile.caCertList1";
    let second = ("device.sec.TLS.customCaCert2", root());

    assert!(!comes_up(&[]).await);
    assert!(comes_up(&[(loaded.0, &loaded.1)]).await);
    assert!(comes_up(&[(loaded.0, &loaded.1), (list, "All")]).await);
    assert!(!comes_up(&[(loaded.0, &loaded.1), (list, "BuiltIn")]).await);
    assert!(comes_up(&[(second.0, &second.1), (list, "Platform2")]).await);
    assert!(!comes_up(&[(second.0, &second.1), (list, "Platform1")]).await);
}

#[tokio::test]
async fn line_breaks_that_became_blanks_and_a_bare_body_change_nothing() {
    let blanks = root().replace('\n', " ");
    let body: String = root().lines().filter(|line| !line.starts_with('-')).collect();

    assert!(comes_up(&[("device.sec.TLS.customCaCert1", &blanks)]).await);
    assert!(comes_up(&[("device.sec.TLS.customCaCert1", &body)]).await);
    assert!(!comes_up(&[("device.sec.TLS.customCaCert1", "no certificate")]).await);
}

#[tokio::test]
async fn an_authority_a_configuration_loads_counts_after_the_restart_it_causes() {
    let loads = |server: &str| {
        let values = [
            ("device.sec.TLS.customCaCert1", root()),
            ("device.prov.serverName", server.to_owned()),
            ("device.dhcp.bootSrvUseOpt", "Static".to_owned()),
        ];
        let marked: String =
            values.iter().map(|(name, value)| format!(r#" {name}.set="1" {name}="{value}""#)).collect();
        format!(r#"<d device.set="1"{marked}/>"#)
    };
    let ours = BootServer::start().await;
    let first = BootServer::start_as(Authority::server_of_the_maker()).await;
    for server in [&ours, &first] {
        server.file("/000000000000.cfg", &master("all.cfg")).file("/all.cfg", &loads(&ours.url()));
    }
    let mut phone = phone(&first, &[], first.url());

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!((report.outcome, report.restarts), (Outcome::Configured, 1));
    assert!(ours.lines().contains(&"GET /all.cfg 200".to_owned()));
}

#[tokio::test]
async fn a_phone_told_so_takes_a_certificate_of_any_name() {
    let server = server_with("<a/>").await;
    let elsewhere = server.url().replace("127.0.0.1", "localhost");
    let root = root();
    let loaded = ("device.sec.TLS.customCaCert1", root.as_str());
    let lenient = ("device.sec.TLS.prov.strictCertCommonNameValidation", "0");

    let refused = phone(&server, &[loaded], elsewhere.clone()).boot(&mut nobody()).await.unwrap_err();
    assert!(refused.to_string().contains("hostname mismatch"), "{refused}");
    let report = phone(&server, &[loaded, lenient], elsewhere).boot(&mut nobody()).await.unwrap();
    assert_eq!(report.outcome, Outcome::Configured);
}
