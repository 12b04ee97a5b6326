//! Firmware that a person at the phone's own pages takes from a folder.

use provost_phone::{Order, OrderRefused, Stage};

use crate::flashing::{Bench, NEW, PART, application};
use crate::handset::Held;
use crate::server::BootServer;

#[tokio::test]
async fn an_image_in_the_folder_is_flashed_and_the_phone_starts_with_it() {
    let bench = Bench::with("").await;
    let held = Held::new(bench.setup("vvx500").await);
    held.boot().await;
    bench.server.file(&format!("/ucs/{PART}.sip.ld"), bench.image(application(NEW)));

    held.phone.stand_still(true).await;
    held.phone.order(Order::Upgrade { url: format!("{}/ucs/", bench.server.url()) }).await.unwrap();

    assert_eq!(held.phone.view().await.stage, Stage::CountDown);
    held.phone.stand_still(false).await;
    assert_eq!(held.memory().firmware, NEW.0);
    held.ready().await;
    assert!(bench.server.agents().last().unwrap().contains(NEW.0));
}

#[tokio::test]
async fn a_folder_without_an_image_or_an_address_that_is_none_changes_nothing() {
    let bench = Bench::with("").await;
    let held = Held::new(bench.setup("vvx500").await);
    held.boot().await;
    let before = held.memory().firmware;
    let gone = BootServer::start().await.url();

    for url in [format!("{}/none", bench.server.url()), "no address".to_owned(), gone] {
        let refused = held.phone.order(Order::Upgrade { url: url.clone() }).await;
        assert!(matches!(refused, Err(OrderRefused::Failed { .. })), "{url}: {refused:?}");
    }

    assert_eq!(held.phone.view().await.stage, Stage::Idle);
    assert_eq!(held.memory().firmware, before);
}
