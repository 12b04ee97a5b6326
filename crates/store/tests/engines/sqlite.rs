//! The database file: opened again, closed, and not ours.

use crate::battery::{NOW, Scene, mac};
use crate::engine::Database;
use provost_core::sentence;
use provost_store::{ClaimBy, NewEvent, Page, Store, StoreError};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

#[tokio::test]
async fn opened_again_it_finds_everything() {
    let scene = Scene::on(Database::file()).await;
    let device = scene.add_device(1).await;
    scene.claim(7, ClaimBy::PreAssigned(&device)).await;
    let entry = sentence::action("An entry.".to_owned());
    let event = NewEvent { id: "event-z".to_owned(), mac: mac(7), at: NOW, entry, contact: None };
    scene.store.record(&[event]).await.unwrap();
    scene.store.replace_upload(mac(7), ("a.cfg", b"x"), NOW).await.unwrap();
    let before = scene.store.device(&device).await.unwrap();
    let Scene { database, store, user, .. } = scene;
    drop(store);

    let store = database.open().await.unwrap();

    assert_eq!(store.device(&device).await.unwrap(), before);
    assert_eq!(store.phone_of(&device).await.unwrap(), Some(mac(7)));
    assert_eq!(store.timeline(mac(7), None, 9).await.unwrap().len(), 2);
    assert_eq!(store.upload(mac(7), "a.cfg").await.unwrap().as_deref(), Some(&b"x"[..]));
    assert_eq!(store.user(&user).await.unwrap().unwrap().lines.len(), 2);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provost.db");
    Store::open(&file).await.unwrap().close().await;
    let mut newer = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
    const STEP: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                        VALUES (99, 'later', 1, x'00', 0)";
    sqlx::query(STEP).execute(&mut newer).await.unwrap();
    newer.close().await.unwrap();

    let error = Store::open(&file).await.unwrap_err();

    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
    let words = error.to_string();
    assert!(words.contains("newer version of Provost") && words.contains("99"), "{words}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provost.db");
    let text = "not a database, but long enough to be read as the header of one, which it is not. ".repeat(20);
    std::fs::write(&file, &text).unwrap();

    let error = Store::open(&file).await.unwrap_err();

    assert!(error.to_string().contains("not a database"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn a_closed_store_answers_with_errors() {
    let scene = Scene::on(Database::file()).await;

    scene.store.close().await;

    assert!(matches!(scene.store.standing(mac(1)).await, Err(StoreError::Engine(_))));
    assert!(matches!(
        scene.store.accounts(&provost_store::Within::Everything, Page::FIRST).await,
        Err(StoreError::Engine(_))
    ));
    assert!(scene.store.set_meta("a", "b").await.is_err());
}
