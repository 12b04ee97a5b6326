use super::*;
use std::collections::BTreeSet;

fn document() -> Value {
    crate::api::openapi()
}

/// Every `$ref` in it.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_endpoint_is_described_once_with_an_id_of_its_own() {
    let document = document();
    let mut ids = BTreeSet::new();
    for endpoint in crate::api::endpoints() {
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][endpoint.path][&method];
        assert_eq!(operation["summary"], endpoint.summary, "{endpoint:?}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{endpoint:?}");
        let good = operation["responses"].as_object().unwrap().keys().filter(|status| status.starts_with('2'));
        // An upload answers 201, or 200 where all of it was there.
        let expected = if endpoint.path == "/firmware/images" && method == "post" { 2 } else { 1 };
        assert_eq!(good.count(), expected, "{endpoint:?}");
    }
    let described: usize =
        document["paths"].as_object().unwrap().values().map(|at| at.as_object().unwrap().len()).sum();
    assert_eq!(described, ids.len());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    assert!(found.len() > 40, "{}", found.len());
}

#[test]
fn a_name_means_the_same_shape_in_requests_and_answers() {
    let description = crate::api::routes().description;
    let Schemas { mut read, mut written } = description.schemas;
    let (read, written) = (read.take_definitions(true), written.take_definitions(true));
    for (name, shape) in &read {
        assert!(written.get(name).is_none_or(|other| other == shape), "{name}");
    }
}

#[test]
fn what_can_be_compared_is_offered_to_be() {
    let all = crate::api::endpoints();
    let read = |method: Method, path: &str| {
        let endpoint = all.iter().find(|one| one.method == method && one.path == path).unwrap();
        readable(endpoint, &all)
    };
    assert_eq!(read(Method::PATCH, "/users/{id}"), Some("/users/{id}"));
    assert_eq!(read(Method::POST, "/devices/{id}/swap"), Some("/devices/{id}"));
    assert_eq!(read(Method::PUT, "/sites/{id}/emergency-route"), Some("/sites/{id}"));
    assert_eq!(read(Method::POST, "/users"), None);
}
