//! The ladder walked from everywhere; what is legal is judged here anew, from the catalog's steps.

use super::*;
use proptest::prelude::*;
use std::sync::LazyLock;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::built_in().unwrap());

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn hardware(id: &str) -> &'static Hardware {
    CATALOG.hardware(id).unwrap()
}

/// An image of the first part of this hardware.
fn image(id: &str, kind: ImageKind, text: &str) -> Stored {
    let part = hardware(id).part_numbers[0].value.clone();
    let name = format!("{id} {} {text}", kind.as_str());
    Stored { id: name, kind, part: Some(part), line: None, version: version(text) }
}

fn application(id: &str, text: &str) -> Stored {
    image(id, ImageKind::Application, text)
}

fn present<'a>(version: &'a Version, updater: Option<&'a Version>) -> Present<'a> {
    Present { version, updater, revision: None }
}

/// The versions on the way, or the refusal.
fn way(id: &str, from: (&str, Option<&str>), to: &str, stored: &[Stored]) -> Result<Vec<String>, String> {
    let (runs, updater) = (version(from.0), from.1.map(version));
    let steps = every_step(&CATALOG, hardware(id), present(&runs, updater.as_ref()), (&version(to), stored))?;
    Ok(steps.iter().map(|image| format!("{} {}", image.kind.as_str(), image.version)).collect())
}

#[test]
fn a_soundpoint_goes_by_the_upgrader_to_4_0_15() {
    let stored = [image("spip550", ImageKind::Updater, "4.4.0"), application("spip550", "4.0.15.1047")];

    let found = way("spip550", ("3.1.8", Some("4.2.2")), "4.0.15.1047", &stored).unwrap();

    assert_eq!(found, ["updater 4.4.0", "application 4.0.15.1047"]);
}

#[test]
fn a_soundpoint_is_never_brought_to_4_0_15_without_the_upgrader() {
    let stored = [application("spip550", "4.0.15.1047")];

    let refused = way("spip550", ("3.1.8", Some("4.2.2")), "4.0.15.1047", &stored).unwrap_err();
    assert!(refused.contains("must stop at updater 4.4 or later"), "{refused}");
    let refused = way("spip550", ("3.1.8", None), "4.0.15.1047", &stored).unwrap_err();
    assert!(refused.contains("BootROM"), "{refused}");
}

#[test]
fn a_vvx_500_stops_where_its_updater_must_be_replaced() {
    let versions = ["5.5.2.8571", "5.7.3.1797", "5.9.8.5760"];
    let stored = versions.map(|text| application("vvx500", text));

    let found = way("vvx500", ("4.1.4.7430", None), "5.9.8.5760", &stored).unwrap();
    assert_eq!(found, versions.map(|text| format!("application {text}")));

    let refused =
        way("vvx500", ("4.1.4.7430", None), "5.9.8.5760", &[stored[0].clone(), stored[2].clone()]).unwrap_err();
    assert!(refused.contains("must stop"), "{refused}");
}

#[test]
fn a_vvx_450_goes_down_to_6_4_3_and_no_further() {
    let stored = ["6.4.2.3008", "6.4.3.5814", "6.4.7.4560"].map(|text| application("vvx450", text));

    assert_eq!(way("vvx450", ("6.4.7.4560", None), "6.4.3.5814", &stored).unwrap(), ["application 6.4.3.5814"]);
    let refused = way("vvx450", ("6.4.7.4560", None), "6.4.2.3008", &stored).unwrap_err();
    assert!(refused.contains("6.4.3, the lowest"), "{refused}");
}

#[test]
fn a_phone_that_runs_less_than_its_hardwares_floor_goes_up_by_the_stops_of_older_hardware() {
    let stored = ["5.9.5.0614", "6.4.7.4560"].map(|text| application("vvx450", text));

    let found = way("vvx450", ("5.9.1.0615", None), "6.4.7.4560", &stored).unwrap();

    assert_eq!(found, ["application 5.9.5.0614", "application 6.4.7.4560"]);
}

#[test]
fn another_parts_image_is_not_there_for_a_phone() {
    let foreign = application("vvx401", "5.9.8.5760");

    let why = fits(&CATALOG, hardware("vvx400"), &foreign).unwrap_err();

    assert_eq!(why, "The image is for part 3111-48400-001, which is no part of a VVX 400.");
    let refused = way("vvx400", ("5.9.7.3480", None), "5.9.8.5760", &[foreign]).unwrap_err();
    assert_eq!(refused, "No image with 5.9.8.5760 for a VVX 400 is stored.");
}

