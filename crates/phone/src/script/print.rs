//! A script as text: what is written here reads back as the same script.
//!
//! Decides the one spelling of each statement. Never what it means.

use std::fmt;
use std::time::Duration;

use super::statement::{
    Expectation, Given, Keys, NetworkChange, OptionAnswer, Origin, Script, Statement, Text, Wanted, WebAct,
};
use super::words::Quote;

impl fmt::Display for Script {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(out, "{}", line.statement))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quote(&self.0).fmt(out)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        out.write_str(&texts.join(" or "))
    }
}

impl fmt::Display for Statement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Procedure(title) => write!(out, "procedure {title}"),
            Self::Models(models) => write!(out, "models {}", models.join(" ")),
            Self::Let(name, value) => write!(out, "let {name} {value}"),
            Self::Given(given) => write!(out, "given {given}"),
            Self::Step(number, words) => write!(out, "step {number} {words}"),
            Self::Press(keys) => write!(out, "press {}", spelled(keys)),
            Self::PressSoft(label) => write!(out, "press soft {label}"),
            Self::PressLine(label) => write!(out, "press line {label}"),
            Self::PressUntil(key, text) => write!(out, "press {key} until {text}"),
            Self::Hold(keys, time) => write!(out, "hold {} for {}", spelled(keys), Spelled(*time)),
            Self::Select(row) => write!(out, "select {row}"),
            Self::Type(text) => write!(out, "type {text}"),
            Self::MoveTo(row) => write!(out, "move to {row}"),
            Self::Clear => out.write_str("clear"),
            Self::Wait(time) => write!(out, "wait {}", Spelled(*time)),
            Self::Expect(what, None) => write!(out, "expect {what}"),
            Self::Expect(what, Some(time)) => write!(out, "expect {what} within {}", Spelled(*time)),
            Self::PowerOn => out.write_str("power on"),
            Self::PowerOff => out.write_str("power off"),
            Self::Network(change) => write!(out, "network {change}"),
            Self::ForgetRequests => out.write_str("forget requests"),
            Self::Web(act) => write!(out, "web {act}"),
        }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Firmware(version) => write!(out, "firmware {version}"),
            Self::Flash(name, value) => write!(out, "flash {name} {value}"),
            Self::Setting(name, value) => write!(out, "setting {name} {value}"),
            Self::Option(code, answer) => write!(out, "option {code} {answer}"),
            Self::NoCertificate => out.write_str("no certificate"),
            Self::NoTime => out.write_str("no time"),
        }
    }
}

impl fmt::Display for OptionAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(out),
            Self::Address(address) => address.fmt(out),
        }
    }
}

impl fmt::Display for NetworkChange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::With(code, answer) => write!(out, "option {code} {answer}"),
            Self::Without(code) => write!(out, "without {code}"),
            Self::Time(true) => out.write_str("time on"),
            Self::Time(false) => out.write_str("time off"),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(text) => text.fmt(out),
            Self::NotShown(text) => write!(out, "no {text}"),
            Self::Row(name, value) => write!(out, "row {name} {value}"),
            Self::Selected(text) => write!(out, "selected {text}"),
            Self::Soft(label) => write!(out, "soft {label}"),
            Self::LineKey(label) => write!(out, "line {label}"),
            Self::NoLineKey(label) => write!(out, "no line {label}"),
            Self::Asked(path) => write!(out, "server asked {path}"),
            Self::NotAsked(path) => write!(out, "server not asked {path}"),
            Self::Flash(name, value) => write!(out, "flash {name} {value}"),
            Self::NoFlash(name) => write!(out, "no flash {name}"),
            Self::Setting(name, value) => write!(out, "setting {name} {value}"),
            Self::NoSetting(name) => write!(out, "no setting {name}"),
            Self::Version(version) => write!(out, "version {version}"),
        }
    }
}

impl fmt::Display for WebAct {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login(user, password) => write!(out, "login {user} {password}"),
            Self::Open(way) => write!(out, "open {way}"),
            Self::Set(label, value) => write!(out, "set {label} {value}"),
            Self::Click(words) => write!(out, "click {words}"),
            Self::Refused(words) => write!(out, "click {words} refused"),
            Self::Expect(text) => write!(out, "expect {text}"),
            Self::ExpectNoField(label) => write!(out, "expect no field {label}"),
            Self::ExpectNo(text) => write!(out, "expect no {text}"),
        }
    }
}

/// A time as scripts spell it: whole seconds as `4s`, anything else as `1500ms`.
struct Spelled(Duration);

impl fmt::Display for Spelled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(out, "{}s", self.0.as_secs()),
            _ => write!(out, "{}ms", self.0.as_millis()),
        }
    }
}

fn spelled(keys: &Keys) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
