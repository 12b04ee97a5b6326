//! Reading columns back as the types they were written from.

use crate::StoreError;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::str::FromStr;

pub(crate) fn parsed<T: FromStr>(column: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| unreadable(column, text))
}

pub(crate) fn optional<T: FromStr>(column: &'static str, text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(|text| parsed(column, text)).transpose()
}

pub(crate) fn mac(text: &str) -> Result<MacAddr, StoreError> {
    MacAddr::from_hex12(text).ok_or_else(|| unreadable("a MAC address", text))
}

pub(crate) fn time(millis: Option<i64>) -> Option<UnixMillis> {
    millis.map(UnixMillis)
}

pub(crate) fn unreadable(column: &'static str, found: impl ToString) -> StoreError {
    StoreError::Unreadable { column, found: found.to_string() }
}

pub(crate) fn place(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}
