//! A full disk below the image store: said in words, nothing half-stored remains, and with room again it works.
//!
//! The store lies on a disk of a few megabytes in memory, which the test can mount because it runs itself again where
//! mounts are its own.

use crate::files::{Files, OF_350, OF_450, bytes};
use crate::{nothing_is_kept, path, provost, upload};
use provost_testkit::{Maker, ServerSetup, TestServer, skipped};
use serde_json::json;
use std::fs;
use std::process::Command;

/// Set where the test may mount.
const MAY_MOUNT: &str = "PROVOST_TEST_MAY_MOUNT";

#[test]
fn a_full_disk_is_said_and_nothing_half_stored_remains() {
    if std::env::var_os(MAY_MOUNT).is_some() {
        on_a_small_disk();
        return;
    }
    // The second way needs no root, where the system lets people have namespaces.
    let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
    let may = |way: &&&[&str]| Command::new("unshare").args(**way).arg("true").status().is_ok_and(|end| end.success());
    let Some(way) = ways.iter().find(may) else {
        skipped("this system lets nobody mount a disk of its own");
        return;
    };
    let itself = std::env::current_exe().unwrap();
    let name = "full_disk::a_full_disk_is_said_and_nothing_half_stored_remains";
    let run = Command::new("unshare")
        .args(*way)
        .arg(itself)
        .args(["--exact", name, "--nocapture"])
        .env(MAY_MOUNT, "1")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    println!("{said}");
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

fn on_a_small_disk() {
    let (disk, files) = (tempfile::tempdir().unwrap(), Files::new());
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", path(disk.path())]).status();
    assert!(mounted.unwrap().success());
    let store = disk.path().join("images");
    let sections = format!("[firmware]\nstore = \"{}\"\n", store.display());
    let server = TestServer::start_with(&provost(), &Maker::new(), &ServerSetup { top: String::new(), sections });
    fs::create_dir_all(server.data().join("firmware")).unwrap();
    // Beside the lock.
    let left = || fs::read_dir(&store).unwrap().count() - 1;

    // Too large as it comes, and too large when it is unpacked.
    let large = files.file(OF_450, &bytes(1).repeat(5));
    let zip = files.zip("images.zip", &[(OF_450, &[bytes(1), vec![7; 600_000]].concat()), (OF_350, &bytes(2))]);
    for (file, said) in [(&large, "&version=6.4.8.1"), (&zip, "&version=6.4.8.1")] {
        let refused = upload(&server, server.token(), file, said);

        assert_eq!((refused.status, &refused.json()["code"]), (503, &json!("disk-full")), "{}", refused.text());
        assert!(refused.text().contains(&format!("image store {} is full", store.display())), "{}", refused.text());
        assert_eq!(left(), 0, "{}", file.display());
        nothing_is_kept(&server);
    }

    let small = files.file(OF_450, &bytes(1));
    assert_eq!(upload(&server, server.token(), &small, "&version=6.4.8.1").status, 201);
    assert_eq!(left(), 1);
    drop(server);
    let _ = Command::new("umount").arg("--lazy").arg(disk.path()).status();
}
