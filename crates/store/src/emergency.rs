//! Where emergency calls of unclaimed phones are sent on to, site by site.

use crate::rows::{parsed, place};
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::address_range::AddressRange;
use provost_core::ids::SiteId;
use std::collections::BTreeMap;

/// A site's route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRouteRow {
    /// The site.
    pub site: SiteId,
    /// Phones in these networks are taken to be there.
    pub networks: Vec<AddressRange>,
    /// Host and port of the SIP server that places the call.
    pub to: String,
}

impl Store {
    /// The routes of all sites.
    pub async fn emergency_routes(&self) -> Result<Vec<EmergencyRouteRow>, StoreError> {
        const SQL: &str = "SELECT r.site, r.address, n.network FROM emergency_routes r \
                           JOIN emergency_networks n ON n.site = r.site ORDER BY r.site, n.place";
        let rows: Vec<(String, String, String)> = query_as(SQL).fetch_all(&self.read).await?;
        let mut routes: BTreeMap<String, EmergencyRouteRow> = BTreeMap::new();
        for (site, to, network) in rows {
            let network = parsed("emergency_networks.network", &network)?;
            match routes.get_mut(&site) {
                Some(route) => route.networks.push(network),
                None => {
                    let route = EmergencyRouteRow { site: parsed("sites.id", &site)?, networks: vec![network], to };
                    routes.insert(site, route);
                }
            }
        }
        Ok(routes.into_values().collect())
    }
}

impl Audited<'_> {
    /// Sets a site's route instead of the one it has.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a site.
    pub async fn set_emergency_route(self, route: &EmergencyRouteRow) -> Result<(), StoreError> {
        const ROUTE: &str = "INSERT INTO emergency_routes (site, address) VALUES ($1, $2) \
                             ON CONFLICT (site) DO UPDATE SET address = excluded.address";
        const EMPTY: &str = "DELETE FROM emergency_networks WHERE site = $1";
        const NETWORK: &str = "INSERT INTO emergency_networks (site, place, network) VALUES ($1, $2, $3)";
        let mut tx = self.begin().await?;
        let site = route.site.as_str();
        query(ROUTE)
            .bind(site)
            .bind(&route.to)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "this route", "site"))?;
        query(EMPTY).bind(site).execute(&mut tx).await?;
        for (index, network) in route.networks.iter().enumerate() {
            query(NETWORK).bind(site).bind(place(index)).bind(network.to_string()).execute(&mut tx).await?;
        }
        self.commit(tx).await
    }

    /// Takes a site's route away.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it has none.
    pub async fn remove_emergency_route(self, site: &SiteId) -> Result<(), StoreError> {
        const NETWORKS: &str = "DELETE FROM emergency_networks WHERE site = $1";
        const ROUTE: &str = "DELETE FROM emergency_routes WHERE site = $1";
        let mut tx = self.begin().await?;
        query(NETWORKS).bind(site.as_str()).execute(&mut tx).await?;
        let done = query(ROUTE).bind(site.as_str()).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "emergency route" });
        }
        self.commit(tx).await
    }
}
