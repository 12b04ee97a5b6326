//! What becomes of a device, and what its page says before and after.

use super::{DAY_MS, Desk, MAC, OTHER_MAC, StatusCode, VVX_450, follow, pass};
use provost_app::{Actor, TokenInput};

#[tokio::test]
async fn the_page_says_how_it_stands_and_what_comes_next() {
    let mut desk = Desk::signed_in().await;
    let ada = desk.user("Ada Lovelace").await;
    let stock = desk.stock(&ada.account).await;
    desk.get(&format!("/devices/{}", stock.id)).await.shows("Assign it to a user");
    let device = desk.device(&ada, None).await;
    let path = format!("/devices/{}", device.id);

    let page = desk.get(&path).await;
    page.shows("It needs an activation code");
    page.shows(&format!(r#"href="/users/{}""#, ada.id));
    let code = desk.code(&device.id).await;
    let page = desk.get(&path).await;
    page.shows("press Activate on the phone");
    page.shows(&code.shown);
    pass(91 * DAY_MS);
    desk.sign_in_again().await;
    desk.get(&path).await.shows("nobody can use the old one");
}

#[tokio::test]
async fn a_bound_device_shows_its_phone_its_timeline_and_hides_its_password() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;

    let page = desk.get(&format!("/devices/{}", device.id)).await;

    page.shows("Activated");
    page.shows("Phones it has and had");
    page.shows("its phone now");
    page.shows(&format!(r#"href="/phones/{MAC}""#));
    page.shows(r#"<ol class="timeline">"#);
    page.shows(&format!(r#"href="/devices/{}/passwords""#, device.id));
    page.hides("Issue code");
}

#[tokio::test]
async fn passwords_are_shown_once_for_a_reason_that_is_kept() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let path = format!("/devices/{}/passwords", device.id);
    let owner = Actor::control_socket();
    let pairs = desk.app.device_passwords(&device.id.parse().unwrap(), "test", &owner).await.unwrap();
    let password = &pairs[0].admin_password;

    let form = desk.get(&path).await;
    form.hides(password);
    let without = desk.post(&path, &[("reason", "")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    without.hides(password);
    let shown = desk.post(&path, &[("reason", "reset at the desk")]).await;

    assert_eq!(shown.status, StatusCode::OK);
    shown.shows(password);
    shown.shows(&pairs[0].user_password);
    desk.get("/audit").await.shows("reset at the desk");
}

#[tokio::test]
async fn it_is_given_to_somebody_found_by_typing_with_its_phone() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let ada = desk.app.user(&device.user.clone().unwrap().parse().unwrap(), &Actor::control_socket()).await.unwrap();
    let bob = desk.colleague(&ada, "Bob", "305").await;
    let path = format!("/devices/{}/user", device.id);

    let page = desk.get(&format!("{path}?q=bo")).await;
    page.shows("<bdi>Bob</bdi>");
    page.shows("Its phone goes with it");
    desk.post(&path, &[("user", "")]).await.shows("Choose a user.");
    let page = follow(&desk, desk.post(&path, &[("user", &bob.id)]).await).await;

    page.shows("is now for Bob");
    page.shows("Activated");
    let elsewhere = desk.user("Boris").await;
    let refused = desk.post(&path, &[("user", &elsewhere.id)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("is no user of this account");
}

#[tokio::test]
async fn whom_to_give_it_to_is_found_however_many_of_other_accounts_are_called_so() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let ada = desk.app.user(&device.user.clone().unwrap().parse().unwrap(), &Actor::control_socket()).await.unwrap();
    desk.colleague(&ada, "Bob", "305").await;
    // An account of the same name, with more of them before him than are ever looked at.
    let elsewhere = desk.user("Another").await;
    for n in 0..101 {
        desk.colleague(&elsewhere, &format!("Bo {n:03}"), &format!("4{n:03}")).await;
    }

    let page = desk.get(&format!("/devices/{}/user?q=bo", device.id)).await;

    page.shows("<bdi>Bob</bdi>");
    page.hides("<bdi>Bo 0");
    let role = "administrator".to_owned();
    let input = TokenInput { role, account: Some(ada.account), site: Some(ada.site), ..TokenInput::default() };
    let mut at_site = desk.elsewhere();
    at_site.enter_with(input).await;
    at_site.get(&format!("/devices/{}/user?q=bo", device.id)).await.shows("<bdi>Bob</bdi>");
}

#[tokio::test]
async fn a_dead_phone_is_swapped_by_a_code_that_is_told_or_by_a_mac() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let (page, swap) = (format!("/devices/{}", device.id), format!("/devices/{}/swap", device.id));

    let wrong = desk.post(&swap, &[("mac", "nonsense")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.shows(r#"id="swap-error""#);
    wrong.shows(r#"value="nonsense""#);
    let swapped = desk.post(&swap, &[("mac", ""), ("reason", "dead")]).await;
    let code = desk.device_now(&device.id).await.activation_code.unwrap();
    assert_eq!(swapped.status, StatusCode::OK);
    swapped.shows(&format!("<p class=\"big-code\">{}</p>", code.shown));
    assert_eq!(desk.get(&swap).await.location(), page, "a reload swaps nothing");
    desk.get(&page).await.shows("swapped for another");
    // It is to be let in first.
    desk.get("/").await.hides(&format!("href=\"/phones/{MAC}\""));
    let again = follow(&desk, desk.post(&swap, &[("mac", "")]).await).await;
    again.shows("Not done.");

    pass(1_000);
    let owner = Actor::control_socket();
    desk.app.readmit_phone(MAC.parse().unwrap(), None, &owner).await.unwrap();
    desk.phone_asks(VVX_450).await;
    desk.app.activate(MAC.parse().unwrap(), &code.code, &owner).await.unwrap();
    let by_mac = follow(&desk, desk.post(&swap, &[("mac", OTHER_MAC)]).await).await;
    by_mac.shows(&format!("waits for phone {OTHER_MAC}"));
    desk.get(&page).await.shows(OTHER_MAC);
}

#[tokio::test]
async fn it_goes_back_to_stock() {
    let desk = Desk::signed_in().await;
    let device = desk.bound_device().await;

    let done = desk.post(&format!("/devices/{}/unassign", device.id), &[("reason", "left")]).await;

    let page = follow(&desk, done).await;
    page.shows("is back in stock");
    page.shows("no user");
    page.shows("Assign the device to a user: then the phone is claimed");
}

#[tokio::test]
async fn it_is_released_restored_and_removed() {
    let mut desk = Desk::signed_in().await;
    let device = desk.bound_device().await;
    let path = |what: &str| format!("/devices/{}/{what}", device.id);
    desk.get(&format!("/devices/{}", device.id)).await.hides(">Remove it</button>");

    let page = follow(&desk, desk.post(&path("release"), &[("reason", "left the company")]).await).await;
    page.shows("is released");
    page.shows(">Restore it</button>");
    desk.get("/devices/released").await.shows(MAC);
    pass(1_000);
    let page = follow(&desk, desk.post(&path("restore"), &[]).await).await;
    page.shows("is restored as it was");
    page.shows("Activated");
    let early = follow(&desk, desk.post(&path("remove"), &[]).await).await;
    early.shows("release it first");

    desk.post(&path("release"), &[]).await;
    let removed = follow(&desk, desk.post(&path("remove"), &[]).await).await;
    removed.shows("The device is removed");
    removed.shows(MAC);
    assert_eq!(desk.get(&format!("/devices/{}", device.id)).await.status, StatusCode::NOT_FOUND);
    pass(1_000);
    follow(&desk, desk.post(&path("restore"), &[]).await).await.shows("is restored");
    desk.post(&path("release"), &[]).await;
    pass(31 * DAY_MS);
    desk.sign_in_again().await;
    desk.get("/devices/released").await.shows("not any more");
    desk.get(&format!("/devices/{}", device.id)).await.hides(">Restore it</button>");
    follow(&desk, desk.post(&path("restore"), &[]).await).await.shows("Not done.");
}

#[tokio::test]
async fn two_devices_that_name_one_phone_are_told_apart_on_their_pages() {
    let desk = Desk::signed_in().await;
    let first = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    let second = desk.device(&desk.user("Bob").await, Some(MAC)).await;

    let page = desk.get(&format!("/devices/{}", first.id)).await;

    page.shows("Another device names the same phone");
    page.shows(&format!(r#"href="/devices/{}""#, second.id));
    let theirs = desk.beside("administrator", Some(&first.account)).await;
    let page = theirs.get(&format!("/devices/{}", first.id)).await;
    page.shows("ask your provider");
    page.hides(&second.id);
}

#[tokio::test]
async fn without_an_address_or_a_mail_server_the_page_says_why_no_mail_goes() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, None).await;

    desk.get(&format!("/devices/{}", device.id)).await.shows("has no mail address");
    let done = desk.post(&format!("/devices/{}/welcome", device.id), &[]).await;
    follow(&desk, done).await.shows("Not done.");
}
