//! Reads a script.
//!
//! Decides which lines are one and says what is wrong with the others, all at once, each with its place. Never
//! carries anything out; no text makes it panic.

use std::fmt;
use std::time::Duration;

use super::statement::{
    Expectation, Given, Keys, Line, NetworkChange, OptionAnswer, Origin, Script, Statement, Text, Wanted, WebAct,
    is_variable,
};
use super::words::{BrokenLine, Word, words};
use crate::handset::Key;

/// The longest wait a script may ask for: a day.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Everything that is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptError(pub Vec<(Origin, Mistake)>);

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// Its words cannot be told apart.
    #[error(transparent)]
    Broken(#[from] BrokenLine),
    /// It begins with no word of the language.
    #[error("`{found}` begins no line of a script; these do: {known}", known = BEGINNINGS.join(", "))]
    Beginning {
        /// The word.
        found: String,
    },
    /// Something else must stand there.
    #[error("{wanted} is wanted here, not {found}")]
    Wanted {
        /// What must stand there.
        wanted: &'static str,
        /// What stands there.
        found: String,
    },
}

const BEGINNINGS: [&str; 18] = [
    "procedure",
    "models",
    "let",
    "given",
    "step",
    "press",
    "hold",
    "select",
    "move",
    "type",
    "clear",
    "wait",
    "expect",
    "power",
    "network",
    "forget",
    "web",
    "#",
];

impl Script {
    /// Reads a script; `name` is what messages call it.
    ///
    /// # Errors
    /// [`ScriptError`] with every line that is none.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let mut lines = Vec::new();
        let mut mistakes = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            match statement(line) {
                Ok(None) => {}
                Ok(Some(statement)) => lines.push(Line { number, statement }),
                Err(mistake) => mistakes.push((Origin { file: name.to_owned(), line: number }, mistake)),
            }
        }
        if mistakes.is_empty() { Ok(Self { name: name.to_owned(), lines }) } else { Err(ScriptError(mistakes)) }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(|(origin, mistake)| format!("{origin}: {mistake}")).collect();
        out.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ScriptError {}

fn statement(line: &str) -> Result<Option<Statement>, Mistake> {
    let words = words(line)?;
    let mut rest = Rest(&words);
    let Some(first) = rest.next() else { return Ok(None) };
    let Word::Bare(verb) = first else { return Err(Mistake::Beginning { found: shown(Some(first)) }) };
    let statement = match verb.as_str() {
        "procedure" => Statement::Procedure(rest.text("the procedure's title in quotes")?),
        "models" => Statement::Models(rest.models()?),
        "let" => Statement::Let(rest.variable()?, rest.text("the variable's value in quotes")?),
        "given" => Statement::Given(rest.given()?),
        "step" => Statement::Step(rest.bare("the step's number")?, rest.text("the step's words in quotes")?),
        "press" => rest.press()?,
        "hold" => {
            let keys = rest.keys()?;
            rest.word("for")?;
            Statement::Hold(keys, rest.time()?)
        }
        "select" => Statement::Select(rest.texts("the row's words in quotes")?),
        "move" => {
            rest.word("to")?;
            Statement::MoveTo(rest.texts("the row's words in quotes")?)
        }
        "type" => Statement::Type(rest.text("the text to type in quotes")?),
        "clear" => Statement::Clear,
        "wait" if rest.take("until") => Statement::Expect(rest.expectation()?, rest.within()?),
        "wait" => Statement::Wait(rest.time()?),
        "expect" => Statement::Expect(rest.expectation()?, rest.within()?),
        "power" if rest.take("on") => Statement::PowerOn,
        "power" if rest.take("off") => Statement::PowerOff,
        "power" => return Err(rest.wanted("`on` or `off`")),
        "network" => Statement::Network(rest.network()?),
        "forget" => {
            rest.word("requests")?;
            Statement::ForgetRequests
        }
        "web" => Statement::Web(rest.web()?),
        _ => return Err(Mistake::Beginning { found: verb.clone() }),
    };
    match rest.0.is_empty() {
        true => Ok(Some(statement)),
        false => Err(rest.wanted("the end of the line")),
    }
}

/// What is left of a line.
struct Rest<'a>(&'a [Word]);

