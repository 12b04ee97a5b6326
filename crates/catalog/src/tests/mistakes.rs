use super::{mistakes, overlay};
use crate::{Catalog, SourceText};
use proptest::prelude::*;

/// A setting that is right but for what a test adds.
fn setting_with(line: &str) -> String {
    format!(
        "[[setting]]\nid = \"own\"\nparameter = \"own.x\"\nkind = {{ type = \"boolean\" }}\n\
         source = \"own\"\nevidence = \"inferred\"\n{line}\n"
    )
}

#[test]
fn bad_syntax_is_shown_with_its_line() {
    let found = mistakes("# fine\nx = \n");

    assert!(found[0].starts_with("own.toml:2: not valid TOML: "), "{found:?}");
}

#[test]
fn an_unknown_key_is_refused_with_the_keys_there_are() {
    let found = mistakes(&setting_with("enabel = true"));

    let [mistake] = found.as_slice() else { panic!("{found:?}") };
    assert!(mistake.starts_with("own.toml:7: unknown key `enabel`; remove it or write one of: "));
    assert!(mistake.contains("enable"));
}

#[test]
fn an_unknown_section_is_refused() {
    let found = mistakes("\n[[phone]]\nid = \"x\"\n");

    assert!(found[0].starts_with("own.toml:2: unknown key `phone`"), "{found:?}");
}

#[test]
fn one_entry_is_not_written_as_many_nor_many_as_one() {
    let found = mistakes("[[directory]]\nroot = \"x\"\n");
    assert_eq!(found, ["own.toml:1: expected one table [name], found a list; correct it"]);

    let found = mistakes("[model]\nid = \"x\"\n");
    assert_eq!(found, ["own.toml:1: expected tables [[name]], found a table; correct it"]);
}

#[test]
fn a_missing_key_is_named_at_its_entry() {
    let found = mistakes("\n[[gap]]\nfield = \"own\"\n");

    assert_eq!(found, ["own.toml:2: `why` is missing; add it"]);
}

#[test]
fn every_fact_needs_source_and_evidence() {
    let found = mistakes("[[model]]\nid = \"vvx450\"\nname = { value = \"VVX 450\" }\n");

    assert_eq!(found, ["own.toml:3: `source` is missing; add it", "own.toml:3: `evidence` is missing; add it"]);
}

#[test]
fn an_empty_source_is_none() {
    let found =
        mistakes("[[model]]\nid = \"vvx450\"\nname = { value = \"x\", source = \" \", evidence = \"inferred\" }\n");

    assert_eq!(found, ["own.toml:3: `source` is empty; write its text"]);
}

#[test]
fn a_value_of_another_kind_is_refused() {
    let found = mistakes(&setting_with("enable = \"yes\""));

    assert_eq!(found, ["own.toml:7: expected true or false, found text; correct it"]);
}

#[test]
fn an_unknown_word_is_refused_with_the_words_there_are() {
    let found = mistakes(
        "[[file]]\nid = \"own\"\npattern = \"own.cfg\"\nrole = \"firmware\"\nsource = \"own\"\nevidence = \"hearsay\"\n",
    );

    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("own.toml:4: `firmware` is not one of the words here; write one of: master, "));
    assert!(found[1].starts_with("own.toml:6: `hearsay` is not one of the words here; write one of: on-hardware, "));
}

#[test]
fn a_bad_version_and_an_empty_range_are_refused() {
    let found = mistakes(&setting_with("firmware = { from = \"4.x\" }"));
    assert!(found[0].starts_with("own.toml:7: `4.x` is not a version"), "{found:?}");

    let found = mistakes(&setting_with("firmware = { from = \"6.0\", below = \"5.9\" }"));
    assert!(found[0].starts_with("own.toml:7: no version is from 6.0 on and below 5.9"), "{found:?}");
}

#[test]
fn numbers_have_bounds() {
    let found = mistakes("[directory]\nlabel-max-bytes = -1\n");
    assert_eq!(found, ["own.toml:2: -1 is outside 0 to 4294967295; write a number within"]);

    let found = mistakes("[directory]\nlabel-max-bytes = 99999999999999999999\n");
    assert!(found[0].starts_with("own.toml:2: 99999999999999999999 is larger than"), "{found:?}");
}

