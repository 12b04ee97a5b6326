//! Checks which crate depends on which, against the table of docs/ARCHITECTURE.md.
//!
//! Decides from `cargo metadata` alone. Dependencies for tests may go where normal ones may; the
//! testkit is for the tests of cli and store only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Failure;

const PREFIX: &str = "provost-";

/// Each crate of the project and those it may depend on. The same table as docs/ARCHITECTURE.md.
const ARROWS: [(&str, &[&str]); 14] = [
    ("catalog", &[]),
    ("proto", &[]),
    ("core", &["catalog"]),
    ("store", &["core"]),
    ("pki", &["core"]),
    ("phone", &["proto", "catalog"]),
    ("app", &["core", "catalog", "store", "pki"]),
    ("outbound", &["core", "catalog"]),
    ("net", &["app", "core", "catalog", "proto", "pki"]),
    ("web", &["app", "core", "catalog", "proto"]),
    ("cli", &["app", "catalog", "core", "net", "outbound", "phone", "pki", "proto", "store", "web"]),
    ("testkit", &[]),
    ("xtask", &[]),
    ("fuzz", &["catalog", "core", "proto", "pki"]),
];

/// Crates whose tests may use the testkit.
const TESTED_FROM_OUTSIDE: [&str; 2] = ["cli", "store"];

/// Rules are decided without sockets, databases and tasks, however many crates lie between.
const PURE: [&str; 3] = ["catalog", "core", "proto"];
const IMPURE: [&str; 4] = ["tokio", "sqlx", "axum", "hyper"];

/// SQL is written in store only.
const WITHOUT_SQL: [&str; 3] = ["web", "net", "outbound"];

/// Fails naming each arrow that the table does not allow.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let mut command = Command::new("cargo");
    command.args(["metadata", "--format-version", "1", "--locked"]).current_dir(root);
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(Failure::Command);
    }
    let forbidden = forbidden(&serde_json::from_slice(&output.stdout)?);
    if forbidden.is_empty() { Ok(()) } else { Err(forbidden.into()) }
}

/// Every arrow in `metadata` that is not allowed, each as a sentence.
fn forbidden(metadata: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for package in members(metadata) {
        let from = short_name(text(package, "name"));
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
            found.push(format!(
                "{from}: this crate has no row in the table; add one to docs/ARCHITECTURE.md and xtask/src/arrows.rs"
            ));
            continue;
        };
        for dependency in list(package, "dependencies") {
            let for_tests = text(dependency, "kind") == "dev";
            found.extend(forbidden_arrow(from, allowed, text(dependency, "name"), for_tests));
        }
    }
    found.extend(impure(metadata));
    found
}

fn forbidden_arrow(from: &str, allowed: &[&str], dependency: &str, for_tests: bool) -> Option<String> {
    let kind = if for_tests { " (for tests)" } else { "" };
    if dependency == "sqlx" && WITHOUT_SQL.contains(&from) {
        return Some(format!("{from} -> sqlx{kind}: SQL lives in store only; ask app instead"));
    }
    let to = short_name(dependency);
    let ours = dependency.starts_with(PREFIX) || ARROWS.iter().any(|(name, _)| *name == dependency);
    let testkit = for_tests && to == "testkit" && TESTED_FROM_OUTSIDE.contains(&from);
    if !ours || testkit || allowed.contains(&to) {
        return None;
    }
    let row = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(" ") };
    Some(format!("{from} -> {to}{kind}: not an arrow of docs/ARCHITECTURE.md, which allows {from} -> {row}"))
}

/// The shortest way from each pure crate to each crate it must never reach, if there is one.
fn impure(metadata: &Value) -> Vec<String> {
    let packages = list(metadata, "packages");
    let names: BTreeMap<&str, &str> =
        packages.iter().map(|package| (text(package, "id"), text(package, "name"))).collect();
    let nodes = metadata.get("resolve").map(|resolve| list(resolve, "nodes")).unwrap_or_default();
    let edges: BTreeMap<&str, Vec<&str>> = nodes.iter().map(|node| (text(node, "id"), normal(node))).collect();
    let pure = members(metadata).filter(|package| PURE.contains(&short_name(text(package, "name"))));

    let mut found = Vec::new();
    for package in pure {
        for road in roads(text(package, "id"), &edges) {
            let road: Vec<&str> = road.iter().filter_map(|id| names.get(id)).map(|name| short_name(name)).collect();
            if road.last().is_some_and(|last| IMPURE.contains(last)) {
                found.push(format!("{}: rules stay without sockets, SQL and tasks", road.join(" -> ")));
            }
        }
    }
    found
}

