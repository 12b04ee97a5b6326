use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Scene {
    server: TestServer,
    folder: TempDir,
    _maker: Maker,
}

impl Scene {
    fn new() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        server.site();
        Self { server, folder: tempfile::tempdir().unwrap(), _maker: maker }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn send(&self, kind: &str, mode: &str, file: &Path) -> Reply {
        let url = format!("{}/api/v1/imports?kind={kind}&mode={mode}", self.server.address("console"));
        let bearer = format!("Authorization: Bearer {}", self.server.token());
        let data = format!("@{}", file.display());
        let csv = "Content-Type: text/csv";
        Reply::of(&["--max-time", "120", "--header", &bearer, "--header", csv, "--data-binary", &data, &url])
    }

    /// Sends a file and waits for the end of the import.
    fn import(&self, kind: &str, mode: &str, file: &Path) -> Value {
        let reply = self.send(kind, mode, file);
        assert_eq!(reply.status, 202, "{} {}", reply.text(), reply.trouble);
        self.ended(reply.json()["id"].as_str().unwrap())
    }

    fn ended(&self, id: &str) -> Value {
        let began = Instant::now();
        loop {
            let import = self.server.done("GET", &format!("/imports/{id}"), None);
            if !import["ended-at"].is_null() {
                return import;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{import}");
            std::thread::yield_now();
        }
    }

    fn bad(&self, import: &Value) -> Vec<String> {
        let path = format!("/imports/{}/rows?verdict=bad", import["id"].as_str().unwrap());
        let page = self.server.done("GET", &path, None);
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| format!("{} {}", item["row"], item["faults"][0]["field"].as_str().unwrap())).collect()
    }

    fn count(&self, table: &str) -> usize {
        self.server.sql(&format!("SELECT COUNT(*) FROM {table}")).parse().unwrap()
    }
}

fn users(count: usize) -> String {
    let mut text = "name,extension,email,language,site\n".to_owned();
    for n in 0..count {
        let _ = writeln!(text, "\"Person {n}, the \"\"{n}th\"\"\",{},p{n}@example.com,de-AT,Vienna", 100_000 + n);
    }
    text
}

const MIXED: &str = "site;name;extension\r\nVienna;Ada;1001\r\nVienna;Bob;1001\r\nParis;Eve;1002\r\n;Dan;1003\r\n";

#[test]
fn every_row_gets_its_verdict_and_the_mode_says_what_becomes_of_the_good_ones() {
    let scene = Scene::new();
    let file = scene.file("mixed.csv", format!("\u{FEFF}{MIXED}"));

    let tried = scene.import("users", "dry-run", &file);
    assert_eq!((&tried["state"], scene.count("persons")), (&Value::from("done"), 0));
    assert_eq!(scene.bad(&tried), ["3 extension", "4 site"]);
    let whole = scene.import("users", "all-or-nothing", &file);
    assert_eq!((&whole["state"], scene.count("persons")), (&Value::from("refused"), 0));
    let good = scene.import("users", "good-rows", &file);
    assert_eq!((&good["state"], &good["applied"], &good["bad"]), (&Value::from("done"), &2.into(), &2.into()));
    assert_eq!(scene.count("persons"), 2);
    let again = scene.import("users", "good-rows", &file);
    assert_eq!(scene.bad(&again), ["2 extension", "3 extension", "4 site", "5 extension"]);

    let audit = scene.server.done("GET", "/audit", None).to_string();
    assert!(
        audit.contains(&format!("imported the good rows of 1 to 5, users, as {}", good["id"].as_str().unwrap())),
        "{audit}"
    );
    let page = scene.server.done("GET", "/imports?limit=3", None);
    assert_eq!(page["items"][0]["id"], again["id"]);
}

#[test]
fn devices_and_lines_find_the_users_that_were_imported() {
    let scene = Scene::new();
    scene.import("users", "all-or-nothing", &scene.file("users.csv", "name,extension\nAda,1001\nBob,1002\n"));

    let lines = "extension,sip-user,auth-user,password\n1001,1001,,\" p,w \"\n1001,7001,x,y\n1003,1,,\n";
    let lines = scene.import("lines", "good-rows", &scene.file("lines.csv", lines));
    let devices = "model,mac,extension\nVVX 450,00:04:f2:00:00:01,1001\nvvx500,,\nvvx450,0004f2000001,1002\n";
    let devices = scene.import("devices", "good-rows", &scene.file("devices.csv", devices));

    assert_eq!((scene.bad(&lines), scene.bad(&devices)), (vec!["4 extension".to_owned()], vec!["4 mac".to_owned()]));
    let users = scene.server.done("GET", "/users", None);
    let ada = users["items"].as_array().unwrap().iter().find(|user| user["extension"] == "1001").unwrap();
    assert_eq!((&ada["lines"][1]["user"], &ada["lines"][1]["has-password"]), (&"7001".into(), &true.into()));
    let report = scene.server.done("GET", "/reports/devices?sort=mac&columns=mac-address,user", None);
    assert_eq!(report["items"][1]["user"], "Ada", "{report}");
    // What came in as a password is on no disk in clear, and with the rows of an import that is over not at all.
    assert_eq!(scene.server.sql("SELECT COUNT(*) FROM import_rows WHERE password IS NOT NULL"), "0");
    // On a database server, its files are not ours to read: there the columns are the same as here.
    let database = fs::read(scene.server.data().join("provost.db"));
    assert!(scene.server.is_on_postgres() || !database.unwrap().windows(5).any(|bytes| bytes == b" p,w "));
}

