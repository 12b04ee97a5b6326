//! The ladder: which image a phone may take next on its way to a version, or why none.
//!
//! Decides only by the steps of the catalog: what no step allows is refused. A phone is never offered another part's image,
//! never brought below a floor it stands on, never past a stop it must make (docs/THREATS.md, rule 21). Among legal ways
//! the shortest is taken, and of equals the one with the newest images, so that a way never turns back on itself.

use provost_catalog::{Catalog, FirmwareLine, FirmwareStep, Hardware, ImageKind, Version, VersionRange};
use std::collections::VecDeque;

/// An image at hand, as the ladder sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id in the image store.
    pub id: String,
    /// What it replaces.
    pub kind: ImageKind,
    /// The part number it is for; `None` for one that holds the images of a whole line.
    pub part: Option<String>,
    /// The line whose images a combined one holds.
    pub line: Option<String>,
    /// The version it brings: of the application, or of the updater for an updater's image.
    pub version: Version,
}

/// What a phone runs.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// Its application.
    pub version: &'a Version,
    /// Its updater or BootROM, where it said so.
    pub updater: Option<&'a Version>,
    /// Its hardware revision, where known.
    pub revision: Option<&'a str>,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it runs the target.
    There,
    /// It takes this image.
    Take {
        /// [`Stored::id`].
        image: String,
        /// The version it then has.
        to: Version,
        /// What the image replaces.
        kind: ImageKind,
        /// How many steps come after this one.
        left: usize,
    },
    /// It may take nothing; the reason in one sentence.
    Refused(String),
}

/// Whether an image is for this hardware at all.
///
/// # Errors
/// Why not, in one sentence.
pub fn fits(catalog: &Catalog, hardware: &Hardware, stored: &Stored) -> Result<(), String> {
    let line = line_of(catalog, hardware)?;
    let name = &hardware.name;
    match (&stored.part, &stored.line) {
        (Some(part), _) if !hardware.part_numbers.iter().any(|known| known.value == *part) => {
            return Err(format!("The image is for part {part}, which is no part of a {name}."));
        }
        (None, Some(of)) if *of != line.id => {
            return Err(format!("The image holds the software of another line than that of a {name}, {}.", line.name));
        }
        (None, None) => return Err("The image says neither a part nor a line it is for.".to_owned()),
        (Some(_), _) | (None, Some(_)) => {}
    }
    let leads = |step: &FirmwareStep| step.image == stored.kind && step.to.contains(&stored.version);
    if line.steps.iter().any(leads) {
        return Ok(());
    }
    Err(format!("No step of {} leads to {} {}.", line.name, stored.kind.as_str(), stored.version))
}

/// The next step of a phone that is to run `target`.
pub fn next_step(
    catalog: &Catalog,
    hardware: &Hardware,
    present: Present<'_>,
    (target, stored): (&Version, &[Stored]),
) -> Step {
    if present.version == target {
        return Step::There;
    }
    match Ladder::of(catalog, hardware, present, stored) {
        Ok(ladder) => ladder.next(target),
        Err(reason) => Step::Refused(reason),
    }
}

/// Every step from here to `target`, in order.
///
/// # Errors
/// Why there is no way, in one sentence.
pub fn every_step<'a>(
    catalog: &Catalog,
    hardware: &Hardware,
    present: Present<'_>,
    (target, stored): (&Version, &'a [Stored]),
) -> Result<Vec<&'a Stored>, String> {
    if present.version == target {
        return Ok(Vec::new());
    }
    Ladder::of(catalog, hardware, present, stored)?.way(target)
}

/// The step of the catalog that allows each image of a way that [`every_step`] found, in order.
pub fn allowed_by<'c>(
    catalog: &'c Catalog,
    hardware: &Hardware,
    present: Present<'_>,
    way: &[&Stored],
) -> Vec<&'c FirmwareStep> {
    let Ok(line) = line_of(catalog, hardware) else { return Vec::new() };
    let mut place = Place { version: present.version.clone(), updater: present.updater.cloned() };
    let mut steps = Vec::new();
    for image in way {
        steps.extend(line.steps.iter().find(|step| allows(step, &place) && leads_to(step, image)));
        place = after(&place, image);
    }
    steps
}

