//! References: whoever was refused was told a short word, and an administrator finds by it what happened.
//!
//! What a phone or an administrator did stands on timelines for good; what nobody proved is kept in memory for a
//! day, bounded, and creates no row (docs/THREATS.md, rule 7).

use crate::inventory::MacText;
use crate::sightings::Sighting;
use crate::{Actor, App, AppError, locked};
use provost_core::mac::MacAddr;
use provost_core::rights::{Right, Scope};
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use provost_store::EventRow;
use std::net::IpAddr;

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReferenceView {
    /// The reference.
    pub reference: String,
    /// When, RFC 3339.
    pub at: String,
    /// The phone, where it is known which.
    pub phone: Option<MacText>,
    /// What happened and why.
    pub sentence: String,
    /// What to do.
    pub next_step: Option<String>,
}

/// A refusal of somebody who proved nothing.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    pub(crate) address: IpAddr,
    /// The phone they meant, when they had a right code for one.
    pub(crate) mac: Option<MacAddr>,
    pub(crate) entry: Entry,
    pub(crate) at: UnixMillis,
}

impl Sighting for Noted {
    fn address(&self) -> IpAddr {
        self.address
    }

    fn at(&self) -> UnixMillis {
        self.at
    }

    /// Each has a reference of its own.
    fn is_again(&self, _: &Self) -> bool {
        false
    }

    fn count_on(&mut self, _: &Self) {}
}

/// Longer than any reference; more is somebody else's text.
const LONGEST: usize = 16;

impl App {
    /// What happened under this reference, as it was read out or shown; letter case and the `R-` do not matter.
    ///
    /// # Errors
    /// [`AppError::NotFound`], also for one of the web page that is older than a day or than the last restart.
    pub async fn reference(&self, text: &str, by: &Actor) -> Result<ReferenceView, AppError> {
        by.has(Right::Read)?;
        let missing = || AppError::NotFound { what: "reference", name: text.chars().take(LONGEST).collect() };
        let reference = normal(text).ok_or_else(missing)?;
        let is_it = |noted: &Noted| noted.entry.reference.as_deref() == Some(&reference);
        let noted = locked(&self.doors.noted).only(self.now(), is_it);
        if let Some(Noted { mac, entry, at, .. }) = noted.into_iter().next() {
            if !self.sees_reference(by, mac).await? {
                return Err(missing());
            }
            return Ok(ReferenceView {
                reference,
                at: at.to_string(),
                phone: mac.map(MacText),
                sentence: entry.sentence,
                next_step: entry.advice,
            });
        }
        self.recorder.flush().await;
        let EventRow { mac, at, sentence, advice, .. } =
            self.store.event_by_reference(&reference).await?.ok_or_else(missing)?;
        if !self.sees_reference(by, Some(mac)).await? {
            return Err(missing());
        }
        Ok(ReferenceView { reference, at: at.to_string(), phone: Some(MacText(mac)), sentence, next_step: advice })
    }

    /// What concerns no phone is the whole server's.
    async fn sees_reference(&self, by: &Actor, mac: Option<MacAddr>) -> Result<bool, AppError> {
        match mac {
            Some(mac) => self.sees_phone(by, mac).await,
            None => Ok(by.scope == Scope::Platform),
        }
    }

    pub(crate) fn note_refused(&self, noted: Noted) {
        locked(&self.doors.noted).note(noted);
    }

    /// What was refused on the web page to somebody who meant this phone.
    pub(crate) fn refused_on_page(&self, mac: MacAddr) -> Vec<(UnixMillis, Entry)> {
        let noted = locked(&self.doors.noted).only(self.now(), |noted| noted.mac == Some(mac));
        noted.into_iter().map(|noted| (noted.at, noted.entry)).collect()
    }
}

/// The reference as it is stored: somebody may have written it down from a voice.
fn normal(text: &str) -> Option<String> {
    let letters: String = text.trim().chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let letters = letters.to_ascii_uppercase();
    let letters = if letters.len() == 7 { letters.strip_prefix('R').map(str::to_owned)? } else { letters };
    (letters.len() == 6 && letters.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| format!("R-{letters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_found_however_it_was_written_down() {
        for text in ["R-AB34EF", "r-ab34ef", "AB34EF", " R AB3 4EF ", "rab34ef"] {
            assert_eq!(normal(text).as_deref(), Some("R-AB34EF"), "{text}");
        }
        assert_eq!(normal("RAB34E").as_deref(), Some("R-RAB34E"), "it may begin with an R itself");
        for text in ["", "R-", "R-AB3", "R-AB34EF7", "R-AB'4EF", "XAB34EF", "ÄÄÄ"] {
            assert_eq!(normal(text), None, "{text}");
        }
    }
}
