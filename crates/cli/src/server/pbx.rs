//! Between the use-cases and customers' PBXs: hands questions to crate outbound, and says when it is time.

use provost_app::{App, PbxAsk};
use provost_net::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::task::JoinSet;

/// Questions that are asked at once: all of the clock's, and some of people's.
const AT_ONCE: usize = 48;
/// How often the clock is looked at: far shorter than any pause between two questions.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Asks PBXs what the use-cases want to know, until those are gone.
pub(crate) async fn answer(mut asks: Receiver<PbxAsk>) {
    let mut asked = JoinSet::new();
    while let Some(ask) = asks.recv().await {
        // The rest waits in the channel; who finds that full is told so.
        while asked.len() >= AT_ONCE {
            asked.join_next().await;
        }
        while asked.try_join_next().is_some() {}
        asked.spawn(put(ask));
    }
}

/// Asks one question. An answer nobody waits for any more is dropped.
async fn put(ask: PbxAsk) {
    match ask {
        PbxAsk::Survey { target, now, answer } => drop(answer.send(provost_outbound::pbx::survey(&target, now).await)),
        PbxAsk::CheckSync { target, to, what, answer } => {
            drop(answer.send(provost_outbound::pbx::check_sync(&target, &to, what).await));
        }
    }
}

/// Has each connector ask its PBX when its time has come, until the server stops.
pub(crate) async fn poll(app: Arc<App>, mut stop: Shutdown) {
    let mut polls = JoinSet::new();
    loop {
        for id in app.due_connectors() {
            let app = Arc::clone(&app);
            polls.spawn(async move { app.poll_connector(&id).await });
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.pulled() => break,
        }
        while polls.try_join_next().is_some() {}
    }
    polls.shutdown().await;
}
