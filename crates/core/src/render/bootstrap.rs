//! The values of the bootstrap.

use super::configuration::{add_constants, set_ice};
use super::{Effective, FIRST, Layer, RenderError, Target, Values};
use crate::facts::SipServer;
use crate::mac::MacAddr;
use crate::public_url::PublicUrl;
use crate::secret::Secret;
use provost_catalog::{ActivationDoor, Stage};

/// What *Activate* dials: the user part of the voice's address.
pub const ACTIVATE_USER: &str = "activate";

/// How long a registration lasts, in seconds: long enough that ten thousand phones are no load, short enough that a
/// phone whose address changed can be told to restart soon.
const EXPIRES_S: &str = "300";

/// Seconds between the packets that keep a router's translation open, so that a NOTIFY comes through.
const KEEP_ALIVE_S: &str = "30";

/// Under which name an unclaimed phone registers, and where.
#[derive(Debug, Clone, Copy)]
pub struct ActivationLine<'a> {
    /// Where calls are answered.
    pub server: &'a SipServer,
    /// The phone's own name there.
    pub user: &'a str,
    /// Its password.
    pub password: &'a Secret,
}

/// What a bootstrap is made from.
#[derive(Debug, Clone, Copy)]
pub struct Unclaimed<'a> {
    /// The phone.
    pub mac: MacAddr,
    /// Where phones ask.
    pub public_url: &'a PublicUrl,
    /// Where they get the time.
    pub time_server: &'a str,
    /// The line that a voice answers; `None` where this server answers no calls.
    pub activation: Option<ActivationLine<'a>>,
    /// Whether its firmware is too old for its model, and no step leads further: then its key says so.
    pub is_stuck: bool,
}

/// What an unclaimed phone gets: an Activate key, the time, polling. No `device.*` value at all, so
/// that a stray phone is never re-homed, locked or restarted (docs/THREATS.md, rule 20).
///
/// # Errors
/// [`RenderError`] when the catalog cannot name a parameter.
pub fn bootstrap(target: Target<'_>, phone: Unclaimed<'_>) -> Result<Vec<Effective>, RenderError> {
    let mut values = Values::new(target);
    add_constants(&mut values, Stage::Bootstrap);
    values.set(Layer::Platform, "sntp.address", phone.time_server)?;
    values.set(Layer::Platform, "line.label", if phone.is_stuck { "Old firmware" } else { "Activate" })?;
    values.set(Layer::Platform, "call.on-not-registered", "true")?;
    match phone.activation {
        Some(line) => {
            set_activation_line(&mut values, line)?;
            set_doors(&mut values)?;
        }
        None => {
            values.set(Layer::Platform, "line.address", &phone.mac.to_string())?;
            values.set(Layer::Platform, "line.server-address", phone.public_url.host())?;
            values.set(Layer::Platform, "line.server-register", "false")?;
        }
    }
    set_ice(&mut values)?;
    Ok(values.list)
}

/// A registered line: a call under its name proves which phone calls, and a claimed phone can be told to restart.
fn set_activation_line(values: &mut Values<'_>, line: ActivationLine<'_>) -> Result<(), RenderError> {
    values.set(Layer::Device, "line.address", line.user)?;
    values.set(Layer::Device, "line.auth-user", line.user)?;
    values.set_secret(Layer::Device, ("line.auth-password", FIRST), line.password.reveal())?;
    values.set(Layer::Platform, "line.server-address", &line.server.host)?;
    values.set(Layer::Platform, "line.server-port", &line.server.port.to_string())?;
    values.set(Layer::Platform, "line.server-transport", line.server.transport.as_str())?;
    values.set(Layer::Platform, "line.server-register", "true")?;
    values.set(Layer::Platform, "line.server-expires", EXPIRES_S)?;
    values.set(Layer::Platform, "nat.keepalive", KEEP_ALIVE_S)?;
    // Claimed, it finds its configuration changed, and that restarts it once for the device values. Told to restart in
    // any case it would do so twice.
    values.set(Layer::Platform, "check-sync.always-restart", "false")
}

/// What a person does to be asked for the code.
fn set_doors(values: &mut Values<'_>) -> Result<(), RenderError> {
    values.set(Layer::Platform, "activate.off-hook", "true")?;
    values.set(Layer::Platform, "activate.off-hook-contact", ACTIVATE_USER)?;
    let family = values.target.catalog.family(&values.target.model.family);
    if !family.is_some_and(|family| family.activation_doors.value.contains(&ActivationDoor::SoftKey)) {
        return Ok(());
    }
    for (id, value) in [
        ("soft-key.functions", "true"),
        ("soft-key.enabled", "true"),
        ("soft-key.label", "Enter code"),
        ("soft-key.when-idle", "true"),
        ("soft-key.before-others", "true"),
        ("soft-key.ask-and-dial", "code"),
        ("prompt.version", "2"),
        ("prompt.enabled", "true"),
        ("prompt.label", "Activation code"),
        ("prompt.type", "digits"),
        ("prompt.shown", "plainly"),
    ] {
        values.set(Layer::Model, id, value)?;
    }
    Ok(())
}
