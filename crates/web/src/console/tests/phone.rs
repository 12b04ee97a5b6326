//! The pages of one phone: what they say first, and what each button does for each role.

use super::{Answer, Desk, MAC, VVX_450, pass};
use axum::http::StatusCode;
use provost_app::{Actor, Bar, DeviceView, Page, PhoneAnswer, PhoneMethod, PhoneRequest, TokenInput};
use provost_core::entry::guard::ExceptionInput;
use provost_core::entry::{AccountInput, DeviceInput};
use provost_core::identity::{CertificateStatus, Peer, Transport, Verdict};
use provost_core::ids::DeviceId;
use std::sync::Arc;

pub(super) const ROLES: [&str; 5] = ["owner", "administrator", "support", "installer", "read-only"];

/// Somebody with this role at another browser; for an account, or for the whole server.
pub(super) async fn seat(desk: &Desk, role: &str, account: Option<&str>) -> Desk {
    let input = TokenInput { role: role.to_owned(), account: account.map(str::to_owned), ..TokenInput::default() };
    let token = desk.app.add_token(input, &Actor::control_socket()).await.unwrap().token;
    let mut other = desk.elsewhere();
    other.cookie = other.try_token(token.reveal()).await.cookie();
    other
}

/// Another customer's account.
pub(super) async fn another_account(desk: &Desk) -> String {
    let input = AccountInput { name: "Others".to_owned(), parent: None };
    desk.app.add_account(input, &Actor::control_socket()).await.unwrap().id
}

/// A phone that is bound to Ada's device.
pub(super) async fn bound(desk: &Desk) -> DeviceView {
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));
    device
}

/// The phone with its factory certificate, which the block list knows, asks or sends.
pub(super) async fn phone_does(desk: &Desk, method: PhoneMethod, path: &str) -> PhoneAnswer {
    let verdict = Verdict {
        status: CertificateStatus::FactoryInstalled,
        mac: Some(MAC.parse().unwrap()),
        fingerprint: Some([7; 32]),
        ..Verdict::none_presented()
    };
    let peer = Peer { address: [192, 0, 2, 7].into(), transport: Transport::Tls, verdict: Arc::new(verdict) };
    let request =
        PhoneRequest { peer: &peer, method, path, user_agent: Some(VVX_450), host: Some("phones.example.com") };
    desk.app.phone_request(request).await
}

fn page_of(path: &str) -> String {
    format!("/phones/{MAC}{path}")
}

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

#[tokio::test]
async fn a_phone_that_works_says_so_and_names_its_firmware_with_what_is_known_of_it() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    phone_does(&desk, PhoneMethod::Get, &format!("/{MAC}.cfg")).await;

    let page = desk.get(&page_of("")).await;

    page.shows("Activated");
    page.shows("has a known hole, closed from 6.4.8 on (CVE-2026-0826");
    page.shows("Nothing is offered: no image from 6.4.8 on");
    page.shows(r#"data-live="/live/phones/0004f2a1b2c3""#);
    page.shows(&"07".repeat(32));
    for part in ["status", "device", "known", "firmware", "timeline"] {
        assert_eq!(page.text.matches(&format!(r#"data-part="{part}""#)).count(), 1, "{part}");
    }
    page.shows("No PBX is connected for its account");
    page.hides(">Have it look</button>");
}

#[tokio::test]
async fn what_is_wrong_stands_first_with_the_next_step() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let id: DeviceId = device.id.parse().unwrap();
    pass(3 * 86_400_000);
    let desk = seat(&desk, "owner", None).await;

    let silent = desk.get(&page_of("")).await;
    desk.app.bar_device(&id, Some(Bar::Quarantined), &Actor::control_socket()).await.unwrap();
    let barred = desk.get(&page_of("")).await;

    silent.shows("What is wrong now");
    silent.shows("when it should have.");
    silent.shows("See whether it has power and network");
    barred.shows("Its device is quarantined: it gets nothing");
    barred.shows("Enable the device to serve it again.");
    let (wrong, story) =
        (barred.text.find("Its device is quarantined").unwrap(), barred.text.find("<ol class").unwrap());
    assert!(wrong < story);
}

#[tokio::test]
async fn each_role_has_the_buttons_that_it_may_press() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    phone_does(&desk, PhoneMethod::Get, &format!("/{MAC}.cfg")).await;

    for role in ROLES {
        let page = seat(&desk, role, None).await.get(&page_of("")).await;
        let changes = matches!(role, "owner" | "administrator");

        assert_eq!(page.status, StatusCode::OK, "{role}");
        for button in
            [">Quarantine</button>", ">Release</button>", ">Draw new passwords</button>", ">Let it in once</button>"]
        {
            assert_eq!(page.text.contains(button), changes, "{role} {button}");
        }
        assert_eq!(page.text.contains(">Passwords</a>"), changes, "{role}");
        assert_eq!(page.text.contains(">Block the certificate</button>"), role == "owner", "{role}");
    }
}

#[tokio::test]
async fn what_a_role_has_no_button_for_is_refused_all_the_same() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    phone_does(&desk, PhoneMethod::Get, &format!("/{MAC}.cfg")).await;
    let deeds = [
        "refresh",
        "restart",
        "rotate",
        "quarantine",
        "disable",
        "enable",
        "release",
        "readmit",
        "exception",
        "exception/end",
        "block",
        "configuration/clear",
        "passwords",
        "configuration/secrets",
    ];

    for role in ["support", "installer", "read-only"] {
        let seat = seat(&desk, role, None).await;
        for deed in deeds {
            let fields = [("reason", "because"), ("minutes", "5")];
            let answer = seat.post(&page_of(&format!("/{deed}")), &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {deed}");
        }
    }
    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));
}

