//! Alarms: open and ended, who may end them, who gets them by mail.

use super::live::of;
use super::{Desk, VVX_450, pass};
use axum::http::StatusCode;
use provost_app::{Actor, UserView};
use provost_core::entry::{DeviceInput, LineInput, UserInput};
use provost_core::identity::{CertificateStatus, Verdict};
use provost_core::mac::MacAddr;

const DAY: i64 = 86_400_000;
const PHONES: [&str; 4] = ["0004f2000001", "0004f2000002", "0004f2000003", "0004f2000004"];

/// The certificate's end is near: an alarm of the whole server.
async fn expiring(desk: &Desk) -> String {
    desk.app.server_certificate_days(5, &["phones.example.com".to_owned()]).await.unwrap();
    desk.app.open_alarms(1, &Actor::control_socket()).await.unwrap().remove(0).id
}

async fn asks(desk: &Desk, phone: &str) {
    let mac = phone.parse::<MacAddr>().unwrap();
    let verdict = Verdict { status: CertificateStatus::FactoryInstalled, mac: Some(mac), ..Verdict::none_presented() };
    desk.ask_as_phone(verdict, &format!("/{phone}.cfg"), VVX_450).await;
}

/// Four claimed phones at the user's site.
async fn four_phones(desk: &Desk, user: &UserView) {
    claimed(desk, user, (&PHONES, 301)).await;
}

/// Claimed phones at the user's site, each for somebody with the next extension.
async fn claimed(desk: &Desk, user: &UserView, (phones, from): (&[&str], u32)) {
    for (phone, extension) in phones.iter().zip(from..) {
        let line =
            LineInput { user: extension.to_string(), password: Some("a-sip-password".to_owned()), auth_user: None };
        let input = UserInput {
            site: user.site.clone(),
            name: format!("User {extension}"),
            extension: extension.to_string(),
            email: None,
            language: None,
            lines: vec![line],
        };
        let user = desk.app.add_user(input, &Actor::control_socket()).await.unwrap();
        let mac = Some((*phone).to_owned());
        let input = DeviceInput { account: user.account, model: "vvx450".to_owned(), user: Some(user.id), mac };
        desk.app.add_device(input, &Actor::control_socket()).await.unwrap();
        asks(desk, phone).await;
    }
}

async fn open(desk: &Desk) -> Vec<String> {
    let open = desk.app.open_alarms(10, &Actor::control_socket()).await.unwrap();
    open.into_iter().map(|alarm| alarm.sentence).collect()
}

#[tokio::test]
async fn an_open_alarm_says_what_to_do_and_ends_by_a_form() {
    let desk = Desk::signed_in().await;
    let id = expiring(&desk).await;
    let page = desk.get("/alarms").await;
    page.shows("expires in 5 days");
    page.shows("What to do");
    page.shows("End this alarm</button>");
    desk.get("/").await.shows("expires in 5 days");

    let missing = desk.send("POST", &format!("/alarms/{id}/end"), &[]).await;
    assert_eq!(missing.status, StatusCode::FORBIDDEN, "without the form's token");
    let answer = desk.post(&format!("/alarms/{id}/end"), &[]).await;

    assert_eq!(answer.location(), "/alarms");
    let page = desk.get("/alarms").await;
    page.shows("The alarm has ended");
    page.shows("No alarm is open");
    page.hides("End this alarm</button>");
    assert_eq!(desk.post(&format!("/alarms/{id}/end"), &[]).await.status, StatusCode::NOT_FOUND, "once");
    desk.get("/alarms?after=%3Cscript%3E").await.hides("<script>alert");
}

