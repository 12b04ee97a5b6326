//! Power comes: VLAN, boot server and time, before anything is asked of a server.
//!
//! Decides where the phone is in its network and whom it will ask, once for each start. With no network to ask, the
//! address typed in and the caller's clock stand for both. Never fetches a file.
//! Rules: domain notes 1.1 (VLAN, then DHCP again in there), 1.3, 4.4 and 5.

use std::time::Duration;

use provost_catalog::BootStage;

use crate::address::{self, AddressError, BootServer};
use crate::clock::rfc3339;
use crate::event::{Event, Kept, Observer};
use crate::network::{
    Found, FoundServer, Network, ServerRule, Settled, Told, find, gmt_offset, kept_in_flash, settle, time_server,
};
use crate::phone::Phone;
use crate::phone::update::Taken;
use crate::polling::{self, Poller};
use crate::screen::Message;
use crate::setup::PhoneError;
use crate::sntp;
use crate::tls::{TlsClient, Trust};

/// Where a started phone is.
#[derive(Debug)]
pub(super) struct Here {
    network: Network,
    vlan: Option<u16>,
    found: Found,
    /// The time server it asked last.
    asked: Option<String>,
}

/// Why no server is asked.
#[derive(Debug)]
pub(super) enum NoServer {
    /// What was typed in is no address.
    Address(AddressError),
    /// There is none for now; the cached configuration stays.
    Kept(Kept),
}

impl Phone {
    /// Puts the cable into another network; with none, the typed address and the caller's clock count again.
    ///
    /// What the phone took from its network stays until it starts again.
    pub fn connect(&mut self, network: Option<Network>) {
        self.network = network;
    }

    /// The network its cable leads to.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// The VLAN it is in since its last start.
    pub fn vlan(&self) -> Option<u16> {
        self.here.as_ref().and_then(|here| here.vlan)
    }

    /// Where it asks since its last start, and which rule said so.
    pub fn found_server(&self) -> FoundServer {
        match &self.here {
            Some(here) => here.found.shown(),
            None => self.typed_server(),
        }
    }

    /// The boot server it asks: the pinned one or the one it was given, or what the network said at its last start.
    ///
    /// # Errors
    /// [`AddressError`] when that is no address, or there is none.
    pub fn boot_server(&self) -> Result<String, AddressError> {
        match self.server() {
            Ok(server) => Ok(server.to_string()),
            Err(NoServer::Address(refused)) => Err(refused),
            Err(NoServer::Kept(_)) => Err(AddressError { found: String::new() }),
        }
    }

    /// How long the phone waits, by its own clock, until it polls; nothing when it is not told to.
    pub fn next_poll(&self) -> Option<Duration> {
        let now = self.clock.now_millis();
        let running = self.clock.host_millis().saturating_sub(self.started_millis);
        let poller =
            Poller { mac: self.facts.mac, started: now.saturating_sub(running), gmt_offset: self.gmt_offset_seconds() };
        let next = polling::next_poll(now, &self.effective(), &self.facts.network, poller)?;
        u64::try_from(next.saturating_sub(now)).ok().map(Duration::from_millis)
    }

    /// Seconds the phone's day is ahead of Greenwich, without any summer time.
    pub fn gmt_offset_seconds(&self) -> i64 {
        static SILENT: Network = Network::silent();
        let network = self.here.as_ref().map_or(&SILENT, |here| &here.network);
        gmt_offset(&self.effective(), &self.facts.network, network)
    }

