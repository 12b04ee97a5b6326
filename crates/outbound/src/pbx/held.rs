//! What is held of an answer while it is read: lists up to a limit, and single values.
//!
//! A few bytes of JSON become hundreds in memory, so limits that are looked at after reading come too late.

use super::MOST_REGISTRATIONS;
use provost_core::pbx::PbxError;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// How much one entry of a list counts; one that holds a list counts what is in it.
pub(super) trait Weigh {
    fn weight(&self) -> usize {
        1
    }
}

/// A list that holds nothing once it would weigh more than [`MOST_REGISTRATIONS`].
#[derive(Debug)]
pub(super) struct Bounded<T> {
    entries: Vec<T>,
    weight: usize,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), weight: 0 }
    }
}

impl<T> Bounded<T> {
    pub(super) const fn weight(&self) -> usize {
        self.weight
    }

    /// Its entries, unless there were too many.
    pub(super) fn entries(self, of: &'static str) -> Result<Vec<T>, PbxError> {
        if self.weight > MOST_REGISTRATIONS {
            return Err(PbxError::TooMuch { limit: MOST_REGISTRATIONS, of });
        }
        Ok(self.entries)
    }
}

impl<'de, T: Deserialize<'de> + Weigh> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List(PhantomData))
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Weigh> Visitor<'de> for List<T> {
    type Value = Bounded<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bounded<T>, A::Error> {
        let mut list = Bounded::default();
        while list.weight <= MOST_REGISTRATIONS {
            let Some(entry) = seq.next_element::<T>()? else { return Ok(list) };
            list.weight = list.weight.saturating_add(entry.weight());
            list.entries.push(entry);
        }
        // An error here would be one of shape to whoever reads: the weight says what it is, the rest is skipped.
        list.entries = Vec::new();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

/// A number or a word; of anything else nothing is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar {
    Number(i64),
    Word(String),
    #[default]
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneValue)
    }
}

struct OneValue;

impl<'de> Visitor<'de> for OneValue {
    type Value = Scalar;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Other, Scalar::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_str<E>(self, word: &str) -> Result<Scalar, E> {
        Ok(Scalar::Word(word.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        static MADE: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Debug)]
    struct Counted;

    impl Weigh for Counted {}

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            MADE.set(MADE.get() + 1);
            IgnoredAny::deserialize(deserializer).map(|_| Self)
        }
    }

    fn list_of(count: usize) -> String {
        format!("[{}]", vec!["{}"; count].join(","))
    }

    #[test]
    fn no_more_of_a_list_is_made_than_its_limit_however_long_it_is() {
        let full: Bounded<Counted> = serde_json::from_str(&list_of(MOST_REGISTRATIONS)).unwrap();
        assert_eq!(full.entries("entries").unwrap().len(), MOST_REGISTRATIONS);
        MADE.set(0);

        let over: Bounded<Counted> = serde_json::from_str(&list_of(3 * MOST_REGISTRATIONS)).unwrap();

        assert_eq!((MADE.get(), over.entries.len()), (MOST_REGISTRATIONS + 1, 0));
        let too_much = PbxError::TooMuch { limit: MOST_REGISTRATIONS, of: "entries" };
        assert_eq!(over.entries("entries").unwrap_err(), too_much);
    }

    #[test]
    fn of_a_value_that_is_no_number_and_no_word_nothing_is_held() {
        let read = |text: &str| serde_json::from_str::<Scalar>(text).unwrap();

        assert_eq!((read("118"), read("-4")), (Scalar::Number(118), Scalar::Number(-4)));
        assert_eq!(read(r#""permanent""#), Scalar::Word("permanent".to_owned()));
        for other in ["null", "true", "1.5", "[0,[0]]", r#"{"a":[0]}"#, "18446744073709551615"] {
            assert_eq!(read(other), Scalar::Other, "{other}");
        }
    }
}
