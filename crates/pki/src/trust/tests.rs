use super::folder::TrustFolder;
use super::*;
use crate::fixtures::{ISSUING, Leaf, OTHER_KEY, POLICY, Pair, authority, phone, rsa};

fn pin(pair: &Pair) -> Pin {
    Pin { id: "maker-issuing".to_owned(), name: "Maker Issuing CA".to_owned(), sha256: pair.sha256(), issuing: true }
}

fn file<'a>(name: &'a str, bytes: &'a [u8], origin: Origin) -> CertificateFile<'a> {
    CertificateFile { name, bytes, origin }
}

fn errors(result: Result<TrustStore, Vec<TrustError>>) -> Vec<String> {
    result.unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn only_pinned_bytes_are_the_makers() {
    let pem = POLICY.pem();

    let wrong = errors(TrustStore::new(vec![pin(&ISSUING)], &[file("a.pem", &pem, Origin::Maker)]));

    let [wrong] = wrong.as_slice() else { panic!("{wrong:?}") };
    assert!(wrong.starts_with("a.pem: `Maker Policy CA` has SHA-256 "), "{wrong}");
    assert!(wrong.contains(&hex::encode(POLICY.sha256())) && wrong.ends_with("import it with --custom"), "{wrong}");
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let leaf = phone(&Leaf::default()).pem();
    let short = authority("Short CA", None, &rsa(1_024)).pem();

    let wrong = errors(TrustStore::new(
        vec![],
        &[
            file("text.pem", b"hello", Origin::Custom),
            file("leaf.pem", &leaf, Origin::Custom),
            file("short.pem", &short, Origin::Custom),
            file("strange.pem", &ISSUING.pem(), Origin::Maker),
        ],
    ));

    assert_eq!(wrong.len(), 4, "{wrong:?}");
    assert!(wrong[0].starts_with("text.pem: no certificate in it"), "{wrong:?}");
    assert!(wrong[1].contains("is not an authority"), "{wrong:?}");
    assert!(wrong[2].contains("RSA with 1024 bits, expected 2048 or more"), "{wrong:?}");
    assert!(wrong[3].starts_with("strange.pem: `Maker Issuing CA` has SHA-256"), "{wrong:?}");
}

#[test]
fn a_bundle_holds_many_and_each_subject_is_named_once() {
    let bundle = [POLICY.pem(), ISSUING.pem(), ISSUING.pem()].concat();

    let store = TrustStore::new(vec![pin(&ISSUING)], &[file("bundle.pem", &bundle, Origin::Custom)]).unwrap();

    assert_eq!(store.authorities().count(), 2);
    assert_eq!(store.subjects().len(), 2);
    assert_eq!(store.missing().count(), 0);
}

#[test]
fn what_is_imported_is_there_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let trust = TrustFolder::new(folder.path().join("trust"));
    let pins = vec![pin(&ISSUING)];
    assert_eq!(trust.load(pins.clone()).unwrap().missing().count(), 1);
    let own = authority("Lab CA", None, &OTHER_KEY);

    let maker = trust.import(&file("issuing.pem", &ISSUING.pem(), Origin::Maker), &pins).unwrap();
    let custom = trust.import(&file("lab.pem", &own.pem(), Origin::Custom), &pins).unwrap();
    let again = trust.import(&file("lab.der", &own.der(), Origin::Custom), &pins).unwrap();

    assert_eq!((maker[0].fingerprint, maker[0].already_present), (ISSUING.sha256(), false));
    assert_eq!((custom[0].already_present, again[0].already_present), (false, true));
    let store = trust.load(pins).unwrap();
    let mut known: Vec<_> = store.authorities().map(|known| (known.name.as_str(), known.pin.is_some())).collect();
    known.sort_unstable();
    assert_eq!(known, [("Lab CA", false), ("Maker Issuing CA", true)]);
    assert!(folder.path().join(format!("trust/maker/{}.pem", hex::encode(ISSUING.sha256()))).exists());
}

#[test]
fn an_authority_that_a_phone_sent_is_there_after_the_next_start() {
    use crate::fixtures::NOW;
    use crate::policy::{DevicePolicy, PolicyRules};
    let folder = tempfile::tempdir().unwrap();
    let trust = TrustFolder::new(folder.path().join("trust"));
    let pins = vec![pin(&ISSUING)];
    let start = || {
        let rules = PolicyRules { accept_expired_leaf: false, legacy: false };
        DevicePolicy::new(Arc::new(trust.load(pins.clone()).unwrap()), rules)
    };
    let leaf = phone(&Leaf::default()).der();
    let first = start();
    assert_eq!(first.judge(&[&leaf], NOW).mac, None, "its issuer is not there yet");
    assert!(first.judge(&[&leaf, &ISSUING.der()], NOW).mac.is_some());

    for authority in first.learned() {
        trust.keep(&authority).unwrap();
    }

    assert!(start().judge(&[&leaf], NOW).mac.is_some());
}

#[test]
fn a_file_refused_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let trust = TrustFolder::new(folder.path().to_owned());
    let bundle = [ISSUING.pem(), POLICY.pem()].concat();

    trust.import(&file("bundle.pem", &bundle, Origin::Maker), &[pin(&ISSUING)]).unwrap_err();

    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_changed_on_the_disk_is_found_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let trust = TrustFolder::new(folder.path().to_owned());
    trust.import(&file("issuing.pem", &ISSUING.pem(), Origin::Maker), &[pin(&ISSUING)]).unwrap();
    let path = folder.path().join(format!("maker/{}.pem", hex::encode(ISSUING.sha256())));
    std::fs::write(&path, authority("Maker Issuing CA", None, &OTHER_KEY).pem()).unwrap();

    let wrong = errors(trust.load(vec![pin(&ISSUING)]));

    assert!(wrong.len() == 1 && wrong[0].starts_with(&path.display().to_string()), "{wrong:?}");
}

/// The true maker's public authorities, read where they lie beside the checkout.
#[test]
fn the_true_makers_authorities_import_and_a_changed_byte_does_not() {
    let folder = shared().join("data/poly-ca");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is absent", folder.display());
        return;
    };
    let mut read = 0;
    for path in entries.map(|entry| entry.unwrap().path()) {
        let bytes = std::fs::read(&path).unwrap();
        let der = certificate::read_certificates(&bytes).unwrap().remove(0);
        let sha256 = certificate::fingerprint(&der);
        let pins = vec![Pin { id: "m".to_owned(), name: "M".to_owned(), sha256, issuing: true }];
        let accepts = |bytes: &[u8]| TrustStore::new(pins.clone(), &[file("m.pem", bytes, Origin::Maker)]).is_ok();

        assert!(accepts(&bytes) && accepts(&der), "{}", path.display());
        for at in (0..der.len()).step_by(7) {
            let mut changed = der.to_vec();
            changed[at] ^= 1;
            assert!(!accepts(&changed), "{} byte {at}", path.display());
        }
        // A line end may become another white space: the certificate's bytes are the same then.
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(!accepts(&changed), "{} character {at}", path.display());
        }
        read += 1;
    }
    assert!(read >= 4, "{read} authorities");
}

#[expect(clippy::disallowed_methods, reason = "a test finds the data beside the checkout by it")]
fn shared() -> std::path::PathBuf {
    let beside = || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned();
    std::env::var("PROVOST_SHARED").unwrap_or_else(|_| beside()).into()
}
