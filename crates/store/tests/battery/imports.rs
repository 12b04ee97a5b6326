use super::{NOW, Scene, id, mac};
use provost_core::entry::FieldError;
use provost_core::import::{Finding, ImportKind, ImportMode, ImportState, ImportedRow, fault_of};
use provost_core::secret::Secret;
use provost_store::{Applying, AuditEntry, ImportRow, Page, StagedRow, Within};

/// An import that begins.
pub(super) fn import(scene: &Scene, n: u32, kind: ImportKind, mode: ImportMode) -> ImportRow {
    ImportRow {
        id: format!("import_01jd0ck3v8{n:016}"),
        account: scene.account.clone(),
        kind,
        mode,
        state: ImportState::Receiving,
        who: "owner token".to_owned(),
        from: "this machine".to_owned(),
        created: NOW,
        ended: None,
        read: 0,
        bad: 0,
        done: 0,
        applied_to: 0,
        problem: None,
        held: false,
    }
}

pub(super) fn audit_entry(n: u32) -> AuditEntry {
    AuditEntry {
        id: format!("01JD0CK3V8{n:016}"),
        at: NOW,
        who: "owner token".to_owned(),
        what: "imported".to_owned(),
        why: None,
        from: "this machine".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

fn staged(row: ImportedRow, id: Option<String>) -> StagedRow {
    StagedRow { row, id, password: None, faults: Vec::new(), cells: r#"["cell"]"#.to_owned() }
}

pub(super) fn user_row(scene: &Scene, number: i64, extension: &str) -> StagedRow {
    let row = ImportedRow {
        number,
        site: Some(scene.site.clone()),
        name: Some(format!("Person {extension}")),
        extension: Some(extension.to_owned()),
        language: Some("de".to_owned()),
        ..ImportedRow::default()
    };
    staged(row, Some(format!("user_01jd0ck3v9{number:016}")))
}

pub(super) fn device_row(scene: &Scene, number: i64, phone: Option<u32>, extension: Option<&str>) -> StagedRow {
    let row = ImportedRow {
        number,
        site: extension.map(|_| scene.site.clone()),
        extension: extension.map(ToOwned::to_owned),
        model: Some(["vvx450", "vvx500", "vvx101"][usize::try_from(number % 3).unwrap()].to_owned()),
        mac: phone.map(|n| mac(n).to_string()),
        ..ImportedRow::default()
    };
    staged(row, Some(format!("device_01jd0ck3v9{number:016}")))
}

pub(super) fn line_row(scene: &Scene, number: i64, extension: &str, sip_user: &str) -> StagedRow {
    let row = ImportedRow {
        number,
        site: Some(scene.site.clone()),
        extension: Some(extension.to_owned()),
        sip_user: Some(sip_user.to_owned()),
        password: Some(Secret::from("x")),
        ..ImportedRow::default()
    };
    StagedRow { password: Some(b"sealed for the row".to_vec()), ..staged(row, None) }
}

pub(super) fn judge(kind: ImportKind) -> impl Fn(&Finding) -> Option<FieldError> {
    move |finding| fault_of(kind, finding, |model| Some(if model == Some("vvx101") { 2 } else { 4 }))
}

pub(super) fn sealed(_: i64, person: &str, place: i64, _: &[u8]) -> Option<Vec<u8>> {
    Some(format!("{person}/{place}").into_bytes())
}

async fn stage(scene: &Scene, import: &ImportRow, rows: &[StagedRow]) -> ImportRow {
    scene.store.add_import(import, NOW.plus_days(-7)).await.unwrap();
    for some in rows.chunks(1000) {
        scene.store.stage_import(import, some, &judge(import.kind)).await.unwrap();
    }
    scene.store.import_is(&import.id, ImportState::Applying, None, None).await.unwrap();
    scene.store.import(&import.id).await.unwrap().unwrap()
}

async fn apply_good(scene: &Scene, import: &ImportRow) -> ImportRow {
    let judge = judge(import.kind);
    let applying = Applying { import, judge: &judge, sealed: &sealed, now: NOW };
    let mut from = import.applied_to;
    let mut n = 0;
    while let Some(to) = scene.store.import_stretch(&import.id, from).await.unwrap() {
        n += 1;
        let digits = import.id[import.id.len() - 4..].parse::<u32>().unwrap();
        scene.store.audited(audit_entry(digits * 1000 + n)).apply_good_rows(&applying, (from, to)).await.unwrap();
        let again = scene.store.audited(audit_entry(digits * 1000 + 999)).apply_good_rows(&applying, (from, to));
        assert!(!again.await.unwrap(), "a stretch is applied once");
        from = to;
    }
    scene.store.import(&import.id).await.unwrap().unwrap()
}

/// Users and devices by the thousand, each device for a user of its own, with a MAC.
pub(super) async fn fill(scene: &Scene, count: u32) {
    let rows: Vec<_> =
        (0..count).map(|n| user_row(scene, i64::from(n) + 2, &format!("{}", 20_000 + n * 7 % count))).collect();
    let users = stage(scene, &import(scene, 1, ImportKind::Users, ImportMode::GoodRows), &rows).await;
    apply_good(scene, &users).await;
    let rows: Vec<_> = (0..count)
        .map(|n| device_row(scene, i64::from(n) + 2, Some(n * 11 % count + 1), Some(&format!("{}", 20_000 + n))))
        .collect();
    let devices = stage(scene, &import(scene, 2, ImportKind::Devices, ImportMode::GoodRows), &rows).await;
    let devices = apply_good(scene, &devices).await;
    scene.store.count_anew().await.unwrap();
    assert_eq!((devices.done, devices.bad), (i64::from(count), 0));
}

#[tokio::test]
async fn rows_that_file_or_database_holds_already_are_bad_and_the_others_become_users() {
    let scene = Scene::new().await;
    let rows = [
        user_row(&scene, 2, "1001"),
        user_row(&scene, 3, "2001"),
        user_row(&scene, 4, "2002"),
        user_row(&scene, 6, "2001"),
    ];

    let import = stage(&scene, &import(&scene, 1, ImportKind::Users, ImportMode::GoodRows), &rows).await;
    let import = apply_good(&scene, &import).await;

    assert_eq!((import.read, import.bad, import.done, import.applied_to), (4, 2, 2, 6));
    let bad = scene.store.import_verdicts(&import.id, true, 0, 10).await.unwrap();
    assert_eq!(bad.iter().map(|verdict| verdict.number).collect::<Vec<_>>(), [2, 6]);
    assert!(bad[1].faults[0].message.contains("row 3"), "{bad:?}");
    assert_eq!(scene.store.import_verdicts(&import.id, true, 2, 10).await.unwrap(), bad[1..]);
    assert_eq!(scene.store.import_verdicts(&import.id, false, 0, 3).await.unwrap().len(), 3);
    let users = scene.store.users(&Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!(users.len(), 3);
}

#[tokio::test]
async fn one_row_that_turns_bad_before_it_is_applied_keeps_all_from_being_applied() {
    let scene = Scene::new().await;
    let rows: Vec<_> = (2..2_500).map(|n| user_row(&scene, n, &(10_000 + n).to_string())).collect();
    let whole = stage(&scene, &import(&scene, 1, ImportKind::Users, ImportMode::AllOrNothing), &rows).await;
    let other = stage(
        &scene,
        &import(&scene, 2, ImportKind::Users, ImportMode::GoodRows),
        &[StagedRow { id: Some("user_01jd0ck3va0000000000000001".to_owned()), ..user_row(&scene, 2, "12400") }],
    )
    .await;
    apply_good(&scene, &other).await;
    let judge = judge(ImportKind::Users);
    let applying = Applying { import: &whole, judge: &judge, sealed: &sealed, now: NOW };

    let applied = scene.store.audited(audit_entry(1)).apply_all_rows(&applying).await.unwrap();

    assert!(!applied);
    let whole = scene.store.import(&whole.id).await.unwrap().unwrap();
    assert_eq!((whole.state, whole.bad, whole.done, whole.ended), (ImportState::Refused, 1, 0, Some(NOW)));
    assert_eq!(scene.store.import_verdicts(&whole.id, true, 0, 10).await.unwrap()[0].number, 2_400);
    assert_eq!(scene.store.users(&Within::Everything, Page::FIRST).await.unwrap().len(), 2);
}

#[tokio::test]
async fn all_rows_are_applied_together_and_audited_once() {
    let scene = Scene::new().await;
    let rows: Vec<_> = (2..2_500).map(|n| user_row(&scene, n, &(10_000 + n).to_string())).collect();
    let whole = stage(&scene, &import(&scene, 1, ImportKind::Users, ImportMode::AllOrNothing), &rows).await;
    assert_eq!(scene.store.unfinished_imports().await.unwrap(), std::slice::from_ref(&whole));
    let judge = judge(ImportKind::Users);
    let applying = Applying { import: &whole, judge: &judge, sealed: &sealed, now: NOW };

    assert!(scene.store.audited(audit_entry(1)).apply_all_rows(&applying).await.unwrap());

    let whole = scene.store.import(&whole.id).await.unwrap().unwrap();
    assert_eq!((whole.state, whole.done, whole.bad), (ImportState::Done, 2_498, 0));
    assert_eq!(scene.store.unfinished_imports().await.unwrap(), []);
    let entries = scene.store.audit(&Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.what == "imported").count(), 1);
}

#[tokio::test]
async fn devices_find_their_users_and_never_name_a_phone_twice() {
    let scene = Scene::new().await;
    let named = provost_core::entry::NewDevice { mac: Some(mac(9)), ..scene.device() };
    scene.store.add_device(&id("device", 1), &named, NOW).await.unwrap();
    let rows = [
        device_row(&scene, 3, Some(1), Some("1001")),
        device_row(&scene, 4, Some(1), None),
        device_row(&scene, 6, Some(9), None),
        device_row(&scene, 7, Some(2), Some("4711")),
        device_row(&scene, 9, None, None),
    ];

    let import = stage(&scene, &import(&scene, 1, ImportKind::Devices, ImportMode::GoodRows), &rows).await;
    let import = apply_good(&scene, &import).await;

    assert_eq!((import.done, import.bad), (2, 3));
    let bad = scene.store.import_verdicts(&import.id, true, 0, 10).await.unwrap();
    let fields: Vec<_> = bad.iter().map(|bad| (bad.number, bad.faults[0].field.as_str())).collect();
    assert_eq!(fields, [(4, "mac"), (6, "mac"), (7, "extension")]);
    assert_eq!(scene.store.imported_macs(&import.id, 0, 99).await.unwrap(), Vec::<String>::new());
    let device = scene.store.device(&"device_01jd0ck3v90000000000000003".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((device.user, device.mac), (Some(scene.user.clone()), Some(mac(1))));
}

#[tokio::test]
async fn lines_go_behind_those_a_user_has_and_no_further_than_a_phone_holds() {
    let scene = Scene::new().await;
    let rows = [
        line_row(&scene, 2, "1001", "1001"),
        line_row(&scene, 3, "1001", "a"),
        line_row(&scene, 4, "1001", "b"),
        line_row(&scene, 5, "1001", "c"),
        line_row(&scene, 6, "4711", "c"),
    ];

    let import = stage(&scene, &import(&scene, 1, ImportKind::Lines, ImportMode::GoodRows), &rows).await;
    let import = apply_good(&scene, &import).await;

    // The first is there, and the rows count as lines also when they are bad.
    assert_eq!((import.done, import.bad), (1, 4));
    let user = scene.store.user(&scene.user).await.unwrap().unwrap();
    assert_eq!(user.lines.len(), 3);
    assert_eq!(user.lines[2].sip_user, "a");
    assert_eq!(user.lines[2].password.as_deref(), Some(format!("{}/2", scene.user).as_bytes()));
}

#[tokio::test]
async fn an_import_that_is_over_keeps_no_password_and_is_forgotten_in_time() {
    let scene = Scene::new().await;
    let begun = import(&scene, 1, ImportKind::Lines, ImportMode::DryRun);
    let first = stage(&scene, &begun, &[line_row(&scene, 2, "1001", "a")]).await;

    scene.store.import_is(&first.id, ImportState::Broken, Some(NOW), Some("the connection broke")).await.unwrap();
    let over = scene.store.import(&first.id).await.unwrap().unwrap();
    assert_eq!(over.problem.as_deref(), Some("the connection broke"));
    scene.store.add_import(&import(&scene, 2, ImportKind::Users, ImportMode::DryRun), NOW.plus_days(1)).await.unwrap();

    assert_eq!(scene.store.import(&first.id).await.unwrap(), None);
    assert_eq!(scene.store.import_verdicts(&first.id, false, 0, 10).await.unwrap(), []);
    let within = Within::Account(scene.account.clone());
    assert_eq!(scene.store.imports(&within, Page::FIRST).await.unwrap().len(), 1);
    assert_eq!(scene.store.imports(&Within::Site(scene.site.clone()), Page::FIRST).await.unwrap(), []);
}