#[tokio::test]
async fn a_phone_of_another_account_is_a_phone_that_never_was() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    let others = another_account(&desk).await;
    let seat = seat(&desk, "owner", Some(&others)).await;

    for path in ["", "/configuration", "/files", "/passwords", "/files/0004f2a1b2c3-app.log"] {
        let page = seat.get(&page_of(path)).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        page.hides("Ada");
    }
    for deed in
        ["refresh", "rotate", "quarantine", "release", "readmit", "exception", "passwords", "configuration/clear"]
    {
        let answer = seat.post(&page_of(&format!("/{deed}")), &[("reason", "because"), ("minutes", "5")]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{deed}");
    }
}

#[tokio::test]
async fn a_form_without_the_sessions_token_does_nothing() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;

    for deed in ["refresh", "quarantine", "release", "passwords", "configuration/clear", "files/0004f2a1b2c3-app.log"] {
        let answer = desk.send("POST", &page_of(&format!("/{deed}")), &[("reason", "because")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{deed}");
    }
    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));
}

#[tokio::test]
async fn a_phone_is_barred_and_served_again() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;

    for (deed, word) in [("quarantine", "is quarantined"), ("disable", "is disabled")] {
        let page = follow(&desk, desk.post(&page_of(&format!("/{deed}")), &[]).await).await;
        page.shows(word);
        page.shows(">Enable</button>");
        assert_eq!(desk.phone_asks(VVX_450).await, PhoneAnswer::NotFound);
    }
    let page = follow(&desk, desk.post(&page_of("/enable"), &[]).await).await;

    page.shows("is served again at its next contact");
    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));
}

#[tokio::test]
async fn a_release_needs_a_reason_and_leaves_the_phone_to_nobody() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let account = seat(&desk, "administrator", Some(&device.account)).await;

    let without = follow(&account, account.post(&page_of("/release"), &[("reason", "")]).await).await;
    without.shows("Not done.");
    let done = account.post(&page_of("/release"), &[("reason", "sold")]).await;

    assert_eq!(done.location(), "/devices", "nobody's phone is not shown to an account");
    follow(&account, done).await.shows("is released: phone 0004f2a1b2c3 is nobody&#39;s now");
    desk.get(&page_of("")).await.shows("Unclaimed");
    let audit = desk.app.audit(Page::FIRST, &Actor::control_socket()).await.unwrap();
    assert!(audit.iter().any(|entry| entry.what.starts_with("released") && entry.why.as_deref() == Some("sold")));
}

#[tokio::test]
async fn without_a_pbx_nothing_is_told_and_the_refusal_says_why() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;

    for deed in ["refresh", "restart"] {
        let page = follow(&desk, desk.post(&page_of(&format!("/{deed}")), &[]).await).await;
        page.shows("Not done.");
        page.shows("No connector serves this account");
        page.shows("Reference <code>");
    }
}

