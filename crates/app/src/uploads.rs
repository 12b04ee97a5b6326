//! What phones sent, shown to people: who may read which file.
//!
//! Logs are for whoever looks into troubles; everything else may hold what the phone's user typed and is a secret, shown
//! for a reason that stands in the audit log first. Never served to another phone (docs/THREATS.md, rule 12).

use crate::{Actor, App, AppError};
use provost_catalog::FileRole;
use provost_core::entry::guard::checked_reason;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;

/// The end of a file that is shown; all of it can be downloaded.
pub const MOST_SHOWN_BYTES: usize = 200_000;

/// What it takes to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadAccess {
    /// It is open to the actor.
    Open,
    /// A reason is asked for, and kept.
    ForReason,
    /// It is not the actor's to read.
    Closed,
}

/// A file a phone sent, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadListing {
    /// Its name.
    pub name: String,
    /// The catalog's word for what it is.
    pub role: &'static str,
    /// Its size in bytes.
    pub size: i64,
    /// When it came last, RFC 3339.
    pub at: String,
    /// What it takes to read it.
    pub access: UploadAccess,
}

/// A file a phone sent, with what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadView {
    /// The file.
    pub file: UploadListing,
    /// Everything in it, as it came.
    pub bytes: Vec<u8>,
}

impl App {
    /// The files a phone sent, by name.
    ///
    /// # Errors
    /// As [`App::phone`].
    pub async fn upload_listings(&self, mac: MacAddr, by: &Actor) -> Result<Vec<UploadListing>, AppError> {
        let files = self.uploads(mac, by).await?.into_iter();
        let listing = |(name, size, at): (String, i64, String)| {
            let role = self.catalog.file(&name).map_or(FileRole::Other, |file| file.role);
            UploadListing { name, role: role.as_str(), size, at, access: access(role, by) }
        };
        Ok(files.map(listing).collect())
    }

    /// A file a phone sent; what is no log only for a reason, which stands in the audit log before it is shown.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a phone or file in the scope, [`AppError::Forbidden`],
    /// [`AppError::Fields`] without a reason where one is asked for.
    pub async fn upload_of(
        &self,
        (mac, name): (MacAddr, &str),
        reason: Option<&str>,
        by: &Actor,
    ) -> Result<UploadView, AppError> {
        let missing = || AppError::NotFound { what: "file of this phone", name: name.to_owned() };
        let listed = self.upload_listings(mac, by).await?;
        let file = listed.into_iter().find(|file| file.name == name).ok_or_else(missing)?;
        match file.access {
            UploadAccess::Open => {}
            UploadAccess::Closed => {
                let right = if file.role == FileRole::Log.as_str() { Right::Audit } else { Right::Secrets };
                return Err(AppError::Forbidden { role: by.role, right });
            }
            UploadAccess::ForReason => {
                let reason = checked_reason(reason.unwrap_or_default())?;
                let entry = self.audit_entry(by, format!("read {name}, which phone {mac} sent"), Some(&reason));
                self.store.audited(self.about_phone(entry, mac).await?).only().await?;
            }
        }
        let bytes = self.store.upload(mac, name).await?.ok_or_else(missing)?;
        Ok(UploadView { file, bytes })
    }
}

/// What it takes to read a file of this role.
fn access(role: FileRole, by: &Actor) -> UploadAccess {
    match role {
        FileRole::Log if by.role.may(Right::Audit) || by.role.may(Right::Secrets) => UploadAccess::Open,
        FileRole::Log => UploadAccess::Closed,
        _ if by.role.may(Right::Secrets) => UploadAccess::ForReason,
        _ => UploadAccess::Closed,
    }
}
