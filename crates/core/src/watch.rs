//! When phones that fell silent are worth an alarm.
//!
//! Decides from numbers alone; who asked when is counted elsewhere. Ours: phones of a site that vanish together have lost
//! their network or were told to go elsewhere, while one that vanishes was unplugged.

/// Fewer than this may be holidays, a move of desks, a switch.
const FEWEST: i64 = 3;
/// Of a larger site as much as this: one in so many.
const ONE_IN: i64 = 4;

/// Whether phones of a site have gone together: `silent` of the `polling` ones stopped within one window.
pub const fn are_gone_together(silent: i64, polling: i64) -> bool {
    silent >= FEWEST && silent.saturating_mul(ONE_IN) >= polling
}

#[cfg(test)]
mod tests {
    use super::are_gone_together;

    #[test]
    fn three_phones_and_a_quarter_of_those_that_ask_are_gone_together() {
        assert!(are_gone_together(3, 3) && are_gone_together(3, 12) && are_gone_together(25, 100));
        assert!(!are_gone_together(2, 2), "two may be unplugged");
        assert!(!are_gone_together(3, 13) && !are_gone_together(24, 100), "less than a quarter");
        assert!(!are_gone_together(0, 0) && are_gone_together(i64::MAX, i64::MAX));
    }
}
