//! What an operator may write, and what is said to one who wrote something else.

mod acme;
mod sources;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Config, ConfigErrors, Database, Listen, Loaded, LogFormat, LogLevel, parse};

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigErrors> {
    parse(text, "provost.toml", Path::new("/etc/provost"), environment(variables))
}

fn accepted(text: &str) -> Config {
    read_with(text, &[]).unwrap().config
}

fn refused(text: &str) -> Vec<String> {
    read_with(text, &[]).unwrap_err().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn an_empty_file_keeps_everything_on_loopback_and_in_its_own_folder() {
    let config = accepted("");

    assert_eq!(config.data_dir, PathBuf::from("/etc/provost/provost-data"));
    assert_eq!(config.key_file(), PathBuf::from("/etc/provost/provost-data/secret.key"));
    assert_eq!(config.trust_dir(), PathBuf::from("/etc/provost/provost-data/trust"));
    assert_eq!(config.firmware_store(), PathBuf::from("/etc/provost/provost-data/firmware"));
    assert_eq!(config.database, Database::Sqlite);
    assert_eq!(config.listen.phones_https, Listen::loopback(8443));
    assert_eq!(config.listen.phones_http, Listen::loopback(8080));
    assert_eq!(config.listen.console, Listen::loopback(8081));
    assert_eq!(config.listen.sntp, Listen::loopback(1123));
    assert!(!config.tls.legacy_tls);
    assert!(config.tls.accept_expired_leaf);
    assert!(!config.console.behind_proxy);
    assert_eq!(config.log.level, LogLevel::Info);
}

#[test]
fn a_full_file_is_read_with_paths_from_its_folder() {
    let text = r#"
        data-dir = "/var/lib/provost"
        public-url = "https://phones.example.com"
        public-http-url = "http://phones.example.com"
        catalog-dir = "catalog"
        [listen]
        phones-https = "0.0.0.0:443"
        phones-http = "off"
        console = "[::1]:8081"
        [tls]
        certificate = ["rsa.crt", "p256.crt"]
        key = ["rsa.key", "p256.key"]
        trust-dir = "trust"
        [firmware]
        store = "images"
        [time]
        servers = ["ntp.example.com", "192.0.2.1"]
        [secrets]
        key-file = "/etc/provost/secret.key"
        [log]
        level = "debug"
        format = "json"
    "#;

    let config = accepted(text);

    assert_eq!(config.public_url.as_ref().unwrap().to_string(), "https://phones.example.com");
    assert_eq!(config.catalog_dir, Some(PathBuf::from("/etc/provost/catalog")));
    assert_eq!(config.listen.phones_https.to_string(), "0.0.0.0:443");
    assert_eq!(config.listen.phones_http, Listen::Off);
    assert_eq!(config.listen.console, Listen::At { host: "::1".to_owned(), port: 8081 });
    assert_eq!(config.tls.pairs[1].certificate, PathBuf::from("/etc/provost/p256.crt"));
    assert_eq!(config.tls.pairs[1].key, PathBuf::from("/etc/provost/p256.key"));
    assert_eq!(config.tls.pairs[1].place.to_string(), "provost.toml:11");
    assert_eq!(config.firmware_store(), PathBuf::from("/etc/provost/images"));
    assert_eq!(config.time.servers, ["ntp.example.com", "192.0.2.1"]);
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn one_certificate_and_its_key_need_no_list() {
    let config = accepted("[tls]\ncertificate = \"a.crt\"\nkey = [\"a.key\"]");

    assert_eq!(config.tls.pairs.len(), 1);
}

#[test]
fn images_in_s3_or_at_any_other_address_are_refused_and_a_folder_is_asked_for() {
    for address in ["s3://bucket/images", "https://host/images"] {
        let lines = refused(&format!("[firmware]\nstore = \"{address}\"\n"));

        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].starts_with("provost.toml:2: `firmware.store`: images "), "{}", lines[0]);
        assert!(lines[0].contains("write the path of a folder"), "{}", lines[0]);
    }
}

#[test]
fn every_mistake_is_reported_at_once_with_its_line() {
    let text = r#"database = "mysql"
public-url = "http://phones.example.com"

[listen]
phones-https = "8443"
consle = "127.0.0.1:1"
sntp = 123

[tls]
legacy-tls = "yes"
certificate = ["a.crt", "b.crt"]
key = "a.key"

[lgo]
level = "info"
"#;

    let places: Vec<String> =
        refused(text).iter().map(|line| line.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")).collect();

    let lines = [1, 2, 5, 6, 7, 10, 11, 14];
    assert_eq!(places, lines.map(|line| format!("provost.toml:{line}")));
}

#[test]
fn text_that_is_not_toml_hides_no_other_mistake() {
    let lines = refused("[listen]\nconsole = 127.0.0.1:8081\nsntp = \"123\"\n");

    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("provost.toml:2: not TOML: "), "{}", lines[0]);
    assert!(lines[1].starts_with("provost.toml:3: `listen.sntp`: \"123\" is no address"), "{}", lines[1]);
}

