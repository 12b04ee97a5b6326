//! The templates of the welcome mail: which one holds for whom.

use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::{Posted, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::typed::told;
use crate::console::words::Moment;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AccountView, MailTemplateView, Page};
use provost_core::ids::AccountId;
use provost_core::rights::{Right, Role};
use std::sync::Arc;

/// The one kind of mail that has a template.
pub(super) const WELCOME: &str = "welcome";

#[derive(Template)]
#[template(path = "mail_templates.html", whitespace = "minimize")]
struct TemplatesPage {
    frame: Frame,
    owner: Owner,
    accounts: Vec<Choice>,
    templates: Vec<Line>,
}

/// A template in the list.
struct Line {
    view: MailTemplateView,
    whose: &'static str,
    changed: Option<Moment>,
    is_own: bool,
}

/// Whose templates are looked at.
pub(super) struct Owner {
    /// `None` is the whole server.
    pub(super) account: Option<AccountView>,
    /// Whether whoever looks may change them.
    pub(super) may_change: bool,
}

impl Owner {
    /// The account of this id, or the whole server for none.
    pub(super) async fn of(console: &Console, by: &SignedIn, account: &str) -> Result<Self, Trouble> {
        let role = by.actor().role;
        if account.is_empty() {
            by.actor().may_platform(Right::Read)?;
            return Ok(Self { account: None, may_change: role == Role::Owner });
        }
        let id: AccountId = account.parse().map_err(|_| Trouble::NotHere)?;
        let account = console.app.account(&id, by.actor()).await?;
        Ok(Self { account: Some(account), may_change: role.may(Right::Change) })
    }

    /// Its id, for the app crate.
    pub(super) fn id(&self) -> Option<AccountId> {
        self.account.as_ref().and_then(|account| account.id.parse().ok())
    }

    /// Its id, for an address or a form; empty for the whole server.
    pub(super) fn word(&self) -> &str {
        self.account.as_ref().map_or("", |account| account.id.as_str())
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        self.account.as_ref().map_or("the whole server", |account| account.name.as_str())
    }
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    account: String,
}

/// `GET /mail/templates`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let mut asked = asked.map(|Query(asked)| asked.account).unwrap_or_default();
    let app = &console.app;
    let frame = Frame::signed_in("Templates", &by).at("mail");
    let accounts = app.accounts(Page::FIRST, by.actor()).await?;
    if asked.is_empty() && !frame.may.sees_all {
        // Who has one account has templates of that one.
        asked = accounts.first().map(|account| account.id.clone()).unwrap_or_default();
    }
    let owner = Owner::of(&console, &by, &asked).await?;
    let now = app.now();
    let line = |view: MailTemplateView| Line {
        whose: whose(view.from, owner.account.is_some()),
        is_own: view.from == "own" || (view.from == "server" && owner.account.is_none()),
        changed: view.changed_at.as_deref().map(|at| Moment::read(at, now)),
        view,
    };
    let templates = app.mail_templates(owner.id().as_ref(), by.actor()).await?.into_iter().map(line).collect();
    let mut choices = Vec::new();
    if frame.may.sees_all {
        let label = "The whole server".to_owned();
        choices.push(Choice { value: String::new(), label, chosen: asked.is_empty() });
    }
    choices.extend(accounts.into_iter().map(|account| Choice {
        chosen: account.id == asked,
        value: account.id,
        label: account.name,
    }));
    Ok(page(StatusCode::OK, &TemplatesPage { frame, owner, accounts: choices, templates }))
}

/// Whose a template is, in words.
fn whose(from: &str, of_account: bool) -> &'static str {
    match from {
        "own" => "this account's",
        "above" => "of an account above",
        "server" if of_account => "the whole server's",
        "server" => "this server's",
        _ => "comes with Provost",
    }
}

/// `POST /mail/templates/remove`.
pub(super) async fn remove(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let owner = Owner::of(&console, &posted.by, posted.text("account")).await?;
    let language = posted.text("language");
    let id = owner.id();
    let done = console.app.remove_mail_template((id.as_ref(), WELCOME, language), posted.by.actor()).await;
    let next = format!("/mail/templates?account={}", owner.word());
    told(&posted, done.map(|_| "The template is removed; the next one that fits holds now.".to_owned()), &next)
}