#[test]
fn a_file_that_cannot_be_read_says_so_and_leaves_nothing() {
    let scene = Scene::new();
    for (text, wanted) in [
        (&b""[..], "is empty"),
        (b"name,extn\n", "extn"),
        (b"\xFF\xFEn\0a\0", "UTF-16"),
        (b"name,extension\nA,\"1", "quotation marks of row 2"),
    ] {
        let reply = scene.send("users", "good-rows", &scene.file("bad.csv", text));
        assert_eq!(reply.status, 422, "{}", reply.text());
        assert!(reply.text().contains(wanted), "{}", reply.text());
    }
    assert_eq!(scene.send("people", "all", &scene.file("x.csv", "a")).status, 422);
    let imports = scene.server.done("GET", "/imports", None);
    assert!(imports["items"].as_array().unwrap().iter().all(|import| import["state"] == "broken"), "{imports}");
    assert_eq!(scene.count("persons"), 0);
}

#[test]
fn fifty_thousand_rows_come_in_within_their_time_and_memory() {
    let scene = Scene::new();
    let file = scene.file("users.csv", users(50_000));
    // The first import warms what stays.
    scene.import("users", "dry-run", &scene.file("few.csv", users(2_000)));
    let (before, began) = (scene.server.resident_kb(), Instant::now());

    let import = scene.import("users", "all-or-nothing", &file);

    let (after, took) = (scene.server.resident_kb(), began.elapsed());
    assert_eq!((&import["state"], &import["applied"]), (&Value::from("done"), &50_000.into()), "{import}");
    assert_eq!(scene.count("persons"), 50_000);
    let grown = after.saturating_sub(before);
    println!("50,000 rows: {took:?}, {grown} kB more");
    assert!(grown < 20_000, "{grown} kB more");
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[test]
fn a_server_that_is_killed_goes_on_with_good_rows_and_has_all_or_nothing() {
    let mut scene = Scene::new();
    for (mode, file) in [("good-rows", users(12_000)), ("all-or-nothing", users(24_000).replace(",1", ",2"))] {
        let file = scene.file("users.csv", file);
        let before = scene.count("persons");
        let reply = scene.send("users", mode, &file);
        let id = reply.json()["id"].as_str().unwrap().to_owned();

        scene.server.kill();
        let left = scene.count("persons") - before;
        assert!(mode == "good-rows" || left == 0 || left == 24_000, "{left}");
        scene.server.power_on();

        let import = scene.ended(&id);
        assert_eq!((&import["state"], &import["rows"]), (&"done".into(), &import["applied"]), "{import}");
        assert_eq!(scene.count("persons") - before, usize::try_from(import["rows"].as_u64().unwrap()).unwrap());
    }
}

#[test]
fn a_file_that_was_coming_in_when_the_server_was_killed_left_nothing() {
    let mut scene = Scene::new();
    scene.server.sql("SELECT 1");
    let import = scene.import("users", "dry-run", &scene.file("few.csv", users(10)));
    let id = import["id"].as_str().unwrap();
    scene.server.kill();
    scene.server.sql(&format!("UPDATE imports SET state = 'receiving', ended_ms = NULL WHERE id = '{id}'"));

    scene.server.power_on();

    let import = scene.ended(id);
    assert_eq!(import["state"], "broken");
    assert!(import["problem"].as_str().unwrap().contains("Send it again"), "{import}");
}

#[test]
fn the_command_line_prints_verdicts_and_ends_as_it_went() {
    let scene = Scene::new();
    let file = scene.file("mixed.csv", MIXED);
    let file = file.to_str().unwrap();
    let template = scene.server.cli(&["import", "template", "--kind", "users"]);
    assert!(template.out.starts_with("site,name,extension,email,language\nVienna,"), "{}", template.out);
    let template = scene.file("template.csv", template.out);

    let tried = scene.server.cli(&["import", "csv", "--kind", "users", file, "--dry-run"]);
    assert_eq!(tried.code, 1);
    assert!(tried.out.contains("row 3 (1001): extension: is also in row 2"), "{}", tried.out);
    assert!(tried.err.contains("4 rows, 2 of them bad. Nothing was applied."), "{}", tried.err);
    assert_eq!(scene.server.cli(&["import", "csv", "--kind", "users", file]).code, 1);
    let good = scene.server.cli(&["import", "csv", "--kind", "users", file, "--good-rows"]);
    assert_eq!((good.code, scene.count("persons")), (0, 2), "{}", good.err);
    let example = template.to_str().unwrap();
    let json = scene.server.cli(&["import", "csv", "--kind", "users", example, "--dry-run", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["import"]["bad"], &json["bad"][0]["row"]), (&1.into(), &2.into()));
    assert_eq!(scene.server.cli(&["import", "csv", "--kind", "users", "/nowhere.csv"]).code, 64);
}
