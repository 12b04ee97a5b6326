//! The description of the API against the API, by a program that knows nothing else of it.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer, skipped};
use serde_json::Value;
use std::process::Command;

/// With this the examples are many and others each time.
const SLOW: &str = "PROVOST_SLOW";
/// Answers are compared with the description; that what it forbids is refused, too.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,ignored_auth,unsupported_method";

#[test]
fn the_description_is_openapi_3_1_and_needs_no_token() {
    let server = TestServer::start(&provost(), &Maker::new());

    let reply = Reply::of(&[&format!("{}/api/v1/openapi.json", server.address("console"))]);

    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.json()["openapi"], "3.1.0");
    let without_token = Reply::of(&[&format!("{}/api/v1/users", server.address("console"))]);
    assert_eq!(without_token.status, 401);
}

/// That something was changed meanwhile is said before the body is looked at (RFC 9110, 13.2.1).
const SETTINGS: &str = r#"[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422"]
"#;

/// Runs schemathesis on a server with something in it; returns what it printed if it found fault.
fn judged(server: &TestServer, token: Option<&str>, examples: u32) -> Result<(), String> {
    let url = format!("{}/api/v1/openapi.json", server.address("console"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schemathesis.toml"), SETTINGS).unwrap();
    let mut command = Command::new("schemathesis");
    command.current_dir(folder.path()).args(["run", &url, "--checks", CHECKS, "--no-color"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", &examples.to_string()]);
    command.args(["--generation-database", "none", "--suppress-health-check", "all", "--request-timeout", "30"]);
    if std::env::var_os(SLOW).is_none() {
        command.args(["--seed", "1"]);
    }
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stdout).into_owned()) }
}

fn is_installed() -> bool {
    Command::new("schemathesis").arg("--version").output().is_ok_and(|output| output.status.success())
}

fn examples() -> u32 {
    if std::env::var_os(SLOW).is_some() { 200 } else { 6 }
}

#[test]
fn whoever_has_a_token_gets_only_answers_that_are_described() {
    if !is_installed() {
        return skipped("schemathesis is not installed; ./test installs it");
    }
    let server = TestServer::start(&provost(), &Maker::new());
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    server.code(&device);

    if let Err(faults) = judged(&server, Some(server.token()), examples()) {
        panic!("{faults}\n{}", server.log());
    }
    let accounts: Value = server.done("GET", "/accounts", None);
    assert!(accounts["items"].as_array().is_some(), "the server answers as before");
}

#[test]
fn whoever_has_no_token_gets_only_answers_that_are_described() {
    if !is_installed() {
        return skipped("schemathesis is not installed; ./test installs it");
    }
    let server = TestServer::start(&provost(), &Maker::new());

    if let Err(faults) = judged(&server, None, examples()) {
        panic!("{faults}\n{}", server.log());
    }
    assert_eq!(server.sql("SELECT COUNT(*) FROM accounts"), "0", "nobody made anything");
}
