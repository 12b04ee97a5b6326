//! Objects in a real folder.

use super::{CHUNK_BYTES, ImageObjects, ObjectError, Staged};
use crate::ImageRow;
use futures_util::TryStreamExt as _;
use provost_core::firmware::ImageKind;
use provost_core::time::UnixMillis;
use std::fs;
use std::path::Path;

fn bytes() -> Vec<u8> {
    (0..CHUNK_BYTES * 2 + 17).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn staged(objects: &ImageObjects, bytes: &[u8]) -> Staged {
    let mut object = objects.begin().unwrap();
    for piece in bytes.chunks(10_000) {
        object.write(piece).unwrap();
    }
    object.finish().unwrap()
}

fn row(staged: &Staged) -> ImageRow {
    ImageRow {
        id: "image_1".to_owned(),
        name: "sip.ld".to_owned(),
        kind: ImageKind::Application,
        part: None,
        line: Some("line".to_owned()),
        version: "6.4.8.1".parse().unwrap(),
        updater: None,
        sha256: staged.sha256.clone(),
        bytes: staged.bytes,
        object: staged.sha256.clone(),
        source: "sip.ld".to_owned(),
        put_by: "somebody".to_owned(),
        put_at: UnixMillis(1),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with one object in it.
fn with_one() -> (tempfile::TempDir, ImageObjects, ImageRow) {
    let folder = tempfile::tempdir().unwrap();
    let objects = ImageObjects::open(&folder.path().join("firmware")).unwrap();
    let staged = staged(&objects, &bytes());
    let row = row(&staged);
    objects.place(&[staged], |_| false).unwrap().settle(|_| true);
    (folder, objects, row)
}

async fn read(objects: &ImageObjects, row: &ImageRow, range: std::ops::Range<u64>) -> Vec<u8> {
    let pieces: Vec<bytes::Bytes> = objects.get(row).await.unwrap().read(range).try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn any_range_is_read_as_it_was_written() {
    let (_folder, objects, row) = with_one();
    let all = bytes();

    for (from, to) in
        [(0, row.bytes), (0, 1), (5, CHUNK_BYTES), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (3, 3), (7, u64::MAX)]
    {
        let expected = &all[usize::try_from(from).unwrap()..usize::try_from(to.min(row.bytes)).unwrap()];
        assert_eq!(read(&objects, &row, from..to).await, expected, "{from}..{to}");
    }
    assert!(read(&objects, &row, row.bytes..row.bytes + 5).await.is_empty());
    objects.check(&row).await.unwrap();
}

#[tokio::test]
async fn a_vanished_a_shorter_and_a_changed_object_are_told_apart_with_expected_and_found() {
    let (_folder, objects, row) = with_one();
    let path = objects.path(&row.object);
    let before = objects.check(&row).await.unwrap();

    let mut other = bytes();
    other[9] ^= 1;
    fs::write(&path, &other).unwrap();
    let opened = objects.get(&row).await.unwrap();
    assert_ne!(opened.stamp(), before, "it looks different");
    let changed = objects.check(&row).await.unwrap_err();
    assert!(
        matches!(&changed, ObjectError::Digest { expected, found, .. } if *expected == row.sha256 && found != expected)
    );

    fs::write(&path, &other[1..]).unwrap();
    let shorter = objects.get(&row).await.unwrap_err();
    assert!(
        matches!(shorter, ObjectError::Length { expected, found, .. } if expected == row.bytes && found == expected - 1)
    );

    fs::remove_file(&path).unwrap();
    let gone = objects.get(&row).await.unwrap_err();
    assert!(matches!(gone, ObjectError::Vanished { .. }), "{gone}");
}

#[tokio::test]
async fn an_object_that_is_removed_while_it_is_read_is_read_to_its_end() {
    let (_folder, objects, row) = with_one();
    let opened = objects.get(&row).await.unwrap();
    let mut pieces = opened.read(0..row.bytes);
    let first = pieces.try_next().await.unwrap().unwrap();

    objects.part_with(&row.object).settle(|_| false);

    let rest: Vec<bytes::Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!([vec![first], rest].concat().concat(), bytes());
}

#[test]
fn what_is_dropped_half_written_or_unnamed_is_gone() {
    let (_folder, objects, row) = with_one();
    let kept = format!("{}.image", row.object);

    let mut half = objects.begin().unwrap();
    half.write(b"half").unwrap();
    drop(half);
    drop(staged(&objects, b"whole"));
    objects.place(&[staged(&objects, b"refused by the database")], |_| false).unwrap().settle(|_| false);

    assert_eq!(names(objects.folder()), [kept]);
}

#[test]
fn what_a_killed_server_left_is_put_right_at_the_next_start() {
    let (_folder, objects, row) = with_one();
    let kept = format!("{}.image", row.object);
    std::mem::forget(objects.begin().unwrap());
    std::mem::forget(objects.place(&[staged(&objects, b"not in the database yet")], |_| false).unwrap());
    std::mem::forget(objects.part_with(&row.object));
    fs::write(objects.folder().join("note.txt"), b"somebody's").unwrap();
    fs::write(objects.folder().join("incoming-1-2.pending"), b"../../etc/passwd\n\xff").unwrap();
    for somebodys in ["download.zip.part", "incoming-1.part", "incoming-x-1.part", "todo.pending"] {
        fs::write(objects.folder().join(somebodys), b"somebody's").unwrap();
    }

    let gone = objects.sweep(|object| object == row.object).unwrap();

    assert_eq!(gone, 2, "the half-written and the one that no row names");
    let mut left = [&kept, "download.zip.part", "incoming-1.part", "incoming-x-1.part", "note.txt", "todo.pending"];
    left.sort_unstable();
    assert_eq!(names(objects.folder()), left);
}

#[test]
fn an_object_that_could_not_be_removed_is_removed_at_a_later_start() {
    let (_folder, objects, row) = with_one();
    let path = objects.path(&row.object);
    fs::remove_file(&path).unwrap();
    // What cannot be removed as a file.
    fs::create_dir(&path).unwrap();

    assert_eq!(objects.part_with(&row.object).settle(|_| false), 0);

    fs::remove_dir(&path).unwrap();
    fs::write(&path, b"still there").unwrap();
    assert_eq!(objects.sweep(|_| false).unwrap(), 1);
    assert_eq!(names(objects.folder()), Vec::<String>::new());
}

#[tokio::test]
async fn who_still_reads_a_broken_file_leaves_none_of_its_bytes_to_those_who_read_the_whole_one() {
    let (_folder, objects, row) = with_one();
    fs::write(objects.path(&row.object), vec![9; bytes().len()]).unwrap();
    let before = objects.get(&row).await.unwrap();
    objects.place(&[staged(&objects, &bytes())], |_| true).unwrap().settle(|_| true);
    objects.forget(&row.object);

    let old: Vec<bytes::Bytes> = before.read(0..row.bytes).try_collect().await.unwrap();

    assert_eq!(old.concat()[0], 9);
    assert_eq!(read(&objects, &row, 0..row.bytes).await, bytes());
}

#[test]
fn a_quota_that_is_used_up_is_a_full_disk() {
    for kind in [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded] {
        let error = ObjectError::of(Path::new("/images/x"), kind.into());
        assert!(matches!(error, ObjectError::DiskFull { .. }), "{error}");
    }
}
