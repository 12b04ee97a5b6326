//! A server with images and policies, and phones whose power can fail.

use crate::provost;
use provost_catalog::{Catalog, SourceText};
use provost_phone::image::{ImageSigner, LabEntry, LabImage};
use provost_phone::{DeviceCertificate, Flash, Hardware, Pem, Phone, PhoneSetup};
use provost_testkit::{Maker, ServerSetup, TestServer};
use serde_json::{Value, json};
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::SystemTime;
use tempfile::TempDir;

/// Models that no release has a configuration for yet, as an operator would add them. Their part numbers, floors and
/// lines are the catalog's; how they boot is that of the models there are.
const MORE_MODELS: [(&str, &str, &str, &str, &str); 6] = [
    ("vvx401", "3111-48400-001", "PolycomVVX", "VVX_401", "vvx"),
    ("vvx1500", "2345-17960-001", "PolycomVVX", "VVX_1500", "vvx"),
    ("ssip6000", "3111-15600-001", "PolycomSoundStationIP", "SSIP_6000", "soundpoint-ip"),
    ("trio8800", "3111-65290-001", "PolycomRealPresenceTrio", "Trio_8800", "vvx"),
    ("ccx500", "3111-49710-001", "PolycomCCX", "CCX_500", "vvx"),
    ("edgee350", "3111-87010-001", "PolyEdge", "Edge_E350", "vvx"),
];

fn overlay() -> String {
    let model = |(id, part, family, token, boot): (&str, &str, &str, &str, &str)| {
        let own = |value: &str| {
            format!("{{ value = \"{value}\", source = \"own\", evidence = \"inferred\", note = \"test\" }}")
        };
        let gaps = ["line-keys", "registrations", "reset-keys", "end-of-life"]
            .map(|field| format!("{{ field = \"{field}\", why = \"a test\" }}"));
        format!(
            "[[model]]\nid = \"{id}\"\nname = {}\nfamily = \"{boot}\"\npart-numbers = [{}]\nuser-agent-family = {}\n\
             user-agent-tokens = [{}]\nmodel-token = {}\nboot-sequence = {}\ntls-offer = {}\n\
             admin-password = {{ value = {{ alphabet = \"0123456789\", length = 8 }}, source = \"own\", evidence = \
             \"inferred\", note = \"test\" }}\ngaps = [{}]\n[model.firmware]\nreference = {}\nreference-updater = {}\n\n",
            own(id),
            own(part),
            own(family),
            own(token),
            own(id),
            own(boot),
            own("ecdhe-tls12"),
            gaps.join(", "),
            own("9.0"),
            own("9.0"),
        )
    };
    MORE_MODELS.map(model).concat()
}

/// One server with its people, images and a maker of images.
pub(crate) struct Fleet {
    pub(crate) server: TestServer,
    pub(crate) maker: Maker,
    pub(crate) place: (String, String),
    signer: ImageSigner,
    catalog: Arc<Catalog>,
    files: TempDir,
}

/// What is to be led.
#[derive(Clone, Copy)]
pub(crate) struct Led<'a> {
    pub(crate) model: &'a str,
    pub(crate) mac: &'a str,
    pub(crate) runs: &'a str,
    /// Its updater or BootROM, where that matters.
    pub(crate) updater: Option<&'a str>,
}

