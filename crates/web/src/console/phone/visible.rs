//! What a phone sent, as text that shows everything in it and does nothing.
//!
//! Decides how bytes that are no text and characters that move others are written. Escaping for HTML is the template's.

/// The last `most` bytes as text, from the beginning of a line on; and how many before them are left out.
///
/// Control characters, marks that turn the direction of text and bytes that are no UTF-8 are written in words.
pub(super) fn tail(bytes: &[u8], most: usize) -> (String, usize) {
    let mut skipped = bytes.len().saturating_sub(most);
    if skipped > 0 {
        let rest = bytes.get(skipped..).unwrap_or_default();
        // A line longer than all of it is shown from its middle on.
        let line = rest.iter().position(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
        if line < rest.len() {
            skipped = skipped.saturating_add(line);
        }
    }
    (visible(bytes.get(skipped..).unwrap_or_default()), skipped)
}

fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut letters = chunk.valid().chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\n' | '\t' => text.push(letter),
                '\r' if letters.peek() == Some(&'\n') => {}
                _ if hides(letter) => text.push_str(&format!("<U+{:04X}>", u32::from(letter))),
                _ => text.push(letter),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("<0x{byte:02X}>"));
        }
    }
    text
}

/// Whether a character shows nothing of itself, or changes how others are shown.
fn hides(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_letters_stay_as_they_are() {
        assert_eq!(visible("a\tb\r\nčšž 你好\n".as_bytes()), "a\tb\nčšž 你好\n");
    }

    #[test]
    fn what_shows_nothing_of_itself_is_written_in_words() {
        assert_eq!(visible(b"a\0b\x1b[31mred\r!"), "a<U+0000>b<U+001B>[31mred<U+000D>!");
        assert_eq!(visible("\u{202e}txt.exe\u{200b}".as_bytes()), "<U+202E>txt.exe<U+200B>");
        assert_eq!(visible(b"\xff\xfeok\xc3"), "<0xFF><0xFE>ok<0xC3>");
    }

    #[test]
    fn of_a_long_file_the_last_whole_lines_are_shown() {
        assert_eq!(tail(b"one\ntwo\nthree\n", 8), ("three\n".to_owned(), 8));
        assert_eq!(tail(b"one\n", 8), ("one\n".to_owned(), 0));
        assert_eq!(tail(b"0123456789", 4), ("6789".to_owned(), 6));
        assert_eq!(tail(b"", 4), (String::new(), 0));
    }
}