#[test]
fn phones_of_another_platform_get_no_image() {
    let runs = version("8.0.0");
    let step = next_step(&CATALOG, hardware("vvxd230"), present(&runs, None), (&version("8.1"), &[]));

    assert!(matches!(&step, Step::Refused(why) if why.contains("OBi firmware")), "{step:?}");
}

#[test]
fn a_phone_without_a_known_hole_is_not_led_back_under_it() {
    let stored = ["6.4.7.4560", "6.4.8.1000"].map(|text| application("vvx450", text));

    let refused = way("vvx450", ("6.4.8.1000", None), "6.4.7.4560", &stored).unwrap_err();

    assert!(refused.starts_with("6.4.7.4560 has a known hole, which 6.4.8.1000 has not (CVE-2026-0826"), "{refused}");
    assert_eq!(way("vvx450", ("6.4.3.5814", None), "6.4.7.4560", &stored).unwrap(), ["application 6.4.7.4560"]);
}

#[test]
fn a_floor_of_some_revisions_binds_those_and_whoever_did_not_say_his() {
    let overlay = "[[hardware]]\nid = \"vvx450\"\nfloor = { value = \"6.4\", source = \"own\", evidence = \"inferred\" }\n\
                   hardware-floors = [{ version = \"6.4.3\", revisions = [\"B\"], source = \"own\", evidence = \"inferred\" }]\n\
                   known-bad = [{ value = { from = \"6.4.5\", below = \"6.4.6\" }, source = \"own\", evidence = \"inferred\", note = \"no sound\" }]\n";
    let catalog = Catalog::with_overlay(&[provost_catalog::SourceText { name: "own.toml", text: overlay }]).unwrap();
    let known = catalog.hardware("vvx450").unwrap();
    let stored = ["6.4.1.1000", "6.4.5.1000"].map(|text| application("vvx450", text));
    let runs = version("6.4.4.8275");
    let led = |revision: Option<&str>, target: &str| {
        next_step(&catalog, known, Present { version: &runs, updater: None, revision }, (&version(target), &stored))
    };

    assert!(matches!(led(Some("A"), "6.4.1.1000"), Step::Take { .. }));
    for revision in [Some("B"), None] {
        let step = led(revision, "6.4.1.1000");
        assert!(matches!(&step, Step::Refused(why) if why.contains("may become unusable")), "{step:?}");
    }
    let bad = led(Some("A"), "6.4.5.1000");
    assert!(matches!(&bad, Step::Refused(why) if why.contains("known to be bad on a VVX 450 (no sound)")), "{bad:?}");
}

#[test]
fn a_bootrom_older_than_signed_images_is_not_led() {
    let stored = [image("spip550", ImageKind::Updater, "4.4.0"), application("spip550", "4.0.15.1047")];

    let refused = way("spip550", ("3.1.8", Some("2.5.1")), "4.0.15.1047", &stored).unwrap_err();

    assert_eq!(refused, "No step is known for a SoundPoint IP 550 that runs 3.1.8 with updater 2.5.1.");
}

#[test]
fn a_soundstation_has_an_updater_of_its_own() {
    let stored = [image("ssip6000", ImageKind::Updater, "5.0.8.0001"), application("ssip6000", "4.0.15.1047")];

    let found = way("ssip6000", ("3.2.4.0267", Some("4.2.2.0710")), "4.0.15.1047", &stored).unwrap();

    assert_eq!(found, ["updater 5.0.8.0001", "application 4.0.15.1047"]);
}

#[test]
fn a_ccx_stays_on_its_line() {
    let stored = ["7.1.0.100", "8.1.2"].map(|text| application("ccx500", text));

    let refused = way("ccx500", ("7.0.1", None), "8.1.2", &stored).unwrap_err();

    assert!(refused.contains("do not lead there"), "{refused}");
    assert_eq!(way("ccx500", ("7.0.1", None), "7.1.0.100", &stored).unwrap(), ["application 7.1.0.100"]);
}

