//! What happens when a form is sent.
//!
//! Decides which order a form becomes and what is said back; the phone decides whether it obeys.
//! Rules: domain notes 7.1. The words `CONF_CHANGE` and `CONF_NO_CHANGE` are the phones'; those of failures are ours.

use crate::handset::{Order, OrderRefused, ResetScope};
use crate::settings::Values;
use crate::setup::ChangedIn;
use crate::web::answer::Answer;
use crate::web::form::{self, Form};
use crate::web::site::Visit;
use crate::web::{configuration, fields, pages, software};

/// Where the form for another administrator password goes.
pub(crate) const CHANGE_PASSWORD: &str = "/form-submit/Settings/ChangePassword";
const CHANGED: &str = "CONF_CHANGE";
const NOT_CHANGED: &str = "CONF_NO_CHANGE";
const NOT_DONE: &str = "CONF_ERROR";

/// The field by which our own forms say that a person is to read the answer, and where that person came from.
pub(crate) const PAGE: &str = "page";

/// How a form ended.
pub(crate) struct Done {
    /// The word tools look for.
    word: &'static str,
    /// What a person reads.
    text: String,
    status: u16,
}

impl Done {
    pub(crate) fn changed(text: impl Into<String>) -> Self {
        Self { word: CHANGED, text: text.into(), status: 200 }
    }

    pub(crate) fn unchanged(text: impl Into<String>) -> Self {
        Self { word: NOT_CHANGED, text: text.into(), status: 200 }
    }

    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { word: NOT_DONE, text: text.into(), status: 400 }
    }

    fn forbidden() -> Self {
        Self { word: NOT_DONE, text: "Only the administrator may do this.".to_owned(), status: 403 }
    }

    /// What an order came to.
    pub(crate) fn of(obeyed: Result<(), OrderRefused>, text: &str) -> Self {
        match obeyed {
            Ok(()) => Self::changed(text),
            Err(refused) => Self { word: NOT_DONE, text: sentence(&refused.to_string()), status: 409 },
        }
    }
}

/// Answers a form.
pub(crate) async fn answer(visit: &Visit<'_>) -> Answer {
    let form = match visit.asked.content_type().as_str() {
        "multipart/form-data" => Form::default(),
        _ => visit.asked.form(),
    };
    let page = match form.get(PAGE) {
        Some(page) => Some(page.to_owned()),
        None => form::uploaded_field(visit.asked.body(), PAGE),
    };
    let path = visit.asked.path();
    let done = match path {
        "/form-submit" => save(visit, &form).await,
        _ if !visit.is_administrator() => Done::forbidden(),
        CHANGE_PASSWORD => change_password(visit, &form).await,
        _ => match other(visit, path, &form).await {
            Some(done) => done,
            None => return Answer::not_found(),
        },
    };
    match page {
        Some(back) => pages::done(visit, (&done.text, &back), done.word, done.status),
        None => Answer::text(done.status, format!("{}\n{}\n", done.word, done.text)),
    }
}

async fn other(visit: &Visit<'_>, path: &str, form: &Form) -> Option<Done> {
    let (order, text) = match path {
        "/form-submit/Reboot" => (Order::Reboot, "The phone reboots."),
        "/form-submit/Restart" => (Order::Restart, "The phone restarts."),
        "/form-submit/Utilities/restorePhoneToFactory" => {
            (Order::ResetToFactory, "The phone is reset to what the factory put in, and reboots.")
        }
        "/form-submit/resetToDefault" => {
            (Order::Reset(ResetScope::Web), "What was set in these pages is forgotten, and the phone reboots.")
        }
        "/form-submit/Utilities/configuration/importFile" => return Some(configuration::import(visit).await),
        "/form-submit/Utilities/softwareUpgrade/updateCustomServer" => {
            return Some(software::set_server(visit, form.get("CUSTOM_SERVER")).await);
        }
        "/form-submit/Utilities/softwareUpgrade/upgrade" => {
            return Some(software::upgrade(visit, form.get("URLPath")).await);
        }
        _ => return None,
    };
    Some(Done::of(visit.site.handset.order(order).await, text))
}

async fn save(visit: &Visit<'_>, form: &Form) -> Done {
    let mut values = Values::new();
    for numbered in fields::of(visit).filter(|numbered| !fields::is_hidden(visit, numbered.field)) {
        let Some(value) = form.get(&numbered.number.to_string()) else { continue };
        if fields::keeps(visit, numbered.field, value) {
            continue;
        }
        if let Some(why) = fields::refusal(numbered.field, value) {
            return Done::refused(why);
        }
        values.insert(numbered.field.parameter.clone(), value.to_owned());
    }
    set(visit, values).await
}

/// Sets `values` as a person does in the pages.
pub(crate) async fn set(visit: &Visit<'_>, values: Values) -> Done {
    if values.is_empty() {
        return Done::unchanged("Nothing is changed.");
    }
    if visit.brings_default_back(&values) {
        return Done::refused("The default password cannot be used again.");
    }
    let prefixes = &visit.site.catalog.phone_rules().restart_prefixes.value;
    let restarts = values.keys().any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
    let order = Order::Set { values, place: ChangedIn::WebPages };
    let text = if restarts { "Saved. The phone restarts with the new settings." } else { "Saved." };
    Done::of(visit.site.handset.order(order).await, text)
}

async fn change_password(visit: &Visit<'_>, form: &Form) -> Done {
    let field = |name| form.get(name).unwrap_or_default().to_owned();
    let (old, new, again) = (field("oldadminpswd"), field("newadminpswd"), field("cnfmadminpswd"));
    if new != again {
        return Done::refused("The new password and its confirmation differ.");
    }
    if new.is_empty() || new.chars().any(char::is_control) {
        return Done::refused("The new password is empty, or cannot be typed.");
    }
    if visit.generation.new_password && new == visit.view.factory_password.reveal() {
        return Done::refused("The default password cannot be used again.");
    }
    let order = Order::ChangeAdminPassword { old, new };
    Done::of(visit.site.handset.order(order).await, "The administrator password is changed.")
}

/// The reason as a sentence of its own.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
