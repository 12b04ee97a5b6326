//! Emergency calls from unclaimed phones: an alarm, and where a site has a route, the way to help.

use crate::alarms::AlarmKind;
use crate::strangers::{Stranger, Treated};
use crate::{Actor, App, AppError, locked};
use provost_core::entry::emergency::EmergencyRouteInput;
use provost_core::identity::{CertificateStatus, Transport};
use provost_core::ids::SiteId;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
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
    /// The phone, where one proved itself at this very address; a name that a call merely claims is none.
    pub mac: Option<MacAddr>,
    /// Where it comes from.
    pub from: IpAddr,
    /// The number, which is one of the catalog's emergency numbers.
    pub number: &'a str,
}

/// A site's route as shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
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
    /// Where a call to this emergency number from this address is sent on to (`sip:NUMBER@HOST[:PORT]`), if the
    /// address is in a site that has a route.
    ///
    /// Known from memory, so that the call is answered at once, whatever the database does.
    pub fn emergency_route(&self, from: IpAddr, number: &str) -> Option<String> {
        self.doors.emergency.route(from).map(|to| format!("sip:{number}@{to}"))
    }

    /// Writes down a call to an emergency number from the activation line: an alarm and a timeline entry when a phone
    /// proved itself. To be called after the call was answered.
    ///
    /// Whoever proved nothing creates no row (docs/THREATS.md, rule 7).
    pub async fn emergency_call(&self, call: EmergencyCall<'_>) {
        let now = self.now();
        let Some(mac) = call.mac else { return self.emergency_of_nobody(&call, now) };
        if !self.doors.emergency.is_news(mac, now) {
            return;
        }
        let from = call.from.to_canonical();
        let entry = sentence::emergency_call(call.number, from, self.doors.emergency.route(from).as_deref());
        tracing::warn!(phone.mac = %mac, client.address = %from, "an emergency number was dialed on unclaimed phone {mac}");
        self.recorder.tell(mac, now, entry.clone(), None);
        self.raise_about(AlarmKind::EmergencyCall, &mac.to_string(), &entry).await;
    }

    fn emergency_of_nobody(&self, call: &EmergencyCall<'_>, now: UnixMillis) {
        let from = call.from.to_canonical();
        locked(&self.strangers).note(Stranger {
            address: from,
            transport: Transport::Plain,
            asked_for: None,
            file: sentence::printable(call.number, 16),
            certificate: CertificateStatus::NonePresented,
            treated: Treated::CalledForHelp,
            reason: "it called an emergency number and did not prove which phone it is".to_owned(),
            times: 1,
            at: now,
        });
        let emergency = &self.doors.emergency;
        emergency.unlogged.fetch_add(1, Ordering::Relaxed);
        let last = emergency.logged.load(Ordering::Relaxed);
        if now.0 >= last.saturating_add(LOGGED_EVERY_MS) && emergency.logged.swap(now.0, Ordering::Relaxed) == last {
            let calls = emergency.unlogged.swap(0, Ordering::Relaxed);
            tracing::warn!(client.address = %from, calls, "somebody dialed an emergency number without being a known phone");
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
        let account = self.may_site(by, Right::Change, site).await?;
        let route = input.check()?;
        let row = EmergencyRouteRow { site: site.clone(), networks: route.networks, to: route.to };
        let entry = self.audit_entry(by, format!("sent emergency calls of {site} on to {}", row.to), None);
        self.store.audited(entry.about(&account, Some(site))).set_emergency_route(&row).await?;
        self.load_emergency_routes().await?;
        Ok(view(&row))
    }

    /// Takes the site's route away; returns what it was.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it has none.
    pub async fn remove_emergency_route(&self, site: &SiteId, by: &Actor) -> Result<EmergencyRouteView, AppError> {
        let account = self.may_site(by, Right::Change, site).await?;
        let missing = || AppError::NotFound { what: "emergency route of site", name: site.to_string() };
        let was = self.emergency_route_of(site).ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("took away the emergency route of {site}"), None);
        self.store.audited(entry.about(&account, Some(site))).remove_emergency_route(site).await?;
        self.load_emergency_routes().await?;
        Ok(was)
    }

    /// The site's route.
    pub(crate) fn emergency_route_of(&self, site: &SiteId) -> Option<EmergencyRouteView> {
        locked(&self.doors.emergency.routes).iter().find(|route| route.site == *site).map(view)
    }

    pub(crate) async fn load_emergency_routes(&self) -> Result<(), AppError> {
        let routes = self.store.emergency_routes().await?;
        *locked(&self.doors.emergency.routes) = routes;
        Ok(())
    }
}

fn view(route: &EmergencyRouteRow) -> EmergencyRouteView {
    EmergencyRouteView { networks: route.networks.iter().map(ToString::to_string).collect(), to: route.to.clone() }
}
