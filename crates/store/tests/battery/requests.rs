//! Requests with a key: begun, answered, left by another run of the server, and forgotten.

use super::{NOW, Scene};
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, Begun, NewRequest};

fn request<'a>(id: &'a str, process: &'a str) -> NewRequest<'a> {
    NewRequest { id, fingerprint: "asked", process, now: NOW, forget_before: UnixMillis(0) }
}

fn entry(request: &str) -> AuditEntry {
    AuditEntry {
        id: format!("audit-{request}"),
        at: NOW,
        who: "a test".to_owned(),
        what: "did it".to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: Some(request.to_owned()),
    }
}

#[tokio::test]
async fn a_request_is_new_then_running_then_answered() {
    let scene = Scene::new().await;
    let store = &scene.store;

    assert_eq!(store.begin_request(&request("a", "p")).await.unwrap(), Begun::New);
    assert_eq!(store.begin_request(&request("a", "p")).await.unwrap(), Begun::Running);
    let other = NewRequest { fingerprint: "else", ..request("a", "p") };
    assert_eq!(store.begin_request(&other).await.unwrap(), Begun::Other);
    store.answer_request("a", 201, b"sealed").await.unwrap();

    let answered = Begun::Answered { status: 201, answer: b"sealed".to_vec() };
    assert_eq!(store.begin_request(&request("a", "q")).await.unwrap(), answered);
    let a_day_later = NewRequest { forget_before: NOW.plus_millis(1), ..request("a", "q") };
    assert_eq!(store.begin_request(&a_day_later).await.unwrap(), Begun::New, "forgotten");
}

#[tokio::test]
async fn what_another_run_left_is_new_unless_the_audit_log_knows_it() {
    let scene = Scene::new().await;
    let store = &scene.store;
    store.begin_request(&request("nothing", "before")).await.unwrap();
    store.begin_request(&request("done", "before")).await.unwrap();
    store.audited(entry("done")).only().await.unwrap();

    assert_eq!(store.begin_request(&request("nothing", "now")).await.unwrap(), Begun::New);
    assert_eq!(store.begin_request(&request("nothing", "now")).await.unwrap(), Begun::Running, "it is ours now");
    let unanswered = Begun::Unanswered { what: "did it".to_owned(), at: NOW };
    assert_eq!(store.begin_request(&request("done", "now")).await.unwrap(), unanswered);
}

#[tokio::test]
async fn what_was_done_under_a_key_long_ago_is_not_taken_for_what_is_asked_now() {
    let scene = Scene::new().await;
    let store = &scene.store;
    store.begin_request(&request("nightly", "p")).await.unwrap();
    store.audited(entry("nightly")).only().await.unwrap();
    store.answer_request("nightly", 201, b"sealed").await.unwrap();
    let a_day_later = NOW.plus_days(1);
    let again = NewRequest { now: a_day_later, forget_before: NOW.plus_millis(1), ..request("nightly", "p") };
    assert_eq!(store.begin_request(&again).await.unwrap(), Begun::New);

    store.forget_request("nightly").await.unwrap();
    assert_eq!(store.begin_request(&again).await.unwrap(), Begun::New, "it was refused, so it is free");
    let after_a_crash = NewRequest { process: "q", ..again };
    assert_eq!(store.begin_request(&after_a_crash).await.unwrap(), Begun::New, "nothing was done today");
}

#[tokio::test]
async fn what_was_refused_is_free_again_and_what_was_done_is_not() {
    let scene = Scene::new().await;
    let store = &scene.store;
    store.begin_request(&request("refused", "p")).await.unwrap();
    store.begin_request(&request("done", "p")).await.unwrap();
    store.audited(entry("done")).only().await.unwrap();

    store.forget_request("refused").await.unwrap();
    store.forget_request("done").await.unwrap();

    assert_eq!(store.begin_request(&request("refused", "p")).await.unwrap(), Begun::New);
    let unanswered = Begun::Unanswered { what: "did it".to_owned(), at: NOW };
    assert_eq!(store.begin_request(&request("done", "p")).await.unwrap(), unanswered);
}

/// A phone that loses its power takes with it what waited to write for it, at any point of the wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_are_abandoned_while_they_wait_hold_nobody_up() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;

    for round in 0..150u64 {
        let writes: Vec<_> = (0..4)
            .map(|_| {
                let (store, device) = (scene.store.clone(), device.clone());
                tokio::spawn(async move { store.end_firmware_now(&device).await })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_micros(round * 20)).await;
        writes.iter().for_each(tokio::task::JoinHandle::abort);
    }

    let write = scene.store.end_firmware_now(&device);
    tokio::time::timeout(std::time::Duration::from_secs(10), write).await.unwrap().unwrap();
}