#[test]
fn a_key_given_twice_is_refused_at_the_second() {
    let lines = refused("[log]\nlevel = \"info\"\nlevel = \"warn\"\n");

    assert_eq!(lines, ["provost.toml:3: not TOML: duplicate key"]);
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_known_one() {
    assert_eq!(refused("data_dir = \"x\""), ["provost.toml:1: unknown key `data_dir`; did you mean `data-dir`?"]);
    assert_eq!(
        refused("phones-https = \"off\""),
        ["provost.toml:1: unknown key `phones-https`; did you mean `listen.phones-https`?"]
    );
    assert_eq!(
        refused("[listne]\nsntp = \"off\""),
        ["provost.toml:1: unknown section [listne]; did you mean [listen]?"]
    );
    assert_eq!(
        refused("[log]\ncolour = \"red\""),
        ["provost.toml:2: unknown key `log.colour`; known here are format, level"]
    );
}

#[test]
fn a_section_and_a_key_are_not_taken_for_each_other() {
    assert_eq!(
        refused("listen = \"127.0.0.1:1\""),
        ["provost.toml:1: `listen` is a section, found a string; write [listen] and its keys below it"]
    );
    assert_eq!(
        refused("[data-dir]\npath = \"x\""),
        ["provost.toml:1: `data-dir` is no section; write `data-dir = ...` above the first section"]
    );
    assert_eq!(
        refused("[log.level]\nweb = \"debug\""),
        ["provost.toml:1: `log.level`: expected a string in quotes, found a section"]
    );
}

#[test]
fn an_empty_value_is_refused_and_not_read_as_the_default() {
    let lines = refused("data-dir = \"\"\n[secrets]\nkey-file = \" \"\n[tls]\ncertificate = [\"\"]\nkey = [\"a\"]");

    let emptiness: Vec<bool> = lines.iter().take(3).map(|line| line.contains(": empty; write a value")).collect();
    assert_eq!(emptiness, [true, true, true], "{lines:#?}");
}

#[test]
fn a_postgres_url_is_taken_and_never_shown_with_its_password() {
    let config = accepted("database = \"postgres://provost:hunter2@db/provost?password=hunter2\"");

    let Database::Postgres(url) = &config.database else { panic!("{config:?}") };
    assert!(url.reveal().contains("hunter2"));
    assert_eq!(url.to_string(), "postgres://provost:...@db/provost");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_postgres_url_without_server_or_database_is_refused_in_words_that_do_not_repeat_its_password() {
    for (url, why) in [
        ("postgres://provost:hunter2@db", "it names no database"),
        ("postgres:///provost?password=hunter2", "it names no server"),
        ("postgres://provost:hunter2@db:port/provost", "invalid port number"),
    ] {
        let [line] = &refused(&format!("database = \"{url}\""))[..] else { panic!("{url}") };
        assert!(line.contains(why) && !line.contains("hunter2"), "{line}");
    }
}

#[test]
fn a_url_with_a_password_is_refused_without_showing_it() {
    for key in ["public-url", "public-http-url"] {
        let lines = refused(&format!("{key} = \"https://provost:hunter2@phones.example.com/x\""));

        let sentence = "a user or password in it would be told to every phone; write the host alone";
        assert_eq!(lines, [format!("provost.toml:1: `{key}`: {sentence}")]);
    }
}

#[test]
fn a_public_url_that_phones_could_not_use_is_refused() {
    for url in ["http://phones.example.com", "https://phones.example.com/path", "https://h:0"] {
        assert_eq!(refused(&format!("public-url = \"{url}\"")).len(), 1, "{url}");
    }
    assert!(refused("public-http-url = \"https://h\"")[0].contains("write \"http://host\""));
}

#[test]
fn a_second_public_url_is_the_former_one_and_one_may_stand_without_a_list() {
    let both = |text: &str| {
        let config = accepted(text);
        [config.public_url, config.former_url].map(|url| url.map(|url| url.to_string()))
    };
    let (new, old) = (Some("https://new.example.com".to_owned()), Some("https://old.example.com".to_owned()));
    let list = "public-url = [\"https://new.example.com\", \"https://old.example.com\"]";

    assert_eq!(both(list), [new.clone(), old.clone()]);
    assert_eq!(both("public-url = \"https://new.example.com\""), [new.clone(), None]);
    assert_eq!(both("public-url = [\"https://new.example.com\"]"), [new.clone(), None]);
    let variable = ("PROVOST_PUBLIC_URL", "https://old.example.com, https://new.example.com:8443");
    let config = read_with(list, &[variable]).unwrap().config;
    assert_eq!(config.public_url.map(|url| url.to_string()), old);
    assert_eq!(config.former_url.map(|url| url.to_string()), Some("https://new.example.com:8443".to_owned()));
}

#[test]
fn public_urls_that_are_the_same_or_too_many_are_refused_and_each_bad_one_is_named() {
    let line = |urls: &str| refused(&format!("\n\npublic-url = [{urls}]"));
    let said = |urls: &str, part: &str| {
        let lines = line(urls);
        assert!(lines[0].starts_with("provost.toml:3: `public-url`: ") && lines[0].contains(part), "{lines:#?}");
    };

    said("\"https://h.example\", \"https://H.example:443/\"", "the same address twice");
    said("\"https://a.example\", \"https://b.example\", \"https://c.example\"", "3 addresses");
    said("", "0 addresses");
    assert_eq!(line("\"http://a.example\", \"https://b.example/path\"").len(), 2);
    assert!(!line("\"https://a.example\", \"https://u:hunter2@b.example\"")[0].contains("hunter2"));
}

#[test]
fn the_console_is_refused_beyond_loopback_where_it_would_speak_plain_http() {
    for address in ["0.0.0.0:8081", "[::]:8081", "192.0.2.1:8081", "console.example.com:8081"] {
        let lines = refused(&format!("[listen]\nconsole = \"{address}\""));

        assert!(lines[0].contains("in clear") && lines[0].contains("behind-proxy"), "{lines:#?}");
        for section in [
            "console]\ncertificate = \"a\"\nkey = \"b\"",
            "tls]\ncertificate = \"a\"\nkey = \"b\"",
            "console]\nbehind-proxy = true\nproxies = [\"10.1.2.3/32\"]",
            "console]\nbehind-proxy = true\ncertificate = \"a\"\nkey = \"b\"",
        ] {
            accepted(&format!("[listen]\nconsole = \"{address}\"\n[{section}"));
        }
        let lines = refused(&format!("[listen]\nconsole = \"{address}\"\n[console]\nbehind-proxy = true"));
        assert!(lines[0].contains("proxies"), "a proxy nobody knows: {lines:#?}");
    }
    for address in ["127.0.0.1:0", "127.9.9.9:81", "[::1]:8081", "localhost:8081", "off"] {
        accepted(&format!("[listen]\nconsole = \"{address}\""));
        accepted(&format!("[listen]\nconsole = \"{address}\"\n[console]\nbehind-proxy = true"));
    }
}

#[test]
fn a_proxy_is_a_range_and_the_console_has_an_https_address() {
    let console = accepted(
        "[console]\nbehind-proxy = true\nproxies = [\"10.1.0.0/16\"]\npublic-url = \"https://console.example.com\"",
    )
    .console;
    assert_eq!(console.proxies.len(), 1);
    assert_eq!(console.public_url.unwrap().to_string(), "https://console.example.com");
    assert!(refused("[console]\nproxies = \"proxy\"")[0].contains("no range of addresses"));
    assert!(refused("[console]\npublic-url = \"http://console.example.com\"")[0].contains("https"));
}

#[test]
fn a_listen_address_needs_a_host_and_a_port() {
    for address in ["8443", ":8443", "host:", "host:+1", "host:65536", "::1:8443", "[::1]", "[host]:1", "a b:1", "OFF"]
    {
        let lines = refused(&format!("[listen]\nphones-https = \"{address}\""));

        assert!(lines[0].contains("is no address to listen at"), "{address}: {lines:#?}");
    }
}

#[test]
fn listeners_of_later_versions_are_taken_when_off_and_warned_about_when_not() {
    let loaded = read_with("[listen]\nsip = \"off\"\nmetrics = \"127.0.0.1:9464\"", &[]).unwrap();

    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["provost.toml:3: `listen.metrics`: this version opens no such listener; write \"off\" or remove it"]
    );
}

#[test]
fn calls_need_an_address_of_a_machine_and_an_even_port() {
    for address in ["phones.example.com", "0.0.0.0", "::", "203.0.113.7:5060"] {
        let lines = refused(&format!("[sip]\nexternal-address = \"{address}\""));

        assert!(lines[0].contains("is no address of a machine"), "{lines:#?}");
    }
    for ports in ["16384", "16385-16385", "0-10", "20-10", "a-b", "1-65536"] {
        let lines = refused(&format!("[sip]\nrtp-ports = \"{ports}\""));

        assert!(lines[0].contains("is no range of ports"), "{lines:#?}");
    }
    assert_eq!(accepted("[sip]\nrtp-ports = \"20000-20000\"").sip.rtp_ports, 20_000..=20_000);
}

#[test]
fn a_time_server_is_a_host_without_scheme_and_port() {
    assert_eq!(refused("[time]\nservers = [\"ntp.example.com\", \"ntp://x\", \"x:123\"]").len(), 2);
    assert_eq!(accepted("[time]\nservers = \"2001:db8::1\"").time.servers, ["2001:db8::1"]);
}
