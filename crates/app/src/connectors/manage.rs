//! What administrators do with connectors: add, change, remove and test.

use super::{Calls, ConnectorView, FoundView, password_owner};
use crate::{Actor, App, AppError};
use provost_core::entry::connector::{ConnectorChange, ConnectorInput, NewConnector, PasswordChange};
use provost_core::ids::{AccountId, ConnectorId};
use provost_core::pbx::{PbxError, Reach};
use provost_core::rights::{Right, Scope};
use provost_store::{ConnectorRow, NewPassword, StoreError};
use std::sync::Arc;

impl App {
    /// The connectors of an account: none or one. One of an account above may serve it all the same.
    ///
    /// # Errors
    /// [`AppError::NotFound`] outside the scope, [`AppError::Forbidden`].
    pub async fn connectors(&self, account: &AccountId, by: &Actor) -> Result<Vec<ConnectorView>, AppError> {
        self.may_connect(by, Right::Read, account).await?;
        Ok(self.connectors.of_account(account).into_iter().map(|row| self.connector_view(row)).collect())
    }

    /// One connector.
    ///
    /// # Errors
    /// As [`App::connectors`].
    pub async fn connector(
        &self,
        account: &AccountId,
        id: &ConnectorId,
        by: &Actor,
    ) -> Result<ConnectorView, AppError> {
        Ok(self.connector_view(self.may_connector(by, Right::Read, (account, id)).await?))
    }

    /// Adds a connector; its PBX is asked within seconds, and not while this change keeps others waiting.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::Conflict`] when the account has one, [`AppError::OutOfScope`] for an address of
    /// the inside, [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn add_connector(
        &self,
        account: &AccountId,
        input: ConnectorInput,
        by: &Actor,
    ) -> Result<ConnectorView, AppError> {
        self.may_connect(by, Right::Change, account).await?;
        let (entered, password) = input.check()?;
        may_lead(by, &entered)?;
        let id = ConnectorId::mint(self.now(), &mut rand::rng());
        let owner = password_owner(id.as_str());
        let password = password.map(|secret| self.vault.seal(&owner, secret.reveal())).transpose()?;
        let row = ConnectorRow { id, account: account.clone(), entered, password };
        let what = format!("added the connector {} to {}", row.id, place(&row.entered));
        let entry = self.audit_entry(by, what, None).about(account, None);
        match self.store.audited(entry).add_connector(&row, self.now()).await {
            Err(StoreError::Exists { .. }) => return Err(has_one()),
            Err(StoreError::Missing { .. }) => return Err(no_account(account)),
            done => done?,
        }
        self.connectors.put(row.clone());
        Ok(self.connector_view(row))
    }

    /// Changes a connector; its PBX is asked anew as after [`App::add_connector`].
    ///
    /// # Errors
    /// As [`App::add_connector`].
    pub async fn change_connector(
        &self,
        (account, id): (&AccountId, &ConnectorId),
        change: ConnectorChange,
        by: &Actor,
    ) -> Result<ConnectorView, AppError> {
        // Else a password that is entered for one address could be stored with another.
        let _changing = self.connectors.changing.lock().await;
        let mut row = self.may_connector(by, Right::Change, (account, id)).await?;
        let (entered, password) = change.onto(&row.entered, row.password.is_some())?;
        let is_elsewhere = leads_elsewhere(&row.entered, &entered);
        if is_elsewhere || row.entered.user != entered.user || password != PasswordChange::Keep {
            // Who may not lead it there may not lead it away either, nor sign it in as somebody else.
            may_lead(by, &row.entered)?;
        }
        if is_elsewhere {
            may_lead(by, &entered)?;
            // Else a new address would be told what only the old one is to know.
            if row.password.is_some() && password == PasswordChange::Keep {
                let message = "must be entered again when the connector leads elsewhere".to_owned();
                return Err(crate::inventory::fault("password", message));
            }
        }
        let owner = password_owner(id.as_str());
        let kept = match password {
            PasswordChange::Keep => NewPassword::Keep,
            PasswordChange::Remove => {
                row.password = None;
                NewPassword::Set(None)
            }
            PasswordChange::Set(secret) => {
                NewPassword::Set(Some(row.password.insert(self.vault.seal(&owner, secret.reveal())?)))
            }
        };
        let what = format!("changed the connector {id} to {}", place(&entered));
        let entry = self.audit_entry(by, what, None).about(account, None);
        self.store.audited(entry).change_connector(id, &entered, kept).await?;
        row.entered = entered;
        self.connectors.put(row.clone());
        // What was said of the address of before is nothing to look at any more; the new one is asked in its turn.
        if !row.entered.on || is_elsewhere {
            self.end_unreached(id).await;
        }
        Ok(self.connector_view(row))
    }

    /// Takes a connector away; its view is as it was.
    ///
    /// # Errors
    /// As [`App::connectors`].
    pub async fn remove_connector(
        &self,
        account: &AccountId,
        id: &ConnectorId,
        by: &Actor,
    ) -> Result<ConnectorView, AppError> {
        let _changing = self.connectors.changing.lock().await;
        let row = self.may_connector(by, Right::Change, (account, id)).await?;
        let what = format!("removed the connector {id} to {}", place(&row.entered));
        let entry = self.audit_entry(by, what, None).about(account, None);
        let view = self.connector_view(row);
        self.store.audited(entry).remove_connector(id).await?;
        self.connectors.forget(id);
        self.end_unreached(id).await;
        Ok(view)
    }

    /// Asks a PBX now and says what was found.
    ///
    /// # Errors
    /// As [`App::connectors`]; that a PBX does not answer is none.
    pub async fn test_connector(
        &self,
        account: &AccountId,
        id: &ConnectorId,
        by: &Actor,
    ) -> Result<ConnectorView, AppError> {
        let row = self.may_connector(by, Right::Change, (account, id)).await?;
        let what = format!("tested the connector {id} to {}", place(&row.entered));
        let entry = self.audit_entry(by, what, None).about(account, None);
        self.store.audited(entry).only().await?;
        self.asked_now(row).await
    }

    async fn asked_now(&self, row: ConnectorRow) -> Result<ConnectorView, AppError> {
        let id = row.id.clone();
        let asked = self.in_turn(&id, self.survey(&id)).await?;
        let mut view = self.connector_view(row);
        if let Err(error) = asked {
            view.found.state = NOT_REACHED;
            view.found.words = cannot_ask(&view.host, view.port, &error);
        }
        Ok(view)
    }

    /// Waits for the connector's turn and does it then.
    pub(super) async fn in_turn<T>(&self, id: &ConnectorId, what: impl Future<Output = T>) -> T {
        let turn = self.connectors.turn(id);
        let _turn = turn.lock().await;
        what.await
    }

    pub(super) async fn may_connect(&self, by: &Actor, right: Right, account: &AccountId) -> Result<(), AppError> {
        self.may(by, right, account, None).await?;
        // The owner of the whole server is asked for no account.
        match self.store.account(account).await? {
            Some(_) => Ok(()),
            None => Err(no_account(account)),
        }
    }

    async fn may_connector(
        &self,
        by: &Actor,
        right: Right,
        (account, id): (&AccountId, &ConnectorId),
    ) -> Result<ConnectorRow, AppError> {
        self.may_connect(by, right, account).await?;
        let missing = || AppError::NotFound { what: "connector", name: id.to_string() };
        self.connectors.row(id).filter(|row| row.account == *account).ok_or_else(missing)
    }

    /// Whether the actor may know of a connector.
    pub(super) async fn sees_connector(&self, by: &Actor, row: &ConnectorRow) -> Result<bool, AppError> {
        self.sees(by, &row.account, None).await
    }

    fn connector_view(&self, row: ConnectorRow) -> ConnectorView {
        let found = self.connectors.found(&row);
        ConnectorView::new(row, found)
    }
}

