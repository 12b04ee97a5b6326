//! The form of a policy: where it may hold for whoever fills it in, and what becomes of what was typed.

use super::policies::{policies_page, sees_accounts};
use crate::console::Console;
use crate::console::answer::{Trouble, to};
use crate::console::gate::Posted;
use crate::console::parts::Choice;
use crate::console::sessions::Notice;
use crate::console::typed::Typed;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, Page, PolicyView};
use provost_core::entry::firmware::PolicyInput;
use provost_core::ids::{AccountId, SiteId};
use provost_core::rights::Right;
use std::sync::Arc;

/// Entries one still looks through.
const MOST: u32 = 60;
const ACCOUNT: &str = "account:";
const SITE: &str = "site:";
/// The widest reach has a word of its own: a field that was left empty must never mean it.
const SERVER: &str = "server";

/// Where a policy may hold; without choices for whoever may make none.
#[derive(Default)]
pub(super) struct Places {
    pub(super) choices: Vec<Choice>,
    /// Whether there may be accounts or sites that are not among them.
    pub(super) is_cut: bool,
}

/// The places of whoever looks, with the chosen one wherever it stands.
pub(super) async fn places(app: &App, chosen: &str, by: &Actor) -> Result<Places, AppError> {
    if !by.role.may(Right::Change) {
        return Ok(Places::default());
    }
    let mut found = vec![(String::new(), "Choose\u{2026}".to_owned())];
    if by.may_platform(Right::Platform).is_ok() {
        found.push((SERVER.to_owned(), "Every phone of this server".to_owned()));
    }
    let page = Page { limit: MOST, ..Page::FIRST };
    let is_full = |count: usize| u32::try_from(count).is_ok_and(|count| count >= MOST);
    let mut is_cut = false;
    if sees_accounts(by) {
        let accounts = app.accounts(page, by).await?;
        is_cut = is_full(accounts.len());
        found.extend(accounts.into_iter().map(|account| (format!("{ACCOUNT}{}", account.id), all_of(&account.name))));
    }
    let sites = app.sites(page, by).await?;
    is_cut |= is_full(sites.len());
    found.extend(sites.into_iter().map(|site| (format!("{SITE}{}", site.id), format!("Site {}", site.name))));
    if !found.iter().any(|(value, _)| value == chosen) {
        found.extend(far_place(app, chosen, by).await);
    }
    let choice = |(value, label): (String, String)| Choice { chosen: value == chosen, value, label };
    Ok(Places { choices: found.into_iter().map(choice).collect(), is_cut })
}

fn all_of(account: &str) -> String {
    format!("All of {account}")
}

/// A place that stands further down the lists than they go.
async fn far_place(app: &App, chosen: &str, by: &Actor) -> Option<(String, String)> {
    if let Some(id) = chosen.strip_prefix(ACCOUNT) {
        let account = app.account(&id.parse::<AccountId>().ok()?, by).await.ok()?;
        return Some((chosen.to_owned(), all_of(&account.name)));
    }
    let id = chosen.strip_prefix(SITE)?;
    let site = app.site(&id.parse::<SiteId>().ok()?, by).await.ok()?;
    Some((chosen.to_owned(), format!("Site {}", site.name)))
}

/// The form of a policy that is to be made, for a place that was named already or for one to be chosen.
pub(super) fn blank(place: &str) -> Typed {
    Typed::default().with("goal", "newest").with("place", place)
}

/// The place of a policy as the form names it.
fn place_of(view: &PolicyView) -> String {
    match (&view.site, &view.account) {
        (Some(site), _) => format!("{SITE}{site}"),
        (None, Some(account)) => format!("{ACCOUNT}{account}"),
        (None, None) => SERVER.to_owned(),
    }
}

