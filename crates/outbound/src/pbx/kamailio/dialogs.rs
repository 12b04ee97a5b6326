//! The answer to `dlg.list`: what calls there are, or that it cannot be told.
//!
//! No call is said by an empty list or an empty object and by nothing else: whoever takes an answer of another shape
//! for none restarts a phone in the midst of a call.

use super::super::held::{Bounded, Weigh};
use super::Answer;
use provost_core::pbx::{PbxError, line_of};
use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A call as the module dialog lists it.
#[derive(Debug, Deserialize)]
pub(super) struct Dialog {
    pub(super) state: u32,
    pub(super) from_uri: String,
    pub(super) to_uri: String,
    #[serde(default)]
    pub(super) caller: End,
    #[serde(default)]
    pub(super) callee: End,
}

#[derive(Debug, Deserialize, Default)]
pub(super) struct End {
    /// Null for the callee until it answers.
    pub(super) contact: Option<String>,
}

impl Weigh for Dialog {}

impl Dialog {
    pub(super) const fn is_on(&self) -> bool {
        matches!(self.state, 1..=4)
    }

    const fn is_over(&self) -> bool {
        self.state == 5
    }

    pub(super) fn is_of(&self, line: &str) -> bool {
        let contacts = [self.caller.contact.as_deref(), self.callee.contact.as_deref()];
        let mut ends = [self.from_uri.as_str(), self.to_uri.as_str()].into_iter().chain(contacts.into_iter().flatten());
        ends.any(|end| line_of(end) == line)
    }
}

pub(super) struct Dialogs(Bounded<Dialog>);

impl<'de> Deserialize<'de> for Dialogs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListOrNone).map(Self)
    }
}

struct ListOrNone;

impl<'de> Visitor<'de> for ListOrNone {
    type Value = Bounded<Dialog>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of dialogs or an empty object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Bounded::deserialize(SeqAccessDeserializer::new(seq))
    }

    /// With no dialogs, some versions answer an empty object instead of an empty list.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match map.next_key::<IgnoredAny>()? {
            None => Ok(Bounded::default()),
            Some(_) => Err(A::Error::custom("an object that is not empty")),
        }
    }
}

/// The calls there are, or why that is not known.
pub(super) fn known(answer: Result<Answer<Dialogs>, PbxError>) -> Result<Result<Vec<Dialog>, String>, PbxError> {
    const SHAPE: &str = "dlg.list is answered in another shape than is known";
    Ok(match answer {
        Ok(Answer::Done(Dialogs(list))) => {
            let all = list.entries("calls")?;
            // A state that is not known may be one of a call.
            let are_known = all.iter().all(|dialog| dialog.is_on() || dialog.is_over());
            if are_known { Ok(all) } else { Err(SHAPE.to_owned()) }
        }
        Ok(Answer::No { .. }) => Err("dialogs are not tracked (the module dialog is not loaded)".to_owned()),
        Err(PbxError::NotThis { .. }) => Err(SHAPE.to_owned()),
        Err(error) => return Err(error),
    })
}
