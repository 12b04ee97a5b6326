//! A language pack: the texts of all prompts and their recordings.
//!
//! Decides whether a folder of files can be spoken from, and reports every mistake at once: a pack that lacks one prompt
//! would be silent in the one call that needs it. Recordings are raw mu-law, 8000 samples a second, one channel, with
//! the pauses around them inside. Texts stand in `pack.toml`; docs/guide/voice.md says how a pack is made.

use super::built_in;
use super::prompt::Prompt;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Bytes of one second.
const RATE: usize = 8000;
/// A recording shorter than this for each character of its text lacks words.
const SHORTEST_PER_CHARACTER: usize = RATE / 30;
/// A recording longer than this for each character, and two seconds, holds something else.
const LONGEST_PER_CHARACTER: usize = RATE / 6;
const LONGEST_EXTRA: usize = RATE * 2;
/// Mean power of a sample, full scale being 32,124: speech at -20 dBFS has about 3,200 where it is not silent.
const QUIETEST_RMS: i64 = 600;
/// One sample in this many may be at full scale.
const CLIPPED_SHARE: usize = 2000;
/// Mu-law of the largest samples, both signs.
const FULL_SCALE: [u8; 2] = [0x80, 0x00];

/// The recordings of one language, complete.
#[derive(Debug, Clone)]
pub struct VoicePack {
    language: String,
    voice: String,
    /// By [`Prompt::index`].
    recordings: Vec<Recording>,
}

#[derive(Clone)]
struct Recording {
    text: String,
    samples: Cow<'static, [u8]>,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:?} ({} samples)", self.text, self.samples.len())
    }
}

/// Everything that is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackMistakes(pub Vec<PackMistake>);

