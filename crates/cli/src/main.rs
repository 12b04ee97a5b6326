//! The `provost` binary.
fn main() {}
