//! Administrators: who may sign in, with which role and how far it reaches.

use super::Console;
use super::answer::{Trouble, page, reference_of, to};
use super::gate::{Named, Posted, SignedIn};
use super::parts::{Choice, Field, Frame};
use super::sessions::Notice;
use super::words::Moment;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use provost_app::{AdministratorView, AppError, OneTimePassword, Page};
use provost_core::entry::administrator::{AdministratorChange, AdministratorInput};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::AdministratorId;
use provost_core::rights::Role;
use std::collections::BTreeMap;
use std::sync::Arc;

/// More than any provider has; the command line lists them all.
const SHOWN: u32 = 200;

#[derive(Template)]
#[template(path = "administrators.html", whitespace = "minimize")]
struct ListPage {
    frame: Frame,
    people: Vec<Line>,
    has_more: bool,
    form: Form,
    command: String,
}

#[derive(Template)]
#[template(path = "administrator.html", whitespace = "minimize")]
struct OnePage {
    frame: Frame,
    person: Line,
    form: Form,
    /// Whether whoever looks may change them.
    is_below: bool,
    is_self: bool,
    has_mail_address: bool,
}

#[derive(Template)]
#[template(path = "one_time_password.html", whitespace = "minimize")]
struct PasswordPage {
    frame: Frame,
    email: String,
    password: String,
    until: Moment,
}

/// An administrator as the pages say it.
struct Line {
    view: AdministratorView,
    reach: String,
    signed_in: Option<Moment>,
    created: Moment,
}

/// What is typed about an administrator.
#[derive(Default)]
struct Form {
    email: Field,
    name: Field,
    language: Field,
    role: Field,
    place: Field,
    roles: Vec<Choice>,
    places: Vec<Choice>,
    problems: Vec<String>,
    /// Who was there when the form was shown; empty in the form for a new one.
    before: String,
}

/// The word in the list of places that stands for the whole of what the actor reaches. A place that is absent is never
/// that: it stays, or is asked for.
const ALL_OF_MINE: &str = "all";

impl Form {
    fn typed(posted: &Posted) -> Self {
        let field = |name| Field::typed(posted.text(name));
        Self {
            email: field("email"),
            name: field("name"),
            language: field("language"),
            role: field("role"),
            place: field("place"),
            before: posted.text("before").to_owned(),
            ..Self::default()
        }
    }

    fn with_errors(mut self, FieldErrors(mut errors): FieldErrors) -> Self {
        self.email.take("email", &mut errors);
        self.name.take("name", &mut errors);
        self.language.take("language", &mut errors);
        self.role.take("role", &mut errors);
        self.place.take("account", &mut errors);
        self.place.take("site", &mut errors);
        self.problems.extend(errors.into_iter().map(|error| format!("{} {}", error.field, error.message)));
        self
    }

    fn has_errors(&self) -> bool {
        let fields = [&self.email, &self.name, &self.language, &self.role, &self.place];
        !self.problems.is_empty() || fields.into_iter().any(|field| field.error.is_some())
    }
}

/// The account and site of a choice: `account`, or `account/site`.
pub(super) fn place_of(text: &str) -> (Option<String>, Option<String>) {
    match text.split_once('/') {
        _ if text == ALL_OF_MINE => (None, None),
        Some((account, site)) => (Some(account.to_owned()), Some(site.to_owned())),
        None => (Some(text.to_owned()), None),
    }
}

fn place_words(view: &AdministratorView) -> String {
    match (&view.account, &view.site) {
        (Some(account), Some(site)) => format!("{account}/{site}"),
        (Some(account), None) => account.clone(),
        // Of the whole server: only who reaches that far sees them.
        (None, _) => ALL_OF_MINE.to_owned(),
    }
}

/// Who may sign in.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/administrators", get(list).post(add))
        .route("/administrators/{id}", get(show).post(change))
        .route("/administrators/{id}/disable", post(disable))
        .route("/administrators/{id}/enable", post(enable))
        .route("/administrators/{id}/remove", post(remove))
        .route("/administrators/{id}/reset-password", post(reset_password))
        .route("/administrators/{id}/end-sessions", post(end_sessions))
}

/// `GET /administrators`.
async fn list(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    list_page(&console, &by, StatusCode::OK, Form::default()).await
}

async fn list_page(console: &Console, by: &SignedIn, status: StatusCode, form: Form) -> Result<Response, Trouble> {
    let page_of = Page { after: "", limit: SHOWN.saturating_add(1) };
    let mut people = console.app.administrators(page_of, by.actor()).await?;
    let most = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let has_more = people.len() > most;
    people.truncate(most);
    let (form, names) = filled(console, by, form).await?;
    let shown = ListPage {
        frame: Frame::signed_in("Administrators", by).at("administrators"),
        people: people.into_iter().map(|view| line(console, view, &names)).collect(),
        has_more,
        form,
        command: console.app.told().command.clone(),
    };
    Ok(page(status, &shown))
}

