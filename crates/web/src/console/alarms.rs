//! Alarms: what is open and what to do, what ended, and who gets them by mail.

mod mail;

use super::Console;
use super::answer::{Trouble, page, to};
use super::gate::{Posted, SignedIn};
use super::parts::Frame;
use super::sessions::Notice;
use super::words::Moment;
use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use mail::MailForm;
use provost_app::{AlarmView, Page};
use provost_core::ids::SiteId;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// More than anybody reads; the oldest of them wait until some have ended.
const OPEN: u32 = 200;
const ENDED: u32 = 50;

#[derive(Template)]
#[template(path = "alarms.html", whitespace = "minimize")]
struct AlarmsPage {
    frame: Frame,
    open: Vec<AlarmCard>,
    has_more_open: bool,
    ended: Vec<AlarmCard>,
    /// Where the next page of ended ones begins.
    older: Option<String>,
    is_first_page: bool,
    mail: Option<MailForm>,
}

/// An alarm as the pages say it.
pub(super) struct AlarmCard {
    pub(super) id: String,
    /// What kind of thing it is.
    pub(super) title: &'static str,
    pub(super) sentence: String,
    pub(super) advice: String,
    /// The page of what it is about, and what the link says.
    pub(super) link: Option<(String, &'static str)>,
    pub(super) raised: Moment,
    pub(super) last: Moment,
    pub(super) times: i64,
    pub(super) ended: Option<Moment>,
}

impl AlarmCard {
    pub(super) fn new(view: AlarmView, now: UnixMillis) -> Self {
        let AlarmView { id, kind, subject, raised_at, last_at, times, ended_at, sentence, advice } = view;
        Self {
            title: title(&kind),
            link: link(&kind, &subject),
            id,
            sentence,
            advice,
            raised: Moment::read(&raised_at, now),
            last: Moment::read(&last_at, now),
            times,
            ended: ended_at.map(|at| Moment::read(&at, now)),
        }
    }
}

fn title(kind: &str) -> &'static str {
    match kind {
        "certificate-in-two-networks" => "One certificate in two networks",
        "server-certificate-expiring" => "The server's certificate ends",
        "phone-asks-for-others" => "A phone asks for other phones' files",
        "emergency-call" => "Emergency call on an unclaimed phone",
        "pbx-not-reached" => "A PBX cannot be asked",
        "mail-not-sent" => "Mail was not sent",
        "mail-server" => "The mail server cannot be used",
        "phones-gone" => "Phones of a site stopped asking",
        "firmware-paused" => "A firmware version is paused",
        "firmware-image-broken" => "A firmware image is broken",
        "phone-left" => "A phone may have gone to a former provider",
        _ => "Alarm",
    }
}

fn link(kind: &str, subject: &str) -> Option<(String, &'static str)> {
    // Their subjects are an account, a policy or an image, and none of these is where something can be done.
    match kind {
        "firmware-paused" => return Some(("/firmware/policies".to_owned(), "Open the policies")),
        "firmware-image-broken" => return Some(("/firmware/images".to_owned(), "Open the images")),
        _ => {}
    }
    if let Some(mac) = MacAddr::from_hex12(subject) {
        return Some((format!("/phones/{mac}"), "Open the phone"));
    }
    subject.parse::<SiteId>().ok().map(|site| (format!("/sites/{site}"), "Open the site"))
}

#[derive(serde::Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    /// The last ended alarm of the page before.
    after: String,
    /// Whose addresses are shown: an account's id, or empty for the whole server.
    account: String,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/alarms", get(show))
        .route("/alarms/mail", post(mail::set))
        .route("/alarms/{id}/end", post(end))
        .route("/live/alarms", get(live))
}

/// `GET /alarms`.
async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let Asked { after, account } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let form = mail::form(&console.app, &by, &account).await?;
    alarms_page(&console, &by, (StatusCode::OK, &after), form).await
}

/// The page with what was typed about mail and what is wrong with it.
async fn alarms_page(
    console: &Console,
    by: &SignedIn,
    (status, after): (StatusCode, &str),
    mail: Option<MailForm>,
) -> Result<Response, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let open = app.open_alarms(OPEN, by.actor()).await?;
    let ended = app.ended_alarms(Page { after, limit: ENDED }, by.actor()).await?;
    let is_full = |found: usize, most: u32| u32::try_from(found).is_ok_and(|found| found >= most);
    let older = ended.last().filter(|_| is_full(ended.len(), ENDED)).map(|alarm| alarm.id.clone());
    let card = |view: AlarmView| AlarmCard::new(view, now);
    let template = AlarmsPage {
        frame: Frame::signed_in("Alarms", by).at("alarms").live("/live/alarms".to_owned()),
        has_more_open: is_full(open.len(), OPEN),
        open: open.into_iter().map(card).collect(),
        ended: ended.into_iter().map(card).collect(),
        older,
        is_first_page: after.is_empty(),
        mail,
    };
    Ok(page(status, &template))
}

/// `GET /live/alarms`.
async fn live(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    super::live::stream(&console, by, async |app: Arc<provost_app::App>, by: provost_app::Actor| {
        let ended = app.ended_alarms(Page { after: "", limit: ENDED }, &by).await?;
        Ok(super::live::print_of(&(app.open_alarms(OPEN, &by).await?, ended)))
    })
    .await
}

/// `POST /alarms/{id}/end`.
async fn end(State(console): State<Arc<Console>>, Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let alarm = console.app.end_alarm(&id, posted.by.actor()).await?;
    let told = format!("The alarm has ended: {} If it happens again, there is a new one.", alarm.sentence);
    posted.by.leave_notice(Notice::good(told));
    Ok(to("/alarms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_alarm_has_a_title_of_its_own() {
        let mut titles: Vec<_> = AlarmView::kinds().map(title).collect();
        let all = titles.len();

        assert!(!titles.contains(&"Alarm"), "{titles:?}");
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), all);
    }

    #[test]
    fn alarms_about_firmware_lead_to_where_something_can_be_done() {
        assert_eq!(link("firmware-paused", "01j").unwrap().0, "/firmware/policies");
        assert_eq!(link("firmware-image-broken", "image_01j").unwrap().0, "/firmware/images");
        assert_eq!(link("mail-server", "01j"), None);
    }
}
