//! `provost phone`: the virtual phone.

mod boot;
mod image;
mod parts;
mod run;
mod script;
mod tell;
mod terminal;
mod web;

use crate::args::{Phone, PhoneAction};
use crate::failure::Failure;
use crate::set_up::Place;

pub(crate) async fn run(place: &Place<'_>, phone: &Phone) -> Result<(), Failure> {
    match &phone.action {
        PhoneAction::Run(run) => run::run(place, run).await,
        PhoneAction::Script(scripts) => script::run(place, scripts).await,
        PhoneAction::Boot(boot) => boot::run(place, boot).await,
        PhoneAction::Image(image) => image::make_image(place, image),
    }
}
