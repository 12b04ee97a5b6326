//! What phones read now, in memory: a thousand that want the same image share its pieces.
//!
//! Pieces and not whole images, because a phone that has the version already hangs up after the first: it must not cost
//! sixty megabytes. Bounded; what was not wanted for longest goes first.

use super::Stamp;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// A piece: large enough that handing it over costs little beside sending it, small enough that a thousand phones which
/// each hold another one cost 256 MB.
pub(super) const CHUNK_BYTES: u64 = 256 * 1024;
/// All pieces kept: two large images, or four of usual size.
const MOST_BYTES: usize = 192 * 1024 * 1024;
/// Pieces read at once: more would only wait for the same disk, each with its memory.
const READS: usize = 16;

/// The object, the file its bytes were read from, the piece's number. Somebody may still read a file that was replaced
/// because its bytes were wrong: they must not be taken for those of the new one.
type Key = (Arc<str>, Stamp, u64);

/// The pieces.
#[derive(Debug)]
pub(super) struct Chunks {
    held: Mutex<Held>,
    reading: Semaphore,
}

#[derive(Debug, Default)]
struct Held {
    chunks: HashMap<Key, (Bytes, u64)>,
    /// By when they were wanted last.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { held: Mutex::default(), reading: Semaphore::new(READS) }
    }
}

impl Chunks {
    /// A piece of an object, from memory or from its file.
    pub(super) async fn chunk(
        &self,
        file: &Arc<File>,
        (object, stamp): (&Arc<str>, Stamp),
        (number, length): (u64, u64),
    ) -> io::Result<Bytes> {
        let key = (Arc::clone(object), stamp, number);
        if let Some(chunk) = self.held().take(&key) {
            return Ok(chunk);
        }
        let _turn = self.reading.acquire().await.map_err(io::Error::other)?;
        // Somebody else may have read it while this one waited.
        if let Some(chunk) = self.held().take(&key) {
            return Ok(chunk);
        }
        let file = Arc::clone(file);
        let reading = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; super::size(length)];
            file.read_exact_at(&mut piece, number.saturating_mul(CHUNK_BYTES)).map(|()| Bytes::from(piece))
        });
        let chunk = reading.await.map_err(io::Error::other)??;
        self.held().keep(key, chunk.clone());
        Ok(chunk)
    }

    pub(super) fn forget(&self, object: &str) {
        self.held().forget(object);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Whole after every statement that could panic.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn take(&mut self, key: &Key) -> Option<Bytes> {
        self.uses = self.uses.wrapping_add(1);
        let (chunk, used) = self.chunks.get_mut(key)?;
        let key = self.by_use.remove(used).unwrap_or_else(|| key.clone());
        *used = self.uses;
        self.by_use.insert(self.uses, key);
        Some(chunk.clone())
    }

    fn keep(&mut self, key: Key, chunk: Bytes) {
        self.uses = self.uses.wrapping_add(1);
        self.bytes = self.bytes.saturating_add(chunk.len());
        if let Some((former, used)) = self.chunks.insert(key.clone(), (chunk, self.uses)) {
            self.bytes = self.bytes.saturating_sub(former.len());
            self.by_use.remove(&used);
        }
        self.by_use.insert(self.uses, key);
        while self.bytes > MOST_BYTES
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            self.drop_chunk(&oldest);
        }
    }

    fn forget(&mut self, object: &str) {
        let keys: Vec<Key> = self.chunks.keys().filter(|(of, ..)| &**of == object).cloned().collect();
        for key in keys {
            if let Some((_, used)) = self.chunks.get(&key) {
                self.by_use.remove(used);
            }
            self.drop_chunk(&key);
        }
    }

    fn drop_chunk(&mut self, key: &Key) {
        if let Some((chunk, _)) = self.chunks.remove(key) {
            self.bytes = self.bytes.saturating_sub(chunk.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_BYTES, Held, MOST_BYTES, Stamp};
    use bytes::Bytes;

    #[test]
    fn what_was_not_wanted_for_longest_goes_first_and_the_bound_holds() {
        let mut held = Held::default();
        let piece = Bytes::from(vec![1; super::super::size(CHUNK_BYTES)]);
        let stamp = Stamp { inode: 1, bytes: 1, modified: (1, 1), changed: (1, 1) };
        let key = |number: u64| ("a".into(), stamp, number);
        let fit = u64::try_from(MOST_BYTES).unwrap() / CHUNK_BYTES;
        for number in 0..fit {
            held.keep(key(number), piece.clone());
        }
        assert!(held.take(&key(0)).is_some());

        held.keep(key(fit), piece.clone());

        assert!(held.take(&key(0)).is_some(), "just wanted");
        assert!(held.take(&key(1)).is_none(), "not wanted for longest");
        assert!(held.bytes <= MOST_BYTES);
        held.forget("a");
        assert_eq!((held.bytes, held.chunks.len(), held.by_use.len()), (0, 0, 0));
    }
}
