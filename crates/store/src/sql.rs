//! One text for both engines: statements that run on SQLite and on PostgreSQL alike.
//!
//! Values carry their type even when they are NULL, because PostgreSQL must know it. What differs between the engines
//! stands here and in [`crate::engine`], nowhere else.

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Arguments as _, FromRow, PgPool, Postgres, SqlSafeStr, SqlStr, Sqlite, SqlitePool, Transaction};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::pin::Pin;
use tokio::sync::watch;

/// Connections that statements may run on outside a transaction.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction that writes; dropped without [`Tx::commit`], nothing of it happened.
pub(crate) struct Tx {
    on: TxOn,
    /// Counts what was committed.
    committed: watch::Sender<u64>,
}

/// The transaction of either engine.
pub(crate) enum TxOn {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(crate) const fn new(on: TxOn, committed: watch::Sender<u64>) -> Self {
        Self { on, committed }
    }

    /// Nothing of the transaction happened.
    pub(crate) async fn rollback(self) -> Result<(), sqlx::Error> {
        match self.on {
            TxOn::Sqlite(tx) => tx.rollback().await,
            TxOn::Postgres(tx) => tx.rollback().await,
        }
    }

    /// Everything of the transaction is durable when this returns, and whoever watches is woken.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self.on {
            TxOn::Sqlite(tx) => tx.commit().await?,
            TxOn::Postgres(tx) => tx.commit().await?,
        }
        self.committed.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }
}

/// Where a statement runs.
pub(crate) enum On<'c> {
    SqlitePool(&'c SqlitePool),
    PostgresPool(&'c PgPool),
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl<'c> From<&'c Pool> for On<'c> {
    fn from(pool: &'c Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}

impl<'c> From<&'c mut Tx> for On<'c> {
    fn from(tx: &'c mut Tx) -> Self {
        match &mut tx.on {
            TxOn::Sqlite(tx) => Self::Sqlite(tx),
            TxOn::Postgres(tx) => Self::Postgres(tx),
        }
    }
}

/// A value of a statement.
pub(crate) enum Value<'q> {
    Text(Option<Cow<'q, str>>),
    Integer(Option<i64>),
    Blob(Option<Cow<'q, [u8]>>),
    Boolean(Option<bool>),
}

/// How a type becomes a [`Value`], and an `Option` of it too.
pub(crate) trait Bind<'q> {
    fn value(value: Option<Self>) -> Value<'q>
    where
        Self: Sized;
}

macro_rules! bind {
    ($($type:ty => $kind:ident by $convert:expr;)*) => {$(
        impl<'q> Bind<'q> for $type {
            fn value(value: Option<Self>) -> Value<'q> {
                Value::$kind(value.map($convert))
            }
        }
    )*};
}

bind! {
    &'q str => Text by Cow::Borrowed;
    &'q String => Text by |text| Cow::Borrowed(text.as_str());
    String => Text by Cow::Owned;
    i64 => Integer by std::convert::identity;
    u16 => Integer by i64::from;
    u32 => Integer by i64::from;
    bool => Boolean by std::convert::identity;
    &'q [u8] => Blob by Cow::Borrowed;
    &'q Vec<u8> => Blob by |bytes| Cow::Borrowed(bytes.as_slice());
    Vec<u8> => Blob by Cow::Owned;
}

/// A value that may be NULL.
pub(crate) trait Given<'q> {
    fn given(self) -> Value<'q>;
}

impl<'q, T: Bind<'q>> Given<'q> for T {
    fn given(self) -> Value<'q> {
        T::value(Some(self))
    }
}

impl<'q, T: Bind<'q>> Given<'q> for Option<T> {
    fn given(self) -> Value<'q> {
        T::value(self)
    }
}

impl<'q> Given<'q> for Value<'q> {
    fn given(self) -> Value<'q> {
        self
    }
}

impl<'q> Given<'q> for &'q Option<String> {
    fn given(self) -> Value<'q> {
        self.as_deref().given()
    }
}

/// What a row is read as, on either engine.
pub(crate) trait Read: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Read for T {}

/// A statement with its values; `T` is what a row is read as.
pub(crate) struct Query<'q, T> {
    text: SqlStr,
    values: Vec<Value<'q>>,
    rows: PhantomData<fn() -> T>,
}

/// A statement whose rows are not read.
pub(crate) fn query<'q>(text: impl SqlSafeStr) -> Query<'q, ()> {
    query_as(text)
}

/// A statement whose rows are read as `T`.
pub(crate) fn query_as<'q, T>(text: impl SqlSafeStr) -> Query<'q, T> {
    Query { text: text.into_sql_str(), values: Vec::new(), rows: PhantomData }
}

/// A statement with one column.
pub(crate) fn query_scalar<'q, T>(text: impl SqlSafeStr) -> Scalar<'q, T> {
    Scalar(query_as(text))
}

