//! `provost check`: everything a start would refuse, without starting.

mod acme;
mod addresses;

use crate::clock;
use crate::config::{Config, Listen};
use crate::failure::Failure;
use crate::out::say;
use crate::server::acme::Folder;
use crate::set_up::{self, EXPIRING_BELOW_DAYS, Place, describe};
use provost_pki::server::ServerCertificates;

pub(crate) fn run(place: &Place<'_>) -> Result<(), Failure> {
    let config = place.configuration()?;
    let mut errors = Vec::new();
    let mut keep = |failure: Failure| match failure {
        Failure::Configuration(lines) => errors.extend(lines),
        Failure::Runtime(line) | Failure::Usage(line) => errors.push(line),
    };
    let catalog = set_up::catalog(&config).map_err(&mut keep).ok();
    let authorities = catalog.as_ref().and_then(|catalog| set_up::trust(&config, catalog).map_err(&mut keep).ok());
    let _ = set_up::voice(&config).map_err(&mut keep);
    let _ = set_up::image_store(&config).map_err(&mut keep);
    let certificates = set_up::configured_certificates(&config).map_err(&mut keep).ok();
    let of_console = set_up::certificates_of(&config.console.pairs).map_err(&mut keep).ok().flatten();
    if let Some(acme) = &config.tls.acme {
        let _ = crate::server::acme::check(acme).map_err(&mut keep);
    }
    let _ = set_up::mail_server(&config, "localhost").map_err(&mut keep);
    if !errors.is_empty() {
        return Err(Failure::Configuration(errors));
    }
    for note in notes(&config, certificates.flatten().as_ref()) {
        say(note);
    }
    for note in console_notes(&config, of_console.as_ref()) {
        say(note);
    }
    let models = catalog.map_or(0, |catalog| catalog.models().count());
    let authorities = authorities.map_or(0, |trust| trust.authorities().count());
    say(format!("the configuration is good: {models} phone models, {authorities} imported authorities"));
    if authorities == 0 {
        say(
            "warning: no authority is imported, so only phones that send their issuing authority along can prove themselves; `provost trust import FILE` adds the maker's",
        );
    }
    Ok(())
}

/// How browsers reach the console.
fn console_notes(config: &Config, own: Option<&ServerCertificates>) -> Vec<String> {
    let Listen::At { .. } = config.listen.console else { return Vec::new() };
    let console = &config.console;
    let mut notes: Vec<_> = own.iter().flat_map(|own| own.pairs()).map(|pair| describe(pair, clock::now())).collect();
    if config.listen.console.is_off_or_loopback() {
        if own.is_some() {
            notes.push(format!(
                "warning: [console] names a certificate, but at listen.console = {} the console speaks plain HTTP, since \
                 only this machine reaches it",
                config.listen.console
            ));
        }
        return notes;
    }
    let how = match own {
        Some(_) => "over HTTPS with its own certificate",
        None if console.behind_proxy => "over plain HTTP; the proxy in front of it must speak HTTPS to browsers",
        None => "over HTTPS with the certificate of [tls]",
    };
    notes.push(format!("the console answers at {} {how}", config.listen.console));
    notes
}

fn notes(config: &Config, certificates: Option<&ServerCertificates>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Listen::At { port, .. } = config.listen.sntp
        && port != 123
    {
        notes.push(format!("warning: listen.sntp has port {port}; real phones ask port 123 and no other"));
    }
    notes.push(match &config.mail {
        Some(mail) => format!("mail goes out by {} from {}", mail.smtp_url, mail.from),
        None => {
            "no mail server is configured ([mail] smtp-url and from), so no mail is sent: welcome mails, alarms by mail"
                .to_owned()
        }
    });
    let folder = Folder::new(config);
    let brought = folder.as_ref().and_then(|folder| folder.certificates().ok().flatten());
    notes.extend(addresses::notes(config, certificates.or(brought.as_ref())));
    if let (Some(acme), Some(folder)) = (&config.tls.acme, &folder) {
        notes.extend(acme::notes(config, (acme, folder), brought.as_ref()));
        return notes;
    }
    match certificates {
        None => {
            notes.push(
                "warning: no server certificate is configured; Provost makes its own, which phones trust only once its root (DATA/server/root.crt) is loaded into them"
                    .to_owned(),
            );
            // Before the first start there are none; shortly before their end the server renews them.
            let own = set_up::certificates_in(&config.data_dir.join("server"));
            notes.extend(own.iter().flat_map(ServerCertificates::pairs).map(|pair| describe(pair, clock::now())));
        }
        Some(certificates) => {
            for pair in certificates.pairs() {
                let expiring = pair.days_left(clock::now()) < EXPIRING_BELOW_DAYS;
                let warning = if expiring { "warning: renew the " } else { "" };
                notes.push(format!("{warning}{}", describe(pair, clock::now())));
            }
            if certificates.rsa().is_none() {
                notes.push("warning: there is no RSA certificate; many phones know nothing else".to_owned());
            }
        }
    }
    notes
}
