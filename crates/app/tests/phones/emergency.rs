//! Emergency numbers dialed on unclaimed phones.

use super::{OURS, Scene, mac, says};
use provost_app::{Actor, AppError, EmergencyCall, Page};
use provost_core::entry::emergency::EmergencyRouteInput;
use provost_core::ids::SiteId;
use std::net::IpAddr;

const HERE: [u8; 4] = [10, 1, 2, 7];

fn call(from: impl Into<IpAddr>) -> EmergencyCall<'static> {
    EmergencyCall { mac: None, from: from.into(), number: "112" }
}

async fn alarms(scene: &Scene) -> Vec<(String, String, i64)> {
    let alarms = scene.app.alarms(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap();
    alarms.into_iter().map(|alarm| (alarm.kind, alarm.subject, alarm.times)).collect()
}

async fn first_site(scene: &Scene) -> SiteId {
    let sites = scene.app.sites(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap();
    sites.first().unwrap().id.parse().unwrap()
}

fn route(networks: &[&str], to: &str) -> EmergencyRouteInput {
    EmergencyRouteInput { networks: networks.iter().map(|&text| text.to_owned()).collect(), to: to.to_owned() }
}

#[tokio::test]
async fn an_emergency_call_of_a_known_phone_is_an_alarm_and_stands_on_its_timeline() {
    let scene = Scene::with_voice().await;
    let proven = EmergencyCall { mac: Some(mac(OURS)), ..call(HERE) };
    scene.app.emergency_call(proven).await;
    scene.app.emergency_call(proven).await;
    assert_eq!(alarms(&scene).await, [("emergency-call".to_owned(), OURS.to_owned(), 1)], "not twice within seconds");
    super::CLOCK.set(super::now().plus_millis(10_000));
    scene.app.emergency_call(proven).await;

    assert_eq!(alarms(&scene).await, [("emergency-call".to_owned(), OURS.to_owned(), 2)]);
    assert!(says(&scene.told(OURS).await, &["emergency number 112", "10.1.2.7", "not in service"]));
}

#[tokio::test]
async fn a_flood_of_calls_that_nobody_can_be_held_to_makes_no_row() {
    let scene = Scene::with_voice().await;

    for n in 0..5000u32 {
        scene.app.emergency_call(call(n.to_be_bytes())).await;
    }

    assert_eq!(alarms(&scene).await, []);
    assert_eq!(scene.store.timeline(mac(OURS), None, 9).await.unwrap(), []);
    let noted = scene.app.strangers(&provost_app::Actor::control_socket()).unwrap();
    assert!(!noted.is_empty() && noted.len() <= 2000, "{}", noted.len());
    assert!(noted[0].entry().sentence.contains("emergency number 112"), "{:?}", noted[0].entry());
}

#[tokio::test]
async fn a_sites_route_takes_the_calls_from_its_networks_and_the_narrowest_network_decides() {
    let scene = Scene::with_voice().await;
    scene.customer("Acme").await;
    let wide = first_site(&scene).await;
    scene.customer("Other").await;
    let sites = scene.app.sites(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap();
    let narrow: SiteId = sites.iter().map(|site| site.id.parse().unwrap()).find(|id| *id != wide).unwrap();
    let by = Actor::control_socket();

    scene
        .app
        .set_emergency_route(&wide, route(&["10.0.0.0/8", "2001:db8::/48"], "pbx.example.com"), &by)
        .await
        .unwrap();
    scene.app.set_emergency_route(&narrow, route(&["10.1.0.0/16"], "10.1.0.9:5070"), &by).await.unwrap();

    let scene = scene.restarted().await;
    let to = |from: &str| scene.app.emergency_route(from.parse::<IpAddr>().unwrap(), "112");
    assert_eq!(to("10.1.2.7").as_deref(), Some("sip:112@10.1.0.9:5070"));
    assert_eq!(to("::ffff:10.1.2.7").as_deref(), Some("sip:112@10.1.0.9:5070"), "an IPv4 phone on an IPv6 socket");
    assert_eq!(to("10.2.0.1").as_deref(), Some("sip:112@pbx.example.com"));
    assert_eq!(to("2001:db8::7").as_deref(), Some("sip:112@pbx.example.com"));
    assert_eq!(to("192.0.2.1"), None);
    let shown = scene.app.sites(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap();
    assert!(shown.iter().all(|site| site.emergency_route.is_some()), "{shown:?}");

    scene.app.remove_emergency_route(&narrow, &by).await.unwrap();
    assert_eq!(to("10.1.2.7").as_deref(), Some("sip:112@pbx.example.com"));
    assert!(matches!(scene.app.remove_emergency_route(&narrow, &by).await, Err(AppError::NotFound { .. })));
    let nowhere = "site_01jd0ck3v80000000000000009".parse().unwrap();
    let lost = scene.app.set_emergency_route(&nowhere, route(&["10.1.0.0/16"], "pbx"), &by).await;
    assert!(matches!(lost, Err(AppError::NotFound { .. })), "{lost:?}");
}
