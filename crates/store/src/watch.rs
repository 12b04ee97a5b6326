//! What home shows and the watch looks for: devices by state, sites by progress, and lists of what needs a hand.
//!
//! Each list is found by an index and bounded: of those of a scope that may be on it, so many are looked at, and what is
//! outside the scope counts for nothing.
//! Whether something is a reason to worry is decided elsewhere: here stand only the conditions.

mod old_firmware;
mod sites;
mod trouble;

pub use sites::{SiteProgress, SiteSilence};
pub use trouble::{Trouble, TroubleKind, TroubleQuery};

use crate::rows::unreadable;
use crate::sql::query_as;
use crate::within::{Columns, Within};
use crate::{Store, StoreError};
use provost_core::lifecycle::DeviceState;

/// To whom a line of the report belongs.
const OF_REPORT: Columns = Columns { account: "r.account", site: "r.site" };

impl Store {
    /// How many devices there are in each state; states without a device are left out.
    pub async fn devices_by_state(&self, within: &Within) -> Result<Vec<(DeviceState, i64)>, StoreError> {
        let sql = format!(
            "SELECT r.status, COUNT(*) FROM device_report r WHERE {} GROUP BY r.status ORDER BY r.status",
            within.condition(&OF_REPORT, 1)
        );
        let rows: Vec<(String, i64)> = query_as(sqlx::AssertSqlSafe(sql)).within(within).fetch_all(&self.read).await?;
        let read = |(word, count): (String, i64)| {
            let state = DeviceState::from_word(&word).ok_or_else(|| unreadable("device_report.status", &word))?;
            Ok((state, count))
        };
        rows.into_iter().map(read).collect()
    }
}
