//! Checks that cargo itself does not make.
//!
//! `cargo xtask ci` makes all of them; `arrows` and `lines` one each; `golden [--bless]` runs the
//! tests that compare with stored files, and rewrites those files on demand; `voice` makes the recordings of a
//! language pack.
//! Never does: the tests themselves (`./test` does, and they check the sample configuration).

mod arrows;
mod lines;
mod voice;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask ci               every check below, then formatting, clippy and the documentation
       cargo xtask arrows           which crate may depend on which
       cargo xtask lines            how long files are, and notes that name no issue
       cargo xtask golden [--bless] the tests named golden; --bless rewrites what they compare with
       cargo xtask voice [FOLDER]   makes the recordings of a language pack from its texts (needs sox and flite)
";

/// Why a check did not pass; shown as it is.
#[derive(Debug)]
enum Failure {
    /// The check ran and found these.
    Found(Vec<String>),
    /// A command ended badly and has said why.
    Command,
    /// The check itself could not run.
    Io(io::Error),
    /// Cargo's description of the workspace was not understood.
    Metadata(serde_json::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Metadata(error)
    }
}

impl From<Vec<String>> for Failure {
    fn from(found: Vec<String>) -> Self {
        Self::Found(found)
    }
}

/// One check of the workspace at the given folder.
type Check = fn(&Path) -> Result<(), Failure>;

const CI: [(&str, Check); 5] = [
    ("arrows", arrows::check),
    ("lines", lines::check),
    ("formatting", |root| cargo(root, &["fmt", "--all", "--check"], &[])),
    ("clippy", |root| {
        let arguments = ["clippy", "--release", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
        cargo(root, &arguments, &[])
    }),
    ("documentation", |root| {
        let arguments = ["doc", "--release", "--locked", "--workspace", "--no-deps", "--quiet"];
        cargo(root, &arguments, &[("RUSTDOCFLAGS", "-D warnings")])
    }),
];

fn main() -> ExitCode {
    // As cargo says it now: two checkouts may share a target folder, and this binary may be the other's.
    let crate_folder =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = crate_folder.join("..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match arguments.as_slice() {
        // Every check is made even if an earlier one fails: one run tells all there is to mend.
        ["ci"] => CI.iter().filter(|(name, check)| !run(&root, name, *check)).count() == 0,
        ["arrows"] => run(&root, "arrows", arrows::check),
        ["lines"] => run(&root, "lines", lines::check),
        ["golden"] => run(&root, "golden", |root| golden(root, &[])),
        ["golden", "--bless"] => run(&root, "golden", |root| golden(root, &[("PROVOST_BLESS", "1")])),
        ["voice"] => run(&root, "voice", |root| voice::make(root, None)),
        ["voice", folder] => run(&root, "voice", |root| voice::make(root, Some(folder))),
        _ => {
            say(USAGE);
            return ExitCode::from(64);
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(root: &Path, name: &str, check: impl Fn(&Path) -> Result<(), Failure>) -> bool {
    say(&format!("== {name}\n"));
    let Err(failure) = check(root) else {
        return true;
    };
    match failure {
        Failure::Found(lines) => lines.iter().for_each(|line| say(&format!("{line}\n"))),
        Failure::Command => {}
        Failure::Io(error) => say(&format!("{error}\n")),
        Failure::Metadata(error) => say(&format!("`cargo metadata` gave something unexpected: {error}\n")),
    }
    say(&format!("{name}: failed\n"));
    false
}

/// Runs the tests with `golden` in their names, which rewrite their files under PROVOST_BLESS=1.
fn golden(root: &Path, environment: &[(&str, &str)]) -> Result<(), Failure> {
    cargo(root, &["test", "--release", "--locked", "--workspace", "golden"], environment)
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), Failure> {
    let environment = environment.iter().copied();
    let status = Command::new("cargo").args(arguments).envs(environment).current_dir(root).status()?;
    if status.success() { Ok(()) } else { Err(Failure::Command) }
}

/// Writes to the terminal; a reader that went away must not end a check.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
