//! Everything out of one database and into another.

use super::{NOW, Scene, mac};
use crate::engine::Database;
use provost_store::{AuditEntry, BackupError, BackupHead, ClaimBy, RESTORED, Store, check_backup};
use tokio::sync::mpsc;

pub(crate) fn entry() -> AuditEntry {
    AuditEntry {
        id: "audit-restore".to_owned(),
        at: NOW,
        who: "somebody".to_owned(),
        what: "restored".to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

pub(crate) async fn dumped(store: &Store) -> Vec<u8> {
    let head = BackupHead { made: NOW, step: Store::newest_step(), key: "key".to_owned() };
    let (sender, mut pieces) = mpsc::channel(1);
    let reader = async {
        let mut all = Vec::new();
        while let Some(piece) = pieces.recv().await {
            all.extend(piece);
        }
        all
    };
    let (rows, all) = tokio::join!(store.dump(&head, sender), reader);
    assert!(rows.unwrap() > 0);
    all
}

#[tokio::test]
async fn a_restored_database_is_the_same_but_for_its_open_codes() {
    let scene = Scene::new().await;
    let claimed = scene.add_device(1).await;
    scene.claim(7, ClaimBy::PreAssigned(&claimed)).await;
    scene.issue(&scene.add_device(2).await, b"digest").await;
    scene.store.replace_upload(mac(7), ("a.log", b"\x00\xff\n\"'"), NOW).await.unwrap();
    let connector = super::connectors::row(1, 1);
    scene
        .store
        .audited(AuditEntry { id: "audit-add".to_owned(), ..entry() })
        .add_connector(&connector, NOW)
        .await
        .unwrap();
    let backup = dumped(&scene.store).await;
    let head = check_backup(&backup[..]).unwrap();
    assert_eq!((head.made, head.key.as_str()), (NOW, "key"));

    let database = Database::new().await;
    let store = database.open().await.unwrap();
    let voided = store.audited(entry()).restore(&backup[..], NOW).await.unwrap();

    assert_eq!(voided, 1);
    assert_eq!(store.phone_of(&claimed).await.unwrap(), Some(mac(7)));
    assert_eq!(store.upload(mac(7), "a.log").await.unwrap().as_deref(), Some(&b"\x00\xff\n\"'"[..]));
    assert_eq!(store.meta(RESTORED).await.unwrap(), Some(NOW.0.to_string()));
    assert_eq!(store.connectors().await.unwrap(), [connector]);
    let lines = |bytes: &[u8]| -> Vec<String> {
        let changed = |line: &&str| !line.contains("codes") && !line.contains("audit") && !line.contains(RESTORED);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().filter(changed).filter(|line| line.starts_with('[')).map(ToOwned::to_owned).collect()
    };
    assert_eq!(lines(&dumped(&store).await), lines(&backup));
    let again = store.audited(entry()).restore(&backup[..], NOW).await;
    assert!(matches!(again, Err(BackupError::NotEmpty)), "{again:?}");

    store.audited(AuditEntry { id: "audit-confirm".to_owned(), ..entry() }).confirm_restore().await.unwrap();
    assert_eq!(store.meta(RESTORED).await.unwrap(), None);
}

#[tokio::test]
async fn a_backup_whose_rows_do_not_fit_changes_nothing() {
    let scene = Scene::new().await;
    let backup = String::from_utf8(dumped(&scene.store).await).unwrap();
    // A site of an account that is not in it.
    let broken: String = backup
        .lines()
        .filter(|line| !line.starts_with("[\"accounts\""))
        .fold(String::new(), |all, line| all + line + "\n");
    let database = Database::new().await;
    let store = database.open().await.unwrap();

    let refused = store.audited(entry()).restore(broken.as_bytes(), NOW).await;

    assert!(matches!(refused, Err(BackupError::NotWhole(_))), "{refused:?}");
    store.audited(entry()).restore(backup.as_bytes(), NOW).await.unwrap();
}
