//! The device plane through its one use-case, with peers made by hand.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests: a failure here is a failed test")]

mod calls;
mod claimed;
mod emergency;
mod moving;
mod page;
mod refused;
mod returns;
mod unclaimed;
mod voice;

use bytes::Bytes;
use provost_app::{App, DeviceView, Kept, Page, Parts, PhoneAnswer, PhoneMethod, PhoneRequest, Store, Told, Vault};
use provost_catalog::Catalog;
use provost_core::entry::{AccountInput, DeviceInput, LineInput, SipServerInput, SiteInput, UserInput};
use provost_core::facts::{SipServer, SipTransport};
use provost_core::identity::{CertificateStatus, Peer, Transport, Verdict};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;
use tempfile::TempDir;

const OURS: &str = "0004f2a1b2c3";
const OTHERS: &str = "0004f2a1b2c4";
const VVX450: &str = "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application";
const VVX450_UPDATER: &str = "FileTransport PolycomVVX-VVX_450-UA/6.4.7.3828 Type/Updater";
const VVX500: &str = "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application";
const PUBLIC: &str = "phones.example.com";

/// A server with nothing in it.
struct Scene {
    folder: TempDir,
    app: Arc<App>,
    /// The same database, for what must and must not stand in it.
    store: Store,
}

thread_local! {
    /// Each test has a thread and so a clock of its own.
    static CLOCK: Cell<UnixMillis> = const { Cell::new(UnixMillis(1_795_000_000_000)) };
}

fn now() -> UnixMillis {
    CLOCK.get()
}

/// Lets the second pass for which an answer may be given again.
fn a_second_later() {
    CLOCK.set(now().plus_millis(1000));
}

fn mac(text: &str) -> MacAddr {
    MacAddr::from_hex12(text).unwrap()
}

/// A connection with the phone's factory certificate.
fn proven(phone: &str) -> Peer {
    let verdict = Verdict {
        status: CertificateStatus::FactoryInstalled,
        mac: Some(mac(phone)),
        fingerprint: Some([7; 32]),
        ..Verdict::none_presented()
    };
    Peer { address: IpAddr::from([192, 0, 2, 7]), transport: Transport::Tls, verdict: Arc::new(verdict) }
}

/// A connection that presented nothing.
fn stranger() -> Peer {
    let verdict = Arc::new(Verdict::none_presented());
    Peer { address: IpAddr::from([192, 0, 2, 66]), transport: Transport::Tls, verdict }
}

impl Scene {
    /// Without a voice, as a server whose listener for calls is off.
    async fn new() -> Self {
        Self::start(tempfile::tempdir().unwrap(), None).await
    }

    /// Where a voice answers.
    async fn with_voice() -> Self {
        Self::start(tempfile::tempdir().unwrap(), Some(voice_server())).await
    }

    /// The same data folder after a restart.
    async fn restarted(self) -> Self {
        self.app.stop().await;
        Self::start(self.folder, Some(voice_server())).await
    }

    async fn start(folder: TempDir, sip: Option<SipServer>) -> Self {
        let store = Store::open(&folder.path().join("provost.db")).await.unwrap();
        let told = Told {
            public_url: format!("https://{PUBLIC}").parse().unwrap(),
            former: None,
            plain_http: provost_app::PlainHttp::On { url: None },
            time_server: None,
            sip,
            server_root: None,
            command: "provost".to_owned(),
            console: None,
        };
        let parts = Parts {
            store: store.clone(),
            catalog: Arc::new(Catalog::built_in().unwrap()),
            vault: Vault::new(&[7; provost_app::KEY_BYTES]).unwrap(),
            told,
            clock: now,
            firmware_store: folder.path().join("firmware"),
        };
        Self { folder, app: App::start(parts).await.unwrap(), store }
    }

    async fn ask(&self, peer: &Peer, method: PhoneMethod, path: &str, user_agent: Option<&str>) -> PhoneAnswer {
        self.app.phone_request(PhoneRequest { peer, method, path, user_agent, host: Some(PUBLIC) }).await
    }

    /// A VVX 450 with a good certificate reads a file.
    async fn get(&self, phone: &str, path: &str) -> PhoneAnswer {
        self.ask(&proven(phone), PhoneMethod::Get, path, Some(VVX450)).await
    }

