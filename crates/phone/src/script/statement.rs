//! What a script consists of.
//!
//! Decides the vocabulary: one variant for each kind of line. Never how a line is carried out.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::handset::Key;

/// A script as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it is called in messages, usually its file.
    pub name: String,
    /// Its lines in order, without comments and empty ones.
    pub lines: Vec<Line>,
}

/// A line with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// What it says.
    pub statement: Statement,
}

/// A text that may hold variables: `{mac}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `procedure "TITLE"`: what the script does, in the words of whoever wrote it first.
    Procedure(Text),
    /// `models vvx450 vvx500`: what it is for.
    Models(Vec<String>),
    /// `let NAME "VALUE"`: the value of a variable, unless the caller gave it one.
    Let(String, Text),
    /// `given ...`: how the phone is before it gets power.
    Given(Given),
    /// `step 4 "WORDS"`: the step of the procedure that the lines below carry out.
    Step(String, Text),
    /// `press home`, `press 1 2 3`: short presses, one after another.
    Press(Keys),
    /// `press soft "Enter"`: the soft key with this label.
    PressSoft(Wanted),
    /// `press line "Activate"`: the line key with this label.
    PressLine(Wanted),
    /// `press right until "HTTPS"`: one key until the display shows a text.
    PressUntil(Key, Wanted),
    /// `hold 1 3 5 for 4s`: keys pressed together.
    Hold(Keys, Duration),
    /// `select "Settings" or "Setup"`: moves to a row with the arrow keys and presses Select.
    Select(Wanted),
    /// `move to "Server Type"`: the same without pressing Select.
    MoveTo(Wanted),
    /// `type "456"`: writes a text into the field on the display.
    Type(Text),
    /// `clear`: takes away what stands in the field on the display.
    Clear,
    /// `wait 2s`: of the phone's time.
    Wait(Duration),
    /// `wait until ... within 60s`, or `expect ...`: something that must come true.
    Expect(Expectation, Option<Duration>),
    /// `power on`.
    PowerOn,
    /// `power off`.
    PowerOff,
    /// `network ...`: the phone's cable ends in a network that answers otherwise.
    Network(NetworkChange),
    /// `forget requests`: what was asked of servers until now counts no more.
    ForgetRequests,
    /// `web ...`: something done in the phone's own web pages.
    Web(WebAct),
}

/// Keys in order.
pub type Keys = Vec<Key>;

/// One text or another: `"Admin Settings" or "Administration Settings"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted(pub Vec<Text>);

/// How the phone is before it gets power.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// `given firmware "3.3.5"`.
    Firmware(Text),
    /// `given flash NAME "VALUE"`: a device value.
    Flash(String, Text),
    /// `given setting NAME "VALUE"`: what somebody set at its menu earlier.
    Setting(String, Text),
    /// `given option 160 "URL"`: what its network answers from the first start on.
    Option(u8, OptionAnswer),
    /// `given no certificate`.
    NoCertificate,
    /// `given no time`: its network names no time server.
    NoTime,
}

/// What a DHCP server says in an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionAnswer {
    /// A text.
    Text(Text),
    /// The four bytes of an address.
    Address(std::net::Ipv4Addr),
}

/// How the network changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkChange {
    /// `network option 161 "URL"`.
    With(u8, OptionAnswer),
    /// `network without 161`.
    Without(u8),
    /// `network time on`, `network time off`: whether it names a time server.
    Time(bool),
}

/// What must be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// A text stands on the display.
    Shown(Wanted),
    /// A text does not stand there.
    NotShown(Text),
    /// `row "Server Type" "HTTPS"`: a row with this value.
    Row(Text, Text),
    /// `selected "Status"`: the row the cursor is on.
    Selected(Text),
    /// `soft "Setup"`: a soft key.
    Soft(Text),
    /// `line "Activate"`: a line key.
    LineKey(Text),
    /// `no line "Activate"`.
    NoLineKey(Text),
    /// `server asked "/0004f2000001.cfg"`, or `"GET /0004f2000001.cfg 200"`.
    Asked(Text),
    /// `server not asked ...`.
    NotAsked(Text),
    /// `flash device.prov.serverName "..."`: a device value the phone keeps.
    Flash(String, Text),
    /// `no flash device.prov.serverName`.
    NoFlash(String),
    /// `setting lcl.datetime.date.format "..."`: a value in force.
    Setting(String, Text),
    /// `no setting NAME`.
    NoSetting(String),
    /// `version "4.0.15"`: what it runs begins so.
    Version(Text),
}