#[tokio::test]
async fn only_who_may_change_ends_an_alarm_and_only_what_they_see() {
    let desk = Desk::signed_in().await;
    let id = expiring(&desk).await;
    for (role, is_allowed) in [("administrator", true), ("support", false), ("installer", false), ("read-only", false)]
    {
        let (browser, _) = of(&desk, &format!("{role}@example.com"), (role, None)).await;
        let page = browser.get("/alarms").await;
        assert_eq!(page.status, StatusCode::OK);
        page.shows("expires in 5 days");
        assert_eq!(page.text.contains("End this alarm</button>"), is_allowed, "{role}");
        if !is_allowed {
            assert_eq!(browser.post(&format!("/alarms/{id}/end"), &[]).await.status, StatusCode::FORBIDDEN, "{role}");
        }
    }
    let ada = desk.user("Ada").await;
    let (of_ada, _) = of(&desk, "ada@example.com", ("administrator", Some(&ada.account))).await;
    of_ada.get("/alarms").await.hides("expires in 5 days");
    assert_eq!(of_ada.post(&format!("/alarms/{id}/end"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(open(&desk).await.len(), 1);
}

#[tokio::test]
async fn phones_of_a_site_that_stop_together_are_one_alarm_that_ends_when_they_are_back() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    four_phones(&desk, &user).await;
    pass(DAY);
    asks(&desk, PHONES[0]).await;
    pass(DAY / 8);
    desk.app.look_after_phones().await.unwrap();
    assert!(open(&desk).await.is_empty(), "they have time");

    pass(DAY / 4);
    desk.app.look_after_phones().await.unwrap();
    desk.app.look_after_phones().await.unwrap();

    let alarms = open(&desk).await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains("3 of the 4 phones at the site Head office stopped asking"), "{alarms:?}");
    let times = desk.app.open_alarms(10, &Actor::control_socket()).await.unwrap()[0].times;
    assert_eq!(times, 1, "looking again counts nothing");
    let (of_ada, _) = of(&desk, "ada@example.com", ("administrator", Some(&user.account))).await;
    let page = of_ada.get("/alarms").await;
    page.shows("Phones of a site stopped asking");
    page.shows(&format!(r#"href="/sites/{}">Open the site</a>"#, user.site));
    page.shows("End this alarm</button>");

    for phone in PHONES {
        asks(&desk, phone).await;
    }
    desk.app.look_after_phones().await.unwrap();
    assert!(open(&desk).await.is_empty());
}

#[tokio::test]
async fn phones_that_lay_in_a_drawer_neither_keep_an_alarm_open_nor_hide_the_next_one() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    claimed(&desk, &user, (&["0004f2000011", "0004f2000012", "0004f2000013"], 401)).await;
    pass(10 * DAY);
    four_phones(&desk, &user).await;
    desk.app.look_after_phones().await.unwrap();
    assert!(open(&desk).await.is_empty(), "those that are away are known to be");

    for outage in ["the first", "the next"] {
        pass(DAY + DAY / 2);
        desk.app.look_after_phones().await.unwrap();
        let alarms = open(&desk).await;
        assert_eq!(alarms.len(), 1, "{outage}: {alarms:?}");
        assert!(alarms[0].contains("4 of the 4 phones at the site Head office stopped asking"), "{alarms:?}");
        pass(10 * DAY);
        desk.app.look_after_phones().await.unwrap();
        assert_eq!(open(&desk).await.len(), 1, "{outage}: they are gone for long");

        for phone in PHONES {
            asks(&desk, phone).await;
        }
        desk.app.look_after_phones().await.unwrap();
        assert!(open(&desk).await.is_empty(), "{outage}: all are back that were there");
        pass(DAY / 4);
        for phone in PHONES {
            asks(&desk, phone).await;
        }
    }
}

#[tokio::test]
async fn an_alarm_that_somebody_ended_while_the_phones_are_gone_is_not_raised_again() {
    let desk = Desk::signed_in().await;
    four_phones(&desk, &desk.user("Ada").await).await;
    pass(DAY + DAY / 2);
    desk.app.look_after_phones().await.unwrap();
    let alarm = desk.app.open_alarms(1, &Actor::control_socket()).await.unwrap().remove(0);

    desk.app.end_alarm(&alarm.id, &Actor::control_socket()).await.unwrap();
    desk.app.look_after_phones().await.unwrap();

    assert!(open(&desk).await.is_empty());
}

#[tokio::test]
async fn a_claimed_phone_that_was_left_alone_and_stops_may_have_gone_to_a_former_provider() {
    let desk = Desk::signed_in().await;
    four_phones(&desk, &desk.user("Ada").await).await;
    // It reads its configuration at another address than the server's own, and is not told to stay.
    let verdict = Verdict {
        status: CertificateStatus::FactoryInstalled,
        mac: Some(PHONES[1].parse().unwrap()),
        ..Verdict::none_presented()
    };
    desk.ask_at(verdict, &format!("/{}-provost.cfg", PHONES[1]), "192.0.2.99").await;
    pass(DAY);
    for phone in [PHONES[0], PHONES[2], PHONES[3]] {
        asks(&desk, phone).await;
    }
    pass(DAY / 2);

    desk.app.look_after_phones().await.unwrap();

    let alarms = open(&desk).await;
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert!(alarms[0].contains(&format!("Phone {} may have gone to a former provider", PHONES[1])), "{alarms:?}");
    asks(&desk, PHONES[1]).await;
    desk.app.look_after_phones().await.unwrap();
    assert!(open(&desk).await.is_empty(), "it is back");
}

#[tokio::test]
async fn who_gets_alarms_by_mail_is_set_for_an_account_and_for_the_server() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let page = desk.get("/alarms").await;
    page.shows("No mail server is configured");
    desk.app.use_mail_server("smtp.example.com");
    let bob = desk.user("Bob").await;

    let bad = desk.post("/alarms/mail", &[("account", ""), ("addresses", "ops@example.com\n<script>")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    bad.shows("is no mail address");
    bad.shows("&#60;script&#62;</textarea>");
    let saved = desk.post("/alarms/mail", &[("account", ""), ("addresses", "ops@example.com, noc@example.com")]).await;
    assert_eq!(saved.location(), "/alarms");
    let page = desk.get("/alarms").await;
    page.shows("From now on ops@example.com, noc@example.com will get a mail");
    page.shows("ops@example.com\nnoc@example.com</textarea>");

    let (of_ada, _) = of(&desk, "ada@example.com", ("administrator", Some(&ada.account))).await;
    of_ada.get("/alarms").await.hides("ops@example.com");
    let saved = of_ada.post("/alarms/mail", &[("account", &ada.account), ("addresses", "ada@example.com")]).await;
    assert_eq!(saved.location(), format!("/alarms?account={}", ada.account));
    of_ada.get("/alarms").await.shows("ada@example.com</textarea>");
    for owner in ["", &bob.account] {
        let refused = of_ada.post("/alarms/mail", &[("account", owner), ("addresses", "eve@example.com")]).await;
        assert!([StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&refused.status), "{}", refused.status);
    }
    assert_eq!(of_ada.get(&format!("/alarms?account={}", bob.account)).await.status, StatusCode::NOT_FOUND);
    let (reader, _) = of(&desk, "eve@example.com", ("read-only", Some(&ada.account))).await;
    let page = reader.get("/alarms").await;
    page.hides("<textarea");
    page.shows("ada@example.com");
    assert_eq!(desk.send("POST", "/alarms/mail", &[("account", "")]).await.status, StatusCode::FORBIDDEN);
}