#[expect(clippy::disallowed_methods, reason = "a phone's clock in a test is this machine's")]
fn clock() -> SystemTime {
    SystemTime::now()
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let (maker, files) = (Maker::new(), tempfile::tempdir().unwrap());
        let overlay = overlay();
        let catalog_dir = files.path().join("catalog");
        std::fs::create_dir(&catalog_dir).unwrap();
        std::fs::write(catalog_dir.join("more.toml"), &overlay).unwrap();
        let setup = ServerSetup { top: format!("catalog-dir = {catalog_dir:?}\n"), ..ServerSetup::default() };
        let server = TestServer::start_with(&provost(), &maker, &setup);
        let place = server.site();
        let catalog = Catalog::with_overlay(&[SourceText { name: "more.toml", text: &overlay }]).unwrap();
        let signer = ImageSigner::generate().unwrap();
        Self { server, maker, place, signer, catalog: Arc::new(catalog), files }
    }

    pub(crate) fn part(&self, model: &str) -> String {
        self.catalog.hardware(model).unwrap().part_numbers[0].value.clone()
    }

    /// An image on the disk, signed by the phones' maker or by somebody else.
    pub(crate) fn made(&self, name: &str, entry: LabEntry, signer: Option<&ImageSigner>) -> PathBuf {
        let folder = self.files.path().join(format!("{:08x}", rand::random::<u32>()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        LabImage::of(entry.of_bytes(200_000)).write(signer.unwrap_or(&self.signer), &mut file).unwrap();
        path
    }

    /// Uploads an application for a model, which brings an updater of the same version.
    pub(crate) fn stores(&self, model: &str, version: &str) {
        let part = self.part(model);
        let path = self.made(&format!("{part}.sip.ld"), LabEntry::application(&part, version, version), None);
        self.uploads(&path);
    }

    pub(crate) fn uploads(&self, path: &std::path::Path) {
        let upload = self.server.cli(&["firmware", "upload", path.to_str().unwrap(), "--json"]);
        assert_eq!(upload.code, 0, "{}{}", upload.out, upload.err);
    }

    /// What everybody is led to, at any time of the day.
    pub(crate) fn leads_to(&self, model: &str, target: &str) {
        let policy = json!({ "model": model, "target": target, "window": "always", "reason": "a test" });
        self.server.done("POST", "/firmware/policies", Some(&policy));
    }

    /// A phone out of its box, entered with a user by its MAC; `image_key` is whom it believes.
    pub(crate) fn phone(&self, led: Led<'_>, server: &str) -> Phone {
        Phone::new(self.setup(led, server)).unwrap()
    }

    pub(crate) fn setup(&self, led: Led<'_>, server: &str) -> PhoneSetup {
        let pair = self.maker.phone(led.mac);
        PhoneSetup {
            catalog: Arc::clone(&self.catalog),
            model: led.model.to_owned(),
            mac: led.mac.parse().unwrap(),
            firmware: Some(led.runs.to_owned()),
            hardware: Hardware { updater: led.updater.map(str::to_owned), ..Hardware::default() },
            image_key: Some(Pem::Text(self.signer.public_pem().unwrap())),
            server_url: server.to_owned(),
            network: None,
            certificate: Some(DeviceCertificate { chain: Pem::File(pair.chain), key: Pem::File(pair.key) }),
            authorities: Some(Pem::File(self.server.root())),
            sntp: Some(self.server.address("sntp")),
            flash: Flash::in_memory(),
            clock,
        }
    }

    pub(crate) fn https(&self) -> String {
        format!("https://{}", self.server.address("phones_https"))
    }

    /// A device with a user that names this MAC: the phone is claimed at its first contact.
    pub(crate) fn enters(&self, led: Led<'_>) -> String {
        let (account, site) = &self.place;
        let extension = &led.mac[8..];
        let user = json!({
            "site": site, "name": format!("User {extension}"), "extension": "1001",
            "lines": [{ "user": extension, "password": format!("secret-{extension}") }],
        });
        let user = self.server.done("POST", "/users", Some(&user));
        let device = json!({ "account": account, "model": led.model, "user": user["id"], "mac": led.mac });
        self.server.done("POST", "/devices", Some(&device))["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn steps_of(&self, mac: &str) -> Vec<(String, String, String)> {
        let steps = self.server.done("GET", "/firmware/steps?limit=200", None);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut found: Vec<(String, String, String)> = steps["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|step| step["mac"] == mac)
            .map(|step| (text(&step["from"]), text(&step["to"]), text(&step["state"])))
            .collect();
        found.reverse();
        found
    }
}

/// Polls `work` so many times and then takes the power away; says whether it had ended.
pub(crate) async fn powered_for<T>(polls: usize, work: impl Future<Output = T>) -> bool {
    let mut work = pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Boots with the power failing after ever other stretches, each longer than the one before, until a boot ends.
///
/// Returns every version the phone had when the power failed.
pub(crate) async fn boots_with_cuts(setup: &PhoneSetup) -> (Phone, Vec<String>) {
    let mut had = Vec::new();
    for polls in [1, 3, 8, 14, 21, 30, 45, 60, 90, 140, 220] {
        let mut phone = Phone::new(setup.clone()).unwrap();
        if powered_for(polls, phone.boot(&mut |_| {})).await {
            break;
        }
        drop(phone);
        if let Some(memory) = setup.flash.load().unwrap() {
            had.push(memory.firmware);
        }
    }
    let mut phone = Phone::new(setup.clone()).unwrap();
    phone.boot(&mut |_| {}).await.unwrap();
    (phone, had)
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}
