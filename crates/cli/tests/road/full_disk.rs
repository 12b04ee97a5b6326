//! A full disk: what was promised is there, no phone is wiped, and with room again all goes on by itself.
//!
//! The data folder lies on a disk of a few megabytes in memory, which the test can mount because it runs itself again
//! where mounts are its own.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer, skipped};
use serde_json::json;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

/// Set where the test may mount.
const MAY_MOUNT: &str = "PROVOST_TEST_MAY_MOUNT";

/// Activations and claims that are tried on the full disk: what the database had reserved is used up by then.
const TRIES: usize = 40;

#[test]
fn a_full_disk_loses_nothing_acknowledged_wipes_no_phone_and_ends_without_a_restart() {
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
    let name = "full_disk::a_full_disk_loses_nothing_acknowledged_wipes_no_phone_and_ends_without_a_restart";
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

/// A disk in memory, mounted over a folder until dropped.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Moves what a stopped server has onto a disk of its own.
    fn under(server: &TestServer) -> Self {
        let folder = server.data();
        let before = folder.with_extension("before");
        fs::rename(&folder, &before).unwrap();
        fs::create_dir(&folder).unwrap();
        run("mount", &["-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", path(&folder)]);
        run("cp", &["-a", &format!("{}/.", path(&before)), path(&folder)]);
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        Self { folder }
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.filler()).unwrap();
        let full = io::copy(&mut io::repeat(7), &mut file).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        let _ = file.flush();
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

fn mac(kind: u8, number: usize) -> String {
    format!("0004f2{kind}{number:05x}")
}

/// A server on a small disk, phones that wait for something to be stored, and what they were promised.
struct Scene {
    maker: Maker,
    server: TestServer,
    /// Phones with the codes of their devices.
    wait_for_code: Vec<(String, String)>,
    /// Phones whose MACs are entered with devices.
    pre_assigned: Vec<String>,
    promised: Vec<String>,
}

impl Scene {
    fn begin() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        let mut scene =
            Self { maker, server, wait_for_code: Vec::new(), pre_assigned: Vec::new(), promised: Vec::new() };
        let (account, site) = scene.server.site();
        for number in 0..TRIES {
            let phone = mac(1, number);
            assert_eq!(scene.master(&phone).status, 200);
            let device = scene.server.device((&account, &site), &format!("{}", 2000 + number), "vvx500");
            scene.wait_for_code.push((phone, scene.server.code(&device)));
            let user = json!({ "site": site, "name": "Ada", "extension": format!("{}", 3000 + number), "lines": [] });
            let user = scene.server.done("POST", "/users", Some(&user))["id"].clone();
            let device = json!({ "account": account, "model": "vvx500", "user": user, "mac": mac(2, number) });
            scene.server.done("POST", "/devices", Some(&device));
            scene.pre_assigned.push(mac(2, number));
        }
        scene
    }

    fn ask(&self, mac: &str, path: &str, arguments: &[&str]) -> Reply {
        self.server.phone(Some(&self.maker.phone(mac)), path, &[AGENT, arguments].concat())
    }

    fn master(&self, mac: &str) -> Reply {
        self.ask(mac, &format!("/{mac}.cfg"), &[])
    }

    fn settings(&self, mac: &str) -> Reply {
        self.ask(mac, &format!("/{mac}-provost.cfg"), &[])
    }

    /// Sends a log that does not fit into what a full disk may have left.
    fn upload(&self, mac: &str) -> u16 {
        let log = self.server.data().with_extension("upload");
        fs::write(&log, vec![b'x'; 400_000]).unwrap();
        self.ask(mac, &format!("/{mac}-app.log"), &["--upload-file", path(&log)]).status
    }

    /// Whether the phone is bound, by what is in the database file.
    fn is_bound(&self, mac: &str) -> bool {
        self.server.sql(&format!("SELECT COUNT(*) FROM bindings WHERE mac = '{mac}'")) == "1"
    }

    /// Activates until there is no room for it, which is said so; returns who was refused.
    fn activate_until_full(&mut self) -> (String, String) {
        while let Some((mac, code)) = self.wait_for_code.pop() {
            let answer = self.server.activate(&mac, &code);
            if answer.status != 200 {
                assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("disk-full")), "{}", answer.text());
                assert!(answer.text().contains("disk that holds the data folder is full"), "{}", answer.text());
                assert!(!self.is_bound(&mac));
                return (mac, code);
            }
            self.promised.push(mac);
        }
        panic!("there was room for {TRIES} activations");
    }

    /// Lets phones whose MACs are entered ask until there is no room for their claim; returns who got 503.
    fn claim_until_full(&mut self) -> String {
        while let Some(mac) = self.pre_assigned.pop() {
            let answer = self.master(&mac);
            if answer.status != 200 {
                assert_eq!(answer.status, 503, "{}", answer.text());
                return mac;
            }
            assert!(self.is_bound(&mac), "a phone whose claim found no room got the bootstrap");
            self.promised.push(mac);
        }
        panic!("there was room for {TRIES} claims");
    }

    /// Every phone that was promised something gets its configuration, or keeps what it has.
    fn nobody_is_wiped(&self) {
        for mac in &self.promised {
            let answer = self.settings(mac);
            let is_whole = answer.text().contains("device.auth.localAdminPassword");
            assert!(answer.status == 503 || is_whole, "{mac} was wiped: {} {}", answer.status, answer.text());
        }
    }
}

fn on_a_small_disk() {
    let mut scene = Scene::begin();
    let (working, code) = scene.wait_for_code.pop().unwrap();
    assert_eq!(scene.server.activate(&working, &code).status, 200);
    assert!(scene.settings(&working).text().contains("device.auth.localAdminPassword"));
    scene.promised.push(working.clone());
    assert_eq!(scene.server.stop(), Some(0));
    let disk = SmallDisk::under(&scene.server);
    scene.server.power_on();
    let pid = scene.server.pid();

    disk.fill();

    let (refused, code) = scene.activate_until_full();
    let unclaimed = scene.claim_until_full();
    scene.nobody_is_wiped();
    assert_eq!(scene.upload(&working), 503, "an upload that found no room is not acknowledged");

    disk.make_room();

    let again = scene.server.activate(&refused, &code);
    assert_eq!(again.status, 200, "the same code, without a restart: {} {}", again.text(), scene.server.log());
    assert_eq!(scene.master(&unclaimed).status, 200);
    assert_eq!(scene.upload(&working), 201);
    assert_eq!(scene.server.pid(), pid);
    assert!(!scene.server.log().contains("panicked"), "{}", scene.server.log());
    scene.promised.extend([refused, unclaimed]);
    scene.server.kill();
    scene.server.power_on();
    for mac in &scene.promised {
        assert!(scene.is_bound(mac), "{mac} was promised a binding");
        assert!(scene.settings(mac).text().contains("device.auth.localAdminPassword"), "{mac}");
    }
    assert_eq!(scene.server.sql("PRAGMA integrity_check"), "ok");
    assert_eq!(scene.server.stop(), Some(0), "{}", scene.server.log());
    drop(disk);
}
