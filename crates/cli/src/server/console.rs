//! What browsers see of the console's TLS: certificates of its own, or those that phones see.

use super::certificates::Source;
use crate::clock;
use crate::failure::Failure;
use crate::set_up::describe;
use provost_net::tls::WebTls;
use provost_pki::server::{ServerCertificates, ServerPair};
use std::sync::Arc;

/// The console's certificates as they are shown.
pub(super) struct ConsoleTls {
    tls: Arc<WebTls>,
    /// Where it has some of its own.
    own: Option<ServerCertificates>,
}

impl ConsoleTls {
    /// Shows what the configuration names, else what phones see.
    pub(super) fn new(source: &Source, phones: &ServerCertificates) -> Result<Self, Failure> {
        let own = source.load_console()?;
        let tls = Arc::new(WebTls::new(own.as_ref().unwrap_or(phones)).map_err(Failure::runtime)?);
        let console = Self { tls, own };
        for pair in console.pairs() {
            tracing::info!("browsers see the {}", describe(pair, clock::now()));
        }
        Ok(console)
    }

    /// For the listener.
    pub(super) fn tls(&self) -> Arc<WebTls> {
        Arc::clone(&self.tls)
    }

    /// The pairs that phones do not see.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &ServerPair> {
        self.own.iter().flat_map(ServerCertificates::pairs)
    }

    /// Shows what the files hold now, if it is good.
    pub(super) fn take_in(
        &mut self,
        loaded: Result<Option<ServerCertificates>, Failure>,
        phones: &ServerCertificates,
    ) -> Result<(), Failure> {
        let own = loaded?;
        self.tls.replace(own.as_ref().unwrap_or(phones)).map_err(Failure::runtime)?;
        for pair in own.iter().flat_map(ServerCertificates::pairs) {
            tracing::info!("browsers see from now on the {}", describe(pair, clock::now()));
        }
        self.own = own;
        Ok(())
    }
}
