//! What `provost check` says about the addresses phones are told.

use crate::config::{Config, Listen};
use crate::set_up::{self, uncovered};
use provost_core::public_url::PublicUrl;
use provost_pki::server::ServerCertificates;

/// The addresses, whether the certificates hold their names, and what to try before phones are told a new one.
pub(super) fn notes(config: &Config, configured: Option<&ServerCertificates>) -> Vec<String> {
    let mut notes = Vec::new();
    if config.public_http_url.is_some() && config.listen.phones_http == Listen::Off {
        notes.push(
            "warning: public-http-url is set, but listen.phones-http is \"off\": nothing answers there".to_owned(),
        );
    }
    let Some(current) = &config.public_url else {
        notes.push(
            "warning: public-url is not set; phones are told the address that is bound, and are pinned to it"
                .to_owned(),
        );
        return notes;
    };
    let urls: Vec<_> = [Some(current), config.former_url.as_ref()].into_iter().flatten().collect();
    if let Some(former) = &config.former_url {
        notes.push(format!("phones move from {former} to {current}; `provost move` shows how far they have come"));
    }
    match configured {
        Some(certificates) => notes.extend(coverage(config, certificates, &urls)),
        None if config.tls.acme.is_none() => notes.extend(own_coverage(config, &urls)),
        None => {}
    }
    if config.former_url.is_some() {
        notes.push(format!(
            "try before you start with it: `curl {}{current}/` from the phones' network; the answer must be 404, or phones \
             that are told this address do not come back",
            if configured.is_none() && config.tls.acme.is_none() { "--cacert DATA/server/root.crt " } else { "" }
        ));
    }
    notes
}

fn coverage(config: &Config, certificates: &ServerCertificates, urls: &[&PublicUrl]) -> Vec<String> {
    let missing = uncovered(certificates, urls);
    if missing.is_empty() {
        return vec![format!("the certificates hold {}", hosts(urls))];
    }
    let warning = |(url, pair): (&PublicUrl, &provost_pki::server::ServerPair)| {
        let is_next = config.former_url.is_some() && config.public_url.as_ref() == Some(url);
        let then = if is_next { "; no phone is told to move there until it does" } else { "" };
        format!(
            "warning: the {} certificate for {} does not hold {}, so phones turn away from {url}{then}",
            pair.kind,
            pair.names.join(", "),
            url.bare_host()
        )
    };
    missing.into_iter().map(warning).collect()
}

fn own_coverage(config: &Config, urls: &[&PublicUrl]) -> Option<String> {
    let own = set_up::certificates_in(&config.data_dir.join("server"));
    let holds = own.is_some_and(|own| uncovered(&own, urls).is_empty());
    let when = if holds { "the certificates hold" } else { "the next start makes certificates that hold" };
    Some(format!("{when} {}", hosts(urls)))
}

fn hosts(urls: &[&PublicUrl]) -> String {
    let mut hosts: Vec<_> = urls.iter().map(|url| url.bare_host()).collect();
    hosts.dedup();
    hosts.join(" and ")
}
