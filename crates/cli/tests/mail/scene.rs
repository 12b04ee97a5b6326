//! A server of Provost with a mail server, and people with phones to come.

use crate::smtp::Smtp;
use provost_testkit::{Maker, Provost, Reply, ServerSetup, TestServer, skipped};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) struct Scene {
    pub(crate) maker: Maker,
    pub(crate) server: TestServer,
    pub(crate) smtp: Smtp,
    pub(crate) account: String,
    pub(crate) site: String,
}

/// Waits for what comes by itself.
pub(crate) fn until<T>(mut is_there: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = is_there() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it did not come within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the mail server's package is there; said as skipped if not.
pub(crate) fn can_serve_mail() -> bool {
    let found = Command::new("/usr/bin/python3").args(["-c", "import aiosmtpd"]).output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        skipped("python3-aiosmtpd is not installed; ./test installs it");
    }
    is_there
}

pub(crate) fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}

impl Scene {
    /// With a mail server that takes everything.
    pub(crate) fn new() -> Self {
        Self::with(Smtp::start(), "")
    }

    /// With this mail server and more lines for the section about it.
    pub(crate) fn with(smtp: Smtp, more: &str) -> Self {
        let maker = Maker::new();
        let sections = format!(
            "[mail]\nfrom = \"Phones <phones@example.com>\"\n{}{more}",
            if more.contains("smtp-url") {
                String::new()
            } else {
                format!("smtp-url = \"smtp://127.0.0.1:{}\"\n", smtp.port)
            }
        );
        let server = TestServer::start_with(&provost(), &maker, &ServerSetup { top: String::new(), sections });
        let (account, site) = server.site();
        Self { maker, server, smtp, account, site }
    }

    /// Adds a person with a mail address.
    pub(crate) fn person(&self, extension: &str) -> String {
        let body = json!({
            "site": self.site, "name": format!("User {extension}"), "extension": extension,
            "email": format!("user{extension}@example.com"), "lines": [{ "user": extension }],
        });
        id(&self.server.done("POST", "/users", Some(&body)))
    }

    /// Adds a device of the model for a person.
    pub(crate) fn device(&self, user: &str, model: &str) -> String {
        let body = json!({ "account": self.account, "model": model, "user": user });
        id(&self.server.done("POST", "/devices", Some(&body)))
    }

    /// A person who waits for a phone.
    pub(crate) fn newcomer(&self, extension: &str) -> String {
        let user = self.person(extension);
        self.device(&user, "vvx450");
        user
    }

    /// Sends the welcome mail; returns the mail as shown.
    pub(crate) fn welcome(&self, user: &str) -> Value {
        self.server.done("POST", &format!("/users/{user}/welcome-mail"), None)
    }

    pub(crate) fn try_welcome(&self, user: &str, body: &Value) -> Reply {
        self.server.api("POST", &format!("/users/{user}/welcome-mail"), Some(body))
    }

    /// A mail as shown now.
    pub(crate) fn mail(&self, mail: &Value) -> Value {
        self.server.done("GET", &format!("/mail/{}", id(mail)), None)
    }

    /// The mail once it is in this state.
    pub(crate) fn comes_to(&self, mail: &Value, state: &str) -> Value {
        let began = Instant::now();
        loop {
            let shown = self.mail(mail);
            if shown["state"] == state {
                return shown;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{shown}\n{}", self.server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Open alarms of a kind.
    pub(crate) fn alarms(&self, kind: &str) -> Vec<Value> {
        let all = self.server.done("GET", "/alarms", None)["items"].as_array().unwrap().clone();
        all.into_iter().filter(|alarm| alarm["kind"] == kind && alarm["ended-at"].is_null()).collect()
    }
}

pub(crate) fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}
