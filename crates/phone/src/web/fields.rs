//! The numbered fields of the settings pages.
//!
//! Decides which number a field has on this firmware and what it takes; never what a change brings about.
//! Phones name fields by numbers that differ by firmware (domain notes 7.1), so tools read the number from the page.

use provost_catalog::{WebField, WebFieldKind, WebPage};

use crate::web::access::Level;
use crate::web::site::Visit;

/// The menu whose pages a user may change too; ours.
const USERS_MENU: &str = "Preferences";

/// A field with its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered<'a> {
    pub(crate) number: u32,
    pub(crate) page: &'a WebPage,
    pub(crate) field: &'a WebField,
}

/// Every field this visit may see, in the order of the pages.
pub(crate) fn of<'a>(visit: &'a Visit<'_>) -> impl Iterator<Item = Numbered<'a>> {
    let pages = visit.site.catalog.web_pages().iter();
    let fields = pages.flat_map(|page| page.fields.iter().map(move |field| (page, field)));
    let numbers = visit.generation.first_field..;
    let all = numbers.zip(fields).map(|(number, (page, field))| Numbered { number, page, field });
    all.filter(|numbered| may_see(visit, numbered.page))
}

/// Whether this visit may see a page.
pub(crate) fn may_see(visit: &Visit<'_>, page: &WebPage) -> bool {
    match visit.level {
        Some(Level::Administrator) => true,
        Some(Level::User) => page.menu.first().is_some_and(|menu| menu == USERS_MENU),
        None => false,
    }
}

/// Whether a field is not there now: a DHCP option decides what it would say.
pub(crate) fn is_hidden(visit: &Visit<'_>, field: &WebField) -> bool {
    field.hidden_under_option && visit.option_that_decides().is_some()
}

/// What a field shows: the phone's own default when nothing is set, and a choice as the value it is sent as.
pub(crate) fn current<'a>(visit: &'a Visit<'_>, field: &'a WebField) -> &'a str {
    let default = field.default.as_deref().unwrap_or_default();
    let value = visit.value(&field.parameter).unwrap_or(default);
    match &field.kind {
        WebFieldKind::Text { .. } => value,
        WebFieldKind::Choice(choices) => {
            choices.iter().find(|choice| choice.is(value)).map_or(value, |choice| &choice.value)
        }
    }
}

/// Why a field does not take this value.
pub(crate) fn refusal(field: &WebField, value: &str) -> Option<String> {
    let label = &field.label;
    if value.chars().any(char::is_control) {
        return Some(format!("{label}: a value is one line of text"));
    }
    match &field.kind {
        WebFieldKind::Text { max_bytes, .. } if value.len() > *max_bytes => {
            Some(format!("{label}: {} bytes are more than the {max_bytes} it holds", value.len()))
        }
        WebFieldKind::Choice(choices) if !choices.iter().any(|choice| choice.value == value) => {
            Some(format!("{label}: this is none of its choices"))
        }
        WebFieldKind::Text { .. } | WebFieldKind::Choice(_) => None,
    }
}

/// Whether sending this value back unchanged changes nothing: secrets are never shown, so an empty one stays.
pub(crate) fn keeps(visit: &Visit<'_>, field: &WebField, value: &str) -> bool {
    match &field.kind {
        WebFieldKind::Text { secret: true, .. } if value.is_empty() => true,
        _ => current(visit, field) == value,
    }
}
