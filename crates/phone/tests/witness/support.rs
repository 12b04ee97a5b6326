//! Phones and time servers for the tests.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use provost_catalog::Catalog;
use provost_phone::{DeviceCertificate, Event, Flash, Hardware, Pem, Phone, PhoneSetup};
use provost_proto::sntp::{self, ClockState, HostClock, SntpAnswer, UnixTime};
use tokio::net::UdpSocket;

use crate::certificates::Authority;
use crate::server::BootServer;

/// Read once: it is the same for every phone.
static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::built_in().unwrap()));

pub(crate) const MAC: &str = "0004f2000004";
/// 2026-09-21T14:13:20Z.
pub(crate) const NOW: i64 = 1_790_000_000;

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs())
}

pub(crate) fn nobody() -> impl FnMut(Event) + Send {
    |_| {}
}

/// A phone of this model at `server`, with a factory certificate and the caller's clock.
pub(crate) fn setup(model: &str, server: &BootServer) -> PhoneSetup {
    let (chain, key) = Authority::phone();
    PhoneSetup {
        catalog: Arc::clone(&CATALOG),
        model: model.to_owned(),
        mac: MAC.parse().unwrap(),
        firmware: None,
        hardware: Hardware::default(),
        image_key: None,
        server_url: server.url(),
        network: None,
        certificate: Some(DeviceCertificate { chain: Pem::Text(chain), key: Pem::Text(key) }),
        authorities: Some(Pem::Text(Authority::of_servers().root_pem())),
        sntp: None,
        flash: Flash::in_memory(),
        clock: now,
    }
}

pub(crate) fn phone(server: &BootServer) -> Phone {
    Phone::new(setup("vvx500", server)).unwrap()
}

/// A master file that lists `files`.
pub(crate) fn master(files: &str) -> String {
    format!(r#"<?xml version="1.0" standalone="yes"?><APPLICATION APP_FILE_PATH="" CONFIG_FILES="{files}"/>"#)
}

/// A server with a master file and one configuration file for [`MAC`].
pub(crate) async fn server_with(configuration: &str) -> BootServer {
    let server = BootServer::start().await;
    server.file(&format!("/{MAC}.cfg"), &master("all.cfg"));
    server.file("/all.cfg", &format!("<PHONE_CONFIG>{configuration}</PHONE_CONFIG>"));
    server
}

/// A time server that says it is `seconds` after 1970.
pub(crate) async fn time_server(seconds: i64) -> SocketAddr {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let time = UnixTime { seconds, nanos: 0 };
    tokio::spawn(async move {
        let mut question = [0; 128];
        while let Ok((length, from)) = socket.recv_from(&mut question).await {
            let host = HostClock { now: time, state: ClockState::Unsynchronized, precision: -20 };
            let floor = UnixTime { seconds: 0, nanos: 0 };
            if let SntpAnswer::Reply(reply) = sntp::answer(&question[..length], &host, floor) {
                socket.send_to(&reply, from).await.unwrap();
            }
        }
    });
    address
}
