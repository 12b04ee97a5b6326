//! Firmware: what a phone takes, what it refuses, and that it comes up in any case.

use std::collections::BTreeMap;

use provost_phone::image::{ImageSigner, LabEntry, LabImage};
use provost_phone::{BootReport, Event, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};

use crate::image_server::ImageServer;
use crate::server::BootServer;
use crate::support::{MAC, setup};

pub(crate) const PART: &str = "3111-44500-001";
/// A part of another model.
const OTHER_PART: &str = "3111-48840-001";
const OLD: (&str, &str) = ("5.9.7.4477", "5.9.7.47435");
pub(crate) const NEW: (&str, &str) = ("5.9.8.5760", "5.9.8.4127");

/// A maker of images, the phone that trusts it, and the server both meet at.
pub(crate) struct Bench {
    pub(crate) signer: ImageSigner,
    pub(crate) server: ImageServer,
}

impl Bench {
    /// The master file names `image`; there is one configuration file.
    pub(crate) async fn with(image: &str) -> Self {
        let server = ImageServer::start().await;
        let master = format!(r#"<APPLICATION APP_FILE_PATH="{image}" CONFIG_FILES="all.cfg"/>"#);
        server.file(&format!("/{MAC}.cfg"), master);
        server.file("/all.cfg", r#"<a reg.1.label="configured"/>"#);
        Self { signer: ImageSigner::generate().unwrap(), server }
    }

    pub(crate) async fn setup(&self, model: &str) -> PhoneSetup {
        // Only its certificates are used: the phone asks over plain HTTP.
        let unused = BootServer::start().await;
        let key = Some(Pem::Text(self.signer.public_pem().unwrap()));
        PhoneSetup { server_url: self.server.url(), image_key: key, ..setup(model, &unused) }
    }

    pub(crate) async fn phone(&self) -> Phone {
        Phone::new(self.setup("vvx500").await).unwrap()
    }

    pub(crate) fn image(&self, entry: LabEntry) -> Vec<u8> {
        LabImage::of(entry).to_bytes(&self.signer).unwrap()
    }
}

pub(crate) fn application((version, updater): (&str, &str)) -> LabEntry {
    LabEntry::application(PART, version, updater).of_bytes(50_000)
}

fn versions(phone: &Phone) -> (&str, &str) {
    (&phone.memory().firmware, &phone.memory().updater)
}

async fn boot(phone: &mut Phone) -> (BootReport, Vec<Event>) {
    let mut told = Vec::new();
    let report = phone.boot(&mut |event| told.push(event)).await.unwrap();
    (report, told)
}

/// The phone came up with its configuration and the version it had.
fn kept(phone: &Phone, report: &BootReport) {
    assert_eq!((&report.outcome, report.restarts), (&Outcome::Configured, 0));
    assert_eq!(versions(phone), OLD);
    assert_eq!(phone.effective()["reg.1.label"], "configured");
    assert_eq!(phone.memory().flash_count, 0);
}

#[tokio::test]
async fn a_phone_takes_another_version_up_and_down_and_starts_with_it() {
    for to in [NEW, ("4.1.4.7430", "5.0.0.1")] {
        let bench = Bench::with("sip.ld").await;
        bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(to)));
        let mut phone = bench.phone().await;

        let (report, told) = boot(&mut phone).await;

        assert_eq!((report.outcome, report.restarts), (Outcome::Configured, 1));
        assert_eq!((versions(&phone), phone.memory().flash_count), (to, 1));
        let flashed = &report.flashed[0];
        assert_eq!((flashed.from.application.as_str(), flashed.to.application.as_str()), (OLD.0, to.0));
        assert!(told.contains(&Event::Flashed(flashed.clone())));
        assert_eq!(told.iter().filter(|event| matches!(event, Event::ImageProgress { .. })).count(), 10);
        let lines = bench.server.lines();
        let flash = lines.iter().position(|line| line == &format!("GET /{PART}.sip.ld 200")).unwrap();
        assert!(!lines[..flash].contains(&"GET /all.cfg 200".to_owned()), "the new version comes first: {lines:?}");
        let agents = bench.server.agents();
        assert!(agents[..=flash].iter().all(|agent| agent.contains("5.9.7.4")), "{agents:?}");
        assert!(agents[flash + 1].contains(&format!("-UA/{} Type/Updater", to.1)), "{agents:?}");
        assert!(agents[flash + 2].contains(&format!("-UA/{} Type/Application", to.0)), "{agents:?}");
    }
}

