//! The words of one line: bare ones, and texts in quotes.
//!
//! Decides where a word ends. Never knows what a word means.

use std::fmt;

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// Without quotes.
    Bare(String),
    /// In quotes, which are taken off.
    Quoted(String),
}

/// A line whose words cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenLine {
    /// A text was opened and not closed.
    #[error("a text begins with \" and does not end; close it with another \"")]
    Unclosed,
    /// Something sticks to a text.
    #[error("leave a blank before and after a text in quotes")]
    Glued,
    /// A backslash before anything else than a quote or a backslash.
    #[error("in a text, write \\\" for a quote and \\\\ for a backslash; nothing else may follow a backslash")]
    Escape,
}

/// The words of a line; none when it is empty or a comment.
pub(super) fn words(line: &str) -> Result<Vec<Word>, BrokenLine> {
    let line = line.trim();
    let mut words = Vec::new();
    if line.starts_with('#') {
        return Ok(words);
    }
    let mut rest = line;
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => bare(rest)?,
        };
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

fn bare(text: &str) -> Result<(Word, &str), BrokenLine> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.contains('"') {
        return Err(BrokenLine::Glued);
    }
    Ok((Word::Bare(word.to_owned()), rest))
}

fn quoted(inside: &str) -> Result<(Word, &str), BrokenLine> {
    let mut text = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let rest = inside.get(at.saturating_add(1)..).unwrap_or_default();
                let glued = rest.chars().next().is_some_and(|next| !next.is_whitespace());
                return if glued { Err(BrokenLine::Glued) } else { Ok((Word::Quoted(text), rest)) };
            }
            '\\' => match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                _ => return Err(BrokenLine::Escape),
            },
            other => text.push(other),
        }
    }
    Err(BrokenLine::Unclosed)
}

/// A text as it stands in a script.
pub(super) struct Quote<'a>(pub(super) &'a str);

impl fmt::Display for Quote<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
