//! Whole catalogs: the built-in one, broken ones, and models that exist in an overlay only.

use super::{MODELS, NOW, bound, catalog, document, overlay, unclaimed, url, values};
use crate::render::check::CheckError;
use crate::render::{RenderError, Target, bootstrap, check_catalog, settings_document};

/// A model nobody ever built, whole, with a spelling of its own.
const INVENTED: &str = r#"
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

[[setting]]
id = "pin.ztp"
parameter = "device.own.ztp"
families = ["own"]
kind = { type = "boolean" }
enable = true
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
fn every_model_of_the_built_in_catalog_can_be_served_in_every_country() {
    assert_eq!(check_catalog(&catalog(), NOW), Ok(()));
}

#[test]
fn a_parameter_broken_by_an_overlay_is_named_with_every_model_and_country_it_breaks() {
    let catalog = overlay("[[setting]]\nid = \"dial.digit-map\"\nkind = { type = \"text\", max-bytes = 3 }\n");

    let errors = check_catalog(&catalog, NOW).unwrap_err();

    assert_eq!(errors.len(), MODELS.len() * catalog.countries().count());
    let text =
        errors.iter().map(CheckError::to_string).find(|text| text.starts_with("model vvx450, country AT: ")).unwrap();
    assert!(text.contains("dialplan.digitmap") && text.contains("at most 3"), "{text}");
}

#[test]
fn a_parameter_that_a_new_model_lacks_is_named() {
    let (before, after) = INVENTED.split_once("[[setting]]\nid = \"pin.ztp\"").unwrap();
    let (_, after) = after.split_once("[[constant]]").unwrap();
    let catalog = overlay(&format!("{before}[[constant]]{after}"));

    let errors = check_catalog(&catalog, NOW).unwrap_err();

    let (setting, model, firmware) = ("pin.ztp".to_owned(), "own900".to_owned(), "9.0".to_owned());
    let wanted = RenderError::NoParameter { setting, model, firmware };
    assert_eq!(errors.len(), catalog.countries().count());
    for error in errors {
        assert!(
            matches!(&error, CheckError::Render { model, error, .. } if model == "own900" && *error == wanted),
            "{error}"
        );
    }
}

#[test]
fn a_model_of_an_overlay_alone_is_rendered_with_its_own_words() {
    let catalog = overlay(INVENTED);
    let model = catalog.model("own900").unwrap();
    let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };

    let before = settings_document(&catalog, &bootstrap(target, unclaimed(&url())).unwrap()).unwrap();
    let after = document(&catalog, &bound("own900"));

    assert_eq!(check_catalog(&catalog, NOW), Ok(()));
    assert!(before.contains("own.1.label=\"Activate\"") && before.contains("own.x=\"1\""), "{before}");
    assert!(after.contains("own.1.label=\"1001\"") && after.contains("device.own.ztp.set=\"1\""), "{after}");
    assert!(!after.contains("reg.1.label") && !after.contains("device.prov.ztpEnabled"), "{after}");
}

#[test]
fn the_built_in_models_are_those_of_the_goldens() {
    let catalog = catalog();
    let mut known: Vec<_> = catalog.models().map(|model| model.id.as_str()).collect();
    known.sort_unstable();
    let mut golden = MODELS;
    golden.sort_unstable();

    assert_eq!(known, golden);
    assert!(MODELS.iter().all(|model| !values(&catalog, &bound(model), NOW).is_empty()));
}
