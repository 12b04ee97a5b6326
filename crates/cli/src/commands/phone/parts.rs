//! A virtual phone from what the command line says of it.
//!
//! Decides where certificate, authorities and image key come from when nobody names them: the lab of the data
//! folder.

use crate::args::{Around, Parts};
use crate::clock;
use crate::failure::Failure;
use crate::lab::Lab;
use crate::out::complain;
use crate::set_up::{self, Place};
use provost_core::mac::MacAddr;
use provost_phone::{DeviceCertificate, DhcpAnswer, Flash, Hardware, Memory, Network, Pem, PhoneSetup};
use std::net::Ipv4Addr;
use url::Url;

/// The option that names time servers (RFC 2132).
const TIME: u8 = 42;

/// The phone without an address of a server.
pub(super) fn setup(place: &Place<'_>, (model, mac): (&str, &str), parts: &Parts) -> Result<PhoneSetup, Failure> {
    let config = place.configuration()?;
    let mac: MacAddr = mac.parse().map_err(|error| Failure::Usage(format!("--mac: {error}")))?;
    let lab = Lab::of(&config.data_dir);
    let certificate = match (&parts.cert, &parts.key) {
        (Some(chain), Some(key)) => Some((chain.clone(), key.clone())),
        _ if lab.exists() => Some(lab.ensure_phone(mac)?),
        _ => None,
    };
    if certificate.is_none() {
        complain("warning: no --cert and no DATA/lab: this phone has no factory certificate");
    }
    let pem = Pem::File;
    let authorities = parts.ca.clone().or_else(|| Some(lab.server_root()).filter(|root| root.exists()));
    let image_key = parts.image_key.clone().or_else(|| Some(lab.image_key()).filter(|key| key.exists()));
    Ok(PhoneSetup {
        catalog: set_up::facts(&config)?,
        model: model.to_owned(),
        mac: mac.to_string().parse().map_err(Failure::runtime)?,
        firmware: parts.firmware.clone(),
        hardware: Hardware {
            part_number: parts.part.clone(),
            revision: parts.revision.clone(),
            updater: parts.updater.clone(),
        },
        image_key: image_key.map(pem),
        server_url: String::new(),
        network: None,
        certificate: certificate.map(|(chain, key)| DeviceCertificate { chain: pem(chain), key: pem(key) }),
        authorities: authorities.map(pem),
        sntp: parts.sntp.clone(),
        flash: parts.flash.clone().map_or_else(Flash::in_memory, Flash::Folder),
        clock: clock::system_time,
    })
}

/// The phone into which somebody typed this server at the very first: its Setup shows it and can change it. A memory that
/// is there already says itself where the phone goes.
pub(super) fn typed_in(setup: PhoneSetup, server: &str) -> Result<PhoneSetup, Failure> {
    let wrong =
        || Failure::Usage(format!("--server {server}: write https:// or http://, a host, and a port if it needs one"));
    let whole = if server.contains("://") { server.to_owned() } else { format!("https://{server}") };
    let url = Url::parse(&whole).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(wrong)?;
    let address = whole.split_once("://").map_or(whole.as_str(), |(_, address)| address).trim_end_matches('/');
    let typed = [("pin.server-type", url.scheme()), ("pin.server-name", address), ("pin.boot-server", "static")];
    let setup = PhoneSetup { server_url: whole.clone(), ..setup };
    let catalog = &setup.catalog;
    let stands_in = || catalog.model(&catalog.handset(&setup.model)?.boots_like.as_ref()?.value);
    let Some(model) = catalog.model(&setup.model).or_else(stands_in) else { return Ok(setup) };
    if setup.flash.load().map_err(|error| Failure::Usage(error.to_string()))?.is_some() {
        return Ok(setup);
    }
    let mut memory = Memory { mac: setup.mac.to_string(), model: setup.model.clone(), ..Memory::default() };
    for (word, value) in typed {
        let Some(setting) = catalog.setting(word, model, &model.firmware.reference.value) else { continue };
        memory.device.insert(setting.parameter(1, 1), setting.encode(value).map_err(Failure::runtime)?);
    }
    setup.flash.store(&memory).map_err(Failure::runtime)?;
    Ok(setup)
}

