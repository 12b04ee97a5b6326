//! The clock of the process: the one place where the present comes from.

use provost_core::time::UnixMillis;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time now, through libc, so that `faketime` works on the binary.
pub(crate) fn now() -> UnixMillis {
    let since = system_time().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The same for who wants the standard library's type.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(crate) fn system_time() -> SystemTime {
    SystemTime::now()
}

/// When this binary was built: it can't be earlier than that.
pub(crate) fn built() -> UnixMillis {
    UnixMillis(env!("PROVOST_BUILT_S").parse::<i64>().unwrap_or(0).saturating_mul(1000))
}
