//! How much memory and time many phones in one process cost.
//!
//! `cargo run --release -p provost-phone --example fleet -- [PHONES [AT ONCE]]` starts a small HTTPS server of its own
//! and lets that many phones boot, find their configuration and stay. Everything is in this one process, so the time
//! holds the server's share as well.

#![expect(clippy::print_stdout, reason = "an example is an edge: it prints what it measured")]

#[expect(dead_code, clippy::unwrap_used, reason = "the tests' certificates, of which this needs a few")]
#[path = "../tests/witness/certificates.rs"]
mod certificates;
#[expect(dead_code, clippy::unwrap_used, reason = "the tests' server, of which this needs the beginning")]
#[path = "../tests/witness/server.rs"]
mod server;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use certificates::Authority;
use provost_catalog::Catalog;
use provost_phone::{DeviceCertificate, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};
use server::BootServer;
use tokio::sync::Semaphore;
use tokio::time::Instant;

const CONFIGURATION: &str = r#"<PHONE_CONFIG><ALL reg.1.address="1001" reg.1.label="Desk"
    prov.polling.enabled="1" prov.polling.mode="rel" prov.polling.period="86400"/></PHONE_CONFIG>"#;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u32>());
    let phones = numbers.next().transpose()?.unwrap_or(300);
    let at_once = numbers.next().transpose()?.unwrap_or(20);
    let server = BootServer::start().await;
    server.file("/000000000000.cfg", r#"<APPLICATION APP_FILE_PATH="" CONFIG_FILES="[PHONE_MAC_ADDRESS]-own.cfg"/>"#);
    for number in 0..phones {
        server.file(&format!("/{}-own.cfg", mac(number)), CONFIGURATION);
    }
    let like = model_phone(&server)?;
    // One phone comes and goes first, so that nothing is counted that every process pays once.
    boot(like.clone()).await?;
    let (empty, before) = (resident_kib()?, Instant::now());
    let used = processor_time()?;

    let gate = Arc::new(Semaphore::new(usize::try_from(at_once)?));
    let booting: Vec<_> = (0..phones)
        .map(|number| {
            let (gate, setup) = (Arc::clone(&gate), at(&like, number));
            tokio::spawn(async move {
                let _turn = gate.acquire().await?;
                boot(setup?).await
            })
        })
        .collect();
    let mut kept = Vec::new();
    for phone in booting {
        kept.push(phone.await??);
    }

    let (took, spent) = (before.elapsed(), processor_time()?.saturating_sub(used));
    server.forget();
    let grown = resident_kib()?.saturating_sub(empty);
    let requests: usize = kept.iter().map(|phone| phone.requests().iter().count()).sum();
    let count = f64::from(phones.max(1));
    println!("{phones} phones came up, {at_once} at once, in {:.1} s with {requests} requests", took.as_secs_f64());
    println!(
        "{:.1} ms of processor time for each boot, the server's share included",
        spent.as_secs_f64() * 1000.0 / count
    );
    println!("{:.0} KiB of memory for each phone that stays", f64::from(u32::try_from(grown)?) / count);
    Ok(())
}

fn mac(number: u32) -> String {
    format!("0004f2{number:06x}")
}

#[expect(clippy::disallowed_methods, reason = "an example is an edge: the phone's clock comes from here")]
fn model_phone(server: &BootServer) -> Result<PhoneSetup, Failure> {
    let (chain, key) = Authority::phone();
    Ok(PhoneSetup {
        catalog: Arc::new(Catalog::built_in()?),
        model: "vvx450".to_owned(),
        mac: mac(0).parse()?,
        firmware: None,
        hardware: Hardware::default(),
        server_url: server.url(),
        network: None,
        certificate: Some(DeviceCertificate { chain: Pem::Text(chain), key: Pem::Text(key) }),
        authorities: Some(Pem::Text(Authority::of_servers().root_pem())),
        image_key: None,
        sntp: None,
        flash: Flash::in_memory(),
        clock: SystemTime::now,
    })
}

fn at(like: &PhoneSetup, number: u32) -> Result<PhoneSetup, Failure> {
    Ok(PhoneSetup { mac: mac(number).parse()?, flash: Flash::in_memory(), ..like.clone() })
}

async fn boot(setup: PhoneSetup) -> Result<Phone, Failure> {
    let mut phone = Phone::new(setup)?;
    let report = phone.boot(&mut |_| {}).await?;
    match report.outcome {
        Outcome::Configured => Ok(phone),
        other => Err(format!("{}: {other}", phone.mac()).into()),
    }
}

fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// Of all threads of this process, in user and kernel mode.
fn processor_time() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // The kernel counts in hundredths of a second for programs.
    Ok(Duration::from_millis(ticks.saturating_mul(10)))
}
