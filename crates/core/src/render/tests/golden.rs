//! The files of each model, byte for byte; `cargo xtask golden --bless` rewrites them.

use super::{MODELS, bound, catalog, document, mac, unclaimed, url, with_voice};
use crate::file_plan::settings_name;
use crate::render::{Target, bootstrap, directory, master, settings_document};
use std::path::Path;

#[test]
fn golden_master_file_of_every_model() {
    for model in MODELS {
        let file = master(&catalog(), "", &[&settings_name(mac())]).unwrap();
        compare(&format!("{model}-master.cfg"), &file);
    }
}

#[test]
fn golden_bootstrap_of_every_model() {
    for id in MODELS {
        let catalog = catalog();
        let model = catalog.model(id).unwrap();
        let target = Target { catalog: &catalog, model, firmware: &model.firmware.reference.value };

        for (unclaimed, name) in [(unclaimed(&url()), "bootstrap"), (with_voice(&url()), "bootstrap-with-voice")] {
            let values = bootstrap(target, unclaimed).unwrap();

            compare(&format!("{id}-{name}.cfg"), &settings_document(&catalog, &values).unwrap());
        }
    }
}

#[test]
fn golden_configuration_of_every_model() {
    for model in MODELS {
        compare(&format!("{model}-configuration.cfg"), &document(&catalog(), &bound(model)));
    }
}

#[test]
fn golden_directory_of_every_model() {
    for model in MODELS {
        let file = directory(&catalog(), &bound(model).contacts).unwrap();
        compare(&format!("{model}-directory.xml"), &file);
    }
}

/// Compares with the file in `golden`, or writes it under `PROVOST_BLESS=1`.
#[expect(clippy::disallowed_methods, reason = "`cargo xtask golden --bless` says so in the environment")]
fn compare(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var("PROVOST_BLESS").is_ok_and(|bless| bless == "1") {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{name} is no longer what is made; look at it, then `cargo xtask golden --bless`:\n{made}");
}
