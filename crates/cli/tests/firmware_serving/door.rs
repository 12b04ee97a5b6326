//! Firmware over plain HTTP: for one MAC, for hours, the image of the next legal step and nothing else.

use crate::{Image, MAC, OTHER, command, has, image_in, provost, refusal, stock, without_date};
use provost_testkit::{Maker, Reply, TestServer};

const PART: &str = "2345-12500-001";
const BOOT: &str = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.2.1.0275";
const OLD: &str = "FileTransport PolycomSoundPointIP-SPIP_550-UA/3.2.4.0267";

fn plain(server: &TestServer, (path, agent): (&str, &str), more: &[&str]) -> Reply {
    let url = format!("http://{}{path}", server.address("phones_http"));
    Reply::of(&[&["--user-agent", agent], more, &[url.as_str()]].concat())
}

fn upgrader<'a>() -> Image<'a> {
    Image { kind: "updater", name: "bootrom.ld", ..Image::of("image_boot", PART, "4.4.0.1") }
}

#[test]
fn an_old_phone_is_led_over_plain_http_while_its_door_is_open_and_by_legal_steps_only() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    stock(&mut server, &[upgrader(), Image::of("image_app", PART, "4.0.15.1047")]);
    let (master, boot, app) = (format!("/{MAC}.cfg"), format!("/{PART}.bootrom.ld"), format!("/{PART}.sip.ld"));
    let none = refusal(&server);
    let shut = |server: &TestServer| {
        for path in [&master, &boot, &app, "/bootrom.ld", "/sip.ld"] {
            assert_eq!(without_date(&plain(server, (path, OLD), &[])), none, "{path}");
        }
    };
    shut(&server);

    let door = command(
        &server,
        &["firmware", "door", "open", MAC, "--model", "spip550", "--hours", "2", "--reason", "from the store room"],
    );
    assert_eq!(without_date(&plain(&server, (&boot, BOOT), &[])), none, "which application it runs is not known yet");
    let named = plain(&server, (&master, OLD), &[]);
    assert_eq!((named.status, image_in(&named.text()).as_str()), (200, ""), "its BootROM goes first");
    for secret in ["assword", "CONFIG_FILES=\"0", "provost.cfg", "reg.", "device."] {
        assert!(!named.text().contains(secret), "{secret} in {}", named.text());
    }
    assert_eq!(without_date(&plain(&server, (&app, OLD), &[])), none, "no stop is skipped");
    let image = plain(&server, (&boot, BOOT), &[]);
    assert!(image.status == 200 && image.body == crate::content("image_boot"));

    let after = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.4.0.1";
    assert_eq!(without_date(&plain(&server, (&boot, after), &[])), none, "it has that one");
    assert_eq!(image_in(&plain(&server, (&master, after), &[]).text()), "", "what runs above it is to be shown");
    assert_eq!(image_in(&plain(&server, (&master, OLD), &[]).text()), "sip.ld");
    assert_eq!(image_in(&plain(&server, (&master, after), &[]).text()), "sip.ld");
    assert!(plain(&server, (&app, after), &[]).body == crate::content("image_app"));
    assert_eq!(without_date(&plain(&server, ("/2345-12450-001.sip.ld", after), &[])), none, "another part's");
    assert_eq!(plain(&server, ("/sip.ld", after), &["--range", "0-9"]).status, 206);

    // Another address, another MAC, another model, another file.
    let elsewhere = ["--interface", "127.0.1.1"];
    assert_eq!(without_date(&plain(&server, (&master, OLD), &elsewhere)), none);
    assert_eq!(without_date(&plain(&server, (&app, after), &elsewhere)), none);
    assert_eq!(without_date(&plain(&server, ("/0004f2000099.cfg", OLD), &[])), none);
    let other = "FileTransport PolycomSoundPointIP-SPIP_450-UA/3.2.4.0267";
    assert_eq!(without_date(&plain(&server, (&app, other), &[])), none);
    for file in ["-provost.cfg", "-phone.cfg", "-directory.xml"] {
        assert_eq!(without_date(&plain(&server, (&format!("/{MAC}{file}"), OLD), &[])), none, "{file}");
    }
    let timeline = server.timeline(MAC);
    assert!(has(&timeline, "unproven, asked for") && has(&timeline, "from the store room"), "{timeline:#?}");
    assert_eq!(server.sql("SELECT COUNT(*) FROM phones"), "0", "who proves nothing is no phone");

    command(&server, &["firmware", "door", "close", door["id"].as_str().unwrap()]);
    shut(&server);
}

