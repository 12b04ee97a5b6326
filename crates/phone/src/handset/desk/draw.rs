//! The face a desk makes.
//!
//! Decides what is shown where and which words are above the soft keys. Pure.

use provost_catalog::{EditForm, MenuAction, ModeKey, RowPurpose, Shown};

use crate::handset::desk::layer::{Layer, Purpose, Question, SoftAction};
use crate::handset::desk::menus::is_choice;
use crate::handset::desk::{Desk, Ground, Seen};
use crate::handset::face::{CallFace, Entry, Face, Lamp, LineKeyFace, Row};
use crate::screen::Registration;
use crate::sip::CallState;

/// The first row shown of a menu whose arrows are at `at`: whole pages.
pub(crate) fn first_row(at: usize, shown: usize) -> usize {
    at.checked_div(shown).unwrap_or_default().saturating_mul(shown)
}

impl Desk {
    /// The face.
    pub(crate) fn draw(&self, ground: Ground, seen: &Seen) -> Face {
        let mut face = Face { power: true, page: (1, 1), clock: clock(&seen.view.time), ..Face::default() };
        let call = seen.view.calls.iter().rfind(|call| call.ended_by.is_none());
        face.call = call.map(|call| CallFace { number: call.number.clone(), state: words(&call.state) });
        face.lamp = if face.call.is_some() || ground != Ground::Idle { Lamp::On } else { Lamp::Off };
        match self.layers.last() {
            None => self.draw_ground(&mut face, (ground, seen)),
            Some(Layer::Menu { menu, title, at }) => {
                face.title = title.clone();
                face.rows = self.menu_rows(menu, *at, seen);
            }
            Some(Layer::Asked(question)) => {
                face.title = question.prompt.clone();
                face.entry = Some(entry(question));
            }
            Some(Layer::Choosing { change, choices, at }) => {
                face.title = change.title.clone();
                let value = choices.get(*at).map(|choice| choice.shown.clone());
                face.rows = vec![Row { text: change.title.clone(), value, selected: true }];
            }
            Some(Layer::Sure(action)) => {
                face.title = self.name_of(*action);
                face.rows = vec![row(&self.hand.tree.are_you_sure)];
            }
            Some(Layer::Notice { words }) => face.rows = vec![row(words)],
        }
        if ground == Ground::Idle {
            face.pop_up = seen.notice.clone().filter(|_| self.offers_update(ground, seen));
            (face.line_keys, face.page) = self.line_keys(seen);
        }
        face.soft_keys = self.soft_actions(ground, seen).into_iter().map(|(word, _)| word).collect();
        face
    }

    /// The soft keys from the left: the word above each, and what it does.
    pub(crate) fn soft_actions(&self, ground: Ground, seen: &Seen) -> Vec<(String, SoftAction)> {
        let mut keys: Vec<(String, SoftAction)> = if self.offers_update(ground, seen) {
            keys(&[("Update", SoftAction::Update), ("Later", SoftAction::Later)])
        } else {
            self.layer_keys(ground, seen)
        };
        keys.truncate(self.hand.soft_keys());
        keys
    }

    /// An update is offered on the idle display alone, never in a call or over what somebody does.
    fn offers_update(&self, ground: Ground, seen: &Seen) -> bool {
        ground == Ground::Idle && seen.notice.is_some() && !self.is_open() && !seen.is_in_call()
    }

    fn layer_keys(&self, ground: Ground, seen: &Seen) -> Vec<(String, SoftAction)> {
        let tree = &self.hand.tree;
        let accept = if ground == Ground::Idle { &tree.accept_running } else { &tree.accept };
        let leave = if ground == Ground::Idle { "Back" } else { "Exit" };
        match self.layers.last() {
            None => self.ground_keys(ground, seen),
            Some(Layer::Menu { at, .. }) => {
                let purpose = self.open_rows().get(*at).map(|row| row.purpose.clone());
                match purpose {
                    Some(RowPurpose::Edits(_)) => keys(&[("Edit", SoftAction::Select), (leave, SoftAction::Leave)]),
                    Some(RowPurpose::Shows(_)) | None => keys(&[("", SoftAction::None), (leave, SoftAction::Leave)]),
                    Some(_) => keys(&[("Select", SoftAction::Select), (leave, SoftAction::Leave)]),
                }
            }
            Some(Layer::Asked(question)) => {
                let word = match question.purpose {
                    Purpose::Number => "Dial",
                    Purpose::Value(_) => &tree.accept,
                    _ => accept,
                };
                let mut keys = keys(&[(word, SoftAction::Accept), ("<<", SoftAction::Erase)]);
                let by_soft_key = self.hand.handset.mode_key.value == ModeKey::SoftKey;
                if let Some(mode) = question.typing.mode().filter(|_| by_soft_key) {
                    keys.push((mode.label(&self.hand.pad().mode_words).to_owned(), SoftAction::Mode));
                }
                keys.push((tree.stop.clone(), SoftAction::Leave));
                keys
            }
            Some(Layer::Choosing { .. }) => {
                keys(&[(&tree.accept, SoftAction::Accept), (&tree.stop, SoftAction::Leave)])
            }
            Some(Layer::Sure(_)) => keys(&[("Yes", SoftAction::Yes), ("No", SoftAction::Leave)]),
            Some(Layer::Notice { .. }) => keys(&[(&tree.stop, SoftAction::Leave)]),
        }
    }

