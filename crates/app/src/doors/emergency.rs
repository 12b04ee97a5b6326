//! Emergency calls from unclaimed phones: an alarm, and where a site has a route, the way to help.

use crate::alarms::AlarmKind;
use crate::strangers::{Stranger, Treated};
use crate::{Actor, App, AppError, locked};
use provost_core::entry::emergency::EmergencyRouteInput;
use provost_core::identity::{CertificateStatus, Transport};
use provost_core::ids::SiteId;
use provost_core::mac::MacAddr;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{EmergencyRouteRow, Store};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// A call to an emergency number.
#[derive(Debug, Clone, Copy)]
pub struct EmergencyCall<'a> {
    /// The phone, when the call proved it.
    pub mac: Option<MacAddr>,
    /// The name the call claims to come from, proven or not.
    pub user: Option<&'a str>,
    /// Where it comes from.
    pub from: IpAddr,
    /// The number, which is one of the catalog's emergency numbers.
    pub number: &'a str,
}

/// A site's route as shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EmergencyRouteView {
    /// Phones in these networks are taken to be at the site.
    pub networks: Vec<String>,
    /// Where their emergency calls are sent on to.
    pub to: String,
}

/// Between two entries about one phone: each call is an alarm, not each packet of a phone that goes on and on.
const TOLD_EVERY_MS: i64 = 10_000;

/// Between two log lines about calls that nobody can be held to.
const LOGGED_EVERY_MS: i64 = 60_000;

/// Only known phones come in here.
const MOST_PHONES: usize = 50_000;

/// Routes, and what was told lately.
#[derive(Debug)]
pub(super) struct Emergency {
    routes: Mutex<Vec<EmergencyRouteRow>>,
    told: Mutex<HashMap<MacAddr, UnixMillis>>,
    logged: AtomicI64,
    unlogged: AtomicU64,
}

impl Emergency {
    pub(super) async fn load(store: &Store) -> Result<Self, AppError> {
        Ok(Self {
            routes: Mutex::new(store.emergency_routes().await?),
            told: Mutex::default(),
            logged: AtomicI64::new(i64::MIN),
            unlogged: AtomicU64::default(),
        })
    }

    /// The narrowest network that holds the address decides.
    fn route(&self, from: IpAddr) -> Option<String> {
        let routes = locked(&self.routes);
        let fitting = routes.iter().flat_map(|route| route.networks.iter().map(move |network| (network, route)));
        let narrowest = fitting.filter(|(network, _)| network.contains(from)).max_by_key(|(network, _)| network.bits());
        narrowest.map(|(_, route)| route.to.clone())
    }

    /// Whether this phone's call is to be told; not again within seconds.
    fn is_news(&self, mac: MacAddr, now: UnixMillis) -> bool {
        let mut told = locked(&self.told);
        if told.get(&mac).is_some_and(|at| (0..TOLD_EVERY_MS).contains(&now.0.saturating_sub(at.0))) {
            return false;
        }
        if told.len() >= MOST_PHONES {
            told.clear();
        }
        told.insert(mac, now);
        true
    }
}

impl App {
    /// Deals with a call to an emergency number from the activation line: an alarm and a timeline entry when the
    /// phone is known, and where to send the call on to (`sip:NUMBER@HOST[:PORT]`) when its site has a route.
    ///
    /// Never fails and needs no proof. Whoever nobody knows creates no row (docs/THREATS.md, rule 7).
    pub async fn emergency_call(&self, call: EmergencyCall<'_>) -> Option<String> {
        let route = self.doors.emergency.route(call.from);
        let now = self.now();
        match self.emergency_phone(&call).await {
            Some(mac) => {
                if self.doors.emergency.is_news(mac, now) {
                    let entry = sentence::emergency_call(call.number, call.from, route.as_deref());
                    tracing::warn!(phone.mac = %mac, client.address = %call.from, "an emergency number was dialed on unclaimed phone {mac}");
                    self.recorder.tell(mac, now, entry.clone(), None);
                    self.raise_about(AlarmKind::EmergencyCall, &mac.to_string(), &entry).await;
                }
            }
            None => self.emergency_of_nobody(&call, now),
        }
        route.map(|to| format!("sip:{}@{to}", call.number))
    }

    async fn emergency_phone(&self, call: &EmergencyCall<'_>) -> Option<MacAddr> {
        if call.mac.is_some() {
            return call.mac;
        }
        // A database that fails must not keep an emergency call waiting for more than its answer.
        self.sip_credential(call.user?).await.ok().flatten().map(|credential| credential.mac)
    }

    fn emergency_of_nobody(&self, call: &EmergencyCall<'_>, now: UnixMillis) {
        locked(&self.strangers).note(Stranger {
            address: call.from,
            transport: Transport::Plain,
            asked_for: None,
            file: sentence::printable(call.number, 16),
            certificate: CertificateStatus::NonePresented,
            treated: Treated::CalledForHelp,
            reason: "it called an emergency number and did not say as which phone".to_owned(),
            times: 1,
            at: now,
        });
        let emergency = &self.doors.emergency;
        emergency.unlogged.fetch_add(1, Ordering::Relaxed);
        let last = emergency.logged.load(Ordering::Relaxed);
        if now.0 >= last.saturating_add(LOGGED_EVERY_MS) && emergency.logged.swap(now.0, Ordering::Relaxed) == last {
            let calls = emergency.unlogged.swap(0, Ordering::Relaxed);
            tracing::warn!(client.address = %call.from, calls, "somebody dialed an emergency number without being a known phone");
        }
    }

    /// Sets where emergency calls of the site's unclaimed phones are sent on to.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such a site.
    pub async fn set_emergency_route(
        &self,
        site: &SiteId,
        input: EmergencyRouteInput,
        by: &Actor,
    ) -> Result<EmergencyRouteView, AppError> {
        let route = input.check()?;
        let row = EmergencyRouteRow { site: site.clone(), networks: route.networks, to: route.to };
        let entry = self.audit_entry(by, format!("sent emergency calls of {site} on to {}", row.to), None);
        self.store.audited(entry).set_emergency_route(&row).await?;
        self.load_emergency_routes().await?;
        Ok(view(&row))
    }

    /// Takes the site's route away; returns what it was.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it has none.
    pub async fn remove_emergency_route(&self, site: &SiteId, by: &Actor) -> Result<EmergencyRouteView, AppError> {
        let missing = || AppError::NotFound { what: "emergency route of site", name: site.to_string() };
        let was = self.emergency_route(site).ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("took away the emergency route of {site}"), None);
        self.store.audited(entry).remove_emergency_route(site).await?;
        self.load_emergency_routes().await?;
        Ok(was)
    }

    /// The site's route.
    pub(crate) fn emergency_route(&self, site: &SiteId) -> Option<EmergencyRouteView> {
        locked(&self.doors.emergency.routes).iter().find(|route| route.site == *site).map(view)
    }

    async fn load_emergency_routes(&self) -> Result<(), AppError> {
        let routes = self.store.emergency_routes().await?;
        *locked(&self.doors.emergency.routes) = routes;
        Ok(())
    }
}

fn view(route: &EmergencyRouteRow) -> EmergencyRouteView {
    EmergencyRouteView { networks: route.networks.iter().map(ToString::to_string).collect(), to: route.to.clone() }
}