    async fn put(&self, phone: &str, path: &str, content: &'static str) -> PhoneAnswer {
        let content = PhoneMethod::Put(Bytes::from_static(content.as_bytes()));
        self.ask(&proven(phone), content, path, Some(VVX450)).await
    }

    /// The sentences of the phone's timeline, newest first.
    async fn told(&self, phone: &str) -> Vec<String> {
        let page = self.app.timeline(mac(phone), None, 100, &provost_app::Actor::control_socket()).await.unwrap();
        page.items.into_iter().map(|item| item.sentence).collect()
    }

    async fn known_phones(&self) -> usize {
        self.app.phones(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().len()
    }

    /// An account with a site and a user; returns the ids of account and user.
    async fn customer(&self, name: &str) -> (String, String) {
        let account = self
            .app
            .add_account(AccountInput { name: name.to_owned(), parent: None }, &provost_app::Actor::control_socket())
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
        let user = |name: &str, extension: &str| UserInput {
            site: site.clone(),
            name: name.to_owned(),
            extension: extension.to_owned(),
            email: None,
            language: None,
            lines: vec![LineInput {
                user: extension.to_owned(),
                password: Some("s3cret<&>".to_owned()),
                auth_user: None,
            }],
        };
        let ann = self.app.add_user(user("Ann", "1001"), &provost_app::Actor::control_socket()).await.unwrap().id;
        self.app.add_user(user("Bo", "1002"), &provost_app::Actor::control_socket()).await.unwrap();
        (account, ann)
    }

    async fn device(&self, (account, user): &(String, String), mac: Option<&str>) -> DeviceView {
        let input = DeviceInput {
            account: account.clone(),
            model: "vvx450".to_owned(),
            user: Some(user.clone()),
            mac: mac.map(str::to_owned),
        };
        self.app.add_device(input, &provost_app::Actor::control_socket()).await.unwrap()
    }

    /// A VVX 450 bound by code; returns its device.
    async fn bound(&self, phone: &str) -> DeviceView {
        let device = self.device(&self.customer("Acme").await, None).await;
        let (code, _) =
            self.app.issue_code(&device.id.parse().unwrap(), &provost_app::Actor::control_socket()).await.unwrap();
        self.get(phone, &format!("/{phone}.cfg")).await;
        self.app.activate(mac(phone), &code.digits(), &provost_app::Actor::control_socket()).await.unwrap().device
    }
}

fn voice_server() -> SipServer {
    SipServer { host: "sip.example.com".to_owned(), port: 5060, transport: SipTransport::Udp }
}

/// The text of a file that was sent.
fn text(answer: PhoneAnswer) -> String {
    let PhoneAnswer::File(bytes) = answer else { panic!("no file but {answer:?}") };
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn settings(phone: &str) -> String {
    format!("/{phone}-provost.cfg")
}

/// Whether one of the sentences holds all the parts.
fn says(told: &[String], parts: &[&str]) -> bool {
    told.iter().any(|sentence| parts.iter().all(|part| sentence.contains(part)))
}

#[tokio::test]
async fn an_upload_is_kept_per_phone_and_read_by_that_phone_only() {
    let scene = Scene::new().await;
    let log = format!("/{OURS}-app.log");

    assert_eq!(scene.ask(&proven(OURS), PhoneMethod::Head, &log, Some(VVX450)).await, PhoneAnswer::NotFound);
    assert_eq!(scene.put(OURS, &log, "one ").await, PhoneAnswer::Kept(Kept::New));
    assert_eq!(
        scene.put(OURS, &log.to_uppercase().replace("APP.LOG", "app.log"), "two").await,
        PhoneAnswer::Kept(Kept::Known)
    );

    assert_eq!(text(scene.get(OURS, &log).await), "one two");
    assert_eq!(scene.get(OTHERS, &log).await, PhoneAnswer::NotFound);
    assert_eq!(scene.put(OTHERS, &log, "evil").await, PhoneAnswer::NotFound);
    assert_eq!(text(scene.get(OURS, &log).await), "one two");
}

#[tokio::test]
async fn what_was_answered_stands_on_the_timeline_at_once() {
    let scene = Scene::new().await;

    for n in 0..300 {
        scene.get(OURS, &format!("/{OURS}-license.cfg")).await;
        assert_eq!(
            scene.app.timeline(mac(OURS), None, 400, &provost_app::Actor::control_socket()).await.unwrap().items.len(),
            n + 1
        );
    }
}
