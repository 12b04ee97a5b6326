//! A server of its own for one test.

use crate::{Maker, PhoneKey, PostgresDatabase, Provost, Reply};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a test wants its server.
#[derive(Debug, Clone, Default)]
pub struct ServerSetup {
    /// Lines for the configuration file, at its top level.
    pub top: String,
    /// Lines for the end of the configuration file, with their sections.
    pub sections: String,
}

/// A running `provost serve` on free loopback ports; killed when dropped.
pub struct TestServer {
    provost: Provost,
    folder: TempDir,
    child: Option<Child>,
    ready: Value,
    token: String,
    /// Where it remembers, unless in its folder.
    postgres: Option<PostgresDatabase>,
}

/// With the value `postgres`, every server of the tests remembers in a PostgreSQL database of its own.
const ENGINE: &str = "PROVOST_TEST_ENGINE";

const START_DEADLINE: Duration = Duration::from_secs(60);

impl TestServer {
    /// Starts a server that trusts the maker's phones.
    pub fn start(provost: &Provost, maker: &Maker) -> Self {
        Self::start_with(provost, maker, &ServerSetup::default())
    }

    /// Starts a server with more configuration.
    pub fn start_with(provost: &Provost, maker: &Maker, setup: &ServerSetup) -> Self {
        Self::start_trusting(provost, &maker.bundle(), setup)
    }

    /// Starts a server that trusts the authorities of a PEM file.
    pub fn start_trusting(provost: &Provost, bundle: &Path, setup: &ServerSetup) -> Self {
        let mut server = Self::prepare(provost, setup);
        let imported = server.cli(&["trust", "import", "--custom", bundle.to_str().unwrap()]);
        assert_eq!(imported.code, 0, "{}", imported.err);
        server.begin();
        server
    }

    /// Starts a server into which no authority was imported.
    pub fn start_without_authorities(provost: &Provost, setup: &ServerSetup) -> Self {
        let mut server = Self::prepare(provost, setup);
        server.begin();
        server
    }

    fn prepare(provost: &Provost, setup: &ServerSetup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = std::env::var(ENGINE).is_ok_and(|engine| engine == "postgres").then(PostgresDatabase::new);
        let database = postgres.as_ref().map(|database| format!("database = \"{}\"\n", database.url()));
        let mut text = format!("data-dir = \"data\"\n{}{}\n[listen]\n", database.unwrap_or_default(), setup.top);
        for listener in ["phones-https", "phones-http", "console", "sntp", "sip"] {
            let _ = writeln!(text, "{listener} = \"127.0.0.1:0\"");
        }
        text.push_str(&setup.sections);
        fs::write(folder.path().join("provost.toml"), text).unwrap();
        Self { provost: provost.clone(), folder, child: None, ready: Value::Null, token: String::new(), postgres }
    }

    fn begin(&mut self) {
        self.power_on();
        let made = self.cli(&["token", "create", "--role", "owner", "--json"]);
        let token: Value = serde_json::from_str(&made.out).unwrap_or_else(|_| panic!("{}{}", made.out, made.err));
        token["token"].as_str().unwrap().clone_into(&mut self.token);
    }

    /// Sends the process a signal, such as `HUP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// The memory the process holds, in kB.
    pub fn resident_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Starts the process and waits for its ready file.
    pub fn power_on(&mut self) {
        let ready_file = self.folder.path().join("ready.json");
        let _ = fs::remove_file(&ready_file);
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        let child = self
            .provost
            .command()
            .args(["serve", "--config"])
            .arg(self.configuration())
            .arg("--ready-file")
            .arg(&ready_file)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        self.child = Some(child);
        let began = Instant::now();
        while !ready_file.exists() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && began.elapsed() < START_DEADLINE, "the server did not start:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        self.ready = serde_json::from_slice(&fs::read(&ready_file).unwrap()).unwrap();
    }

