use super::*;
use crate::{CertificateView, RegisteredView, TimelineItem};

fn phone() -> PhoneView {
    PhoneView {
        mac: "0004f2a1b2c3".to_owned(),
        model: Some("vvx450".to_owned()),
        model_name: Some("VVX 450".to_owned()),
        firmware: Some("6.4.8".to_owned()),
        updater: None,
        certificate: CertificateView { status: CertificateStatus::FactoryInstalled.as_str(), reason: None },
        fingerprint: None,
        last_refused: None,
        address: None,
        first_seen: Some("2026-11-30T10:00:00Z".to_owned()),
        last_seen: Some("2026-11-30T10:00:00Z".to_owned()),
        device: Some(device()),
        moving: None,
        clash: Vec::new(),
    }
}

fn device() -> DeviceView {
    let words = "not observed: no connector serves its account".to_owned();
    DeviceView {
        id: "device_01jd0ck3v80000000000000001".to_owned(),
        account: "account_01jd0ck3v80000000000000001".to_owned(),
        model: "vvx450".to_owned(),
        model_name: "VVX 450".to_owned(),
        user: None,
        user_name: None,
        extension: None,
        site_name: None,
        mac: None,
        state: "activated",
        bound_at: Some("2026-11-30T10:00:00Z".to_owned()),
        awaited: None,
        last_seen: None,
        missed_polls: None,
        registered: RegisteredView {
            state: "not observed",
            words,
            observed_at: None,
            connector: None,
            lines: Vec::new(),
        },
        released_at: None,
        restorable_until: None,
        firmware: None,
        certificate: None,
        activation_code: None,
        not_served: None,
        clash: Vec::new(),
    }
}

fn good_firmware() -> FirmwareView {
    FirmwareView { level: FirmwareLevel::Good, sentence: "6.4.8 is good.".to_owned(), next: None, known: Vec::new() }
}

fn seen(phone: &PhoneView, is_overdue: bool) -> Seen<'_> {
    static GOOD: std::sync::LazyLock<FirmwareView> = std::sync::LazyLock::new(good_firmware);
    Seen { phone, firmware: &GOOD, blocked: None, is_set_aside: false, is_overdue, no_line: None, newest: None }
}

fn of(phone: &PhoneView) -> Vec<TroubleView> {
    troubles(&seen(phone, false))
}

fn page(items: &[(&str, Option<&str>)]) -> TimelinePage {
    let item = |(kind, advice): &(&str, Option<&str>)| TimelineItem {
        at: "2026-11-30T10:00:00Z".to_owned(),
        sentence: format!("{kind} happened"),
        kind: (*kind).to_owned(),
        advice: advice.map(str::to_owned),
        reference: None,
    };
    TimelinePage { items: items.iter().map(item).collect(), next: None }
}

#[test]
fn a_phone_that_works_has_no_trouble() {
    assert_eq!(of(&phone()), []);
}

#[test]
fn what_keeps_a_phone_from_its_configuration_comes_before_what_it_missed() {
    let mut seen = phone();
    let device = DeviceView { missed_polls: Some(3), state: "quarantined", ..device() };
    seen.device = Some(device);

    let all = of(&seen);

    assert!(all[0].is_grave && all[0].what.contains("is quarantined"), "{all:?}");
    assert_eq!(all[1].what, "It did not ask 3 times in a row when it should have.");
}

#[test]
fn a_phone_that_was_claimed_is_a_trouble_once_it_should_have_come_back() {
    let mut claimed = phone();
    claimed.device = Some(DeviceView { awaited: Some("Claimed and awaited.".to_owned()), ..device() });

    assert_eq!(troubles(&seen(&claimed, false)), []);
    assert_eq!(troubles(&seen(&claimed, true))[0].what, "Claimed and awaited.");
}

#[test]
fn one_missed_poll_is_not_grave() {
    let mut seen = phone();
    seen.device = Some(DeviceView { missed_polls: Some(1), ..device() });

    let all = of(&seen);

    assert!(!all[0].is_grave && all[0].what.contains("did not ask once"), "{all:?}");
}

#[test]
fn a_phone_without_good_certificate_and_one_of_another_model_are_told() {
    let mut seen = phone();
    seen.certificate = CertificateView { status: "Self-signed", reason: Some("it signed itself".to_owned()) };
    seen.model = Some("vvx500".to_owned());
    seen.model_name = Some("VVX 500".to_owned());

    let all = of(&seen);

    assert!(all[0].what.contains("says it is a VVX 500, and its device is for a VVX 450"), "{all:?}");
    assert!(all[1].what.contains("Self-signed (it signed itself)"), "{all:?}");
}

#[test]
fn an_advice_counts_until_the_phone_was_served_after_it() {
    let refused = ("refused", Some("look at it"));

    let open = page(&[("action", None), refused, ("request", None)]);
    let over = page(&[("request", None), refused]);
    let of_request = page(&[("request", Some("give it a user")), ("request", None)]);

    assert_eq!(open_advice(&open).unwrap().kind, "refused");
    assert!(open_advice(&over).is_none());
    assert_eq!(open_advice(&of_request).unwrap().advice.as_deref(), Some("give it a user"));
}

#[test]
fn a_phone_without_a_line_is_no_success() {
    let phone = phone();
    let seen = Seen { no_line: Some(("Its user has no SIP line.", "Add one.")), ..seen(&phone, false) };

    let told = troubles(&seen);

    assert_eq!(told.len(), 1);
    assert!(told[0].is_grave && told[0].next.as_deref() == Some("Add one."));
}
