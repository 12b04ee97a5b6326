//! Calls every method of the store on a database of its own, and compares what comes back with what must: the same for
//! every engine.

pub(crate) mod backup;
mod claims;
mod configuration;
mod connectors;
mod doors;
mod firmware;
mod firmware_steps;
mod grid;
mod guard;
mod imports;
mod inventory;
mod lifecycle;
mod mail;
mod moving;
mod people;
mod phones;
mod report;
mod requests;
mod rights;
mod sign_in;
mod watch;

use crate::engine::Database;

use provost_core::entry::{NewDevice, NewSite, NewUser};
use provost_core::facts::{Line, SipServer, SipTransport};
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::mac::MacAddr;
use provost_core::secret::Secret;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{ClaimBy, ClaimOutcome, ClaimRequest, NewCode, Store};

pub(crate) const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

/// A store with one account, one site and one user.
pub(crate) struct Scene {
    pub(crate) database: Database,
    pub(crate) store: Store,
    account: AccountId,
    site: SiteId,
    pub(crate) user: UserId,
}

/// The n-th id of a kind, in order.
fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(word: &str, n: u32) -> T {
    format!("{word}_01jd0ck3v8{n:016}").parse().unwrap()
}

fn device_id(n: u32) -> DeviceId {
    id("device", n)
}

pub(crate) fn mac(n: u32) -> MacAddr {
    MacAddr::from_hex12(&format!("0004f2{n:06x}")).unwrap()
}

fn new_site(account: &AccountId) -> NewSite {
    let server = |host: &str, port, transport| SipServer { host: host.to_owned(), port, transport };
    NewSite {
        account: account.clone(),
        name: "Vienna".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        country: Some("AT".to_owned()),
        language: Some("de-AT".to_owned()),
        sip_servers: vec![
            server("sip1.example.com", 5060, SipTransport::Udp),
            server("sip2.example.com", 5061, SipTransport::Tls),
        ],
        vlan: Some(100),
        voicemail: Some("*97".to_owned()),
        emergency_address: Some("Main Street 1".to_owned()),
    }
}

fn new_user(site: &SiteId, extension: &str) -> NewUser {
    let line = |user: &str| Line { user: user.to_owned(), auth_user: None, password: Some(Secret::from("x")) };
    NewUser {
        site: site.clone(),
        name: format!("User {extension}"),
        extension: extension.to_owned(),
        email: None,
        language: Some("de-AT".to_owned()),
        lines: vec![line(extension), line("1050")],
    }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::on(Database::new().await).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let store = database.open().await.unwrap();
        let (account, site, user) = (id("account", 1), id("site", 1), id("user", 1));
        store.add_account(&account, "Acme", None, NOW).await.unwrap();
        store.add_site(&site, &new_site(&account), NOW).await.unwrap();
        store.add_user(&user, &new_user(&site, "1001"), &[Some(vec![1, 2]), None], NOW).await.unwrap();
        Self { database, store, account, site, user }
    }

    fn device(&self) -> NewDevice {
        NewDevice {
            account: self.account.clone(),
            model: "vvx450".to_owned(),
            user: Some(self.user.clone()),
            mac: None,
        }
    }

    /// A device for the scene's user.
    pub(crate) async fn add_device(&self, n: u32) -> DeviceId {
        self.store.add_device(&device_id(n), &self.device(), NOW).await.unwrap();
        device_id(n)
    }

    async fn issue(&self, device: &DeviceId, digest: &[u8]) {
        let code = NewCode { device, digest, shown: b"sealed", issued: NOW, expires: NOW.plus_days(90) };
        self.store.issue_code(&code).await.unwrap().unwrap();
    }

    /// The claim of phone `n` at `NOW`, as the model of the scene's devices.
    pub(crate) async fn claim(&self, n: u32, by: ClaimBy<'_>) -> ClaimOutcome {
        self.store.claim(&request(n, by, &format!("event-{n}"))).await.unwrap()
    }
}

fn request<'a>(n: u32, by: ClaimBy<'a>, event_id: &'a str) -> ClaimRequest<'a> {
    ClaimRequest {
        by,
        mac: mac(n),
        model: "vvx450",
        admin_password: b"admin sealed",
        user_password: b"user sealed",
        admin_digest: b"admin digest",
        how: sentence::Claim::Code,
        now: NOW,
        event_id,
        audit: None,
        tried: None,
        tell: sentence::claimed,
    }
}
