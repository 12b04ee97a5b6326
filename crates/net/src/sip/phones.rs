//! Who is registered, and telling a phone to read its configuration again.

use super::{Done, Driver};
use provost_core::mac::MacAddr;
use provost_core::sentence::LineEvent;
use provost_proto::sip::Millis;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// The event that makes a phone read its configuration again (the maker's name for it).
const CHECK_SYNC: &str = "check-sync";
/// A phone registers every few minutes; its device is looked up this often.
const ASK_EVERY_MS: u64 = 10 * 60_000;
/// As many identities as the machine registers, and as many again whose proof is under way.
const MOST_KNOWN: usize = 65_536;

/// Which phone has which identity.
#[derive(Debug, Default)]
pub(super) struct Phones {
    macs: HashMap<String, MacAddr>,
    /// When it was last asked whether a registered phone should restart.
    asked: HashMap<String, Millis>,
    /// Restarts that wait for the end of a call: a phone is never restarted in one.
    after_call: HashSet<String>,
}

impl Phones {
    /// Remembers whose identity a name is; proved or not is the machine's matter.
    pub(super) fn knows(&mut self, user: &str, mac: MacAddr) {
        if self.macs.len() >= MOST_KNOWN {
            // Registered phones show their credential again within minutes.
            self.macs.clear();
            self.asked.clear();
        }
        self.macs.insert(user.to_owned(), mac);
    }

    /// The phone with this identity.
    pub(super) fn mac(&self, user: &str) -> Option<MacAddr> {
        self.macs.get(user).copied()
    }
}

impl Driver {
    pub(super) fn registered(&mut self, user: &str, from: IpAddr, user_agent: Option<&str>) {
        let Some(mac) = self.phones.mac(user) else { return };
        self.app.line_event(mac, LineEvent::Registered { from, user_agent });
        // Whatever claims or names a phone says so itself; this is for what was missed.
        let now = self.now();
        if self.phones.asked.get(user).is_some_and(|asked| now.since(*asked) < ASK_EVERY_MS) {
            return;
        }
        self.phones.asked.insert(user.to_owned(), now);
        let (app, user) = (Arc::clone(&self.app), user.to_owned());
        self.work.spawn(async move {
            // A phone that was claimed while it was away, or that missed its NOTIFY.
            let user = app.wants_restart(mac).await.then_some(user);
            Done::Restart { mac, user }
        });
    }

    pub(super) fn unregistered(&mut self, user: &str) {
        if let Some(mac) = self.phones.macs.remove(user) {
            self.app.line_event(mac, LineEvent::Unregistered);
        }
        self.phones.after_call.remove(user);
        self.phones.asked.remove(user);
    }

    /// An administrator barred the phone: its line is gone, and so is what it is doing on it.
    pub(super) fn forget(&mut self, user: &str) {
        let now = self.now();
        self.feed(|endpoint| endpoint.forget(now, user));
        for call in self.calls.of(user) {
            self.feed(|endpoint| {
                let _ = endpoint.hang_up(now, call);
            });
        }
    }

    /// After a start: phones that were claimed and have not come back are told once they register.
    pub(super) fn restart_all_awaited(&mut self) {
        for mac in self.app.awaited() {
            self.look_up_user(mac);
        }
    }

    pub(super) fn look_up_user(&mut self, mac: MacAddr) {
        let app = Arc::clone(&self.app);
        self.work.spawn(async move {
            let user = app.sip_user(mac).await.unwrap_or_else(|error| {
                tracing::warn!(%error, %mac, "a phone's SIP identity could not be looked up; it reads its configuration at its next poll");
                None
            });
            Done::Restart { mac, user }
        });
    }

    /// Tells a phone to read its configuration, after its call if it is in one.
    pub(super) fn restart(&mut self, mac: MacAddr, user: String) {
        self.phones.knows(&user, mac);
        if !self.calls.of(&user).is_empty() {
            self.phones.after_call.insert(user);
            return;
        }
        let now = self.now();
        let mut sent = false;
        self.feed(|endpoint| sent = endpoint.notify(now, &user, CHECK_SYNC));
        if sent {
            self.app.line_event(mac, LineEvent::ToldToRestart);
        }
    }

    pub(super) fn call_of_user_ended(&mut self, user: &str) {
        if self.phones.after_call.remove(user)
            && let Some(mac) = self.phones.mac(user)
        {
            self.restart(mac, user.to_owned());
        }
    }

    pub(super) fn notified(&self, user: &str, status: Option<u16>) {
        let Some(mac) = self.phones.mac(user) else { return };
        let event = match status {
            Some(200..=299) => LineEvent::RestartAnswered,
            Some(status) => LineEvent::RestartRefused(status),
            None => LineEvent::RestartUnanswered,
        };
        self.app.line_event(mac, event);
    }
}
