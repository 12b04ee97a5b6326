//! The procedures themselves.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use provost_catalog::Catalog;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::stage::{Stage, folder, script};

/// Phones of one script at the same time: enough to share their waits, few enough that a count-down is caught.
const AT_ONCE: usize = 4;

/// Carries a script out on every model it is for.
async fn on_every_model(name: &str) {
    let script = script(name);
    let models: Vec<String> = script.models().into_iter().map(str::to_owned).collect();
    assert!(!models.is_empty(), "{name} names no model");
    let stage = Arc::new(Stage::new().await);
    let hands = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    for model in models {
        let (script, stage, hands) = (script.clone(), Arc::clone(&stage), Arc::clone(&hands));
        runs.spawn(async move {
            let _hand = hands.acquire().await.unwrap();
            stage.carry_out(&script, &model).await
        });
    }
    let failures: Vec<String> = runs.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

macro_rules! procedures {
    ($($test:ident: $name:literal,)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            on_every_model($name).await;
        })*

        const CARRIED_OUT: &[&str] = &[$($name),*];
    };
}

procedures! {
    a_device_certificate_is_shown: "device-certificate",
    a_missing_device_certificate_is_shown: "no-device-certificate",
    a_phone_is_reset_in_its_menu: "menu-reset",
    ccx_and_edge_e_are_reset_in_their_menu: "menu-reset-new-password",
    a_phone_is_reset_in_its_menu_with_the_default_password: "menu-reset-default-password",
    a_phone_is_reset_by_the_keys_1_3_5: "reset-by-keys-135",
    an_edge_e_is_reset_by_the_keys_1_3_5: "reset-by-keys-135-edge-e",
    a_phone_is_reset_by_the_keys_1_3_5_7: "reset-by-keys-1357",
    a_phone_is_reset_by_the_keys_4_6_8_star: "reset-by-keys-468star",
    a_phone_is_reset_by_the_keys_6_8_star: "reset-by-keys-68star",
    a_phone_is_provisioned_from_its_setup: "provision-from-setup",
    ccx_and_edge_e_are_provisioned_from_their_setup: "provision-from-setup-new-password",
    a_phone_is_swapped_to_static: "swap-to-static",
    a_phone_is_swapped_to_custom_and_66: "swap-to-custom",
    option_161_leads_to_a_new_provider: "option-161",
    without_option_161_the_former_provider_is_back: "option-161-removed",
    an_update_that_is_taken_leads_back_to_the_former_provider: "update-offered",
    without_the_time_a_phone_shows_an_sntp_error: "sntp-error",
    a_phone_is_reset_in_its_web_pages: "web-reset",
    ccx_and_edge_e_are_reset_in_their_web_pages: "web-reset-new-password",
    a_phone_is_provisioned_in_its_web_pages: "web-provision",
    newer_firmware_wants_a_new_password_in_its_web_pages_first: "web-provision-new-password",
    ccx_and_edge_e_are_provisioned_in_their_web_pages: "web-provision-own-password",
    a_phone_below_4_0_is_updated_over_http: "update-below-4",
    ccx_and_edge_e_want_a_password_that_is_not_456: "new-password",
}

/// Needs a server that binds phones to codes: it is carried out at the real one, in the procedures that the command line's
/// tests carry out.
const ELSEWHERE: [&str; 1] = ["activation"];

/// Kinds of handsets no virtual phone can be of: their hardware has no User-Agent.
const NO_PHONE: &str = "trio8300";
/// Kinds that leave the factory without a password.
const WITHOUT_PASSWORD: [&str; 2] = ["ccx", "edge-e"];

/// The procedures, the scripts that are one, and the kinds of handsets that have none of it.
const PROCEDURES: [(&[&str], &[&str]); 14] = [
    (&["device-certificate"], &[]),
    (&["no-device-certificate"], &[]),
    (&["menu-reset", "menu-reset-new-password"], &[]),
    (&["menu-reset-default-password"], &WITHOUT_PASSWORD),
    // The display of a Trio or CCX is held at its corners.
    (
        &[
            "reset-by-keys-135",
            "reset-by-keys-135-edge-e",
            "reset-by-keys-1357",
            "reset-by-keys-468star",
            "reset-by-keys-68star",
        ],
        &["trio", "ccx"],
    ),
    (&["provision-from-setup", "provision-from-setup-new-password"], &[]),
    (&["swap-to-static"], &[]),
    (&["swap-to-custom"], &[]),
    (&["option-161"], &[]),
    (&["option-161-removed"], &[]),
    (&["update-offered"], &[]),
    (&["sntp-error"], &[]),
    (&["web-reset", "web-reset-new-password"], &[]),
    (&["web-provision", "web-provision-new-password", "web-provision-own-password"], &[]),
];

#[test]
fn every_kind_of_handset_has_every_procedure_that_applies_to_it() {
    let catalog = Catalog::built_in().unwrap();
    for (scripts, exempt) in PROCEDURES {
        let scripts: Vec<_> = scripts.iter().map(|name| script(name)).collect();
        let models: BTreeSet<&str> = scripts.iter().flat_map(|script| script.models()).collect();
        for handset in catalog.handsets() {
            let named = handset.models.iter().any(|model| models.contains(model.as_str()));
            let applies = handset.id != NO_PHONE && !exempt.contains(&handset.id.as_str());

            assert_eq!(named, applies, "{} in {:?}", handset.id, scripts[0].name);
        }
    }
}

#[test]
fn keys_that_are_held_are_those_of_the_handset_table() {
    let catalog = Catalog::built_in().unwrap();
    for name in CARRIED_OUT.iter().filter(|name| name.starts_with("reset-by-keys")) {
        let script = script(name);
        let text = fs::read_to_string(folder().join(format!("{name}.script"))).unwrap();
        for model in script.models() {
            let keys = catalog.handset(model).unwrap().reset_keys.as_ref().unwrap().value.join(" ");

            assert!(text.contains(&format!("\nhold {keys} for ")), "{model} in {name}");
        }
    }
}

#[test]
fn every_script_is_carried_out() {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let there: BTreeSet<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let known: BTreeSet<String> = CARRIED_OUT.iter().chain(&ELSEWHERE).map(|name| (*name).to_owned()).collect();

    assert_eq!(there, known);
    for name in there {
        script(&name);
    }
}
