use super::{catalog, overlay};
use crate::{Stage, Version};

/// A model nobody ever built, whole.
pub(super) const NEW_MODEL: &str = r#"
[[family]]
id = "own"
name = { value = "Own", source = "own", evidence = "inferred" }

[[boot-sequence]]
id = "own"
source = "own"
evidence = "inferred"
steps = [{ stage = "application", action = "master", file = "{mac}.cfg" }]

[[model]]
id = "own900"
name = { value = "Own 900", source = "own", evidence = "on-hardware" }
family = "own"
part-numbers = [{ value = "9999-00900-001", source = "own", evidence = "on-hardware" }]
user-agent-family = { value = "PolyOwn", source = "own", evidence = "on-hardware" }
user-agent-tokens = [{ value = "Own_900", source = "own", evidence = "on-hardware" }]
model-token = { value = "Own900", source = "own", evidence = "on-hardware" }
line-keys = { value = 8, source = "own", evidence = "on-hardware" }
boot-sequence = { value = "own", source = "own", evidence = "on-hardware" }
tls-offer = { value = "ecdhe-tls12", source = "own", evidence = "on-hardware" }
admin-password = { value = { alphabet = "0123456789", length = 8 }, source = "own", evidence = "inferred" }
reset-keys = { value = ["1"], source = "own", evidence = "inferred" }
gaps = [
  { field = "registrations", why = "unknown" },
  { field = "end-of-life", why = "unknown" },
]

[model.firmware]
reference = { value = "9.0", source = "own", evidence = "on-hardware" }
reference-updater = { value = "9.1", source = "own", evidence = "on-hardware" }

[[setting]]
id = "line.label"
parameter = "own.{line}.label"
families = ["own"]
kind = { type = "text", max-bytes = 20 }
source = "own"
evidence = "inferred"

[[constant]]
id = "own"
parameter = "own.x"
value = "1"
stages = ["bootstrap"]
model = "own900"
source = "own"
evidence = "inferred"
"#;

#[test]
fn an_overlay_alone_adds_a_whole_model() {
    let catalog = overlay(NEW_MODEL).unwrap();

    let model = catalog.model("own900").unwrap();
    let firmware = &model.firmware.reference.value;
    assert_eq!(catalog.models().count(), 4);
    assert_eq!(catalog.model_by_user_agent_token("Own_900"), Some(model));
    assert_eq!(catalog.model_by_part_number("9999-00900-001"), Some(model));
    assert_eq!(catalog.boot(model).unwrap().steps.len(), 1);
    assert_eq!(model.gaps.len(), 2);
    let label = catalog.setting("line.label", model, firmware).unwrap();
    assert_eq!(label.parameter(3, 1), "own.3.label");
    let last = catalog.constants(Stage::Bootstrap, model, firmware).pop().unwrap();
    assert_eq!(last.parameter, "own.x");
    let vvx = catalog.model("vvx450").unwrap();
    assert_eq!(catalog.setting("line.label", vvx, firmware).unwrap().parameter, "reg.{line}.label");
}

#[test]
fn a_known_id_is_changed_field_by_field() {
    let catalog = overlay(
        "[[model]]\nid = \"vvx450\"\n[model.firmware]\n\
         reference-updater = { value = \"6.4.8.1\", source = \"own\", evidence = \"on-hardware\" }\n",
    )
    .unwrap();

    let (before, after) = (super::catalog(), catalog.model("vvx450").unwrap());
    let before = before.model("vvx450").unwrap();
    assert_eq!(after.firmware.reference_updater.value.to_string(), "6.4.8.1");
    assert_eq!(after.firmware.reference, before.firmware.reference);
    assert_eq!(after.name, before.name);
}

#[test]
fn a_fact_is_changed_as_a_whole() {
    let catalog = overlay(
        "[[model]]\nid = \"vvx450\"\nline-keys = { value = 3, source = \"own\", evidence = \"on-hardware\" }\n",
    )
    .unwrap();

    let keys = catalog.model("vvx450").unwrap().line_keys.clone().unwrap();
    assert_eq!((keys.value, keys.note), (3, None));
}

#[test]
fn an_overlay_can_fill_a_gap() {
    assert_eq!(catalog().hardware("vvx500").unwrap().gaps.len(), 1);

    let catalog = overlay(
        "[[hardware]]\nid = \"vvx500\"\n\
         secure-from = { value = \"5.9.9\", source = \"own\", evidence = \"vendor-doc\" }\n",
    )
    .unwrap();

    assert_eq!(catalog.hardware("vvx500").unwrap().gaps, []);
}

#[test]
fn a_constant_and_a_tone_are_changed_in_one_line_each() {
    let catalog = overlay(
        "[[constant]]\nid = \"nat.keepalive\"\nvalue = \"25\"\n\
         [[country]]\ncode = \"FR\"\ntones.parameters.\"tone.chord.callProg.dialTone.freq.1\" = \"441\"\n",
    )
    .unwrap();

    let model = catalog.model("vvx450").unwrap();
    let firmware = &model.firmware.reference.value;
    let constants = catalog.constants(Stage::Configuration, model, firmware);
    let keepalive = constants.iter().find(|c| c.parameter == "nat.keepalive.interval").unwrap();
    assert_eq!(keepalive.value, "25");
    let tones = &catalog.country("FR").unwrap().tones;
    let dial = tones.iter().find(|t| t.parameter == "tone.chord.callProg.dialTone.freq.1").unwrap();
    assert_eq!(dial.value, "441");
    assert_eq!(tones.len(), super::catalog().country("FR").unwrap().tones.len());
}

#[test]
fn the_entry_for_the_fewest_phones_is_chosen() {
    let entry = |parameter: &str, more: &str| {
        format!(
            "[[setting]]\nid = \"own\"\nparameter = \"{parameter}\"\nkind = {{ type = \"boolean\" }}\n\
             source = \"own\"\nevidence = \"inferred\"\n{more}\n"
        )
    };
    let catalog = overlay(
        &[
            entry("own.all", ""),
            entry("own.new", "firmware = { from = \"6.0\" }"),
            entry("own.vvx", "families = [\"vvx\"]"),
            entry("own.vvx.between", "families = [\"vvx\"]\nfirmware = { from = \"5.0\", below = \"5.5\" }"),
        ]
        .concat(),
    )
    .unwrap();

    let chosen = |model: &str, firmware: &str| {
        let version: Version = firmware.parse().unwrap();
        let model = catalog.model(model).unwrap();
        catalog.setting("own", model, &version).unwrap().parameter.clone()
    };
    assert_eq!(chosen("vvx450", "6.4.7"), "own.vvx");
    assert_eq!(chosen("vvx450", "5.4"), "own.vvx.between");
    assert_eq!(chosen("spip550", "6.4.7"), "own.new");
    assert_eq!(chosen("spip550", "4.0.15"), "own.all");
}

#[test]
fn the_example_of_the_readme_is_a_good_overlay() {
    let readme = include_str!("../../../../catalog/README.md");
    let (_, example) = readme.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();

    let catalog = overlay(example).unwrap_or_else(|errors| panic!("{errors}"));

    let last = catalog.hardware("vvx450").unwrap().last.clone().unwrap();
    assert_eq!(last.value.to_string(), "6.4.7.4710");
}
