//! Who tells a phone the time, and how far from Greenwich it is.
//!
//! Decides between DHCP and the phone's own parameters. Never asks anybody.
//! Rules: domain notes 3.5 and 5 (option 42, then 4; the parameters that override DHCP); RFC 2132, 3.4.

use crate::facts::NetworkFacts;
use crate::network::Network;
use crate::settings::Values;

/// Time servers (RFC 2132, 8.3), and before them those of RFC 868 (3.6).
const TIME_OPTIONS: [u8; 2] = [42, 4];
/// Seconds from Greenwich (RFC 2132, 3.4).
const OFFSET_OPTION: u8 = 2;

/// The time server (`HOST` or `HOST:PORT`); nothing where nobody names one.
pub(crate) fn time_server(values: &Values, facts: &NetworkFacts, here: &Network) -> Option<String> {
    let words = &facts.time;
    let own = held(values, words.address.as_ref()).map(str::to_owned);
    let device = held(values, words.device_address.as_ref()).map(str::to_owned);
    let options = here.dhcp.iter().flat_map(|answer| TIME_OPTIONS.map(|code| answer.addresses(code)));
    let leased = options.flatten().next().map(|address| address.to_string());
    let named = match on(values, words.address_first.as_ref()) {
        true => own.or(leased),
        false => leased.or(own),
    };
    let named = named.or(device)?;
    Some(match here.time_port {
        Some(port) if !named.contains(':') => format!("{named}:{port}"),
        _ => named,
    })
}

/// Seconds east of Greenwich, without any summer time.
pub(crate) fn gmt_offset(values: &Values, facts: &NetworkFacts, here: &Network) -> i64 {
    let words = &facts.time;
    let number = |name: Option<&String>| held(values, name).and_then(|text| text.parse::<i64>().ok());
    let leased = here.dhcp.as_ref().and_then(|answer| answer.seconds(OFFSET_OPTION)).map(i64::from);
    let own = number(words.offset.as_ref());
    let named = match on(values, words.offset_first.as_ref()) {
        true => own.or(leased),
        false => leased.or(own),
    };
    named.or_else(|| number(words.device_offset.as_ref())).unwrap_or_default()
}

fn held<'a>(values: &'a Values, name: Option<&String>) -> Option<&'a str> {
    name.and_then(|name| values.get(name)).map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn on(values: &Values, name: Option<&String>) -> bool {
    held(values, name) == Some("1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::network_facts;
    use crate::network::DhcpAnswer;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn network(answer: DhcpAnswer) -> Network {
        Network { dhcp: Some(answer), ..Network::default() }
    }

    #[test]
    fn option_42_comes_before_4_and_both_before_what_the_phone_was_told() {
        let facts = network_facts();
        let told = values(&[("tcpIpApp.sntp.address", "own.example"), ("device.sntp.serverName", "early.example")]);
        let both = DhcpAnswer::default().with(42, [192, 0, 2, 42, 192, 0, 2, 43]).with(4, [192, 0, 2, 4]);
        let old = DhcpAnswer::default().with(4, [192, 0, 2, 4]);

        let asked = |values: &Values, here: &Network| time_server(values, facts, here);

        assert_eq!(asked(&told, &network(both.clone())).as_deref(), Some("192.0.2.42"));
        assert_eq!(asked(&told, &network(old)).as_deref(), Some("192.0.2.4"));
        assert_eq!(asked(&told, &Network::default()).as_deref(), Some("own.example"));
        assert_eq!(asked(&values(&[]), &Network::default()), None);
        let early = values(&[("device.sntp.serverName", "early.example")]);
        assert_eq!(asked(&early, &Network::default()).as_deref(), Some("early.example"));
        let first = values(&[("tcpIpApp.sntp.address", "own.example"), ("tcpIpApp.sntp.address.overrideDHCP", "1")]);
        assert_eq!(asked(&first, &network(both)).as_deref(), Some("own.example"));
    }

    #[test]
    fn a_lab_may_say_where_its_time_servers_listen() {
        let here = Network { time_port: Some(10_123), ..network(DhcpAnswer::default().with(42, [127, 0, 0, 1])) };

        assert_eq!(time_server(&values(&[]), network_facts(), &here).as_deref(), Some("127.0.0.1:10123"));
        let own = values(&[("tcpIpApp.sntp.address", "h:1"), ("tcpIpApp.sntp.address.overrideDHCP", "1")]);
        assert_eq!(time_server(&own, network_facts(), &here).as_deref(), Some("h:1"));
    }

    #[test]
    fn the_offset_follows_the_same_rules() {
        let facts = network_facts();
        let here = network(DhcpAnswer::default().with(2, (-3600_i32).to_be_bytes()));
        let own = [("tcpIpApp.sntp.gmtOffset", "7200")];
        let first = [own[0], ("tcpIpApp.sntp.gmtOffset.overrideDHCP", "1")];

        assert_eq!(gmt_offset(&values(&own), facts, &here), -3600);
        assert_eq!(gmt_offset(&values(&first), facts, &here), 7200);
        assert_eq!(gmt_offset(&values(&own), facts, &Network::default()), 7200);
        assert_eq!(gmt_offset(&values(&[("device.sntp.gmtOffset", "60")]), facts, &Network::default()), 60);
        assert_eq!(gmt_offset(&values(&[]), facts, &Network::default()), 0);
    }
}
