//! What web pages and REST make the phone do.

use provost_phone::{ChangedIn, Key, Order, OrderRefused, ResetScope, Stage, Values};

use crate::handset::Held;

#[tokio::test]
async fn a_phone_that_starts_is_busy_and_one_without_power_takes_no_order() {
    let (held, _server) = Held::at_server("vvx500").await;
    assert_eq!(held.phone.order(Order::Reboot).await, Err(OrderRefused::NoPower));
    held.phone.stand_still(true).await;
    held.phone.plug_in().await;

    assert_eq!(held.phone.order(Order::Reboot).await, Err(OrderRefused::Busy));
}

#[tokio::test]
async fn device_values_restart_the_phone_and_ordinary_ones_do_not() {
    let (held, _server) = Held::at_server("vvx500").await;
    held.boot().await;
    let set = |name: &str, value: &str| Order::Set {
        values: Values::from([(name.to_owned(), value.to_owned())]),
        place: ChangedIn::WebPages,
    };

    held.phone.order(set("up.backlight.onIntensity", "2")).await.unwrap();
    assert_eq!(held.phone.view().await.stage, Stage::Idle);
    held.phone.stand_still(true).await;
    held.phone.order(set("device.net.vlanId", "9")).await.unwrap();
    assert_eq!(held.phone.view().await.stage, Stage::CountDown);
    held.phone.stand_still(false).await;
    held.ready().await;

    let view = held.phone.view().await;
    assert_eq!(view.web_overrides["up.backlight.onIntensity"], "2");
    assert_eq!(view.device["device.net.vlanId"], "9");
    let bad = held.phone.order(set("no name", "1")).await;
    assert_eq!(bad, Err(OrderRefused::ParameterName { name: "no name".to_owned() }));
}

#[tokio::test]
async fn an_order_to_reset_restarts_and_forgets() {
    let (held, _server) = Held::at_server("vvx500").await;
    held.boot().await;
    let values = Values::from([("device.net.vlanId".to_owned(), "9".to_owned())]);
    held.phone.order(Order::Set { values, place: ChangedIn::Menu }).await.unwrap();
    held.ready().await;
    held.phone.stand_still(true).await;

    held.phone.order(Order::Reset(ResetScope::Device)).await.unwrap();

    assert_eq!(held.phone.view().await.stage, Stage::CountDown);
    assert!(held.memory().device.is_empty());
}

#[tokio::test]
async fn keys_and_text_can_be_ordered() {
    let (held, _server) = Held::at_server("vvx500").await;
    held.boot().await;
    assert_eq!(held.phone.order(Order::Text("456".to_owned())).await, Err(OrderRefused::NothingTyped));
    for key in [Key::Home, Key::Digit(2), Key::Digit(2)] {
        held.phone.order(Order::Key(key)).await.unwrap();
    }

    held.phone.order(Order::Text("456".to_owned())).await.unwrap();
    held.phone.order(Order::Key(Key::Select)).await.unwrap();

    assert_eq!(held.face().title, "Advanced");
    assert_eq!(held.phone.order(Order::EndCall).await, Err(OrderRefused::NoCall));
    assert_eq!(held.phone.order(Order::Dial { number: "1".to_owned() }).await, Err(OrderRefused::NoLine));
}

#[tokio::test]
async fn an_update_of_the_configuration_is_read_at_once() {
    let (held, server) = Held::at_server("vvx500").await;
    held.boot().await;
    server.file("/all.cfg", r#"<a reg.1.label="new"/>"#);

    held.phone.order(Order::UpdateConfiguration).await.unwrap();

    assert_eq!(held.phone.view().await.values["reg.1.label"], "new");
}
