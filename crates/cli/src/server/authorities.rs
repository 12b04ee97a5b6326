//! Keeps the makers' authorities that phones sent, so that phones which send only their own certificate are served
//! after the next start too.

use provost_net::shutdown::Shutdown;
use provost_net::tls::PhoneTls;
use provost_pki::certificate::fingerprint_text;
use provost_pki::trust::folder::TrustFolder;
use std::sync::Arc;
use std::time::Duration;

/// A start within this time after the first such phone asks for its chain once more.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Looks once a minute and at the end.
pub(super) async fn keep_learned(folder: TrustFolder, tls: Arc<PhoneTls>, mut stop: Shutdown) {
    let folder = Arc::new(folder);
    let mut kept = Vec::new();
    loop {
        let last = tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => false,
            () = stop.pulled() => true,
        };
        for authority in tls.policy().learned() {
            if kept.contains(&authority.fingerprint) {
                continue;
            }
            let (folder, sent) = (Arc::clone(&folder), Arc::clone(&authority));
            let written = tokio::task::spawn_blocking(move || folder.keep(&sent)).await;
            let (name, sha256) = (&authority.name, fingerprint_text(&authority.fingerprint));
            match written {
                Ok(Ok(_)) => {
                    kept.push(authority.fingerprint);
                    tracing::info!(sha256, "a phone sent the maker's authority {name}; it is kept in the trust folder");
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, sha256, "the maker's authority {name}, sent by a phone, could not be kept");
                }
                Err(error) => tracing::error!(%error, "keeping the maker's authority {name} was cut short"),
            }
        }
        if last {
            return;
        }
    }
}
