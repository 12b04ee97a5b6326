//! What the network tells the phone, and how its display shows it.

use std::time::Duration;

use provost_phone::{DhcpAnswer, Handset, Key, Network, Pace, PhoneSetup, ServerRule};
use tokio::time::Instant;

use crate::handset::Held;
use crate::server::BootServer;
use crate::support::{MAC, master, setup, time_server};

const NOW: i64 = 1_790_000_000;

/// A network whose time server works and whose option 160 may name a server.
async fn network(server: Option<&BootServer>) -> Network {
    let time = time_server(NOW).await;
    let answer = DhcpAnswer::default().with(42, [127, 0, 0, 1]);
    let answer = server.into_iter().fold(answer, |answer, server| answer.with(160, server.url()));
    Network { dhcp: Some(answer), time_port: Some(time.port()), ..Network::silent() }
}

/// Types `server` into the setup as the boot server, and starts the phone with it.
async fn point_at(held: &Held, server: &BootServer) {
    held.open_setup().await;
    held.select("Provisioning Server").await;
    held.go_to("Server Type").await;
    held.soft("Edit").await;
    held.phone.press(Key::Left).await;
    held.phone.press(Key::Left).await;
    held.soft("OK").await;
    held.select("Server Address").await;
    held.type_text(&server.url().replace("https://", "")).await;
    held.soft("OK").await;
    held.soft("Exit").await;
    held.soft("Exit").await;
    held.select("Save & Reboot").await;
}

/// A phone whose flash still names a former provider.
async fn former(former: &BootServer, option: &BootServer) -> Held {
    let network = Some(network(Some(option)).await);
    let held = Held::new(PhoneSetup { network, ..setup("vvx500", former) });
    point_at(&held, former).await;
    held
}

async fn two_servers() -> (BootServer, BootServer) {
    let (old, new) = (BootServer::start().await, BootServer::start().await);
    for (server, label) in [(&old, "Former"), (&new, "Activate")] {
        let line = format!(r#"<a reg.1.address="x" reg.1.label="{label}"/>"#);
        server.file(&format!("/{MAC}.cfg"), &master("all.cfg")).file("/all.cfg", &line);
    }
    (old, new)
}

#[tokio::test]
async fn an_option_leads_the_phone_until_it_is_gone() {
    let (old, new) = two_servers().await;
    let held = former(&old, &new).await;
    held.until_shown("Activate").await;
    let rule = held.phone.view().await.boot_server_from.rule;
    assert_eq!(rule, ServerRule::Option { code: 160 });

    held.phone.connect(Some(network(None).await)).await;
    held.phone.unplug().await;
    held.phone.plug_in().await;

    held.until_shown("Former").await;
    assert_eq!(held.phone.view().await.boot_server_from.rule, ServerRule::Flash);
}

#[tokio::test]
async fn where_no_option_comes_the_server_typed_into_the_setup_is_asked() {
    let (typed, _other) = two_servers().await;
    let network = Some(network(None).await);
    let unused = BootServer::start().await;
    let held = Held::new(PhoneSetup { network, ..setup("vvx500", &unused) });

    point_at(&held, &typed).await;

    held.until_shown("Former").await;
    assert_eq!(held.phone.view().await.boot_server_from.rule, ServerRule::Flash);
}

#[tokio::test]
async fn a_new_update_can_be_put_off_and_taken() {
    let (old, new) = two_servers().await;
    let held = former(&old, &new).await;
    held.until("the notice", |face| face.pop_up.is_some()).await;
    assert_eq!(held.face().pop_up.as_deref(), Some("A new update is available"));
    assert!(held.face().soft_key("Update").is_some());
    held.phone.press(Key::Home).await;
    assert_eq!((held.face().pop_up, held.face().soft_key("Update")), (None, None), "a menu is nobody's notice");
    held.phone.press(Key::Home).await;
    assert!(held.face().soft_key("Update").is_some());

    held.soft("Later").await;
    assert_eq!(held.face().pop_up, None);
    held.phone.unplug().await;
    held.phone.plug_in().await;
    held.until("the notice again", |face| face.pop_up.is_some()).await;
    held.soft("Update").await;

    held.until_shown("Former").await;
}

#[tokio::test]
async fn the_phone_polls_by_itself_and_no_faster_than_it_may() {
    let server = BootServer::start().await;
    let polls = r#"<a prov.polling.enabled="1" prov.polling.mode="rel" prov.polling.period="3600"/>"#;
    server.file(&format!("/{MAC}.cfg"), &master("all.cfg")).file("/all.cfg", polls);
    let held = Handset::new(setup("vvx500", &server), Pace(3600 * 2)).unwrap();
    held.plug_in().await;
    let count = || server.lines().iter().filter(|line| line.contains(&format!("/{MAC}.cfg"))).count();

    tokio::time::timeout(Duration::from_secs(30), async {
        while count() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the phone polls");

    let (begun, before) = (Instant::now(), count());
    tokio::time::sleep(Duration::from_millis(600)).await;
    let more = u128::try_from(count() - before).unwrap();
    assert!(more <= begun.elapsed().as_millis() / 500 + 1, "an hour is half a second at this pace: {more}");
}
