//! What was typed into the form of a layer, and the change that it asks for.

use super::super::gate::Posted;
use super::super::parts::Field;
use provost_app::LayerView;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::layers::{HIDDEN, LayerChange, SettingValue};

/// Settings and parameters that can be entered at a time.
const SETTING_ROWS: usize = 3;
const RAW_ROWS: usize = 2;

/// The form of a layer.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) settings: Vec<Row>,
    pub(super) raw: Vec<Row>,
    /// Entries that are to go: `settings.` or `raw.` and the name.
    pub(super) taken: Vec<String>,
    pub(super) reason: Field,
    /// The phone or device to look at first.
    pub(super) look_at: Field,
    /// What is wrong with no field in particular.
    pub(super) problems: Vec<String>,
}

/// One entry as it is typed.
#[derive(Default)]
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) name: Field,
    /// The line it is for; empty for every one.
    pub(super) line: String,
    pub(super) value: Field,
}

impl Row {
    fn empty(number: usize) -> Self {
        Self { number, ..Self::default() }
    }

    /// The entry's name with its line.
    fn full_name(&self) -> String {
        if self.line.is_empty() { self.name.typed.clone() } else { format!("{}@{}", self.name.typed, self.line) }
    }

    fn is_blank(&self) -> bool {
        self.name.typed.is_empty() && self.value.typed.is_empty() && self.line.is_empty()
    }

    /// What is missing; nothing where the row says what it wants, or says nothing.
    fn fault(&mut self, what: &str) -> bool {
        if self.is_blank() {
            return false;
        }
        if self.name.typed.is_empty() {
            self.name.error = Some(format!("Which {what}?"));
        } else if self.value.typed.is_empty() {
            self.value.error =
                Some("Type a value. To have it as if it were never set, mark it in the table above.".to_owned());
        } else {
            return false;
        }
        true
    }
}

impl Draft {
    /// An empty form, with these entries of the layer ready to be changed.
    pub(super) fn new(view: &LayerView, wanted: &[(String, String)]) -> Self {
        let named =
            |key: &'static str| wanted.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.clone());
        let settings = named("set").filter_map(|name| {
            let value = view.settings.get(&name)?;
            let (id, line) = name.split_once('@').unwrap_or((&name, ""));
            Some((id.to_owned(), line.to_owned(), value.clone()))
        });
        let raw = named("raw").filter_map(|name| {
            let value = view.raw.get(&name)?;
            Some((name.clone(), String::new(), if value == HIDDEN { String::new() } else { value.clone() }))
        });
        Self { settings: filled(settings, SETTING_ROWS), raw: filled(raw, RAW_ROWS), ..Self::default() }
    }

    /// What was typed.
    pub(super) fn typed(posted: &Posted) -> Self {
        let rows = |kind: &str, most: usize| {
            let row = |number: usize| {
                let field = |part: &str| Field::typed(posted.text(&format!("{kind}-{part}-{number}")));
                Row { number, name: field("name"), line: field("line").typed, value: field("value") }
            };
            (1..=most).map(row).collect()
        };
        Self {
            settings: rows("setting", SETTING_ROWS),
            raw: rows("raw", RAW_ROWS),
            taken: posted.all("take").map(str::to_owned).collect(),
            reason: Field::typed(posted.text("reason")),
            look_at: Field::typed(posted.text("look-at")),
            problems: Vec::new(),
        }
    }

    /// The change that was typed; `None` when something is missing, which stands beside its field then.
    pub(super) fn change(&mut self) -> Option<LayerChange> {
        let mut faults = false;
        for row in &mut self.settings {
            faults |= row.fault("setting");
        }
        for row in &mut self.raw {
            faults |= row.fault("parameter");
        }
        if faults {
            self.mark_first();
            return None;
        }
        let reason = Some(self.reason.typed.clone()).filter(|reason| !reason.is_empty());
        let mut change = LayerChange { reason, ..LayerChange::default() };
        for name in &self.taken {
            if let Some(name) = name.strip_prefix("settings.") {
                change.settings.insert(name.to_owned(), None);
            } else if let Some(name) = name.strip_prefix("raw.") {
                change.raw.insert(name.to_owned(), None);
            }
        }
        let value = |row: &Row| Some(SettingValue::Text(row.value.typed.clone()));
        for row in self.settings.iter().filter(|row| !row.is_blank()) {
            change.settings.insert(row.full_name(), value(row));
        }
        for row in self.raw.iter().filter(|row| !row.is_blank()) {
            change.raw.insert(row.name.typed.clone(), value(row));
        }
        if change.settings.is_empty() && change.raw.is_empty() {
            self.problems.push("Nothing was entered or marked.".to_owned());
            return None;
        }
        Some(change)
    }

    /// Puts every error beside its field.
    pub(super) fn refuse(&mut self, FieldErrors(mut errors): FieldErrors) {
        for row in &mut self.settings {
            let name = format!("settings.{}", row.full_name());
            row.value.take(&name, &mut errors);
        }
        for row in &mut self.raw {
            let name = format!("raw.{}", row.name.typed);
            row.value.take(&name, &mut errors);
        }
        self.reason.take("reason", &mut errors);
        self.look_at.take("look-at", &mut errors);
        let told = |FieldError { field, message }| format!("{field} {message}");
        self.problems.extend(errors.into_iter().map(told));
        self.mark_first();
    }

    pub(super) fn is_taken(&self, key: &str) -> bool {
        self.taken.iter().any(|taken| taken == key)
    }

    /// Whether raw parameters are at hand: they are out of the way while nobody wants one.
    pub(super) fn has_raw(&self) -> bool {
        self.raw.iter().any(|row| !row.is_blank())
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.problems.is_empty() || self.fields().any(|field| field.error.is_some())
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        let rows = self.settings.iter().chain(&self.raw).flat_map(|row| [&row.name, &row.value]);
        rows.chain([&self.reason, &self.look_at])
    }

    fn mark_first(&mut self) {
        let rows = self.settings.iter_mut().chain(&mut self.raw).flat_map(|row| [&mut row.name, &mut row.value]);
        let mut fields = rows.chain([&mut self.reason, &mut self.look_at]);
        if let Some(first) = fields.find(|field| field.error.is_some()) {
            first.is_first = true;
        }
    }
}

fn filled(entries: impl Iterator<Item = (String, String, String)>, most: usize) -> Vec<Row> {
    let mut rows: Vec<_> = (1..=most).map(Row::empty).collect();
    for (row, (name, line, value)) in rows.iter_mut().zip(entries) {
        (row.name, row.line, row.value) = (Field::typed(&name), line, Field::typed(&value));
    }
    rows
}