/// The form of a policy that is there.
pub(super) fn filled(view: &PolicyView) -> Typed {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let is_word = matches!(view.target.as_str(), "newest" | "keep");
    Typed::default()
        .with("change", &view.id)
        .with("place", place_of(view))
        .with("model", view.model.as_deref().unwrap_or_default())
        .with("ring", view.ring.as_deref().unwrap_or_default())
        .with("goal", if is_word { view.target.as_str() } else { "version" })
        .with("target", if is_word { "" } else { view.target.as_str() })
        .with("window", &view.window)
        .with("slots", view.slots.to_string())
        .with("after-ring", view.after_ring.as_deref().unwrap_or_default())
        .with("hours", number(view.hours))
        .with("most-failures", number(view.most_failures))
        .with("reason", &view.reason)
}

fn input(typed: &mut Typed) -> PolicyInput {
    let place = typed.text("place").to_owned();
    let target = match typed.text("goal") {
        "version" => typed.text("target").to_owned(),
        other => other.to_owned(),
    };
    PolicyInput {
        account: place.strip_prefix(ACCOUNT).map(str::to_owned),
        site: place.strip_prefix(SITE).map(str::to_owned),
        model: typed.given("model"),
        ring: typed.given("ring"),
        target,
        window: typed.given("window"),
        slots: typed.number("slots"),
        after_ring: typed.given("after-ring"),
        hours: typed.number("hours"),
        most_failures: typed.number("most-failures"),
        reason: typed.text("reason").to_owned(),
    }
}

/// Says beside the field what is wrong with the place.
fn check_place(typed: &mut Typed) {
    let place = typed.text("place").to_owned();
    let is_place = place == SERVER
        || place.strip_prefix(ACCOUNT).is_some_and(|id| id.parse::<AccountId>().is_ok())
        || place.strip_prefix(SITE).is_some_and(|id| id.parse::<SiteId>().is_ok());
    if place.is_empty() {
        typed.fault("place", "is not chosen; say which phones the policy is for");
    } else if !is_place {
        typed.fault("place", "is no place; choose one of the list");
    }
}

/// A policy that is changed stays that of the same phones: for others it would be a second one.
fn check_change(typed: &mut Typed, policies: &[PolicyView]) {
    let Some(id) = typed.given("change") else { return };
    let Some(view) = policies.iter().find(|view| view.id == id) else {
        *typed = std::mem::take(typed).with("change", "");
        let gone = "The policy you were changing was removed meanwhile. Nothing was changed; what you typed would make a new one.";
        typed.problems.push(gone.to_owned());
        return;
    };
    let is_same =
        typed.text("place") == place_of(view) && typed.given("model") == view.model && typed.given("ring") == view.ring;
    if !is_same {
        let other =
            "A policy keeps its place, model and ring. Nothing was changed; for other phones add another policy.";
        typed.problems.push(other.to_owned());
        // The form shows the policy's own again.
        let (model, ring) = (view.model.as_deref().unwrap_or_default(), view.ring.as_deref().unwrap_or_default());
        *typed = std::mem::take(typed).with("place", place_of(view)).with("model", model).with("ring", ring);
    }
}

/// `POST /firmware/policies`.
pub(super) async fn set(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let mut typed = Typed::of(&posted);
    let input = input(&mut typed);
    let by = posted.by.actor();
    by.has(Right::Change)?;
    check_place(&mut typed);
    if !typed.text("change").is_empty() {
        check_change(&mut typed, &console.app.firmware_policies(by).await?);
    }
    if !typed.has_errors() {
        match console.app.set_firmware_policy(input, by).await {
            Ok(view) => {
                let reach = super::policies::reach(&console.app, &view, by).await?;
                posted.by.leave_notice(Notice::good(format!("The policy counts from now on. It reaches: {reach}.")));
                return Ok(to("/firmware/policies"));
            }
            Err(AppError::NotFound { .. }) => {
                typed.fault("place", "is not there any more; choose another");
            }
            Err(error) => typed = typed.refused(error)?,
        }
    }
    policies_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
}
