//! Parameters over REST.
//!
//! Decides how many at once, and that secrets are never told. Rules: domain notes 7.2; the most at once is what tools
//! keep to, the words for where a value comes from are those of the phone's own exports.

use serde_json::{Map, Value, json};

use crate::handset::Order;
use crate::settings::{self, Values};
use crate::setup::ChangedIn;
use crate::web::configuration::source;
use crate::web::rest::Status;
use crate::web::site::Visit;

/// Parameters in one request.
const PARAMETERS: usize = 20;

pub(crate) fn get(visit: &Visit<'_>, data: &Value) -> Result<Value, Status> {
    let names = data.as_array().filter(|names| !names.is_empty()).ok_or(Status::InvalidInput)?;
    if names.len() > PARAMETERS {
        return Err(Status::TooMuch);
    }
    let mut told = Map::new();
    for name in names {
        let name = name.as_str().filter(|name| settings::is_parameter_name(name)).ok_or(Status::InvalidInput)?;
        let value = if visit.is_secret(name) { "" } else { visit.value(name).unwrap_or_default() };
        let source = source(&visit.view, name).unwrap_or("default");
        told.insert(name.to_owned(), json!({ "Value": value, "Source": source }));
    }
    Ok(Value::Object(told))
}

pub(crate) fn set(visit: &Visit<'_>, data: &Value) -> Result<Order, Status> {
    let pairs = data.as_object().filter(|pairs| !pairs.is_empty()).ok_or(Status::InvalidInput)?;
    if pairs.len() > PARAMETERS {
        return Err(Status::TooMuch);
    }
    let values: Option<Values> = pairs.iter().map(|(name, value)| Some((name.clone(), written(value)?))).collect();
    let values = values.filter(|values| values.keys().all(|name| settings::is_parameter_name(name)));
    let values = values.ok_or(Status::InvalidInput)?;
    if visit.brings_default_back(&values) {
        return Err(Status::NotAllowed);
    }
    // That REST changes become overrides of the web is concluded: there is no third kind of override.
    Ok(Order::Set { values, place: ChangedIn::WebPages })
}

/// A value as configurations write it; one line of text.
fn written(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => if *yes { "1" } else { "0" }.to_owned(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.chars().any(char::is_control))
}

/// Everything in force but the secrets; the shape is ours.
pub(crate) fn running(visit: &Visit<'_>) -> Value {
    let shown = visit.view.values.iter().filter(|(name, _)| !visit.is_secret(name));
    Value::Object(shown.map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect())
}
