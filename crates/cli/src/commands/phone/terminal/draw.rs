//! Draws the phone: display in the middle, line keys to its left, dial pad to its right, soft keys below, and what
//! the phone does under all of it.
//!
//! Decides where everything stands; a terminal of 80 by 24 shows all. The words are the phone's.

use super::keyboard::MAP;
use super::{Log, Name};
use provost_phone::{Face, Key, Lamp, LineKeyFace, Registration};
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Margin, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Wrap};

const LINE_KEYS: u16 = 20;
const DIAL_PAD: u16 = 19;
const SOFT_KEYS: usize = 4;
const PHONE: u16 = 15;
const GLASS: Style = Style::new().fg(Color::White).bg(Color::Indexed(17));
const PAD: [[(&str, Key); 3]; 8] = [
    [("1", Key::Digit(1)), ("2 abc", Key::Digit(2)), ("3 def", Key::Digit(3))],
    [("4 ghi", Key::Digit(4)), ("5 jkl", Key::Digit(5)), ("6 mno", Key::Digit(6))],
    [("7pqrs", Key::Digit(7)), ("8 tuv", Key::Digit(8)), ("9wxyz", Key::Digit(9))],
    [("*", Key::Star), ("0", Key::Digit(0)), ("#", Key::Pound)],
    [("Home", Key::Home), ("  ▲", Key::Up), ("Back", Key::Back)],
    [("  ◀", Key::Left), ("Sel", Key::Select), ("  ▶", Key::Right)],
    [("Del", Key::Delete), ("  ▼", Key::Down), ("Spkr", Key::Speaker)],
    [("Lift", Key::HookUp), ("Down", Key::HookDown), ("Vol+", Key::VolumeUp)],
];

/// All that is drawn.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) name: Name,
    pub(super) face: Face,
    pub(super) log: Log,
    pub(super) help: bool,
    /// Keys that are gathered to be held together.
    pub(super) together: Option<String>,
}

impl Default for Shown {
    fn default() -> Self {
        let name = Name { model: String::new(), mac: String::new() };
        Self { name, face: Face::default(), log: Log::new(), help: false, together: None }
    }
}

/// Draws, and says which key is where, for the mouse.
pub(super) fn draw(frame: &mut Frame<'_>, shown: &Shown) -> Vec<(Rect, Key)> {
    let mut spots = Vec::new();
    let [head, phone, soft, log, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(PHONE),
        Constraint::Length(1),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [lines, display, pad] =
        Layout::horizontal([Constraint::Length(LINE_KEYS), Constraint::Min(30), Constraint::Length(DIAL_PAD)])
            .areas(phone);
    draw_head(frame, head, shown);
    draw_line_keys(frame, lines, &shown.face, &mut spots);
    draw_display(frame, display, &shown.face);
    draw_pad(frame, pad, &mut spots);
    let below = Rect { x: display.x, width: display.width, ..soft };
    draw_soft_keys(frame, below, &shown.face, &mut spots);
    draw_log(frame, log, shown);
    let hint = match &shown.together {
        Some(keys) => format!(" hold together: {keys}_   Enter holds them for 4 s, Esc gives it up"),
        None => " ? keys  h Home  arrows Enter  Esc Back  F1-F4 soft keys  p power  Ctrl-C leave".to_owned(),
    };
    frame.render_widget(Paragraph::new(hint).reversed(), foot);
    if shown.help {
        draw_help(frame);
        spots.clear();
    }
    spots
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let lamp = match shown.face.lamp {
        Lamp::On => Span::styled("● ", Style::new().fg(Color::Red)),
        Lamp::Off => Span::styled("○ ", Style::new().dim()),
    };
    let power = if shown.face.power { "" } else { "   no power: p plugs it in" };
    let name = format!("{} {}", shown.name.model, shown.name.mac);
    frame.render_widget(Line::from(vec![" ".into(), lamp, name.bold(), power.into()]), area);
}

fn draw_line_keys(frame: &mut Frame<'_>, area: Rect, face: &Face, spots: &mut Vec<(Rect, Key)>) {
    let title = match face.page {
        (page, pages) if pages > 1 => format!(" Lines {page}/{pages} "),
        _ => " Lines ".to_owned(),
    };
    let block = Block::bordered().border_type(BorderType::Rounded).title(title);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    for (key, row) in face.line_keys.iter().zip(inside.rows()) {
        frame.render_widget(line_key(key, inside.width), row);
        spots.push((row, Key::Line(key.key)));
    }
}

fn line_key(key: &LineKeyFace, width: u16) -> Line<'_> {
    let (mark, style) = match key.registration {
        Some(Registration::Registered) => ("●", Style::new().fg(Color::Green)),
        Some(Registration::Unregistered) => ("✗", Style::new().fg(Color::Red)),
        Some(Registration::Off | Registration::NotObserved) => ("○", Style::new().dim()),
        None => (" ", Style::new()),
    };
    let room = usize::from(width.saturating_sub(4));
    let label: String = key.label.chars().take(room).collect();
    Line::from(vec![format!("{} ", key.key).dim(), label.into(), " ".into(), Span::styled(mark, style)])
}

