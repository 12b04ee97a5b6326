//! Everything that can be said, by name.

/// One recording of a language pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// Who is speaking.
    Welcome,
    /// What to key.
    EnterCode,
    /// Some digits came, then none.
    GoOn,
    /// Fewer than thirteen digits were sent off.
    WrongLength,
    /// Thirteen digits whose check digit does not fit.
    Mistyped,
    /// Deciding takes longer than usual.
    OneMoment,
    /// Success; the extension's digits follow.
    ActivatedFor,
    /// Success, for a user without an extension.
    Activated,
    /// What the phone does now.
    Restarting,
    /// The call ends.
    Goodbye,
    /// The answer to an emergency call.
    NotInService,
    /// Nobody has this code.
    CodeUnknown,
    /// Another phone used it.
    CodeUsed,
    /// A newer code replaced it.
    CodeReplaced,
    /// It is too old.
    CodeExpired,
    /// It is for another model.
    CodeOtherModel,
    /// Its device has no user.
    OwnerNotSaved,
    /// Its device is disabled or quarantined.
    DeviceBarred,
    /// Its device has a phone.
    DeviceHasPhone,
    /// This phone has a device.
    PhoneHasDevice,
    /// This phone has not proved itself.
    PhoneUnknown,
    /// Too many wrong codes; how long to wait follows.
    TooManyTries,
    /// The server cannot decide now.
    ServerFailing,
    /// Up to a minute.
    WaitOneMinute,
    /// Up to five.
    WaitFiveMinutes,
    /// Up to fifteen.
    WaitFifteenMinutes,
    /// Up to an hour.
    WaitOneHour,
    /// Up to four.
    WaitFourHours,
    /// Longer.
    WaitOneDay,
    /// The reference's letters and digits follow.
    Reference,
    /// Another code may be keyed now.
    AnotherCode,
    /// A digit or letter, of an extension or a reference.
    Spoken(Spoken),
}

/// A digit or letter there is a recording of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spoken(u8);

/// All but the spoken characters, with the names of their files.
const SENTENCES: [(Prompt, &str); 31] = [
    (Prompt::Welcome, "welcome"),
    (Prompt::EnterCode, "enter-code"),
    (Prompt::GoOn, "go-on"),
    (Prompt::WrongLength, "wrong-length"),
    (Prompt::Mistyped, "mistyped"),
    (Prompt::OneMoment, "one-moment"),
    (Prompt::ActivatedFor, "activated-for"),
    (Prompt::Activated, "activated"),
    (Prompt::Restarting, "restarting"),
    (Prompt::Goodbye, "goodbye"),
    (Prompt::NotInService, "not-in-service"),
    (Prompt::CodeUnknown, "code-unknown"),
    (Prompt::CodeUsed, "code-used"),
    (Prompt::CodeReplaced, "code-replaced"),
    (Prompt::CodeExpired, "code-expired"),
    (Prompt::CodeOtherModel, "code-other-model"),
    (Prompt::OwnerNotSaved, "owner-not-saved"),
    (Prompt::DeviceBarred, "device-barred"),
    (Prompt::DeviceHasPhone, "device-has-phone"),
    (Prompt::PhoneHasDevice, "phone-has-device"),
    (Prompt::PhoneUnknown, "phone-unknown"),
    (Prompt::TooManyTries, "too-many-tries"),
    (Prompt::ServerFailing, "server-failing"),
    (Prompt::WaitOneMinute, "wait-one-minute"),
    (Prompt::WaitFiveMinutes, "wait-five-minutes"),
    (Prompt::WaitFifteenMinutes, "wait-fifteen-minutes"),
    (Prompt::WaitOneHour, "wait-one-hour"),
    (Prompt::WaitFourHours, "wait-four-hours"),
    (Prompt::WaitOneDay, "wait-one-day"),
    (Prompt::Reference, "reference"),
    (Prompt::AnotherCode, "another-code"),
];

/// Digits, and the letters references are drawn from.
const CHARACTERS: [(char, &str); 30] = [
    ('0', "digit-0"),
    ('1', "digit-1"),
    ('2', "digit-2"),
    ('3', "digit-3"),
    ('4', "digit-4"),
    ('5', "digit-5"),
    ('6', "digit-6"),
    ('7', "digit-7"),
    ('8', "digit-8"),
    ('9', "digit-9"),
    ('A', "letter-a"),
    ('B', "letter-b"),
    ('D', "letter-d"),
    ('E', "letter-e"),
    ('F', "letter-f"),
    ('G', "letter-g"),
    ('H', "letter-h"),
    ('J', "letter-j"),
    ('K', "letter-k"),
    ('L', "letter-l"),
    ('M', "letter-m"),
    ('N', "letter-n"),
    ('P', "letter-p"),
    ('Q', "letter-q"),
    ('R', "letter-r"),
    ('T', "letter-t"),
    ('U', "letter-u"),
    ('W', "letter-w"),
    ('X', "letter-x"),
    ('Y', "letter-y"),
];

impl Spoken {
    /// The recording of a digit or letter; none for other characters, and for letters that no reference has.
    pub fn new(character: char) -> Option<Self> {
        let place = CHARACTERS.iter().position(|(known, _)| *known == character.to_ascii_uppercase())?;
        u8::try_from(place).ok().map(Self)
    }
}

impl Prompt {
    /// How many there are.
    pub const COUNT: usize = SENTENCES.len() + CHARACTERS.len();

    /// Every prompt, in the order of a pack.
    pub fn all() -> impl Iterator<Item = Self> {
        let spoken = CHARACTERS.iter().filter_map(|(character, _)| Spoken::new(*character)).map(Self::Spoken);
        SENTENCES.iter().map(|(prompt, _)| *prompt).chain(spoken)
    }

    /// The name in a pack's texts, and of its file.
    pub fn name(self) -> &'static str {
        let character = |spoken: Spoken| CHARACTERS.get(usize::from(spoken.0)).map(|(_, name)| *name);
        let name = match self {
            Self::Spoken(spoken) => character(spoken),
            sentence => SENTENCES.iter().find(|(known, _)| *known == sentence).map(|(_, name)| *name),
        };
        name.unwrap_or_default()
    }

    /// The place in a pack, below [`Self::COUNT`].
    pub(super) fn index(self) -> usize {
        match self {
            Self::Spoken(spoken) => SENTENCES.len().saturating_add(usize::from(spoken.0)),
            sentence => SENTENCES.iter().position(|(known, _)| *known == sentence).unwrap_or_default(),
        }
    }

    /// The digits and letters of a text; what has no recording is left out.
    pub(super) fn spelled(text: &str) -> impl Iterator<Item = Self> {
        text.chars().filter_map(Spoken::new).map(Self::Spoken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_prompt_has_a_name_and_a_place_of_its_own() {
        let names: BTreeSet<&str> = Prompt::all().map(Prompt::name).collect();

        assert_eq!(names.len(), Prompt::COUNT);
        assert!(!names.contains(""));
        assert!(Prompt::all().map(Prompt::index).eq(0..Prompt::COUNT));
    }

    #[test]
    fn a_reference_is_spelled_without_what_is_not_said() {
        let names: Vec<&str> = Prompt::spelled("7-kQ!").map(Prompt::name).collect();

        assert_eq!(names, ["digit-7", "letter-k", "letter-q"]);
    }
}
