//! Asterisk's manager interface as messages: what is written, and what an event says of a registration or a channel.
//!
//! Source: Asterisk 20 documentation, AMI actions Challenge, Login, PJSIPShowRegistrationInboundContactStatuses (since
//! 13.14), SIPpeers, CoreShowChannels, PJSIPNotify, SIPnotify, and the events they answer with. Names of devices
//! (`PJSIP/1001-0000002a`): the same, "Channel names".

use super::lines::Fields;
use md5::{Digest as _, Md5};
use provost_core::pbx::{Registration, Way, is_plain, line_of};
use provost_core::time::UnixMillis;

/// An action as it is written; `None` where a value would end its line.
pub(super) fn action(name: &str, id: u32, fields: &[(&str, &str)]) -> Option<String> {
    let mut text = format!("Action: {name}\r\nActionID: {id}\r\n");
    for (field, value) in fields {
        if value.chars().any(char::is_control) {
            return None;
        }
        text.push_str(&format!("{field}: {value}\r\n"));
    }
    text.push_str("\r\n");
    Some(text)
}

/// The key that answers a challenge.
pub(super) fn key(challenge: &str, secret: &str) -> String {
    hex::encode(Md5::new().chain_update(challenge).chain_update(secret).finalize())
}

/// What stands after the colon in the first line, such as `Asterisk Call Manager/5.0.2`.
pub(super) fn greeting(line: &str) -> Option<&str> {
    line.starts_with("Asterisk Call Manager").then_some(line)
}

/// The registration in an event `ContactStatusDetail`.
pub(super) fn pjsip_contact(event: &Fields) -> Option<Registration> {
    let aor = event.value("AOR").filter(|aor| is_plain(aor))?;
    let until = event.value("RegExpire").and_then(|text| text.parse::<i64>().ok()).filter(|seconds| *seconds > 0);
    Some(Registration {
        line: line_of(aor).to_owned(),
        contact: event.value("URI").unwrap_or_default().to_owned(),
        agent: event.value("UserAgent").map(ToOwned::to_owned),
        instance: None,
        until: until.map(|seconds| UnixMillis(seconds.saturating_mul(1000))),
        way: Way {
            // NOTIFY goes to an endpoint; most are called as their address of record is.
            address_of_record: event.value("EndpointName").unwrap_or(aor).to_owned(),
            ..Way::default()
        },
    })
}

/// The registration in an event `PeerEntry` of the older driver, if the peer registers and is there.
pub(super) fn sip_peer(event: &Fields) -> Option<Registration> {
    let name = event.value("ObjectName").filter(|name| is_plain(name))?;
    let address = event.value("IPaddress").filter(|address| *address != "-none-")?;
    if !event.value("Dynamic").is_some_and(|word| word.eq_ignore_ascii_case("yes")) {
        return None;
    }
    let port = event.value("IPport").map_or(String::new(), |port| format!(":{port}"));
    Some(Registration {
        line: line_of(name).to_owned(),
        contact: format!("sip:{name}@{address}{port}"),
        way: Way { address_of_record: name.to_owned(), is_chan_sip: true, ..Way::default() },
        ..Registration::default()
    })
}

/// Whose a channel is: of `PJSIP/1001-0000002a` it is `1001`.
pub(super) fn channel_of(event: &Fields) -> Option<&str> {
    let name = event.value("Channel")?;
    let (driver, device) = name.split_once('/')?;
    let is_sip = driver.eq_ignore_ascii_case("PJSIP") || driver.eq_ignore_ascii_case("SIP");
    is_sip.then(|| device.rsplit_once('-').map_or(device, |(device, _)| device))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_as_asterisk_reckons() {
        // printf '840415273mysecret' | md5sum
        assert_eq!(key("840415273", "mysecret"), "72ee2809cbf69e9bdb27bdd924cda8e3");
        assert_eq!(key("", ""), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn an_action_whose_value_holds_another_line_is_not_written() {
        assert_eq!(action("Ping", 7, &[]).unwrap(), "Action: Ping\r\nActionID: 7\r\n\r\n");
        assert_eq!(action("PJSIPNotify", 1, &[("Endpoint", "1001\r\nAction: Command")]), None);
    }

    #[test]
    fn a_contact_says_line_agent_and_end() {
        let event = Fields::read(
            "Event: ContactStatusDetail\r\nAOR: 1001\r\nURI: sip:1001@192.0.2.7:5060\r\nStatus: NonQualified\r\n\
             EndpointName: ada\r\nUserAgent: PolycomVVX-VVX_500-UA/5.9.7.4477_0004f2a00050\r\nRegExpire: 1795321847\r\n",
        );

        let found = pjsip_contact(&event).unwrap();

        assert_eq!((found.line.as_str(), found.contact.as_str()), ("1001", "sip:1001@192.0.2.7:5060"));
        assert_eq!(found.until, Some(UnixMillis(1_795_321_847_000)));
        assert_eq!((found.way.address_of_record.as_str(), found.mac().is_some()), ("ada", true));
    }

    #[test]
    fn a_peer_of_the_older_driver_is_registered_when_it_has_an_address_of_its_own() {
        let peer = |address: &str, dynamic: &str| {
            let text = format!("ObjectName: 1001\nIPaddress: {address}\nIPport: 5060\nDynamic: {dynamic}\n");
            sip_peer(&Fields::read(&text))
        };

        assert_eq!(peer("192.0.2.7", "yes").unwrap().contact, "sip:1001@192.0.2.7:5060");
        assert_eq!(peer("-none-", "yes"), None);
        assert_eq!(peer("192.0.2.7", "no"), None);
    }

    #[test]
    fn a_channel_is_its_devices() {
        let of = |name: &str| channel_of(&Fields::read(&format!("Channel: {name}\n"))).map(ToOwned::to_owned);

        assert_eq!(of("PJSIP/1001-0000002a").as_deref(), Some("1001"));
        assert_eq!(of("SIP/front-desk-00000001").as_deref(), Some("front-desk"));
        assert_eq!(of("Local/1001@default-1;1"), None);
    }
}
