//! A statement that is put together from parts, with the values it names.

use crate::sql::{Query, query_as};
use sqlx::AssertSqlSafe;

enum Bound {
    Text(Option<String>),
    Number(i64),
    Blob(Option<Vec<u8>>),
}

/// The text so far, made of constants only, and its values.
pub(crate) struct Select {
    text: String,
    values: Vec<Bound>,
}

impl Select {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The place of a value.
    pub(crate) fn text(&mut self, value: &str) {
        self.bound(Bound::Text(Some(value.to_owned())));
    }

    /// The place of a value that may be NULL.
    pub(crate) fn optional(&mut self, value: Option<&str>) {
        self.bound(Bound::Text(value.map(ToOwned::to_owned)));
    }

    /// The place of a number.
    pub(crate) fn number(&mut self, value: i64) {
        self.bound(Bound::Number(value));
    }

    /// The place of bytes that may be NULL.
    pub(crate) fn blob(&mut self, value: Option<&[u8]>) {
        self.bound(Bound::Blob(value.map(ToOwned::to_owned)));
    }

    fn bound(&mut self, value: Bound) {
        self.values.push(value);
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
    }

    pub(crate) fn query<T>(self) -> Query<'static, T> {
        let mut query = query_as(AssertSqlSafe(self.text));
        for value in self.values {
            query = match value {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
                Bound::Blob(bytes) => query.bind(bytes),
            };
        }
        query
    }
}