fn line(console: &Console, view: AdministratorView, names: &BTreeMap<String, String>) -> Line {
    let now = console.app.now();
    let reach = match (&view.site, &view.account) {
        (Some(id), _) | (None, Some(id)) => names.get(id).cloned().unwrap_or_else(|| id.clone()),
        (None, None) => "the whole server".to_owned(),
    };
    let signed_in = view.last_signed_in_at.as_deref().map(|at| Moment::read(at, now));
    Line { reach, signed_in, created: Moment::read(&view.created_at, now), view }
}

/// The form with what can be chosen, and the names of accounts and sites by id.
async fn filled(console: &Console, by: &SignedIn, mut form: Form) -> Result<(Form, BTreeMap<String, String>), Trouble> {
    let own = by.actor().role;
    let chosen = if form.role.typed.is_empty() { Role::ReadOnly.as_str().to_owned() } else { form.role.typed.clone() };
    let role = |role: Role| Choice {
        value: role.as_str().to_owned(),
        label: role.as_str().to_owned(),
        chosen: role.as_str() == chosen,
    };
    form.roles = Role::ALL.into_iter().filter(|role| role.is_within(own)).map(role).collect();
    let (places, names) = places(console, by, &form.place.typed).await?;
    form.places = places;
    Ok((form, names))
}

/// Where somebody's rights may reach, to choose from, and the names of accounts and sites by id.
pub(super) async fn places(
    console: &Console,
    by: &SignedIn,
    chosen: &str,
) -> Result<(Vec<Choice>, BTreeMap<String, String>), Trouble> {
    let accounts = console.app.accounts(Page::FIRST, by.actor()).await?;
    let sites = console.app.sites(Page::FIRST, by.actor()).await?;
    let mut names = BTreeMap::new();
    let choice = |value: String, label: String| Choice { chosen: value == chosen, value, label };
    let all = match &by.actor().scope {
        provost_core::rights::Scope::Platform => "the whole server",
        provost_core::rights::Scope::Account(_) => "your whole account",
        provost_core::rights::Scope::Site { .. } => "your site",
    };
    let mut places = vec![choice(ALL_OF_MINE.to_owned(), all.to_owned())];
    if chosen.is_empty() {
        // The browser would take the first of the list, which reaches furthest.
        places.insert(0, choice(String::new(), "choose who they are for".to_owned()));
    }
    for account in &accounts {
        names.insert(account.id.clone(), account.name.clone());
        places.push(choice(account.id.clone(), account.name.clone()));
        for site in sites.iter().filter(|site| site.account == account.id) {
            let label = format!("{}, {}", account.name, site.name);
            names.insert(site.id.clone(), label.clone());
            places.push(choice(format!("{}/{}", account.id, site.id), label));
        }
    }
    if !places.iter().any(|place| place.chosen) {
        // Beyond what the list holds. It stays as it is, unless another is chosen.
        let label = format!("as it is: {chosen}");
        places.insert(0, Choice { chosen: true, value: chosen.to_owned(), label });
    }
    Ok((places, names))
}

/// `POST /administrators`.
async fn add(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    if posted.text("place").is_empty() {
        let chosen = FieldError { field: "account".to_owned(), message: "choose who they are for".to_owned() };
        let form = Form::typed(&posted).with_errors(FieldErrors(vec![chosen]));
        return list_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, form).await;
    }
    let (account, site) = place_of(posted.text("place"));
    let input = AdministratorInput {
        email: posted.text("email").to_owned(),
        name: posted.text("name").to_owned(),
        role: posted.text("role").to_owned(),
        account,
        site,
        language: posted.given("language"),
    };
    match console.app.add_administrator(input, posted.by.actor()).await {
        Ok(made) => Ok(password_page(&console, &posted.by, &made)),
        Err(error) => {
            let form = form_of(&posted, error)?;
            list_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, form).await
        }
    }
}

/// The form with what is wrong with it; anything else is a page of its own.
fn form_of(posted: &Posted, error: AppError) -> Result<Form, Trouble> {
    let form = Form::typed(posted);
    match error {
        AppError::Fields(errors) => Ok(form.with_errors(errors)),
        AppError::Conflict { .. } | AppError::NotFound { .. } | AppError::Refused { .. } => {
            Ok(Form { problems: vec![error.to_string()], ..form })
        }
        error => Err(error.into()),
    }
}

