//! What a key of the keyboard does on the phone.
//!
//! Decides the map, which the help of `draw` shows. A terminal tells when a key goes down and not when it comes up, so
//! keys that are to be held together are typed one after the other first.

use provost_phone::Key;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Something a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    Quit,
    Help,
    Power,
    Press(Key),
    /// The keys to be held together, as far as they are typed; nothing when it is given up.
    Together(Option<String>),
    Hold(Vec<Key>),
}

/// The keys of the keyboard and what they do, for the help.
pub(super) const MAP: [(&str, &str); 12] = [
    ("0-9 * #", "dial pad"),
    ("arrows, Enter", "arrows, Select"),
    ("Esc, Backspace", "Back, Delete"),
    ("h", "Home"),
    ("F1-F4 or a s d f", "soft keys"),
    ("q w e r t y u i", "line keys 1 to 8"),
    ("o, l", "lift the handset, put it down"),
    ("k", "speaker"),
    ("+ -", "louder, quieter"),
    ("g", "hold keys together: type them, then Enter"),
    ("p, Ctrl-P", "power on or off; letters rest while a text is typed"),
    ("Ctrl-C", "leave; the mouse works too"),
];

const LINE_KEYS: &str = "qwertyui";
const SOFT_KEYS: &str = "asdf";

/// `is_typing` says that the display waits for a text: whoever types the letters of an address there means no command.
pub(super) fn act(key: KeyEvent, together: Option<&str>, is_typing: bool) -> Act {
    if key.kind == KeyEventKind::Release {
        return Act::Nothing;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'q') => Act::Quit,
            KeyCode::Char('p') => Act::Power,
            _ => Act::Nothing,
        };
    }
    if let Some(typed) = together {
        return held(key.code, typed);
    }
    match key.code {
        KeyCode::Char(sign) if is_typing => Key::of_dial_pad(sign).map_or(Act::Nothing, Act::Press),
        KeyCode::Char('?') => Act::Help,
        KeyCode::Char('p') => Act::Power,
        KeyCode::Char('g') => Act::Together(Some(String::new())),
        KeyCode::Char(sign) => of_sign(sign).map_or(Act::Nothing, Act::Press),
        KeyCode::F(number @ 1..=4) => Act::Press(Key::Soft(number)),
        KeyCode::Up => Act::Press(Key::Up),
        KeyCode::Down => Act::Press(Key::Down),
        KeyCode::Left => Act::Press(Key::Left),
        KeyCode::Right => Act::Press(Key::Right),
        KeyCode::Enter => Act::Press(Key::Select),
        KeyCode::Esc => Act::Press(Key::Back),
        KeyCode::Backspace | KeyCode::Delete => Act::Press(Key::Delete),
        KeyCode::Home => Act::Press(Key::Home),
        _ => Act::Nothing,
    }
}

fn of_sign(sign: char) -> Option<Key> {
    let numbered = |keys: &str| keys.find(sign).and_then(|at| u8::try_from(at).ok()?.checked_add(1));
    Key::of_dial_pad(sign)
        .or_else(|| numbered(LINE_KEYS).map(Key::Line))
        .or_else(|| numbered(SOFT_KEYS).map(Key::Soft))
        .or(match sign {
            'h' => Some(Key::Home),
            'o' => Some(Key::HookUp),
            'l' => Some(Key::HookDown),
            'k' => Some(Key::Speaker),
            '+' => Some(Key::VolumeUp),
            '-' => Some(Key::VolumeDown),
            _ => None,
        })
}

/// A key while others are gathered to be held together.
fn held(code: KeyCode, typed: &str) -> Act {
    match code {
        KeyCode::Char(sign) if Key::of_dial_pad(sign).is_some() => Act::Together(Some(format!("{typed}{sign}"))),
        KeyCode::Backspace => {
            let mut rest = typed.to_owned();
            rest.pop();
            Act::Together(Some(rest))
        }
        KeyCode::Enter if typed.is_empty() => Act::Together(None),
        KeyCode::Enter => Act::Hold(typed.chars().filter_map(Key::of_dial_pad).collect()),
        KeyCode::Esc => Act::Together(None),
        _ => Act::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(code: KeyCode, together: Option<&str>) -> Act {
        act(KeyEvent::new(code, KeyModifiers::NONE), together, false)
    }

    #[test]
    fn letters_are_no_commands_while_a_text_is_typed() {
        let typing = |code, modifiers| act(KeyEvent::new(code, modifiers), None, true);
        for letter in "pgholkq?+".chars() {
            assert_eq!(typing(KeyCode::Char(letter), KeyModifiers::NONE), Act::Nothing, "{letter}");
        }
        assert_eq!(typing(KeyCode::Char('4'), KeyModifiers::NONE), Act::Press(Key::Digit(4)));
        assert_eq!(typing(KeyCode::F(1), KeyModifiers::NONE), Act::Press(Key::Soft(1)));
        assert_eq!(typing(KeyCode::Char('p'), KeyModifiers::CONTROL), Act::Power);
    }

    #[test]
    fn keys_of_the_keyboard_are_keys_of_the_phone() {
        let cases = [
            (KeyCode::Char('5'), Key::Digit(5)),
            (KeyCode::Char('#'), Key::Pound),
            (KeyCode::Char('w'), Key::Line(2)),
            (KeyCode::Char('f'), Key::Soft(4)),
            (KeyCode::F(1), Key::Soft(1)),
            (KeyCode::Enter, Key::Select),
            (KeyCode::Char('o'), Key::HookUp),
        ];
        for (code, key) in cases {
            assert_eq!(typed(code, None), Act::Press(key));
        }
        assert_eq!(typed(KeyCode::Char('x'), None), Act::Nothing);
        assert_eq!(act(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), Some("1"), false), Act::Quit);
    }

    #[test]
    fn keys_are_gathered_and_then_held_together() {
        assert_eq!(typed(KeyCode::Char('g'), None), Act::Together(Some(String::new())));
        assert_eq!(typed(KeyCode::Char('3'), Some("1")), Act::Together(Some("13".to_owned())));
        assert_eq!(typed(KeyCode::Backspace, Some("13")), Act::Together(Some("1".to_owned())));
        assert_eq!(typed(KeyCode::Enter, Some("4*")), Act::Hold(vec![Key::Digit(4), Key::Star]));
        assert_eq!(typed(KeyCode::Enter, Some("")), Act::Together(None));
        assert_eq!(typed(KeyCode::Esc, Some("13")), Act::Together(None));
    }
}
