//! The catalog's procedures with this server's addresses in them.

use provost_app::{App, Pointing};
use provost_catalog::{Guide, Model};

/// A procedure, ready to be followed.
pub(super) struct FilledGuide {
    pub(super) title: String,
    pub(super) warning: Option<String>,
    pub(super) steps: Vec<Vec<Part>>,
    /// Why it is only probably right.
    pub(super) doubt: Option<String>,
}

/// A piece of a step.
pub(super) enum Part {
    Words(String),
    /// What is typed or pressed.
    Value(String),
}

/// What stands in the places of a step.
pub(super) struct Places {
    values: Vec<(&'static str, String)>,
}

impl Places {
    pub(super) fn new(app: &App, model: Option<&Model>) -> Self {
        let Pointing { server_type, server, sntp, dhcp_value, .. } = app.pointing();
        let mut values = vec![
            ("{server-type}", server_type.to_owned()),
            ("{server}", server),
            ("{sntp}", sntp),
            ("{dhcp-value}", dhcp_value),
        ];
        if let Some(keys) = model.and_then(|model| model.reset_keys.as_ref()) {
            values.push(("{reset-keys}", keys.value.join(" ")));
        }
        Self { values }
    }

    /// The guide, unless it needs what is not known.
    pub(super) fn filled(&self, guide: &Guide) -> Option<FilledGuide> {
        let steps: Option<Vec<_>> = guide.steps.iter().map(|step| self.step(step)).collect();
        Some(FilledGuide {
            title: guide.title.clone(),
            warning: guide.warning.clone(),
            steps: steps?,
            doubt: guide.note.clone(),
        })
    }

    /// A step in pieces; `None` when a place has no value.
    pub(super) fn step(&self, text: &str) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once('{') {
            let (name, after) = from.split_once('}')?;
            let (_, value) = self.values.iter().find(|(place, _)| place.trim_matches(['{', '}']) == name)?;
            parts.extend(quoted(before));
            parts.push(Part::Value(value.clone()));
            rest = after;
        }
        parts.extend(quoted(rest));
        Some(parts)
    }
}

/// Words in which what stands between backticks is read off a screen.
fn quoted(text: &str) -> impl Iterator<Item = Part> {
    let piece = |(at, piece): (usize, &str)| {
        if at % 2 == 1 { Part::Value(piece.to_owned()) } else { Part::Words(piece.to_owned()) }
    };
    text.split('`').enumerate().map(piece)
}

/// Whether the guide is for this model, or for any while none is chosen.
pub(super) fn is_for(guide: &Guide, model: Option<&Model>) -> bool {
    guide.families.is_empty() || model.is_some_and(|model| guide.families.contains(&model.family))
}
