//! Which firmware phones are led to: policies, rings, pauses, steps, and doors over plain HTTP.

mod doors;
mod policies;
mod rings;
mod spread;
mod steps;

pub use doors::FirmwareDoorRow;
pub use policies::{PauseRow, PolicyRow};
pub use rings::{CanaryQuery, FirmwarePlace, RingRow};
pub use spread::SpreadRow;
pub use steps::{NewStep, Offer, StepEnd, StepFilter, StepRow};
