//! The virtual phone by its keys and its display alone.

mod lines;
mod models;
mod networks;
mod orders;
mod power;
mod reset_keys;
mod resets;
mod settings;
mod upgrades;

use std::time::Duration;

use provost_phone::{Face, Flash, Handset, Key, Memory, Pace, PhoneSetup};
use tokio::time::timeout;

use crate::server::BootServer;
use crate::support::{master, setup};

/// Quick enough for tests, slow enough for a machine that is busy.
const PACE: Pace = Pace(10);
const PATIENCE: Duration = Duration::from_secs(60);

/// A phone and its flash.
pub(crate) struct Held {
    pub(crate) phone: Handset,
    flash: Flash,
}

impl Held {
    pub(crate) fn new(setup: PhoneSetup) -> Self {
        Self::at_pace(setup, PACE)
    }

    pub(crate) fn at_pace(setup: PhoneSetup, pace: Pace) -> Self {
        let flash = setup.flash.clone();
        Self { phone: Handset::new(setup, pace).unwrap(), flash }
    }

    /// A phone of this model whose server has an empty configuration for it.
    pub(crate) async fn at_server(model: &str) -> (Self, BootServer) {
        let server = BootServer::start().await;
        server.file("/000000000000.cfg", &master("all.cfg")).file("/all.cfg", "<PHONE_CONFIG/>");
        (Self::new(setup(model, &server)), server)
    }

    pub(crate) fn memory(&self) -> Memory {
        self.flash.load().unwrap().unwrap_or_default()
    }

    pub(crate) fn face(&self) -> Face {
        self.phone.face().borrow().clone()
    }

    /// Waits until the face is so, and returns it.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut(&Face) -> bool) -> Face {
        let mut face = self.phone.face();
        match timeout(PATIENCE, face.wait_for(|face| is_so(face))).await {
            Ok(found) => found.unwrap().clone(),
            Err(_) => panic!("never came to {what}; the phone shows\n{}", self.face().text()),
        }
    }

    /// Waits until these words stand somewhere on the phone.
    pub(crate) async fn until_shown(&self, words: &str) -> Face {
        self.until(words, |face| face.text().contains(words)).await
    }

    pub(crate) async fn ready(&self) -> Face {
        self.until("a ready phone", |face| face.soft_key("New Call").is_some()).await
    }

    /// Gives power and waits until the phone is ready, without its count-down.
    pub(crate) async fn boot(&self) {
        self.stop().await;
        self.soft("Start").await;
        self.phone.stand_still(false).await;
        self.ready().await;
    }

    /// Presses the soft key with this word.
    pub(crate) async fn soft(&self, word: &str) {
        let face = self.face();
        let key = face.soft_key(word).unwrap_or_else(|| panic!("no soft key {word} on\n{}", face.text()));
        self.phone.press(Key::Soft(key)).await;
    }

    /// Moves to the row with this text and presses Select.
    pub(crate) async fn select(&self, row: &str) {
        self.go_to(row).await;
        self.phone.press(Key::Select).await;
    }

    /// Moves to the row with this text.
    pub(crate) async fn go_to(&self, row: &str) {
        for _ in 0..30 {
            let face = self.face();
            if face.rows.iter().any(|shown| shown.selected && shown.text == row) {
                return;
            }
            self.phone.press(Key::Down).await;
        }
        panic!("no row {row} on\n{}", self.face().text());
    }

    pub(crate) async fn type_text(&self, text: &str) {
        self.phone.type_text(text).await.unwrap_or_else(|error| panic!("{error}\n{}", self.face().text()));
    }

    /// Gives power and stops the phone; its count-down stands still until the test says otherwise.
    pub(crate) async fn stop(&self) {
        self.phone.stand_still(true).await;
        self.phone.plug_in().await;
        self.soft("Cancel").await;
    }

    /// Waits until the phone can be stopped again; its count-down stands still already.
    pub(crate) async fn restarted(&self) -> Face {
        self.until("a restart", |face| face.soft_key("Setup").is_some()).await
    }

    /// Opens the setup while the phone starts.
    pub(crate) async fn open_setup(&self) {
        self.stop().await;
        self.soft("Setup").await;
        self.phone.stand_still(false).await;
        self.type_text("456").await;
        self.soft("OK").await;
        assert_eq!(self.face().title, "Setup", "{}", self.face().text());
    }

    /// Opens a menu behind the administrator password of a ready phone.
    pub(crate) async fn open_administration(&self, password: &str) {
        self.phone.press(Key::Home).await;
        self.select("Settings").await;
        self.select("Advanced").await;
        self.type_text(password).await;
        self.soft("Enter").await;
        self.select("Administration Settings").await;
    }
}
