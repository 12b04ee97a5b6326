//! Phones of the time before 4.0: a BootROM, its upgrader, and an application in a file of its own.

use provost_phone::image::LabEntry;
use provost_phone::{Hardware, Outcome, Phone, PhoneSetup};

use crate::flashing::Bench;
use crate::support::MAC;

const PART: &str = "2345-12500-001";

async fn phone_with(bench: &Bench, firmware: &str, bootrom: Option<&str>) -> Phone {
    let hardware = Hardware { updater: bootrom.map(str::to_owned), ..Hardware::default() };
    let setup = bench.setup("spip550").await;
    Phone::new(PhoneSetup { firmware: Some(firmware.to_owned()), hardware, ..setup }).unwrap()
}

#[tokio::test]
async fn an_old_phone_asks_for_its_bootrom_then_the_master_file_then_the_application() {
    let bench = Bench::with("sip.ld").await;
    let mut phone = phone_with(&bench, "3.2.1.0078", None).await;

    let report = phone.boot(&mut |_| {}).await.unwrap();

    assert_eq!((report.outcome, report.restarts), (Outcome::Configured, 0));
    let expected = [
        format!("GET /{PART}.bootrom.ld 404"),
        "GET /bootrom.ld 404".to_owned(),
        format!("GET /{MAC}.cfg 200"),
        format!("GET /{PART}.sip.ld 404"),
        "GET /sip.ld 404".to_owned(),
        format!("PUT /{MAC}-boot.log 404"),
        format!("GET /{MAC}.cfg 200"),
        "GET /all.cfg 200".to_owned(),
        format!("GET /{MAC}-phone.cfg 404"),
        format!("GET /{MAC}-directory.xml 404"),
        format!("PUT /{MAC}-app.log 404"),
    ];
    assert_eq!(bench.server.lines(), expected);
    let agents = bench.server.agents();
    let bootrom = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.1.0";
    let application = "FileTransport PolycomSoundPointIP-SPIP_550-UA/3.2.1.0078";
    assert!(agents[..6].iter().all(|agent| agent == bootrom), "{agents:?}");
    assert!(agents[6..].iter().all(|agent| agent == application), "{agents:?}");
}

#[tokio::test]
async fn an_old_phone_gets_the_upgrader_and_then_4_0_and_boots_as_new_phones_do() {
    let bench = Bench::with("sip.ld").await;
    let application = LabEntry::application(PART, "4.0.15.1047", "5.0.3.1667").needing("4.4.0");
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application));
    let mut phone = phone_with(&bench, "3.1.3.0439", Some("4.1.2")).await;

    let refused = phone.boot(&mut |_| {}).await.unwrap();
    assert!(refused.refused[0].reason.contains("needs updater 4.4.0 or later, this phone has 4.1.2"));
    assert_eq!((refused.restarts, phone.memory().firmware.as_str()), (0, "3.1.3.0439"));

    bench.server.file("/bootrom.ld", bench.image(LabEntry::updater(PART, "4.4.0.0427")));
    bench.server.forget();
    let report = phone.boot(&mut |_| {}).await.unwrap();

    assert_eq!((report.outcome, report.restarts), (Outcome::Configured, 2));
    let ways: Vec<String> = report.flashed.iter().map(|new| format!("{} to {}", new.from, new.to)).collect();
    assert_eq!(
        ways,
        [
            "3.1.3.0439 (updater 4.1.2) to 3.1.3.0439 (updater 4.4.0.0427)",
            "3.1.3.0439 (updater 4.4.0.0427) to 4.0.15.1047 (updater 5.0.3.1667)",
        ]
    );
    let lines = bench.server.lines();
    assert_eq!(lines[..2], [format!("GET /{PART}.bootrom.ld 404"), "GET /bootrom.ld 200".to_owned()]);
    let last = lines.iter().rposition(|line| line.contains(&format!("/{MAC}.cfg"))).unwrap();
    assert!(!lines[last..].iter().any(|line| line.contains("bootrom")), "{lines:?}");
    assert!(lines.last().unwrap().contains("app.log"));
    let agent = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application";
    assert_eq!(bench.server.agents()[last], agent);
    bench.server.forget();
    phone.boot(&mut |_| {}).await.unwrap();
    assert!(!bench.server.lines().iter().any(|line| line.contains("bootrom")));
    assert_eq!(phone.memory().flash_count, 2);
}

#[tokio::test]
async fn an_updater_alone_leaves_the_application() {
    let bench = Bench::with("updater.ld").await;
    let part = crate::flashing::PART;
    bench.server.file("/updater.ld", bench.image(LabEntry::updater(part, "5.9.9.1")));
    let mut phone = bench.phone().await;

    let report = phone.boot(&mut |_| {}).await.unwrap();

    assert_eq!((report.outcome, report.restarts), (Outcome::Configured, 1));
    assert_eq!((phone.memory().firmware.as_str(), phone.memory().updater.as_str()), ("5.9.7.4477", "5.9.9.1"));
}

#[tokio::test]
async fn early_vvx_firmware_names_another_family() {
    let bench = Bench::with("").await;
    let setup = bench.setup("vvx500").await;
    let mut phone = Phone::new(PhoneSetup { firmware: Some("4.1.4.7430".to_owned()), ..setup }).unwrap();

    phone.boot(&mut |_| {}).await.unwrap();

    let application = "FileTransport PolycomSoundPointIP-VVX_500-UA/4.1.4.7430 Type/Application";
    assert!(bench.server.agents().contains(&application.to_owned()), "{:?}", bench.server.agents());
}