/// The shortest road from `start` to everything it reaches.
fn roads<'a>(start: &'a str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<Vec<&'a str>> {
    let mut seen = BTreeSet::from([start]);
    let mut waiting = VecDeque::from([vec![start]]);
    let mut roads = Vec::new();
    while let Some(road) = waiting.pop_front() {
        let next = road.last().and_then(|last| edges.get(last));
        for id in next.into_iter().flatten() {
            if seen.insert(id) {
                let mut longer = road.clone();
                longer.push(id);
                waiting.push_back(longer);
            }
        }
        roads.push(road);
    }
    roads
}

/// What a node of the resolved graph needs to be built, tests and build scripts apart.
fn normal(node: &Value) -> Vec<&str> {
    let needed = |dependency: &&Value| list(dependency, "dep_kinds").iter().any(|kind| text(kind, "kind").is_empty());
    list(node, "deps").iter().filter(needed).map(|dependency| text(dependency, "pkg")).collect()
}

fn members(metadata: &Value) -> impl Iterator<Item = &Value> {
    let members = list(metadata, "workspace_members");
    list(metadata, "packages").iter().filter(move |package| package.get("id").is_some_and(|id| members.contains(id)))
}

fn short_name(package: &str) -> &str {
    package.strip_prefix(PREFIX).unwrap_or(package)
}

/// The list at `key`; cargo leaves no list out, so a missing one is an empty one.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The text at `key`; empty where cargo writes null, as for the kind of a normal dependency.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workspace(package: &str, dependency: &str, kind: Option<&str>) -> Value {
        json!({
            "packages": [{
                "id": package, "name": package, "dependencies": [{"name": dependency, "kind": kind}],
            }],
            "workspace_members": [package],
            "resolve": {"nodes": []},
        })
    }

    #[test]
    fn an_arrow_of_the_table_is_allowed() {
        assert_eq!(forbidden(&workspace("provost-core", "provost-catalog", None)), Vec::<String>::new());
        assert_eq!(forbidden(&workspace("provost-cli", "provost-web", None)), Vec::<String>::new());
        assert_eq!(forbidden(&workspace("provost-store", "sqlx", None)), Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_arrow_is_named() {
        let found = forbidden(&workspace("provost-web", "provost-net", None));

        let sentence = "web -> net: not an arrow of docs/ARCHITECTURE.md, which allows web -> app core catalog proto";
        assert_eq!(found, [sentence]);
    }

    #[test]
    fn an_upward_arrow_is_forbidden_for_tests_and_build_scripts_too() {
        for kind in ["dev", "build"] {
            assert_eq!(forbidden(&workspace("provost-store", "provost-app", Some(kind))).len(), 1, "{kind}");
        }
    }

    #[test]
    fn the_testkit_is_for_the_tests_of_cli_and_store_alone() {
        assert_eq!(forbidden(&workspace("provost-cli", "provost-testkit", Some("dev"))), Vec::<String>::new());
        assert_eq!(forbidden(&workspace("provost-cli", "provost-testkit", None)).len(), 1);
        assert_eq!(forbidden(&workspace("provost-web", "provost-testkit", Some("dev"))).len(), 1);
    }

    #[test]
    fn sql_is_forbidden_beside_the_phones_and_browsers() {
        for package in ["web", "net", "outbound"] {
            let found = forbidden(&workspace(&format!("provost-{package}"), "sqlx", None));

            assert!(found[0].starts_with(&format!("{package} -> sqlx: ")), "{found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_row_is_named() {
        let found = forbidden(&workspace("provost-extra", "serde", None));

        assert!(found[0].starts_with("extra: this crate has no row in the table"), "{found:?}");
    }

    #[test]
    fn a_task_runtime_behind_another_crate_is_found_with_the_road_to_it() {
        let kinds = json!([{"kind": null}]);
        let metadata = json!({
            "packages": [
                {"id": "c", "name": "provost-core", "dependencies": []},
                {"id": "x", "name": "between", "dependencies": []},
                {"id": "t", "name": "tokio", "dependencies": []},
            ],
            "workspace_members": ["c"],
            "resolve": {"nodes": [
                {"id": "c", "deps": [{"pkg": "x", "dep_kinds": kinds}]},
                {"id": "x", "deps": [{"pkg": "t", "dep_kinds": kinds}]},
                {"id": "t", "deps": []},
            ]},
        });

        assert_eq!(forbidden(&metadata), ["core -> between -> tokio: rules stay without sockets, SQL and tasks"]);
    }

    #[test]
    fn what_only_the_tests_of_a_pure_crate_need_is_no_road() {
        let metadata = json!({
            "packages": [
                {"id": "c", "name": "provost-core", "dependencies": []},
                {"id": "t", "name": "tokio", "dependencies": []},
            ],
            "workspace_members": ["c"],
            "resolve": {"nodes": [{"id": "c", "deps": [{"pkg": "t", "dep_kinds": [{"kind": "dev"}]}]}]},
        });

        assert_eq!(forbidden(&metadata), Vec::<String>::new());
    }
}
