//! Lets every "no" leave at the same time after its request came, whatever was looked up for it.
//!
//! Decides nothing else. A wait costs no processor time, and there are never more of them than connections
//! (docs/design/007-uniform-refusals.md).

use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Far above what the longest way to a refusal takes, on a busy machine too; far below what a phone's boot would notice:
/// it asks for about ten files that are not there.
const TURN: Duration = Duration::from_millis(20);

/// Returns at the next full turn since the request came.
pub(super) async fn wait_for_turn(came: Instant) {
    if let Some(leaves) = came.checked_add(next_turn(came.elapsed())) {
        sleep_until(leaves).await;
    }
}

/// A refusal that missed its turn, on a machine with too much to do, waits for the next.
fn next_turn(taken: Duration) -> Duration {
    let missed = taken.as_nanos().checked_div(TURN.as_nanos()).unwrap_or_default();
    TURN.saturating_mul(u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_it_took_a_refusal_leaves_at_a_full_turn() {
        let leaves = |micros| next_turn(Duration::from_micros(micros)).as_millis();

        assert_eq!([0, 1, 300, 19_999].map(leaves), [20; 4]);
        assert_eq!([20_000, 20_001, 39_999, 40_000].map(leaves), [40, 40, 40, 60]);
        assert_eq!(next_turn(Duration::MAX), TURN * u32::MAX);
    }
}
