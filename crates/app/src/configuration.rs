//! Configuration layers: who may see and change them, their history, and what phones are told by them.
//!
//! Decides which layers a device is in and what of a layer is shown; what may stand in one is decided in core.

mod effective;
mod fetched;
mod overrides;
mod preview;
mod reached;
mod views;

pub use fetched::FetchedView;
pub use overrides::{ClearingView, OverridesView, OwnFile, OwnSetting};
pub use preview::{FileView, PreviewInput, PreviewView};
pub use reached::{DeviceLayer, ReachedDeviceView};
pub use views::{
    ChangeView, EffectiveItem, EffectiveView, EntryChangeView, LayerView, LeftOutView, OriginView, OverriddenView,
    ReachView, RevisionView, WarningView,
};

pub(crate) use fetched::{Fetched, fetched_owner};
pub(crate) use overrides::{Clearing, Did};

use crate::{Actor, App, AppError, error_reference};
use provost_catalog::Model;
use provost_core::entry::guard::checked_reason;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::{AccountId, DeviceId, SiteId};
use provost_core::layers::{Entries, EntryChange, LayerChange, LayerEntries, Reach, Subject, subjects};
use provost_core::rights::Right;
use provost_core::sentence;
use provost_store::{Page, RevisionRow, StoreError};

/// What stands for a secret that is not shown.
pub(crate) const HIDDEN: &str = provost_core::layers::HIDDEN;

/// `POST .../configuration/revert`.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RevertInput {
    /// The revision whose content comes back; by default the one before the present. 0 is the empty layer.
    pub to: Option<i64>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// A layer with what it belongs to.
pub(crate) struct Home<'a> {
    name: String,
    account: Option<AccountId>,
    site: Option<SiteId>,
    reach: Reach<'a>,
}

/// The state a layer is in.
struct Present {
    number: i64,
    row: Option<RevisionRow>,
    entries: Entries,
}

/// Each holds its whole layer.
pub const MOST_REVISIONS_A_PAGE: u32 = 50;
/// Somebody else changes a layer at the same instant: so often it is tried again.
const TRIES: usize = 5;

impl App {
    /// A layer as it stands; raw values that may be secrets are masked.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::OutOfScope`] for what belongs to the whole server.
    pub async fn layer(&self, subject: &Subject, by: &Actor) -> Result<LayerView, AppError> {
        let home = self.may_layer(by, Right::Read, subject).await?;
        self.layer_view(subject, &home, false).await
    }

    /// A layer with the values that may be secrets, for a reason that stands in the audit log before they are shown.
    ///
    /// # Errors
    /// As [`App::layer`], and [`AppError::Fields`] without a reason.
    pub async fn layer_secrets(&self, subject: &Subject, reason: &str, by: &Actor) -> Result<LayerView, AppError> {
        let home = self.may_layer(by, Right::Secrets, subject).await?;
        let reason = checked_reason(reason)?;
        let what = format!("read the secrets in the configuration of {subject}");
        let entry = self.audit_entry(by, what, Some(&reason));
        self.store.audited(home.about(entry)).only().await?;
        self.layer_view(subject, &home, true).await
    }

    /// Sets and takes away entries of a layer: one revision more, if anything is different.
    ///
    /// # Errors
    /// [`AppError::Fields`] names every entry at fault; [`AppError::NotFound`], [`AppError::Forbidden`],
    /// [`AppError::OutOfScope`].
    pub async fn change_layer(
        &self,
        subject: &Subject,
        change: LayerChange,
        by: &Actor,
    ) -> Result<LayerView, AppError> {
        let home = self.may_layer(by, Right::Change, subject).await?;
        let why = change.reason.as_deref().map(checked_reason).transpose()?;
        for _ in 0..TRIES {
            let present = self.present(subject).await?;
            let after = change.onto(&present.entries, &home.reach)?;
            let changes = present.entries.changes(&after);
            if changes.is_empty() {
                return self.layer_view(subject, &home, false).await;
            }
            let revision = Revision { after: &after, changes: &changes, why: why.as_deref(), restores: None };
            if self.revise(subject, &home, (present.number, &revision), by).await? {
                return self.layer_view(subject, &home, false).await;
            }
        }
        Err(overtaken())
    }

