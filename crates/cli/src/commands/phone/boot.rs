//! One boot of a virtual phone, with every request.

use crate::args::Boot;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::Place;
use provost_phone::{Event, Outcome, Phone};

use super::parts;
use super::tell::tell;

pub(super) async fn run(place: &Place<'_>, boot: &Boot) -> Result<(), Failure> {
    let setup = parts::setup(place, (&boot.model, &boot.mac), &boot.parts)?;
    let mut phone = Phone::new(provost_phone::PhoneSetup { server_url: boot.server.clone(), ..setup })
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let json = boot.json;
    let report = phone.boot(&mut |event: Event| tell(&event, json)).await.map_err(Failure::runtime)?;
    if !json && report.outcome == Outcome::Configured {
        say(format!("configured after {} restart(s)", report.restarts));
        for key in phone.screen().line_keys {
            say(format!("  line key {}: {}", key.line, key.label));
        }
    }
    match report.outcome {
        Outcome::Configured => Ok(()),
        other => Err(Failure::Runtime(other.to_string())),
    }
}
