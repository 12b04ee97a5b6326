//! Images of firmware, as they are known.

use super::{NOW, Scene};
use provost_core::firmware::ImageKind;
use provost_store::{AuditEntry, ImageRow, StoreError};

fn image(id: &str, part: Option<&str>, version: &str) -> ImageRow {
    let line = if part.is_none() { Some("ucs-6".to_owned()) } else { None };
    ImageRow {
        id: id.to_owned(),
        name: part.map_or("sip.ld".to_owned(), |part| format!("{part}.sip.ld")),
        kind: ImageKind::Application,
        part: part.map(ToOwned::to_owned),
        line,
        version: version.parse().unwrap(),
        updater: Some("6.4.8.9".parse().unwrap()),
        sha256: "ab".repeat(32),
        bytes: 5_000_000_000,
        object: "ab".repeat(32),
        source: "release.zip".to_owned(),
        put_by: "somebody".to_owned(),
        put_at: NOW,
    }
}

fn entry(id: &str) -> AuditEntry {
    AuditEntry { id: id.to_owned(), ..super::backup::entry() }
}

#[tokio::test]
async fn images_are_added_all_or_none_and_read_back_and_removed() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let (split, combined) = (image("image_1", Some("3111-48840-001"), "6.4.8.0614"), image("image_2", None, "6.4.8.1"));
    let updater = ImageRow { kind: ImageKind::Updater, updater: None, ..image("image_3", None, "6.4.8.1") };
    let all = [split.clone(), combined.clone(), updater.clone()];
    store.audited(entry("1")).add_firmware_images(&all).await.unwrap();
    assert_eq!(store.firmware_images().await.unwrap(), all);

    let fresh = image("image_4", Some("3111-48840-001"), "6.4.9.1");
    let again = [fresh, ImageRow { id: "image_5".to_owned(), ..combined.clone() }];
    let refused = store.audited(entry("2")).add_firmware_images(&again).await;
    assert!(matches!(refused, Err(StoreError::Exists { .. })), "{refused:?}");
    assert_eq!(store.firmware_images().await.unwrap(), all, "none of the two");

    store.audited(entry("3")).remove_firmware_image("image_2").await.unwrap();
    let gone = store.audited(entry("4")).remove_firmware_image("image_2").await;
    assert!(matches!(gone, Err(StoreError::Missing { .. })), "{gone:?}");
    assert_eq!(store.firmware_images().await.unwrap(), [split, updater]);
    let log = store.audit(&provost_store::Within::Everything, provost_store::Page::FIRST).await.unwrap();
    let log: Vec<&str> = log.iter().map(|entry| entry.id.as_str()).filter(|id| id.len() == 1).collect();
    assert_eq!(log, ["3", "1"], "what did not happen is not in the log");
}
