//! The recorded request sequences, replayed with curl and a client certificate, before and after binding.

use crate::provost;
use provost_testkit::{Maker, PhoneKey, Reply, TestServer};

/// What a model says and asks, as recorded; `{mac}` stands for the phone's.
struct Recorded {
    model: &'static str,
    user_agent: &'static str,
    mac: &'static str,
    image: &'static str,
}

const VVX_500: Recorded = Recorded {
    model: "vvx500",
    user_agent: "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application",
    mac: "0004f2000004",
    image: "/3111-44500-001.3111-44500-001.sip.ld",
};

const SOUNDPOINT_550: Recorded = Recorded {
    model: "spip550",
    user_agent: "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 (SN:0004a1000002) Type/Application",
    mac: "0004a1000002",
    image: "/2345-12500-001.sip.ld",
};

const VVX_450: Recorded = Recorded {
    model: "vvx450",
    user_agent: "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application",
    mac: "64167f000450",
    image: "/3111-48840-001.sip.ld",
};

struct Phone<'a> {
    server: &'a TestServer,
    pair: PhoneKey,
    recorded: &'a Recorded,
}

impl Phone<'_> {
    fn ask(&self, path: &str, arguments: &[&str]) -> Reply {
        let mut all = vec!["--user-agent", self.recorded.user_agent];
        all.extend(arguments);
        self.server.phone(Some(&self.pair), &path.replace("{mac}", self.recorded.mac), &all)
    }

    fn status(&self, path: &str) -> u16 {
        self.ask(path, &[]).status
    }

    fn put(&self, path: &str, content: &str) -> u16 {
        self.ask(path, &["--request", "PUT", "--data-binary", content]).status
    }

    fn head(&self, path: &str) -> Reply {
        self.ask(path, &["--head"])
    }

    /// The text of the parameter file that the master file names.
    fn settings(&self) -> String {
        let master = self.ask("/{mac}.cfg", &[]).text();
        let listed = master.split("CONFIG_FILES=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let reply = self.ask(&format!("/{listed}"), &[]);
        assert_eq!(reply.status, 200, "{listed}");
        reply.text()
    }
}

fn replay(recorded: &Recorded) {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let phone = Phone { server: &server, pair: maker.phone(recorded.mac), recorded };

    before_binding(&phone);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", recorded.model);
    let activated = server.activate(recorded.mac, &server.code(&device));
    assert_eq!(activated.status, 200, "{}", activated.text());
    after_binding(&phone);
}

fn before_binding(phone: &Phone<'_>) {
    let master = phone.ask("/{mac}.cfg", &[]);
    assert_eq!(master.status, 200, "{}", phone.server.log());
    assert!(master.text().contains("APP_FILE_PATH=\"\""), "{}", master.text());
    assert_eq!(phone.ask("/000000000000.cfg", &[]).body, master.body, "the default name answers the same bytes");
    let upper = format!("/{}.cfg", phone.recorded.mac.to_uppercase());
    assert_eq!(phone.ask(&upper, &[]).body, master.body, "the MAC in either case");
    let bootstrap = phone.settings();
    assert!(bootstrap.contains("reg.1.label=\"Activate\""), "{bootstrap}");
    assert!(!bootstrap.contains("device."), "a stray phone is never re-homed: {bootstrap}");
    for absent in [
        phone.recorded.image,
        "/{mac}-phone.cfg",
        "/{mac}-web.cfg",
        "/000000000000-license.cfg",
        "/{mac}-license.cfg",
        "/{mac}-calls.xml",
        "/{mac}-directory.xml",
        "/000000000000-directory.xml",
        "/languages/Website_dictionary_language_en-us.xml",
        "/{mac}-app.log",
    ] {
        assert_eq!(phone.status(absent), 404, "{absent} before binding");
    }
    assert_eq!(phone.head("/{mac}-app.log").status, 404);
    assert_eq!(phone.put("/{mac}-app.log", "first line\n"), 201);
    let head = phone.head("/{mac}-app.log");
    assert_eq!((head.status, head.header("content-length")), (200, Some("11")), "{head:?}");
    assert_eq!(phone.put("/{mac}-app.log", "second line\n"), 200);
    assert_eq!(phone.ask("/{mac}-app.log", &[]).text(), "first line\nsecond line\n", "logs are appended");
    assert_eq!(phone.put("/{mac}-boot.log", "boot\n"), 201);
}

