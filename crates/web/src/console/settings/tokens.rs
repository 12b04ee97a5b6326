//! Tokens: long random words that open the API and the console; each is shown once.

use super::super::administrators::place_of;
use super::{places, settings_page};
use crate::console::Console;
use crate::console::answer::{Trouble, page, reference_of, to};
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::{Choice, Field, Frame};
use crate::console::sessions::Notice;
use crate::console::words::Moment;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, NewToken, Page, TokenInput, TokenView};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::TokenId;
use provost_core::rights::{Right, Role};
use std::sync::Arc;

/// The tokens of the page and the form for another.
pub(super) struct Tokens {
    pub(super) list: Vec<Token>,
    pub(super) has_more: bool,
    pub(super) form: Form,
}

/// A token as the page says it.
pub(super) struct Token {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) reach: String,
    pub(super) made: Moment,
    pub(super) used: Option<Moment>,
    pub(super) ends: Option<Moment>,
    pub(super) is_revoked: bool,
}

/// What is typed about a new token.
#[derive(Default)]
pub(super) struct Form {
    pub(super) name: Field,
    pub(super) role: Field,
    pub(super) place: Field,
    pub(super) days: Field,
    pub(super) roles: Vec<Choice>,
    pub(super) places: Vec<Choice>,
    pub(super) problems: Vec<String>,
}

#[derive(Template)]
#[template(path = "new_token.html", whitespace = "minimize")]
struct NewTokenPage {
    frame: Frame,
    name: String,
    role: &'static str,
    token: String,
    ends: Option<Moment>,
}

/// More than anybody has; the command line lists them all.
const SHOWN: u32 = 100;

impl Tokens {
    pub(super) async fn load(console: &Console, by: &SignedIn, mut form: Form) -> Result<Self, Trouble> {
        let now = console.app.now();
        let found = console.app.tokens(Page { after: "", limit: SHOWN }, by.actor()).await?;
        let has_more = u32::try_from(found.len()).is_ok_and(|count| count >= SHOWN);
        let (places, names) = places(console, by, &form.place.typed).await?;
        let reach = |view: &TokenView| match (&view.site, &view.account) {
            (Some(id), _) | (None, Some(id)) => names.get(id).cloned().unwrap_or_else(|| id.clone()),
            (None, None) => "the whole server".to_owned(),
        };
        let read = |at: &String| Moment::read(at, now);
        let token = |view: TokenView| Token {
            reach: reach(&view),
            made: read(&view.created_at),
            used: view.last_used_at.as_ref().map(read),
            ends: view.expires_at.as_ref().map(read),
            is_revoked: view.revoked_at.is_some(),
            name: view.name.unwrap_or_else(|| "without a name".to_owned()),
            id: view.id,
            role: view.role,
        };
        let list = found.into_iter().map(token).collect();
        form.places = places;
        form.roles = roles(by.actor().role, &form.role.typed);
        Ok(Self { list, has_more, form })
    }
}

fn roles(own: Role, typed: &str) -> Vec<Choice> {
    let chosen = Role::from_word(typed).unwrap_or(Role::ReadOnly);
    let choice = |role: Role| Choice {
        value: role.as_str().to_owned(),
        label: role.as_str().to_owned(),
        chosen: role == chosen,
    };
    Role::ALL.into_iter().filter(|role| role.is_within(own)).map(choice).collect()
}

impl Form {
    fn typed(posted: &Posted) -> Self {
        let field = |name| Field::typed(posted.text(name));
        Self { name: field("name"), role: field("role"), place: field("place"), days: field("days"), ..Self::default() }
    }

    fn with_errors(mut self, FieldErrors(mut errors): FieldErrors) -> Self {
        self.name.take("name", &mut errors);
        self.role.take("role", &mut errors);
        self.days.take("expires-in-days", &mut errors);
        self.place.take("account", &mut errors);
        self.place.take("site", &mut errors);
        self.problems.extend(errors.into_iter().map(|error| format!("{} {}", error.field, error.message)));
        self
    }

    pub(super) fn has_errors(&self) -> bool {
        let fields = [&self.name, &self.role, &self.place, &self.days];
        !self.problems.is_empty() || fields.into_iter().any(|field| field.error.is_some())
    }
}

/// `GET /settings/tokens`, after a reload of the page that showed one.
pub(super) async fn back(_: SignedIn) -> Response {
    to("/settings")
}

/// `POST /settings/tokens`.
pub(super) async fn add(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    match made(&console, &posted).await {
        Ok(NewToken { token, view }) => {
            let now = console.app.now();
            let shown = NewTokenPage {
                frame: Frame::signed_in("A new token", &posted.by).at("settings"),
                name: view.name.unwrap_or_default(),
                role: view.role,
                token: token.reveal().to_owned(),
                ends: view.expires_at.map(|at| Moment::read(&at, now)),
            };
            Ok(page(StatusCode::OK, &shown))
        }
        Err(AppError::Fields(errors)) => {
            let form = Form::typed(&posted).with_errors(errors);
            settings_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, form).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn made(console: &Console, posted: &Posted) -> Result<NewToken, AppError> {
    // Who may make none is refused below, whatever they left out.
    if posted.text("place").is_empty() && posted.by.actor().role.may(Right::Tokens) {
        let chosen = FieldError { field: "account".to_owned(), message: "choose how far it reaches".to_owned() };
        return Err(FieldErrors(vec![chosen]).into());
    }
    let days = posted.given("days").map(|text| text.parse::<u32>()).transpose();
    // What is no number is outside any range; what is right is said by the use-case.
    let expires_in_days = days.unwrap_or(Some(0));
    let (account, site) = place_of(posted.text("place"));
    let (role, name) = (posted.text("role").to_owned(), posted.given("name"));
    console.app.add_token(TokenInput { role, name, account, site, expires_in_days }, posted.by.actor()).await
}

/// `POST /settings/tokens/{id}/revoke`.
pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    Named(id): Named<TokenId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let notice = match console.app.revoke_token(&id, posted.by.actor()).await {
        Ok(view) => Notice::good(format!(
            "The token {} opens nothing any more; sessions that began with it have ended.",
            view.name.unwrap_or(view.id)
        )),
        Err(error @ AppError::Refused { .. }) => Notice::bad(error.to_string(), reference_of(&error)),
        Err(error) => return Err(error.into()),
    };
    posted.by.leave_notice(notice);
    Ok(to("/settings"))
}
