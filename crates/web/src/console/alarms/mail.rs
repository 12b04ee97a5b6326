//! Who gets alarms by mail: a form for an account, or for the whole server.

use super::alarms_page;
use crate::console::Console;
use crate::console::answer::{Trouble, to};
use crate::console::gate::{Posted, SignedIn};
use crate::console::parts::{Choice, Field};
use crate::console::sessions::Notice;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, AppError, Page};
use provost_core::entry::FieldErrors;
use provost_core::entry::mail::AlarmMailInput;
use provost_core::ids::AccountId;
use provost_core::rights::{Right, Scope};
use std::sync::Arc;

/// Accounts to choose from; the addresses of others are set by the API.
const ACCOUNTS: u32 = 200;

/// Who is written to about the alarms of an account, or of the whole server.
pub(super) struct MailForm {
    /// Whose they are: an account's id, or empty for the whole server.
    pub(super) owner: String,
    /// The same in words.
    pub(super) whose: String,
    /// Those whose addresses could be shown.
    pub(super) owners: Vec<Choice>,
    /// One address a line.
    pub(super) addresses: Field,
    /// How many there are.
    pub(super) count: usize,
    /// Whether mail can be sent at all.
    pub(super) has_server: bool,
    /// Whether whoever looks may change them.
    pub(super) may_change: bool,
}

impl MailForm {
    /// Lines of the field: as many as there are addresses, and one more.
    pub(super) fn lines(&self) -> usize {
        self.count.saturating_add(1).clamp(3, 11)
    }
}

/// The form for an account, or for the first there is; `None` for who has no account to set it for.
pub(super) async fn form(app: &App, by: &SignedIn, account: &str) -> Result<Option<MailForm>, Trouble> {
    let actor = by.actor();
    let is_everywhere = actor.scope == Scope::Platform;
    if matches!(actor.scope, Scope::Site { .. }) {
        return Ok(None);
    }
    let accounts = app.accounts(Page { after: "", limit: ACCOUNTS }, actor).await?;
    let first = if is_everywhere { None } else { accounts.first().map(|account| account.id.as_str()) };
    let owner = if account.is_empty() { first.unwrap_or_default() } else { account }.to_owned();
    if owner.is_empty() && !is_everywhere {
        return Ok(None);
    }
    let view = app.alarm_mail(owner_id(&owner)?.as_ref(), actor).await?;
    let choice = |value: &str, label: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == owner.as_str(),
    };
    let everything = is_everywhere.then(|| choice("", "the whole server"));
    let owners: Vec<_> =
        everything.into_iter().chain(accounts.iter().map(|account| choice(&account.id, &account.name))).collect();
    let whose = owners.iter().find(|choice| choice.chosen).map_or("an account", |choice| choice.label.as_str());
    let changes = if owner.is_empty() { Right::Platform } else { Right::Change };
    Ok(Some(MailForm {
        whose: whose.to_owned(),
        may_change: actor.role.may(changes),
        has_server: view.mail_server,
        count: view.addresses.len(),
        addresses: Field::typed(&view.addresses.join("\n")),
        owners,
        owner,
    }))
}

fn owner_id(text: &str) -> Result<Option<AccountId>, Trouble> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Trouble::NotHere)
}

/// `POST /alarms/mail`.
pub(super) async fn set(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, &posted.by);
    let (owner, typed) = (posted.text("account"), posted.text("addresses"));
    let words = typed.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let input = AlarmMailInput { addresses: words.map(str::to_owned).collect() };
    match app.set_alarm_mail(owner_id(owner)?.as_ref(), input, by.actor()).await {
        Ok(view) => {
            by.leave_notice(Notice::good(told(&view.addresses)));
            Ok(to(&if owner.is_empty() { "/alarms".to_owned() } else { format!("/alarms?account={owner}") }))
        }
        Err(AppError::Fields(FieldErrors(errors))) => {
            let mut form = form(app, by, owner).await?;
            if let Some(form) = &mut form {
                let wrong: Vec<_> = errors.into_iter().map(|error| error.message).collect();
                form.addresses = Field { typed: typed.to_owned(), error: Some(wrong.join("; ")), is_first: true };
            }
            alarms_page(&console, by, (StatusCode::UNPROCESSABLE_ENTITY, ""), form).await
        }
        Err(error) => Err(error.into()),
    }
}

fn told(addresses: &[String]) -> String {
    match addresses {
        [] => "Nobody is written to about these alarms any more.".to_owned(),
        some => format!("From now on {} will get a mail when an alarm begins.", some.join(", ")),
    }
}