/// The newest application at hand that this phone can be brought to, not below `at_least` and not below what it runs.
pub fn newest<'a>(
    catalog: &Catalog,
    hardware: &Hardware,
    present: Present<'_>,
    (at_least, stored): (Option<&Version>, &'a [Stored]),
) -> Option<&'a Stored> {
    let ladder = Ladder::of(catalog, hardware, present, stored).ok()?;
    let mut candidates: Vec<&Stored> = ladder.images.iter().copied().filter(|image| is_application(image)).collect();
    candidates.retain(|image| at_least.is_none_or(|least| image.version >= *least));
    // Down is where a person says so by a version, never by itself.
    candidates.retain(|image| image.version >= *present.version);
    // Best first: the first that can be reached is the answer.
    candidates.sort_by(|a, b| b.version.cmp(&a.version));
    candidates.into_iter().find(|image| image.version == *present.version || ladder.way(&image.version).is_ok())
}

/// Where a phone stands on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    version: Version,
    updater: Option<Version>,
}

/// The steps and images of one phone.
struct Ladder<'a, 'c> {
    hardware: &'c Hardware,
    line: &'c FirmwareLine,
    /// The images that are for it, the newest first.
    images: Vec<&'a Stored>,
    from: Place,
    revision: Option<&'c str>,
}

impl<'a, 'c> Ladder<'a, 'c> {
    fn of(
        catalog: &'c Catalog,
        hardware: &'c Hardware,
        present: Present<'c>,
        stored: &'a [Stored],
    ) -> Result<Self, String> {
        let line = line_of(catalog, hardware)?;
        let mut images: Vec<&Stored> = stored.iter().filter(|image| fits(catalog, hardware, image).is_ok()).collect();
        images.sort_by(|a, b| b.version.cmp(&a.version).then(a.id.cmp(&b.id)));
        let from = Place { version: present.version.clone(), updater: present.updater.cloned() };
        Ok(Self { hardware, line, images, from, revision: present.revision })
    }

    fn next(&self, target: &Version) -> Step {
        match self.way(target) {
            Err(reason) => Step::Refused(reason),
            Ok(way) => way.first().map_or(Step::There, |first| Step::Take {
                image: first.id.clone(),
                to: first.version.clone(),
                kind: first.kind,
                left: way.len().saturating_sub(1),
            }),
        }
    }