#[test]
fn one_identity_stands_once_in_the_operators_files() {
    let twice = format!("{}{}", setting_with(""), setting_with(""));

    let found = mistakes(&twice);

    assert_eq!(found, ["own.toml:8: setting `own` is already in own.toml:1; remove one of them"]);
}

#[test]
fn entries_without_identity_are_not_taken_for_one_another() {
    let found = mistakes("[[family]]\n[[family]]\n");

    assert_eq!(
        found,
        [
            "own.toml:1: `id` is missing; add it",
            "own.toml:1: `name` is missing; add it",
            "own.toml:2: `id` is missing; add it",
            "own.toml:2: `name` is missing; add it",
        ]
    );
}

#[test]
fn references_must_lead_somewhere() {
    let found = mistakes(&setting_with("families = [\"vvx\", \"trio\"]"));
    assert!(found[0].starts_with("own.toml:7: there is no family `trio`; add it or write one of: "));

    let found = mistakes(
        "[[model]]\nid = \"vvx450\"\nfamily = \"trio\"\n\
         boot-sequence = { value = \"trio\", source = \"own\", evidence = \"inferred\" }\n",
    );
    assert!(found[0].starts_with("own.toml:3: there is no family `trio`"), "{found:?}");
    assert!(found[1].starts_with("own.toml:4: there is no boot sequence `trio`"), "{found:?}");
}

#[test]
fn a_part_number_belongs_to_one_model() {
    let found = mistakes(
        "[[model]]\nid = \"vvx450\"\n\
         part-numbers = [{ value = \"3111-44500-001\", source = \"own\", evidence = \"inferred\" }]\n",
    );

    let [mistake] = found.as_slice() else { panic!("{found:?}") };
    assert!(mistake.contains("part-numbers `3111-44500-001` is already in "), "{mistake}");
}

#[test]
fn texts_that_break_their_form_are_refused() {
    for (text, line) in [
        ("[[model]]\nid = \"VVX 450\"\n", 2),
        (
            "[[model]]\nid = \"vvx450\"\npart-numbers = [{ value = \"48840\", source = \"own\", evidence = \"inferred\" }]\n",
            3,
        ),
        ("[[country]]\ncode = \"gb\"\n", 2),
        ("[[authority]]\nid = \"polycom-root\"\nsha256 = \"5a9a\"\n", 3),
        ("[[authority]]\nid = \"polycom-root\"\naddress = \"https://pki.example/root.crt\"\n", 3),
        ("[[authority]]\nid = \"polycom-root\"\naddress = \"http://pki.example/\"\n", 3),
        ("[[file]]\nid = \"master\"\npattern = \"{serial}.cfg\"\n", 3),
        ("[[file]]\nid = \"master\"\npattern = \"*a*.cfg\"\n", 3),
        ("[[setting]]\nid = \"line.address\"\nparameter = \"reg.{n}.address\"\n", 3),
        ("[[constant]]\nid = \"nat.keepalive\"\nparameter = \"own.{server}.x\"\n", 3),
        ("[[country]]\ncode = \"FR\"\n[country.tones.parameters]\n\"a b\" = \"1\"\n", 3),
        ("[[setting]]\nid = \"line.address\"\nparameter = \"a b\"\n", 3),
        ("[phone-rules]\nuser-agent = { value = \"{token}\", source = \"own\", evidence = \"inferred\" }\n", 2),
    ] {
        let found = mistakes(text);
        let form = format!("own.toml:{line}: `");
        assert!(found.iter().any(|m| m.starts_with(&form) && m.contains("` is not ")), "{found:?}");
    }
}

#[test]
fn a_field_without_a_source_is_filled_or_admitted() {
    let found = mistakes(&super::overlay::NEW_MODEL.replace("line-keys = ", "# line-keys = "));

    let [mistake] = found.as_slice() else { panic!("{found:?}") };
    assert!(mistake.contains("`line-keys` is neither filled nor listed in `gaps`"), "{mistake}");
}