#[tokio::test]
async fn a_phone_that_runs_the_version_hangs_up_at_the_header_and_never_flashes_again() {
    let bench = Bench::with("sip.ld").await;
    let image = bench.image(application(NEW).of_bytes(20_000_000));
    bench.server.file(&format!("/{PART}.sip.ld"), image);
    let mut phone = bench.phone().await;
    boot(&mut phone).await;

    let (again, told) = boot(&mut phone).await;
    let poll = phone.poll(&mut |_| {}).await.unwrap();

    assert_eq!((again.outcome, again.restarts, poll.restarts), (Outcome::Configured, 0, 0));
    assert!(again.flashed.is_empty() && poll.flashed.is_empty() && poll.refused.is_empty());
    assert_eq!(phone.memory().flash_count, 1);
    let current = Event::ImageCurrent { file: format!("{PART}.sip.ld"), version: NEW.0.to_owned() };
    assert!(told.contains(&current), "{told:?}");
    let images: Vec<_> = phone.requests().iter().filter(|record| record.path.ends_with(".ld")).collect();
    let (first, later) = images.split_first().unwrap();
    assert!(first.bytes > 20_000_000 && later.len() >= 2);
    assert!(later.iter().all(|record| record.status == Some(200) && record.bytes < 1_000_000), "{later:?}");
}

#[tokio::test]
async fn a_poll_finds_a_new_version_and_the_phone_starts_with_it() {
    let bench = Bench::with("").await;
    let mut phone = bench.phone().await;
    boot(&mut phone).await;
    bench.server.file(
        &format!("/{MAC}.cfg"),
        r#"<APPLICATION APP_FILE_PATH_VVX500="sip.ld" APP_FILE_PATH="other.ld" CONFIG_FILES="all.cfg"/>"#,
    );
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(NEW)));
    bench.server.forget();

    let poll = phone.poll(&mut |_| {}).await.unwrap();

    assert_eq!((poll.outcome, poll.restarts, poll.flashed.len()), (Outcome::Configured, 1, 1));
    assert_eq!(versions(&phone), NEW);
    assert_eq!(bench.server.lines().iter().filter(|line| line.contains("boot.log")).count(), 1);
}

#[tokio::test]
async fn a_combined_image_is_taken_by_its_plain_name() {
    let bench = Bench::with("images/sip.ld").await;
    let combined = LabImage::of(LabEntry::application(OTHER_PART, "6.4.7", "6.4.7").of_bytes(300_000))
        .and(application(NEW))
        .and(LabEntry::application("3111-44600-001", "6.4.7", "6.4.7").of_bytes(9_000_000));
    bench.server.file("/images/sip.ld", combined.to_bytes(&bench.signer).unwrap());
    let mut phone = bench.phone().await;

    let (report, _) = boot(&mut phone).await;

    assert_eq!((report.outcome, versions(&phone)), (Outcome::Configured, NEW));
    let images: Vec<String> = bench.server.lines().into_iter().filter(|line| line.contains(".ld")).collect();
    assert_eq!(images[..2], [format!("GET /images/{PART}.sip.ld 404"), "GET /images/sip.ld 200".to_owned()]);
    let first = phone.requests().iter().find(|record| record.path == "/images/sip.ld").unwrap();
    assert!(first.bytes < 9_000_000, "it hangs up once its own part has come: {}", first.bytes);
}