#[test]
fn a_door_closes_by_itself_once_its_phone_has_proved_who_it_is() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    stock(&mut server, &[upgrader(), Image::of("image_app", PART, "4.0.15.1047")]);
    command(&server, &["firmware", "door", "open", MAC, "--model", "spip550", "--hours", "1", "--reason", "old"]);
    assert_eq!(plain(&server, (&format!("/{MAC}.cfg"), OLD), &[]).status, 200);

    let agent = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.0.15.1047 Type/Application";
    let own = maker.phone(MAC);
    assert_eq!(server.phone(Some(&own), &format!("/{MAC}.cfg"), &["--user-agent", agent]).status, 200);

    assert_eq!(without_date(&plain(&server, (&format!("/{MAC}.cfg"), OLD), &[])), refusal(&server));
    assert_eq!(command(&server, &["firmware", "door", "list"])["items"].as_array().unwrap().len(), 0);
    assert!(has(&server.timeline(MAC), "is closed again for this MAC: the phone has proved who it is"));
}

/// A BootROM whose version could be an application's.
const BOOT_4: &str = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.1.0";

/// A server with a door for each of these MACs and the images of the way.
fn with_doors(maker: &Maker, macs: &[&str]) -> TestServer {
    let mut server = TestServer::start(&provost(), maker);
    stock(&mut server, &[upgrader(), Image::of("image_app", PART, "4.0.15.1047")]);
    for mac in macs {
        command(&server, &["firmware", "door", "open", mac, "--model", "spip550", "--hours", "1", "--reason", "old"]);
    }
    server
}

#[test]
fn a_bootrom_is_never_taken_for_an_application_whenever_the_door_was_opened() {
    let maker = Maker::new();
    let mut server = with_doors(&maker, &[MAC]);
    let (master, boot, app) = (format!("/{MAC}.cfg"), format!("/{PART}.bootrom.ld"), format!("/{PART}.sip.ld"));
    let nothing = |server: &TestServer, agent: &str| {
        assert_eq!(image_in(&plain(server, (&master, agent), &[]).text()), "", "{agent}");
        for path in [&app, "/sip.ld"] {
            assert_eq!(without_date(&plain(server, (path, agent), &[])), refusal(server), "{path} for {agent}");
        }
    };

    // The door was opened after it had asked for its own image.
    for agent in [BOOT_4, OLD, BOOT_4] {
        nothing(&server, agent);
    }
    assert!(has(&server.timeline(MAC), "have to show in one start first"));
    // The server restarts in between.
    plain(&server, (&boot, BOOT_4), &[]);
    server.kill();
    server.power_on();
    for agent in [BOOT_4, OLD] {
        nothing(&server, agent);
    }
    // A whole start.
    plain(&server, (&boot, BOOT_4), &[]);
    for agent in [BOOT_4, OLD] {
        nothing(&server, agent);
    }
    assert!(has(&server.timeline(MAC), "its BootROM is to take 4.4.0.1 first"));
    assert!(plain(&server, (&boot, BOOT_4), &[]).body == crate::content("image_boot"));
}

#[test]
fn what_others_say_changes_nothing_that_a_door_believes() {
    let maker = Maker::new();
    let server = with_doors(&maker, &[MAC]);
    let (master, boot, app) = (format!("/{MAC}.cfg"), format!("/{PART}.bootrom.ld"), format!("/{PART}.sip.ld"));
    let new_boot = "FileTransport PolycomSoundPointIP-SPIP_550-UA/4.4.0.1";
    let elsewhere = ["--interface", "127.0.1.1"];

    plain(&server, (&boot, new_boot), &elsewhere);
    assert_eq!(image_in(&plain(&server, (&master, OLD), &[]).text()), "", "another's BootROM is not its own");
    plain(&server, (&boot, BOOT), &[]);
    assert_eq!(image_in(&plain(&server, (&master, OLD), &[]).text()), "");
    plain(&server, (&boot, new_boot), &elsewhere);
    assert_eq!(image_in(&plain(&server, (&master, OLD), &[]).text()), "");
    assert_eq!(without_date(&plain(&server, (&app, OLD), &[])), refusal(&server), "no stop is skipped");
    assert_eq!(plain(&server, (&boot, BOOT), &[]).status, 200);

    let told = |server: &TestServer| server.timeline(MAC).len();
    let before = told(&server);
    for _ in 0..20 {
        plain(&server, (&boot, BOOT), &["--range", "0-9"]);
        plain(&server, (&master, OLD), &[]);
    }
    assert!(told(&server) <= before + 2, "{:#?}", server.timeline(MAC));
}

#[test]
fn two_doors_of_a_model_at_one_address_give_nothing() {
    let maker = Maker::new();
    let server = with_doors(&maker, &[MAC, OTHER]);
    let (master, boot) = (format!("/{MAC}.cfg"), format!("/{PART}.bootrom.ld"));
    plain(&server, (&boot, BOOT), &[]);
    assert_eq!(image_in(&plain(&server, (&master, OLD), &[]).text()), "");
    assert_eq!(plain(&server, (&boot, BOOT), &[]).status, 200, "one door");

    assert_eq!(image_in(&plain(&server, (&format!("/{OTHER}.cfg"), OLD), &[]).text()), "");

    assert_eq!(without_date(&plain(&server, (&boot, BOOT), &[])), refusal(&server), "whose BootROM is it?");
    for mac in [MAC, OTHER] {
        assert!(has(&server.timeline(mac), "which phone says what cannot be told"), "{mac}");
    }
}
