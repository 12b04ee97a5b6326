//! Menus: moving in them, choosing a row, leaving them.
//!
//! Decides what a row does and when the person is asked what becomes of changes: where no menu below changes
//! parameters. Pure. Rows are the catalog's.

use provost_catalog::{Choice, Edit, EditForm, MenuAction, MenuRow, RowPurpose};

use crate::handset::desk::layer::{Change, Layer, Purpose, Question, Then};
use crate::handset::desk::{Desk, Ground, Seen, Wish, draw};
use crate::handset::hidden::Hidden;
use crate::handset::key::Key;
use crate::handset::typing::{Kind, Typing};

impl Desk {
    pub(super) fn press_menu(&mut self, key: Key, (ground, seen): (Ground, &Seen)) -> Option<Wish> {
        let count = self.open_rows().len();
        let shown = self.hand.shown_rows();
        let touch = self.hand.handset.touch.value;
        let Some(Layer::Menu { at, .. }) = self.layers.last_mut() else { return None };
        match key {
            Key::Up => *at = at.checked_sub(1).unwrap_or(count.saturating_sub(1)),
            Key::Down => *at = at.saturating_add(1).checked_rem(count).unwrap_or_default(),
            Key::VolumeUp | Key::VolumeDown | Key::Speaker | Key::HookDown => {}
            Key::Select | Key::Right => return self.select((ground, seen)),
            Key::Back | Key::Left => return self.leave(ground),
            Key::Home => return self.go_home(ground),
            Key::Touch(row) if touch => {
                let first = draw::first_row(*at, shown);
                let touched = first.saturating_add(usize::from(row)).checked_sub(1)?;
                if touched < count && usize::from(row) <= shown {
                    *at = touched;
                    return self.select((ground, seen));
                }
            }
            Key::Digit(digit) => {
                let row = usize::from(digit).checked_sub(1)?;
                if row < count {
                    *at = row;
                    return self.select((ground, seen));
                }
            }
            _ => {}
        }
        None
    }

    /// Does what the row the arrows are at is for.
    pub(super) fn select(&mut self, (ground, seen): (Ground, &Seen)) -> Option<Wish> {
        let Some(Layer::Menu { at, .. }) = self.layers.last() else { return None };
        let row = (*self.open_rows().get(*at)?).clone();
        match row.purpose {
            RowPurpose::Opens(menu) => {
                let then = Then::Open { menu, title: row.title };
                self.open_or_ask(then, (ground, seen))
            }
            RowPurpose::Shows(_) => None,
            RowPurpose::Edits(ref edit) => {
                self.edit(&row, edit, seen);
                None
            }
            RowPurpose::Does(action) => self.act(action),
        }
    }

    pub(super) fn act(&mut self, action: MenuAction) -> Option<Wish> {
        match action {
            MenuAction::Restart | MenuAction::UpdateConfiguration => {
                self.clear();
                Some(Wish::Do(action))
            }
            MenuAction::ChangeAdminPassword => {
                self.ask_first_password(Then::Back);
                None
            }
            MenuAction::SaveAndReboot => {
                let changes = std::mem::take(&mut self.changes);
                self.clear();
                Some(Wish::Save(Hidden(changes)))
            }
            MenuAction::Discard => {
                self.clear();
                Some(Wish::LeaveSetup)
            }
            MenuAction::ResetLocal
            | MenuAction::ResetWeb
            | MenuAction::ResetDevice
            | MenuAction::FormatFileSystem
            | MenuAction::ResetToFactory => {
                self.layers.push(Layer::Sure(action));
                None
            }
        }
    }

    pub(super) fn edit(&mut self, row: &MenuRow, edit: &Edit, seen: &Seen) {
        let now = self.value_of(&edit.parameter, seen).unwrap_or_default();
        let change = Change { title: row.title.clone(), parameter: edit.parameter.clone() };
        let layer = match &edit.form {
            EditForm::Choice(choices) => {
                let held = choices.iter().position(|choice| is_choice(choice, &now));
                let unset = choices.iter().position(|choice| Some(&choice.shown) == edit.unset.as_ref());
                Layer::Choosing { change, choices: choices.clone(), at: held.or(unset).unwrap_or_default() }
            }
            form => {
                let (kind, text) = match form {
                    EditForm::Secret => (Kind::Secret, String::new()),
                    EditForm::Number => (Kind::Number, now),
                    _ => (Kind::Address, now),
                };
                let typing = Typing::new(kind, &text);
                Layer::Asked(Question { prompt: change.title.clone(), purpose: Purpose::Value(change), typing })
            }
        };
        self.layers.push(layer);
    }

