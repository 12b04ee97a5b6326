//! The devices page as a report: filters, orders, columns, pages, files.

use super::{DAY_MS, Desk, ESCAPED, HOSTILE, MAC, StatusCode, VVX_450, pass};

const COLUMNS: [&str; 12] = [
    "Device",
    "MAC Address",
    "Device Admin Password",
    "Extension Number",
    "Status",
    "Activation Code",
    "Site",
    "User",
    "Firmware",
    "Last contact",
    "Certificate status",
    "Registered",
];

const ALL_COLUMNS: &str = "column=mac-address&column=device-admin-password&column=extension-number&column=status&column=activation-code&column=site&column=user&column=firmware&column=last-contact&column=certificate-status&column=registered";

/// The models of the rows, in their order.
fn rows(page: &str) -> Vec<&str> {
    page.split(r#"name="id" value=""#).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn every_column_can_be_shown_by_the_name_administrators_know() {
    let desk = Desk::signed_in().await;
    desk.bound_device().await;

    let page = desk.get(&format!("/devices?{ALL_COLUMNS}")).await;

    for column in COLUMNS {
        page.shows(&format!(r#"data-label="{column}""#));
    }
    for said in ["6.4.7.4560", "Factory Installed", "Head office", "Ada Lovelace", ">201<", ">Activated</span>"] {
        page.shows(said);
    }
    page.shows(&format!(r#"href="/phones/{MAC}""#));
    let few = desk.get("/devices?column=user").await;
    few.shows(r#"data-label="Device""#);
    few.shows(r#"data-label="User""#);
    few.hides(r#"data-label="Site""#);
}

#[tokio::test]
async fn what_a_filter_leaves_out_is_not_listed_and_the_filter_stays_typed() {
    let mut desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let bound = desk.device(&ada, Some(MAC)).await;
    desk.phone_asks(VVX_450).await;
    let bob = desk.colleague(&ada, "Bob", "305").await;
    let other = desk.device(&bob, None).await;
    let stock = desk.stock(&ada.account).await;

    assert_eq!(rows(&desk.get("/devices").await.text).len(), 3);
    for (query, found) in [
        ("search=0004f2", vec![&bound.id]),
        ("search=bo", vec![&other.id]),
        ("search=305", vec![&other.id]),
        ("status=added", vec![&stock.id]),
        ("status=activated&model=vvx450", vec![&bound.id]),
        ("model=vvx500", vec![]),
    ] {
        let page = desk.get(&format!("/devices?{query}")).await;
        assert_eq!(rows(&page.text), found, "{query}");
    }
    let typed = desk.get("/devices?search=bo&status=assigned").await;
    typed.shows(r#"value="bo""#);
    typed.shows(r#"<option value="assigned" selected>"#);
    assert!(rows(&desk.get("/devices?missed=24").await.text).is_empty());
    pass(2 * DAY_MS);
    desk.sign_in_again().await;
    assert_eq!(rows(&desk.get("/devices?missed=24").await.text), [&bound.id]);
    desk.get("/devices?search=nobody").await.shows("No device matches.");
}

#[tokio::test]
async fn a_head_leads_to_the_other_order_and_says_which_one_holds() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let of_ada = desk.device(&ada, None).await;
    let of_zoe = desk.device(&desk.colleague(&ada, "Zoe", "100").await, None).await;

    let up = desk.get("/devices?sort=user").await;
    assert_eq!(rows(&up.text), [&of_ada.id, &of_zoe.id]);
    up.shows(r#"aria-sort="ascending"><a class="order ascending" href="/devices?sort=%2Duser">User</a>"#);
    let down = desk.get("/devices?sort=%2Duser").await;
    assert_eq!(rows(&down.text), [&of_zoe.id, &of_ada.id]);
    down.shows(r#"aria-sort="descending""#);
    assert_eq!(rows(&desk.get("/devices?sort=extension-number").await.text), [&of_zoe.id, &of_ada.id]);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    for _ in 0..3 {
        desk.stock(&ada.account).await;
    }

    let first = desk.get("/devices?rows=2").await;
    let next = first.text.split(r#"rel="next""#).next().unwrap().rsplit(r#"href=""#).next().unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&");
    let second = desk.get(&next).await;

    assert_eq!((rows(&first.text).len(), rows(&second.text).len()), (2, 1));
    second.hides(r#"rel="next""#);
    second.shows(">First page</a>");
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_said_above_the_filters() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;

    for query in ["status=broken", "sort=colour", "after=zz", "site=nowhere", "model=vvx9", "column=secret"] {
        let page = desk.get(&format!("/devices?{query}")).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        page.shows(r#"role="alert""#);
    }
    let page = desk.get("/devices?status=%3Cscript%3Ealert(1)%3C%2Fscript%3E&search=%22%3E%3Cb%3E").await;
    page.shows(ESCAPED);
    page.hides("<b>");
}

#[tokio::test]
async fn names_from_outside_stay_text_on_every_page_of_devices() {
    let desk = Desk::signed_in().await;
    let user = desk.user(HOSTILE).await;
    let device = desk.device(&user, None).await;
    desk.code(&device.id).await;

    for path in [
        "/devices".to_owned(),
        format!("/devices/{}", device.id),
        format!("/devices/{}/user?q=%3Cscript", device.id),
        format!("/devices/{}/passwords", device.id),
        format!("/devices/labels?id={}", device.id),
        format!("/devices/letters?id={}", device.id),
        format!("/devices/add?model=vvx450&user={}&who=%3Cscript", user.id),
    ] {
        let page = desk.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        page.shows(ESCAPED);
        page.hides("<script>");
        // Whoever writes from right to left does so in a box of its own.
        let boxed = page.text.matches("\u{202e}</bdi>").count();
        assert!(boxed > 0, "{path}");
    }
}

#[tokio::test]
async fn the_report_is_a_file_without_secrets_that_holds_what_the_filters_let_through() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, None).await;
    let code = desk.code(&device.id).await;

    let file = desk.get("/devices/report.csv").await;

    assert_eq!(file.header("content-disposition"), "attachment; filename=\"devices.csv\"");
    assert!(file.header("content-type").starts_with("text/csv"));
    file.shows("Device,MAC Address,Device Admin Password,Extension Number,Status,Activation Code");
    file.shows("VVX 450,,,201,assigned,open until");
    file.hides(&code.shown);
    assert_eq!(desk.get("/devices/report.csv?status=released").await.text.lines().count(), 1);
}

#[tokio::test]
async fn a_file_with_secrets_takes_a_reason_that_stands_in_the_audit_log() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, None).await;
    let code = desk.code(&device.id).await;
    let form = desk.get("/devices/secrets?status=assigned").await;
    form.shows(r#"name="status" value="assigned""#);

    let without = desk.post("/devices/secrets.csv", &[("status", "assigned"), ("reason", " ")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    without.shows("Reason is missing");
    without.hides(&code.shown);
    let file = desk.post("/devices/secrets.csv", &[("status", "assigned"), ("reason", "moving house")]).await;

    assert_eq!(file.status, StatusCode::OK);
    file.shows(&code.shown);
    desk.get("/audit").await.shows("moving house");
    let forged = desk.send("POST", "/devices/secrets.csv", &[("reason", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    forged.hides(&code.shown);
}
