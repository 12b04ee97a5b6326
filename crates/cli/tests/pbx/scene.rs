//! A server with one claimed phone, whose line is 1001.

use provost_testkit::{Finished, Maker, Provost, TestServer};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) const MAC: &str = "0004f2a00050";
const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

pub(crate) struct Scene {
    maker: Maker,
    pub(crate) server: TestServer,
    pub(crate) account: String,
    pub(crate) device: String,
}

impl Scene {
    pub(crate) fn set() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&Provost::new(env!("CARGO_BIN_EXE_provost")), &maker);
        let (account, site) = server.site();
        let device = server.device((&account, &site), "1001", "vvx500");
        let scene = Self { maker, server, account, device };
        scene.claims(MAC, &scene.device);
        scene
    }

    /// Has a phone claimed for a device.
    pub(crate) fn claims(&self, mac: &str, device: &str) {
        self.server.phone(Some(&self.maker.phone(mac)), &format!("/{mac}.cfg"), AGENT);
        let code = self.server.code(device);
        assert_eq!(self.server.activate(mac, &code).status, 200);
    }

    /// Adds a connector of this machine with these fields more; returns how it is shown once it was asked, which nobody
    /// does but the server.
    pub(crate) fn connector(&self, kind: &str, port: u16, more: &Value) -> Value {
        let mut body = json!({ "kind": kind, "host": "127.0.0.1", "port": port, "security": "plain", "inside": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = format!("/accounts/{}/connectors", self.account);
        let added = self.server.done("POST", &path, Some(&body));
        let one = format!("{path}/{}", added["id"].as_str().unwrap());
        until(|| Some(self.server.done("GET", &one, None)).filter(|shown| shown["found"]["state"] != "not asked yet"))
    }

    /// Asks the PBX now; returns what was found in words.
    pub(crate) fn tested(&self, connector: &Value) -> String {
        let path = format!("/accounts/{}/connectors/{}/test", self.account, connector["id"].as_str().unwrap());
        self.server.done("POST", &path, None)["found"]["words"].as_str().unwrap().to_owned()
    }

    /// What the device says of its phone's registration.
    pub(crate) fn registered(&self) -> Value {
        self.server.done("GET", &format!("/devices/{}", self.device), None)["registered"].clone()
    }

    /// Has the phone told, by the command line; returns how that ended.
    pub(crate) fn check_sync(&self, more: &[&str]) -> Finished {
        let mut all = vec!["device", "check-sync", self.device.as_str()];
        all.extend(more);
        self.server.cli(&all)
    }

    /// The open alarms.
    pub(crate) fn alarms(&self) -> Vec<Value> {
        let all = self.server.done("GET", "/alarms", None)["items"].as_array().unwrap().clone();
        all.into_iter().filter(|alarm| alarm.get("ended-at").is_none()).collect()
    }
}

/// Asks again until there is something, for half a minute at most.
pub(crate) fn until<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it did not come about");
        std::thread::sleep(Duration::from_millis(50));
    }
}
