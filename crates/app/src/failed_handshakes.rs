//! TLS handshakes that failed, and which phone it may have been.
//!
//! A failed handshake proves nothing, so it stands in memory only; the phone is guessed when somebody
//! looks: the only one last seen at that address, else the only one asked for there over plain HTTP.

use crate::inventory::MacText;
use crate::sightings::{FORGOTTEN_AFTER_MS, Sighting};
use crate::{Actor, App, AppError, locked};
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::sentence::{self, Entry, printable};
use provost_core::time::UnixMillis;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

/// A failed handshake, or several of the same kind from one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedHandshake {
    address: IpAddr,
    words: String,
    advice: Option<String>,
    times: u64,
    at: UnixMillis,
}

/// A failed handshake as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FailedHandshakeView {
    /// From where.
    pub address: String,
    /// The phone it may have been.
    pub mac: Option<MacText>,
    /// What went wrong.
    pub words: String,
    /// What to do.
    pub advice: Option<String>,
    /// How often.
    pub times: u64,
    /// The last time, RFC 3339.
    pub at: String,
}

const MOST_CHARACTERS: usize = 400;

impl Sighting for FailedHandshake {
    fn address(&self) -> IpAddr {
        self.address
    }

    fn at(&self) -> UnixMillis {
        self.at
    }

    fn is_again(&self, earlier: &Self) -> bool {
        self.address == earlier.address && self.words == earlier.words
    }

    fn count_on(&mut self, earlier: &Self) {
        self.times = earlier.times.saturating_add(1);
    }
}

impl App {
    /// Notes a TLS handshake that failed: quick, bounded, in memory.
    pub fn note_failed_handshake(&self, address: IpAddr, words: String, advice: Option<String>) {
        let words = printable(&words, MOST_CHARACTERS);
        let advice = advice.map(|advice| printable(&advice, MOST_CHARACTERS));
        let failed = FailedHandshake { address, words, advice, times: 1, at: self.now() };
        locked(&self.failed_handshakes).note(failed);
    }

    /// The failed handshakes of the last day, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn failed_handshakes(&self, by: &Actor) -> Result<Vec<FailedHandshakeView>, AppError> {
        by.may_platform(Right::Read)?;
        self.recorder.flush().await;
        let all = locked(&self.failed_handshakes).all(self.now());
        let mut macs = HashMap::new();
        let mut views = Vec::with_capacity(all.len());
        for FailedHandshake { address, words, advice, times, at } in all {
            let mac = match macs.get(&address) {
                Some(known) => *known,
                None => *macs.entry(address).or_insert(self.phone_at(address).await?),
            };
            let (address, at) = (address.to_string(), at.to_string());
            views.push(FailedHandshakeView { address, mac: mac.map(MacText), words, advice, times, at });
        }
        Ok(views)
    }

    /// What a phone's timeline says about handshakes that may have been its own.
    pub(crate) async fn failed_handshakes_of(
        &self,
        mac: MacAddr,
        last_address: Option<&str>,
    ) -> Result<Vec<(UnixMillis, Entry, u64)>, AppError> {
        let now = self.now();
        let asked_at = locked(&self.strangers).who_asked_for(mac, now).into_iter().map(|stranger| stranger.address);
        let places: BTreeSet<_> = last_address.and_then(|text| text.parse().ok()).into_iter().chain(asked_at).collect();
        let mut entries = Vec::new();
        for place in places {
            if self.phone_at(place).await? != Some(mac) {
                continue;
            }
            for failed in locked(&self.failed_handshakes).only(now, |failed| failed.address == place) {
                let entry = sentence::failed_handshake(place, mac, &failed.words, failed.advice.as_deref());
                entries.push((failed.at, entry, failed.times));
            }
        }
        Ok(entries)
    }

    /// The phone that is most likely at an address.
    async fn phone_at(&self, address: IpAddr) -> Result<Option<MacAddr>, AppError> {
        let now = self.now();
        let proven = self.store.only_phone_at(&address.to_string(), now.plus_millis(-FORGOTTEN_AFTER_MS)).await?;
        Ok(proven.or_else(|| locked(&self.strangers).plain_mac_at(address, now)))
    }
}
