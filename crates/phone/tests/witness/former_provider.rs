//! Phones of a former provider: led to another server by an option of DHCP, and what comes when it is gone.

use provost_phone::{Event, Kept, Network, Outcome, Phone, ServerRule};

use crate::boot_server::{labelled, network, phone_in};
use crate::server::BootServer;
use crate::support::nobody;

const NOTICE: &str = "A new update is available";

struct Scene {
    former: BootServer,
    ours: BootServer,
    with_option: Network,
    without: Network,
    phone: Phone,
}

/// A phone that the former provider set to option 161, started once in a network that has it.
async fn led_by_161() -> Scene {
    let (former, ours) = (labelled("former").await, labelled("ours").await);
    let (with_option, without) = (network(&[(161, &ours.url()), (66, &former.url())]).await, network(&[]).await);
    let kept = [
        ("device.dhcp.bootSrvOpt", "161"),
        ("device.prov.serverName", &former.url()),
        ("device.prov.serverType", "HTTPS"),
    ];
    let mut phone = phone_in(with_option.clone(), &kept, &ours);
    phone.boot(&mut nobody()).await.unwrap();
    Scene { former, ours, with_option, without, phone }
}

fn label(phone: &Phone) -> String {
    phone.effective()["reg.1.label"].clone()
}

#[tokio::test]
async fn option_161_overrides_66_and_the_former_provider() {
    let scene = led_by_161().await;

    assert_eq!(scene.phone.found_server().rule, ServerRule::Option { code: 161 });
    assert_eq!(label(&scene.phone), "ours");
    assert!(scene.former.seen().is_empty());
}

#[tokio::test]
async fn once_the_option_is_gone_the_phone_falls_back_and_comes_again_with_it() {
    let mut scene = led_by_161().await;

    scene.phone.connect(Some(scene.without));
    assert_eq!(label(&scene.phone), "ours", "nothing changes until it starts again");
    scene.phone.boot(&mut nobody()).await.unwrap();

    assert_eq!((label(&scene.phone).as_str(), scene.phone.found_server().rule), ("former", ServerRule::Flash));
    assert_eq!(scene.phone.update_notice(), None, "it has the update");
    scene.phone.connect(Some(scene.with_option));
    scene.phone.boot(&mut nobody()).await.unwrap();
    assert_eq!(label(&scene.phone), "ours");
}

#[tokio::test]
async fn taking_the_update_leads_back_to_the_former_provider() {
    let mut scene = led_by_161().await;
    assert_eq!(scene.phone.update_notice().as_deref(), Some(NOTICE));
    assert!(scene.phone.screen().messages.contains(&NOTICE.to_owned()));
    let mut told = Vec::new();

    let report = scene.phone.accept_update(&mut |event| told.push(event)).await.unwrap().unwrap();

    assert_eq!((report.outcome, report.restarts), (Outcome::Configured, 1));
    assert_eq!(label(&scene.phone), "former");
    assert!(told.iter().any(|event| matches!(event, Event::Restarting { .. })));
    assert_eq!((scene.phone.found_server().rule, scene.phone.update_notice()), (ServerRule::UpdateTaken, None));
    assert_eq!(scene.phone.accept_update(&mut nobody()).await.unwrap(), None, "nothing waits any more");
    scene.phone.boot(&mut nobody()).await.unwrap();
    assert_eq!(label(&scene.phone), "ours", "the option still counts at the next start");
}

#[tokio::test]
async fn a_phone_whose_user_controls_updates_waits_for_that() {
    let mut scene = led_by_161().await;
    let controlled = r#"<a reg.1.address="1" reg.1.label="ours" prov.usercontrol.enabled="1"/>"#;
    scene.ours.file("/all.cfg", controlled);
    scene.phone.poll(&mut nobody()).await.unwrap();
    scene.phone.connect(Some(scene.without));

    let report = scene.phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::KeptCached(Kept::UpdateWaits));
    assert_eq!((label(&scene.phone).as_str(), scene.phone.screen().messages), ("ours", vec![NOTICE.to_owned()]));
    assert!(scene.former.seen().is_empty());
    scene.phone.accept_update(&mut nobody()).await.unwrap().unwrap();
    assert_eq!(label(&scene.phone), "former");
}

#[tokio::test]
async fn a_phone_pinned_to_its_server_has_no_update_waiting_and_needs_no_option() {
    let mut scene = led_by_161().await;
    let pin = [
        ("device.prov.serverType", "HTTPS".to_owned()),
        ("device.prov.serverName", scene.ours.url()),
        ("device.dhcp.bootSrvUseOpt", "Static".to_owned()),
    ];
    let pin: String = pin.iter().map(|(name, value)| format!(r#" {name}.set="1" {name}="{value}""#)).collect();
    let file = format!(r#"<a reg.1.address="1" reg.1.label="ours" device.set="1"{pin}/>"#);
    scene.ours.file("/all.cfg", &file);
    scene.phone.poll(&mut nobody()).await.unwrap();

    assert_eq!((scene.phone.update_notice(), scene.phone.found_server().rule), (None, ServerRule::Static));
    scene.phone.connect(Some(scene.without));
    scene.phone.boot(&mut nobody()).await.unwrap();
    assert_eq!(label(&scene.phone), "ours");
    assert!(scene.former.seen().is_empty());
}
