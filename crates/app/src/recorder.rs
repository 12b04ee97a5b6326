//! Writes timelines in groups, so that a crowd of phones costs one disk sync and not thousands.
//!
//! What a phone did is told after it was answered; whoever reads a timeline flushes first and so sees
//! everything that was answered before. When the queue is full the entry is dropped and counted: a
//! phone is never made to wait for its own diary.

use crate::configuration::Fetched;
use crate::locked;
use crate::vault::Vault;
use provost_core::mac::MacAddr;
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use provost_store::{Contact, NewEvent, Store};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use ulid::Ulid;

/// About two seconds of a boot storm.
const QUEUE: usize = 8192;

/// Entries written in one transaction.
const BATCH: usize = 512;

/// How long entries gather before they are written: a phone's boot becomes a few disk syncs instead of a dozen.
const GATHER: Duration = Duration::from_millis(20);

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

struct Pending {
    mac: MacAddr,
    at: UnixMillis,
    entry: Entry,
    contact: Option<Contact>,
    fetched: Option<Fetched>,
}

/// What encrypts the configurations that phones fetched.
#[derive(Debug, Clone)]
pub(crate) struct Sealing(pub(crate) Arc<Vault>);

/// The way to the timelines.
#[derive(Debug)]
pub(crate) struct Recorder {
    entries: mpsc::Sender<Pending>,
    flushes: mpsc::Sender<oneshot::Sender<()>>,
    dropped: AtomicU64,
}

impl Recorder {
    pub(crate) fn start(store: Store, ids: Arc<Mutex<EventIds>>, sealing: Sealing) -> Self {
        let (entries, from_entries) = mpsc::channel(QUEUE);
        let (flushes, from_flushes) = mpsc::channel(QUEUE);
        let writer = Writer { store, ids, sealing, seen: BTreeSet::new(), since_pruned: 0 };
        tokio::spawn(write(writer, from_entries, from_flushes));
        Self { entries, flushes, dropped: AtomicU64::new(0) }
    }

    /// Tells what happened to a phone, with what it said of itself if it was there.
    pub(crate) fn tell(&self, mac: MacAddr, at: UnixMillis, entry: Entry, contact: Option<Contact>) {
        self.send(Pending { mac, at, entry, contact, fetched: None });
    }

    /// The same of an answer, which may have been its configuration.
    pub(crate) fn tell_answered(
        &self,
        (mac, at): (MacAddr, UnixMillis),
        entry: Entry,
        contact: Contact,
        fetched: Option<Fetched>,
    ) {
        self.send(Pending { mac, at, entry, contact: Some(contact), fetched });
    }

    fn send(&self, pending: Pending) {
        if self.entries.try_send(pending).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            if dropped.is_power_of_two() {
                tracing::warn!(dropped, "timeline entries are dropped: the disk is too slow for this crowd");
            }
        }
    }

    /// Waits until everything told before is written.
    pub(crate) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.flushes.send(done).await.is_ok() {
            let _ = wait.await;
        }
    }
}

struct Writer {
    store: Store,
    ids: Arc<Mutex<EventIds>>,
    sealing: Sealing,
    seen: BTreeSet<MacAddr>,
    since_pruned: u32,
}