    /// Brings the content of an earlier revision back, as a revision of its own.
    ///
    /// # Errors
    /// [`AppError::Refused`] when the layer was never changed, [`AppError::Fields`] for a revision there is not;
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::OutOfScope`].
    pub async fn revert_layer(
        &self,
        subject: &Subject,
        input: &RevertInput,
        by: &Actor,
    ) -> Result<LayerView, AppError> {
        let home = self.may_layer(by, Right::Change, subject).await?;
        let why = input.reason.as_deref().map(checked_reason).transpose()?;
        let mut last = None;
        for _ in 0..TRIES {
            let present = self.present(subject).await?;
            // "The last change" is the one there was when it was asked for: two who take it back at once both mean it.
            if input.to.is_none() && last.is_some_and(|last| last != present.number) {
                return Err(overtaken());
            }
            last = Some(present.number);
            if present.number == 0 {
                let message = "this layer was never changed, so there is nothing to take back".to_owned();
                return Err(AppError::Refused { code: "nothing-to-revert", message, reference: error_reference() });
            }
            let to = input.to.unwrap_or(present.number.saturating_sub(1));
            if !(0..present.number).contains(&to) {
                let message =
                    format!("is no earlier revision; the present one is {}, 0 is the empty layer", present.number);
                return Err(FieldErrors(vec![FieldError { field: "to".to_owned(), message }]).into());
            }
            let after = match self.store.revision(subject, to).await? {
                Some(row) => self.entries_of(&row)?,
                None if to == 0 => Entries::default(),
                None => {
                    let message = format!("revision {to} is kept no more; `history` shows those that are");
                    return Err(FieldErrors(vec![FieldError { field: "to".to_owned(), message }]).into());
                }
            };
            let changes = present.entries.changes(&after);
            let revision = Revision { after: &after, changes: &changes, why: why.as_deref(), restores: Some(to) };
            if self.revise(subject, &home, (present.number, &revision), by).await? {
                return self.layer_view(subject, &home, false).await;
            }
        }
        Err(overtaken())
    }

    /// The revisions of a layer, newest first, each with what it changed; a page continues behind the last number of the
    /// one before.
    ///
    /// # Errors
    /// As [`App::layer`].
    pub async fn layer_history(
        &self,
        subject: &Subject,
        page: Page<'_>,
        by: &Actor,
    ) -> Result<Vec<RevisionView>, AppError> {
        self.may_layer(by, Right::Read, subject).await?;
        let before = page.after.parse().unwrap_or(i64::MAX);
        let limit = page.limit.min(MOST_REVISIONS_A_PAGE);
        let rows = self.store.revisions(subject, before, limit.saturating_add(1)).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut views = Vec::with_capacity(rows.len().min(wanted));
        let mut earlier = rows.iter().skip(1);
        for row in rows.iter().take(wanted) {
            let was = earlier.next().map(|row| self.entries_of(row)).transpose()?.unwrap_or_default();
            views.push(views::revision(row, was.changes(&self.entries_of(row)?)));
        }
        Ok(views)
    }

    /// Whether the actor may do this to the layer, and what it belongs to. What reaches every account belongs to the
    /// whole server.
    async fn may_layer(&self, by: &Actor, right: Right, subject: &Subject) -> Result<Home<'_>, AppError> {
        let everything = || self.catalog.models().collect::<Vec<_>>();
        let (name, account, site, models) = match subject {
            Subject::Platform | Subject::Model(_) => {
                by.may_platform(if right == Right::Change { Right::Platform } else { right })?;
                match subject {
                    Subject::Model(id) => {
                        let model = self.known_model(id)?;
                        (model.name.value.clone(), None, None, vec![model])
                    }
                    _ => ("every phone here".to_owned(), None, None, everything()),
                }
            }
            Subject::Account(id) | Subject::AccountModel(id, _) => {
                self.may(by, right, id, None).await?;
                let missing = || AppError::NotFound { what: "account", name: id.to_string() };
                let row = self.store.account(id).await?.ok_or_else(missing)?;
                match subject {
                    Subject::AccountModel(_, model) => {
                        let model = self.known_model(model)?;
                        (format!("{}: {}", row.name, model.name.value), Some(row.id), None, vec![model])
                    }
                    _ => (row.name, Some(row.id), None, everything()),
                }
            }
            Subject::Site(id) => {
                let account = self.may_site(by, right, id).await?;
                let name = self.store.site(id).await?.map_or_else(|| id.to_string(), |row| row.site.name);
                (name, Some(account), Some(id.clone()), everything())
            }
            Subject::Device(id) => {
                let row = self.may_device(by, right, id).await?;
                let site = self.store.site_of_device(id).await?;
                let model = self.known_model(&row.model)?;
                (row.user_name.unwrap_or_else(|| id.to_string()), Some(row.account), site, vec![model])
            }
        };
        Ok(Home { name, account, site, reach: Reach { catalog: &self.catalog, models } })
    }

    pub(crate) fn known_model(&self, id: &str) -> Result<&Model, AppError> {
        self.catalog.model(id).ok_or_else(|| AppError::NotFound { what: "model", name: id.to_owned() })
    }

    async fn present(&self, subject: &Subject) -> Result<Present, AppError> {
        let row = self.store.layers(std::slice::from_ref(subject)).await?.pop();
        let entries = row.as_ref().map(|row| self.entries_of(row)).transpose()?.unwrap_or_default();
        Ok(Present { number: row.as_ref().map_or(0, |row| row.number), row, entries })
    }

    /// Writes a revision with its entry in the audit log; `false` when somebody was faster.
    async fn revise(
        &self,
        subject: &Subject,
        home: &Home<'_>,
        (before, revision): (i64, &Revision<'_>),
        by: &Actor,
    ) -> Result<bool, AppError> {
        let number = before.saturating_add(1);
        let what = revision.sentence(subject, number);
        let entry = home.about(self.audit_entry(by, what, revision.why));
        let text = serde_json::to_string(revision.after).map_err(|error| StoreError::Unreadable {
            column: "configuration_revisions.content",
            found: error.to_string(),
        })?;
        let row = RevisionRow {
            subject: subject.clone(),
            number,
            at: entry.at,
            who: entry.who.clone(),
            why: revision.why.map(ToOwned::to_owned),
            restores: revision.restores,
            content: self.vault.seal(&revision_owner(&subject.to_string(), number), &text)?,
        };
        let done = self.store.audited(entry).revise(&row).await;
        // Also after a failure: a commit whose answer was lost is a commit.
        self.answers.changed();
        let done = done?;
        if let (true, Subject::Device(id)) = (done, subject)
            && let Some(mac) = self.store.phone_of(id).await?
        {
            let names = revision.names();
            let told = format!("An administrator changed its settings: {names}. It reads them at its next poll.");
            self.recorder.tell(mac, self.now(), sentence::action(told), None);
        }
        Ok(done)
    }

    fn entries_of(&self, row: &RevisionRow) -> Result<Entries, AppError> {
        let content = self.vault.open(&revision_owner(&row.subject.to_string(), row.number), &row.content)?;
        let unreadable = |_| StoreError::Unreadable {
            column: "configuration_revisions.content",
            found: format!("revision {} of {}", row.number, row.subject),
        };
        Ok(serde_json::from_str(content.reveal()).map_err(unreadable)?)
    }

    /// The layers a device is in that hold something, those first that others win over: one query.
    pub(crate) async fn layers_of(
        &self,
        accounts: &[AccountId],
        site: Option<&SiteId>,
        (model, device): (&str, &DeviceId),
    ) -> Result<Vec<LayerEntries>, AppError> {
        let rows = self.store.layers(&subjects(accounts, site, model, device)).await?;
        let open = |row: RevisionRow| Ok(LayerEntries { entries: self.entries_of(&row)?, subject: row.subject });
        rows.into_iter().map(open).collect()
    }

    async fn layer_view(&self, subject: &Subject, home: &Home<'_>, revealed: bool) -> Result<LayerView, AppError> {
        let present = self.present(subject).await?;
        let reached = self.store.reached(subject).await?;
        Ok(views::layer(subject, home, (&present, reached), revealed))
    }
}

/// What a change makes of a layer.
struct Revision<'a> {
    after: &'a Entries,
    changes: &'a [EntryChange],
    why: Option<&'a str>,
    restores: Option<i64>,
}

/// A line of the log stays a line.
const NAMES_IN_LOG: usize = 12;

impl Revision<'_> {
    fn names(&self) -> String {
        let mut names: Vec<_> = self.changes.iter().take(NAMES_IN_LOG).map(|change| change.name.clone()).collect();
        let more = self.changes.len().saturating_sub(names.len());
        if more > 0 {
            names.push(format!("{more} more"));
        }
        names.join(", ")
    }

    fn sentence(&self, subject: &Subject, number: i64) -> String {
        let names = self.names();
        match self.restores {
            Some(to) => {
                format!("reverted the configuration of {subject} to revision {to}, as revision {number}: {names}")
            }
            None => format!("changed the configuration of {subject}, revision {number}: {names}"),
        }
    }
}

impl Home<'_> {
    fn about(&self, entry: provost_store::AuditEntry) -> provost_store::AuditEntry {
        match &self.account {
            Some(account) => entry.about(account, self.site.as_ref()),
            None => entry,
        }
    }
}

/// What the ciphertext of a revision belongs to.
pub(crate) fn revision_owner(subject: &str, number: i64) -> String {
    format!("{subject}/configuration/{number}")
}

fn overtaken() -> AppError {
    AppError::Conflict {
        message: "somebody else changes this layer at the same time; look at it, then try again".to_owned(),
    }
}