/// What a person does in the phone's web pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebAct {
    /// `web login "Polycom" "456"`.
    Login(Text, Text),
    /// `web open "Settings > Provisioning Server"`: follows links by their words.
    Open(Text),
    /// `web set "Server Type" "HTTPS"`: fills a field by its label.
    Set(Text, Text),
    /// `web click "Save"`: a button or a link.
    Click(Text),
    /// `web click "Save" refused`: the phone must not take the form; what it says about that can be read next.
    Refused(Text),
    /// `web expect "..."`: the page says so.
    Expect(Text),
    /// `web expect no "..."`.
    ExpectNo(Text),
    /// `web expect no field "Boot Server"`.
    ExpectNoField(Text),
}

/// Where a script comes from, for its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The script's name.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
}

impl Script {
    /// What it does, if it says so.
    pub fn title(&self) -> Option<&str> {
        self.lines.iter().find_map(|line| match &line.statement {
            Statement::Procedure(title) => Some(title.0.as_str()),
            _ => None,
        })
    }

    /// The models it is for; none means any.
    pub fn models(&self) -> Vec<&str> {
        let named = self.lines.iter().filter_map(|line| match &line.statement {
            Statement::Models(models) => Some(models),
            _ => None,
        });
        named.flatten().map(String::as_str).collect()
    }

    /// Everything it takes for granted before the phone gets power.
    pub fn givens(&self) -> impl Iterator<Item = (usize, &Given)> {
        self.lines.iter().filter_map(|line| match &line.statement {
            Statement::Given(given) => Some((line.number, given)),
            _ => None,
        })
    }

    /// The variables it gives a value to itself.
    pub fn defaults(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.lines.iter().filter_map(|line| match &line.statement {
            Statement::Let(name, value) => Some((name.as_str(), value)),
            _ => None,
        })
    }
}

impl Statement {
    /// Every text of the statement.
    pub(super) fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Procedure(text) | Self::Let(_, text) | Self::Step(_, text) | Self::Type(text) => vec![text],
            Self::PressSoft(wanted)
            | Self::PressLine(wanted)
            | Self::PressUntil(_, wanted)
            | Self::Select(wanted)
            | Self::MoveTo(wanted) => wanted.0.iter().collect(),
            Self::Given(given) => given.texts(),
            Self::Expect(what, _) => what.texts(),
            Self::Network(NetworkChange::With(_, OptionAnswer::Text(text))) => vec![text],
            Self::Web(act) => act.texts(),
            Self::Models(_) | Self::Press(_) | Self::Hold(..) | Self::Wait(_) | Self::PowerOn | Self::PowerOff => {
                vec![]
            }
            Self::Network(_) | Self::ForgetRequests | Self::Clear => vec![],
        }
    }
}

impl Given {
    fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Firmware(text) | Self::Flash(_, text) | Self::Setting(_, text) => vec![text],
            Self::Option(_, OptionAnswer::Text(text)) => vec![text],
            Self::Option(..) | Self::NoCertificate | Self::NoTime => vec![],
        }
    }
}

impl Expectation {
    fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Shown(wanted) => wanted.0.iter().collect(),
            Self::Row(name, value) => vec![name, value],
            Self::NoLineKey(text)
            | Self::NotShown(text)
            | Self::Selected(text)
            | Self::Soft(text)
            | Self::LineKey(text) => vec![text],
            Self::Asked(text) | Self::NotAsked(text) | Self::Version(text) => vec![text],
            Self::Flash(_, text) | Self::Setting(_, text) => vec![text],
            Self::NoFlash(_) | Self::NoSetting(_) => vec![],
        }
    }
}

impl WebAct {
    fn texts(&self) -> Vec<&Text> {
        match self {
            Self::Login(first, second) | Self::Set(first, second) => vec![first, second],
            Self::Open(text) | Self::Click(text) | Self::Refused(text) | Self::Expect(text) => vec![text],
            Self::ExpectNo(text) | Self::ExpectNoField(text) => vec![text],
        }
    }
}

impl Text {
    /// The text with its variables replaced.
    ///
    /// # Errors
    /// The name of the first variable that has no value.
    pub fn fill(&self, variables: &BTreeMap<String, String>) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            match after.split_once('}').filter(|(name, _)| is_variable(name)) {
                Some((name, behind)) => {
                    filled.push_str(variables.get(name).ok_or(name)?);
                    rest = behind;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// Whether something can be the name of a variable: small letters, digits and dashes, a letter first.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_replaced_and_anything_else_in_braces_stays() {
        let variables = BTreeMap::from([("mac".to_owned(), "0004f2000001".to_owned())]);
        let fill = |text: &str| Text(text.to_owned()).fill(&variables);

        assert_eq!(fill("/{mac}.cfg").unwrap(), "/0004f2000001.cfg");
        assert_eq!(fill("{ {x{mac} {}").unwrap(), "{ {x0004f2000001 {}");
        assert_eq!(fill("{code}").unwrap_err(), "code");
    }
}
