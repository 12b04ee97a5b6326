//! What phones read, model by model.

mod catalogs;
mod golden;
mod layers;
mod values;

use super::{ActivationLine, Effective, Target, Unclaimed, configuration, settings_document};
use crate::facts::{BoundDevice, Contact, Line, PhonePasswords, Pin, SipServer, SipTransport, SiteFacts, UserFacts};
use crate::ids::DeviceId;
use crate::mac::MacAddr;
use crate::public_url::PublicUrl;
use crate::secret::Secret;
use crate::time::UnixMillis;
use provost_catalog::{Catalog, SourceText};
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const MODELS: [&str; 3] = ["vvx450", "vvx500", "spip550"];

/// 2026-11-18, in winter time of the northern half.
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

const TIME_SERVER: &str = "phones.example.com";

/// Everything XML could stumble over, in two directions.
const NAME: &str = "Zoë \"Z\" O'Hara & <Söhne> ☎📞 שלום";

const PASSWORD: &str = "p\"&<>'ß 🔑 %[]{};";

fn catalog() -> Catalog {
    Catalog::built_in().unwrap()
}

fn overlay(text: &str) -> Catalog {
    let overlay = [SourceText { name: "overlay.toml", text }];
    Catalog::with_overlay(&overlay).unwrap_or_else(|errors| panic!("{errors}"))
}

fn mac() -> MacAddr {
    "0004f2a1b2c3".parse().unwrap()
}

fn url() -> PublicUrl {
    "https://phones.example.com:8443".parse().unwrap()
}

fn unclaimed(url: &PublicUrl) -> Unclaimed<'_> {
    Unclaimed { mac: mac(), public_url: url, time_server: TIME_SERVER, activation: None, is_stuck: false }
}

/// The same where a voice answers.
fn with_voice(url: &PublicUrl) -> Unclaimed<'_> {
    static VOICE: LazyLock<(SipServer, Secret)> = LazyLock::new(|| {
        let server = SipServer { host: "sip.example.com".to_owned(), port: 5060, transport: SipTransport::Udp };
        (server, Secret::from("Wd7Kq2Zp9Lx4Rt6Vb8Nc3Mf5"))
    });
    let (server, password) = &*VOICE;
    Unclaimed { activation: Some(ActivationLine { server, user: "k3w7q2m5x6ab", password }), ..unclaimed(url) }
}

/// A device that uses all a configuration can hold.
fn bound(model: &str) -> BoundDevice {
    let server = |host: &str, port, transport| SipServer { host: host.to_owned(), port, transport };
    let contact = |name: &str, extension: &str| Contact { name: name.to_owned(), extension: extension.to_owned() };
    BoundDevice {
        device: "device_01jd0ck3v80000000000000000".parse::<DeviceId>().unwrap(),
        model: model.to_owned(),
        user: Some(UserFacts {
            name: NAME.to_owned(),
            extension: "1001".to_owned(),
            lines: vec![Line {
                user: "1001".to_owned(),
                auth_user: Some("auth&1001".to_owned()),
                password: Some(Secret::from(PASSWORD)),
            }],
        }),
        site: Some(SiteFacts {
            name: "Vienna".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            country: Some("AT".to_owned()),
            sip_servers: vec![
                server("sip1.example.com", 5060, SipTransport::Udp),
                server("sip2.example.com", 5061, SipTransport::Tls),
            ],
            vlan: Some(100),
            voicemail: Some("*97".to_owned()),
        }),
        passwords: Some(PhonePasswords { admin: Secret::from("40718293"), user: Secret::from("58291047") }),
        pin: Pin::Pinned { authority: url().authority() },
        contacts: vec![
            contact("Ann \"A\" & <Bo> 'C'", "1002"),
            contact("דנה 📞", "1003"),
            contact("A name of more bytes than this phone's list can show", "1004"),
        ],
        layers: Vec::new(),
    }
}

fn values(catalog: &Catalog, bound: &BoundDevice, now: UnixMillis) -> Vec<Effective> {
    let model = catalog.model(&bound.model).unwrap();
    let target = Target { catalog, model, firmware: &model.firmware.reference.value };
    configuration(target, bound, TIME_SERVER, now).unwrap()
}

fn document(catalog: &Catalog, bound: &BoundDevice) -> String {
    settings_document(catalog, &values(catalog, bound, NOW)).unwrap()
}

/// The value of one parameter.
fn value<'a>(values: &'a [Effective], parameter: &str) -> Option<&'a Effective> {
    let mut found = values.iter().filter(|value| value.parameter == parameter);
    let first = found.next();
    assert_eq!(found.next(), None, "{parameter} stands twice");
    first
}

/// All attributes of all elements; fails on a name that stands twice.
fn attributes(document: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(document);
    let (mut read, mut names) = (Vec::new(), BTreeSet::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap();
                    let name: String = attribute.key.as_ref().to_owned();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    assert!(names.insert(name.clone()), "{name} stands twice");
                    read.push((name, value));
                }
            }
            Event::Eof => return read,
            _ => {}
        }
    }
}