/// Ends when the [`Recorder`] is dropped.
async fn write(
    mut writer: Writer,
    mut entries: mpsc::Receiver<Pending>,
    mut flushes: mpsc::Receiver<oneshot::Sender<()>>,
) {
    loop {
        let mut batch = Vec::new();
        let mut waiting = Vec::new();
        // Receiving is cancel-safe: what is not taken stays in its queue.
        tokio::select! {
            first = entries.recv() => {
                let Some(first) = first else { return };
                batch.push(first);
                tokio::select! {
                    () = tokio::time::sleep(GATHER) => {}
                    done = flushes.recv() => waiting.extend(done),
                }
            }
            Some(done) = flushes.recv() => waiting.push(done),
        }
        // Only what is there now: a crowd that never pauses must not keep those waiting for ever.
        for _ in 0..entries.len() {
            if let Ok(entry) = entries.try_recv() {
                batch.push(entry);
            }
            if batch.len() >= BATCH {
                writer.record(std::mem::take(&mut batch)).await;
            }
        }
        if !batch.is_empty() {
            writer.record(batch).await;
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

impl Writer {
    async fn record(&mut self, mut batch: Vec<Pending>) {
        self.keep_fetched(&mut batch).await;
        let events = numbered(fold_repeats(batch), &self.ids);
        self.seen.extend(events.iter().map(|event| event.mac));
        if let Err(error) = self.store.record(&events).await {
            tracing::error!(%error, entries = events.len(), "timeline entries are lost");
        }
        self.since_pruned = self.since_pruned.saturating_add(1);
        if self.since_pruned < PRUNE_EVERY {
            return;
        }
        if let Err(error) = self.store.prune_timelines(&self.seen).await {
            tracing::error!(%error, "old timeline entries could not be dropped");
        }
        self.seen.clear();
        self.since_pruned = 0;
    }
}

impl Writer {
    /// Keeps the configurations that are not the ones their phones fetched before: of each phone the last one.
    async fn keep_fetched(&self, batch: &mut [Pending]) {
        let mut last: HashMap<MacAddr, (UnixMillis, Fetched)> = HashMap::new();
        for pending in batch {
            if let Some(fetched) = pending.fetched.take() {
                last.insert(pending.mac, (pending.at, fetched));
            }
        }
        let phones: Vec<MacAddr> = last.keys().copied().collect();
        let mut known = match self.store.fetched_digests(&phones).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%error, phones = phones.len(), "what phones fetched is not remembered");
                return;
            }
        };
        let mut rows = Vec::new();
        for (mac, (at, fetched)) in last {
            match fetched.row((mac, at), known.remove(&mac), &self.sealing) {
                Ok(row) => rows.extend(row),
                Err(error) => tracing::error!(%error, "what a phone fetched could not be encrypted"),
            }
        }
        if !rows.is_empty()
            && let Err(error) = self.store.keep_fetched(&rows).await
        {
            tracing::error!(%error, phones = rows.len(), "what phones fetched is not remembered");
        }
    }
}

/// One entry for what a phone did several times in a row within one batch, with how often.
///
/// Without it a phone that hammers one file would push everything else out of its own timeline.
fn fold_repeats(entries: Vec<Pending>) -> Vec<(Pending, u32)> {
    let mut folded: Vec<(Pending, u32)> = Vec::with_capacity(entries.len());
    let mut last_of: HashMap<MacAddr, usize> = HashMap::new();
    for entry in entries {
        let last = last_of.get(&entry.mac).and_then(|place| folded.get_mut(*place));
        match last {
            Some((known, times)) if known.entry == entry.entry => {
                *times = times.saturating_add(1);
                (known.at, known.contact) = (entry.at, entry.contact);
            }
            _ => {
                last_of.insert(entry.mac, folded.len());
                folded.push((entry, 1));
            }
        }
    }
    folded
}

fn numbered(entries: Vec<(Pending, u32)>, ids: &Mutex<EventIds>) -> Vec<NewEvent> {
    let mut ids = locked(ids);
    entries
        .into_iter()
        .map(|(Pending { mac, at, mut entry, contact, .. }, times)| {
            if times > 1 {
                entry.sentence = format!("{} This happened {times} times in a row.", entry.sentence);
            }
            NewEvent { id: ids.next(at), mac, at, entry, contact }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::sentence::action;

    fn pending(mac: u8, sentence: &str, at: i64) -> Pending {
        let mac = MacAddr::new([0, 4, 0xf2, 0, 0, mac]);
        Pending { mac, at: UnixMillis(at), entry: action(sentence.to_owned()), contact: None, fetched: None }
    }

    #[test]
    fn what_a_phone_does_again_and_again_is_one_entry_with_its_number() {
        let entries =
            vec![pending(1, "a", 1), pending(2, "a", 2), pending(1, "a", 3), pending(1, "b", 4), pending(1, "a", 5)];

        let events = numbered(fold_repeats(entries), &Mutex::default());

        let told: Vec<_> = events.iter().map(|event| (event.at.0, event.entry.sentence.as_str())).collect();
        assert_eq!(told, [(3, "a This happened 2 times in a row."), (2, "a"), (4, "b"), (5, "a")]);
    }

    #[test]
    fn ids_sort_as_minted_even_when_the_clock_goes_back() {
        let mut ids = EventIds::default();
        let minted: Vec<_> = [5, 5, 5, 9, 2, 2, 10].map(|at| ids.next(UnixMillis(at))).into();
        let mut sorted = minted.clone();
        sorted.sort();
        assert_eq!(minted, sorted);
    }
}