fn draw_display(frame: &mut Frame<'_>, area: Rect, face: &Face) {
    let block = Block::bordered().border_type(BorderType::Thick);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    if !face.power {
        return;
    }
    frame.render_widget(Block::new().style(GLASS), inside);
    let [bar, _, body] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(1)]).areas(inside);
    frame.render_widget(Line::from(face.title.as_str()).bold(), bar);
    frame.render_widget(Line::from(face.clock.as_str()).alignment(Alignment::Right), bar);
    let mut lines: Vec<Line<'_>> = face.rows.iter().map(|row| display_row(row, body.width)).collect();
    if let Some(entry) = &face.entry {
        let mode = entry.mode.map_or(String::new(), |mode| format!("  ({mode})"));
        lines.push(Line::from(entry.prompt.as_str()));
        lines.push(Line::from(vec![" ".into(), format!("{}_", entry.text).reversed(), mode.dim()]));
    }
    lines.extend(face.call.iter().map(|call| Line::from(format!("{}: {}", call.state, call.number))));
    frame.render_widget(Paragraph::new(lines).style(GLASS), body);
    if let Some(text) = &face.pop_up {
        let over = inside.inner(Margin::new(2, 3));
        frame.render_widget(Clear, over);
        let block = Block::bordered().border_type(BorderType::Double).style(GLASS);
        frame.render_widget(Paragraph::new(text.as_str()).wrap(Wrap { trim: true }).block(block), over);
    }
}

/// A row with its value at the right, where both fit.
fn display_row(row: &provost_phone::Row, width: u16) -> Line<'static> {
    let mark = if row.selected { "> " } else { "  " };
    let text = match &row.value {
        None => format!("{mark}{}", row.text),
        Some(value) => {
            let used = row.text.chars().count().saturating_add(value.chars().count()).saturating_add(3);
            match usize::from(width).checked_sub(used) {
                Some(gap) => format!("{mark}{}{}{value} ", row.text, " ".repeat(gap)),
                None => format!("{mark}{}: {value}", row.text),
            }
        }
    };
    let padded = format!("{text:width$}", width = usize::from(width));
    let style = if row.selected { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
    Line::styled(padded, style)
}

fn draw_soft_keys(frame: &mut Frame<'_>, area: Rect, face: &Face, spots: &mut Vec<(Rect, Key)>) {
    let keys = face
        .soft_keys
        .iter()
        .map(String::as_str)
        .chain(std::iter::repeat(""))
        .take(face.soft_keys.len().max(SOFT_KEYS));
    let keys: Vec<&str> = keys.collect();
    let areas = Layout::horizontal(keys.iter().map(|_| Constraint::Fill(1))).spacing(1).split(area);
    for ((word, area), number) in keys.iter().zip(areas.iter()).zip(1_u8..) {
        let style = if word.is_empty() { Style::new().dim() } else { Style::new().reversed() };
        frame.render_widget(Paragraph::new(*word).centered().style(style), *area);
        spots.push((*area, Key::Soft(number)));
    }
}

fn draw_pad(frame: &mut Frame<'_>, area: Rect, spots: &mut Vec<(Rect, Key)>) {
    let block = Block::bordered().border_type(BorderType::Rounded).title(" Keys ");
    let inside = block.inner(area);
    frame.render_widget(block, area);
    for (at, (keys, row)) in PAD.iter().zip(rows_with_gap(inside)).enumerate() {
        let cells = Layout::horizontal([Constraint::Length(5); 3]).spacing(1).split(row);
        for ((label, key), cell) in keys.iter().zip(cells.iter()) {
            let style = if at < 4 { Style::new().bold() } else { Style::new() };
            frame.render_widget(Paragraph::new(*label).style(style), *cell);
            spots.push((*cell, *key));
        }
    }
}

/// The rows of the pad: the digits, an empty one, the rest.
fn rows_with_gap(area: Rect) -> impl Iterator<Item = Rect> {
    area.rows().enumerate().filter(|(at, _)| *at != 4 && *at != 8).map(|(_, row)| row)
}

fn draw_log(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let block = Block::bordered().border_type(BorderType::Rounded).title(" What it does ");
    let room = usize::from(block.inner(area).height);
    let first = shown.log.len().saturating_sub(room);
    let lines: Vec<Line<'_>> = shown.log.iter().skip(first).map(|line| Line::from(line.as_str())).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn draw_help(frame: &mut Frame<'_>) {
    let area = frame.area();
    let height = u16::try_from(MAP.len()).unwrap_or(12).saturating_add(4);
    let over = area.centered(Constraint::Length(66), Constraint::Length(height));
    let lines = MAP.iter().map(|(keys, what)| Line::from(vec![format!(" {keys:<18}").bold(), (*what).into()]));
    let block = Block::bordered().border_type(BorderType::Double).title(" Keys of the keyboard (any key goes on) ");
    frame.render_widget(Clear, over);
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), over);
}

#[cfg(test)]
mod tests;
