//! The hands of a script: every statement about keys, as presses of real keys.
//!
//! Decides which keys are pressed to come to a row, a label or a text. Reads only the display for that, as a
//! person does.

use tokio::time::Instant;

use super::Runner;
use crate::handset::{Face, Key};
use crate::script::watch::{listed, row_named, same, selected, shows};

/// The most presses of one key in search of a text or a row.
const PRESSES: u32 = 80;
/// The most pages of soft keys or line keys.
const PAGES: u32 = 8;
/// The most signs a field of a phone holds.
const LONGEST_TEXT: u32 = 300;
/// The soft key that shows more of them.
const MORE: &str = "More";

impl Runner<'_> {
    pub(super) async fn press(&mut self, keys: &[Key]) -> Result<(), String> {
        for key in keys {
            self.bench.handset.press(*key).await;
        }
        Ok(())
    }

    /// Presses the soft key with one of these words, as soon as it appears.
    pub(super) async fn press_soft(&mut self, labels: &[String]) -> Result<(), String> {
        let deadline = self.deadline(None);
        let here = |face: &Face| labels.iter().find_map(|label| face.soft_key(label));
        let more = |face: &Face| face.soft_key(MORE);
        if here(&self.watch.face()).is_none() {
            // It comes only if time passes.
            self.stand_still(false).await;
        }
        self.watch.face_until(deadline, |face| here(face).or(more(face)).is_some()).await;
        for _ in 0..PAGES {
            let face = self.watch.face();
            if let Some(key) = here(&face) {
                return self.press(&[Key::Soft(key)]).await;
            }
            let Some(key) = more(&face) else { break };
            self.press(&[Key::Soft(key)]).await?;
        }
        Err(format!("the soft keys are {}", listed(self.watch.face().soft_keys.iter().map(String::as_str))))
    }

    /// Presses the line key with one of these words, as soon as it appears.
    pub(super) async fn press_line(&mut self, labels: &[String]) -> Result<(), String> {
        let deadline = self.deadline(None);
        let here = |face: &Face| {
            let named = |label: &str| labels.iter().any(|wanted| same(label, wanted));
            face.line_keys.iter().find(|key| named(&key.label)).map(|key| key.key)
        };
        if !self.watch.face_until(deadline, |face| here(face).is_some()).await {
            let face = self.watch.face();
            return Err(format!("the line keys are {}", listed(face.line_keys.iter().map(|key| key.label.as_str()))));
        }
        match here(&self.watch.face()) {
            Some(key) => self.press(&[Key::Line(key)]).await,
            None => Err("the line key went away".to_owned()),
        }
    }

    /// Presses one key until the display shows one of these texts.
    pub(super) async fn press_until(&mut self, key: Key, texts: &[String]) -> Result<(), String> {
        for _ in 0..PRESSES {
            let face = self.watch.face();
            if texts.iter().any(|text| shows(&face, text)) {
                return Ok(());
            }
            self.press(&[key]).await?;
        }
        Err(format!("it did not show after {PRESSES} presses"))
    }

    /// Moves to the row with one of these words.
    pub(super) async fn move_to(&mut self, names: &[String]) -> Result<(), String> {
        let deadline = self.deadline(None);
        let mut presses = 0;
        loop {
            let face = self.watch.face();
            let target = names.iter().find_map(|name| row_named(&face, name));
            let cursor = selected(&face).map(|(at, _)| at);
            let key = match (target, cursor) {
                (Some(target), Some(cursor)) if target == cursor => return Ok(()),
                (Some(target), Some(cursor)) if target < cursor => Some(Key::Up),
                (_, Some(_)) => Some(Key::Down),
                (_, None) => None,
            };
            match key.filter(|_| presses < PRESSES) {
                Some(key) => {
                    self.press(&[key]).await?;
                    presses += 1;
                }
                // A menu that is not there yet may come; one that was looked through has no such row.
                None if presses < PRESSES && Instant::now() < deadline => {
                    self.watch.face_until(deadline, |face| selected(face).is_some()).await;
                }
                None => return Err(format!("the rows are {}", listed(face.rows.iter().map(|row| row.text.as_str())))),
            }
        }
    }

    /// Deletes what stands in the field, sign by sign.
    pub(super) async fn clear(&mut self) -> Result<(), String> {
        let deadline = self.deadline(None);
        if !self.watch.face_until(deadline, |face| face.entry.is_some()).await {
            return Err("nothing is being typed".to_owned());
        }
        for _ in 0..LONGEST_TEXT {
            let face = self.watch.face();
            match face.entry.is_some_and(|entry| !entry.text.is_empty()) {
                true => self.press(&[Key::Delete]).await?,
                false => return Ok(()),
            }
        }
        Err(format!("the field is not empty after {LONGEST_TEXT} presses"))
    }

    /// Types a text with the dial pad, letter by letter, once the phone asks for one or is in a call.
    pub(super) async fn type_text(&mut self, text: &str) -> Result<(), String> {
        let deadline = self.deadline(None);
        if !self.watch.face_until(deadline, |face| face.entry.is_some() || face.call.is_some()).await {
            return Err("the phone asks for nothing".to_owned());
        }
        self.bench.handset.type_text(text).await.map_err(|refused| refused.to_string())
    }
}
