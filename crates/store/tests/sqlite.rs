//! The store on SQLite: the battery, and what only files do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: a failure here is a failed test")]

mod battery;
#[path = "sqlite/opening.rs"]
mod opening;

mod engine {
    use provost_store::{Store, StoreError};
    use tempfile::TempDir;

    /// A database of one test; it goes when dropped.
    pub(crate) struct Database(TempDir);

    impl Database {
        pub(crate) async fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        pub(crate) async fn open(&self) -> Result<Store, StoreError> {
            Store::open(&self.0.path().join("provost.db")).await
        }
    }
}
