//! A model as a drawing and as facts: made from the catalog, and without what it does not say.
//!
//! The drawing is a scheme. It shows as many line keys as the catalog counts, in two columns on the screen, as their
//! labels stand there; it claims nothing else about the case.

use provost_app::App;
use provost_catalog::{ActivationDoor, Evidence, Fact, Family, Hardware, Model, Version};
use std::fmt::Display;

/// A desk phone as SVG, in a box of 168 by 120 units.
pub(super) struct Picture {
    /// What it shows, for whoever does not see it.
    pub(super) words: String,
    /// The labels of the line keys.
    pub(super) keys: Vec<Oblong>,
    /// The keys one dials with.
    pub(super) dial: Vec<(u32, u32)>,
}

/// A rectangle.
pub(super) struct Oblong {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A model as a card shows it.
pub(super) struct ModelCard {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) family: String,
    pub(super) picture: Picture,
    pub(super) facts: Vec<Known>,
}

/// A fact and how well it is known.
pub(super) struct Known {
    pub(super) title: &'static str,
    pub(super) value: String,
    pub(super) evidence: &'static str,
    pub(super) note: Option<String>,
}

/// Where the screen is.
const SCREEN: Oblong = Oblong { x: 54, y: 14, width: 100, height: 50 };
/// More labels than can be told apart are not drawn.
const MOST_KEYS: u32 = 24;

impl Picture {
    fn of(name: &str, line_keys: Option<u32>) -> Self {
        let words = match line_keys {
            Some(1) => format!("Scheme of a {name}: one line key"),
            Some(count) => format!("Scheme of a {name}: {count} line keys"),
            None => format!("Scheme of a {name}"),
        };
        let dial = (0..4).flat_map(|row: u32| (0..3).map(move |column: u32| (row, column)));
        Self {
            words,
            keys: labels(line_keys.unwrap_or(0).min(MOST_KEYS)),
            dial: dial
                .map(|(row, column)| {
                    (column.saturating_mul(15).saturating_add(84), row.saturating_mul(9).saturating_add(73))
                })
                .collect(),
        }
    }
}

/// Two columns, the left one first.
fn labels(count: u32) -> Vec<Oblong> {
    let rows = count.div_ceil(2).max(1);
    let step = SCREEN.height.saturating_sub(4).div_euclid(rows);
    let label = |at: u32| {
        let (column, row) = (at.div_euclid(rows), at.rem_euclid(rows));
        let x = if column == 0 { SCREEN.x.saturating_add(3) } else { SCREEN.x.saturating_add(63) };
        let y = SCREEN.y.saturating_add(3).saturating_add(row.saturating_mul(step));
        Oblong { x, y, width: 34, height: step.saturating_sub(2).clamp(1, 9) }
    };
    (0..count).map(label).collect()
}

impl ModelCard {
    pub(super) fn new(app: &App, model: &Model) -> Self {
        let family = app.catalog().family(&model.family);
        let line_keys = model.line_keys.as_ref().map(|fact| fact.value);
        Self {
            id: model.id.clone(),
            name: model.name.value.clone(),
            family: family.map_or_else(|| model.family.clone(), |family| family.name.value.clone()),
            picture: Picture::of(&model.name.value, line_keys),
            facts: facts(model, (family, app.catalog().hardware(&model.id)), app.told().sip.is_some()),
        }
    }
}

fn facts(model: &Model, (family, hardware): (Option<&Family>, Option<&Hardware>), has_voice: bool) -> Vec<Known> {
    let version = |title, fact: Option<&Fact<Version>>| fact.map(|fact| known(title, fact, fact.value.to_string()));
    let number = |title, fact: &Option<Fact<u32>>| fact.as_ref().map(|fact| known(title, fact, fact.value.to_string()));
    let doors = family.map(|family| &family.activation_doors);
    let entered = doors.map(|fact| known("Code entered", fact, door_words(&fact.value, has_voice)));
    let facts = [
        number("Line keys", &model.line_keys),
        number("Lines it registers", &model.registrations),
        version("Lowest firmware", hardware.and_then(|it| it.floor.as_ref())),
        version("Newest firmware known", hardware.and_then(|it| it.last.as_ref())),
        entered,
    ];
    facts.into_iter().flatten().collect()
}

fn known<T>(title: &'static str, fact: &Fact<T>, value: impl Display) -> Known {
    Known { title, value: value.to_string(), evidence: evidence_words(fact.evidence), note: fact.note.clone() }
}

fn door_words(doors: &[ActivationDoor], has_voice: bool) -> String {
    let mut words = Vec::new();
    if has_voice && doors.contains(&ActivationDoor::Voice) {
        words.push("by its Activate key");
    }
    if has_voice && doors.contains(&ActivationDoor::SoftKey) {
        words.push("by its Enter code key");
    }
    words.push("on the web page for people");
    words.join(", ")
}

/// How well something is known, for people.
fn evidence_words(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::OnHardware => "seen on a phone",
        Evidence::VendorDoc => "maker's document",
        Evidence::PublicCode => "public code",
        Evidence::Community => "community",
        Evidence::Inferred => "inferred",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_as_many_line_keys_as_the_catalog_counts_all_on_the_screen() {
        for count in [0, 1, 2, 3, 4, 12, 16, 24] {
            let picture = Picture::of("Phone", Some(count));

            assert_eq!(picture.keys.len(), usize::try_from(count).unwrap());
            for key in &picture.keys {
                assert!(key.x > SCREEN.x && key.x + key.width < SCREEN.x + SCREEN.width, "{count}");
                assert!(key.y > SCREEN.y && key.y + key.height < SCREEN.y + SCREEN.height, "{count}");
            }
        }
        assert!(Picture::of("Phone", None).keys.is_empty());
    }
}
