//! The phone in a terminal.
//!
//! Decides when something is drawn (only when something changed) and what a key of the keyboard does. What is drawn
//! is in `draw`. The terminal is put back when this ends, also when it ends badly.

mod draw;
mod keyboard;

use self::draw::{Shown, draw};
use self::keyboard::{Act, act};
use crate::failure::Failure;
use provost_phone::{Handset, Key};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, DisableMouseCapture, EnableMouseCapture, Event, MouseButton, MouseEventKind};
use ratatui::crossterm::execute;
use ratatui::layout::{Position, Rect};
use std::collections::VecDeque;
use std::io::stdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// How long the keyboard's thread waits before it looks whether it shall end.
const LOOK: Duration = Duration::from_millis(100);
/// How long keys that are held together are held, in the phone's time.
const HOLD: Duration = Duration::from_secs(4);
/// Lines of the log that are kept.
const LOG: usize = 500;

/// What the phone is called above its display.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) model: String,
    pub(super) mac: String,
}

/// Puts the terminal back, whatever happens.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = execute!(stdout(), DisableMouseCapture);
        ratatui::restore();
    }
}

pub(super) async fn run(handset: &Handset, name: Name, notes: Vec<String>) -> Result<(), Failure> {
    let mut terminal = ratatui::try_init().map_err(|error| {
        Failure::Runtime(format!("this terminal cannot be drawn on: {error}; use --no-terminal or --face"))
    })?;
    let _restored = Restored;
    let _ = execute!(stdout(), EnableMouseCapture);
    let stop = Arc::new(AtomicBool::new(false));
    let input = keyboard_thread(Arc::clone(&stop));
    let mut shown = Shown { name, log: notes.into(), ..Shown::default() };
    let outcome = work(handset, &mut terminal, &mut shown, input).await;
    stop.store(true, Ordering::Relaxed);
    outcome
}

fn keyboard_thread(stop: Arc<AtomicBool>) -> mpsc::Receiver<Event> {
    let (send, input) = mpsc::channel(64);
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            match event::poll(LOOK) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(_) => return,
            }
            let Ok(event) = event::read() else { return };
            if send.blocking_send(event).is_err() {
                return;
            }
        }
    });
    input
}

async fn work(
    handset: &Handset,
    terminal: &mut DefaultTerminal,
    shown: &mut Shown,
    mut input: mpsc::Receiver<Event>,
) -> Result<(), Failure> {
    let (mut face, mut events) = (handset.face(), handset.events());
    let mut stop = signal(SignalKind::terminate()).map_err(Failure::runtime)?;
    paint(terminal, shown)?;
    handset.plug_in().await;
    loop {
        shown.face = face.borrow_and_update().clone();
        let spots = paint(terminal, shown)?;
        tokio::select! {
            changed = face.changed() => if changed.is_err() { return Err(Failure::Runtime("the phone is gone".to_owned())) },
            event = events.recv() => shown.note(event.ok().as_ref().and_then(provost_phone::Event::words)),
            _ = stop.recv() => return Ok(()),
            typed = input.recv() => {
                let Some(typed) = typed else { return Ok(()) };
                let act = match typed {
                    Event::Key(key) => act(key, shown.together.as_deref(), shown.face.entry.is_some()),
                    Event::Mouse(mouse) if mouse.kind == MouseEventKind::Down(MouseButton::Left) => {
                        touched(&spots, Position::new(mouse.column, mouse.row))
                    }
                    _ => Act::Nothing,
                };
                if do_it(handset, shown, act).await {
                    return Ok(());
                }
            }
        }
        // What came meanwhile is drawn along with it: a boot tells many lines at once.
        while let Ok(event) = events.try_recv() {
            shown.note(event.words());
        }
    }
}

fn paint(terminal: &mut DefaultTerminal, shown: &Shown) -> Result<Vec<(Rect, Key)>, Failure> {
    let mut spots = Vec::new();
    terminal.draw(|frame| spots = draw(frame, shown)).map_err(Failure::runtime)?;
    Ok(spots)
}

fn touched(spots: &[(Rect, Key)], at: Position) -> Act {
    spots.iter().find(|(spot, _)| spot.contains(at)).map_or(Act::Nothing, |(_, key)| Act::Press(*key))
}

/// Does what a key of the keyboard means; whether that is the end.
async fn do_it(handset: &Handset, shown: &mut Shown, act: Act) -> bool {
    match act {
        Act::Nothing => {}
        Act::Quit => return true,
        Act::Help => shown.help = !shown.help,
        // The first key closes the help and is not pressed on the phone.
        _ if shown.help => shown.help = false,
        Act::Press(key) => handset.press(key).await,
        Act::Power if shown.face.power => handset.unplug().await,
        Act::Power => handset.plug_in().await,
        Act::Together(keys) => shown.together = keys,
        Act::Hold(keys) => {
            shown.together = None;
            let (handset, keys) = (handset.clone(), keys);
            // The display goes on changing while keys are held.
            tokio::spawn(async move { handset.hold(&keys, HOLD).await });
        }
    }
    false
}

impl Shown {
    fn note(&mut self, line: Option<String>) {
        self.log.extend(line);
        let old = self.log.len().saturating_sub(LOG);
        self.log.drain(..old);
    }
}

/// Lines as they came.
pub(super) type Log = VecDeque<String>;