    fn ground_keys(&self, ground: Ground, seen: &Seen) -> Vec<(String, SoftAction)> {
        let tree = &self.hand.tree;
        match ground {
            Ground::Stoppable => keys(&[(&tree.stop, SoftAction::Stop), (&tree.enter_setup, SoftAction::Setup)]),
            Ground::Counting { .. } => keys(&[("Start", SoftAction::StartNow), (&tree.enter_setup, SoftAction::Setup)]),
            Ground::Idle if seen.is_in_call() => keys(&[("End Call", SoftAction::HangUp)]),
            Ground::Idle => {
                let mine = seen.soft_key.iter().map(|key| (key.label.clone(), SoftAction::Macro));
                mine.chain(keys(&[("New Call", SoftAction::NewCall)])).collect()
            }
        }
    }

    fn draw_ground(&self, face: &mut Face, (ground, seen): (Ground, &Seen)) {
        face.title = seen.view.model_name.clone();
        face.rows = match ground {
            Ground::Stoppable => vec![row("Loading Application")],
            Ground::Counting { seconds } => vec![row(&format!("Auto start in {seconds} seconds"))],
            Ground::Idle => seen
                .view
                .messages
                .iter()
                .filter(|words| Some(*words) != seen.notice.as_ref())
                .take(self.hand.shown_rows())
                .map(|words| row(words))
                .collect(),
        };
    }

    fn menu_rows(&self, menu: &str, at: usize, seen: &Seen) -> Vec<Row> {
        let shown = self.hand.shown_rows();
        let first = first_row(at, shown);
        let rows = self.hand.rows(menu);
        let page = rows.into_iter().enumerate().skip(first).take(shown);
        page.map(|(number, row)| Row {
            text: row.title.clone(),
            value: self.shown_value(&row.purpose, seen),
            selected: number == at,
        })
        .collect()
    }

    fn shown_value(&self, purpose: &RowPurpose, seen: &Seen) -> Option<String> {
        match purpose {
            RowPurpose::Opens(_) | RowPurpose::Does(_) => None,
            RowPurpose::Shows(what) => Some(said(*what, seen)),
            RowPurpose::Edits(edit) => {
                let value = self.value_of(&edit.parameter, seen);
                let unset = || edit.unset.clone().unwrap_or_default();
                Some(match (&edit.form, value) {
                    (EditForm::Secret, Some(value)) => "*".repeat(value.chars().count()),
                    (EditForm::Choice(choices), Some(value)) => choices
                        .iter()
                        .find(|choice| is_choice(choice, &value))
                        .map_or(value, |choice| choice.shown.clone()),
                    (_, Some(value)) => value,
                    (_, None) => unset(),
                })
            }
        }
    }

    /// What a row that does this is called.
    fn name_of(&self, action: MenuAction) -> String {
        let menus = self.layers.iter().rev().filter_map(|layer| match layer {
            Layer::Menu { menu, .. } => Some(menu),
            _ => None,
        });
        let rows = menus.flat_map(|menu| self.hand.rows(menu));
        let named = rows.into_iter().find(|row| row.purpose == RowPurpose::Does(action));
        named.map_or_else(|| "Reset to Factory".to_owned(), |row| row.title.clone())
    }

    fn line_keys(&self, seen: &Seen) -> (Vec<LineKeyFace>, (u8, u8)) {
        let on_page = self.hand.line_keys();
        let (page, pages) = (self.page(seen), self.pages(seen));
        let first = usize::from(page).saturating_mul(usize::from(on_page));
        let keys = (1..=on_page).map(|key| {
            let line = seen.view.lines.get(first.saturating_add(usize::from(key)).saturating_sub(1));
            let shows = |line: &crate::screen::LineKey| (line.label.clone(), Some(line.registration));
            let (label, registration): (String, Option<Registration>) = line.map(shows).unwrap_or_default();
            LineKeyFace { key, label, registration }
        });
        (keys.collect(), (page.saturating_add(1), pages))
    }
}

fn keys(words: &[(&str, SoftAction)]) -> Vec<(String, SoftAction)> {
    words.iter().map(|(word, action)| ((*word).to_owned(), *action)).collect()
}

fn row(text: &str) -> Row {
    Row { text: text.to_owned(), ..Row::default() }
}

fn entry(question: &Question) -> Entry {
    Entry {
        prompt: question.prompt.clone(),
        text: question.typing.shown(),
        mode: question.typing.mode().map(crate::handset::typing::Mode::word),
    }
}

fn said(what: Shown, seen: &Seen) -> String {
    let view = &seen.view;
    match what {
        Shown::Model => view.model_name.clone(),
        Shown::Part => view.part.clone(),
        Shown::Mac => view.mac.to_string(),
        Shown::Address => view.address.map_or_else(String::new, |address| address.to_string()),
        Shown::Certificate => view.certificate.to_string(),
        Shown::Application => view.versions.application.clone(),
        Shown::Updater => view.versions.updater.clone(),
        Shown::Server => view.boot_server.clone().unwrap_or_default(),
    }
}

/// How far a call is; words of ours.
fn words(state: &CallState) -> String {
    match state {
        CallState::Dialing => "Dialing".to_owned(),
        CallState::Ringing => "Ringing".to_owned(),
        CallState::Connected => "Connected".to_owned(),
        CallState::Ended(by) => format!("Ended: {by}"),
    }
}

/// `1999-01-01 00:00` of an RFC 3339 time.
fn clock(time: &str) -> String {
    let (day, hour) = time.split_once('T').unwrap_or((time, ""));
    format!("{day} {}", hour.get(..5).unwrap_or(hour))
}
