//! How many activations a second are on disk when they are answered: each binds a phone by a code, with its passwords, its
//! timeline entry and the end of the code, in one transaction.
//!
//! `cargo run --profile dist -p provost-store --example claims_a_second -- 2000 [postgres://...]`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: a failure ends it, and it prints what it measured"
)]

use provost_core::entry::{NewDevice, NewSite, NewUser};
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::mac::MacAddr;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use provost_store::{ClaimBy, ClaimOutcome, ClaimRequest, NewCode, Store};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Instant;

const PHONES: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn id<T: FromStr<Err: std::fmt::Debug>>(word: &str, n: u32) -> T {
    format!("{word}_01jd0ck3v8{n:016}").parse().unwrap()
}

fn mac(n: u32) -> MacAddr {
    MacAddr::from_hex12(&format!("0004f2{n:06x}")).unwrap()
}

/// So many devices of one user, each with an open code.
async fn filled(store: &Store, count: u32) {
    let (account, site, user): (AccountId, SiteId, UserId) = (id("account", 1), id("site", 1), id("user", 1));
    store.add_account(&account, "Example", None, NOW).await.unwrap();
    let new = NewSite {
        account: account.clone(),
        name: "Vienna".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        country: None,
        language: None,
        sip_servers: Vec::new(),
        vlan: None,
        voicemail: None,
        emergency_address: None,
    };
    store.add_site(&site, &new, NOW).await.unwrap();
    let (name, extension) = ("Ada".to_owned(), "1001".to_owned());
    let person = NewUser { site, name, extension, email: None, language: None, lines: Vec::new() };
    store.add_user(&user, &person, &[], NOW).await.unwrap();
    for n in 1..=count {
        let device: DeviceId = id("device", n);
        let new =
            NewDevice { account: account.clone(), model: "vvx450".to_owned(), user: Some(user.clone()), mac: None };
        store.add_device(&device, &new, NOW).await.unwrap();
        let digest = n.to_be_bytes();
        let code =
            NewCode { device: &device, digest: &digest, shown: b"sealed", issued: NOW, expires: NOW.plus_days(90) };
        store.issue_code(&code).await.unwrap().unwrap();
    }
}

fn event_ids(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|n| format!("event-{n:010}")).collect()
}

/// Claims these together, in one durable step.
async fn claim(store: &Store, numbers: &[u32]) {
    let digests: Vec<_> = numbers.iter().map(|n| n.to_be_bytes()).collect();
    let event_ids = event_ids(numbers);
    let requests: Vec<_> = numbers
        .iter()
        .zip(&digests)
        .zip(&event_ids)
        .map(|((n, digest), event_id)| ClaimRequest {
            by: ClaimBy::Code(digest),
            mac: mac(*n),
            model: "vvx450",
            admin_password: b"admin sealed",
            user_password: b"user sealed",
            admin_digest: digest,
            how: sentence::Claim::Call,
            now: NOW,
            event_id,
            audit: None,
            tried: Some(Tried::Phone { mac: mac(*n), from: PHONES }),
            tell: sentence::claimed,
        })
        .collect();
    let outcomes = store.claim_all(&requests).await.unwrap();
    assert!(outcomes.iter().all(|outcome| matches!(outcome, ClaimOutcome::Claimed(_))));
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().map_or(2_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    let store = match arguments.next() {
        Some(url) => Store::connect(&url, "provost bench").await.unwrap(),
        None => Store::open(&folder.path().join("provost.db")).await.unwrap(),
    };
    filled(&store, count).await;
    let all: Vec<u32> = (1..=count).collect();
    let (few, most) = all.split_at(all.len() / 8);
    for (together, numbers) in [(1, few), (128, most)] {
        let began = Instant::now();
        for step in numbers.chunks(together) {
            claim(&store, step).await;
        }
        let rate = f64::from(u32::try_from(numbers.len()).unwrap()) / began.elapsed().as_secs_f64();
        println!("{together:>3} together: {rate:.0} activations a second, {:.3} ms each", 1_000.0 / rate);
    }
}