#[test]
fn only_fields_that_may_be_empty_can_be_gaps() {
    let found = mistakes("[[model]]\nid = \"vvx450\"\ngaps = [{ field = \"name\", why = \"x\" }]\n");

    assert!(found[0].starts_with("own.toml:3: `name` is not one of the words here"), "{found:?}");
}

#[test]
fn the_bootstrap_holds_no_platform_parameter() {
    for parameter in ["device.prov.serverName", "device.set", "Device.auth.localAdminPassword"] {
        let found = mistakes(&format!(
            "[[constant]]\nid = \"own\"\nparameter = \"{parameter}\"\nvalue = \"x\"\n\
             stages = [\"configuration\", \"bootstrap\"]\nenable = true\nsource = \"own\"\nevidence = \"inferred\"\n"
        ));

        let [mistake] = found.as_slice() else { panic!("{found:?}") };
        assert!(mistake.starts_with(&format!("own.toml:3: `{parameter}` may not be in the bootstrap stage")));
    }
}

#[test]
fn exactly_platform_parameters_have_the_enable_key() {
    let found = mistakes(&setting_with("enable = true"));
    assert!(found[0].starts_with("own.toml:7: `enable` must be false for `own.x`"), "{found:?}");

    let found = mistakes(&setting_with("").replace("own.x", "device.x"));
    assert!(found[0].starts_with("own.toml:1: `enable` must be true for `device.x`"), "{found:?}");
}

#[test]
fn two_constants_never_write_one_parameter_in_one_stage_and_scope() {
    let found = mistakes(
        "[[constant]]\nid = \"own\"\nparameter = \"prov.polling.enabled\"\nvalue = \"0\"\n\
         stages = [\"bootstrap\"]\nsource = \"own\"\nevidence = \"inferred\"\n",
    );

    let [mistake] = found.as_slice() else { panic!("{found:?}") };
    assert!(mistake.contains("`prov.polling.enabled (bootstrap, all phones)` is already in "));
}

#[test]
fn a_constant_has_one_scope_and_a_stage() {
    let found = mistakes(
        "[[constant]]\nid = \"own\"\nparameter = \"own.x\"\nvalue = \"0\"\nstages = []\n\
         family = \"vvx\"\nmodel = \"vvx450\"\nsource = \"own\"\nevidence = \"inferred\"\n",
    );

    assert_eq!(found[0], "own.toml:5: `stages` is empty; write its text");
    assert!(found[1].starts_with("own.toml:7: `model` is not one scope"), "{found:?}");
}

#[test]
fn every_mistake_of_every_file_is_reported_at_once() {
    let first = SourceText { name: "a.toml", text: "x = 1\n[[gap]]\nfield = 7\n" };
    let second = SourceText { name: "b.toml", text: "[[country]]\ncode = \"GB\"\nname = 1\n]\n" };

    let errors = Catalog::with_overlay(&[first, second]).unwrap_err();

    let places: Vec<(&str, usize)> = errors.0.iter().map(|e| (e.file.as_str(), e.line)).collect();
    assert_eq!(places, [("a.toml", 1), ("a.toml", 2), ("a.toml", 3), ("b.toml", 3), ("b.toml", 4)]);
    assert_eq!(errors.to_string().lines().count(), 5);
}

#[test]
fn an_empty_catalog_lacks_what_every_catalog_needs() {
    let errors = Catalog::parse(&[]).unwrap_err();

    let keys: Vec<String> = errors.0.iter().map(|error| error.problem.to_string()).collect();
    assert_eq!(
        keys,
        ["master-file", "phone-rules", "directory", "image-list", "dial-pad", "network-rules"]
            .map(|key| format!("`{key}` is missing; add it"))
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Catalog::parse(&[SourceText { name: "x", text: &String::from_utf8_lossy(&bytes) }]);
    }

    #[test]
    fn no_damage_to_a_real_file_makes_the_parser_panic(
        file in 0..crate::built_in::BUILT_IN.len(),
        at in any::<proptest::sample::Index>(),
        junk in "[\\[\\]{}=\",.\n#'a-z0-9 -]{0,6}",
        cut in 0usize..12,
    ) {
        let text = crate::built_in::BUILT_IN[file].text;
        let at = at.index(text.len());
        let damaged = format!("{}{junk}{}", &text[..at], &text[(at + cut).min(text.len())..]);

        let _ = overlay(&damaged);
    }
}

