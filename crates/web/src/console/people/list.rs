//! The users, found by how a name or extension begins, and the welcome mail for many.

use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::device::Standing;
use crate::console::gate::{Posted, SignedIn};
use crate::console::mail::mark;
use crate::console::parts::{Choice, Frame};
use crate::console::places::site_choices;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use provost_app::{Actor, App, AppError, ListedUserView, Page, SiteView, UserView, WelcomesInput};
use provost_core::ids::{SiteId, UserId};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "users.html", whitespace = "minimize")]
struct UsersPage {
    frame: Frame,
    typed: String,
    site: Option<SiteView>,
    sites: Vec<Choice>,
    people: Vec<Line>,
    count: String,
    /// Where the next page begins, and the address of the first.
    next: Option<String>,
    first: Option<String>,
    has_mail_server: bool,
    has_any: bool,
}

/// A user in the list.
struct Line {
    view: ListedUserView,
    mail: Option<Standing>,
}

#[derive(Template)]
#[template(path = "users_welcomed.html", whitespace = "minimize")]
struct WelcomedPage {
    frame: Frame,
    summary: String,
    verdicts: Vec<Verdict>,
    /// The site of which more are to be welcomed, and the user to go on after.
    more: Option<(String, String)>,
    without_device: bool,
}

/// What became of one user's welcome mail.
struct Verdict {
    id: String,
    name: String,
    is_queued: bool,
    message: String,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    after: String,
}

const SHOWN: u32 = 50;

/// `GET /users`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let app = &console.app;
    let id = Some(asked.site.as_str()).filter(|site| !site.is_empty());
    let id: Option<SiteId> = id.map(|site| site.parse().map_err(|_| Trouble::NotHere)).transpose()?;
    let site = match &id {
        Some(id) => Some(app.site(id, by.actor()).await?),
        None => None,
    };
    let page_of = Page { after: &asked.after, limit: SHOWN };
    let found = app.find_users((id.as_ref(), &asked.q), page_of, by.actor()).await?;
    let (count, is_more) = app.count_users(id.as_ref(), by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= SHOWN);
    let next = found.last().filter(|_| is_full).map(|last| address(&asked, &last.id));
    let shown = UsersPage {
        frame: Frame::signed_in("Users", &by).at("users"),
        sites: site_choices(app, by.actor(), (&asked.site, Some("All sites"))).await?,
        people: found.into_iter().map(Line::new).collect(),
        count: if is_more { format!("more than {count}") } else { count.to_string() },
        next,
        first: (!asked.after.is_empty()).then(|| address(&asked, "")),
        has_mail_server: app.has_mail_server(),
        has_any: count > 0,
        typed: asked.q,
        site,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The address of the list that continues after this user.
fn address(asked: &Asked, after: &str) -> String {
    let word = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    format!("/users?q={}&site={}&after={}", word(&asked.q), word(&asked.site), word(after))
}

impl Line {
    fn new(view: ListedUserView) -> Self {
        Self { mail: view.welcome.map(mark), view }
    }
}

/// `POST /users/welcome`: those who are ticked, or everybody at a site who has none yet.
pub(super) async fn welcome(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let without_device = posted.text("without-device") == "yes";
    let site = posted.given("everybody-at");
    let input = WelcomesInput {
        users: if site.is_some() { Vec::new() } else { posted.every("user") },
        not_yet_sent: site.is_some(),
        after: posted.given("after"),
        site: site.clone(),
        without_device,
        ..WelcomesInput::default()
    };
    let (summary, verdicts, next) = match console.app.send_welcomes(input, posted.by.actor()).await {
        Ok(done) => {
            let verdicts = verdicts(&console.app, posted.by.actor(), done.items).await?;
            (done.summary, verdicts, done.next)
        }
        Err(AppError::Fields(_)) => {
            ("Nobody was chosen. Tick the users in the list, then send it.".to_owned(), Vec::new(), None)
        }
        Err(error) => return Err(error.into()),
    };
    let shown = WelcomedPage {
        frame: Frame::signed_in("Welcome mail", &posted.by).at("users"),
        summary,
        verdicts,
        more: site.zip(next),
        without_device,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The verdicts with names, those who get none first.
async fn verdicts(
    app: &App,
    by: &Actor,
    items: Vec<provost_app::WelcomeVerdictView>,
) -> Result<Vec<Verdict>, AppError> {
    let mut verdicts = Vec::with_capacity(items.len());
    for item in items {
        let user: Option<UserView> = match item.user.parse::<UserId>() {
            Ok(id) => app.user(&id, by).await.ok(),
            Err(_) => None,
        };
        let (name, id) = user.map_or_else(|| (item.user, String::new()), |user| (user.name, user.id));
        let is_queued = item.mail.is_some();
        verdicts.push(Verdict { id, name, is_queued, message: item.message });
    }
    verdicts.sort_by_key(|verdict| verdict.is_queued);
    Ok(verdicts)
}
