//! The provost binary: subcommands, configuration file, wiring.
//!
//! Decides exit codes (0; 1 failure; 64 wrong usage; 78 bad configuration) and in which order a start
//! happens: arguments, configuration with every error at once, lock, sockets, one line each, run, drain.

mod args;
mod client;
mod clock;
mod commands;
pub mod config;
mod data_dir;
mod failure;
mod key_ring;
mod lab;
mod out;
mod server;
mod set_up;

use args::{Args, Command};
use clap::Parser;
use clap::error::ErrorKind;
use failure::Failure;
use std::ffi::OsString;
use std::process::ExitCode;

/// What the process was started with.
pub type Environment = Vec<(OsString, OsString)>;

/// Runs the program and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            let fine = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if fine { ExitCode::SUCCESS } else { ExitCode::from(failure::USAGE) };
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::complain(format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(dispatch(args, &environment)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::complain(failure.to_string());
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn dispatch(args: Args, environment: &Environment) -> Result<(), Failure> {
    let place = set_up::Place { config: args.config, data: args.data, environment };
    match args.command {
        Command::Up(up) => commands::up::run(&place, &up).await,
        Command::Serve(serve) => commands::serve::run(&place, &serve).await,
        Command::Check => commands::check::run(&place),
        Command::Models(models) => commands::models::run(&place, &models),
        Command::Trust(trust) => commands::trust::run(&place, &trust).await,
        Command::Backup(backup) => commands::backup::backup(&place, &backup).await,
        Command::Restore(restore) => commands::backup::restore(&place, &restore).await,
        Command::Key(key) => commands::key::run(&place, &key).await,
        Command::Phone(phone) => commands::phone::run(&place, &phone).await,
        Command::Fleet(fleet) => commands::fleet::run(&place, &fleet).await,
        Command::Report(command) => commands::administer::report::run(&place, command).await,
        Command::Import(command) => commands::administer::import::run(&place, command).await,
        Command::Firmware(command) => commands::administer::firmware::run(&place, command).await,
        Command::Administer(command) => commands::administer::run(&place, command).await,
    }
}