fn after_binding(phone: &Phone<'_>) {
    let configuration = phone.settings();
    assert!(configuration.contains("reg.1.address=\"1001\""), "{configuration}");
    assert!(configuration.contains("reg.1.server.2.address=\"pbx-b.example.com\""), "{configuration}");
    assert!(configuration.contains("device.set=\"1\""), "{configuration}");
    assert_eq!(phone.status("/{mac}-directory.xml"), 200, "the directory, once bound");
    assert_eq!(phone.status(phone.recorded.image), 404, "no firmware step is due");
    assert_eq!(phone.status("/000000000000-license.cfg"), 404);
    for overrides in ["/{mac}-phone.cfg", "/{mac}-web.cfg", "/{mac}-calls.xml"] {
        assert_eq!(phone.status(overrides), 404, "{overrides}");
        assert_eq!(phone.put(overrides, "<PHONE_CONFIG/>"), 201, "{overrides}");
        assert_eq!(phone.put(overrides, "<PHONE_CONFIG><A/></PHONE_CONFIG>"), 200, "{overrides}");
        assert_eq!(phone.ask(overrides, &[]).text(), "<PHONE_CONFIG><A/></PHONE_CONFIG>", "what was PUT");
    }
    assert_eq!(phone.put("/{mac}-directory.xml", "<directory/>"), 201);
    assert_eq!(phone.ask("/{mac}-directory.xml", &[]).text(), "<directory/>", "the phone's own directory wins");
    let part = phone.ask("/{mac}.cfg", &["--range", "0-9"]);
    assert_eq!((part.status, part.body.len()), (206, 10), "{part:?}");
    assert!(part.header("content-range").unwrap().starts_with("bytes 0-9/"));
    assert_eq!(phone.settings(), configuration, "reading twice gives the same bytes");
}

#[test]
fn a_vvx_500_gets_its_recorded_answers_before_and_after_binding() {
    replay(&VVX_500);
}

#[test]
fn a_soundpoint_550_gets_its_recorded_answers_before_and_after_binding() {
    replay(&SOUNDPOINT_550);
}

#[test]
fn a_vvx_450_gets_its_answers_before_and_after_binding() {
    replay(&VVX_450);
}

#[test]
fn stock_cipher_suites_and_new_ones_are_served_at_one_address() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let phone = Phone { server: &server, pair: maker.phone(VVX_500.mac), recorded: &VVX_500 };

    for offer in [
        // RSA key exchange only: what stock UC Software offers (SoundPoint 550, VVX 500).
        vec!["--tls-max", "1.2", "--ciphers", "AES128-SHA"],
        vec!["--tls-max", "1.2", "--ciphers", "AES256-GCM-SHA384"],
        vec!["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"],
        vec!["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        vec!["--tlsv1.3"],
    ] {
        let reply = phone.ask("/{mac}.cfg", &offer);
        assert_eq!(reply.status, 200, "{offer:?}: {}", reply.trouble);
    }
}

#[test]
fn what_no_phone_would_send_gets_a_plain_4xx_and_the_server_goes_on() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let phone = Phone { server: &server, pair: maker.phone(VVX_500.mac), recorded: &VVX_500 };
    let long = format!("/{}", "a".repeat(60_000));
    let big = server.data().join("big");
    std::fs::write(&big, vec![b'x'; 2 * 1024 * 1024]).unwrap();
    let big = format!("@{}", big.display());

    for (path, arguments) in [
        ("/{mac}.cfg", vec!["--request", "DELETE"]),
        ("/{mac}.cfg", vec!["--request", "POST", "--data", "x"]),
        ("/%00%ff%fe.cfg", vec![]),
        ("/../../../../etc/passwd", vec![]),
        ("/{mac}-../../x.cfg", vec![]),
        ("/%2e%2e/%2e%2e/provost.db", vec![]),
        (long.as_str(), vec![]),
        ("/{mac}.cfg", vec!["--header", "Range: bytes=99999999-"]),
        ("/{mac}-app.log", vec!["--request", "PUT", "--data-binary", &big]),
    ] {
        let reply = phone.ask(path, &arguments);
        assert!((400..500).contains(&reply.status), "{} {arguments:?}: {reply:?}", &path[..path.len().min(40)]);
    }

    assert_eq!(phone.status("/{mac}.cfg"), 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn a_model_that_is_not_in_the_catalog_gets_nothing_and_the_timeline_says_so() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let unknown = Recorded { user_agent: "FileTransport PolycomVVX-VVX_999-UA/9.9.9.1 Type/Application", ..VVX_500 };
    let phone = Phone { server: &server, pair: maker.phone(unknown.mac), recorded: &unknown };

    assert_eq!(phone.status("/{mac}.cfg"), 404);

    let timeline = server.timeline(unknown.mac);
    assert!(timeline[0].contains("model not in the catalog") && timeline[0].contains("VVX_999"), "{timeline:?}");
}
