//! What `provost check` says about certificates that Provost gets by itself.

use crate::clock;
use crate::config::{Acme, Config, Listen};
use crate::server::acme::{Folder, is_late};
use crate::set_up::describe;
use provost_pki::server::ServerCertificates;

/// Where they come from, what is here of them, and what the next start orders.
pub(super) fn notes(
    config: &Config,
    (acme, folder): (&Acme, &Folder),
    brought: Option<&ServerCertificates>,
) -> Vec<String> {
    let names = acme.names.join(", ");
    let mut notes = vec![format!("certificates for {names} come from {} (ACME)", acme.directory)];
    if let Listen::At { port, .. } = config.listen.phones_http
        && port != 80
    {
        notes.push(format!(
            "warning: listen.phones-http has port {port}; the authority asks at port 80 of {names}, which must lead there"
        ));
    }
    for pair in brought.iter().flat_map(|found| found.pairs()) {
        let now = clock::now();
        let warning = if is_late(pair, now) { "warning: renewal is late; look into the log about the " } else { "" };
        notes.push(format!("{warning}{}", describe(pair, now)));
    }
    if brought.is_none() {
        notes.push(
            "warning: none is here yet; until one came, phones see one of Provost's own authority, which they trust only once its root (DATA/server/root.crt) is loaded into them"
                .to_owned(),
        );
    }
    notes.extend(folder.due(clock::now()));
    notes
}
