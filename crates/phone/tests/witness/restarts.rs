//! When a phone starts again by itself.

use provost_phone::{ChangedIn, Outcome, Phone, PhoneSetup};

use crate::server::BootServer;
use crate::support::{MAC, master, nobody, phone, server_with, setup};

const MARKED: &str =
    r#"<d device.set="1" device.auth.localAdminPassword.set="1" device.auth.localAdminPassword="12345678"/>"#;

#[tokio::test]
async fn changed_device_values_cost_exactly_one_restart() {
    let server = server_with(MARKED).await;
    let mut phone = phone(&server);

    let first = phone.boot(&mut nobody()).await.unwrap();
    let again = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!((first.restarts, first.outcome), (1, Outcome::Configured));
    assert_eq!((again.restarts, again.changed), (0, false));
    assert_eq!(phone.effective()["device.auth.localAdminPassword"], "12345678");
    assert_eq!((phone.memory().boot_count, phone.memory().restart_count), (3, 1));
}

#[tokio::test]
async fn ordinary_values_restart_nothing() {
    let server = server_with(r#"<a reg.1.label="x"/>"#).await;
    let mut phone = phone(&server);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!((report.restarts, report.changed), (0, true));
}

#[tokio::test]
async fn device_values_without_both_marks_are_ignored_and_named() {
    let unmarked = r#"<d device.set="1" device.net.vlanId="5"/>"#;
    let server = server_with(unmarked).await;
    let mut phone = phone(&server);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.restarts, 0);
    assert_eq!(report.ignored, ["device.net.vlanId"]);
    assert!(!phone.effective().contains_key("device.net.vlanId"));
}

#[tokio::test]
async fn device_values_stay_in_flash_when_the_configuration_forgets_them() {
    let server = server_with(MARKED).await;
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();
    server.file("/all.cfg", "<a/>");

    let report = phone.poll(&mut nobody()).await.unwrap();

    assert_eq!(report.restarts, 0);
    assert_eq!(phone.effective()["device.auth.localAdminPassword"], "12345678");
}

#[tokio::test]
async fn a_poll_leaves_the_updater_out_until_a_restart_is_due() {
    let server = server_with("<a/>").await;
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();
    server.forget();

    phone.poll(&mut nobody()).await.unwrap();
    assert!(!server.lines().iter().any(|line| line.contains("boot.log")));

    server.file("/all.cfg", &format!("<PHONE_CONFIG>{MARKED}</PHONE_CONFIG>"));
    let report = phone.poll(&mut nobody()).await.unwrap();
    assert_eq!(report.restarts, 1);
    assert_eq!(server.lines().iter().filter(|line| line.contains("boot.log")).count(), 1);
}

fn pin(server: &str) -> String {
    let values = [
        ("device.prov.serverType", "HTTPS"),
        ("device.prov.serverName", server),
        ("device.dhcp.bootSrvUseOpt", "Static"),
    ];
    let marked: String = values.iter().map(|(name, value)| format!(r#" {name}.set="1" {name}="{value}""#)).collect();
    format!(r#"<d device.set="1"{marked}/>"#)
}

#[tokio::test]
async fn a_pinned_server_is_asked_after_the_restart_and_ever_after() {
    let (first, second) = (BootServer::start().await, BootServer::start().await);
    let bare = second.url().replace("https://", "");
    for server in [&first, &second] {
        server.file(&format!("/{MAC}.cfg"), &master("all.cfg")).file("/all.cfg", &pin(&bare));
    }
    let mut phone = phone(&first);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.restarts, 1);
    assert_eq!(phone.boot_server().unwrap(), format!("https://{bare}/"));
    assert_eq!(first.lines().iter().filter(|line| line.contains("boot.log")).count(), 1);
    assert!(second.lines().iter().any(|line| line == &format!("GET /{MAC}.cfg 200")));
    first.forget();
    phone.boot(&mut nobody()).await.unwrap();
    assert!(first.lines().is_empty());
}

#[tokio::test]
async fn two_servers_that_pin_each_other_make_a_restart_loop_that_ends() {
    let (first, second) = (BootServer::start().await, BootServer::start().await);
    for (server, other) in [(&first, &second), (&second, &first)] {
        server.file(&format!("/{MAC}.cfg"), &master("all.cfg")).file("/all.cfg", &pin(&other.url()));
    }
    let mut phone = phone(&first);

    let report = phone.boot_until_settled(&mut nobody()).await.unwrap();

    assert_eq!(report.restarts, 5);
    assert_eq!(report.outcome, Outcome::RestartLoop { changed: vec!["device.prov.serverName".to_owned()] });
    assert!(report.outcome.to_string().contains("restart loop"));
}

#[tokio::test]
async fn a_settled_phone_has_polled_once_without_a_change() {
    let server = server_with(MARKED).await;
    let mut phone = phone(&server);

    let report = phone.boot_until_settled(&mut nobody()).await.unwrap();

    assert_eq!((report.restarts, report.changed), (1, true));
    let masters = server.lines().iter().filter(|line| line.contains(&format!("/{MAC}.cfg"))).count();
    assert_eq!(masters, 3, "boot, restart, and one poll");
}

#[tokio::test]
async fn a_device_value_changed_by_hand_stays_on_the_phone() {
    let server = server_with("<a/>").await;
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();
    server.forget();

    phone.change_setting(ChangedIn::Menu, ("device.net.vlanId", "7")).await.unwrap();

    assert_eq!(phone.effective()["device.net.vlanId"], "7");
    assert!(server.lines().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_phones_boot_side_by_side() {
    let server = BootServer::start().await;
    server.file("/000000000000.cfg", &master("[PHONE_MAC_ADDRESS]-own.cfg"));
    let phones: Vec<_> = (0..16)
        .map(|number| {
            let mac = format!("0004f20001{number:02x}");
            server.file(&format!("/{mac}-own.cfg"), &format!(r#"<a reg.1.label="{mac}"/>"#));
            let setup = PhoneSetup { mac: mac.parse().unwrap(), ..setup("vvx450", &server) };
            tokio::spawn(async move {
                let mut phone = Phone::new(setup).unwrap();
                phone.boot(&mut nobody()).await.unwrap();
                (mac, phone.effective().remove("reg.1.label").unwrap())
            })
        })
        .collect();

    for phone in phones {
        let (mac, label) = phone.await.unwrap();
        assert_eq!(label, mac);
    }
}
