//! What a phone's user hears who presses Activate, and what the keys do.
//!
//! Decides the whole conversation: what is said when, which keys make a code, how each refusal sounds, when the call
//! ends. Never decides whether a code is good, sends no sound and reads no clock: the caller plays what it is told to,
//! and brings keys, verdicts and the time. Keys never stand in debug output (docs/THREATS.md: no code in a log).

mod built_in;
mod dialogue;
mod pack;
mod prompt;
mod refusal;
mod step;

pub use dialogue::Dialogue;
pub use pack::{PackMistake, PackMistakes, VoicePack};
pub use prompt::{Prompt, Spoken};
pub use refusal::Refusal;
pub use step::{Key, Millis, Opening, SayId, Step, Verdict};