/// What a statement answers. Boxed here, where every road to the database ends: what calls it would else hold the futures of
/// both engines, and the compiler prove anew for each handler of a request that all of them may change threads.
pub(crate) type Answer<'q, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'q>>;

macro_rules! run {
    ($query:ident, $on:ident, $method:ident) => {{
        let (text, values, on) = ($query.text, $query.values, $on.into());
        Box::pin(async move {
            match on {
                On::SqlitePool(pool) => sqlx::query_as_with(text, sqlite(values)?).$method(pool).await,
                On::PostgresPool(pool) => sqlx::query_as_with(text, postgres(values)?).$method(pool).await,
                On::Sqlite(connection) => sqlx::query_as_with(text, sqlite(values)?).$method(connection).await,
                On::Postgres(connection) => sqlx::query_as_with(text, postgres(values)?).$method(connection).await,
            }
        })
    }};
}

impl<'q, T> Query<'q, T> {
    /// The next value, `$1` first.
    pub(crate) fn bind(mut self, value: impl Given<'q>) -> Self {
        self.values.push(value.given());
        self
    }

    /// Runs it and tells how many rows it changed.
    pub(crate) fn execute(self, on: impl Into<On<'q>>) -> Answer<'q, u64> {
        let (text, values, on) = (self.text, self.values, on.into());
        Box::pin(async move {
            match on {
                On::SqlitePool(pool) => done(sqlx::query_with(text, sqlite(values)?).execute(pool).await),
                On::PostgresPool(pool) => changed(sqlx::query_with(text, postgres(values)?).execute(pool).await),
                On::Sqlite(it) => done(sqlx::query_with(text, sqlite(values)?).execute(it).await),
                On::Postgres(it) => changed(sqlx::query_with(text, postgres(values)?).execute(it).await),
            }
        })
    }
}

fn done(result: Result<sqlx::sqlite::SqliteQueryResult, sqlx::Error>) -> Result<u64, sqlx::Error> {
    result.map(|result| result.rows_affected())
}

fn changed(result: Result<sqlx::postgres::PgQueryResult, sqlx::Error>) -> Result<u64, sqlx::Error> {
    result.map(|result| result.rows_affected())
}

impl<'q, T: Read + 'q> Query<'q, T> {
    /// The one row there must be.
    pub(crate) fn fetch_one(self, on: impl Into<On<'q>>) -> Answer<'q, T> {
        run!(self, on, fetch_one)
    }

    /// The first row, if there is one.
    pub(crate) fn fetch_optional(self, on: impl Into<On<'q>>) -> Answer<'q, Option<T>> {
        run!(self, on, fetch_optional)
    }

    /// Every row.
    pub(crate) fn fetch_all(self, on: impl Into<On<'q>>) -> Answer<'q, Vec<T>> {
        run!(self, on, fetch_all)
    }
}

/// A statement with one column, read as `T`.
pub(crate) struct Scalar<'q, T>(Query<'q, (T,)>);

impl<'q, T> Scalar<'q, T>
where
    (T,): Read + 'q,
{
    /// The next value, `$1` first.
    pub(crate) fn bind(self, value: impl Given<'q>) -> Self {
        Self(self.0.bind(value))
    }

    /// The value of the one row there must be.
    pub(crate) async fn fetch_one(self, on: impl Into<On<'q>>) -> Result<T, sqlx::Error> {
        Ok(self.0.fetch_one(on).await?.0)
    }

    /// The value of the first row, if there is one.
    pub(crate) async fn fetch_optional(self, on: impl Into<On<'q>>) -> Result<Option<T>, sqlx::Error> {
        Ok(self.0.fetch_optional(on).await?.map(|row| row.0))
    }

    /// The value of every row.
    pub(crate) async fn fetch_all(self, on: impl Into<On<'q>>) -> Result<Vec<T>, sqlx::Error> {
        Ok(self.0.fetch_all(on).await?.into_iter().map(|row| row.0).collect())
    }
}

macro_rules! arguments {
    ($name:ident, $arguments:ty) => {
        fn $name(values: Vec<Value<'_>>) -> Result<$arguments, sqlx::Error> {
            let mut arguments = <$arguments>::default();
            for value in values {
                match value {
                    Value::Text(text) => arguments.add(text.map(Cow::into_owned)),
                    Value::Integer(number) => arguments.add(number),
                    Value::Blob(bytes) => arguments.add(bytes.map(Cow::into_owned)),
                    Value::Boolean(truth) => arguments.add(truth),
                }
                .map_err(sqlx::Error::Encode)?;
            }
            Ok(arguments)
        }
    };
}

arguments!(sqlite, SqliteArguments);
arguments!(postgres, PgArguments);
