//! Resets from the menu, and what each forgets.

use provost_phone::{CertificateState, ChangedIn, Key, Order, Values};

use crate::handset::Held;

const ORDINARY: &str = "reg.1.label";
const DEVICE: &str = "device.net.vlanId";

/// A ready phone with one setting of each kind.
async fn used(model: &str) -> Held {
    let (held, server) = Held::at_server(model).await;
    server.takes("/0004f2000004-phone.cfg", 200).takes("/0004f2000004-web.cfg", 200);
    held.boot().await;
    for (place, value) in [(ChangedIn::Menu, "menu"), (ChangedIn::WebPages, "web")] {
        let values = Values::from([(ORDINARY.to_owned(), value.to_owned())]);
        held.phone.order(Order::Set { values, place }).await.unwrap();
    }
    let values = Values::from([(DEVICE.to_owned(), "7".to_owned())]);
    held.phone.order(Order::Set { values, place: ChangedIn::Menu }).await.unwrap();
    held.ready().await;
    held
}

/// What of the three settings is left, and whether a configuration is cached.
fn left(held: &Held) -> (bool, bool, bool, bool) {
    let memory = held.memory();
    let set = |values: &Values, name| values.contains_key(name);
    (
        set(&memory.phone_overrides, ORDINARY),
        set(&memory.web_overrides, ORDINARY),
        set(&memory.device, DEVICE),
        memory.master.is_some(),
    )
}

#[tokio::test]
async fn each_reset_of_the_menu_forgets_its_part_and_no_other() {
    for (row, expected) in [
        ("Reset Local Config", (false, true, true, true)),
        ("Reset Web Config", (true, false, true, true)),
        ("Reset Device Settings", (true, true, false, true)),
        ("Format File System", (false, false, true, false)),
        ("Reset to Factory", (false, false, false, false)),
    ] {
        let held = used("vvx500").await;
        assert_eq!(left(&held), (true, true, true, true));
        held.open_administration("456").await;
        held.select("Reset to Defaults").await;

        held.select(row).await;
        assert_eq!((held.face().title.as_str(), held.face().rows[0].text.as_str()), (row, "Are you sure?"));
        held.phone.stand_still(true).await;
        held.soft("Yes").await;

        held.restarted().await;
        assert_eq!(left(&held), expected, "{row}");
    }
}

#[tokio::test]
async fn no_takes_nothing_away() {
    let held = used("spip550").await;
    held.open_administration("456").await;
    held.select("Reset to Defaults").await;
    held.select("Reset to Factory").await;

    held.soft("No").await;

    assert_eq!(left(&held), (true, true, true, true));
    assert_eq!(held.face().title, "Reset to Defaults");
}

#[tokio::test]
async fn firmware_before_4_has_no_reset_to_factory_and_an_older_name_for_the_server() {
    let held = Held::at_server("spip330").await.0;
    held.boot().await;
    held.open_administration("456").await;
    held.select("Network Configuration").await;
    assert!(held.face().text().contains("Server Menu"), "{}", held.face().text());
    held.phone.press(Key::Back).await;

    held.select("Reset to Defaults").await;

    let mut titles = Vec::new();
    for _ in 0..5 {
        titles.extend(held.face().rows.into_iter().filter(|row| row.selected).map(|row| row.text));
        held.phone.press(Key::Down).await;
    }
    assert!(titles.contains(&"Reset Device Settings".to_owned()), "{titles:?}");
    assert!(!titles.contains(&"Reset to Factory".to_owned()), "{titles:?}");
}

#[tokio::test]
async fn the_menu_takes_the_phone_s_own_password_and_no_longer_456() {
    let (held, _server) = Held::at_server("vvx450").await;
    held.boot().await;
    let change = |old: &str, new: &str| Order::ChangeAdminPassword { old: old.to_owned(), new: new.to_owned() };
    assert!(held.phone.order(change("789", "1")).await.is_err());
    held.phone.order(change("456", "2468")).await.unwrap();
    held.phone.press(Key::Home).await;
    held.select("Settings").await;
    held.select("Advanced").await;

    held.type_text("456").await;
    held.soft("Enter").await;
    assert!(held.face().text().contains("Invalid password"));
    held.soft("Cancel").await;
    held.type_text("2468").await;
    held.soft("Enter").await;

    assert_eq!(held.face().title, "Advanced");
}

#[tokio::test]
async fn ccx_and_edge_e_ask_for_a_password_and_refuse_456() {
    for model in ["edgee350", "ccx500"] {
        let (held, _server) = Held::at_server(model).await;
        held.phone.plug_in().await;
        held.until_shown("Enter new admin password").await;
        assert!(!held.phone.view().await.is_admin_password("456"));

        held.type_text("456").await;
        held.soft("Enter").await;
        assert!(held.face().text().contains("This password cannot be used"), "{model}: {}", held.face().text());
        held.soft("Cancel").await;
        held.type_text("13579").await;
        held.soft("Enter").await;
        held.type_text("13578").await;
        held.soft("Enter").await;
        assert!(held.face().text().contains("The passwords are not the same"));
        held.soft("Cancel").await;
        for _ in 0..2 {
            held.type_text("13579").await;
            held.soft("Enter").await;
        }

        held.ready().await;
        assert!(held.phone.view().await.is_admin_password("13579"), "{model}");
        held.open_administration("13579").await;
        held.select("Reset to Defaults").await;
        held.select("Reset to Factory").await;
        held.soft("Yes").await;
        held.until_shown("Enter new admin password").await;
    }
}

#[tokio::test]
async fn the_status_pages_tell_what_the_seeds_look_for() {
    for certified in [true, false] {
        let server = crate::server::BootServer::start().await;
        let setup = crate::support::setup("vvx500", &server);
        let certificate = setup.certificate.clone().filter(|_| certified);
        let held = Held::new(provost_phone::PhoneSetup { certificate, ..setup });
        held.boot().await;
        let state = held.phone.view().await.certificate;
        assert_eq!(state == CertificateState::FactoryInstalled, certified);

        held.phone.press(Key::Home).await;
        held.select("Status").await;
        held.select("Platform").await;
        held.select("Phone").await;
        let words = if certified { "Factory Installed" } else { "Not Installed" };
        held.go_to("Device Certificate").await;
        assert!(held.face().text().contains(&format!("Device Certificate: {words}")), "{}", held.face().text());
        held.phone.press(Key::Back).await;
        held.select("Application").await;
        held.select("Main").await;

        assert!(held.face().text().contains("Version: 5.9.7.4477"));
    }
}

#[tokio::test]
async fn the_setup_resets_to_factory_as_well() {
    let held = used("vvx500").await;
    held.phone.unplug().await;
    held.open_setup().await;

    held.select("Factory Reset").await;
    assert_eq!(held.face().title, "Factory Reset");
    held.phone.stand_still(true).await;
    held.soft("Yes").await;

    held.restarted().await;
    assert_eq!(left(&held), (false, false, false, false));
}
