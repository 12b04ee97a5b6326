//! An unclaimed phone's activation line, as its bootstrap says.

use crate::provost;
use provost_testkit::{Maker, ServerSetup, TestServer};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub(crate) const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

/// What a phone needs to call.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) user: String,
    pub(crate) password: String,
    /// What lifting the handset dials.
    pub(crate) contact: String,
    pub(crate) server: SocketAddr,
}

impl Line {
    /// Fetches the bootstrap of the phone over its proven connection and reads its line.
    pub(crate) fn of(server: &TestServer, maker: &Maker, mac: &str) -> Self {
        let pair = maker.phone(mac);
        let master = server.phone(Some(&pair), &format!("/{mac}.cfg"), AGENT);
        assert_eq!(master.status, 200, "{}", server.log());
        let bootstrap = server.phone(Some(&pair), &format!("/{mac}-provost.cfg"), AGENT).text();
        let value = |name: &str| {
            let found = bootstrap.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
            found.unwrap_or_else(|| panic!("no {name} in {bootstrap}")).0.to_owned()
        };
        let server = format!("{}:{}", value("reg.1.server.1.address"), value("reg.1.server.1.port"));
        Self {
            user: value("reg.1.auth.userId"),
            password: value("reg.1.auth.password"),
            contact: value("call.autoOffHook.1.contact"),
            server: server.parse().unwrap(),
        }
    }
}

/// A server with one unclaimed phone and a device with a code.
pub(crate) struct Scene {
    pub(crate) maker: Maker,
    pub(crate) server: TestServer,
    pub(crate) account: String,
    pub(crate) site: String,
    pub(crate) device: String,
    pub(crate) code: String,
    pub(crate) line: Line,
}

pub(crate) const MAC: &str = "0004f2000001";

impl Scene {
    pub(crate) fn set() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        Self::on(maker, server)
    }

    /// The same, with everything written to the log.
    pub(crate) fn on_with_trace() -> Self {
        let maker = Maker::new();
        let sections = "[log]\nlevel = \"trace\"\n".to_owned();
        let server = TestServer::start_with(&provost(), &maker, &ServerSetup { sections, ..ServerSetup::default() });
        Self::on(maker, server)
    }

    pub(crate) fn on(maker: Maker, server: TestServer) -> Self {
        let (account, site) = server.site();
        let device = server.device((&account, &site), "1001", "vvx500");
        let code = server.code(&device);
        let line = Line::of(&server, &maker, MAC);
        Self { maker, server, account, site, device, code, line }
    }

    /// Another device of the model, with its code.
    pub(crate) fn another(&self, extension: &str, model: &str) -> (String, String) {
        let device = self.server.device((&self.account, &self.site), extension, model);
        let code = self.server.code(&device);
        (device, code)
    }

    pub(crate) fn state(&self, device: &str) -> String {
        self.server.done("GET", &format!("/devices/{device}"), None)["state"].as_str().unwrap().to_owned()
    }

    /// The phone's timeline, once it holds a sentence with `words`.
    pub(crate) fn told(&self, mac: &str, words: &str) -> Vec<String> {
        until(|| {
            let told = self.server.timeline(mac);
            told.iter().any(|sentence| sentence.contains(words)).then_some(told)
        })
        .unwrap_or_else(|| panic!("`{words}` is not in {:#?}\n{}", self.server.timeline(mac), self.server.log()))
    }

    /// Enters a code through the API.
    pub(crate) fn enter(&self, mac: &str, code: &str) {
        let reply = self.server.activate(mac, code);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

/// Asks until there is an answer, for at most half a minute.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}
