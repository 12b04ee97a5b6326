//! One open alarm for one thing, ended when its reason is gone or somebody looked.

use super::{MINUTE, PHONE, Scene, by, later, proven};
use provost_app::{AppError, Page};

const KIND: &str = "server-certificate-expiring";

fn names() -> Vec<String> {
    vec!["phones.example.com".to_owned()]
}

#[tokio::test]
async fn a_server_certificate_is_an_alarm_below_thirty_days_and_none_once_renewed() {
    let scene = Scene::new().await;
    let days = async |left| scene.app.server_certificate_days(left, &names()).await.unwrap();

    days(30).await;
    assert!(scene.alarms().await.is_empty(), "thirty days are enough");
    days(29).await;
    days(28).await;
    let open = (KIND.to_owned(), "phones.example.com".to_owned(), 2, true);
    assert_eq!(scene.alarms().await, [open]);
    let alarm = scene.app.alarms(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().remove(0);
    assert!(alarm.sentence.contains("expires in 28 days"), "{}", alarm.sentence);

    days(90).await;
    assert!(!scene.alarms().await.remove(0).3, "renewed");
    days(-1).await;
    let alarms = scene.alarms().await;
    assert_eq!((alarms.len(), alarms.first().unwrap().2), (2, 1), "a new one, counted from one: {alarms:?}");
}

#[tokio::test]
async fn an_alarm_is_ended_once_and_by_somebody() {
    let scene = Scene::new().await;
    scene.app.server_certificate_days(3, &names()).await.unwrap();
    let id = scene.app.alarms(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().remove(0).id;

    assert!(scene.app.end_alarm(&id, &by()).await.unwrap().ended_at.is_some());

    assert!(matches!(scene.app.end_alarm(&id, &by()).await, Err(AppError::NotFound { .. })));
    let audit = scene.app.audit(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!(audit.len(), 1, "what was not done is not written: {audit:?}");
    assert!(audit.first().unwrap().what.contains(KIND), "{audit:?}");
}

#[tokio::test]
async fn one_leaf_that_comes_and_goes_is_counted_on_one_alarm() {
    let scene = Scene::new().await;
    for from in ["10.0.1.5", "10.0.2.5", "10.0.1.5", "10.0.2.5", "10.0.1.5"] {
        scene.get(&proven(PHONE, from), &format!("/{PHONE}.cfg")).await;
        later(5 * MINUTE);
    }

    let alarm = ("certificate-in-two-networks".to_owned(), PHONE.to_owned(), 3, true);
    assert_eq!(scene.alarms().await, [alarm]);
    let told = scene.told(PHONE).await;
    assert_eq!(told.iter().filter(|told| told.contains("in use in two networks")).count(), 3, "{told:?}");
}
