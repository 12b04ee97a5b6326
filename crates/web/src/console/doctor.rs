//! The symptom doctor's page: type what the screen says; it reads that phone's record and names cause and next steps.

use super::Console;
use super::answer::{Trouble, page};
use super::gate::SignedIn;
use super::guides::{FilledGuide, Part, Places};
use super::parts::Frame;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError};
use provost_catalog::Symptom;
use provost_core::doctor::{Fit, Record, judge, meant};
use provost_core::mac::MacAddr;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "doctor.html", whitespace = "minimize")]
struct DoctorPage {
    frame: Frame,
    says: String,
    phone: String,
    phone_error: Option<String>,
    /// The phone whose record was read.
    read: Option<String>,
    asked: bool,
    found: Vec<Diagnosis>,
    /// Everything there is, while nothing was found.
    known: Vec<String>,
}

/// A symptom, and what this phone's record says of it.
struct Diagnosis {
    title: String,
    cause: String,
    cure: Vec<Vec<Part>>,
    /// Tone, word and sentence.
    judged: Option<(&'static str, &'static str, String)>,
    guide: Option<FilledGuide>,
    doubt: Option<String>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    says: String,
    #[serde(default)]
    phone: String,
}

/// More than a screen shows; the rest of a pasted page is not looked at.
const MOST_BYTES: usize = 400;
/// Fewer help more.
const MOST_SHOWN: usize = 4;

/// `GET /doctor`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let Asked { says, phone } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let app = &console.app;
    let phone = phone.trim().to_owned();
    let mac = (!phone.is_empty()).then(|| phone.parse::<MacAddr>());
    let phone_error = match &mac {
        Some(Err(error)) => Some(error.to_string()),
        _ => None,
    };
    let mac = mac.and_then(Result::ok);
    let record = read(app, mac, by.actor()).await?;
    let symptoms = app.catalog().symptoms();
    let text: String = says.chars().take(MOST_BYTES).collect();
    let mut found: Vec<_> = meant(symptoms, &text);
    found.truncate(MOST_SHOWN);
    let model = match mac {
        Some(mac) => app.phone(mac, by.actor()).await.ok().and_then(|phone| phone.model),
        None => None,
    };
    let places = Places::new(app, model.as_deref().and_then(|id| app.catalog().model(id)));
    let mut found: Vec<_> =
        found.into_iter().map(|symptom| diagnosis(app, symptom, (record.as_ref(), &places))).collect();
    // What the record bears out comes first; else as likely as it was typed.
    found.sort_by_key(|diagnosis| match &diagnosis.judged {
        Some(("bad", ..)) => 0,
        Some(("good", ..)) => 2,
        _ => 1,
    });
    let template = DoctorPage {
        frame: Frame::signed_in("Symptom doctor", &by).at("doctor"),
        asked: !text.trim().is_empty(),
        known: if found.is_empty() {
            symptoms.iter().map(|symptom| symptom.title.clone()).collect()
        } else {
            Vec::new()
        },
        found,
        read: mac.map(|mac| mac.to_string()),
        says: text,
        phone,
        phone_error,
    };
    Ok(page(StatusCode::OK, &template))
}

/// The record of the phone that was named; an empty one for a phone nobody heard of, which says a lot.
async fn read(app: &App, mac: Option<MacAddr>, by: &Actor) -> Result<Option<Record>, AppError> {
    let Some(mac) = mac else { return Ok(None) };
    Ok(Some(app.record_of(mac, by).await?.unwrap_or_default()))
}

fn diagnosis(app: &App, symptom: &Symptom, (record, places): (Option<&Record>, &Places)) -> Diagnosis {
    let judged = symptom.check.zip(record).map(|(check, record)| {
        let (fit, sentence) = judge(check, record);
        match fit {
            Fit::Fits => ("bad", "This is likely it", sentence),
            Fit::Differs => ("good", "Not this, it seems", sentence),
            Fit::Unknown => ("quiet", "The record does not tell", sentence),
        }
    });
    let guide = symptom.guide.as_deref();
    let guide = guide.and_then(|id| app.catalog().guides().iter().find(|guide| guide.id == id));
    Diagnosis {
        title: symptom.title.clone(),
        cause: symptom.cause.clone(),
        cure: symptom.cure.iter().filter_map(|step| places.step(step)).collect(),
        judged,
        guide: guide.and_then(|guide| places.filled(guide)),
        doubt: symptom.note.clone(),
    }
}