#[tokio::test]
async fn an_image_that_is_not_for_this_phone_is_refused_and_the_phone_comes_up() {
    let bench = Bench::with("sip.ld").await;
    let good = bench.image(application(NEW));
    let rogue = LabImage::of(application(NEW)).to_bytes(&ImageSigner::generate().unwrap()).unwrap();
    let mut corrupted = good.clone();
    let last = corrupted.len() - 1;
    corrupted[last] ^= 1;
    let cases = [
        (bench.image(LabEntry::application(OTHER_PART, "5.9.8", "5.9.8")), "it holds nothing for part 3111-44500-001"),
        (bench.image(application(NEW).for_revision("C")), "3111-44500-001 revision C"),
        (bench.image(application(NEW).needing("5.9.8")), "Container.01/.31: it needs updater 5.9.8 or later"),
        (rogue, "its signature is not the maker's"),
        (corrupted, "its SHA-256 is "),
        (good[..good.len() - 1].to_vec(), "it ends after 49999 of 50000 bytes"),
        (good[..100].to_vec(), "it ends within its header"),
        (b"PK\x03\x04 a zip".to_vec(), "it is no image for this phone"),
        (Vec::new(), "it ends within its header"),
    ];
    for (image, words) in cases {
        bench.server.file(&format!("/{PART}.sip.ld"), image);
        let mut phone = bench.phone().await;

        let (report, told) = boot(&mut phone).await;

        kept(&phone, &report);
        let [refused] = report.refused.as_slice() else { panic!("{words}: {:?}", report.refused) };
        assert!(refused.reason.contains(words), "{words}: {}", refused.reason);
        let event = Event::ImageRefused { file: format!("{PART}.sip.ld"), reason: refused.reason.clone() };
        assert!(told.contains(&event));
        assert!(
            told.iter().any(|event| matches!(event, Event::Log(line) if line.contains("the phone keeps 5.9.7.4477")))
        );
    }
}

#[tokio::test]
async fn a_phone_without_a_makers_key_takes_nothing() {
    let bench = Bench::with("sip.ld").await;
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(NEW)));
    let mut phone = Phone::new(PhoneSetup { image_key: None, ..bench.setup("vvx500").await }).unwrap();

    let (report, _) = boot(&mut phone).await;

    kept(&phone, &report);
    assert!(report.refused[0].reason.contains("takes nothing unsigned"), "{:?}", report.refused);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_with_the_phone() {
    let bench = Bench::with("").await;
    let setup = bench.setup("vvx500").await;

    let Err(error) = Phone::new(PhoneSetup { image_key: Some(Pem::Text(b"x".to_vec())), ..setup }) else {
        panic!("taken");
    };

    assert!(error.to_string().contains("the key of the image maker cannot be used"), "{error}");
}

#[tokio::test]
async fn the_entry_for_the_own_revision_is_flashed() {
    let bench = Bench::with("sip.ld").await;
    let image = LabImage::of(application(("5.9.9", "5.9.9"))).and(application(NEW).for_revision("C"));
    bench.server.file(&format!("/{PART}.sip.ld"), image.to_bytes(&bench.signer).unwrap());
    let hardware = Hardware { revision: Some("C".to_owned()), ..Hardware::default() };
    let mut phone = Phone::new(PhoneSetup { hardware, ..bench.setup("vvx500").await }).unwrap();

    boot(&mut phone).await;

    assert_eq!(versions(&phone), NEW);
}

#[tokio::test]
async fn a_phone_with_another_part_number_asks_for_its_own_image() {
    let bench = Bench::with("sip.ld").await;
    let part = "3111-44500-025";
    bench.server.file(&format!("/{part}.sip.ld"), bench.image(LabEntry::application(part, NEW.0, NEW.1)));
    let hardware = Hardware { part_number: Some(part.to_owned()), ..Hardware::default() };
    let mut phone = Phone::new(PhoneSetup { hardware, ..bench.setup("vvx500").await }).unwrap();

    boot(&mut phone).await;

    assert_eq!(versions(&phone), NEW);
}

#[tokio::test]
async fn a_server_that_fails_or_breaks_off_leaves_the_version_and_the_next_boot_takes_it() {
    let path = format!("/{PART}.sip.ld");
    for (status, cut) in [(503, usize::MAX), (500, usize::MAX), (0, 30_000), (0, 40)] {
        let bench = Bench::with("sip.ld").await;
        bench.server.file(&path, bench.image(application(NEW))).fails(&path, status).cuts(&path, cut);
        let mut phone = bench.phone().await;

        let (report, _) = boot(&mut phone).await;

        kept(&phone, &report);
        assert_eq!(report.refused.len(), 1, "{:?}", report.refused);
        let record = phone.requests().iter().find(|record| record.path == path).unwrap();
        assert_eq!(record.failure.is_some(), status == 0, "{record:?}");
        bench.server.fails(&path, 0).cuts(&path, usize::MAX);
        let (again, _) = boot(&mut phone).await;
        assert_eq!((again.outcome, versions(&phone)), (Outcome::Configured, NEW));
    }
}

