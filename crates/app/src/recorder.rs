//! Writes timelines in groups, so that a crowd of phones costs one disk sync and not thousands.
//!
//! What a phone did is told after it was answered; whoever reads a timeline flushes first and so sees
//! everything that was answered before. When the queue is full the entry is dropped and counted: a
//! phone is never made to wait for its own diary.

use crate::locked;
use provost_core::mac::MacAddr;
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use provost_store::{Contact, NewEvent, Store};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use ulid::Ulid;

/// About two seconds of a boot storm.
const QUEUE: usize = 8192;

/// Entries written in one transaction.
const BATCH: usize = 256;

/// Transactions between two prunings.
const PRUNE_EVERY: u32 = 64;

/// Mints ids that sort in the order they were minted, whatever the clock does.
#[derive(Debug, Default)]
pub(crate) struct EventIds {
    last: Ulid,
}

impl EventIds {
    pub(crate) fn next(&mut self, now: UnixMillis) -> String {
        let millis = u64::try_from(now.0).unwrap_or(0).max(self.last.timestamp_ms());
        let drawn = Ulid::from_parts(millis, rand::random());
        let next = if drawn > self.last { Some(drawn) } else { self.last.increment() };
        self.last = next.unwrap_or_else(|| Ulid::from_parts(millis.saturating_add(1), rand::random()));
        self.last.to_string()
    }
}

enum Message {
    Entry(Box<Pending>),
    Flush(oneshot::Sender<()>),
}

struct Pending {
    mac: MacAddr,
    at: UnixMillis,
    entry: Entry,
    contact: Option<Contact>,
}

/// The way to the timelines.
#[derive(Debug)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Message>,
    dropped: AtomicU64,
}

impl Recorder {
    pub(crate) fn start(store: Store, ids: Arc<Mutex<EventIds>>) -> Self {
        let (queue, messages) = mpsc::channel(QUEUE);
        tokio::spawn(write(store, ids, messages));
        Self { queue, dropped: AtomicU64::new(0) }
    }

    /// Tells what happened to a phone, with what it said of itself if it was there.
    pub(crate) fn tell(&self, mac: MacAddr, at: UnixMillis, entry: Entry, contact: Option<Contact>) {
        let message = Message::Entry(Box::new(Pending { mac, at, entry, contact }));
        if self.queue.try_send(message).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed);
            if dropped.is_power_of_two() || dropped == 0 {
                tracing::warn!(
                    dropped = dropped.saturating_add(1),
                    "timeline entries are dropped: the disk is too slow for this crowd"
                );
            }
        }
    }

    /// Waits until everything told before is written.
    pub(crate) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

async fn write(store: Store, ids: Arc<Mutex<EventIds>>, mut messages: mpsc::Receiver<Message>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut seen = BTreeSet::new();
    let mut since_pruned = 0u32;
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        let mut waiting = Vec::new();
        let mut events = Vec::with_capacity(batch.len());
        for message in batch.drain(..) {
            match message {
                Message::Flush(done) => waiting.push(done),
                Message::Entry(pending) => {
                    let Pending { mac, at, entry, contact } = *pending;
                    let id = locked(&ids).next(at);
                    seen.insert(mac);
                    events.push(NewEvent { id, mac, at, entry, contact });
                }
            }
        }
        if !events.is_empty()
            && let Err(error) = store.record(&events).await
        {
            tracing::error!(%error, entries = events.len(), "timeline entries are lost");
        }
        since_pruned = since_pruned.saturating_add(1);
        if since_pruned >= PRUNE_EVERY {
            if let Err(error) = store.prune_timelines(&seen).await {
                tracing::error!(%error, "old timeline entries could not be dropped");
            }
            seen.clear();
            since_pruned = 0;
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_minted_even_when_the_clock_goes_back() {
        let mut ids = EventIds::default();
        let minted: Vec<_> = [5, 5, 5, 9, 2, 2, 10].map(|at| ids.next(UnixMillis(at))).into();
        let mut sorted = minted.clone();
        sorted.sort();
        assert_eq!(minted, sorted);
    }
}
