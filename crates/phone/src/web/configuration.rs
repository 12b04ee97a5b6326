//! Settings as a file, out of the phone and into it.
//!
//! Decides what is in which file and what of a file is taken. Secrets never leave the phone.
//! Rules: domain notes 7.1; of a file that comes in, device parameters count with their marks, as in every file, or
//! when the file is an export of them.

use crate::handset::View;
use crate::settings::{self, Values};
use crate::web::answer::Answer;
use crate::web::form;
use crate::web::site::Visit;
use crate::web::submit::{self, Done};
use crate::xml;

/// The element of everything at once.
const ALL: &str = "ALL";
/// The element of the device parameters.
const DEVICE: &str = "DEVICE_SETTINGS";

/// Where a value in force comes from, in the words of REST; nothing when it is the phone's own default.
pub(crate) fn source(view: &View, name: &str) -> Option<&'static str> {
    if view.device.contains_key(name) {
        Some("device")
    } else if view.phone_overrides.contains_key(name) {
        Some("local")
    } else if view.web_overrides.contains_key(name) {
        Some("web")
    } else {
        view.values.contains_key(name).then_some("config")
    }
}

/// The values that one element of an export holds; `None` for an element no phone knows.
fn part(view: &View, element: &str) -> Option<Values> {
    let from = |wanted: &str| {
        let names = view.values.iter().filter(|(name, _)| source(view, name) == Some(wanted));
        names.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    match element {
        ALL => Some(view.values.clone()),
        "CONFIG_FILES" => Some(from("config")),
        "WEB" => Some(view.web_overrides.clone()),
        "PHONE_LOCAL" => Some(view.phone_overrides.clone()),
        DEVICE => Some(view.device.clone()),
        _ => None,
    }
}

fn element(visit: &Visit<'_>, name: &str, values: &Values) -> String {
    let shown = values.iter().filter(|(name, _)| !visit.is_secret(name) && settings::is_parameter_name(name));
    let attributes: String =
        shown.map(|(name, value)| format!("\n    {name}=\"{}\"", settings::escape(value))).collect();
    format!("  <{name}{attributes}/>\n")
}

/// What stands above every export.
fn head(view: &View) -> String {
    let application = &view.versions.application;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<!-- Application SIP {application} -->\n<!-- Created {} -->\n",
        view.time
    )
}

/// One part of the settings, as `source=N` asks for it.
pub(crate) fn export(visit: &Visit<'_>) -> Answer {
    let query = visit.asked.query();
    let asked: Option<i64> = query.get("source").and_then(|number| number.parse().ok());
    let sources = &visit.site.web.export_sources.value;
    let found = sources.iter().find(|(_, number)| Some(**number) == asked).map(|(name, _)| name.as_str());
    let Some((name, values)) = found.and_then(|name| Some((name, part(&visit.view, name)?))) else {
        return Answer::text(404, "there is no such part of the configuration");
    };
    let file = format!("{}<PHONE_CONFIG>\n{}</PHONE_CONFIG>\n", head(&visit.view), element(visit, name, &values));
    Answer::xml(file).with("content-disposition", format!("attachment; filename=\"{}-{name}.cfg\"", visit.view.mac))
}

/// All parts of the settings beside each other.
pub(crate) fn backup(visit: &Visit<'_>) -> Answer {
    let names = visit.site.web.export_sources.value.keys().filter(|name| *name != ALL);
    let parts: String = names.filter_map(|name| Some(element(visit, name, &part(&visit.view, name)?))).collect();
    Answer::xml(format!("{}<PHONE_BACKUP>\n{parts}</PHONE_BACKUP>\n", head(&visit.view)))
}

/// Takes a file of settings in.
pub(crate) async fn import(visit: &Visit<'_>) -> Done {
    let body = visit.asked.body();
    let file = form::uploaded(body).unwrap_or(body);
    match read(visit, file) {
        Err(why) => Done::refused(format!("The file is not taken: {why}.")),
        Ok(values) => submit::set(visit, values).await,
    }
}

fn read(visit: &Visit<'_>, file: &[u8]) -> Result<Values, xml::XmlError> {
    let rules = visit.site.catalog.phone_rules();
    let (prefix, suffix) = (&rules.device_prefix.value, &rules.set_suffix.value);
    let elements = xml::elements(file)?;
    let is_export = elements.iter().any(|element| element.name == DEVICE || element.name == ALL);
    let all = settings::parameters(file)?;
    let marked = |name: &str| all.get(name).is_some_and(|mark| *mark == rules.set_value.value);
    let all_marked = marked(&rules.set_all.value);
    let counts = |name: &str| {
        !name.starts_with(prefix)
            || !name.ends_with(suffix) && (is_export || all_marked && marked(&format!("{name}{suffix}")))
    };
    let current = &visit.view.values;
    let taken = all.iter().filter(|(name, value)| counts(name) && current.get(*name) != Some(value));
    Ok(taken.map(|(name, value)| (name.clone(), value.clone())).collect())
}
