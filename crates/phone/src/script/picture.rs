//! A face as lines of text, for messages and for whoever has no screen to draw on.
//!
//! Decides the frame; the words are the phone's.

use std::fmt::Write as _;

use crate::handset::Face;
use crate::screen::Registration;

/// The least width of the frame.
const LEAST: usize = 30;

/// The whole face in a frame.
pub fn picture(face: &Face) -> String {
    if !face.power {
        return "| (no power)\n".to_owned();
    }
    let mut lines = vec![format!("{}   {}", face.clock, face.title).trim().to_owned()];
    lines.extend(face.rows.iter().map(|row| {
        let mark = if row.selected { '>' } else { ' ' };
        match &row.value {
            Some(value) => format!("{mark} {}: {value}", row.text),
            None => format!("{mark} {}", row.text),
        }
    }));
    if let Some(entry) = &face.entry {
        let mode = entry.mode.map_or(String::new(), |mode| format!("   ({mode})"));
        lines.push(format!("{} [{}]{mode}", entry.prompt, entry.text));
    }
    lines.extend(face.call.iter().map(|call| format!("{}: {}", call.state, call.number)));
    lines.extend(face.pop_up.iter().map(|pop_up| format!("! {pop_up}")));
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default().max(LEAST);
    let mut drawn = format!("+{}+\n", "-".repeat(width.saturating_add(2)));
    for line in lines {
        // Writing to a text cannot fail.
        let _ = writeln!(drawn, "| {line:width$} |");
    }
    let _ = writeln!(drawn, "+{}+", "-".repeat(width.saturating_add(2)));
    let soft: Vec<String> = face.soft_keys.iter().map(|word| format!("[{word}]")).collect();
    if !soft.is_empty() {
        let _ = writeln!(drawn, "  soft keys  {}", soft.join(" "));
    }
    for key in face.line_keys.iter().filter(|key| !key.label.is_empty()) {
        let _ = writeln!(drawn, "  line {}     {}{}", key.key, key.label, registration(key.registration));
    }
    drawn
}

/// What a line key says of its line, in words.
fn registration(registration: Option<Registration>) -> &'static str {
    match registration {
        Some(Registration::Registered) => " (registered)",
        Some(Registration::Unregistered) => " (not registered)",
        Some(Registration::Off | Registration::NotObserved) | None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handset::{Entry, LineKeyFace, Row};

    #[test]
    fn the_whole_face_is_drawn() {
        let row = |text: &str, selected| Row { text: text.to_owned(), value: None, selected };
        let face = Face {
            power: true,
            title: "Settings".to_owned(),
            clock: "1999-01-01 00:00".to_owned(),
            rows: vec![row("1. Basic", false), row("2. Advanced", true)],
            entry: Some(Entry { prompt: "Password".to_owned(), text: "***".to_owned(), mode: Some("123") }),
            soft_keys: vec!["Enter".to_owned(), String::new()],
            line_keys: vec![LineKeyFace {
                key: 1,
                label: "Activate".to_owned(),
                registration: Some(Registration::Registered),
            }],
            ..Face::default()
        };

        assert_eq!(
            picture(&face),
            "+--------------------------------+\n\
             | 1999-01-01 00:00   Settings    |\n\
             |   1. Basic                     |\n\
             | > 2. Advanced                  |\n\
             | Password [***]   (123)         |\n\
             +--------------------------------+\n\
             \x20 soft keys  [Enter] []\n\
             \x20 line 1     Activate (registered)\n"
        );
        assert_eq!(picture(&Face::default()), "| (no power)\n");
    }
}
