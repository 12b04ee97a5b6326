//! The values of the full configuration.

use super::clock::set_zone;
use super::layered::add_layers;
use super::{Effective, FIRST, Layer, LeftOut, Place, RenderError, Target, Values};
use crate::facts::{BoundDevice, Line, Pin, SipServer, SiteFacts, UserFacts};
use crate::time::UnixMillis;
use provost_catalog::{Scope, Stage};

/// What a claimed phone gets, and what it does not although somebody entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The values.
    pub values: Vec<Effective>,
    /// Entries of layers that are not told.
    pub left_out: Vec<LeftOut>,
}

/// What a claimed phone gets.
///
/// # Errors
/// As [`explained`].
pub fn configuration(
    target: Target<'_>,
    bound: &BoundDevice,
    time_server: &str,
    now: UnixMillis,
) -> Result<Vec<Effective>, RenderError> {
    explained(target, bound, time_server, now).map(|explained| explained.values)
}

/// What a claimed phone gets: Provost's own values, then those of the layers, those that win last. An entry of a layer
/// never keeps a phone from its configuration: what it cannot be told is left out, and said.
///
/// The values depend on `now` only through the daylight rule that is in force, so they do not flap.
///
/// # Errors
/// [`RenderError`] when the catalog cannot name a parameter or a value does not fit.
pub fn explained(
    target: Target<'_>,
    bound: &BoundDevice,
    time_server: &str,
    now: UnixMillis,
) -> Result<Explained, RenderError> {
    let mut values = Values::new(target);
    add_constants(&mut values, Stage::Configuration);
    values.set(Layer::Platform, "sntp.address", time_server)?;
    values.set(Layer::Platform, "sntp.override-dhcp", "true")?;
    values.set(Layer::Platform, "device.sntp-server", time_server)?;
    // What the switch announces wins on the phone; a site's VLAN is for switches that announce nothing.
    values.set(Layer::Platform, "network.lldp", "true")?;
    if let Some(site) = &bound.site {
        set_zone(&mut values, &site.time_zone, now)?;
        set_country(&mut values, site)?;
        if let Some(vlan) = site.vlan {
            values.set(Layer::Site, "network.vlan-id", &vlan.to_string())?;
        }
    }
    if let (Some(user), Some(site)) = (&bound.user, &bound.site)
        && !site.sip_servers.is_empty()
    {
        for (line, number) in user.lines.iter().zip(1u32..) {
            set_line(&mut values, number, line, user)?;
            set_servers(&mut values, number, &site.sip_servers)?;
            set_voicemail(&mut values, number, line, site)?;
        }
    }
    if let Some(passwords) = &bound.passwords {
        values.set_secret(Layer::Device, ("password.admin", FIRST), passwords.admin.reveal())?;
        values.set_secret(Layer::Device, ("password.user", FIRST), passwords.user.reveal())?;
    }
    set_pin(&mut values, &bound.pin)?;
    add_layers(&mut values, bound);
    say_old_firmware(&mut values);
    // Last, so that nothing that was entered opens the hole again (docs/THREATS.md, rule 22).
    set_ice(&mut values)?;
    Ok(Explained { values: values.list, left_out: values.left_out })
}

pub(super) fn add_constants(values: &mut Values<'_>, stage: Stage) {
    let Target { catalog, model, firmware } = values.target;
    for constant in catalog.constants(stage, model, firmware) {
        let layer = match constant.scope {
            Scope::Platform => Layer::Platform,
            Scope::Family(_) | Scope::Model(_) => Layer::Model,
        };
        values.push(Effective::of(constant.parameter.clone(), constant.value.clone(), layer, constant.enable));
    }
}

/// Digit map and call-progress tones; a country the catalog does not know leaves the maker's.
fn set_country(values: &mut Values<'_>, site: &SiteFacts) -> Result<(), RenderError> {
    let Some(country) = site.country.as_deref().and_then(|code| values.target.catalog.country(code)) else {
        return Ok(());
    };
    values.set(Layer::Site, "dial.digit-map", &country.digit_map.value)?;
    for tone in &country.tones {
        values.push(Effective::of(tone.parameter.clone(), tone.value.clone(), Layer::Site, false));
    }
    Ok(())
}

