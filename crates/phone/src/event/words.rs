//! What a phone does, as one line for a person.
//!
//! Decides the words of terminal, browser and standard output alike, and that nothing which came over the network
//! changes more than its own line.

use super::Event;

impl Event {
    /// The event in words, on one line; nothing for what only programs want to know.
    pub fn words(&self) -> Option<String> {
        let words = match self {
            Self::Starting { boot } => format!("start {boot}"),
            Self::Request(request) => request.summary(),
            Self::Restarting { changed } if changed.is_empty() => "restarts".to_owned(),
            Self::Restarting { changed } => format!("restarts: {} changed", changed.join(", ")),
            Self::ClockSet { to, server: Some(server) } => format!("time from {server}: {to}"),
            Self::ClockNotSet { reason } => format!("SNTP Error: {reason}"),
            Self::ImageAsked { file } => format!("image: asks for {file}"),
            Self::ImageProgress { file, percent } => format!("image: {file} {percent} %"),
            Self::ImageCurrent { file, version } => format!("image: {file} is {version}, which it runs"),
            Self::ImageRefused { file, reason } => format!("image: {file} is not taken: {reason}"),
            Self::Flashed(new) => format!("flashed: {} from {} to {}", new.file, new.from, new.to),
            Self::Log(line) => format!("log: {line}"),
            _ => return None,
        };
        Some(harmless(&words))
    }
}

/// The text with its control signs written out: a terminal obeys them.
pub(super) fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign.is_control() {
            true => safe.extend(sign.escape_default()),
            false => safe.push(sign),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_that_a_terminal_obeys_are_written_out() {
        let event = Event::Log("a\u{1b}[2Jb\nc\u{9b}ä".to_owned());

        assert_eq!(event.words().unwrap(), "log: a\\u{1b}[2Jb\\nc\\u{9b}ä");
    }
}
