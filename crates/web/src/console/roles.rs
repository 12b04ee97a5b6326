//! Roles: who may what, how far it reaches, and who has which role here.

use super::Console;
use super::administrators::places;
use super::answer::{Trouble, page};
use super::gate::SignedIn;
use super::parts::Frame;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AdministratorView, Page};
use provost_core::rights::{Right, Role, Scope};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "roles.html", whitespace = "minimize")]
struct RolesPage {
    frame: Frame,
    /// The role of whoever looks, and how far it reaches, in words.
    own: (&'static str, String),
    roles: [OneRole; 5],
    rights: Vec<OneRight>,
    /// Whether there are more people than are shown.
    has_more: bool,
}

struct OneRole {
    name: &'static str,
    summary: &'static str,
    people: Vec<AdministratorView>,
}

/// What may be done, and by whom, in the order of the roles.
struct OneRight {
    words: &'static str,
    holders: [(&'static str, bool); 5],
}

/// More than anybody reads; the page of the administrators has them all.
const SHOWN: u32 = 200;

/// `GET /roles`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    let people = match by.actor().has(Right::Tokens) {
        Ok(()) => console.app.administrators(Page { after: "", limit: SHOWN }, by.actor()).await?,
        Err(_) => Vec::new(),
    };
    let has_more = u32::try_from(people.len()).is_ok_and(|count| count >= SHOWN);
    let (_, names) = places(&console, &by, "").await?;
    let name_of = |id: &str| names.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let reach = match &by.actor().scope {
        Scope::Platform => "the whole server".to_owned(),
        Scope::Account(account) => format!("{} and all accounts below it", name_of(account.as_str())),
        Scope::Site { site, .. } => format!("the site {}", name_of(site.as_str())),
    };
    let role = |role: Role| OneRole {
        name: role.as_str(),
        summary: summary(role),
        people: people.iter().filter(|person| person.role == role.as_str()).cloned().collect(),
    };
    let right =
        |right: Right| OneRight { words: deed(right), holders: Role::ALL.map(|role| (role.as_str(), role.may(right))) };
    let template = RolesPage {
        frame: Frame::signed_in("Roles", &by).at("roles"),
        own: (by.actor().role.as_str(), reach),
        roles: Role::ALL.map(role),
        rights: Right::ALL.into_iter().map(right).collect(),
        has_more,
    };
    Ok(page(StatusCode::OK, &template))
}

/// Whom a role is for.
const fn summary(role: Role) -> &'static str {
    match role {
        Role::Owner => "Runs the server: everything there is",
        Role::Administrator => "Looks after phones and people: everything but what is of the whole server",
        Role::Support => "Helps people on the telephone: sees all but secrets, reads the audit log, changes nothing",
        Role::Installer => "Stands before the phones: activates them and swaps dead ones, sees no code and no password",
        Role::ReadOnly => "Looks: sees what there is, and no secret",
    }
}

/// What a right lets somebody do.
const fn deed(right: Right) -> &'static str {
    match right {
        Right::Read => "See accounts, people, devices, phones and alarms",
        Right::Change => "Add and change them",
        Right::Activate => "Activate a phone, put another in the place of a dead one",
        Right::Secrets => "See and make activation codes and passwords",
        Right::Tokens => "Manage tokens and administrators",
        Right::Platform => "Change what is of the whole server: blocked certificates, plain-HTTP bootstrap, backups",
        Right::Audit => "Read the audit log",
    }
}