#[test]
fn the_newest_is_what_can_be_reached_and_has_no_known_hole() {
    let stored = ["6.4.7.4560", "6.4.8.1"].map(|text| application("vvx450", text));
    let runs = version("6.4.3.5814");
    let (vvx, secure) = (hardware("vvx450"), hardware("vvx450").secure_from.as_ref().map(|fact| &fact.value));

    let found = newest(&CATALOG, vvx, present(&runs, None), (secure, &stored)).unwrap();

    assert_eq!(found.version, version("6.4.8.1"));
    assert_eq!(newest(&CATALOG, vvx, present(&runs, None), (secure, &stored[..1])), None);
    // With nothing between, a phone on 5.5 is not led to 6.4.
    let old = version("5.5.2.8571");
    assert_eq!(
        newest(&CATALOG, hardware("vvx401"), present(&old, None), (None, &[application("vvx401", "6.4.7.4560")])),
        None
    );
}

/// Versions around every bound of every step and fact, and a little beyond.
fn versions() -> Vec<Version> {
    let mut all: Vec<Version> = ["1.0", "2.1", "3.1.8", "3.3.5.0247", "4.2.2.0710", "9.9.9"].map(version).to_vec();
    let around = |bound: &Version| [bound.clone(), version(&format!("{bound}.1")), version(&format!("{bound}.9999"))];
    for line in CATALOG.firmware_lines() {
        for step in &line.steps {
            for range in [Some(&step.from), Some(&step.to), step.updater.as_ref()].into_iter().flatten() {
                all.extend(range.from.iter().chain(&range.below).flat_map(around));
            }
        }
    }
    for known in CATALOG.all_hardware() {
        let facts = [&known.floor, &known.secure_from, &known.last];
        all.extend(facts.into_iter().flatten().flat_map(|fact| around(&fact.value)));
        all.extend(known.hardware_floors.iter().flat_map(|floor| around(&floor.version)));
    }
    all.sort();
    all.dedup();
    all
}

static VERSIONS: LazyLock<Vec<Version>> = LazyLock::new(versions);
static ALL: LazyLock<Vec<&'static Hardware>> = LazyLock::new(|| CATALOG.all_hardware().collect());

fn any_version() -> impl Strategy<Value = Version> {
    (0..VERSIONS.len()).prop_map(|at| VERSIONS[at].clone())
}

/// An image of any part or line there is, with any version.
fn any_image() -> impl Strategy<Value = Stored> {
    let parts: Vec<String> = ALL.iter().flat_map(|known| &known.part_numbers).map(|part| part.value.clone()).collect();
    let lines: Vec<String> = CATALOG.firmware_lines().map(|line| line.id.clone()).collect();
    let of = (0..parts.len(), 0..lines.len(), any::<bool>());
    (of, any::<bool>(), any_version()).prop_map(move |((part, line, split), application, version)| {
        let kind = if application { ImageKind::Application } else { ImageKind::Updater };
        let (part, line) = if split { (Some(parts[part].clone()), None) } else { (None, Some(lines[line].clone())) };
        Stored { id: format!("{part:?} {line:?} {kind:?} {version}"), kind, part, line, version }
    })
}

