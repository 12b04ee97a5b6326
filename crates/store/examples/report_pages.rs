//! How long a page of the device report takes among many devices, beside how long it takes among a thousand.
//!
//! `cargo run --release -p provost-store --example report_pages -- 1000000 [postgres://...]`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a measurement: a failure ends it, and it prints what it measured"
)]

use provost_core::entry::NewSite;
use provost_core::ids::{AccountId, SiteId};
use provost_core::import::{ImportKind, ImportMode, ImportState, ImportedRow};
use provost_core::time::UnixMillis;
use provost_store::{
    Applying, AuditEntry, ImportRow, ReportFilter, ReportOrder, ReportPlace, ReportQuery, StagedRow, Store, Within,
};
use std::time::{Duration, Instant};

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
const ORDERS: [ReportOrder; 7] = [
    ReportOrder::Device,
    ReportOrder::Mac,
    ReportOrder::Extension,
    ReportOrder::Status,
    ReportOrder::Site,
    ReportOrder::User,
    ReportOrder::LastContact,
];

fn account(name: u32) -> AccountId {
    format!("account_01jd0ck3v8{name:016}").parse().unwrap()
}

/// Fills an account of its own with so many devices, each for a user.
async fn fill(store: &Store, name: u32, count: u32) {
    let site: SiteId = format!("site_01jd0ck3v8{name:016}").parse().unwrap();
    store.add_account(&account(name), "Example", None, NOW).await.unwrap();
    let new = NewSite {
        account: account(name),
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
    for kind in [ImportKind::Users, ImportKind::Devices] {
        let import = begun(store, name, kind).await;
        let row = |n: u32| {
            let shuffled = u64::from(n) * 7_919 % u64::from(count);
            let row = ImportedRow {
                number: i64::from(n),
                site: Some(site.clone()),
                name: Some(format!("Person {shuffled}")),
                extension: Some(n.to_string()),
                model: Some(["vvx450", "vvx500", "vvx101"][usize::try_from(n % 3).unwrap()].to_owned()),
                mac: (kind == ImportKind::Devices).then(|| format!("{name:02x}{shuffled:010x}")),
                ..ImportedRow::default()
            };
            let word = if kind == ImportKind::Users { "user" } else { "device" };
            StagedRow { row, id: Some(id(word, name, n)), password: None, faults: Vec::new(), cells: String::new() }
        };
        for first in (1..=count).step_by(1_000) {
            let rows: Vec<_> = (first..=count.min(first + 999)).map(row).collect();
            store.stage_import(&import, &rows, &|_| None).await.unwrap();
        }
        apply(store, &import).await;
    }
    store.count_anew().await.unwrap();
}

fn id(word: &str, name: u32, n: u32) -> String {
    format!("{word}_01jd{name:08}0000{n:010}")
}

async fn begun(store: &Store, name: u32, kind: ImportKind) -> ImportRow {
    let import = ImportRow {
        id: format!("import_{name}_{}", kind.as_str()),
        account: account(name),
        kind,
        mode: ImportMode::GoodRows,
        state: ImportState::Receiving,
        who: "bench".to_owned(),
        from: "this machine".to_owned(),
        created: NOW,
        ended: None,
        read: 0,
        bad: 0,
        done: 0,
        applied_to: 0,
        problem: None,
        held: false,
    };
    store.add_import(&import, NOW).await.unwrap();
    import
}

async fn apply(store: &Store, import: &ImportRow) {
    store.import_is(&import.id, ImportState::Applying, None, None).await.unwrap();
    let applying = Applying { import, judge: &|_| None, sealed: &|_, _, _, _| None, now: NOW };
    let mut from = 0;
    while let Some(to) = store.import_stretch(&import.id, from).await.unwrap() {
        let entry = AuditEntry {
            id: format!("{}-{to:010}", import.id),
            at: NOW,
            who: "bench".to_owned(),
            what: "filled".to_owned(),
            why: None,
            from: "this machine".to_owned(),
            account: None,
            site: None,
            request: None,
        };
        assert!(store.audited(entry).apply_good_rows(&applying, (from, to)).await.unwrap());
        from = to;
    }
    store.import_is(&import.id, ImportState::Done, Some(NOW), None).await.unwrap();
}

/// The shortest of 100 first pages, and of 100 pages further on.
async fn fastest(store: &Store, name: u32, order: ReportOrder, middle: u32) -> [Duration; 2] {
    let key = match order {
        ReportOrder::LastContact => "0",
        ReportOrder::Extension => "5",
        ReportOrder::User => "person 5",
        ReportOrder::Device => "vvx450",
        ReportOrder::Status => "assigned",
        ReportOrder::Site => "vienna",
        ReportOrder::Mac => "",
    };
    let further = ReportPlace { key: key.to_owned(), device: id("device", name, middle) };
    let mut best = [Duration::MAX; 2];
    for (after, best) in [None, Some(further)].into_iter().zip(&mut best) {
        let query = ReportQuery {
            within: Within::Account(account(name)),
            filter: ReportFilter::default(),
            order,
            descending: false,
            after,
            limit: 50,
        };
        for _ in 0..100 {
            let began = Instant::now();
            let page = store.device_report(&query).await.unwrap();
            *best = began.elapsed().min(*best);
            assert_eq!(page.rows.len(), 50);
        }
    }
    best
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let store = match arguments.next() {
        Some(url) => Store::connect(&url, "report_pages").await.unwrap(),
        None => Store::open(&folder.path().join("provost.db")).await.unwrap(),
    };
    // The few are measured alone, before the many come.
    fill(&store, 1, 1_000).await;
    let mut among_few = Vec::new();
    for order in ORDERS {
        among_few.push(fastest(&store, 1, order, 500).await);
    }
    let began = Instant::now();
    fill(&store, 2, count).await;
    println!("{count} users and devices imported: {:?}", began.elapsed());
    for (order, [few_first, few_further]) in ORDERS.into_iter().zip(among_few) {
        let [first, further] = fastest(&store, 2, order, count / 2).await;
        println!("{order:?}: first page {few_first:?} -> {first:?}, further on {few_further:?} -> {further:?}");
    }
}
