//! The provost binary: subcommands, configuration file, wiring.
