//! An import that waits: its rows as a grid, a row that is mended, and what becomes of it.

use super::imports::{audit_entry, import, judge, line_row, sealed, user_row};
use super::{NOW, Scene};
use provost_core::entry::FieldError;
use provost_core::import::{ImportKind, ImportMode, ImportState};
use provost_store::{Applying, GridRow, ImportRow, MendedRow, Page, StagedRow, WhichRows, Within};

/// An import of these rows that waits.
async fn waiting(scene: &Scene, n: u32, kind: ImportKind, rows: &[StagedRow]) -> ImportRow {
    let new = ImportRow { held: true, ..import(scene, n, kind, ImportMode::AllOrNothing) };
    scene.store.add_import(&new, NOW.plus_days(-7)).await.unwrap();
    scene.store.stage_import(&new, rows, &judge(kind)).await.unwrap();
    scene.store.import_is(&new.id, ImportState::Waiting, None, None).await.unwrap();
    read(scene, &new).await
}

async fn read(scene: &Scene, import: &ImportRow) -> ImportRow {
    scene.store.import(&import.id).await.unwrap().unwrap()
}

async fn grid(scene: &Scene, import: &ImportRow, which: WhichRows) -> Vec<GridRow> {
    scene.store.import_grid(&import.id, which, (0, 100)).await.unwrap()
}

fn numbers(rows: &[GridRow]) -> Vec<i64> {
    rows.iter().map(|row| row.number).collect()
}

async fn mend(scene: &Scene, import: &ImportRow, staged: StagedRow, keeps_password: bool) -> bool {
    let row = MendedRow { staged, keeps_password };
    scene.store.mend_import_row(import, &row, &judge(import.kind)).await.unwrap()
}

