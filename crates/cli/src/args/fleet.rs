//! The command that runs many virtual phones.

/// Boots many virtual phones at a server and measures.
#[derive(Debug, clap::Args)]
pub(crate) struct Fleet {
    /// How many phones
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) phones: u32,
    /// The server address as typed into the phones
    #[arg(long, value_name = "URL")]
    pub(crate) server: String,
    /// Model ids with commas, dealt out in turn
    #[arg(long, value_name = "MODELS", value_delimiter = ',', default_value = "vvx450")]
    pub(crate) models: Vec<String>,
    /// MAC address of the first phone; the others count up
    #[arg(long, value_name = "MAC", default_value = "0004f2f00001")]
    pub(crate) first_mac: String,
    /// Boots at the same time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) at_once: u32,
    /// Times each phone polls after its boot
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) polls: u32,
    /// Seconds over which each round of polls is spread
    #[arg(long, value_name = "S", default_value_t = 5)]
    pub(crate) poll_over_s: u32,
    /// Time server; without one the phones take this machine's clock
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) sntp: Option<String>,
    /// The figures as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
