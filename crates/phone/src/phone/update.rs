//! Updates that wait in a phone until somebody takes them.
//!
//! Decides when the phone says that one is there, and what taking it does. A former provider's configuration is one: a
//! provider's support document tells it of phones that an option of DHCP led to another server, while their flash still
//! names the former one: they may announce an update from time to time, and whoever takes it is back with the former
//! provider, as when the option goes. That the message shows whenever those two servers differ is concluded. So is
//! what a phone does whose user controls updates: it falls back only when that is taken, and flashes only then what its
//! master file names. A phone that is pinned to its server has no other.
//! Rules: domain notes 1.6 (user-controlled update). Postponing it, and how long, is left out.

use crate::event::{BootReport, Event, Observer};
use crate::network::{ServerRule, kept_in_flash};
use crate::phone::Phone;
use crate::setup::PhoneError;

/// What somebody took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The configuration of the server named in flash.
    Server,
    /// Another version.
    Version,
}

impl Phone {
    /// What the phone says while an update waits - a former provider's configuration, or a version its user has not
    /// taken yet; nothing when none does.
    pub fn update_notice(&self) -> Option<String> {
        self.waiting().map(|_| self.facts.network.rules.update_notice.value.clone())
    }

    /// A person takes the update: the phone starts again, for this one start with the former provider's server whatever
    /// the network says, or flashes the version that waits. Nothing happens when no update waits.
    ///
    /// # Errors
    /// As [`Phone::boot`].
    pub async fn accept_update(&mut self, observer: &mut Observer<'_>) -> Result<Option<BootReport>, PhoneError> {
        let Some(taken) = self.waiting() else { return Ok(None) };
        self.taken = Some(taken);
        self.memory.restart_count = self.memory.restart_count.saturating_add(1);
        observer(Event::Restarting { changed: Vec::new() });
        let report = self.boot(observer).await;
        self.taken = None;
        let report = report?;
        Ok(Some(BootReport { restarts: report.restarts.saturating_add(1), ..report }))
    }

    /// Notes whose configuration is in force from here on.
    pub(super) fn remember_server(&mut self) {
        let found = self.found().map(|found| (found.rule, found.shown().address));
        self.memory.configured_by_option = found.as_ref().is_some_and(|(rule, _)| rule.option().is_some());
        self.memory.configured_from = found.and_then(|(_, address)| address);
    }

    /// Whether the former provider's server was found, and its configuration is left alone until somebody takes it.
    pub(super) fn update_waits(&self) -> bool {
        let fell_back = self.found().is_some_and(|found| found.rule == ServerRule::Flash);
        fell_back && self.former_server().is_some() && self.user_controls()
    }

    /// Whether a person decides when an update is taken.
    pub(super) fn user_controls(&self) -> bool {
        let parameter = &self.facts.network.rules.user_control_parameter.value;
        self.effective().get(parameter).is_some_and(|value| value == "1")
    }

    fn waiting(&self) -> Option<Taken> {
        if self.found().is_some() && self.former_server().is_some() {
            return Some(Taken::Server);
        }
        self.upgrades.offered.as_ref().map(|_| Taken::Version)
    }

    /// The server named in flash, where it is another than the one an option of DHCP led to.
    fn former_server(&self) -> Option<String> {
        let current = self.memory.configured_from.as_ref().filter(|_| self.memory.configured_by_option)?;
        let kept = kept_in_flash(self.told())?.ok()?.to_string();
        (kept != *current).then_some(kept)
    }
}
