//! Tells the binary when it was built: a clock that says earlier is wrong (the SNTP server is then silent).

use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    #[expect(clippy::disallowed_methods, reason = "a build script is where the build date comes from")]
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<u64>().ok());
    #[expect(clippy::disallowed_methods, reason = "a build script is where the build date comes from")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    println!("cargo:rustc-env=PROVOST_BUILT_S={}", given.unwrap_or(now));
}