#[tokio::test]
async fn an_image_over_tls_is_taken_as_well() {
    let bench = Bench::with("").await;
    let server = BootServer::start().await;
    server.file(&format!("/{MAC}.cfg"), r#"<APPLICATION APP_FILE_PATH="sip.ld" CONFIG_FILES=""/>"#);
    server.bytes(&format!("/{PART}.sip.ld"), bench.image(application(NEW).of_bytes(3_000_000)));
    let setup = PhoneSetup { server_url: server.url(), ..bench.setup("vvx500").await };
    let mut phone = Phone::new(setup).unwrap();

    let (report, _) = boot(&mut phone).await;

    assert_eq!((report.outcome, versions(&phone)), (Outcome::Configured, NEW));
}

#[tokio::test]
async fn an_image_that_fails_three_times_in_one_boot_is_given_up() {
    for (told, asked) in [(None, 3), (Some("2"), 2)] {
        let bench = Bench::with("sip.ld").await;
        bench.server.file(&format!("/{PART}.sip.ld"), "broken");
        // Two values in turn restart the phone until it is stopped.
        let flap = |value: &str| format!(r#"<d device.set="1" device.x.y.set="1" device.x.y="{value}"/>"#).into_bytes();
        bench.server.alternates("/all.cfg", vec![flap("1"), flap("2")]);
        let flash = Flash::in_memory();
        let device = told.map(|told| ("device.prov.abortSWUpgradeAfterFailures".to_owned(), str::to_owned(told)));
        let memory = provost_phone::Memory {
            mac: MAC.to_owned(),
            model: "vvx500".to_owned(),
            device: BTreeMap::from_iter(device),
            ..Default::default()
        };
        flash.store(&memory).unwrap();
        let mut phone = Phone::new(PhoneSetup { flash, ..bench.setup("vvx500").await }).unwrap();

        let (report, _) = boot(&mut phone).await;

        assert!(matches!(report.outcome, Outcome::RestartLoop { .. }), "{}", report.outcome);
        let images = || bench.server.lines().iter().filter(|line| line.contains(".ld")).count();
        assert_eq!(images(), asked);
        boot(&mut phone).await;
        assert_eq!(images(), 2 * asked, "power makes it try again");
    }
}

#[tokio::test]
async fn a_server_that_names_another_version_each_time_does_not_keep_a_phone_from_coming_up() {
    let bench = Bench::with("sip.ld").await;
    let images = vec![bench.image(application(NEW)), bench.image(application(OLD))];
    bench.server.alternates(&format!("/{PART}.sip.ld"), images);
    let mut phone = bench.phone().await;

    let (report, _) = boot(&mut phone).await;

    assert_eq!((report.outcome, report.restarts, report.flashed.len()), (Outcome::Configured, 10, 10));
    assert!(report.refused[0].reason.contains("has flashed 10 times"), "{:?}", report.refused);
    assert_eq!(phone.effective()["reg.1.label"], "configured");
}

#[tokio::test]
async fn what_is_in_flash_counts_whatever_the_phone_came_with() {
    let bench = Bench::with("sip.ld").await;
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(NEW)));
    let folder = tempfile::tempdir().unwrap();
    let flash = Flash::Folder(folder.path().to_owned());
    let setup = PhoneSetup { firmware: Some("5.5.2.8571".to_owned()), flash, ..bench.setup("vvx500").await };
    boot(&mut Phone::new(setup.clone()).unwrap()).await;

    let again = Phone::new(setup).unwrap();

    assert_eq!(versions(&again), NEW);
}

#[tokio::test]
async fn a_version_waits_where_the_user_controls_updates() {
    let bench = Bench::with("sip.ld").await;
    let mut phone = bench.phone().await;
    bench.server.file("/all.cfg", r#"<a prov.usercontrol.enabled="1"/>"#.as_bytes().to_vec());
    phone.boot(&mut |_| {}).await.unwrap();
    let before = phone.memory().firmware.clone();
    bench.server.file("/sip.ld", bench.image(LabEntry::application(PART, "5.9.8.5760", "5.9.8.4127")));

    let report = phone.poll(&mut |_| {}).await.unwrap();

    assert_eq!((report.flashed.len(), &phone.memory().firmware), (0, &before));
    assert_eq!(phone.update_notice().as_deref(), Some("A new update is available"));
    let report = phone.accept_update(&mut |_| {}).await.unwrap().unwrap();
    assert_eq!((report.flashed.len(), phone.memory().firmware.as_str()), (1, "5.9.8.5760"));
    assert_eq!(phone.update_notice(), None);
}
