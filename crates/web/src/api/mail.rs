//! Mails, their templates, and who is written to about alarms, on the wire.

use super::ApiError;
use super::actor::By;
use super::answer::Accepted;
use super::inventory::{Entry, Items, Paged, items, parsed, whole};
use super::lifecycle::Maybe;
use super::routes::Routes;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use provost_app::{
    AlarmMailView, App, MailPreviewInput, MailPreviewView, MailTemplateView, MailView, Page, WelcomeInput,
    WelcomesInput, WelcomesView,
};
use provost_core::entry::mail::{AlarmMailInput, MailTemplateInput, template_language};
use serde::Deserialize;
use std::sync::Arc;

type Answer<T> = Result<Json<T>, ApiError>;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post("/users/{id}/welcome-mail", "Send the welcome mail with the activation codes to a user", welcome)
        .post("/mail/welcome", "Send the welcome mail to many; says of each what became of it", welcome_many)
        .get("/mail", "Mails and what became of them, newest first; never what they say", mails)
        .get("/mail/{id}", "One mail", mail)
        .post("/mail/{id}/again", "Try a mail again that was not sent, as it is", again)
        .get("/mail/templates", "The templates that hold where no account has its own", server_templates)
        .get("/mail/templates/{kind}/{language}", "The template that holds in a language, or in any", server_template)
        .put("/mail/templates/{kind}/{language}", "Set a template of the whole server", set_server_template)
        .delete("/mail/templates/{kind}/{language}", "Remove a template of the whole server", remove_server_template)
        .post("/mail/templates/{kind}/preview", "What comes of a draft; nothing is stored or sent", server_preview)
        .get("/accounts/{id}/mail-templates", "The templates that hold for an account, the nearest first", templates)
        .get(
            "/accounts/{id}/mail-templates/{kind}/{language}",
            "The template that holds for an account in a language, or in any",
            template,
        )
        .put("/accounts/{id}/mail-templates/{kind}/{language}", "Set a template of an account", set_template)
        .delete("/accounts/{id}/mail-templates/{kind}/{language}", "Remove a template of an account", remove_template)
        .post(
            "/accounts/{id}/mail-templates/{kind}/preview",
            "What comes of a draft for somebody made up or a user; nothing is stored or sent",
            preview,
        )
        .get("/alarm-mail", "Who is written to when an alarm begins anywhere", server_alarm_mail)
        .put("/alarm-mail", "Set who is written to when an alarm begins anywhere", set_server_alarm_mail)
        .get("/accounts/{id}/alarm-mail", "Who is written to about the alarms of an account", alarm_mail)
        .put("/accounts/{id}/alarm-mail", "Set who is written to about the alarms of an account", set_alarm_mail)
}

async fn welcome(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    By(by): By,
    Maybe(input): Maybe<WelcomeInput>,
) -> Result<Accepted<MailView>, ApiError> {
    Ok(Accepted(app.send_welcome(&parsed(&id)?, input, &by).await?))
}

async fn welcome_many(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<WelcomesInput>,
) -> Answer<WelcomesView> {
    Ok(Json(app.send_welcomes(input, &by).await?))
}

/// Which mails are listed.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub(super) struct MailQuery {
    #[serde(default)]
    after: String,
    limit: Option<u32>,
    /// Those about this user.
    user: Option<String>,
    /// Those in this state, such as `doubtful`.
    state: Option<String>,
}

const MOST: u32 = 500;

async fn mails(
    State(app): State<Arc<App>>,
    By(by): By,
    query: Result<Query<MailQuery>, QueryRejection>,
) -> Paged<MailView> {
    let Query(query) = query.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let user = query.user.as_deref().map(parsed).transpose()?;
    let state = query.state.as_deref().map(parsed).transpose()?;
    let page = Page { after: &query.after, limit: query.limit.unwrap_or(MOST).clamp(1, MOST) };
    Ok(items(app.mails((user.as_ref(), state), page, &by).await?, page, |view| &view.id))
}