fn set_line(values: &mut Values<'_>, number: u32, line: &Line, user: &UserFacts) -> Result<(), RenderError> {
    let at = Place { line: number, server: 1 };
    values.set_at(Layer::Device, ("line.address", at), &line.user)?;
    values.set_at(Layer::Device, ("line.label", at), if number == 1 { &user.extension } else { &line.user })?;
    values.set_at(Layer::Device, ("line.display-name", at), &user.name)?;
    values.set_at(Layer::Device, ("line.type", at), "private")?;
    values.set_at(Layer::Device, ("line.auth-user", at), line.auth_user.as_deref().unwrap_or(&line.user))?;
    if let Some(password) = &line.password {
        values.set_secret(Layer::Device, ("line.auth-password", at), password.reveal())?;
    }
    Ok(())
}

fn set_servers(values: &mut Values<'_>, line: u32, servers: &[SipServer]) -> Result<(), RenderError> {
    for (server, number) in servers.iter().zip(1u32..) {
        let at = Place { line, server: number };
        values.set_at(Layer::Site, ("line.server-address", at), &server.host)?;
        values.set_at(Layer::Site, ("line.server-port", at), &server.port.to_string())?;
        values.set_at(Layer::Site, ("line.server-transport", at), server.transport.as_str())?;
        values.set_at(Layer::Site, ("line.server-register", at), "true")?;
    }
    Ok(())
}

fn set_voicemail(values: &mut Values<'_>, number: u32, line: &Line, site: &SiteFacts) -> Result<(), RenderError> {
    let at = Place { line: number, server: 1 };
    values.set_at(Layer::Device, ("mwi.subscribe", at), &line.user)?;
    match &site.voicemail {
        Some(voicemail) => {
            values.set_at(Layer::Site, ("mwi.callback-mode", at), "contact")?;
            values.set_at(Layer::Site, ("mwi.callback", at), voicemail)
        }
        None => values.set_at(Layer::Platform, ("mwi.callback-mode", at), "registration"),
    }
}

/// ICE is off where it makes a known hole of the phone's version reachable from outside.
pub(super) fn set_ice(values: &mut Values<'_>) -> Result<(), RenderError> {
    let Target { catalog, model, firmware } = values.target;
    let secure = catalog.hardware(&model.id).and_then(|hardware| hardware.secure_from.as_ref());
    if secure.is_none_or(|secure| *firmware >= secure.value) {
        return Ok(());
    }
    values.set(Layer::Model, "ice.mode", "off")?;
    if let Some(last) = values.list.last_mut() {
        last.is_owned = true;
    }
    Ok(())
}

/// A phone below the floor of its model says so beside its first line, whatever else stands there.
fn say_old_firmware(values: &mut Values<'_>) {
    let Target { catalog, model, firmware } = values.target;
    let floor = catalog.hardware(&model.id).and_then(|hardware| hardware.floor.as_ref());
    if floor.is_none_or(|floor| *firmware >= floor.value) {
        return;
    }
    let label =
        catalog.setting("line.label", model, firmware).map(|setting| setting.parameter(FIRST.line, FIRST.server));
    if let Some(value) = values.list.iter_mut().find(|value| Some(&value.parameter) == label.as_ref()) {
        value.value.push_str(" Old firmware");
    }
}

/// Server address, boot server and zero-touch service; nothing of it for a phone left alone.
fn set_pin(values: &mut Values<'_>, pin: &Pin) -> Result<(), RenderError> {
    let Pin::Pinned { authority } = pin else { return Ok(()) };
    values.set(Layer::Platform, "pin.server-type", "https")?;
    values.set(Layer::Platform, "pin.server-name", authority)?;
    values.set(Layer::Platform, "pin.boot-server", "static")?;
    values.set(Layer::Platform, "pin.ztp", "false")
}