    /// What the phone sends as option 60 of DHCP while `stage` runs; nothing when it does not fit.
    ///
    /// When its programs were built is not known, so that stays empty.
    pub fn vendor_class(&self, stage: BootStage) -> Option<Vec<u8>> {
        let rules = &self.facts.network.rules.option_60;
        let said = self.memory.device.get(&rules.parameter.value).map_or("", String::as_str);
        let is = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(said));
        let knows = self.facts.firmware >= rules.ascii_from.value;
        if knows && !is(&rules.binary_words.value) {
            return Some(rules.ascii.value.replace("{model}", self.facts.model_token()).into_bytes());
        }
        self.facts.vendor_class(stage).binary()
    }

    pub(super) async fn power_on(&mut self, observer: &mut Observer<'_>) -> Result<(), PhoneError> {
        self.memory.boot_count = self.memory.boot_count.saturating_add(1);
        self.flash.store(&self.memory)?;
        self.message = None;
        self.started_millis = self.clock.host_millis();
        observer(Event::Starting { boot: self.memory.boot_count });
        self.trust_again()?;
        self.here = self.look_around(observer);
        observer(Event::BootServer(self.found_server()));
        let time = match &self.here {
            Some(here) => here.asked.clone(),
            None => self.sntp.clone(),
        };
        match time {
            Some(server) => self.ask_time(server, observer).await,
            None if self.here.is_some() => {
                self.clock.forget();
                self.no_time("nobody names a time server".to_owned(), observer);
            }
            None => {
                self.clock.follow_host();
                observer(Event::ClockSet { to: rfc3339(self.clock.now_millis()), server: None });
            }
        }
        Ok(())
    }

    /// Trusts whom the flash says now.
    fn trust_again(&mut self) -> Result<(), PhoneError> {
        let trust = Trust::of(&self.memory.device, &self.facts.network.rules);
        if trust != self.trust {
            let authorities = (self.authorities.as_ref(), &trust);
            self.tls = TlsClient::new(self.facts.tls_offer(), self.certificate.as_ref(), authorities)?;
            self.trust = trust;
        }
        Ok(())
    }

    /// Asks the network, if there is one.
    fn look_around(&self, observer: &mut Observer<'_>) -> Option<Here> {
        let facts = &self.facts.network;
        let Settled { network, vlan, steps, again } = settle(self.network.as_ref()?, &self.memory, facts);
        for (id, by) in steps {
            observer(Event::Vlan { id, by });
        }
        if let Some(id) = again {
            observer(Event::VlanCircle { id });
        }
        let kept = (self.taken == Some(Taken::Server)).then(|| kept_in_flash(self.told())).flatten();
        let found = match kept {
            Some(server) => Found { rule: ServerRule::UpdateTaken, server: Some(server), passed_over: Vec::new() },
            None => find(self.told(), network),
        };
        let asked = time_server(&self.effective(), facts, network);
        Some(Here { network: network.clone(), vlan, found, asked })
    }

    pub(super) fn told(&self) -> Told<'_> {
        Told {
            memory: &self.memory,
            place: &self.facts.place,
            facts: &self.facts.network,
            firmware: &self.facts.firmware,
        }
    }

    /// What the phone goes by since its last start.
    pub(super) fn found(&self) -> Option<&Found> {
        self.here.as_ref().map(|here| &here.found)
    }

    pub(super) fn server(&self) -> Result<BootServer, NoServer> {
        let Some(found) = self.found() else { return self.typed().map_err(NoServer::Address) };
        if self.update_waits() {
            return Err(NoServer::Kept(Kept::UpdateWaits));
        }
        match &found.server {
            Some(Ok(server)) => Ok(server.clone()),
            Some(Err(reason)) => Err(NoServer::Kept(Kept::Unreachable { reason: reason.clone() })),
            None => Err(NoServer::Kept(Kept::NoBootServer)),
        }
    }

    fn typed(&self) -> Result<BootServer, AddressError> {
        let types = &self.facts.network.rules.server_types.value;
        address::in_force(&self.memory, &self.facts.place, (&self.server_url, types))
    }

    fn typed_server(&self) -> FoundServer {
        let pinned = address::pinned(&self.memory, &self.facts.place).is_some();
        let rule = if pinned { ServerRule::Static } else { ServerRule::Typed };
        let (address, passed_over) = match self.typed() {
            Ok(server) => (Some(server.to_string()), Vec::new()),
            Err(refused) => (None, vec![refused.to_string()]),
        };
        FoundServer { rule, address, passed_over }
    }

    /// Asks for the time once more where a configuration names another server than the one that was silent.
    pub(super) async fn ask_time_again(&mut self, observer: &mut Observer<'_>) {
        if !matches!(self.message, Some(Message::SntpError { .. })) {
            return;
        }
        let values = self.effective();
        let Some(here) = &mut self.here else { return };
        let named = time_server(&values, &self.facts.network, &here.network);
        if named.is_some() && named != here.asked {
            here.asked.clone_from(&named);
            if let Some(server) = named {
                self.ask_time(server, observer).await;
            }
        }
    }

    async fn ask_time(&mut self, server: String, observer: &mut Observer<'_>) {
        self.clock.forget();
        match sntp::ask(&server).await {
            Ok(now) => {
                self.clock.set(now);
                if matches!(self.message, Some(Message::SntpError { .. })) {
                    self.message = None;
                }
                observer(Event::ClockSet { to: rfc3339(now), server: Some(server) });
            }
            Err(failure) => self.no_time(failure.to_string(), observer),
        }
    }

    fn no_time(&mut self, reason: String, observer: &mut Observer<'_>) {
        self.message = Some(Message::SntpError { reason: reason.clone() });
        observer(Event::ClockNotSet { reason });
    }
}
