//! Firmware: what runs where, policies in words, rings, doors, and the way to another version.

use super::firmware_images::{lab_image, upload};
use super::phone::{ROLES, another_account, bound, seat};
use super::{Desk, MAC, VVX_450};
use axum::http::StatusCode;
use provost_app::{Actor, PhoneAnswer, PolicyView};

const HOSTILE: &str = "<script>alert(1)</script>\"'&";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";
const PAGES: [&str; 6] =
    ["/firmware", "/firmware/steps", "/firmware/images", "/firmware/policies", "/firmware/rings", "/firmware/ladder"];

pub(super) async fn policies(desk: &Desk) -> Vec<PolicyView> {
    desk.app.firmware_policies(&Actor::control_socket()).await.unwrap()
}

/// A policy for the whole server that keeps phones where they are.
pub(super) async fn kept(desk: &Desk) -> PolicyView {
    let answer =
        desk.post("/firmware/policies", &[("place", "server"), ("goal", "keep"), ("reason", "holidays")]).await;
    assert_eq!(answer.location(), "/firmware/policies", "{}", answer.text);
    policies(desk).await.remove(0)
}

#[tokio::test]
async fn the_first_page_says_which_models_run_what_and_how_that_stands() {
    let desk = Desk::signed_in().await;
    desk.get("/firmware").await.shows("No phone has said yet what it runs.");

    bound(&desk).await;

    let page = desk.get("/firmware").await;
    page.shows("VVX 450");
    page.shows("6.4.7.4560");
    page.shows("Known hole");
    page.shows("1 with a known hole");
    page.shows(r#"href="/devices?model=vvx450""#);
    page.shows(r#"href="/firmware/ladder?model=vvx450"#);
    page.shows(r#"data-live="/live/firmware""#);
    page.shows("No phone is being led to another version now.");
}

#[tokio::test]
async fn a_phone_that_is_offered_a_step_is_shown_as_under_way_everywhere() {
    let desk = Desk::signed_in().await;
    upload(&desk, &[], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;
    let device = bound(&desk).await;

    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));

    for path in ["/firmware", "/firmware/steps", "/firmware/steps?state=offered"] {
        let page = desk.get(path).await;
        page.shows("Offered");
        page.shows("6.4.8.1000");
        page.shows(&format!(r#"href="/phones/{MAC}""#));
    }
    desk.get("/firmware/steps?state=failed").await.hides(MAC);
    for path in [format!("/phones/{MAC}"), format!("/devices/{}", device.id)] {
        let page = desk.get(&path).await;
        page.shows("Under way");
        page.shows("It is on its way from 6.4.7.4560 to 6.4.8.1000");
        page.shows("no policy was made for it");
        page.hides("Update now</button>");
    }
}

#[tokio::test]
async fn a_policy_is_made_by_its_form_and_said_in_words() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let place = format!("account:{}", ada.account);
    desk.get("/firmware/policies").await.shows("None was made, so the default counts.");

    let fields = [
        ("place", place.as_str()),
        ("goal", "newest"),
        ("window", "22:00-05:00"),
        ("after-ring", "canary"),
        ("hours", "24"),
        ("reason", HOSTILE),
    ];
    let answer = desk.post("/firmware/policies", &fields).await;

    assert_eq!(answer.location(), "/firmware/policies");
    let page = desk.get("/firmware/policies").await;
    page.shows("It reaches: All of Example Company.");
    page.shows("The newest stored version that may be given, 22:00-05:00 in the time of its site, 5 phones of a site at a time; after a phone of ring canary has run it for 24 h, and paused after the first failure there.");
    page.shows(ESCAPED);
    page.hides("<script>alert");
    let id = policies(&desk).await.remove(0).id;
    let form = desk.get(&format!("/firmware/policies?change={id}")).await;
    form.shows("Change a policy");
    form.shows(r#"value="canary""#);
    form.shows(&format!(r#"<input type="hidden" name="place" value="{place}">"#));
    let fields = [("place", place.as_str()), ("goal", "version"), ("target", "6.4.8"), ("reason", "tested")];
    desk.post("/firmware/policies", &fields).await;
    assert_eq!(policies(&desk).await.len(), 1, "it took the place of the one before");
    desk.get("/firmware/policies").await.shows("Version 6.4.8, up or down");
    let answer = desk.post(&format!("/firmware/policies/{id}/remove"), &[]).await;
    assert_eq!(answer.location(), "/firmware/policies");
    assert_eq!(policies(&desk).await.len(), 1, "a reason is needed");
    let answer = desk.post(&format!("/firmware/policies/{id}/remove"), &[("reason", "the season is over")]).await;
    assert_eq!(answer.location(), "/firmware/policies");
    desk.get("/firmware/policies").await.shows("The policy is removed.");
    desk.get("/audit").await.shows("the season is over");
    assert!(policies(&desk).await.is_empty());
}

#[tokio::test]
async fn a_policy_that_cannot_be_comes_back_with_what_was_typed_and_what_is_wrong() {
    let desk = Desk::signed_in().await;
    let fields = [
        ("place", "server"),
        ("goal", "version"),
        ("target", "latest"),
        ("window", "night"),
        ("slots", "many"),
        ("after-ring", "First Ring"),
        ("reason", ""),
    ];

    let no_number = desk.post("/firmware/policies", &fields).await;
    let fields: Vec<_> = fields.into_iter().filter(|(name, _)| *name != "slots").collect();
    let refused = desk.post("/firmware/policies", &fields).await;

    assert_eq!(no_number.status, StatusCode::UNPROCESSABLE_ENTITY);
    no_number.shows(r#"id="slots-error""#);
    no_number.shows(r#"value="many""#);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for name in ["target", "window", "after-ring", "reason"] {
        refused.shows(&format!(r#"id="{name}-error""#));
    }
    assert_eq!(refused.text.matches(" autofocus").count(), 1);
    assert!(policies(&desk).await.is_empty());
}

#[tokio::test]
async fn a_version_is_paused_and_goes_on_with_a_reason() {
    let desk = Desk::signed_in().await;
    let policy = kept(&desk).await;
    desk.get("/firmware/policies").await.hides("Pause a version");
    upload(&desk, &[], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;
    desk.get("/firmware/policies").await.shows("<option>6.4.8.1000</option>");
    let (pause, resume) =
        (format!("/firmware/policies/{}/pause", policy.id), format!("/firmware/policies/{}/resume", policy.id));

    desk.post(&pause, &[("version", "6.4.8.1000"), ("reason", "")]).await;
    desk.get("/firmware/policies").await.hides("is paused");
    desk.post(&pause, &[("version", "6.4.8"), ("reason", "phones hang")]).await;
    let page = desk.get("/firmware/policies").await;
    page.shows("is stored, so nothing was paused");
    page.hides("is paused");
    desk.post(&pause, &[("version", "6.4.8.1000"), ("reason", "phones hang")]).await;

    let page = desk.get("/firmware/policies").await;
    page.shows("Version 6.4.8.1000 is paused");
    page.shows("unless somebody presses");
    let page = desk.get("/firmware").await;
    page.shows("<bdi>Every phone of this server</bdi> · paused");
    page.shows("by somebody");
    let answer =
        desk.post(&resume, &[("version", "6.4.8.1000"), ("reason", "was the switch"), ("back", "overview")]).await;
    assert_eq!(answer.location(), "/firmware");
    let page = desk.get("/firmware").await;
    page.shows("Version 6.4.8.1000 goes on");
    page.hides("· paused");
}

#[tokio::test]
async fn a_device_is_put_into_a_ring_and_its_step_may_begin_now() {
    let desk = Desk::signed_in().await;
    upload(&desk, &[], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;
    let fields = [("place", "server"), ("goal", "newest"), ("after-ring", "canary"), ("reason", "one goes first")];
    desk.post("/firmware/policies", &fields).await;
    let device = bound(&desk).await;
    let of_device = format!("/devices/{}", device.id);
    let ring = format!("{of_device}/firmware/ring");
    desk.get(&of_device).await.shows("Update now</button>");

    let answer = desk.post(&ring, &[("ring", "canary")]).await;
    assert_eq!(answer.location(), of_device);
    let answer = desk.post(&ring, &[("ring", "Not A Ring"), ("phone", MAC)]).await;
    assert_eq!(answer.location(), format!("/phones/{MAC}"));

    desk.get(&format!("/phones/{MAC}")).await.shows("is no ring");
    desk.get(&of_device).await.shows("<dd>canary</dd>");
    let rings = desk.get("/firmware/rings").await;
    rings.shows("Ada");
    rings.shows(&format!(r#"href="{of_device}""#));
    desk.post(&ring, &[("ring", "")]).await;
    desk.get("/firmware/rings").await.shows("No device is in a ring.");
    let now = format!("{of_device}/firmware/now");
    desk.post(&now, &[("reason", "")]).await;
    desk.get(&of_device).await.hides("Its step may begin");
    desk.post(&now, &[("reason", "the user asked")]).await;
    desk.get(&of_device).await.shows("Its step may begin");
}

#[tokio::test]
async fn a_door_is_opened_for_one_phone_and_closed() {
    let desk = Desk::signed_in().await;
    let bad = [("mac", "zz"), ("model", ""), ("hours", "99"), ("reason", "")];
    let refused = desk.post("/firmware/doors", &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for name in ["mac", "model", "hours", "reason"] {
        refused.shows(&format!(r#"id="{name}-error""#));
    }

    let page = desk.get("/firmware/doors").await;
    page.shows(r#"<option value="spip550">"#);
    page.hides(r#"<option value="vvx450">"#);
    let fields = [("mac", MAC), ("model", "vvx450"), ("hours", "4"), ("reason", "not that old")];
    desk.post("/firmware/doors", &fields).await.shows("reach this server by TLS");
    let fields = [("mac", MAC), ("model", "spip550"), ("hours", "4"), ("reason", HOSTILE)];
    assert_eq!(desk.post("/firmware/doors", &fields).await.location(), "/firmware/doors");

    let page = desk.get("/firmware/doors").await;
    page.shows("may read its next firmware over plain HTTP");
    page.shows("in 4 hours</time>");
    page.shows(ESCAPED);
    page.hides("<script>alert");
    let id = desk.app.firmware_doors(&Actor::control_socket()).await.unwrap().remove(0).id;
    let close = format!("/firmware/doors/{id}/close");
    assert_eq!(desk.post(&close, &[]).await.location(), "/firmware/doors");
    desk.get("/firmware/doors").await.shows("It is closed.");
    assert_eq!(desk.post(&close, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_way_to_a_version_is_shown_with_how_well_it_is_known_or_why_there_is_none() {
    let desk = Desk::signed_in().await;
    desk.get("/firmware/ladder").await.shows("May this phone go there?");
    let asked = "/firmware/ladder?model=vvx450&version=6.4.7.4560&target=6.4.8.1000";

    let refused = desk.get(asked).await;
    upload(&desk, &[], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;
    let found = desk.get(asked).await;

    refused.shows("Refused");
    refused.shows("No image with 6.4.8.1000 for a VVX 450 is stored.");
    found.shows("in one step");
    found.shows("forums and support pages");
    found.shows("Source: ");
    let broken = desk.get("/firmware/ladder?model=toaster&version=x&target=y").await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    for name in ["model", "version", "target"] {
        broken.shows(&format!(r#"id="{name}-error""#));
    }
    let filled = desk.get("/firmware/ladder?model=vvx450&version=6.4.7.4560").await;
    assert_eq!(filled.status, StatusCode::OK);
    filled.shows(r#"value="6.4.7.4560""#);
    let hostile = desk.get("/firmware/ladder?model=vvx450&version=%3Cscript%3E&target=1.2").await;
    hostile.hides("<script>");
}

#[tokio::test]
async fn each_role_sees_the_pages_and_has_the_buttons_it_may_press() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let policy = kept(&desk).await;
    let own = [("place", "server"), ("goal", "keep"), ("reason", "x")];
    let of_server = [
        "/firmware/policies".to_owned(),
        format!("/firmware/policies/{}/remove", policy.id),
        format!("/firmware/policies/{}/pause", policy.id),
        "/firmware/doors".to_owned(),
        "/firmware/doors/none/close".to_owned(),
        "/firmware/images/none/remove".to_owned(),
    ];
    let of_device = [format!("/devices/{}/firmware/ring", device.id), format!("/devices/{}/firmware/now", device.id)];
    for role in ROLES {
        let browser = seat(&desk, role, None).await;
        let (server, change) = (role == "owner", matches!(role, "owner" | "administrator"));
        for path in PAGES.iter().chain(&["/firmware/doors"]) {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{role} {path}");
            page.shows(r#"href="/firmware""#);
        }
        assert_eq!(browser.get("/firmware/images").await.text.contains("Upload</button>"), server, "{role}");
        let doors = browser.get("/firmware/doors").await;
        assert_eq!(doors.text.contains("Open plain HTTP for this phone</button>"), server, "{role}");
        let page = browser.get("/firmware/policies").await;
        assert_eq!(page.text.contains("Remove the policy</button>"), server, "{role}");
        assert_eq!(page.text.contains("Add the policy</button>"), change, "{role}");
        let page = browser.get(&format!("/devices/{}", device.id)).await;
        assert_eq!(page.text.contains("Put it there</button>"), change, "{role}");
        for path in of_server.iter().chain(&of_device) {
            assert_eq!(browser.send("POST", path, &own).await.status, StatusCode::FORBIDDEN, "no token: {role} {path}");
        }
        for path in of_server.iter().filter(|_| !server).chain(of_device.iter().filter(|_| !change)) {
            assert_eq!(browser.post(path, &own).await.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
}

#[tokio::test]
async fn who_has_one_account_sees_and_changes_nothing_of_another() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let place = format!("account:{}", device.account);
    let fields = [("place", place.as_str()), ("goal", "keep"), ("reason", "secret plan")];
    desk.post("/firmware/policies", &fields).await;
    let policy = policies(&desk).await.remove(0);
    let others = another_account(&desk).await;
    let browser = seat(&desk, "administrator", Some(&others)).await;

    for path in PAGES {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for theirs in [MAC, "secret plan", "Example Company", "6.4.7.4560"] {
            page.hides(theirs);
        }
    }
    let mine = browser.get("/firmware/policies").await;
    mine.shows("All of Others");
    mine.hides("Every phone of this server</option>");
    mine.hides(r#"href="/firmware/doors""#);
    assert_eq!(browser.get("/firmware/doors").await.status, StatusCode::FORBIDDEN);
    let form = [("ring", "canary"), ("reason", "x"), ("version", "6.4.8")];
    for path in [
        format!("/firmware/policies/{}/remove", policy.id),
        format!("/firmware/policies/{}/pause", policy.id),
        format!("/devices/{}/firmware/ring", device.id),
        format!("/devices/{}/firmware/now", device.id),
    ] {
        assert_eq!(browser.post(&path, &form).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let refused = browser.post("/firmware/policies", &fields).await;
    assert_ne!(refused.status, StatusCode::SEE_OTHER);
    assert_eq!(policies(&desk).await.len(), 1);
}
