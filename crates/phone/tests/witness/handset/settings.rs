//! What a person sets in the setup and in the menu, and what of it is in flash then.

use provost_phone::{Key, Order};

use crate::handset::Held;
use crate::server::BootServer;
use crate::support::{MAC, master, setup};

#[tokio::test]
async fn the_setup_points_the_phone_at_another_server() {
    for (model, menu) in
        [("vvx500", "Provisioning Server"), ("spip550", "Provisioning Server"), ("spip430", "Server Menu")]
    {
        let (old, new) = (BootServer::start().await, BootServer::start().await);
        new.file(&format!("/{MAC}.cfg"), &master(""));
        let held = Held::new(setup(model, &old));
        held.open_setup().await;
        let address = new.url().replace("https://", "");

        held.select(menu).await;
        held.go_to("Server Type").await;
        held.soft("Edit").await;
        assert_eq!(held.face().rows[0].value.as_deref(), Some("FTP"));
        held.phone.press(Key::Left).await;
        held.phone.press(Key::Left).await;
        held.soft("OK").await;
        held.go_to("Server Address").await;
        held.soft("Edit").await;
        held.type_text(&address).await;
        held.soft("OK").await;
        held.soft("Exit").await;
        held.select("SNTP Address").await;
        held.type_text("time.example.net").await;
        held.soft("OK").await;
        held.select("DHCP Menu").await;
        held.go_to("Boot Server").await;
        assert!(held.face().text().contains("Boot Server: Custom+Opt.66"));
        held.soft("Edit").await;
        held.phone.press(Key::Left).await;
        held.soft("OK").await;
        held.soft("Exit").await;
        held.soft("Exit").await;
        assert!(held.memory().device.is_empty(), "nothing is kept before it is saved");
        held.select("Save & Reboot").await;
        held.ready().await;

        let device = held.memory().device;
        assert_eq!(device["device.prov.serverType"], "HTTPS", "{model}");
        assert_eq!(device["device.prov.serverName"], address);
        assert_eq!(device["device.sntp.serverName"], "time.example.net");
        assert_eq!(device["device.dhcp.bootSrvUseOpt"], "2");
        assert!(new.lines().contains(&format!("GET /{MAC}.cfg 200")), "{model}: {:?}", new.lines());
        assert!(old.lines().is_empty());
    }
}

#[tokio::test]
async fn what_is_discarded_changes_nothing_and_the_phone_starts() {
    let (held, _server) = Held::at_server("vvx500").await;
    held.open_setup().await;
    held.select("VLAN ID").await;
    held.type_text("12").await;
    held.soft("OK").await;
    assert!(held.face().text().contains("VLAN ID: 12"));

    held.soft("Exit").await;
    held.select("Discard Changes").await;
    held.ready().await;

    assert!(held.memory().device.is_empty());
}

/// Changes the Boot Server in the menus of a ready phone, and leaves the DHCP menu open with the change unsaved.
async fn sets_boot_server_back_by_one(held: &Held) {
    held.open_administration("456").await;
    held.select("Network Configuration").await;
    held.select("DHCP Menu").await;
    held.go_to("Boot Server").await;
    held.soft("Edit").await;
    held.phone.press(Key::Up).await;
    held.soft("OK").await;
}

#[tokio::test]
async fn the_menu_of_a_ready_phone_swaps_the_boot_server_and_restarts() {
    let (held, _server) = Held::at_server("vvx450").await;
    held.boot().await;
    sets_boot_server_back_by_one(&held).await;
    assert!(held.face().text().contains("Boot Server: Static"));

    held.phone.press(Key::Back).await;
    held.phone.press(Key::Back).await;
    held.phone.stand_still(true).await;
    held.select("Save & Reboot").await;

    held.restarted().await;
    assert!(held.face().text().contains("Loading Application"));
    assert_eq!(held.memory().device["device.dhcp.bootSrvUseOpt"], "2");
}

#[tokio::test]
async fn long_menus_are_paged_and_digits_select() {
    let (held, _server) = Held::at_server("spip335").await;
    held.boot().await;
    held.open_administration("456").await;
    held.phone.press(Key::Digit(2)).await;
    assert_eq!(held.face().title, "Reset to Defaults");
    assert_eq!(held.face().rows.len(), 3);

    for _ in 0..3 {
        held.phone.press(Key::Down).await;
    }

    let face = held.face();
    assert_eq!(face.rows.len(), 2);
    assert!(face.rows[0].selected && face.rows[0].text == "Format File System");
}

#[tokio::test]
async fn home_on_a_notice_asks_what_becomes_of_changes() {
    let (held, _server) = Held::at_server("vvx450").await;
    held.boot().await;
    sets_boot_server_back_by_one(&held).await;
    held.phone.order(Order::Show("Fire drill".to_owned())).await.unwrap();

    held.phone.press(Key::Home).await;

    assert!(held.face().text().contains("Save & Reboot"), "{}", held.face().text());
}

#[tokio::test]
async fn a_restart_from_the_menu_can_be_stopped_and_an_update_is_read_without_one() {
    let (held, server) = Held::at_server("spip550").await;
    held.boot().await;
    server.file("/all.cfg", r#"<a reg.1.address="1001" reg.1.label="Reception"/>"#);
    held.phone.press(Key::Home).await;
    held.select("Settings").await;
    held.select("Basic").await;
    held.select("Update Configuration").await;
    held.until_shown("Reception").await;

    held.phone.press(Key::Home).await;
    held.select("Settings").await;
    held.select("Basic").await;
    held.phone.stand_still(true).await;
    held.select("Restart").await;

    held.restarted().await;
    held.soft("Cancel").await;
    assert!(held.face().text().contains("Auto start in"), "{}", held.face().text());
}
