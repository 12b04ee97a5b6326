//! What a script has seen: the display as it changes, and what the phone asked of servers.
//!
//! Decides how long something is waited for and what counts as seen. Never presses a key.

use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::statement::Expectation;
use crate::event::Event;
use crate::handset::{Face, Handset, Row};

/// How often what has no event of its own, such as a value in flash, is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The most requests kept for `expect server asked`.
const REQUESTS: usize = 10_000;

/// Eyes on a phone.
pub(super) struct Watch {
    handset: Handset,
    face: watch::Receiver<Face>,
    events: broadcast::Receiver<Event>,
    requests: Vec<String>,
}

/// An expectation with its variables filled in.
pub(super) enum Seen {
    Shown(Vec<String>),
    NotShown(String),
    Row(String, String),
    Selected(String),
    Soft(String),
    LineKey(String),
    NoLineKey(String),
    Asked(String),
    NotAsked(String),
    Flash(String, Option<String>),
    Setting(String, Option<String>),
    Version(String),
}

impl Watch {
    pub(super) fn new(handset: &Handset) -> Self {
        Self { handset: handset.clone(), face: handset.face(), events: handset.events(), requests: Vec::new() }
    }

    pub(super) fn face(&self) -> Face {
        self.face.borrow().clone()
    }

    pub(super) fn forget_requests(&mut self) {
        self.hear();
        self.requests.clear();
    }

    /// Waits for the display to become so.
    pub(super) async fn face_until(&mut self, deadline: Instant, wanted: impl Fn(&Face) -> bool) -> bool {
        let seen = timeout_at(deadline, self.face.wait_for(|face| wanted(face))).await;
        matches!(seen, Ok(Ok(_)))
    }

    /// Waits for something to come true; what was found instead when it does not.
    pub(super) async fn until(&mut self, deadline: Instant, wanted: &Seen) -> Result<(), String> {
        loop {
            let found = self.look(wanted).await;
            let Err(found) = found else { return Ok(()) };
            // What was asked once stays asked: waiting does not help.
            if Instant::now() >= deadline || matches!(wanted, Seen::NotAsked(_)) {
                return Err(found);
            }
            let next = deadline.min(Instant::now() + LOOK);
            tokio::select! {
                () = sleep_until(next) => {}
                changed = self.face.changed() => if changed.is_err() { return Err(found) },
                event = self.events.recv() => self.note(event),
            }
        }
    }

    async fn look(&mut self, wanted: &Seen) -> Result<(), String> {
        self.hear();
        let face = self.face();
        match wanted {
            Seen::Shown(texts) => {
                truth(texts.iter().any(|text| shows(&face, text)), || "it is not on the display".to_owned())
            }
            Seen::NotShown(text) => truth(!shows(&face, text), || "it is on the display".to_owned()),
            Seen::Row(name, value) => {
                let row = face.rows.iter().find(|row| same(&row.text, name));
                let held = row.and_then(|row| row.value.as_deref());
                truth(held.is_some_and(|held| same(held, value)), || match (row, held) {
                    (None, _) => format!("there is no row \"{name}\""),
                    (Some(_), None) => format!("the row \"{name}\" says nothing"),
                    (Some(_), Some(held)) => format!("the row \"{name}\" says \"{held}\""),
                })
            }
            Seen::Selected(name) => {
                let selected = face.rows.iter().find(|row| row.selected).map(|row| row.text.clone());
                truth(selected.as_deref().is_some_and(|text| same(text, name)), || match selected {
                    None => "no row is selected".to_owned(),
                    Some(text) => format!("the row \"{text}\" is selected"),
                })
            }
            Seen::Soft(label) => {
                let labels = || format!("the soft keys are {}", listed(face.soft_keys.iter().map(String::as_str)));
                truth(face.soft_key(label).is_some(), labels)
            }
            Seen::LineKey(label) => {
                let labels =
                    || format!("the line keys are {}", listed(face.line_keys.iter().map(|key| key.label.as_str())));
                truth(face.line_keys.iter().any(|key| same(&key.label, label)), labels)
            }
            Seen::NoLineKey(label) => truth(!face.line_keys.iter().any(|key| same(&key.label, label)), || {
                "there is such a line key".to_owned()
            }),
            Seen::Asked(path) => truth(self.requests.iter().any(|asked| is_request(asked, path)), || self.asked()),
            Seen::NotAsked(path) => {
                let asked = self.requests.iter().find(|asked| is_request(asked, path));
                truth(asked.is_none(), || asked.cloned().unwrap_or_default())
            }
            _ => self.look_inside(wanted).await,
        }
    }

    /// What only a look into the phone tells.
    async fn look_inside(&self, wanted: &Seen) -> Result<(), String> {
        let view = self.handset.view().await;
        let held = |held: Option<&String>, value: &Option<String>| {
            truth(held == value.as_ref(), || {
                held.map_or("it has no value".to_owned(), |held| format!("it is \"{held}\""))
            })
        };
        match wanted {
            Seen::Flash(name, value) => held(view.device.get(name), value),
            Seen::Setting(name, value) => held(view.values.get(name), value),
            Seen::Version(version) => {
                truth(view.versions.application.starts_with(version.as_str()), || format!("it runs {}", view.versions))
            }
            _ => Ok(()),
        }
    }

