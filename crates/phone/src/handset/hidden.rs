//! What no debug output may show.
//!
//! Decides nothing: a wrapper for passwords, codes and values on their way from the keys to the phone.

use std::fmt;

/// Something secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden<T>(pub(crate) T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}
