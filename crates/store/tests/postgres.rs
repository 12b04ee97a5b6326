//! The store on PostgreSQL: the battery, and what only servers do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: a failure here is a failed test")]

mod battery;
#[path = "postgres/opening.rs"]
mod opening;

mod engine {
    use provost_store::{Store, StoreError};
    use provost_testkit::PostgresDatabase;

    /// A database of one test; it goes when dropped.
    pub(crate) struct Database(pub(crate) PostgresDatabase);

    impl Database {
        pub(crate) async fn new() -> Self {
            Self(PostgresDatabase::new())
        }

        pub(crate) async fn open(&self) -> Result<Store, StoreError> {
            Store::connect(self.0.url(), "provost of a test").await
        }
    }
}