async fn mail(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<MailView> {
    Ok(Json(app.mail(&parsed(&id)?, &by).await?))
}

async fn again(State(app): State<Arc<App>>, Path(id): Path<String>, By(by): By) -> Answer<MailView> {
    Ok(Json(app.mail_again(&parsed(&id)?, &by).await?))
}

/// What names no language is no address, as with an id that is none.
fn well_formed(language: &str) -> Result<(), ApiError> {
    template_language(language).map(drop).map_err(|error| ApiError::bad_request(error.to_string()))
}

async fn server_templates(State(app): State<Arc<App>>, By(by): By) -> Answer<Items<MailTemplateView>> {
    Ok(whole(app.mail_templates(None, &by).await?))
}

async fn server_template(
    State(app): State<Arc<App>>,
    Path((kind, language)): Path<(String, String)>,
    By(by): By,
) -> Answer<MailTemplateView> {
    well_formed(&language)?;
    Ok(Json(app.mail_template((None, &kind, &language), &by).await?))
}

async fn set_server_template(
    State(app): State<Arc<App>>,
    Path((kind, language)): Path<(String, String)>,
    By(by): By,
    Entry(input): Entry<MailTemplateInput>,
) -> Answer<MailTemplateView> {
    Ok(Json(app.set_mail_template((None, &kind, &language), input, &by).await?))
}

async fn remove_server_template(
    State(app): State<Arc<App>>,
    Path((kind, language)): Path<(String, String)>,
    By(by): By,
) -> Answer<MailTemplateView> {
    Ok(Json(app.remove_mail_template((None, &kind, &language), &by).await?))
}

async fn server_preview(
    State(app): State<Arc<App>>,
    Path(kind): Path<String>,
    By(by): By,
    Maybe(input): Maybe<MailPreviewInput>,
) -> Answer<MailPreviewView> {
    Ok(Json(app.preview_mail((None, &kind), input, &by).await?))
}

async fn templates(
    State(app): State<Arc<App>>,
    Path(account): Path<String>,
    By(by): By,
) -> Answer<Items<MailTemplateView>> {
    Ok(whole(app.mail_templates(Some(&parsed(&account)?), &by).await?))
}

async fn template(
    State(app): State<Arc<App>>,
    Path((account, kind, language)): Path<(String, String, String)>,
    By(by): By,
) -> Answer<MailTemplateView> {
    well_formed(&language)?;
    Ok(Json(app.mail_template((Some(&parsed(&account)?), &kind, &language), &by).await?))
}

async fn set_template(
    State(app): State<Arc<App>>,
    Path((account, kind, language)): Path<(String, String, String)>,
    By(by): By,
    Entry(input): Entry<MailTemplateInput>,
) -> Answer<MailTemplateView> {
    Ok(Json(app.set_mail_template((Some(&parsed(&account)?), &kind, &language), input, &by).await?))
}

async fn remove_template(
    State(app): State<Arc<App>>,
    Path((account, kind, language)): Path<(String, String, String)>,
    By(by): By,
) -> Answer<MailTemplateView> {
    Ok(Json(app.remove_mail_template((Some(&parsed(&account)?), &kind, &language), &by).await?))
}

async fn preview(
    State(app): State<Arc<App>>,
    Path((account, kind)): Path<(String, String)>,
    By(by): By,
    Maybe(input): Maybe<MailPreviewInput>,
) -> Answer<MailPreviewView> {
    Ok(Json(app.preview_mail((Some(&parsed(&account)?), &kind), input, &by).await?))
}

async fn server_alarm_mail(State(app): State<Arc<App>>, By(by): By) -> Answer<AlarmMailView> {
    Ok(Json(app.alarm_mail(None, &by).await?))
}

async fn set_server_alarm_mail(
    State(app): State<Arc<App>>,
    By(by): By,
    Entry(input): Entry<AlarmMailInput>,
) -> Answer<AlarmMailView> {
    Ok(Json(app.set_alarm_mail(None, input, &by).await?))
}

async fn alarm_mail(State(app): State<Arc<App>>, Path(account): Path<String>, By(by): By) -> Answer<AlarmMailView> {
    Ok(Json(app.alarm_mail(Some(&parsed(&account)?), &by).await?))
}

async fn set_alarm_mail(
    State(app): State<Arc<App>>,
    Path(account): Path<String>,
    By(by): By,
    Entry(input): Entry<AlarmMailInput>,
) -> Answer<AlarmMailView> {
    Ok(Json(app.set_alarm_mail(Some(&parsed(&account)?), input, &by).await?))
}
