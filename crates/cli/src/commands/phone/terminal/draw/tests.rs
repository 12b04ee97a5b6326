use super::*;
use provost_phone::{Entry, Row};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn drawn(shown: &Shown, (width, height): (u16, u16)) -> (String, Vec<(Rect, Key)>) {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let mut spots = Vec::new();
    terminal.draw(|frame| spots = draw(frame, shown)).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let text: Vec<String> =
        (0..height).map(|y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>()).collect();
    (text.join("\n"), spots)
}

fn shown() -> Shown {
    let row = |text: &str, value: Option<&str>, selected| Row {
        text: text.to_owned(),
        value: value.map(str::to_owned),
        selected,
    };
    let face = Face {
        power: true,
        title: "Provisioning Server".to_owned(),
        clock: "1999-01-01 00:00".to_owned(),
        rows: vec![
            row("Server Type", Some("HTTPS"), true),
            row("Server Address", Some("https://phones.example"), false),
        ],
        soft_keys: ["Edit", "", "", "Exit"].map(str::to_owned).to_vec(),
        line_keys: vec![LineKeyFace {
            key: 1,
            label: "Activate".to_owned(),
            registration: Some(Registration::Registered),
        }],
        entry: Some(Entry { prompt: "Password".to_owned(), text: "**".to_owned(), mode: Some("123") }),
        ..Face::default()
    };
    let name = Name { model: "vvx450".to_owned(), mac: "0004f2a00001".to_owned() };
    Shown { name, face, log: Log::from(["GET /0004f2a00001.cfg 404".to_owned()]), ..Shown::default() }
}

#[test]
fn a_terminal_of_80_by_24_shows_everything() {
    let (text, _) = drawn(&shown(), (80, 24));

    for wanted in [
        "vvx450 0004f2a00001",
        "1 Activate ●",
        "Provisioning Server",
        "1999-01-01 00:00",
        "> Server Type",
        "HTTPS",
        "https://phones.example",
        "Password",
        "**_  (123)",
        "Edit",
        "Exit",
        "9wxyz",
        "Lift",
        "GET /0004f2a00001.cfg 404",
        "Ctrl-C leave",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}

#[test]
fn no_size_of_a_terminal_breaks_it() {
    for size in [(1, 1), (10, 5), (40, 12), (79, 23), (300, 100)] {
        drawn(&shown(), size);
        drawn(&Shown { help: true, ..shown() }, size);
    }
}

#[test]
fn the_mouse_finds_the_keys_where_they_are_drawn() {
    let (text, spots) = drawn(&shown(), (80, 24));

    let at = |key| spots.iter().find(|(_, its)| *its == key).unwrap().0;
    let drawn_at = |area: Rect| {
        let line = text.lines().nth(area.y.into()).unwrap();
        line.chars().skip(area.x.into()).take(area.width.into()).collect::<String>()
    };
    assert!(drawn_at(at(Key::Soft(4))).contains("Exit"));
    assert!(drawn_at(at(Key::Line(1))).contains("Activate"));
    assert!(drawn_at(at(Key::Digit(9))).contains("9wxyz"));
    assert!(drawn_at(at(Key::HookUp)).contains("Lift"));
}

#[test]
fn the_help_lies_over_everything() {
    let (text, spots) = drawn(&Shown { help: true, ..shown() }, (80, 24));

    assert!(text.contains("hold keys together"), "{text}");
    assert!(spots.is_empty());
}
