//! Who may do what on the pages of devices, and what somebody of another account finds there: nothing.

use super::{Desk, MAC, OTHER_MAC, StatusCode};

/// What each form of a device takes, beside the token.
const FORMS: [(&str, &[(&str, &str)]); 12] = [
    ("code", &[]),
    ("welcome", &[]),
    ("user", &[("user", "user_01jd0000000000000000000000")]),
    ("unassign", &[]),
    ("swap", &[("mac", OTHER_MAC)]),
    ("release", &[]),
    ("restore", &[]),
    ("remove", &[]),
    ("disable", &[]),
    ("quarantine", &[]),
    ("enable", &[]),
    ("passwords", &[("reason", "because")]),
];

#[tokio::test]
async fn nothing_is_done_without_the_token_of_the_form_or_without_signing_in() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let nobody = desk.elsewhere();
    let before = format!("{:?}", desk.device_now(&device.id).await);

    for (what, fields) in FORMS {
        let path = format!("/devices/{}/{what}", device.id);
        assert_eq!(desk.send("POST", &path, fields).await.status, StatusCode::FORBIDDEN, "{what}");
        assert_eq!(nobody.send("POST", &path, fields).await.location(), "/sign-in", "{what}");
    }
    for path in ["/devices", "/devices/codes", "/devices/secrets.csv"] {
        assert_eq!(desk.send("POST", path, &[("id", &device.id)]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/devices/add", "/devices/released", "/devices/labels", "/devices/report.csv", "/devices/secrets"] {
        assert_eq!(nobody.get(path).await.location(), "/sign-in", "{path}");
    }
    assert_eq!(format!("{:?}", desk.device_now(&device.id).await), before);
}

#[tokio::test]
async fn who_may_only_look_has_no_buttons_and_is_refused() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let waiting = desk.device(&desk.colleague(&user_of(&desk, &device).await, "Bob", "305").await, None).await;
    let code = desk.code(&waiting.id).await;
    let before = format!("{:?}", desk.device_now(&device.id).await);

    for role in ["support", "read-only"] {
        let browser = desk.beside(role, None).await;
        let list = browser.get("/devices").await;
        for hidden in ["Add Device Model", "passwords", code.shown.as_str(), "with passwords and codes"] {
            list.hides(hidden);
        }
        let page = browser.get(&format!("/devices/{}", device.id)).await;
        page.hides(&format!("action=\"/devices/{}", device.id));
        page.hides("What you can do");
        browser.get(&format!("/devices/{}", waiting.id)).await.hides(&code.shown);
        for paper in ["labels", "letters"] {
            let paper = browser.get(&format!("/devices/{paper}?id={}", waiting.id)).await;
            paper.hides(&code.shown);
            paper.hides("Issue what is missing");
        }
        for (what, fields) in FORMS {
            let answer = browser.post(&format!("/devices/{}/{what}", device.id), fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {what}");
        }
        for path in ["/devices/add", "/devices/secrets"] {
            assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
        let secrets = browser.post("/devices/secrets.csv", &[("reason", "because")]).await;
        assert_eq!(secrets.status, StatusCode::FORBIDDEN, "{role}");
        let issued = browser.post("/devices/codes", &[("id", &waiting.id)]).await;
        assert_eq!(issued.status, StatusCode::FORBIDDEN, "{role}");
        let added = browser.post("/devices", &[("model", "vvx450"), ("user", "")]).await;
        assert_eq!(added.status, StatusCode::FORBIDDEN, "{role}");
        let csv = browser.get("/devices/report.csv").await;
        csv.hides(&code.shown);
    }
    assert_eq!(format!("{:?}", desk.device_now(&device.id).await), before);
}

async fn user_of(desk: &Desk, device: &provost_app::DeviceView) -> provost_app::UserView {
    let id = device.user.clone().unwrap().parse().unwrap();
    desk.app.user(&id, &provost_app::Actor::control_socket()).await.unwrap()
}

#[tokio::test]
async fn an_installer_swaps_is_told_the_code_of_the_swap_and_does_nothing_else() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let installer = desk.beside("installer", None).await;

    let page = installer.get(&format!("/devices/{}", device.id)).await;
    page.shows("Swap a dead phone");
    for hidden in ["Put back to stock", ">Release</summary>", "Take out of service", "passwords"] {
        page.hides(hidden);
    }
    let page = installer.post(&format!("/devices/{}/swap", device.id), &[("mac", "")]).await;

    let code = desk.device_now(&device.id).await.activation_code.unwrap();
    page.shows(&code.shown);
    assert_eq!(installer.post(&format!("/devices/{}/release", device.id), &[]).await.status, StatusCode::FORBIDDEN);
    installer.get(&format!("/devices/{}", device.id)).await.hides(&code.shown);
}

#[tokio::test]
async fn owner_and_administrator_have_every_button() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;

    for role in ["owner", "administrator"] {
        let browser = desk.beside(role, None).await;
        browser.get("/devices").await.shows("Add Device Model");
        let page = browser.get(&format!("/devices/{}", device.id)).await;
        for shown in
            ["Move to another user", "Swap a dead phone", "Put back to stock", "Take out of service", "Release"]
        {
            page.shows(shown);
        }
    }
}

#[tokio::test]
async fn somebody_of_another_account_finds_nothing() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let other = desk.user("Eve").await;
    let theirs = desk.beside("owner", Some(&other.account)).await;
    let before = format!("{:?}", desk.device_now(&device.id).await);

    let list = theirs.get("/devices").await;
    list.hides(&device.id);
    list.hides(MAC);
    theirs.get("/devices/report.csv").await.hides(MAC);
    for path in ["", "/user", "/passwords"] {
        let answer = theirs.get(&format!("/devices/{}{path}", device.id)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        answer.hides("Ada");
    }
    for (what, fields) in FORMS {
        let answer = theirs.post(&format!("/devices/{}/{what}", device.id), fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{what}");
    }
    for paper in ["labels", "letters"] {
        theirs.get(&format!("/devices/{paper}?id={}", device.id)).await.hides("Ada");
    }
    let account = format!("/devices?account={}", device.account);
    assert_eq!(theirs.get(&account).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        theirs.get(&format!("/devices?site={}", user_of(&desk, &device).await.site)).await.status,
        StatusCode::OK
    );
    theirs.get(&format!("/devices?site={}", user_of(&desk, &device).await.site)).await.hides(MAC);
    desk.post(&format!("/devices/{}/release", device.id), &[]).await;
    theirs.get("/devices/released").await.hides(MAC);
    assert_ne!(format!("{:?}", desk.device_now(&device.id).await), before);
}