impl std::fmt::Display for PackMistakes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            write!(out, "{}{mistake}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for PackMistakes {}

/// One thing wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackMistake {
    /// `pack.toml` is no TOML.
    #[error("pack.toml cannot be read: {0}")]
    NotToml(#[from] toml::de::Error),
    /// A key that must be there, as a text.
    #[error("pack.toml lacks `{0}`, or it is no text")]
    NoText(String),
    /// A key or prompt that no program asks for.
    #[error("pack.toml holds `{0}`, which nothing knows")]
    UnknownKey(String),
    /// A file that belongs to no prompt.
    #[error("{0} belongs to no prompt")]
    UnknownFile(String),
    /// A prompt without recording.
    #[error("{0}.ulaw is missing")]
    NoRecording(&'static str),
    /// Too short or too long for its text.
    #[error("{name}.ulaw lasts {found_ms} ms, expected {least_ms} to {most_ms} ms for its text; is it 8 kHz mu-law?")]
    Length {
        /// The prompt.
        name: &'static str,
        /// How long it is.
        found_ms: usize,
        /// How long it should be at least.
        least_ms: usize,
        /// And at most.
        most_ms: usize,
    },
    /// Nothing to be heard.
    #[error("{0}.ulaw is nearly silent")]
    Silent(&'static str),
    /// Too loud.
    #[error("{name}.ulaw is clipped in {samples} samples; record it with less level")]
    Clipped {
        /// The prompt.
        name: &'static str,
        /// Samples at full scale.
        samples: usize,
    },
}

impl VoicePack {
    /// The English pack this program is built with.
    ///
    /// # Errors
    /// [`PackMistakes`], which a test rules out for a finished program.
    pub fn built_in() -> Result<Self, PackMistakes> {
        let files = built_in::FILES.iter().map(|(name, samples)| ((*name).to_owned(), Cow::Borrowed(*samples)));
        Self::read(built_in::TEXTS, files.collect())
    }

    /// The pack of an operator's folder: the text of its `pack.toml`, and name and bytes of all other files.
    ///
    /// Only files named `*.ulaw` are looked at.
    ///
    /// # Errors
    /// [`PackMistakes`] with everything that is wrong.
    pub fn from_files(texts: &str, files: Vec<(String, Vec<u8>)>) -> Result<Self, PackMistakes> {
        Self::read(texts, files.into_iter().map(|(name, samples)| (name, Cow::Owned(samples))).collect())
    }

    /// The language as a tag, `en`.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// Who or what speaks.
    pub fn voice(&self) -> &str {
        &self.voice
    }

    /// What is said.
    pub fn text(&self, prompt: Prompt) -> &str {
        self.recordings.get(prompt.index()).map_or("", |recording| &recording.text)
    }

    /// How it is said: raw mu-law, 8000 samples a second.
    pub fn samples(&self, prompt: Prompt) -> &[u8] {
        self.recordings.get(prompt.index()).map_or(&[], |recording| &recording.samples)
    }

    fn read(texts: &str, mut files: BTreeMap<String, Cow<'static, [u8]>>) -> Result<Self, PackMistakes> {
        let mut mistakes = Vec::new();
        let mut table: toml::Table = texts.parse().map_err(|error| PackMistakes(vec![PackMistake::NotToml(error)]))?;
        let language = text(&mut table, "language", "", &mut mistakes);
        let voice = text(&mut table, "voice", "", &mut mistakes);
        let mut prompts = match table.remove("prompts") {
            Some(toml::Value::Table(prompts)) => prompts,
            _ => toml::Table::new(),
        };
        // For the script that makes recordings; a pack spoken by a person has none.
        table.remove("speak");
        mistakes.extend(table.keys().map(|key| PackMistake::UnknownKey(key.clone())));
        let mut recordings = Vec::with_capacity(Prompt::COUNT);
        for prompt in Prompt::all() {
            let name = prompt.name();
            let text = text(&mut prompts, name, "prompts.", &mut mistakes);
            match files.remove(&format!("{name}.ulaw")) {
                Some(samples) => {
                    mistakes.extend(judge(name, &text, &samples));
                    recordings.push(Recording { text, samples });
                }
                None => mistakes.push(PackMistake::NoRecording(name)),
            }
        }
        mistakes.extend(prompts.keys().map(|key| PackMistake::UnknownKey(format!("prompts.{key}"))));
        let strange = files.into_keys().filter(|name| name.ends_with(".ulaw"));
        mistakes.extend(strange.map(PackMistake::UnknownFile));
        if mistakes.is_empty() { Ok(Self { language, voice, recordings }) } else { Err(PackMistakes(mistakes)) }
    }
}

/// Takes a text out of `table`; an empty one counts as missing.
fn text(table: &mut toml::Table, key: &str, path: &str, mistakes: &mut Vec<PackMistake>) -> String {
    match table.remove(key) {
        Some(toml::Value::String(text)) if !text.trim().is_empty() => text,
        _ => {
            mistakes.push(PackMistake::NoText(format!("{path}{key}")));
            String::new()
        }
    }
}

/// What can be told about a recording without listening to it.
fn judge(name: &'static str, text: &str, samples: &[u8]) -> Option<PackMistake> {
    let characters = text.chars().count();
    let least = characters.saturating_mul(SHORTEST_PER_CHARACTER);
    let most = characters.saturating_mul(LONGEST_PER_CHARACTER).saturating_add(LONGEST_EXTRA);
    if samples.is_empty() || !(least..=most).contains(&samples.len()) {
        let ms = |samples: usize| samples / (RATE / 1000);
        return Some(PackMistake::Length { name, found_ms: ms(samples.len()), least_ms: ms(least), most_ms: ms(most) });
    }
    let count = i64::try_from(samples.len()).unwrap_or(i64::MAX);
    let power = samples.iter().fold(0i64, |sum, byte| sum.saturating_add(i64::from(linear(*byte)).pow(2)));
    if power.checked_div(count).unwrap_or(0) < QUIETEST_RMS.pow(2) {
        return Some(PackMistake::Silent(name));
    }
    let clipped = samples.iter().filter(|byte| FULL_SCALE.contains(byte)).count();
    (clipped > samples.len() / CLIPPED_SHARE).then_some(PackMistake::Clipped { name, samples: clipped })
}

/// A mu-law byte as a 16-bit sample (ITU-T G.711, table 2).
fn linear(byte: u8) -> i32 {
    let bits = !byte;
    let magnitude = (((i32::from(bits & 0x0f)) << 3) + 0x84) << ((bits >> 4) & 7);
    if bits & 0x80 == 0 { magnitude - 0x84 } else { 0x84 - magnitude }
}

#[cfg(test)]
mod tests;
