//! The plain-HTTP bootstrap: off, until an administrator opens it for a range of addresses and a time.
//!
//! Nothing secret ever goes over plain HTTP (docs/THREATS.md, rule 5): what is served is the same for
//! every phone and made from what the server tells everybody in its TLS handshake anyway.

use super::Guard;
use crate::{Actor, App, AppError, PlainHttp, error_reference, locked};
use bytes::Bytes;
use provost_core::entry::guard::HttpBootstrapInput;
use provost_core::file_plan::HTTP_BOOTSTRAP_NAME;
use provost_core::render;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use provost_store::HttpBootstrapRow;
use std::net::IpAddr;

/// An opening of the plain-HTTP bootstrap as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HttpBootstrapView {
    /// Id.
    pub id: String,
    /// For whom.
    pub range: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339.
    pub opened_at: String,
    /// Until when.
    pub ends_at: String,
    /// What to key into a phone as its server address, where it is known.
    pub url: Option<String>,
}

impl Guard {
    /// Whether the plain-HTTP bootstrap is open for this address.
    pub(crate) fn http_bootstrap_is_open(&self, address: IpAddr, now: UnixMillis) -> bool {
        locked(&self.http_bootstraps).iter().any(|row| now < row.ends && row.range.contains(address))
    }
}

impl App {
    /// Opens the plain-HTTP bootstrap for a range of addresses and a time.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::Refused`] while there is no plain HTTP, [`AppError::Render`] when the file
    /// could not be made.
    pub async fn open_http_bootstrap(
        &self,
        input: HttpBootstrapInput,
        by: &Actor,
    ) -> Result<HttpBootstrapView, AppError> {
        by.may_platform(Right::Platform)?;
        let opening = input.check()?;
        if self.told.plain_http == PlainHttp::Off {
            return Err(AppError::Refused {
                code: "plain-http-off",
                message: "listen.phones-http is \"off\", so no phone could read the bootstrap; give it an address in \
                          the configuration and restart the server first"
                    .to_owned(),
                reference: error_reference(),
            });
        }
        self.http_bootstrap_settings()?;
        let opened = self.now();
        let row = HttpBootstrapRow {
            id: locked(&self.event_ids).next(opened).to_ascii_lowercase(),
            range: opening.of,
            reason: opening.reason,
            opened,
            ends: opened.plus_millis(opening.lasts_ms),
            closed: None,
        };
        let what = format!("opened the plain-HTTP bootstrap {} for {} until {}", row.id, row.range, row.ends);
        let entry = self.audit_entry(by, what, Some(&row.reason));
        self.store.audited(entry).open_http_bootstrap(&row).await?;
        let mut open = locked(&self.guard.http_bootstraps);
        open.retain(|row| opened < row.ends);
        open.push(row.clone());
        drop(open);
        Ok(self.view(row))
    }

    /// The openings that hold now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn http_bootstraps(&self, by: &Actor) -> Result<Vec<HttpBootstrapView>, AppError> {
        by.may_platform(Right::Read)?;
        Ok(self.store.open_http_bootstraps(self.now()).await?.into_iter().map(|row| self.view(row)).collect())
    }

    /// Closes an opening early.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not open.
    pub async fn close_http_bootstrap(&self, id: &str, by: &Actor) -> Result<HttpBootstrapView, AppError> {
        by.may_platform(Right::Platform)?;
        let now = self.now();
        let missing = || AppError::NotFound { what: "open plain-HTTP bootstrap", name: id.chars().take(40).collect() };
        let open = self.store.open_http_bootstraps(now).await?;
        let row = open.into_iter().find(|row| row.id == id).ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("closed the plain-HTTP bootstrap {id} for {}", row.range), None);
        self.store.audited(entry).close_http_bootstrap(id, now).await?;
        locked(&self.guard.http_bootstraps).retain(|row| row.id != id);
        Ok(self.view(row))
    }

    /// The master file of the bootstrap: the same bytes for every MAC.
    pub(crate) fn http_bootstrap_master(&self) -> Result<Bytes, AppError> {
        Ok(render::master(&self.catalog, "", &[HTTP_BOOTSTRAP_NAME])?.into())
    }

    /// Its parameter file. It names the former address while the certificate does not hold the new one: a phone that
    /// was told a name it must refuse would not come back by itself.
    pub(crate) fn http_bootstrap_settings(&self) -> Result<Bytes, AppError> {
        let told = &self.told;
        let url = told.former.as_ref().filter(|_| self.move_is_held()).unwrap_or(&told.public_url);
        let root = told.server_root.as_deref();
        let values = render::http_bootstrap(&self.catalog, url, told.time_server_at(url), root)?;
        Ok(render::settings_document(&self.catalog, &values)?.into())
    }

    fn view(&self, row: HttpBootstrapRow) -> HttpBootstrapView {
        let url = match &self.told.plain_http {
            PlainHttp::Off => None,
            PlainHttp::On { url } => url.clone(),
        };
        HttpBootstrapView {
            id: row.id,
            range: row.range.to_string(),
            reason: row.reason,
            opened_at: row.opened.to_string(),
            ends_at: row.ends.to_string(),
            url,
        }
    }
}