/// Judges one step of a walk anew.
fn is_legal(known: &Hardware, (runs, updater): (&Version, Option<&Version>), image: &Stored) -> bool {
    let line = CATALOG.firmware_line(known.line.as_ref().unwrap()).unwrap();
    let is_its_own = match &image.part {
        Some(part) => known.part_numbers.iter().any(|own| own.value == *part),
        None => image.line.as_ref() == known.line.as_ref(),
    };
    let has_step = line.steps.iter().any(|step| {
        step.from.contains(runs)
            && step.to.contains(&image.version)
            && step.image == image.kind
            && step.updater.as_ref().is_none_or(|range| updater.is_some_and(|own| range.contains(own)))
    });
    let floors =
        known.floor.iter().map(|fact| &fact.value).chain(known.hardware_floors.iter().map(|floor| &floor.version));
    let floors = floors.chain(known.secure_from.iter().map(|fact| &fact.value));
    let crosses = floors.into_iter().any(|floor| runs >= floor && image.version < *floor);
    is_its_own && has_step && (image.kind == ImageKind::Updater || !crosses)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn every_walk_ends_at_the_target_or_in_a_refusal_by_legal_steps(
        which in 0..ALL.len(),
        (runs, updater, target) in (any_version(), proptest::option::of(any_version()), any_version()),
        foreign in proptest::collection::vec(any_image(), 0..12),
        own in proptest::collection::vec((any::<bool>(), any_version()), 0..12),
    ) {
        let known = ALL[which];
        let mut stored = foreign;
        if let Some(part) = known.part_numbers.first() {
            stored.extend(own.into_iter().map(|(application, version)| {
                let kind = if application { ImageKind::Application } else { ImageKind::Updater };
                Stored { id: format!("own {kind:?} {version}"), kind, part: Some(part.value.clone()), line: None, version }
            }));
        }
        let (mut runs, mut updater) = (runs, updater);
        let mut been = vec![(runs.clone(), updater.clone())];
        loop {
            let step = next_step(&CATALOG, known, present(&runs, updater.as_ref()), (&target, &stored));
            let Step::Take { image, to, .. } = step else {
                prop_assert!(matches!(&step, Step::Refused(why) if why.ends_with('.')) || runs == target);
                break;
            };
            let image = stored.iter().find(|one| one.id == image && one.version == to).unwrap();
            prop_assert!(is_legal(known, (&runs, updater.as_ref()), image), "{} {runs} {image:?}", known.id);
            match image.kind {
                ImageKind::Application => (runs, updater) = (to, None),
                ImageKind::Updater => updater = Some(to),
            }
            prop_assert!(!been.contains(&(runs.clone(), updater.clone())), "{} was at {runs} before", known.id);
            been.push((runs.clone(), updater.clone()));
        }
    }
}

/// The stops nobody may skip, written down by hand from the sources: who runs less than the second version and is to have
/// at least the third goes through a version from the second to before the fourth.
const STOPS: [(&str, ImageKind, &str, &str, &str); 5] = [
    ("soundpoint-4", ImageKind::Updater, "4.4", "4.0", "4.5"),
    ("soundstation-4", ImageKind::Updater, "5.0.8", "4.0", "5.1"),
    ("vvx-5", ImageKind::Application, "5.7.3", "5.8", "5.8"),
    ("vvx-6", ImageKind::Application, "5.7.3", "5.8", "5.8"),
    ("vvx-6", ImageKind::Application, "5.9.5", "6.0", "6.0"),
];

/// Whether a walk skipped one of [`STOPS`].
fn skipped(known: &Hardware, (runs, updater): (&Version, &Version), walk: &[&Stored]) -> Option<&'static str> {
    let line = known.line.as_deref()?;
    let target = &walk.last()?.version;
    STOPS.iter().filter(|stop| stop.0 == line).find_map(|(_, kind, from, beyond, below)| {
        let has = if *kind == ImageKind::Application { runs } else { updater };
        let is_due = *has < version(from) && *target >= version(beyond) && *runs < version(beyond);
        let stops_there =
            |image: &&Stored| image.kind == *kind && image.version >= version(from) && image.version < version(below);
        (is_due && !walk.iter().any(stops_there)).then_some(*from)
    })
}

#[test]
fn every_pair_of_versions_of_every_hardware_is_judged() {
    // All versions on hand at once, for each hardware: what is on a line is reached or refused, what is not is refused.
    for known in ALL.iter().filter(|known| !known.part_numbers.is_empty()) {
        let part = &known.part_numbers[0].value;
        let of = |kind: ImageKind| {
            VERSIONS.iter().map(move |version| Stored {
                id: format!("{} {version}", kind.as_str()),
                kind,
                part: Some(part.clone()),
                line: None,
                version: version.clone(),
            })
        };
        let stored: Vec<Stored> = of(ImageKind::Application).chain(of(ImageKind::Updater)).collect();
        let updater = version("4.2.2");
        for runs in VERSIONS.iter().step_by(7) {
            for target in VERSIONS.iter().step_by(5) {
                let from = present(runs, Some(&updater));
                if let Ok(steps) = every_step(&CATALOG, known, from, (target, &stored)) {
                    assert!(steps.len() <= 4, "{} from {runs} to {target}: {} steps", known.id, steps.len());
                    assert!(runs == target || steps.last().unwrap().version == *target);
                    let allowed = allowed_by(&CATALOG, known, from, &steps);
                    assert_eq!(allowed.len(), steps.len(), "{}: a step of the catalog allows each image", known.id);
                    let skipped = skipped(known, (runs, &updater), &steps);
                    assert_eq!(skipped, None, "{} from {runs} to {target}: {steps:?}", known.id);
                }
            }
        }
    }
}
