//! temporary
#![allow(clippy::all, missing_docs)]
use provost_app::*;
use provost_catalog::Catalog;
use provost_core::entry::*;
use provost_core::identity::*;
use provost_core::public_url::PublicUrl;
use provost_core::time::UnixMillis;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
static SHIFT: AtomicI64 = AtomicI64::new(0);
#[allow(clippy::disallowed_methods)]
fn clock() -> UnixMillis {
    UnixMillis(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64 + SHIFT.load(Ordering::Relaxed))
}
async fn ask(app: &App, ip: [u8; 4], mac: Option<&str>, status: CertificateStatus, reason: Option<&str>, method: PhoneMethod, path: &str, ua: &str) {
    let verdict = Verdict { status, mac: mac.map(|m| m.parse().unwrap()), reason: reason.map(str::to_owned), note: None, fingerprint: Some([2; 32]) };
    let peer = Peer { address: ip.into(), transport: Transport::Tls, verdict: Arc::new(verdict) };
    app.phone_request(PhoneRequest { peer: &peer, method, path, user_agent: Some(ua), host: Some("phones.example.com") }).await;
}
#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let serve = async |name: &str, full: bool| {
        let parts = Parts {
            store: provost_store::Store::open(&dir.path().join(name)).await.unwrap(),
            catalog: Arc::new(Catalog::built_in().unwrap()),
            vault: Vault::new(&[7; 32]).unwrap(),
            told: Told { public_url: PublicUrl::new("phones.example.com", 443).unwrap(), time_server: "phones.example.com".into() },
            clock,
        };
        let app = App::start(parts).await.unwrap();
        let token = app.first_owner_token().await.unwrap().unwrap().reveal().to_owned();
        if full { fill(&app).await; }
        let l = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{name} http://{} {token}", l.local_addr().unwrap());
        let r = provost_web::console::router(app);
        tokio::spawn(async move { axum::serve(l, r).await.unwrap() });
    };
    serve("empty.db", false).await;
    serve("full.db", true).await;
    std::future::pending::<()>().await;
}
async fn fill(app: &Arc<App>) {
    use CertificateStatus::*;
    let acc = app.add_account(AccountInput { name: "Example Company".into() }).await.unwrap();
    let mut sites = vec![];
    for (n, z) in [("Head office", "Europe/Vienna"), ("Warehouse Linz", "Europe/Vienna")] {
        sites.push(app.add_site(SiteInput { account: acc.id.clone(), name: n.into(), time_zone: z.into(), country: None, language: None,
            sip_servers: vec![SipServerInput { host: "pbx.example.com".into(), port: None, transport: None }], vlan: None, voicemail: None }).await.unwrap());
    }
    let mut users = vec![];
    for (n, e, s) in [("Ada Lovelace", "201", 0), ("Grace Hopper", "202", 0), ("Bartholomäus Wintersteiger-Hohenberg", "203", 1), ("שרה לוי", "204", 1), ("<b>Bobby & \"Tables\"</b>", "205", 0)] {
        users.push(app.add_user(UserInput { site: sites[s].id.clone(), name: n.into(), extension: e.into(), email: None,
            lines: vec![LineInput { user: e.into(), password: Some("pw-123456".into()), auth_user: None }] }).await.unwrap());
    }
    let dev = async |m: &str, u: Option<usize>, mac: Option<&str>| app.add_device(DeviceInput { account: acc.id.clone(), model: m.into(), user: u.map(|u| users[u].id.clone()), mac: mac.map(str::to_owned) }).await.unwrap();
    SHIFT.store(-3 * 3600_000, Ordering::Relaxed);
    let d0 = dev("vvx450", Some(0), None).await;
    let d1 = dev("vvx500", Some(1), Some("0004f2a1b2c4")).await;
    let d2 = dev("spip550", Some(2), None).await;
    let d3 = dev("vvx450", Some(3), None).await;
    let _d4 = dev("vvx450", Some(4), Some("64167f000001")).await;
    let _d5 = dev("vvx500", None, None).await;
    let vvx450 = "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application";
    let vvx500 = "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application";
    let m = "0004f2a1b2c3";
    for path in ["/0004f2a1b2c3.cfg", "/0004f2a1b2c3-provost.cfg", "/0004f2a1b2c3-phone.cfg", "/3111-48450-001.sip.ld"] {
        ask(app, [192, 0, 2, 7], Some(m), FactoryInstalled, None, PhoneMethod::Get, path, vvx450).await;
    }
    let (code, _) = app.issue_code(&d0.id.parse().unwrap()).await.unwrap();
    let _ = app.activate(m.parse().unwrap(), "1234567890123").await;
    app.activate(m.parse().unwrap(), &code.digits()).await.unwrap();
    SHIFT.store(-2 * 3600_000, Ordering::Relaxed);
    for path in ["/0004f2a1b2c3.cfg", "/0004f2a1b2c3-provost.cfg", "/0004f2a1b2c3-directory.xml", "/0004f2a1b2c4.cfg"] {
        ask(app, [192, 0, 2, 7], Some(m), FactoryInstalled, None, PhoneMethod::Get, path, vvx450).await;
    }
    ask(app, [192, 0, 2, 7], Some(m), FactoryInstalled, None, PhoneMethod::Put(bytes::Bytes::from(vec![b'x'; 13400])), "/0004f2a1b2c3-app.log", vvx450).await;
    ask(app, [192, 0, 2, 8], Some("0004f2a1b2c4"), FactoryInstalled, None, PhoneMethod::Get, "/0004f2a1b2c4.cfg", vvx500).await;
    app.bar_device(&d1.id.parse().unwrap(), Some(Bar::Disabled)).await.unwrap();
    SHIFT.store(0, Ordering::Relaxed);
    app.issue_code(&d2.id.parse().unwrap()).await.unwrap();
    SHIFT.store(-40 * 86_400_000, Ordering::Relaxed);
    app.issue_code(&d3.id.parse().unwrap()).await.unwrap();
    SHIFT.store(-190_000, Ordering::Relaxed);
    for mac in ["64167f0a0b0c", "64167f0a0b0d"] {
        ask(app, [192, 0, 2, 21], Some(mac), FactoryInstalled, None, PhoneMethod::Get, &format!("/{mac}.cfg"), vvx450).await;
    }
    for _ in 0..4 { ask(app, [203, 0, 113, 9], None, SelfSigned, Some("it signed its certificate itself"), PhoneMethod::Get, "/0004f2a1b2c3.cfg", "curl/8").await; }
    ask(app, [198, 51, 100, 77], None, NonePresented, Some("it presented no certificate"), PhoneMethod::Get, "/<script>alert(1)</script>", "x").await;
    ask(app, [198, 51, 100, 78], None, Invalid, Some("its issuer `CN=Example Look-alike Root CA, O=Example` is no known phone maker's authority"), PhoneMethod::Get, "/64167f111111.cfg", "x").await;
    SHIFT.store(0, Ordering::Relaxed);
}