#[test]
fn what_is_not_served_needs_a_reason_and_a_source() {
    let found = mistakes("[[unsupported]]\nid = \"own\"\nname = \"Own\"\nmodels = []\nwhy = \"\"\nbecause = \"x\"\n");

    assert!(found.iter().any(|mistake| mistake.starts_with("own.toml:5: `why` is empty")), "{found:?}");
    assert!(found.iter().any(|mistake| mistake.starts_with("own.toml:6: unknown key `because`")), "{found:?}");
    assert!(found.contains(&"own.toml:1: `source` is missing; add it".to_owned()), "{found:?}");
}

#[test]
fn a_variant_of_a_boot_says_for_what_and_for_which_firmware() {
    let boot = |lines: &str| {
        mistakes(&format!(
            "[[boot-sequence]]\nid = \"own\"\n{lines}\nsteps = []\nsource = \"own\"\nevidence = \"inferred\"\n"
        ))
    };

    assert_eq!(boot("instead-of = \"vvx\""), ["own.toml:3: `firmware` is missing; add it"]);
    assert_eq!(boot("firmware = { below = \"4.0\" }"), ["own.toml:3: `instead-of` is missing; add it"]);
    let unknown = boot("instead-of = \"other\"\nfirmware = { below = \"4.0\" }");
    assert!(unknown[0].starts_with("own.toml:3: ") && unknown[0].contains("`other`"), "{unknown:?}");
}

#[test]
fn early_families_exist() {
    let found = mistakes(
        "[phone-rules]\nuser-agent-early-families = [{ value = { family = \"other\", below = \"5.0\", \
         word = \"X\" }, source = \"own\", evidence = \"inferred\" }]\n",
    );

    assert!(found[0].starts_with("own.toml:2: ") && found[0].contains("`other`"), "{found:?}");
}

#[test]
fn a_choice_nobody_knows_is_refused_with_those_there_are() {
    let text = "[network-rules]\nfactory-boot-server = { value = \"dhcp\", source = \"x\", evidence = \"inferred\" }\n";

    let found = mistakes(text);

    let expected =
        "own.toml:2: `dhcp` is not one of the words here; write one of: option-66, custom, static, custom-and-66";
    assert_eq!(found, [expected]);
}

#[test]
fn a_menu_names_what_exists_and_does_one_thing_in_a_row() {
    let menu = |row: &str| {
        mistakes(&format!(
            "[[menu]]\nid = \"own\"\ntitle = \"Own\"\nrows = [{row}]\nsource = \"own tests\"\nevidence = \"on-hardware\""
        ))
    };

    let told = |row: &str, words: &str| {
        let found = menu(row);
        assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
    };
    told(r#"{ title = "A", opens = "nowhere" }"#, "nowhere");
    told(r#"{ title = "A", opens = "status", shows = "mac" }"#, "exactly one of");
    told(r#"{ title = "A", edits = "reg.1.label", form = "text" }"#, "a platform parameter");
    told(r#"{ title = "A", edits = "device.x" }"#, "form");
    told(r#"{ title = "A", edits = "device.x", form = "text", choices = [{ shown = "a", value = "1" }] }"#, "choices");
}

#[test]
fn a_handset_names_what_exists_and_holds_keys_of_the_dial_pad() {
    let found = mistakes(
        r#"[[handset]]
id = "vvx-touch"
boots-like = { value = "nothing", source = "own tests", evidence = "on-hardware" }
models = ["vvx500", "spip550", "vvx999"]
reset-keys = { value = ["1", "A"], source = "own tests", evidence = "on-hardware" }
"#,
    );

    for words in ["nothing", "spip550", "vvx999", "a key of the dial pad"] {
        assert!(found.iter().any(|line| line.contains(words)), "{words}: {found:?}");
    }
}
