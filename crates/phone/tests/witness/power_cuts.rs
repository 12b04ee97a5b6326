//! Power fails at every point of an upgrade: the phone has the old version or the new one, never neither.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use provost_phone::{Flash, Outcome, Phone, PhoneSetup};

use crate::flashing::{Bench, NEW, PART, application};

const OLD: (&str, &str) = ("5.9.7.4477", "5.9.7.47435");

/// Polls `work` so many times and then takes the power away; says whether it had ended.
async fn powered_for<T>(polls: usize, work: impl Future<Output = T>) -> bool {
    let mut work = pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_phone_cut_off_anywhere_has_the_old_version_or_the_new_one_and_comes_up() {
    let bench = Bench::with("sip.ld").await;
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(NEW)));
    let setup = bench.setup("vvx500").await;
    let mut outcomes = [0_u32; 2];
    for polls in 0.. {
        assert!(polls < 5000, "the boot never ends");
        let flash = Flash::in_memory();
        let setup = PhoneSetup { flash: flash.clone(), ..setup.clone() };
        let mut phone = Phone::new(setup.clone()).unwrap();
        let ended = powered_for(polls, phone.boot(&mut |_| {})).await;
        drop(phone);

        if let Some(memory) = flash.load().unwrap() {
            let found = (memory.firmware.as_str(), memory.updater.as_str());
            assert!(found == OLD || found == NEW, "after {polls} polls: {found:?}");
            outcomes[usize::from(found == NEW)] += 1;
            assert_eq!(memory.flash_count, u64::from(found == NEW));
        }
        if polls % 5 == 0 || ended {
            let mut again = Phone::new(setup).unwrap();
            let report = again.boot(&mut |_| {}).await.unwrap();
            assert_eq!(report.outcome, Outcome::Configured, "after {polls} polls");
            assert_eq!((again.memory().firmware.as_str(), again.memory().updater.as_str()), NEW);
            assert_eq!(again.memory().flash_count, 1, "after {polls} polls");
        }
        if ended {
            break;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 10), "cuts on both sides of the flash: {outcomes:?}");
}

#[tokio::test]
async fn a_phone_that_is_cut_off_and_powered_again_without_being_taken_apart_goes_on() {
    let bench = Bench::with("sip.ld").await;
    bench.server.file(&format!("/{PART}.sip.ld"), bench.image(application(NEW)));
    let folder = tempfile::tempdir().unwrap();
    let flash = Flash::Folder(folder.path().to_owned());
    let setup = PhoneSetup { flash: flash.clone(), ..bench.setup("vvx500").await };
    let mut phone = Phone::new(setup).unwrap();

    for polls in [1, 10, 20, 30, 40, 50] {
        powered_for(polls, phone.boot(&mut |_| {})).await;
        let stored = flash.load().unwrap().unwrap();
        assert_eq!((&stored.firmware, &stored.updater), (&phone.memory().firmware, &phone.memory().updater));
    }
    let report = phone.boot(&mut |_| {}).await.unwrap();

    assert_eq!((report.outcome, phone.memory().flash_count), (Outcome::Configured, 1));
}