#[tokio::test]
async fn passwords_are_shown_for_a_reason_that_is_kept_and_drawn_anew() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    let passwords = page_of("/passwords");

    desk.get(&passwords).await.shows("Show the passwords");
    let without = desk.post(&passwords, &[("reason", " ")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    without.shows(r#"id="reason-error""#);
    let shown = desk.post(&passwords, &[("reason", "locked out")]).await;
    assert_eq!(shown.status, StatusCode::OK);
    let mac = MAC.parse().unwrap();
    let pair = desk.app.reveal_passwords(mac, "test", &Actor::control_socket()).await.unwrap();
    shown.shows(&format!(r#"<span class="code">{}</span>"#, pair.admin_password));
    shown.shows(&format!(r#"<span class="code">{}</span>"#, pair.user_password));
    desk.get(&passwords).await.hides(&pair.admin_password);

    follow(&desk, desk.post(&page_of("/rotate"), &[("reason", "staff left")]).await).await.shows("gets new passwords");
    let both = desk.post(&passwords, &[("reason", "again")]).await;

    assert_eq!(both.text.matches("pair-card").count(), 2);
    both.shows("Not read yet");
    let audit = desk.app.audit(Page::FIRST, &Actor::control_socket()).await.unwrap();
    assert!(
        audit
            .iter()
            .any(|entry| entry.what.contains("read the passwords") && entry.why.as_deref() == Some("locked out"))
    );
}

#[tokio::test]
async fn a_phone_that_lost_its_certificate_is_let_in_once_and_that_is_taken_back() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;

    let wrong = follow(&desk, desk.post(&page_of("/exception"), &[("minutes", "900"), ("reason", "x")]).await).await;
    wrong.shows("must be from 1 to 120");
    let page =
        follow(&desk, desk.post(&page_of("/exception"), &[("minutes", "10"), ("reason", "new board")]).await).await;
    page.shows("is let in without a certificate");
    page.shows("<bdi>new board</bdi>");
    let answer = desk.ask_as_phone(Verdict::none_presented(), &format!("/{MAC}.cfg"), VVX_450).await;
    assert!(matches!(answer, PhoneAnswer::File(_)));

    let page = follow(&desk, desk.post(&page_of("/exception/end"), &[]).await).await;

    page.shows("The exception is taken back");
    page.shows(">Let it in once</button>");
}

#[tokio::test]
async fn an_exception_of_another_account_for_the_same_phone_is_not_shown_and_stands_in_nobodys_way() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    let account = another_account(&desk).await;
    let input = DeviceInput { account, model: "vvx450".to_owned(), user: None, mac: Some(MAC.to_owned()) };
    let owner = Actor::control_socket();
    let theirs = desk.app.add_device(input, &owner).await.unwrap();
    let input = ExceptionInput { mac: MAC.to_owned(), reason: "their reason".to_owned(), minutes: 60 };
    desk.app.make_exception(&theirs.id.parse().unwrap(), input, &owner).await.unwrap();

    let page = desk.get(&page_of("")).await;
    page.hides("<bdi>their reason</bdi>");
    page.shows(">Let it in once</button>");
    let ask = async || desk.ask_as_phone(Verdict::none_presented(), &format!("/{MAC}.cfg"), VVX_450).await;
    assert!(!matches!(ask().await, PhoneAnswer::File(_)), "it is another device's");
    let fields = [("minutes", "10"), ("reason", "new board")];
    let page = follow(&desk, desk.post(&page_of("/exception"), &fields).await).await;

    page.shows("<bdi>new board</bdi>");
    assert!(matches!(ask().await, PhoneAnswer::File(_)));
}

#[tokio::test]
async fn its_certificate_is_blocked_by_who_looks_after_the_whole_server() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    phone_does(&desk, PhoneMethod::Get, &format!("/{MAC}.cfg")).await;

    let page = follow(&desk, desk.post(&page_of("/block"), &[("reason", "stolen")]).await).await;

    page.shows("is on the block list: whoever shows it gets nothing");
    page.shows("It gets nothing: its certificate is on the block list (stolen)");
    page.hides(">Block the certificate</button>");
    assert_eq!(phone_does(&desk, PhoneMethod::Get, &format!("/{MAC}.cfg")).await, PhoneAnswer::NotFound);
}

#[tokio::test]
async fn a_phone_that_was_set_aside_is_let_in_again() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let id: DeviceId = device.id.parse().unwrap();
    let owner = Actor::control_socket();
    desk.app.swap_device(&id, (Some("0004f2a1b2c4"), Some("broken")), &owner).await.unwrap();

    let aside = desk.get(&page_of("")).await;
    aside.shows("Set aside");
    aside.shows("Another phone took its place");
    let page = follow(&desk, desk.post(&page_of("/readmit"), &[("reason", "repaired")]).await).await;

    page.shows("The phone is let in again");
    page.hides("Set aside");
}

#[tokio::test]
async fn the_address_of_a_form_opened_as_a_page_leads_to_the_phone() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;

    for deed in ["refresh", "release", "exception", "configuration/clear"] {
        assert_eq!(desk.get(&page_of(&format!("/{deed}"))).await.location(), page_of(""), "{deed}");
    }
}

#[tokio::test]
async fn a_phone_that_was_never_claimed_has_no_passwords() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(VVX_450).await;

    let page = follow(&desk, desk.post(&page_of("/passwords"), &[("reason", "look")]).await).await;

    page.shows("was never claimed here");
}