/// Shown as the answer itself and kept nowhere.
fn password_page(console: &Console, by: &SignedIn, made: &OneTimePassword) -> Response {
    let shown = PasswordPage {
        frame: Frame::signed_in("One-time password", by),
        email: made.view.email.clone(),
        password: made.password.reveal().to_owned(),
        until: Moment::at(made.until, console.app.now()),
    };
    page(StatusCode::OK, &shown)
}

/// `GET /administrators/{id}`.
async fn show(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    by: SignedIn,
) -> Result<Response, Trouble> {
    one_page(&console, &by, (&id, StatusCode::OK), None).await
}

async fn one_page(
    console: &Console,
    by: &SignedIn,
    (id, status): (&AdministratorId, StatusCode),
    form: Option<Form>,
) -> Result<Response, Trouble> {
    let view = console.app.administrator(id, by.actor()).await?;
    let form = form.unwrap_or_else(|| Form {
        email: Field::typed(&view.email),
        name: Field::typed(&view.name),
        language: Field::typed(view.language.as_deref().unwrap_or_default()),
        role: Field::typed(view.role),
        place: Field::typed(&place_words(&view)),
        before: view.fingerprint.clone(),
        ..Form::default()
    });
    let (form, names) = filled(console, by, form).await?;
    let shown = OnePage {
        frame: Frame::signed_in(&view.name, by).at("administrators"),
        is_below: Role::from_word(view.role).is_some_and(|role| role.is_within(by.actor().role)),
        is_self: by.actor().administrator.as_ref() == Some(id),
        has_mail_address: view.email.contains('@'),
        person: line(console, view, &names),
        form,
    };
    Ok(page(status, &shown))
}

/// `POST /administrators/{id}`.
async fn change(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let before = console.app.administrator(&id, posted.by.actor()).await?;
    // What the form did not change is not set anew: a place outside one's own list would otherwise be lost.
    let moved = posted.given("place").is_some_and(|place| place != place_words(&before));
    let (account, site) = place_of(posted.text("place"));
    let change = AdministratorChange {
        email: posted.given("email"),
        name: posted.given("name").filter(|name| *name != before.name || before.email.contains('@')),
        role: posted.given("role"),
        account: moved.then_some(account),
        site: moved.then_some(site),
        language: Some(posted.given("language")),
        disabled: None,
        before: posted.given("before"),
    };
    match console.app.change_administrator(&id, change, posted.by.actor()).await {
        Ok(view) => {
            posted.by.leave_notice(Notice::good(format!("{} is changed.", view.name)));
            Ok(to(&format!("/administrators/{id}")))
        }
        Err(error) => {
            let form = form_of(&posted, error)?;
            one_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY), Some(form)).await
        }
    }
}

/// `POST /administrators/{id}/disable` and `/enable`.
async fn disable(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console, &id, &posted, true).await
}

async fn enable(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console, &id, &posted, false).await
}

async fn bar(console: &Console, id: &AdministratorId, posted: &Posted, disabled: bool) -> Result<Response, Trouble> {
    let change = AdministratorChange { disabled: Some(disabled), ..AdministratorChange::default() };
    let done = console.app.change_administrator(id, change, posted.by.actor()).await.map(|view| {
        let words =
            if disabled { "cannot sign in any more; all their sessions have ended" } else { "may sign in again" };
        format!("{} {words}.", view.name)
    });
    told(posted, done, &format!("/administrators/{id}"))
}

/// `POST /administrators/{id}/remove`.
async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.remove_administrator(&id, posted.by.actor()).await;
    let next = if done.is_ok() { "/administrators".to_owned() } else { format!("/administrators/{id}") };
    told(&posted, done.map(|view| format!("{} is removed.", view.name)), &next)
}

/// `POST /administrators/{id}/end-sessions`.
async fn end_sessions(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.end_sessions(&id, posted.by.actor()).await;
    told(&posted, done.map(|count| format!("Sessions ended: {count}.")), &format!("/administrators/{id}"))
}

/// `POST /administrators/{id}/reset-password`.
async fn reset_password(
    State(console): State<Arc<Console>>,
    Named(id): Named<AdministratorId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let with_totp = posted.text("turn-off-totp") == "yes";
    match console.app.reset_password(&id, with_totp, posted.by.actor()).await {
        Ok(made) => Ok(password_page(&console, &posted.by, &made)),
        Err(error) => told(&posted, Err(error), &format!("/administrators/{id}")),
    }
}

/// Back to a page that says once how it went.
fn told(posted: &Posted, done: Result<String, AppError>, next: &str) -> Result<Response, Trouble> {
    let notice = match done {
        Ok(words) => Notice::good(words),
        Err(error @ AppError::Refused { .. }) => Notice::bad(error.to_string(), reference_of(&error)),
        Err(error) => return Err(error.into()),
    };
    posted.by.leave_notice(notice);
    Ok(to(next))
}
