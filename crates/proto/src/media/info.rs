//! Keys in SIP INFO, for phones that do not send them within the audio.
//!
//! Decides which key a body means, if any. No RFC defines the two bodies: `application/dtmf-relay` has lines
//! `Signal=5` and `Duration=160`, `application/dtmf` the key alone; both are what phones and proxies send.

use super::Digit;

/// The key that the body of one INFO request means.
///
/// Phones write star and pound as themselves or as 10 and 11, with or without spaces around `=`.
pub fn digit(content_type: &str, body: &[u8]) -> Option<Digit> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let body = std::str::from_utf8(body).ok()?;
    if kind.eq_ignore_ascii_case("application/dtmf-relay") {
        let signal = body.lines().filter_map(|line| line.split_once('='));
        let mut signal = signal.filter(|(name, _)| name.trim().eq_ignore_ascii_case("signal"));
        key(signal.next()?.1)
    } else if kind.eq_ignore_ascii_case("application/dtmf") {
        key(body)
    } else {
        None
    }
}

fn key(signal: &str) -> Option<Digit> {
    let signal = signal.trim();
    let mut characters = signal.chars();
    match (characters.next(), characters.next()) {
        (Some(key), None) => Digit::from_char(key),
        (Some('0'..='9'), Some(_)) => signal.parse().ok().and_then(Digit::from_event),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(content_type: &str, body: &str) -> Option<char> {
        digit(content_type, body.as_bytes()).map(Digit::reveal)
    }

    #[test]
    fn a_relayed_key_is_read_however_it_is_spaced() {
        assert_eq!(key("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n"), Some('5'));
        assert_eq!(key("application/dtmf-relay", "Signal= 5\r\nDuration= 160"), Some('5'));
        assert_eq!(key("Application/DTMF-Relay; x=y", "Duration=160\nsignal = #\n"), Some('#'));
        assert_eq!(key("application/dtmf-relay", "Signal=10\r\nDuration=160\r\n"), Some('*'));
        assert_eq!(key("application/dtmf-relay", "Signal=11\r\nDuration=160\r\n"), Some('#'));
        assert_eq!(key("application/dtmf-relay", "Signal=d\r\n"), Some('D'));
    }

    #[test]
    fn a_key_alone_is_read() {
        assert_eq!(key("application/dtmf", "5"), Some('5'));
        assert_eq!(key("application/dtmf", " *\r\n"), Some('*'));
    }

    #[test]
    fn anything_else_is_no_key() {
        assert_eq!(key("application/dtmf-relay", "Signal=16\r\n"), None);
        assert_eq!(key("application/dtmf-relay", "Signal=\r\n"), None);
        assert_eq!(key("application/dtmf-relay", "Signal=55\r\n"), None);
        assert_eq!(key("application/dtmf-relay", "5"), None);
        assert_eq!(key("application/dtmf", "hello"), None);
        assert_eq!(key("application/media_control+xml", "5"), None);
        assert_eq!(digit("application/dtmf", b"\xff"), None);
    }

    proptest! {
        #[test]
        fn no_body_panics(body: Vec<u8>, relay: bool) {
            let _ = digit(if relay { "application/dtmf-relay" } else { "application/dtmf" }, &body);
        }
    }
}
