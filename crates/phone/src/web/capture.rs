//! A picture of the display, as tools fetch it.
//!
//! Decides how the words of a face become dots; size, letters and places are ours, since every model has another
//! display. Never shows what the face does not: what is masked there is masked here.

use std::convert::Infallible;

use embedded_graphics::mono_font::iso_8859_1::FONT_7X13;
use embedded_graphics::mono_font::{MonoTextStyle, MonoTextStyleBuilder};
use embedded_graphics::pixelcolor::Gray8;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};

use crate::handset::Face;
use crate::web::answer::Answer;

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;
/// The height of a line, and the room to the left of its words.
const LINE: u32 = 16;
const STEP: usize = 16;
const MARGIN: u32 = 4;
/// Soft keys a display has room for.
const SOFT_KEYS: u32 = 4;
/// Where line keys begin, on the right.
const KEYS: u32 = 230;

const PAPER: Gray8 = Gray8::new(0xf4);
const INK: Gray8 = Gray8::new(0x14);

/// Answers with the picture of a face.
pub(crate) fn answer(face: &Face) -> Answer {
    match encoded(&drawn(face)) {
        Ok(png) => Answer::new(200, "image/png", png),
        Err(_) => Answer::text(500, "the display cannot be drawn"),
    }
}

/// The dots of a display, row by row.
struct Screen(Vec<u8>);

impl OriginDimensions for Screen {
    fn size(&self) -> Size {
        Size::new(WIDTH, HEIGHT)
    }
}

impl DrawTarget for Screen {
    type Color = Gray8;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Gray8>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, color) in pixels {
            // What does not fit on the display is not seen.
            if let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y))
                && x < WIDTH
                && let Some(index) = y.checked_mul(WIDTH).and_then(|row| row.checked_add(x))
                && let Some(dot) = usize::try_from(index).ok().and_then(|index| self.0.get_mut(index))
            {
                *dot = color.luma();
            }
        }
        Ok(())
    }
}

impl Screen {
    fn fill(&mut self, (x, y, width, height): (u32, u32, u32, u32), color: Gray8) {
        let Ok(()) = Rectangle::new(point(x, y), Size::new(width, height))
            .into_styled(PrimitiveStyle::with_fill(color))
            .draw(self);
    }

    fn write(&mut self, words: &str, (x, y): (u32, u32), color: Gray8) {
        let style: MonoTextStyle<'_, Gray8> = MonoTextStyleBuilder::new().font(&FONT_7X13).text_color(color).build();
        let words: String = words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let Ok(_) = Text::with_baseline(&words, point(x, y), style, Baseline::Top).draw(self);
    }

    /// Words in a line of their own, light on dark where they are `marked`.
    fn line(&mut self, words: &str, (x, y, width): (u32, u32, u32), marked: bool) {
        let (paper, ink) = if marked { (INK, PAPER) } else { (PAPER, INK) };
        self.fill((x, y, width, LINE), paper);
        self.write(words, (x.saturating_add(MARGIN), y.saturating_add(1)), ink);
    }
}

fn point(x: u32, y: u32) -> Point {
    let whole = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    Point::new(whole(x), whole(y))
}

fn drawn(face: &Face) -> Screen {
    let dots = usize::try_from(WIDTH.saturating_mul(HEIGHT)).unwrap_or_default();
    let mut screen = Screen(vec![PAPER.luma(); dots]);
    screen.line(format!("{}  {}", face.clock, face.title).trim(), (0, 0, WIDTH), true);
    for ((words, marked), y) in body(face).iter().zip((LINE..HEIGHT).step_by(STEP)) {
        screen.line(words, (0, y, KEYS), *marked);
    }
    let keys = face.line_keys.iter().filter(|key| !key.label.is_empty());
    for (key, y) in keys.zip((LINE..HEIGHT).step_by(STEP)) {
        screen.line(&key.label, (KEYS, y, WIDTH), false);
    }
    let foot = HEIGHT.saturating_sub(LINE);
    screen.fill((0, foot, WIDTH, LINE), PAPER);
    let width = WIDTH.checked_div(SOFT_KEYS).unwrap_or(WIDTH);
    for (word, at) in face.soft_keys.iter().zip(0..SOFT_KEYS).filter(|(word, _)| !word.is_empty()) {
        screen.line(word, (at.saturating_mul(width), foot, width.saturating_sub(2)), true);
    }
    screen
}

/// The lines between the head and the soft keys, and which of them are marked.
fn body(face: &Face) -> Vec<(String, bool)> {
    let rows = face.rows.iter().map(|row| match &row.value {
        Some(value) => (format!("{}: {value}", row.text), row.selected),
        None => (row.text.clone(), row.selected),
    });
    let pop_up = face.pop_up.iter().flat_map(|words| words.lines()).map(|words| (words.to_owned(), true));
    let call = face.call.iter().map(|call| (format!("{}: {}", call.state, call.number), false));
    let entry = face.entry.iter().flat_map(|entry| {
        let mode = entry.mode.map_or(String::new(), |mode| format!(" ({mode})"));
        [(format!("{}{mode}", entry.prompt), false), (format!("[{}]", entry.text), true)]
    });
    pop_up.chain(rows).chain(call).chain(entry).collect()
}

fn encoded(screen: &Screen) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&screen.0)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handset::Row;
    use proptest::prelude::*;

    fn face(words: &str) -> Face {
        let rows = vec![Row { text: words.to_owned(), ..Row::default() }];
        let soft_keys = vec![words.to_owned(); 9];
        Face { power: true, rows, soft_keys, pop_up: Some(words.to_owned()), ..Face::default() }
    }

    #[test]
    fn a_picture_is_as_large_as_it_says_and_other_words_are_another_picture() {
        let (one, other) = (drawn(&face("Settings")), drawn(&face("Status")));

        let png = encoded(&one).unwrap();
        let mut read = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut dots = vec![0; one.0.len()];
        read.next_frame(&mut dots).unwrap();

        assert_eq!((read.info().width, read.info().height), (WIDTH, HEIGHT));
        assert!(dots == one.0 && dots != other.0, "the picture is not the display");
    }

    proptest! {
        #[test]
        fn no_words_break_the_picture(words in ".{0,200}") {
            let _ = drawn(&face(&words));
        }
    }
}
