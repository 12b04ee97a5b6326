//! Where emergency calls of a site's unclaimed phones are sent on to.

use super::{FieldError, FieldErrors};
use crate::address_range::AddressRange;
use crate::public_url::PublicUrl;
use serde::Deserialize;

/// `PUT /sites/{id}/emergency-route`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyRouteInput {
    /// Where the site's phones are, as `10.1.0.0/16`.
    pub networks: Vec<String>,
    /// Who places the calls, as `HOST` or `HOST:PORT`.
    pub to: String,
}

/// A route fit to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyRoute {
    /// Where the site's phones are.
    pub networks: Vec<AddressRange>,
    /// Host, with a port unless SIP's own.
    pub to: String,
}

/// More networks than a site has.
const MOST_NETWORKS: usize = 32;

impl EmergencyRouteInput {
    /// # Errors
    /// [`FieldErrors`] names every field at fault.
    pub fn check(self) -> Result<EmergencyRoute, FieldErrors> {
        let mut errors = Vec::new();
        let mut fault = |field: String, message: String| errors.push(FieldError { field, message });
        if self.networks.is_empty() || self.networks.len() > MOST_NETWORKS {
            let found = self.networks.len();
            fault("networks".to_owned(), format!("holds {found} networks; write 1 to {MOST_NETWORKS}"));
        }
        let mut networks = Vec::with_capacity(self.networks.len());
        for (place, text) in self.networks.iter().enumerate() {
            match text.parse() {
                Ok(network) => networks.push(network),
                Err(error) => fault(format!("networks[{place}]"), format!("{error}")),
            }
        }
        if !is_sip_address(&self.to) {
            let shown: String = self.to.chars().take(60).filter(|c| !c.is_control()).collect();
            fault("to".to_owned(), format!("`{shown}` is no host name or IP address; write HOST or HOST:PORT"));
        }
        let to = self.to;
        if errors.is_empty() { Ok(EmergencyRoute { networks, to }) } else { Err(FieldErrors(errors)) }
    }
}

/// `HOST` or `HOST:PORT`, an IPv6 address in brackets: what may also stand in a URL, and nothing after it.
fn is_sip_address(text: &str) -> bool {
    let url = format!("https://{text}").parse::<PublicUrl>();
    !text.contains('/') && url.is_ok_and(|url| url.port() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(networks: &[&str], to: &str) -> Result<EmergencyRoute, FieldErrors> {
        let networks = networks.iter().map(|&text| text.to_owned()).collect();
        EmergencyRouteInput { networks, to: to.to_owned() }.check()
    }

    #[test]
    fn a_route_is_networks_and_a_host_with_or_without_port() {
        for to in ["pbx.example.com", "pbx.example.com:5070", "192.0.2.9", "192.0.2.9:5060", "[2001:db8::9]:5060"] {
            let route = checked(&["10.1.0.0/16", "2001:db8::/48"], to).unwrap();
            assert_eq!((route.networks.len(), route.to.as_str()), (2, to));
        }
    }

    #[test]
    fn whatever_could_turn_a_sip_address_into_another_is_refused() {
        for to in [
            "",
            "pbx@evil.example",
            "pbx;lr",
            "pbx?x=y",
            "pbx>\r\nX: y",
            "pbx:0",
            "pbx:99999",
            "pbx:",
            "2001:db8::9",
            "sip:pbx",
        ] {
            let errors = checked(&["10.1.0.0/16"], to).unwrap_err();
            assert_eq!(errors.0.len(), 1, "{to}");
            assert_eq!(errors.0[0].field, "to", "{to}");
        }
        let errors = checked(&["10.1.0.1/16", "everywhere"], "pbx").unwrap_err();
        assert_eq!(errors.0.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["networks[0]", "networks[1]"]);
        assert_eq!(checked(&[], "pbx").unwrap_err().0[0].field, "networks");
    }
}