    /// Ends the process as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks the process to end, and returns its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take()?;
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        child.wait().unwrap().code()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// The configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("provost.toml")
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log.txt")
    }

    /// Everything the process printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Where a listener of the ready file answers.
    pub fn address(&self, listener: &str) -> String {
        self.ready[listener].as_str().unwrap_or_else(|| panic!("no listener {listener}")).to_owned()
    }

    /// The root that phones must trust.
    pub fn root(&self) -> PathBuf {
        self.data().join("server").join("root.crt")
    }

    /// The owner's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Runs a subcommand with this server's configuration.
    pub fn cli(&self, arguments: &[&str]) -> crate::Finished {
        let configuration = self.configuration();
        let mut all = vec!["--config", configuration.to_str().unwrap()];
        all.extend(arguments);
        self.provost.run(&all)
    }

    /// A request on the phones' TLS port, with more arguments for curl.
    pub fn phone(&self, pair: Option<&PhoneKey>, path: &str, arguments: &[&str]) -> Reply {
        let url = format!("https://{}{path}", self.address("phones_https"));
        let root = self.root();
        let mut all = vec!["--cacert", path_text(&root)];
        if let Some(PhoneKey { chain, key }) = pair {
            all.extend(["--cert", path_text(chain), "--key", path_text(key)]);
        }
        all.extend(arguments);
        all.push(&url);
        Reply::of(&all)
    }

    /// A call of the API with the owner's token.
    pub fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let url = format!("{}/api/v1{path}", self.address("console"));
        let bearer = format!("Authorization: Bearer {}", self.token);
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut all = vec!["--request", method, "--header", &bearer];
        if body.is_some() {
            all.extend(["--header", "Content-Type: application/json", "--data-binary", &text]);
        }
        all.push(&url);
        Reply::of(&all)
    }

    /// A call that must succeed; returns its JSON.
    pub fn done(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let reply = self.api(method, path, body);
        assert!(
            (200..300).contains(&reply.status),
            "{method} {path}: {} {} {}",
            reply.status,
            reply.text(),
            reply.trouble
        );
        reply.json()
    }

    /// Adds an account and a site with one SIP server; returns both ids.
    pub fn site(&self) -> (String, String) {
        let account = self.done("POST", "/accounts", Some(&json!({ "name": "Example" })));
        let site = self.done(
            "POST",
            "/sites",
            Some(&json!({
                "account": account["id"], "name": "Vienna", "time-zone": "Europe/Vienna",
                "sip-servers": [{ "host": "pbx-a.example.com", "port": 5060, "transport": "udp" },
                                { "host": "pbx-b.example.com", "port": 5061, "transport": "tls" }],
            })),
        );
        (text(&account, "id"), text(&site, "id"))
    }

    /// Adds a user with one line and a device of the model for them; returns the device's id.
    pub fn device(&self, (account, site): (&str, &str), extension: &str, model: &str) -> String {
        let user = self.done(
            "POST",
            "/users",
            Some(&json!({
                "site": site, "name": format!("User {extension}"), "extension": extension,
                "lines": [{ "user": extension, "password": format!("secret-{extension}") }],
            })),
        );
        let device = json!({ "account": account, "model": model, "user": user["id"] });
        text(&self.done("POST", "/devices", Some(&device)), "id")
    }

    /// Issues a code for a device.
    pub fn code(&self, device: &str) -> String {
        text(&self.done("POST", &format!("/devices/{device}/codes"), None), "code")
    }

    /// Enters a code for a phone.
    pub fn activate(&self, mac: &str, code: &str) -> Reply {
        self.api("POST", &format!("/phones/{mac}/activate"), Some(&json!({ "code": code })))
    }

    /// The sentences of a phone's timeline, newest first.
    pub fn timeline(&self, mac: &str) -> Vec<String> {
        let page = self.done("GET", &format!("/phones/{mac}/timeline"), None);
        page["items"].as_array().unwrap().iter().map(|item| text(item, "sentence")).collect()
    }

    /// Whether it remembers in a PostgreSQL database.
    pub fn is_on_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    /// Everything the database holds, as whoever steals it reads it: the files, or a dump with its bytes as they are.
    pub fn stolen_database(&self) -> Vec<u8> {
        let Some(database) = &self.postgres else {
            let mut all = fs::read(self.data().join("provost.db")).unwrap();
            all.extend(fs::read(self.data().join("provost.db-wal")).unwrap_or_default());
            return all;
        };
        let output = Command::new("pg_dump").arg(database.url()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let dump = String::from_utf8(output.stdout).unwrap();
        let mut all = dump.clone().into_bytes();
        for written in dump.split("\\x").skip(1) {
            let digits: Vec<u32> = written.chars().map_while(|letter| letter.to_digit(16)).collect();
            all.extend(
                digits
                    .chunks_exact(2)
                    .map(|pair| u8::try_from(pair.iter().fold(0, |all, digit| all * 16 + digit)).unwrap()),
            );
        }
        all
    }

    /// Empties the database of a server that is stopped, as a lost disk would.
    pub fn lose_database(&self) {
        if let Some(database) = &self.postgres {
            database.sql("DROP SCHEMA provost CASCADE");
            return;
        }
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.data().join(format!("provost.db{ending}")));
        }
    }

    /// What a query on the database prints, with the sqlite3 program or psql.
    pub fn sql(&self, query: &str) -> String {
        if let Some(database) = &self.postgres {
            return database.sql(query);
        }
        // A running server writes too: wait for it as it waits for others.
        let database = self.data().join("provost.db");
        let output =
            Command::new("sqlite3").args(["-cmd", ".timeout 10000"]).arg(database).arg(query).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
    }
}