    pub(super) fn press_choice(&mut self, key: Key) -> Option<Wish> {
        let Some(Layer::Choosing { choices, at, .. }) = self.layers.last_mut() else { return None };
        match key {
            Key::Left | Key::Up => *at = at.checked_sub(1).unwrap_or(choices.len().saturating_sub(1)),
            Key::Right | Key::Down => *at = at.saturating_add(1).checked_rem(choices.len()).unwrap_or_default(),
            Key::Select => self.take_choice(),
            Key::Back => {
                self.layers.pop();
            }
            _ => {}
        }
        None
    }

    pub(super) fn take_choice(&mut self) {
        if let Some(Layer::Choosing { change, choices, at }) = self.layers.pop()
            && let Some(choice) = choices.into_iter().nth(at)
        {
            self.changes.insert(change.parameter, choice.value);
        }
    }

    /// Opens a menu, once the password it asks for is typed.
    pub(super) fn open_or_ask(&mut self, then: Then, (_, seen): (Ground, &Seen)) -> Option<Wish> {
        let asks = matches!(&then, Then::Open { menu, .. } if self.hand.menu(menu).is_some_and(|menu| menu.password));
        if !asks {
            return self.go_on(then);
        }
        self.ask_password(then.clone());
        self.first_if_none(then, seen)
    }

    pub(super) fn go_home(&mut self, ground: Ground) -> Option<Wish> {
        match ground {
            Ground::Idle if self.changes.is_empty() => self.clear(),
            _ => self.ask_leave(),
        }
        None
    }

    /// Leaves the layer on top.
    pub(super) fn leave(&mut self, ground: Ground) -> Option<Wish> {
        let Some(Layer::Menu { menu, .. }) = self.layers.last() else {
            self.cancel();
            return None;
        };
        let is_root = *menu == self.hand.tree.setup && ground != Ground::Idle;
        let edits = |layer: &Layer| matches!(layer, Layer::Menu { menu, .. } if self.has_edits(menu));
        let stays = self.layers.iter().rev().skip(1).any(edits);
        if *menu == self.hand.tree.leave || !is_root && (stays || self.changes.is_empty()) {
            self.layers.pop();
        } else {
            self.ask_leave();
        }
        None
    }

    pub(super) fn ask_leave(&mut self) {
        let menu = self.hand.tree.leave.clone();
        let asked = matches!(self.layers.last(), Some(Layer::Menu { menu: open, .. }) if *open == menu);
        if !asked {
            let title = self.hand.menu(&menu).map_or_else(String::new, |menu| menu.title.clone());
            self.layers.push(Layer::menu(menu, title));
        }
    }

    /// Whether a menu, or one below it, changes parameters.
    pub(super) fn has_edits(&self, menu: &str) -> bool {
        self.hand.rows(menu).iter().any(|row| matches!(row.purpose, RowPurpose::Edits(_)))
    }

    /// The rows of the menu on top.
    pub(super) fn open_rows(&self) -> Vec<&MenuRow> {
        match self.layers.last() {
            Some(Layer::Menu { menu, .. }) => self.hand.rows(menu),
            _ => Vec::new(),
        }
    }

    /// What a parameter is set to: changed just now, else in force.
    pub(super) fn value_of(&self, parameter: &str, seen: &Seen) -> Option<String> {
        let held = self.changes.get(parameter).or_else(|| seen.view.device.get(parameter));
        held.filter(|value| !value.is_empty()).cloned()
    }
}

/// Whether a parameter's value is this choice; configuration files spell some in several ways.
pub(super) fn is_choice(choice: &Choice, value: &str) -> bool {
    choice.value.eq_ignore_ascii_case(value) || choice.also.iter().any(|also| also.eq_ignore_ascii_case(value))
}
