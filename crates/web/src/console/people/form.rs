//! What is typed about a user: the same fields to add one and to change one.

use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::gate::{Posted, SignedIn};
use crate::console::parts::{Choice, Field, Frame};
use crate::console::places::site_choices;
use crate::console::sessions::Notice;
use crate::console::typed::Typed;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::UserView;
use provost_core::entry::change::{LineChange, UserChange};
use provost_core::entry::{LineInput, UserInput};
use std::sync::Arc;

/// The form of a user.
pub(super) struct UserForm {
    pub(super) typed: Typed,
    pub(super) sites: Vec<Choice>,
    pub(super) lines: Vec<LineFields>,
}

/// One line of it.
pub(super) struct LineFields {
    /// `lines[0]`, as the app crate calls it.
    pub(super) name: String,
    pub(super) number: usize,
    pub(super) place: Field,
    pub(super) user: Field,
    pub(super) auth_user: Field,
    pub(super) password: Field,
    /// The SIP user that the kept password is of.
    pub(super) was: String,
}

#[derive(Template)]
#[template(path = "user_add.html", whitespace = "minimize")]
struct AddPage {
    frame: Frame,
    form: UserForm,
    has_sites: bool,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    site: String,
}

/// More lines than any phone holds are not looked at.
const MOST_LINES: usize = 64;
/// Lines without anything in them that a form offers.
const SPARE: usize = 2;
const FIELDS: [&str; 5] = ["site", "name", "extension", "email", "language"];

impl UserForm {
    /// The form with the lines as they are typed, and room for more.
    pub(super) async fn of(console: &Console, by: &SignedIn, typed: Typed) -> Result<Self, Trouble> {
        let mut lines = Vec::new();
        let mut spare = 0;
        for number in 0..MOST_LINES {
            let line = LineFields::of(&typed, number);
            spare += usize::from(line.is_empty());
            lines.push(line);
            if spare >= SPARE {
                break;
            }
        }
        let sites = site_choices(&console.app, by.actor(), (typed.text("site"), None)).await?;
        let typed = typed.shown_as(|name| FIELDS.contains(&name) || name.starts_with("lines["));
        Ok(Self { typed, sites, lines })
    }
}

impl LineFields {
    fn of(typed: &Typed, number: usize) -> Self {
        let field = |what: &str| typed.field(&format!("lines[{number}].{what}"));
        Self {
            name: format!("lines[{number}]"),
            number: number.saturating_add(1),
            place: field("place"),
            user: field("user"),
            auth_user: field("auth-user"),
            password: field("password"),
            was: field("was").typed,
        }
    }

    fn is_empty(&self) -> bool {
        let fields = [&self.user, &self.auth_user, &self.password];
        fields.into_iter().all(|field| field.typed.is_empty() && field.error.is_none())
    }
}

/// What a user is now, in the fields of the form.
pub(super) fn typed_of(view: &UserView) -> Typed {
    let mut typed = Typed::default()
        .with("before", view.mark())
        .with("site", &view.site)
        .with("name", &view.name)
        .with("extension", &view.extension)
        .with("email", view.email.as_deref().unwrap_or_default())
        .with("language", view.language.as_deref().unwrap_or_default());
    for (line, number) in view.lines.iter().zip(0usize..) {
        let name = |what: &str| format!("lines[{number}].{what}");
        typed = typed
            .with(name("place"), number.saturating_add(1).to_string())
            .with(name("user"), &line.user)
            .with(name("auth-user"), line.auth_user.as_deref().unwrap_or_default())
            .with(name("was"), if line.has_password { line.user.as_str() } else { "" });
    }
    typed
}

/// What was sent, with the lines in the order that was asked for and without the empty ones.
pub(super) fn typed(posted: &Posted) -> Typed {
    let sent = Typed::of(posted);
    let mut lines: Vec<(u32, LineFields)> = Vec::new();
    for number in 0..MOST_LINES {
        let line = LineFields::of(&sent, number);
        if !line.is_empty() {
            lines.push((line.place.typed.parse().unwrap_or(u32::MAX), line));
        }
    }
    lines.sort_by_key(|(place, _)| *place);
    let mut typed = Typed::default().with("before", sent.text("before"));
    for name in FIELDS {
        typed = typed.with(name, sent.text(name));
    }
    for ((_, line), number) in lines.iter().zip(0usize..) {
        let name = |what: &str| format!("lines[{number}].{what}");
        typed = typed
            .with(name("place"), number.saturating_add(1).to_string())
            .with(name("user"), &line.user.typed)
            .with(name("auth-user"), &line.auth_user.typed)
            .with(name("password"), &line.password.typed)
            .with(name("was"), &line.was);
    }
    typed
}

/// The lines that were typed.
fn lines(typed: &Typed) -> Vec<LineInput> {
    let all = (0..MOST_LINES).map(|number| LineFields::of(typed, number)).filter(|line| !line.is_empty());
    let given = |field: &Field| Some(field.typed.clone()).filter(|text| !text.is_empty());
    all.map(|line| LineInput {
        password: given(&line.password),
        auth_user: given(&line.auth_user),
        user: line.user.typed,
    })
    .collect()
}

/// The change that the form asks for. A password that is left empty stays, but not for another SIP user.
pub(super) fn change_of(typed: &mut Typed) -> Option<UserChange> {
    let mut changed = Vec::new();
    for (line, number) in lines(typed).into_iter().zip(0usize..) {
        let was = typed.text(&format!("lines[{number}].was")).to_owned();
        if !was.is_empty() && was != line.user && line.password.is_none() {
            let message = format!("was of the SIP user {was}; type the one of {}", line.user);
            typed.fault(&format!("lines[{number}].password"), &message);
        }
        changed.push(LineChange {
            user: line.user,
            password: line.password.map(Some),
            auth_user: Some(line.auth_user),
        });
    }
    let change = UserChange {
        site: typed.given("site"),
        name: Some(typed.text("name").to_owned()),
        extension: Some(typed.text("extension").to_owned()),
        email: Some(typed.given("email")),
        language: Some(typed.given("language")),
        lines: Some(changed),
        before: typed.given("before"),
    };
    (!typed.has_errors()).then_some(change)
}

/// `GET /users/add`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    by.actor().has(provost_core::rights::Right::Change)?;
    let site = asked.map(|Query(asked)| asked.site).unwrap_or_default();
    add_page(&console, &by, (StatusCode::OK, Typed::default().with("site", site))).await
}

async fn add_page(console: &Console, by: &SignedIn, (status, typed): (StatusCode, Typed)) -> Result<Response, Trouble> {
    let form = UserForm::of(console, by, typed).await?;
    let frame = Frame::signed_in("Add a user", by).at("users");
    Ok(page(status, &AddPage { frame, has_sites: !form.sites.is_empty(), form }))
}

/// `POST /users/add`.
pub(super) async fn add(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let typed = typed(&posted);
    let input = UserInput {
        site: typed.text("site").to_owned(),
        name: typed.text("name").to_owned(),
        extension: typed.text("extension").to_owned(),
        email: typed.given("email"),
        language: typed.given("language"),
        lines: lines(&typed),
    };
    match console.app.add_user(input, posted.by.actor()).await {
        Ok(user) => {
            let words = format!("{} is added. Add a device for them next, then send the welcome mail.", user.name);
            posted.by.leave_notice(Notice::good(words));
            Ok(to(&format!("/users/{}", user.id)))
        }
        Err(error) => add_page(&console, &posted.by, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(error)?)).await,
    }
}
