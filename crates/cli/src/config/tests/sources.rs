//! Where a configuration comes from: the environment, a file, and the sample that is packaged.

use std::path::{Path, PathBuf};

use super::{accepted, read_with};
use crate::config::document::Document;
use crate::config::{Config, LogLevel, read_config};

const SAMPLE: &str = include_str!("../../../../../packaging/provost.toml");

#[test]
fn a_variable_wins_over_the_file_even_where_the_file_is_wrong() {
    let text = "[listen]\nconsole = \"nonsense\"\n[tls]\nlegacy-tls = false\n";
    let variables = [
        ("PROVOST_LISTEN__CONSOLE", "127.0.0.1:9"),
        ("PROVOST_TLS__LEGACY_TLS", "true"),
        ("PROVOST_DATA_DIR", "data"),
        ("PROVOST_TIME__SERVERS", "one.example.com, two.example.com"),
        ("PATH", "/bin"),
    ];

    let loaded = read_with(text, &variables).unwrap();

    assert_eq!(loaded.config.listen.console.to_string(), "127.0.0.1:9");
    assert!(loaded.config.tls.legacy_tls);
    assert_eq!(loaded.config.data_dir, PathBuf::from("/etc/provost/data"));
    assert_eq!(loaded.config.time.servers, ["one.example.com", "two.example.com"]);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn a_mistake_in_a_variable_is_reported_after_those_of_the_file_by_its_name() {
    let variables = [("PROVOST_LISTEN__SNTP", "123"), ("PROVOST_TLS__LEGACY_TLS", "yes"), ("PROVOST_DATA_DIR", "")];

    let errors = read_with("[log]\nlevel = \"loud\"", &variables).unwrap_err().to_string();

    let starts: Vec<&str> = errors.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let expected = ["provost.toml:2", "PROVOST_DATA_DIR", "PROVOST_LISTEN__SNTP", "PROVOST_TLS__LEGACY_TLS"];
    assert_eq!(starts, expected);
}

#[test]
fn an_unknown_variable_is_only_warned_about_and_other_tools_ones_are_not() {
    let variables = [("PROVOST_LISTEN__CONSLE", "off"), ("PROVOST_SHARED", "x"), ("PROVOST_TOKEN", "x")];

    let warnings = read_with("", &variables).unwrap().warnings;

    assert_eq!(
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["PROVOST_LISTEN__CONSLE: unknown variable, ignored; did you mean PROVOST_LISTEN__CONSOLE?"]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("provost.toml");

    let error = Config::load(Some(&missing), []).unwrap_err().to_string();

    assert!(error.starts_with(&format!("{}: cannot read it: ", missing.display())), "{error}");
}

#[test]
fn bytes_that_are_not_utf8_are_reported_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provost.toml");
    std::fs::write(&file, b"[log]\n# caf\xe9\n").unwrap();

    let error = Config::load(Some(&file), []).unwrap_err().to_string();

    assert_eq!(error, format!("{}:2: this line is not UTF-8; save the file as UTF-8", file.display()));
}

#[test]
fn a_file_is_loaded_with_its_own_folder_as_the_base() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provost.toml");
    std::fs::write(&file, "\u{feff}data-dir = \"here\"\r\n[log]\r\nlevel = \"warn\"\r\n").unwrap();

    let config = Config::load(Some(&file), []).unwrap().config;

    assert_eq!(config.data_dir, folder.path().join("here"));
    assert_eq!(config.log.level, LogLevel::Warn);
}

#[test]
fn the_packaged_sample_means_the_same_as_an_empty_file() {
    assert_eq!(accepted(SAMPLE), accepted(""));
}

/// The sample with every line that holds a key, and every section, made active.
fn uncommented_sample() -> String {
    let lines = SAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_packaged_sample_still_parses_with_every_line_uncommented_by_either_way_to_a_certificate() {
    let text = uncommented_sample();
    for other_way in [["acme-"].as_slice(), &["certificate = [", "key = ["]] {
        let is_kept = |line: &&str| !other_way.iter().any(|start| line.starts_with(start));
        let one_way = text.lines().filter(is_kept).collect::<Vec<_>>().join("\n");

        let loaded = read_with(&one_way, &[]).unwrap();

        assert_eq!(loaded.warnings, []);
        assert_ne!(loaded.config.tls.acme.is_some(), loaded.config.tls.pairs.len() == 2);
    }
}

#[test]
fn the_packaged_sample_shows_every_key_there_is_with_its_default() {
    let text = uncommented_sample();
    let mut document = Document::new(&text, "provost.toml", Path::new("/etc/provost"), []);
    let given = document.given();
    let config = read_config(&mut document);

    let unseen: Vec<String> =
        document.asked().iter().filter(|key| !given.contains(key)).map(|key| key.dotted()).collect();

    assert_eq!(unseen, Vec::<String>::new(), "keys that packaging/provost.toml does not show");
    assert_eq!(config.listen, accepted("").listen);
    assert_eq!(config.log, accepted("").log);
    assert_eq!(config.trust_dir(), accepted("").trust_dir());
    assert_eq!(config.key_file(), accepted("").key_file());
    assert_eq!(config.firmware_store(), accepted("").firmware_store());
}
