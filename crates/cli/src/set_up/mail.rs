//! From `[mail]` to a mail server, with the files it names.

use crate::config::Config;
use crate::failure::Failure;
use provost_core::secret::Secret;
use provost_outbound::mail::MailServer;
use std::fs;
use std::path::PathBuf;

/// The mail server of the configuration, with the files it names.
pub(crate) fn mail_server(config: &Config, hello: &str) -> Result<Option<MailServer>, Failure> {
    let Some(mail) = &config.mail else { return Ok(None) };
    let mut errors = Vec::new();
    let mut read = |key: &str, file: &Option<PathBuf>| {
        let file = file.as_ref()?;
        let text = fs::read(file);
        text.map_err(|error| errors.push(format!("mail.{key}: cannot read {}: {error}", file.display()))).ok()
    };
    let password = read("smtp-password-file", &mail.smtp_password_file);
    let authorities = read("smtp-authority", &mail.smtp_authority);
    let password =
        password.map(|text| Secret::new(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()));
    if password.as_ref().is_some_and(|password| password.reveal().is_empty()) {
        errors.push("mail.smtp-password-file: its first line is empty; write the password there".to_owned());
    }
    if let (Some(file), Some(text)) = (&mail.smtp_authority, &authorities)
        && openssl::x509::X509::stack_from_pem(text).is_ok_and(|all| all.is_empty())
    {
        errors.push(format!("mail.smtp-authority: {} holds no certificate in PEM", file.display()));
    }
    if !errors.is_empty() {
        return Err(Failure::Configuration(errors));
    }
    Ok(Some(MailServer {
        host: mail.smtp_url.host.clone(),
        port: mail.smtp_url.port,
        security: mail.security,
        credentials: mail.smtp_url.user.clone().zip(password),
        authorities,
        hello: hello.to_owned(),
        from: mail.from.clone(),
    }))
}