    /// The shortest way, breadth first over the images at hand.
    fn way(&self, target: &Version) -> Result<Vec<&'a Stored>, String> {
        self.may_end_at(target)?;
        let mut seen = vec![self.from.clone()];
        let mut open: VecDeque<(Place, Vec<&Stored>)> = VecDeque::from([(self.from.clone(), Vec::new())]);
        while let Some((place, way)) = open.pop_front() {
            if place.version == *target {
                return Ok(way);
            }
            for image in self.images.iter().filter(|image| self.may_take(&place, image)) {
                let next = after(&place, image);
                if !seen.contains(&next) {
                    seen.push(next.clone());
                    open.push_back((next, way.iter().copied().chain([*image]).collect()));
                }
            }
        }
        Err(self.why_no_way(target))
    }

    /// Refuses targets that are wrong whatever the way.
    fn may_end_at(&self, target: &Version) -> Result<(), String> {
        let name = &self.hardware.name;
        if let Some(floor) = self.hardware.floor.as_ref().filter(|floor| *target < floor.value) {
            return Err(format!("{target} is below {}, the lowest a {name} is served with.", floor.value));
        }
        if self.crosses_hardware_floor(&self.from.version, target) {
            return Err(format!("{target} is below what the hardware of a {name} can run: it may become unusable."));
        }
        if let Some(hole) = self.reopens_hole(&self.from.version, target) {
            return Err(format!("{target} has a known hole, which {} has not{hole}.", self.from.version));
        }
        if let Some(bad) = self.bad(target) {
            return Err(format!("{target} is known to be bad on a {name}{bad}."));
        }
        if !self.images.iter().any(|image| is_application(image) && image.version == *target) {
            return Err(format!("No image with {target} for a {name} is stored."));
        }
        Ok(())
    }

    fn may_take(&self, place: &Place, image: &Stored) -> bool {
        let replaces = if is_application(image) { Some(&place.version) } else { place.updater.as_ref() };
        replaces != Some(&image.version)
            && self.line.steps.iter().any(|step| allows(step, place) && leads_to(step, image))
            && !(is_application(image) && self.is_forbidden(place, &image.version))
    }

    /// Below a floor the phone stands on, below its hardware's, or bad.
    fn is_forbidden(&self, place: &Place, to: &Version) -> bool {
        let floor = self.hardware.floor.as_ref().map(|floor| &floor.value);
        let below_floor = floor.is_some_and(|floor| to < floor && place.version >= *floor);
        below_floor
            || self.crosses_hardware_floor(&place.version, to)
            || self.reopens_hole(&place.version, to).is_some()
            || self.bad(to).is_some()
    }

    /// A phone without a known hole is not led back under it; the remark says which hole that is.
    fn reopens_hole(&self, from: &Version, to: &Version) -> Option<String> {
        let secure = self.hardware.secure_from.as_ref().filter(|secure| *from >= secure.value && *to < secure.value)?;
        Some(secure.note.as_deref().map_or(String::new(), |note| format!(" ({note})")))
    }

    /// A phone that runs less than the floor shows that the floor is not its own; going lower still shows nothing.
    fn crosses_hardware_floor(&self, from: &Version, to: &Version) -> bool {
        let holds = |revisions: &[String]| {
            revisions.is_empty() || self.revision.is_none_or(|own| revisions.iter().any(|known| known == own))
        };
        let floors = self.hardware.hardware_floors.iter().filter(|floor| holds(&floor.revisions));
        floors.into_iter().any(|floor| *to < floor.version && (from >= &floor.version || to < from))
    }

    /// What the catalog remarks on a bad version.
    fn bad(&self, version: &Version) -> Option<String> {
        let bad = self.hardware.known_bad.iter().find(|range| range.value.contains(version))?;
        Some(bad.note.as_deref().map_or(String::new(), |note| format!(" ({note})")))
    }

    fn why_no_way(&self, target: &Version) -> String {
        let (name, from) = (&self.hardware.name, &self.from.version);
        let here: Vec<&FirmwareStep> = self.line.steps.iter().filter(|step| step.from.contains(from)).collect();
        if here.is_empty() {
            return format!("No step is known for a {name} that runs {from}; nothing is tried on it.");
        }
        if self.from.updater.is_none() && here.iter().all(|step| step.updater.is_some()) {
            return format!(
                "Which BootROM a {name} with {from} has decides its next step, and it has not said that yet."
            );
        }
        let Some(stop) = here.iter().find(|step| allows(step, &self.from)) else {
            let updater = self.from.updater.as_ref().map_or(String::new(), ToString::to_string);
            return format!("No step is known for a {name} that runs {from} with updater {updater}.");
        };
        let direct = self.line.steps.iter().any(|step| allows(step, &self.from) && step.to.contains(target));
        if direct {
            return format!("{target} may not be put on a {name} that runs {from}: it would cross a floor.");
        }
        let what = if stop.image == ImageKind::Updater { "updater" } else { "version" };
        format!(
            "From {from} a {name} must stop at {what} {} on its way to {target}, and the stored images do not lead there.",
            words(&stop.to)
        )
    }
}

fn line_of<'c>(catalog: &'c Catalog, hardware: &Hardware) -> Result<&'c FirmwareLine, String> {
    if let Some(why) = &hardware.refused {
        return Err(why.clone());
    }
    let line = hardware.line.as_deref().and_then(|line| catalog.firmware_line(line));
    line.ok_or_else(|| {
        let last =
            hardware.last.as_ref().map_or(String::new(), |last| format!(": its last firmware is {}", last.value));
        format!("Nothing newer leads further for a {}{last}.", hardware.name)
    })
}

fn is_application(image: &Stored) -> bool {
    image.kind == ImageKind::Application
}

fn leads_to(step: &FirmwareStep, image: &Stored) -> bool {
    step.image == image.kind && step.to.contains(&image.version)
}

/// Whether a phone there may take this step; one that needs a certain updater is not taken on trust.
fn allows(step: &FirmwareStep, place: &Place) -> bool {
    let fits = |range: &VersionRange| place.updater.as_ref().is_some_and(|updater| range.contains(updater));
    step.from.contains(&place.version) && step.updater.as_ref().is_none_or(fits)
}

/// An application from 4.0 on brings an updater of its own, whose version its image does not say.
fn after(place: &Place, image: &Stored) -> Place {
    match image.kind {
        ImageKind::Application => Place { version: image.version.clone(), updater: None },
        ImageKind::Updater => Place { version: place.version.clone(), updater: Some(image.version.clone()) },
    }
}

fn words(range: &VersionRange) -> String {
    match (&range.from, &range.below) {
        (Some(from), Some(below)) => format!("{from} or later, below {below}"),
        (Some(from), None) => format!("{from} or later"),
        (None, Some(below)) => format!("below {below}"),
        (None, None) => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests;
