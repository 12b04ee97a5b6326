//! What a phone does, as lines of text or JSON.

use crate::out::say;
use provost_phone::Event;

/// Says an event on standard output.
pub(super) fn tell(event: &Event, json: bool) {
    match (event, json) {
        (Event::Request(request), true) => say(request.json_line()),
        (_, true) => {}
        (event, false) => {
            if let Some(line) = event.words() {
                say(line);
            }
        }
    }
}
