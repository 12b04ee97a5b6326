//! The database on a server: opened twice at once, opened again, shared with others, and a newer version's.

use crate::battery::backup::{dumped, entry};
use crate::battery::{NOW, Scene, mac};
use crate::engine::Database;
use provost_store::{AuditEntry, ClaimBy, Page, Store, StoreError};

#[tokio::test]
async fn of_two_that_want_one_database_the_second_is_told_who_has_it() {
    let database = Database::server();
    let (one, two) = tokio::join!(database.open(), database.open());

    let (first, refused) = match (one, two) {
        (Ok(first), second) | (second, Ok(first)) => (first, second.err().unwrap()),
        (Err(one), Err(two)) => panic!("{one}; {two}"),
    };

    assert!(matches!(&refused, StoreError::Held { by } if by.starts_with("provost of a test")), "{refused:?}");
    first.close().await;
    database.open().await.unwrap();
}

#[tokio::test]
async fn opened_again_it_finds_everything() {
    let scene = Scene::on(Database::server()).await;
    let device = scene.add_device(1).await;
    scene.claim(7, ClaimBy::PreAssigned(&device)).await;
    scene.store.close().await;

    let store = scene.database.open().await.unwrap();

    assert_eq!(store.phone_of(&device).await.unwrap(), Some(mac(7)));
}

#[tokio::test]
async fn tables_of_others_in_the_database_are_left_alone_and_do_not_disturb() {
    let database = Database::server();
    database.sql("CREATE TABLE public.devices (id BIGINT); CREATE TABLE public.meta (other TEXT)");

    let store = database.open().await.unwrap();
    store.set_meta("a", "b").await.unwrap();

    assert_eq!(database.sql("SELECT COUNT(*) FROM public.meta"), "0");
    assert_eq!(database.sql("SELECT value FROM meta WHERE name = 'a'"), "b");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone_and_said() {
    let database = Database::server();
    database.open().await.unwrap().close().await;
    database.sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', true, '\\x00', 0)",
    );

    let error = database.open().await.unwrap_err();

    assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_that_names_no_password() {
    let error = Store::connect("postgres://provost:secret@127.0.0.1:1/provost", "provost").await.unwrap_err();

    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_cut_costs_one_answer_and_no_more() {
    let scene = Scene::on(Database::server()).await;
    let device = scene.add_device(1).await;
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = 'provost of a test' AND datname = current_database()";

    scene.database.sql(cut);
    // Connections that were cut are found out when they are used.
    let mut answers = Vec::new();
    for _ in 0..9 {
        answers.push(scene.store.accounts(&provost_store::Within::Everything, Page::FIRST).await.is_ok());
    }

    assert!(answers.last() == Some(&true), "{answers:?}");
    assert_eq!(scene.store.device(&device).await.unwrap().unwrap().id, device);
    scene.store.set_meta("at", &NOW.0.to_string()).await.unwrap();
}

#[tokio::test]
async fn a_backup_of_one_engine_is_restored_on_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Store::open(&folder.path().join("provost.db")).await.unwrap();
    let scene = Scene::on(Database::server()).await;
    let device = scene.add_device(1).await;
    scene.claim(7, ClaimBy::PreAssigned(&device)).await;
    let backup = dumped(&scene.store).await;

    sqlite.audited(entry()).restore(&backup[..], NOW).await.unwrap();
    let database = Database::server();
    let back = database.open().await.unwrap();
    let again = AuditEntry { id: "audit-again".to_owned(), ..entry() };
    back.audited(again).restore(&dumped(&sqlite).await[..], NOW).await.unwrap();

    assert_eq!(back.phone_of(&device).await.unwrap(), Some(mac(7)));
}