    fn asked(&self) -> String {
        match self.requests.as_slice() {
            [] => "it asked for nothing".to_owned(),
            requests => format!("it asked for:\n    {}", requests.join("\n    ")),
        }
    }

    /// Takes in what happened meanwhile.
    fn hear(&mut self) {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.note(Ok(event)),
                // A slow script misses the oldest; what is expected next is among the newest.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn note(&mut self, event: Result<Event, RecvError>) {
        if let Ok(Event::Request(request)) = event {
            self.requests.push(request.summary());
            let old = self.requests.len().saturating_sub(REQUESTS);
            self.requests.drain(..old);
        }
    }
}

impl Seen {
    /// Fills the variables of an expectation.
    ///
    /// # Errors
    /// The name of a variable without value.
    pub(super) fn of(
        expectation: &Expectation,
        fill: impl Fn(&super::Text) -> Result<String, String>,
    ) -> Result<Self, String> {
        Ok(match expectation {
            Expectation::Shown(wanted) => Self::Shown(wanted.0.iter().map(fill).collect::<Result<_, _>>()?),
            Expectation::NotShown(text) => Self::NotShown(fill(text)?),
            Expectation::Row(name, value) => Self::Row(fill(name)?, fill(value)?),
            Expectation::Selected(name) => Self::Selected(fill(name)?),
            Expectation::Soft(label) => Self::Soft(fill(label)?),
            Expectation::LineKey(label) => Self::LineKey(fill(label)?),
            Expectation::NoLineKey(label) => Self::NoLineKey(fill(label)?),
            Expectation::Asked(path) => Self::Asked(fill(path)?),
            Expectation::NotAsked(path) => Self::NotAsked(fill(path)?),
            Expectation::Flash(name, value) => Self::Flash(name.clone(), Some(fill(value)?)),
            Expectation::NoFlash(name) => Self::Flash(name.clone(), None),
            Expectation::Setting(name, value) => Self::Setting(name.clone(), Some(fill(value)?)),
            Expectation::NoSetting(name) => Self::Setting(name.clone(), None),
            Expectation::Version(version) => Self::Version(fill(version)?),
        })
    }
}

/// Whether a person reads `text` anywhere on the phone.
pub(super) fn shows(face: &Face, text: &str) -> bool {
    face.power && (holds_words(&face.text(), text) || holds_words(&face.clock, text))
}

/// Whether whole words stand in a text: HTTPS does not say HTTP.
fn holds_words(whole: &str, words: &str) -> bool {
    whole.match_indices(words).any(|(at, _)| {
        let before = whole.get(..at).and_then(|before| before.chars().next_back());
        let after = whole.get(at.saturating_add(words.len())..).and_then(|after| after.chars().next());
        let goes_on = |inside: Option<char>, outside: Option<char>| {
            inside.is_some_and(char::is_alphanumeric) && outside.is_some_and(char::is_alphanumeric)
        };
        !goes_on(words.chars().next(), before) && !goes_on(words.chars().next_back(), after)
    })
}

pub(super) fn row_named(face: &Face, name: &str) -> Option<usize> {
    face.rows.iter().position(|row| same(&row.text, name))
}

pub(super) fn selected(face: &Face) -> Option<(usize, &Row)> {
    face.rows.iter().enumerate().find(|(_, row)| row.selected)
}

/// Words are the same whatever their case: displays of one family spell them in more than one.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The words of keys or rows, for a message.
pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(|word| format!("\"{word}\"")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// `asked` is `GET /x.cfg 200`; a wanted path may stand alone or with what is before and behind it.
fn is_request(asked: &str, wanted: &str) -> bool {
    let mut parts = asked.split(' ');
    let (method, path) = (parts.next(), parts.next());
    match wanted.split_once(' ') {
        None => path == Some(wanted),
        Some((verb, rest)) => method == Some(verb) && (asked.ends_with(wanted) || path == Some(rest)),
    }
}

fn truth(is: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if is { Ok(()) } else { Err(found()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_path_or_in_full() {
        let asked = "GET /0004f2000001.cfg 404";

        for wanted in ["/0004f2000001.cfg", "GET /0004f2000001.cfg", "GET /0004f2000001.cfg 404"] {
            assert!(is_request(asked, wanted), "{wanted}");
        }
        for wanted in
            ["/0004f2000001.cf", "PUT /0004f2000001.cfg", "GET /0004f2000001.cfg 200", "0004f2000001.cfg 404", ""]
        {
            assert!(!is_request(asked, wanted), "{wanted}");
        }
    }

    #[test]
    fn what_is_read_is_the_display_of_a_phone_with_power() {
        let row = Row { text: "Server Type".to_owned(), value: Some("HTTPS".to_owned()), selected: true };
        let face = Face { power: true, rows: vec![row], ..Face::default() };

        assert!(shows(&face, "Server Type: HTTPS"));
        assert!(!shows(&face, "HTTP") && !shows(&face, "erver Type") && shows(&face, "Server"));
        assert!(!shows(&Face { power: false, ..face.clone() }, "Server Type"));
        assert_eq!(row_named(&face, "server type"), Some(0));
        assert_eq!(selected(&face).unwrap().0, 0);
    }
}
