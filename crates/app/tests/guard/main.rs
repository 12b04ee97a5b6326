//! What guards the files, where time passes or a handshake fails: peers and clock made by hand.
#![expect(clippy::unwrap_used, reason = "tests: a failure here is a failed test")]

mod alarms;
mod ends;
mod handshakes;

use provost_app::{Actor, App, Page, Parts, PhoneAnswer, PhoneMethod, PhoneRequest, Store, Told, Vault};
use provost_catalog::Catalog;
use provost_core::entry::{AccountInput, DeviceInput, SipServerInput, SiteInput, UserInput};
use provost_core::identity::{CertificateStatus, Peer, Transport, Verdict};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use tempfile::TempDir;

const MINUTE: i64 = 60_000;
const PHONE: &str = "0004f2a1b2c3";
const OTHER: &str = "0004f2a1b2c4";
const AGENT: &str = "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application";

thread_local! {
    /// Each test has a thread and so a clock of its own.
    static CLOCK: Cell<UnixMillis> = const { Cell::new(UnixMillis(1_795_000_000_000)) };
}

fn now() -> UnixMillis {
    CLOCK.get()
}

fn later(millis: i64) {
    CLOCK.set(now().plus_millis(millis));
}

fn mac(text: &str) -> MacAddr {
    MacAddr::from_hex12(text).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A connection with the phone's factory certificate.
fn proven(phone: &str, from: &str) -> Peer {
    let mac = mac(phone);
    let verdict = Verdict {
        status: CertificateStatus::FactoryInstalled,
        mac: Some(mac),
        fingerprint: Some([mac.octets()[5]; 32]),
        ..Verdict::none_presented()
    };
    Peer { address: address(from), transport: Transport::Tls, verdict: Arc::new(verdict) }
}

fn unproven(transport: Transport, from: &str) -> Peer {
    Peer { address: address(from), transport, verdict: Arc::new(Verdict::none_presented()) }
}

/// A server with nothing in it.
struct Scene {
    folder: TempDir,
    app: Arc<App>,
}

async fn app_in(folder: &TempDir) -> Arc<App> {
    let parts = Parts {
        store: Store::open(&folder.path().join("provost.db")).await.unwrap(),
        catalog: Arc::new(Catalog::built_in().unwrap()),
        vault: Vault::new(&[7; provost_app::KEY_BYTES]).unwrap(),
        told: Told {
            public_url: "https://phones.example.com".parse().unwrap(),
            former: None,
            plain_http: provost_app::PlainHttp::On { url: None },
            time_server: None,
            sip: None,
            server_root: None,
            command: "provost".to_owned(),
            console: None,
        },
        clock: now,
        firmware_store: folder.path().join("firmware"),
    };
    App::start(parts).await.unwrap()
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { app: app_in(&folder).await, folder }
    }

    /// The server is started again on the same database.
    async fn restart(&mut self) {
        self.app.stop().await;
        self.app = app_in(&self.folder).await;
    }

    async fn get(&self, peer: &Peer, path: &str) -> PhoneAnswer {
        let host = Some("phones.example.com");
        self.app
            .phone_request(PhoneRequest { peer, method: PhoneMethod::Get, path, user_agent: Some(AGENT), host })
            .await
    }

    async fn is_served(&self, peer: &Peer, path: &str) -> bool {
        matches!(self.get(peer, path).await, PhoneAnswer::File(_))
    }

    /// A device for a person, with the phone's MAC entered beforehand.
    async fn device(&self, mac: &str) -> String {
        let account = self
            .app
            .add_account(AccountInput { name: "Acme".to_owned(), parent: None }, &provost_app::Actor::control_socket())
            .await
            .unwrap()
            .id;
        let site = SiteInput {
            account: account.clone(),
            name: "Vienna".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            country: None,
            language: None,
            sip_servers: vec![SipServerInput { host: "sip.example.com".to_owned(), port: None, transport: None }],
            vlan: None,
            voicemail: None,
            emergency_address: None,
        };
        let site = self.app.add_site(site, &provost_app::Actor::control_socket()).await.unwrap().id;
        let (name, extension) = ("Ann".to_owned(), "1001".to_owned());
        let user = UserInput { site, name, extension, email: None, language: None, lines: Vec::new() };
        let user = Some(self.app.add_user(user, &provost_app::Actor::control_socket()).await.unwrap().id);
        let input = DeviceInput { account, model: "vvx450".to_owned(), user, mac: Some(mac.to_owned()) };
        self.app.add_device(input, &provost_app::Actor::control_socket()).await.unwrap().id
    }

    /// Sentence and advice of the phone's timeline, newest first.
    async fn told(&self, phone: &str) -> Vec<String> {
        let page = self.app.timeline(mac(phone), None, 100, &provost_app::Actor::control_socket()).await.unwrap();
        page.items.into_iter().map(|item| format!("{} {}", item.sentence, item.advice.unwrap_or_default())).collect()
    }

    /// Kind, subject, how often and whether it is open, of each alarm.
    async fn alarms(&self) -> Vec<(String, String, i64, bool)> {
        let alarms = self.app.alarms(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap();
        alarms.into_iter().map(|alarm| (alarm.kind, alarm.subject, alarm.times, alarm.ended_at.is_none())).collect()
    }
}

fn by() -> Actor {
    Actor::control_socket()
}
