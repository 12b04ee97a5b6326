//! A phone that loses power at any moment finds the old or the new memory.

use std::time::Duration;

use provost_phone::{Key, Memory, Stage};

use crate::flashing::{Bench, NEW, PART, application};
use crate::handset::Held;

#[tokio::test]
async fn a_phone_without_power_shows_and_does_nothing() {
    let (held, _server) = Held::at_server("vvx500").await;

    held.phone.press(Key::Home).await;

    assert!(!held.face().power && held.face().rows.is_empty());
    assert_eq!(held.phone.view().await.stage, Stage::Off);
    held.phone.stand_still(true).await;
    held.phone.plug_in().await;
    assert!(held.face().power);
    assert_eq!(held.phone.view().await.stage, Stage::CountDown);
    held.phone.unplug().await;
    assert_eq!(held.face(), provost_phone::Face::default());
}

#[tokio::test]
async fn a_power_cut_in_the_setup_forgets_what_was_typed() {
    let (held, _server) = Held::at_server("vvx500").await;
    held.open_setup().await;
    held.select("VLAN ID").await;
    held.type_text("12").await;
    held.soft("OK").await;

    held.phone.unplug().await;

    assert!(held.memory().device.is_empty());
    held.open_setup().await;
    assert!(held.face().text().contains("VLAN ID: None"));
}

/// What the phone keeps, without the counts and the log that every start changes.
fn kept(memory: Memory) -> Memory {
    Memory { boot_count: 0, restart_count: 0, log: String::new(), ..memory }
}

#[tokio::test]
async fn a_power_cut_at_any_moment_of_a_start_leaves_the_old_or_the_new_memory() {
    let (held, server) = Held::at_server("vvx500").await;
    held.boot().await;
    held.phone.unplug().await;
    let old = kept(held.memory());
    server.file("/all.cfg", r#"<a reg.1.label="new"/>"#);
    let mut seen = [false, false];

    for round in 0..40u64 {
        held.stop().await;
        held.soft("Start").await;
        // Later and later: however slow the machine is, one cut comes after the new memory.
        tokio::time::sleep(Duration::from_millis(round * round)).await;
        held.phone.unplug().await;

        let now = kept(held.memory());
        let is_new = now.files.iter().any(|file| file.text.contains("new"));
        assert!(is_new || now == old, "{now:?}");
        seen[usize::from(is_new)] = true;
        if is_new {
            break;
        }
    }

    assert_eq!(seen, [true, true], "some cuts leave the old memory, and one the new");
}

#[tokio::test]
async fn a_power_cut_while_firmware_comes_leaves_the_old_or_the_new_version() {
    let bench = Bench::with("sip.ld").await;
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(NEW)));
    let held = Held::new(bench.setup("vvx500").await);
    let mut seen = [false, false];

    for round in 0..60u64 {
        held.stop().await;
        held.soft("Start").await;
        tokio::time::sleep(Duration::from_millis(round * 4)).await;
        held.phone.unplug().await;

        let is_new = held.memory().firmware == NEW.0;
        assert!(is_new || held.memory().firmware == "5.9.7.4477", "{}", held.memory().firmware);
        assert_eq!(held.memory().flash_count, u64::from(is_new));
        seen[usize::from(is_new)] = true;
        if is_new {
            break;
        }
    }

    assert!(seen[0], "no cut was early enough to leave the old version");
    held.boot().await;
    assert_eq!(held.memory().firmware, NEW.0);
}

#[tokio::test]
async fn a_power_cut_in_any_dialog_keeps_everything() {
    let (held, _server) = Held::at_server("vvx500").await;
    held.boot().await;
    let old = kept(held.memory());
    held.phone.unplug().await;
    for steps in 0..6 {
        held.boot().await;
        held.phone.press(Key::Home).await;
        for row in ["Settings", "Advanced"].into_iter().take(steps) {
            held.select(row).await;
        }
        if steps > 2 {
            held.type_text("456").await;
            held.soft("Enter").await;
        }
        for row in ["Administration Settings", "Reset to Defaults", "Reset to Factory"]
            .into_iter()
            .take(steps.saturating_sub(2))
        {
            held.select(row).await;
        }

        held.phone.unplug().await;

        assert_eq!(kept(held.memory()), old, "{steps}");
    }
}