const NOT_REACHED: &str = "not reached";

impl super::Connectors {
    fn of_account(&self, account: &AccountId) -> Vec<ConnectorRow> {
        let all = crate::locked(&self.all);
        all.values().filter(|known| known.row.account == *account).map(|known| known.row.clone()).collect()
    }

    fn turn(&self, id: &ConnectorId) -> Arc<tokio::sync::Mutex<()>> {
        crate::locked(&self.all).get(id).map(|known| Arc::clone(&known.turn)).unwrap_or_default()
    }

    fn found(&self, row: &ConnectorRow) -> FoundView {
        let all = crate::locked(&self.all);
        let known = all.get(&row.id).filter(|known| known.row == *row);
        let seen = known.and_then(|known| known.seen.as_ref());
        let failing = known.and_then(|known| known.failing.as_ref());
        let (state, words) = match (row.entered.on, failing, seen) {
            (false, None, Some(seen)) => ("off", format!("It is off; when it was tested: {}", seen.survey.words())),
            (false, ..) => ("off", "It is off: nobody is asked.".to_owned()),
            (true, Some((_, error)), _) => (NOT_REACHED, cannot_ask(&row.entered.host, row.entered.port, error)),
            (true, None, Some(seen)) => ("answers", seen.survey.words()),
            (true, None, None) => (
                "not asked yet",
                "It was not asked since it was changed or the server started; that comes within seconds.".to_owned(),
            ),
        };
        FoundView {
            state,
            words,
            answered_at: seen.map(|seen| seen.at.to_string()),
            not_reached_since: failing.map(|(since, _)| since.to_string()),
            registrations: seen.map(|seen| seen.survey.count),
        }
    }
}

impl super::ByLine {
    /// What a PBX was found to be, as `Kamailio 5.6.3 answers: 3 registrations; calls are known, 1 now.`
    fn words(&self) -> String {
        let registrations = counted(self.count, "registration");
        let calls = match &self.calls {
            Some(Calls::Known(now)) => format!("calls are known, {now} now"),
            Some(Calls::Unknown(why)) => format!("calls cannot be known: {why}"),
            None => "calls cannot be known".to_owned(),
        };
        format!("{} answers: {registrations}; {calls}.", self.name)
    }
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

fn cannot_ask(host: &str, port: u16, error: &PbxError) -> String {
    format!("{host}:{port} cannot be asked: {error}.")
}

fn place(entered: &NewConnector) -> String {
    let inside = if entered.reach == Reach::Inside { ", also inside" } else { "" };
    format!("{} at {}:{} ({}{inside})", entered.kind, entered.host, entered.port, entered.security.as_str())
}

/// Whether another machine, or the same in another way, is asked: what may be known of it is decided anew.
fn leads_elsewhere(before: &NewConnector, after: &NewConnector) -> bool {
    let where_to = |of: &NewConnector| (of.kind, of.host.clone(), of.port, of.security, of.certificate, of.reach);
    where_to(before) != where_to(after) || before.path != after.path
}

/// Loopback and private addresses are of whoever runs the server (docs/THREATS.md, rule 20).
fn may_lead(by: &Actor, to: &NewConnector) -> Result<(), AppError> {
    if to.reach == Reach::Outside {
        return Ok(());
    }
    by.has(Right::Platform)?;
    if by.scope == Scope::Platform { Ok(()) } else { Err(AppError::OutOfScope) }
}

fn has_one() -> AppError {
    let message = "this account has a connector; change that one, or remove it first".to_owned();
    AppError::Conflict { message }
}

fn no_account(account: &AccountId) -> AppError {
    AppError::NotFound { what: "account", name: account.to_string() }
}
