//! `provost phone run`: a phone with display and keys.
//!
//! Decides which faces there are: the terminal unless it is none, a browser's page and the phone's own web pages
//! when asked for. Ends with the terminal, or with the first signal to stop.

use super::parts;
use super::tell::tell;
use super::terminal::{self, Name};
use super::web;
use crate::args::RunPhone;
use crate::failure::Failure;
use crate::out::{complain, say};
use crate::set_up::Place;
use provost_phone::face_web::{Reach, WebFace};
use provost_phone::{Handset, Pace};
use std::io::IsTerminal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;

pub(super) async fn run(place: &Place<'_>, run: &RunPhone) -> Result<(), Failure> {
    let setup = parts::setup(place, (&run.model, &run.mac), &run.parts)?;
    let setup = match &run.server {
        Some(server) => parts::typed_in(setup, server)?,
        None => parts::in_network(setup, &run.around)?,
    };
    if run.server.is_none() && run.around.options.is_empty() {
        complain("warning: no --server and no --option: nobody tells this phone where to ask");
    }
    let name = Name { model: setup.model.clone(), mac: setup.mac.to_string() };
    let handset =
        Handset::new(setup.clone(), Pace(run.around.pace)).map_err(|error| Failure::Usage(error.to_string()))?;
    let mut notes = Vec::new();
    if let Some(address) = run.face {
        let reach = if run.face_for_anyone { Reach::Anyone } else { Reach::Loopback };
        let face = WebFace::listen(address, reach).await.map_err(|error| Failure::Usage(error.to_string()))?;
        notes.push(format!("the phone in a browser: http://{}/", face.address()));
        let handset = handset.clone();
        tokio::spawn(async move {
            if let Err(error) = face.serve(handset).await {
                complain(format!("the phone's page ended: {error}"));
            }
        });
    }
    let pages = match run.web {
        Some(address) => Some(web::serve(&handset, &setup, address).await?),
        None => None,
    };
    notes.extend(pages.as_ref().map(|pages| format!("the phone's own web pages: https://{}/", pages.https())));
    let outcome = if run.no_terminal || !std::io::stdout().is_terminal() {
        without_terminal(&handset, &notes).await
    } else {
        terminal::run(&handset, name, notes).await
    };
    // They were served as long as they were held.
    drop(pages);
    outcome
}

/// Says what the phone does until it is told to stop.
async fn without_terminal(handset: &Handset, notes: &[String]) -> Result<(), Failure> {
    let mut events = handset.events();
    let mut stop = signal(SignalKind::terminate()).map_err(Failure::runtime)?;
    notes.iter().for_each(say);
    handset.plug_in().await;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => tell(&event, false),
                Err(RecvError::Lagged(missed)) => complain(format!("{missed} events were not said")),
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = stop.recv() => return Ok(()),
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}