impl<'a> Rest<'a> {
    fn next(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn wanted(&self, wanted: &'static str) -> Mistake {
        Mistake::Wanted { wanted, found: shown(self.0.first()) }
    }

    /// Takes a bare word if it is the next one.
    fn take(&mut self, word: &str) -> bool {
        let here = matches!(self.0.first(), Some(Word::Bare(found)) if found == word);
        if here {
            self.next();
        }
        here
    }

    fn word(&mut self, word: &'static str) -> Result<(), Mistake> {
        if self.take(word) { Ok(()) } else { Err(self.wanted(spelled(word))) }
    }

    fn bare(&mut self, wanted: &'static str) -> Result<String, Mistake> {
        match self.0.first() {
            Some(Word::Bare(word)) => {
                self.next();
                Ok(word.clone())
            }
            _ => Err(self.wanted(wanted)),
        }
    }

    fn text(&mut self, wanted: &'static str) -> Result<Text, Mistake> {
        match self.0.first() {
            Some(Word::Quoted(text)) => {
                self.next();
                Ok(Text(text.clone()))
            }
            _ => Err(self.wanted(wanted)),
        }
    }

    fn texts(&mut self, wanted: &'static str) -> Result<Wanted, Mistake> {
        let mut texts = vec![self.text(wanted)?];
        while self.take("or") {
            texts.push(self.text("another text in quotes")?);
        }
        Ok(Wanted(texts))
    }

    fn models(&mut self) -> Result<Vec<String>, Mistake> {
        let mut models = vec![self.bare("a model's id")?];
        while !self.0.is_empty() {
            models.push(self.bare("a model's id")?);
        }
        Ok(models)
    }

    fn variable(&mut self) -> Result<String, Mistake> {
        const WANTED: &str = "a variable's name of small letters, digits and dashes";
        let here = self.wanted(WANTED);
        let name = self.bare(WANTED)?;
        if is_variable(&name) { Ok(name) } else { Err(here) }
    }

    /// A key of one word (`home`, `5`) or of two (`soft 1`, `off hook`).
    fn key(&mut self) -> Option<Key> {
        let bare = |word: &Word| match word {
            Word::Bare(word) => Some(word.clone()),
            Word::Quoted(_) => None,
        };
        let (first, second) = (self.0.first().and_then(bare)?, self.0.get(1).and_then(bare));
        let both = second.and_then(|second| format!("{first} {second}").parse().ok());
        let (key, length) = match both {
            Some(key) => (key, 2),
            None => (first.parse().ok()?, 1),
        };
        self.0 = self.0.get(length..).unwrap_or_default();
        Some(key)
    }

    fn keys(&mut self) -> Result<Keys, Mistake> {
        let mut keys = Vec::new();
        while let Some(key) = self.key() {
            keys.push(key);
        }
        if keys.is_empty() {
            Err(self.wanted("a key such as `home`, `select`, `5`, `*` or `soft 1`"))
        } else {
            Ok(keys)
        }
    }

    fn press(&mut self) -> Result<Statement, Mistake> {
        let labeled = matches!(self.0.get(1), Some(Word::Quoted(_)));
        if labeled && self.take("soft") {
            return Ok(Statement::PressSoft(self.texts("the soft key's label in quotes")?));
        }
        if labeled && self.take("line") {
            return Ok(Statement::PressLine(self.texts("the line key's label in quotes")?));
        }
        let keys = self.keys()?;
        if let [key] = keys.as_slice() {
            let key = *key;
            if self.take("until") {
                return Ok(Statement::PressUntil(key, self.texts("the text to be seen in quotes")?));
            }
        }
        Ok(Statement::Press(keys))
    }

    fn time(&mut self) -> Result<Duration, Mistake> {
        const WANTED: &str = "a time such as `4s`, `500ms` or `2m`, a day at most";
        let here = self.wanted(WANTED);
        let word = self.bare(WANTED)?;
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = word.split_at(digits);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return Err(here),
        };
        let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        let time = millis.map(Duration::from_millis).filter(|time| *time <= LONGEST_WAIT);
        time.ok_or(here)
    }

    fn within(&mut self) -> Result<Option<Duration>, Mistake> {
        if self.take("within") { self.time().map(Some) } else { Ok(None) }
    }

    fn given(&mut self) -> Result<Given, Mistake> {
        const WANTED: &str = "`firmware`, `flash`, `setting`, `option`, `no certificate` or `no time`";
        let here = self.wanted(WANTED);
        Ok(match self.bare(WANTED)?.as_str() {
            "firmware" => Given::Firmware(self.text("a version in quotes")?),
            "flash" => Given::Flash(self.bare("a parameter's name")?, self.text("its value in quotes")?),
            "setting" => Given::Setting(self.bare("a parameter's name")?, self.text("its value in quotes")?),
            "option" => Given::Option(self.option()?, self.answer()?),
            "no" if self.take("certificate") => Given::NoCertificate,
            "no" if self.take("time") => Given::NoTime,
            _ => return Err(here),
        })
    }

