//! Configuration layers: entries set, taken away, looked at first, and taken back, by who may.

use super::phone::{ROLES, another_account, bound, seat};
use super::{Answer, Desk, MAC};
use axum::http::StatusCode;
use provost_app::{Actor, DeviceView, LayerView, PhoneAnswer};
use provost_core::entry::DeviceInput;
use provost_core::layers::Subject;

async fn scene() -> (Desk, DeviceView, String) {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let site = desk.app.sites(provost_app::Page::FIRST, &Actor::control_socket()).await.unwrap()[0].id.clone();
    (desk, device, format!("/sites/{site}/configuration"))
}

async fn layer(desk: &Desk, address: &str) -> LayerView {
    let site = address.trim_start_matches("/sites/").trim_end_matches("/configuration");
    let subject: Subject = site.parse().unwrap();
    desk.app.layer(&subject, &Actor::control_socket()).await.unwrap()
}

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

fn nat(value: &str) -> [(&str, &str); 3] {
    [("setting-name-1", "nat.keepalive"), ("setting-value-1", value), ("reason", "new router")]
}

#[tokio::test]
async fn an_entry_is_set_reaches_its_phones_and_is_taken_away() {
    let (desk, _, address) = scene().await;
    desk.get(&address).await.shows("Nothing was ever entered here.");

    let page = follow(&desk, desk.post(&address, &nat("15")).await).await;
    page.shows("Saved as revision 1. It reaches 1 device");
    page.shows("<bdi>nat.keepalive</bdi>");
    page.shows("nat.keepalive.interval: a whole number from");
    let told = desk.get(&format!("/phones/{MAC}/configuration?q=nat.keepalive")).await;
    told.shows("<bdi>15</bdi>");
    told.shows(&format!(r#"<a href="{address}"><bdi>Head office</bdi></a>"#));

    let same = follow(&desk, desk.post(&address, &nat("15")).await).await;
    same.shows("Everything stood so already");
    let page = follow(&desk, desk.post(&address, &[("take", "settings.nat.keepalive")]).await).await;

    page.shows("Saved as revision 2");
    assert!(layer(&desk, &address).await.settings.is_empty());
}

#[tokio::test]
async fn several_entries_are_set_and_taken_away_at_once() {
    let (desk, _, address) = scene().await;
    let fields = [
        ("setting-name-1", "nat.keepalive"),
        ("setting-value-1", "15"),
        ("setting-name-2", "line.keys"),
        ("setting-line-2", "2"),
        ("setting-value-2", "3"),
        ("raw-name-1", "own.parameter"),
        ("raw-value-1", "1"),
    ];
    let page = follow(&desk, desk.post(&address, &fields).await).await;
    page.shows("not in the catalog");
    page.shows(r#"<span class="badge wait">raw</span>"#);
    let view = layer(&desk, &address).await;
    assert_eq!(view.settings.get("line.keys@2").map(String::as_str), Some("3"));
    assert_eq!(view.raw.get("own.parameter").map(String::as_str), Some("1"));

    let fields = [("take", "settings.nat.keepalive"), ("take", "raw.own.parameter"), ("setting-name-1", "")];
    follow(&desk, desk.post(&address, &fields).await).await;

    let view = layer(&desk, &address).await;
    assert_eq!(view.settings.keys().collect::<Vec<_>>(), ["line.keys@2"]);
    assert!(view.raw.is_empty());
}

#[tokio::test]
async fn an_entry_is_there_to_be_changed_with_its_value_but_no_secret() {
    let (desk, _, address) = scene().await;
    let fields = [
        ("setting-name-1", "line.keys@2"),
        ("setting-value-1", "3"),
        ("raw-name-1", "own.password"),
        ("raw-value-1", "s3cret"),
    ];
    follow(&desk, desk.post(&address, &fields).await).await.hides("s3cret");

    let page = desk.get(&format!("{address}?set=line.keys%402&raw=own.password")).await;

    page.shows(r#"name="setting-name-1" class="mono" value="line.keys""#);
    page.shows(r#"name="setting-line-1" value="2""#);
    page.shows(r#"name="setting-value-1" class="mono" value="3""#);
    page.shows(r#"name="raw-name-1" class="mono" value="own.password""#);
    page.shows(r#"name="raw-value-1" class="mono" value="""#);
    page.hides("s3cret");
    let secrets = format!("{address}/secrets");
    assert_eq!(desk.post(&secrets, &[("reason", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    desk.post(&secrets, &[("reason", "to compare")]).await.shows("<bdi>s3cret</bdi>");
}

#[tokio::test]
async fn what_is_at_fault_stands_beside_its_field_and_what_was_typed_stays() {
    let (desk, _, address) = scene().await;
    let fields = [
        ("setting-name-1", "nat.keepalive"),
        ("setting-value-1", "often\"><script>"),
        ("setting-name-2", "line.address"),
        ("setting-value-2", "201"),
        ("raw-name-1", "<b>"),
        ("raw-value-1", "\u{202e}1"),
    ];

    let page = desk.post(&address, &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.shows(r#"id="setting-value-1-error"><bdi>`often"#);
    page.shows(r#"id="setting-value-2-error"><bdi>cannot be set here: it comes from the user&#39;s lines"#);
    page.shows(r#"id="raw-value-1-error"><bdi>is no parameter"#);
    page.shows(r#"value="often&#34;&#62;&#60;script&#62;""#);
    page.hides("<script>");
    page.hides("<b>");
    assert_eq!(page.text.matches(" autofocus").count(), 1);
    let no_value = desk.post(&address, &[("setting-name-1", "nat.keepalive"), ("setting-value-1", "")]).await;
    no_value.shows("Type a value.");
    let no_name = desk.post(&address, &[("setting-name-1", ""), ("setting-value-1", "1")]).await;
    no_name.shows("Which setting?");
    desk.post(&address, &[]).await.shows("Nothing was entered or marked.");
    assert_eq!(layer(&desk, &address).await.revision, 0);
}

#[tokio::test]
async fn a_change_is_looked_at_first_for_a_phone_in_reach_and_nothing_is_saved() {
    let (desk, device, address) = scene().await;
    let preview = format!("{address}/preview");

    let page = desk.post(&preview, &nat("15")).await;
    assert_eq!(page.status, StatusCode::OK);
    page.shows("Nothing is saved yet.");
    page.shows("1 parameter would be different");
    page.shows("nat.keepalive.interval");
    page.shows(&format!(r#"href="/devices/{}/effective""#, device.id));
    page.shows("The files it would get, secrets masked");
    page.hides("a-sip-password");
    page.shows(r#"name="setting-value-1" class="mono" value="15""#);
    assert_eq!(layer(&desk, &address).await.revision, 0);

    for (at, says) in [
        (MAC, "would be different"),
        (device.id.as_str(), "would be different"),
        ("0004f2999999", "Write the MAC address"),
        ("nonsense", "Write the MAC address"),
    ] {
        let mut fields = nat("15").to_vec();
        fields.push(("look-at", at));
        desk.post(&preview, &fields).await.shows(says);
    }
    let stock = DeviceInput { account: device.account.clone(), model: "vvx450".to_owned(), user: None, mac: None };
    let stock = desk.app.add_device(stock, &Actor::control_socket()).await.unwrap();
    let mut fields = nat("15").to_vec();
    fields.push(("look-at", &stock.id));
    desk.post(&preview, &fields).await.shows("This layer does not reach that device.");
}

#[tokio::test]
async fn each_change_stands_in_the_history_and_can_be_taken_back() {
    let (desk, _, address) = scene().await;
    let history = format!("{address}/history");
    desk.get(&history).await.shows("Nothing was ever entered in this layer.");
    for value in ["15", "30", "45"] {
        desk.post(&address, &nat(value)).await;
    }

    let page = desk.get(&history).await;
    page.shows("Revision 3 <span class=\"badge good\">counts now</span>");
    page.shows("<bdi>new router</bdi>");
    page.shows("Go back to revision 1");
    let old = follow(&desk, desk.post(&format!("{address}/revert"), &[("present", "2")]).await).await;
    old.shows("Somebody changed this layer since the page was opened");
    let page = follow(&desk, desk.post(&format!("{address}/revert"), &[("present", "3")]).await).await;
    page.shows("as revision 4");
    assert_eq!(layer(&desk, &address).await.settings["nat.keepalive"], "30");
    desk.post(&format!("{address}/revert"), &[("present", "4"), ("to", "1"), ("reason", "best so far")]).await;

    let page = desk.get(&history).await;
    page.shows("Brought back revision 1");
    page.shows("<bdi>best so far</bdi>");
    assert_eq!(layer(&desk, &address).await.settings["nat.keepalive"], "15");
}

#[tokio::test]
async fn a_long_history_has_pages() {
    let (desk, _, address) = scene().await;
    for value in 1..=25 {
        desk.post(&address, &nat(&value.to_string())).await;
    }

    let first = desk.get(&format!("{address}/history")).await;
    let older = desk.get(&format!("{address}/history?before=6")).await;

    first.shows("Revision 25 ");
    first.hides("Revision 5<");
    first.shows(&format!(r#"href="{address}/history?before=6">Older"#));
    older.shows("Revision 5<");
    older.hides("Older</a>");
}

#[tokio::test]
async fn each_kind_of_layer_has_its_page() {
    let (desk, device, site) = scene().await;
    let account = &device.account;
    for (address, says) in [
        ("/configuration".to_owned(), "Platform configuration"),
        ("/models/vvx450/configuration".to_owned(), "Model configuration"),
        (format!("/accounts/{account}/configuration"), "Account configuration"),
        (format!("/accounts/{account}/models/vvx450/configuration"), "Model in an account configuration"),
        (site, "Site configuration"),
        (format!("/devices/{}/configuration", device.id), "Device configuration"),
    ] {
        desk.get(&address).await.shows(says);
        follow(&desk, desk.post(&address, &nat("20")).await).await.shows("It reaches 1 device");
        let looked = desk.post(&format!("{address}/preview"), &nat("25")).await;
        looked.shows("Nothing is saved yet.");
        desk.get(&format!("{address}/history")).await.shows("Revision 1 ");
        assert_eq!(desk.get(&format!("{address}/preview")).await.location(), address);
    }
    for nothing in ["/models/nothing/configuration", "/sites/nothing/configuration", "/devices/x/configuration"] {
        assert_eq!(desk.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
}

#[tokio::test]
async fn who_may_not_change_a_layer_reads_it_and_is_refused() {
    let (desk, _, address) = scene().await;
    desk.post(&address, &nat("15")).await;

    for role in ROLES {
        let seat = seat(&desk, role, None).await;
        let changes = matches!(role, "owner" | "administrator");
        let page = seat.get(&address).await;
        page.shows("<bdi>nat.keepalive</bdi>");
        assert_eq!(page.text.contains(">Save</button>"), changes, "{role}");
        assert_eq!(seat.get(&format!("{address}/history")).await.text.contains("Take it back"), changes, "{role}");
        let answer = seat.post(&address, &nat("16")).await;
        let revert = seat.post(&format!("{address}/revert"), &[("present", "1")]).await;
        let secrets = seat.post(&format!("{address}/secrets"), &[("reason", "x")]).await;
        for (answer, done) in
            [(answer, StatusCode::SEE_OTHER), (revert, StatusCode::SEE_OTHER), (secrets, StatusCode::OK)]
        {
            assert_eq!(answer.status, if changes { done } else { StatusCode::FORBIDDEN }, "{role}");
        }
        let platform = seat.get("/configuration").await;
        assert_eq!(platform.text.contains(">Save</button>"), role == "owner", "{role}");
    }
}

#[tokio::test]
async fn a_layer_of_another_account_is_one_that_never_was() {
    let (desk, device, address) = scene().await;
    desk.post(&address, &nat("15")).await;
    let others = another_account(&desk).await;
    let seat = seat(&desk, "owner", Some(&others)).await;

    for hidden in [
        address.clone(),
        format!("{address}/history"),
        format!("/devices/{}/configuration", device.id),
        format!("/accounts/{}/configuration", device.account),
        format!("/accounts/{}/models/vvx450/configuration", device.account),
        format!("/devices/{}/effective", device.id),
    ] {
        let page = seat.get(&hidden).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{hidden}");
        page.hides("nat.keepalive");
    }
    for deed in ["", "/preview", "/revert", "/secrets"] {
        let answer = seat.post(&format!("{address}{deed}"), &nat("16")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{deed}");
    }
    for whole_server in ["/configuration", "/models/vvx450/configuration"] {
        assert_eq!(seat.get(whole_server).await.status, StatusCode::FORBIDDEN, "{whole_server}");
    }
    let own = format!("/accounts/{others}/configuration");
    let mut fields = nat("15").to_vec();
    fields.push(("look-at", MAC));
    seat.post(&format!("{own}/preview"), &fields).await.shows("Write the MAC address of a phone that a device has");
}

#[tokio::test]
async fn a_layers_form_without_the_sessions_token_changes_nothing() {
    let (desk, _, address) = scene().await;

    for deed in ["", "/preview", "/revert", "/secrets"] {
        let answer = desk.send("POST", &format!("{address}{deed}"), &nat("15")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{deed}");
    }
    assert_eq!(layer(&desk, &address).await.revision, 0);
    assert!(matches!(desk.phone_asks(super::VVX_450).await, PhoneAnswer::File(_)));
}
