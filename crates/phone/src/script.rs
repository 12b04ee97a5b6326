//! Scripts: what a person does at a phone, step by step, in words that a program carries out.
//!
//! Decides the line format ([`Script`]) and how it is carried out ([`Runner`]). A script presses real keys,
//! reads the display and clicks in the phone's own web pages; it has no other way into the phone but the
//! parts whose words say so (`given`, `expect flash`). Never knows a server's rule. The format is this project's.

mod parse;
mod picture;
mod print;
mod run;
mod statement;
mod watch;
mod web;
mod words;

pub use parse::{Mistake, ScriptError};
pub use picture::picture;
pub use run::{Bench, Failed, Runner, ScriptFailure, StepReport};
pub use statement::{
    Expectation, Given, Keys, Line, NetworkChange, OptionAnswer, Origin, Script, Statement, Text, Wanted, WebAct,
};
pub use words::BrokenLine;