    fn option(&mut self) -> Result<u8, Mistake> {
        const WANTED: &str = "an option's number, 1 to 254";
        let here = self.wanted(WANTED);
        let number = self.bare(WANTED)?;
        number.parse().ok().filter(|code| (1..=254).contains(code)).ok_or(here)
    }

    fn answer(&mut self) -> Result<OptionAnswer, Mistake> {
        const WANTED: &str = "what the option says: a text in quotes, or an IPv4 address without";
        let here = self.wanted(WANTED);
        match self.next() {
            Some(Word::Quoted(text)) => Ok(OptionAnswer::Text(Text(text.clone()))),
            Some(Word::Bare(word)) => word.parse().map(OptionAnswer::Address).map_err(|_| here),
            None => Err(here),
        }
    }

    fn network(&mut self) -> Result<NetworkChange, Mistake> {
        const WANTED: &str = "`option`, `without`, `time on` or `time off`";
        let here = self.wanted(WANTED);
        Ok(match self.bare(WANTED)?.as_str() {
            "option" => NetworkChange::With(self.option()?, self.answer()?),
            "without" => NetworkChange::Without(self.option()?),
            "time" if self.take("on") => NetworkChange::Time(true),
            "time" if self.take("off") => NetworkChange::Time(false),
            _ => return Err(here),
        })
    }

    fn expectation(&mut self) -> Result<Expectation, Mistake> {
        const WANTED: &str =
            "a text in quotes, `no`, `row`, `selected`, `soft`, `line`, `server`, `flash`, `setting` or `version`";
        if let Some(Word::Quoted(_)) = self.0.first() {
            return self.texts("a text in quotes").map(Expectation::Shown);
        }
        let here = self.wanted(WANTED);
        Ok(match self.bare(WANTED)?.as_str() {
            "no" if self.take("flash") => Expectation::NoFlash(self.bare("a parameter's name")?),
            "no" if self.take("setting") => Expectation::NoSetting(self.bare("a parameter's name")?),
            "no" if self.take("line") => Expectation::NoLineKey(self.text("the line key's label in quotes")?),
            "no" => Expectation::NotShown(self.text("a text in quotes, `line`, `flash` or `setting`")?),
            "row" => Expectation::Row(self.text("the row's words in quotes")?, self.text("its value in quotes")?),
            "selected" => Expectation::Selected(self.text("the row's words in quotes")?),
            "soft" => Expectation::Soft(self.text("the soft key's label in quotes")?),
            "line" => Expectation::LineKey(self.text("the line key's label in quotes")?),
            "server" if self.take("asked") => Expectation::Asked(self.text("a path in quotes")?),
            "server" if self.take("not") => {
                self.word("asked")?;
                Expectation::NotAsked(self.text("a path in quotes")?)
            }
            "server" => return Err(self.wanted("`asked` or `not asked`")),
            "flash" => Expectation::Flash(self.bare("a parameter's name")?, self.text("its value in quotes")?),
            "setting" => Expectation::Setting(self.bare("a parameter's name")?, self.text("its value in quotes")?),
            "version" => Expectation::Version(self.text("the beginning of a version in quotes")?),
            _ => return Err(here),
        })
    }

    fn web(&mut self) -> Result<WebAct, Mistake> {
        const WANTED: &str = "`login`, `open`, `set`, `click` or `expect`";
        let here = self.wanted(WANTED);
        Ok(match self.bare(WANTED)?.as_str() {
            "login" => WebAct::Login(self.text("a user in quotes")?, self.text("a password in quotes")?),
            "open" => WebAct::Open(self.text("links in quotes, with > between them")?),
            "set" => WebAct::Set(self.text("a field's label in quotes")?, self.text("its value in quotes")?),
            "click" => {
                let words = self.text("a button's words in quotes")?;
                if self.take("refused") { WebAct::Refused(words) } else { WebAct::Click(words) }
            }
            "expect" if self.take("no") => match self.take("field") {
                true => WebAct::ExpectNoField(self.text("a field's label in quotes")?),
                false => WebAct::ExpectNo(self.text("a text in quotes, or `field`")?),
            },
            "expect" => WebAct::Expect(self.text("a text in quotes, or `no`")?),
            _ => return Err(here),
        })
    }
}

const fn spelled(word: &'static str) -> &'static str {
    match word.as_bytes() {
        b"for" => "`for` and a time",
        b"asked" => "`asked`",
        b"to" => "`to`",
        _ => "`requests`",
    }
}

fn shown(word: Option<&Word>) -> String {
    match word {
        None => "the end of the line".to_owned(),
        Some(Word::Bare(word)) => format!("`{word}`"),
        Some(Word::Quoted(text)) => format!("the text \"{text}\""),
    }
}

#[cfg(test)]
mod tests;