/// The phone plugged into a network that answers DHCP, with the time server as its option 42.
pub(super) fn in_network(setup: PhoneSetup, around: &Around) -> Result<PhoneSetup, Failure> {
    let mut network = Network::default();
    let mut answer = DhcpAnswer::default();
    if let Some(time) = setup.sntp.as_deref() {
        let (address, port) = time_of(time)?;
        answer = answer.with(TIME, address.octets());
        network.time_port = port;
    }
    for option in &around.options {
        let (code, value) = option_of(option)?;
        answer = answer.with(code, value);
    }
    network.dhcp = Some(answer);
    Ok(PhoneSetup { network: Some(network), ..setup })
}

/// Where the phone's network says that the time can be had.
pub(super) fn time_in(network: &Network) -> Option<Ipv4Addr> {
    let bytes: [u8; 4] = network.dhcp.as_ref()?.options.get(&TIME)?.first_chunk().copied()?;
    Some(bytes.into())
}

fn time_of(text: &str) -> Result<(Ipv4Addr, Option<u16>), Failure> {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let port = port.map(str::parse).transpose().ok();
    let found = host.parse().ok().zip(port);
    found.ok_or_else(|| {
        Failure::Usage(format!("--sntp {text}: option 42 holds an address; write it as IPv4, with or without a port"))
    })
}

/// `161=https://...`, or `42=192.0.2.1` for the options that hold addresses.
fn option_of(text: &str) -> Result<(u8, Vec<u8>), Failure> {
    let wrong = || Failure::Usage(format!("--option {text}: write NUMBER=VALUE, as 161=https://phones.example"));
    let (code, value) = text.split_once('=').ok_or_else(wrong)?;
    let code = code.trim().parse().ok().filter(|code| (1..=254).contains(code)).ok_or_else(wrong)?;
    let bytes = match (code, value.parse::<Ipv4Addr>()) {
        (1 | 3..=11 | 41 | 42 | 44, Ok(address)) => address.octets().to_vec(),
        _ => value.as_bytes().to_vec(),
    };
    Ok((code, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(flash: &Flash) -> PhoneSetup {
        PhoneSetup {
            catalog: std::sync::Arc::new(provost_catalog::Catalog::built_in().unwrap()),
            model: "vvx450".to_owned(),
            mac: "0004f2a00009".parse().unwrap(),
            firmware: None,
            hardware: Hardware::default(),
            image_key: None,
            server_url: String::new(),
            network: None,
            certificate: None,
            authorities: None,
            sntp: None,
            flash: flash.clone(),
            clock: clock::system_time,
        }
    }

    #[test]
    fn a_server_is_typed_into_a_new_phone_and_changes_nothing_in_one_that_remembers() {
        let flash = Flash::in_memory();

        let typed = typed_in(setup(&flash), "https://phones.example:8443/").unwrap();

        let device = flash.load().unwrap().unwrap().device;
        assert_eq!(device["device.prov.serverName"], "phones.example:8443");
        assert_eq!(device["device.dhcp.bootSrvUseOpt"], "Static");
        assert_eq!(typed.server_url, "https://phones.example:8443/");
        typed_in(setup(&flash), "other.example").unwrap();
        assert_eq!(flash.load().unwrap().unwrap().device, device);
        for wrong in ["ftp://x", "https://", "", "not an address"] {
            assert!(typed_in(setup(&Flash::in_memory()), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_server_is_an_address_with_or_without_a_port() {
        assert_eq!(time_of("192.0.2.1").unwrap(), (Ipv4Addr::new(192, 0, 2, 1), None));
        assert_eq!(time_of("127.0.0.1:1123").unwrap(), (Ipv4Addr::LOCALHOST, Some(1123)));
        assert!(time_of("time.example").is_err() && time_of("127.0.0.1:x").is_err());
    }

    #[test]
    fn an_option_is_a_text_or_an_address() {
        assert_eq!(option_of("161=https://a.example/?x=1").unwrap(), (161, b"https://a.example/?x=1".to_vec()));
        assert_eq!(option_of("42=192.0.2.1").unwrap(), (42, vec![192, 0, 2, 1]));
        assert_eq!(option_of("66=192.0.2.1").unwrap(), (66, b"192.0.2.1".to_vec()));
        for wrong in ["161", "=x", "0=x", "255=x", "x=y", "300=x"] {
            assert!(option_of(wrong).is_err(), "{wrong}");
        }
    }
}
