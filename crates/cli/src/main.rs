//! The `provost` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    provost_cli::run(std::env::args_os(), std::env::vars_os().collect())
}