#[tokio::test]
async fn rows_are_shown_with_their_cells_and_faults_all_the_bad_or_the_good() {
    let scene = Scene::new().await;
    let rows = ["1", "2", "1", "1001"].map(str::to_owned);
    let rows: Vec<_> = rows.iter().zip(2..).map(|(extension, n)| user_row(&scene, n, extension)).collect();
    let import = waiting(&scene, 1, ImportKind::Users, &rows).await;

    assert_eq!((import.read, import.bad, import.held), (4, 2, true));
    assert_eq!(numbers(&grid(&scene, &import, WhichRows::All).await), [2, 3, 4, 5]);
    assert_eq!(numbers(&grid(&scene, &import, WhichRows::Good).await), [2, 3]);
    let bad = grid(&scene, &import, WhichRows::Bad).await;
    assert_eq!(numbers(&bad), [4, 5]);
    assert!(bad[0].faults[0].message.contains("row 2"), "{bad:?}");
    assert_eq!((bad[0].cells.as_str(), bad[0].has_password), (r#"["cell"]"#, false));
    let page = scene.store.import_grid(&import.id, WhichRows::All, (3, 1)).await.unwrap();
    assert_eq!((page[0].number, page[0].faults.len()), (4, 1));
}

#[tokio::test]
async fn a_mended_row_is_looked_at_with_all_that_say_the_same_as_before_or_after() {
    let scene = Scene::new().await;
    let rows: Vec<_> = [(2, "1"), (3, "1"), (4, "2")].map(|(n, e)| user_row(&scene, n, e)).into();
    let import = waiting(&scene, 1, ImportKind::Users, &rows).await;
    assert_eq!(numbers(&grid(&scene, &import, WhichRows::Bad).await), [3]);

    // The first gives its extension up for that of the last.
    assert!(mend(&scene, &import, user_row(&scene, 2, "2"), false).await);
    assert_eq!(numbers(&grid(&scene, &import, WhichRows::Bad).await), [4], "the one behind it is bad now");
    assert_eq!(read(&scene, &import).await.bad, 1);
    let faulty = FieldError { field: "name".to_owned(), message: "is empty".to_owned() };
    let own = StagedRow { faults: vec![faulty], cells: r#"["other"]"#.to_owned(), ..user_row(&scene, 4, "3") };
    assert!(mend(&scene, &import, own, false).await);
    let bad = grid(&scene, &import, WhichRows::Bad).await;
    assert_eq!((numbers(&bad), bad[0].faults.len(), bad[0].cells.as_str()), (vec![4], 1, r#"["other"]"#));
    assert!(mend(&scene, &import, user_row(&scene, 2, "3"), false).await);
    let bad = grid(&scene, &import, WhichRows::Bad).await;
    assert_eq!(bad[0].faults.len(), 2, "what it shows on its own stays: {bad:?}");
    assert!(!mend(&scene, &import, user_row(&scene, 9, "9"), false).await, "there is no such row");
}

#[tokio::test]
async fn a_password_stays_with_its_row_or_is_replaced() {
    let scene = Scene::new().await;
    let rows = [line_row(&scene, 2, "1001", "900"), line_row(&scene, 3, "1001", "900")];
    let import = waiting(&scene, 1, ImportKind::Lines, &rows).await;
    assert_eq!(numbers(&grid(&scene, &import, WhichRows::Bad).await), [3]);

    let kept = StagedRow { password: None, ..line_row(&scene, 3, "1001", "901") };
    assert!(mend(&scene, &import, kept.clone(), true).await);
    assert!(grid(&scene, &import, WhichRows::All).await[1].has_password);
    assert!(mend(&scene, &import, kept, false).await);
    assert!(!grid(&scene, &import, WhichRows::All).await[1].has_password);
    assert_eq!(read(&scene, &import).await.bad, 0);
}

#[tokio::test]
async fn what_waits_is_applied_once_by_who_says_so_or_let_go() {
    let scene = Scene::new().await;
    let import = waiting(&scene, 1, ImportKind::Users, &[user_row(&scene, 2, "1")]).await;
    assert!(scene.store.unfinished_imports().await.unwrap().is_empty(), "a server that starts leaves it");
    let begin = async |n| {
        let audited = scene.store.audited(audit_entry(n));
        audited.begin_to_apply(&import.id, ImportMode::GoodRows, ("Ada", "there")).await.unwrap()
    };

    assert!(begin(1).await);
    assert!(!begin(2).await);
    let begun = read(&scene, &import).await;
    assert_eq!((begun.state, begun.mode, begun.who.as_str()), (ImportState::Applying, ImportMode::GoodRows, "Ada"));
    assert!(!mend(&scene, &import, user_row(&scene, 2, "5"), false).await, "too late");
    let go =
        async |import: &ImportRow, n| scene.store.audited(audit_entry(n)).let_import_go(&import.id, NOW).await.unwrap();
    assert!(!go(&import, 3).await);
    let other = waiting(&scene, 2, ImportKind::Lines, &[line_row(&scene, 2, "1001", "900")]).await;
    assert!(go(&other, 4).await);
    let gone = read(&scene, &other).await;
    assert_eq!((gone.state, gone.mode, gone.ended), (ImportState::Done, ImportMode::DryRun, Some(NOW)));
    assert!(!grid(&scene, &other, WhichRows::All).await[0].has_password, "nothing secret is kept");
}

#[tokio::test]
async fn rows_that_turn_bad_while_all_are_applied_wait_again() {
    let scene = Scene::new().await;
    let import = waiting(&scene, 1, ImportKind::Users, &[user_row(&scene, 2, "77")]).await;
    let audited = scene.store.audited(audit_entry(1));
    audited.begin_to_apply(&import.id, ImportMode::AllOrNothing, ("Ada", "there")).await.unwrap();
    let import = read(&scene, &import).await;
    scene.store.add_user(&super::id("user", 50), &super::new_user(&scene.site, "77"), &[], NOW).await.unwrap();

    let judge = judge(import.kind);
    let applying = Applying { import: &import, judge: &judge, sealed: &sealed, now: NOW };
    assert!(!scene.store.audited(audit_entry(2)).apply_all_rows(&applying).await.unwrap());

    let again = read(&scene, &import).await;
    assert_eq!((again.state, again.bad, again.ended), (ImportState::Waiting, 1, None));
}

#[tokio::test]
async fn what_nobody_came_back_for_is_forgotten_with_the_rest() {
    let scene = Scene::new().await;
    let old = waiting(&scene, 1, ImportKind::Users, &[user_row(&scene, 2, "1")]).await;
    let new = import(&scene, 2, ImportKind::Users, ImportMode::DryRun);
    scene.store.add_import(&new, NOW.plus_days(1)).await.unwrap();

    assert_eq!(scene.store.import(&old.id).await.unwrap(), None);
    assert_eq!(scene.store.imports(&Within::Everything, Page::FIRST).await.unwrap().len(), 1);
}
