//! What a script is carried out on: a phone, the servers its words name, and its web pages.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use provost_catalog::Catalog;
use provost_phone::image::{ImageSigner, LabEntry, LabImage};
use provost_phone::script::{Bench, Runner, Script, ScriptFailure, StepReport};
use provost_phone::{
    DeviceCertificate, DhcpAnswer, Flash, Handset, Hardware, Network, Pace, Pem, PhoneSetup, WebServer, WebSetup,
};
use provost_proto::sntp::{self, ClockState, HostClock, SntpAnswer, UnixTime};
use tokio::net::UdpSocket;

use crate::certificates::Authority;
use crate::image_server::ImageServer;
use crate::server::BootServer;

/// 2026-09-21T14:13:20Z.
const NOW: i64 = 1_790_000_000;
/// The phone's own waits pass so many times as fast.
const PACE: Pace = Pace(10);
/// Option 42 (RFC 2132).
const TIME: u8 = 42;
/// What the upgrade server holds: the part, the updater that is needed first, and the application. A SoundPoint IP 550,
/// a SoundStation IP 6000, and a VVX 1500, whose line goes to 5.9 at once and asks for no updater before it.
const UPGRADES: [(&str, Option<&str>, (&str, &str)); 3] = [
    ("2345-12500-001", Some("4.4.0.0427"), ("4.0.15.1047", "5.0.3.1667")),
    ("3111-15600-001", Some("5.0.8.0001"), ("4.0.15.1047", "5.0.8.0001")),
    ("2345-17960-001", None, ("5.9.8.5760", "5.9.8.5760")),
];

/// What a script came to: its steps, or why it failed.
pub(crate) type Outcome = Result<Vec<StepReport>, String>;

/// The servers the scripts' variables name.
pub(crate) struct Stage {
    server: BootServer,
    former: BootServer,
    upgrades: ImageServer,
    signer: ImageSigner,
    time: u16,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let server = BootServer::start().await;
        lay_out(&server, "New provider");
        let former = BootServer::start().await;
        lay_out(&former, "Former provider");
        let signer = ImageSigner::generate().unwrap();
        let upgrades = ImageServer::start().await;
        lay_out_upgrades(&upgrades, &signer);
        Self { server, former, upgrades, signer, time: time_server().await }
    }

    fn variables(&self, model: &str, mac: &str) -> BTreeMap<String, String> {
        let pairs = [
            ("mac", mac.to_owned()),
            ("server", self.server.url()),
            ("former", self.former.url()),
            ("upgrade-server", self.upgrades.url()),
            ("label", "New provider".to_owned()),
            ("former-label", "Former provider".to_owned()),
            ("sntp", "127.0.0.1".to_owned()),
            ("upgraded", upgraded(model).to_owned()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// A phone that nobody changed yet, in a network that tells the time and nothing else.
    fn phone(&self, model: &str, mac: &str) -> PhoneSetup {
        let (chain, key) = Authority::phone();
        let dhcp = DhcpAnswer::default().with(TIME, [127, 0, 0, 1]);
        PhoneSetup {
            catalog: Arc::new(Catalog::built_in().unwrap()),
            model: model.to_owned(),
            mac: mac.parse().unwrap(),
            firmware: None,
            hardware: Hardware::default(),
            image_key: Some(Pem::Text(self.signer.public_pem().unwrap())),
            server_url: String::new(),
            network: Some(Network { dhcp: Some(dhcp), time_port: Some(self.time), ..Network::default() }),
            certificate: Some(DeviceCertificate { chain: Pem::Text(chain), key: Pem::Text(key) }),
            authorities: Some(Pem::Text(Authority::of_servers().root_pem())),
            sntp: None,
            flash: Flash::in_memory(),
            clock: now,
        }
    }

    /// A phone in somebody's hands, without power yet.
    pub(crate) fn handset(&self, model: &str) -> Handset {
        Handset::new(self.phone(model, &next_mac()), PACE).unwrap()
    }

    /// Carries `script` out on a new phone of `model`.
    pub(crate) async fn carry_out(&self, script: &Script, model: &str) -> Outcome {
        let mac = next_mac();
        let variables = self.variables(model, &mac);
        let setup = script.given(self.phone(model, &mac), &variables).map_err(|failure| failure.to_string())?;
        let handset = Handset::new(setup.clone(), PACE).map_err(|error| error.to_string())?;
        let pages = WebSetup::of(&setup, ([127, 0, 0, 1], 0).into());
        let pages = WebServer::start(handset.clone(), pages).await.map_err(|error| error.to_string())?;
        let bench = Bench {
            network: setup.network.clone().unwrap_or_default(),
            time: Some(Ipv4Addr::LOCALHOST),
            web: Some(format!("https://{}/", pages.https()).parse().unwrap()),
            handset,
            variables,
        };
        let mut steps = Vec::new();
        let runner = Runner::new(script, bench).map_err(|failure: ScriptFailure| failure.to_string())?;
        runner.run(&mut |step| steps.push(step)).await.map_err(|failure| format!("{model} {mac}: {failure}"))?;
        Ok(steps)
    }
}

/// How the version begins that the upgrade server has for a model.
fn upgraded(model: &str) -> &'static str {
    if model == "vvx1500" { "5.9." } else { "4.0.15." }
}

/// The script of this name.
pub(crate) fn script(name: &str) -> Script {
    let path = folder().join(format!("{name}.script"));
    Script::parse(name, &fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

fn lay_out(server: &BootServer, label: &str) {
    let master = r#"<?xml version="1.0"?><APPLICATION APP_FILE_PATH="" CONFIG_FILES="all.cfg"/>"#;
    server.file("/000000000000.cfg", master);
    let line = format!(r#"reg.1.address="2001" reg.1.label="{label}" reg.1.server.1.register="0""#);
    server.file("/all.cfg", &format!("<PHONE_CONFIG><ALL {line}/></PHONE_CONFIG>"));
}

fn lay_out_upgrades(server: &ImageServer, signer: &ImageSigner) {
    server.file("/000000000000.cfg", r#"<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES=""/>"#);
    let image = |entry: LabEntry| {
        let mut bytes = Vec::new();
        LabImage::default().and(entry.of_bytes(20_000)).write(signer, &mut bytes).unwrap();
        bytes
    };
    for (part, first, (application, updater)) in UPGRADES {
        let mut entry = LabEntry::application(part, application, updater);
        if let Some(first) = first {
            server.file(&format!("/{part}.bootrom.ld"), image(LabEntry::updater(part, first)));
            entry = entry.needing(first);
        }
        server.file(&format!("/{part}.sip.ld"), image(entry));
    }
}

/// Addresses with letters in them: those are what is hard to type.
fn next_mac() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0xabcdef);
    format!("0004f2{:06x}", NEXT.fetch_sub(0x0111, Ordering::Relaxed))
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
}

async fn time_server() -> u16 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut question = [0; 128];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            let time = UnixTime { seconds: NOW, nanos: 0 };
            let host = HostClock { now: time, state: ClockState::Unsynchronized, precision: -20 };
            let floor = UnixTime { seconds: 0, nanos: 0 };
            if let SntpAnswer::Reply(reply) = sntp::answer(&question[..length], &host, floor) {
                socket.send_to(&reply, from).await.unwrap();
            }
        }
    });
    port
}
