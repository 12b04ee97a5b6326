//! The face as the page's script reads it.
//!
//! Decides the JSON. The words are the phone's; how they look is in the style sheet.

use serde_json::{Value, json};

use crate::handset::{Face, Lamp};
use crate::screen::Registration;

pub(super) fn drawn(face: &Face) -> Value {
    let rows = face.rows.iter().map(|row| json!({ "text": row.text, "value": row.value, "selected": row.selected }));
    let lines = face
        .line_keys
        .iter()
        .map(|key| json!({ "key": key.key, "label": key.label, "state": key.registration.map(state) }));
    json!({
        "power": face.power,
        "clock": face.clock,
        "title": face.title,
        "rows": rows.collect::<Vec<_>>(),
        "soft": face.soft_keys,
        "lines": lines.collect::<Vec<_>>(),
        "page": [face.page.0, face.page.1],
        "pop-up": face.pop_up,
        "entry": face.entry.as_ref().map(|entry| json!({ "prompt": entry.prompt, "text": entry.text, "mode": entry.mode })),
        "call": face.call.as_ref().map(|call| json!({ "number": call.number, "state": call.state })),
        "lamp": face.lamp == Lamp::On,
    })
}

const fn state(registration: Registration) -> &'static str {
    match registration {
        Registration::Registered => "registered",
        Registration::Unregistered => "not registered",
        Registration::Off => "not registering",
        Registration::NotObserved => "not known",
    }
}
