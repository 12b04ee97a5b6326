//! The keys that reset a phone whose password nobody knows, and the MAC address as its password.

use std::time::Duration;

use proptest::prelude::*;
use provost_phone::{Key, Mac, Pace, PhoneSetup};

use crate::handset::Held;
use crate::server::BootServer;
use crate::support::setup;

/// The rows of the seeds and of the domain notes, one phone for each way it is written.
const ROWS: [(&str, &str); 9] = [
    ("vvx500", "135"),
    ("vvx301", "135"),
    ("vvx450", "135"),
    ("spip335", "1357"),
    ("ssip5000", "1357"),
    ("spip550", "468*"),
    ("vvx1500", "468*"),
    ("ssip6000", "68*"),
    ("edgee350", "135"),
];

fn keys(row: &str) -> Vec<Key> {
    row.chars().map(|sign| Key::of_dial_pad(sign).unwrap()).collect()
}

async fn phone(model: &str, mac: Mac) -> Held {
    let server = BootServer::start().await;
    Held::new(PhoneSetup { mac, ..setup(model, &server) })
}

/// Stops the phone and holds keys.
async fn hold(held: &Held, row: &str, seconds: u64) {
    held.stop().await;
    held.phone.hold(&keys(row), Duration::from_secs(seconds)).await;
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_mac_typed_on_the_keys_opens_the_reset_of_every_row(bytes in any::<[u8; 6]>(), capitals in any::<bool>()) {
        run(async {
            for (model, row) in ROWS {
                let mac = Mac::new(bytes);
                let held = phone(model, mac).await;
                hold(&held, row, 3).await;
                assert_eq!(held.face().entry.unwrap().prompt, "Enter password", "{model}");

                let label = if capitals { mac.to_string().to_uppercase() } else { mac.to_string() };
                held.type_text(&label).await;
                held.soft("OK").await;

                assert!(held.face().text().contains("Are you sure?"), "{model} {label}: {}", held.face().text());
            }
        });
    }
}

#[tokio::test]
async fn keys_of_another_model_or_too_few_open_nothing() {
    let mac: Mac = "0004f2a1b2c3".parse().unwrap();
    for row in ["1357", "468*", "35"] {
        let held = phone("vvx500", mac).await;

        hold(&held, row, 4).await;

        assert_eq!(held.face().entry, None, "{row}");
    }
}

#[tokio::test]
async fn keys_let_go_too_soon_open_nothing() {
    let server = BootServer::start().await;
    let held = Held::at_pace(setup("vvx500", &server), Pace(2));
    held.phone.plug_in().await;
    held.soft("Cancel").await;

    held.phone.hold(&keys("135"), Duration::from_millis(200)).await;

    assert_eq!(held.face().entry, None);
}

#[tokio::test]
async fn most_phones_must_be_stopped_before_the_keys_count() {
    let mac: Mac = "0004f2a1b2c3".parse().unwrap();
    for (model, opens) in [("vvx500", false), ("edgee350", true)] {
        let held = phone(model, mac).await;
        held.phone.stand_still(true).await;
        held.phone.plug_in().await;

        held.phone.hold(&keys("135"), Duration::from_secs(3)).await;

        assert_eq!(held.face().entry.is_some(), opens, "{model}");
    }
}

#[tokio::test]
async fn a_wrong_password_can_be_cancelled_and_tried_again() {
    let mac: Mac = "0004f2a1b2c3".parse().unwrap();
    let held = phone("spip550", mac).await;
    hold(&held, "468*", 4).await;
    held.type_text("123").await;
    assert_eq!(held.face().entry.unwrap().text, "***");

    held.soft("OK").await;
    assert!(held.face().text().contains("Invalid password"));
    held.soft("Cancel").await;
    assert_eq!(held.face().entry.unwrap().text, "");
    held.type_text("456").await;
    held.soft("OK").await;

    assert!(held.face().text().contains("Are you sure?"));
}

#[tokio::test]
async fn the_mac_opens_the_setup_and_nothing_of_a_ready_phone() {
    let mac: Mac = "0004f2a1b2c3".parse().unwrap();
    let held = phone("vvx500", mac).await;
    held.stop().await;
    held.soft("Setup").await;
    held.type_text("0004f2a1b2c3").await;
    held.soft("OK").await;
    assert_eq!(held.face().title, "Setup");
    held.phone.unplug().await;
    held.boot().await;
    held.phone.press(Key::Home).await;
    held.select("Settings").await;
    held.select("Advanced").await;

    held.type_text("0004f2a1b2c3").await;
    held.soft("Enter").await;

    assert!(held.face().text().contains("Invalid password"));
}

#[tokio::test]
async fn a_reset_by_keys_forgets_a_password_nobody_knows() {
    let (held, server) = Held::at_server("vvx500").await;
    let own = r#"<d device.set="1" device.auth.localAdminPassword.set="1" device.auth.localAdminPassword="87654321"/>"#;
    server.file("/all.cfg", own);
    held.boot().await;
    assert_eq!(held.memory().device["device.auth.localAdminPassword"], "87654321");
    server.file("/all.cfg", "<PHONE_CONFIG/>");
    held.phone.unplug().await;

    hold(&held, "135", 4).await;
    held.type_text(&held.phone.view().await.mac.to_string()).await;
    held.soft("OK").await;
    held.soft("Yes").await;
    held.phone.stand_still(false).await;
    held.ready().await;

    assert!(held.memory().device.is_empty());
    assert!(held.phone.view().await.is_admin_password("456"));
}
