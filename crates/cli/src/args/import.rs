//! The commands about imports.

use super::Target;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Take in users, devices or lines from a CSV file: all rows, or none when one is bad
    #[command(
        after_help = "Example:\n  provost import template --kind users > users.csv\n  provost import csv --kind users users.csv --dry-run\n  provost import csv --kind users users.csv"
    )]
    Csv(ImportCsv),
    /// Print the columns of a file and one example
    #[command(after_help = "Example:\n  provost import template --kind devices > devices.csv")]
    Template {
        /// What the file shall hold
        #[arg(long, value_enum)]
        kind: Kind,
        #[command(flatten)]
        target: Target,
    },
}

/// What a file holds.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// People with an extension
    Users,
    /// Devices, from stock, for a user, or for a MAC
    Devices,
    /// SIP lines of people who are there
    Lines,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportCsv {
    /// What the file holds
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// The file: UTF-8, with comma, semicolon or tab
    pub(crate) file: PathBuf,
    /// The customer's id; may be left out where there is only one
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Only check the rows
    #[arg(long, conflicts_with = "good_rows")]
    pub(crate) dry_run: bool,
    /// Take the good rows and leave the bad ones out
    #[arg(long)]
    pub(crate) good_rows: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
