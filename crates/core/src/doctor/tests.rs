use super::*;
use provost_catalog::Catalog;

fn first(typed: &str) -> Option<String> {
    let catalog = Catalog::built_in().unwrap();
    meant(catalog.symptoms(), typed).first().map(|symptom| symptom.id.clone())
}

#[test]
fn what_a_screen_says_leads_to_its_symptom() {
    let said = [
        ("SNTP Error", "sntp-error"),
        ("the phone says: Line Unregistered", "line-unregistered"),
        ("A new update is available.", "new-update"),
        ("The Activation Server is Busy at this time. Please call back later.", "server-busy"),
        ("456 does not work", "password-refused"),
        ("Device Certificate: Not Installed", "certificate-not-installed"),
        ("Could not contact provisioning server", "could-not-contact"),
        ("no activate button", "no-activate-key"),
        ("the date is 1999", "sntp-error"),
    ];
    for (typed, symptom) in said {
        assert_eq!(first(typed).as_deref(), Some(symptom), "{typed}");
    }
    assert_eq!(first("it smells of smoke"), None);
    assert_eq!(first(""), None);
}

#[test]
fn every_symptom_is_found_by_its_own_words_and_judged_of_an_unknown_phone() {
    let catalog = Catalog::built_in().unwrap();
    for symptom in catalog.symptoms() {
        for says in &symptom.says {
            assert!(meant(catalog.symptoms(), says).contains(&symptom), "{says}");
        }
        if let Some(check) = symptom.check {
            assert!(!judge(check, &Record::default()).1.is_empty());
        }
    }
}

#[test]
fn a_record_speaks_for_or_against_a_cause() {
    let version = |text: &str| Some(text.parse().unwrap());
    let old = Record { firmware: version("5.8.0"), floor: version("5.9.4"), ..Record::default() };
    let new = Record { firmware: version("5.9.4"), ..old.clone() };
    assert_eq!(judge(SymptomCheck::Firmware, &old).0, Fit::Fits);
    assert_eq!(judge(SymptomCheck::Firmware, &new).0, Fit::Differs);

    let assigned = Record { device: Some(DeviceState::Assigned), has_user: true, ..Record::default() };
    assert_eq!(judge(SymptomCheck::Assignment, &assigned).0, Fit::Fits, "no code");
    assert_eq!(judge(SymptomCheck::Assignment, &Record { has_code: true, ..assigned }).0, Fit::Differs);

    let proved = Record { last_proved: Some("an hour ago".to_owned()), ..Record::default() };
    assert_eq!(judge(SymptomCheck::Contact, &proved).0, Fit::Differs);
    assert_eq!(judge(SymptomCheck::Contact, &Record::default()).0, Fit::Fits);
    let failed = Record { handshake_failed: Some("the clock is wrong".to_owned()), ..proved };
    assert_eq!(judge(SymptomCheck::Clock, &failed).0, Fit::Fits);

    let own = Some((CertificateStatus::SelfSigned, None));
    assert_eq!(judge(SymptomCheck::Certificate, &Record { certificate: own, ..Record::default() }).0, Fit::Fits);
}
