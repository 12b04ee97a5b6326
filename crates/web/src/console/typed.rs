//! A form as it was typed, with what is wrong with each field: it comes back with both until it is good.
//!
//! Decides nothing about what was typed: faults are the app crate's, and stand beside the field they name.

use super::answer::{Trouble, reference_of, to};
use super::gate::Posted;
use super::parts::Field;
use super::sessions::Notice;
use axum::response::Response;
use provost_app::AppError;
use provost_core::entry::{FieldError, FieldErrors};
use std::collections::BTreeMap;

/// Fields by the names the app crate gives them.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    fields: BTreeMap<String, Field>,
    /// What is wrong with no field in particular.
    pub(super) problems: Vec<String>,
}

impl Typed {
    /// What was sent, without space around it.
    pub(super) fn of(posted: &Posted) -> Self {
        let mut typed = Self::default();
        for (name, text) in posted.pairs() {
            typed.fields.entry(name.to_owned()).or_insert_with(|| Field::typed(text));
        }
        typed
    }

    /// The same with this in a field.
    #[must_use]
    pub(super) fn with(mut self, name: impl Into<String>, text: impl AsRef<str>) -> Self {
        self.fields.insert(name.into(), Field::typed(text.as_ref()));
        self
    }

    /// The field of this name, for a template.
    pub(super) fn field(&self, name: &str) -> Field {
        self.fields.get(name).cloned().unwrap_or_default()
    }

    /// What was typed; empty where the form has no such field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |field| field.typed.as_str())
    }

    /// What was typed, if anything was.
    pub(super) fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Reads a number, or says beside the field that it is none.
    pub(super) fn number<T: std::str::FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.given(name)?;
        let number = text.parse().ok();
        if number.is_none() {
            self.fault(name, "is no number that is possible here; write digits only");
        }
        number
    }

    /// Says what is wrong with a field.
    pub(super) fn fault(&mut self, name: &str, message: &str) {
        self.take(FieldErrors(vec![FieldError { field: name.to_owned(), message: message.to_owned() }]));
    }

    /// Whether something is wrong with it.
    pub(super) fn has_errors(&self) -> bool {
        !self.problems.is_empty() || self.fields.values().any(|field| field.error.is_some())
    }

    /// The form with what is wrong with it; what is no matter of the form goes on as trouble.
    pub(super) fn refused(mut self, error: AppError) -> Result<Self, Trouble> {
        match error {
            AppError::Fields(errors) => self.take(errors),
            AppError::Conflict { .. } | AppError::NotFound { .. } | AppError::Refused { .. } => {
                self.problems.push(sentence(&error.to_string()));
            }
            error => return Err(error.into()),
        }
        Ok(self)
    }

    fn take(&mut self, FieldErrors(errors): FieldErrors) {
        let mut is_first = !self.has_errors();
        for FieldError { field: name, message } in errors {
            let field = self.fields.entry(name).or_default();
            field.error = Some(field.error.take().map_or(message.clone(), |before| format!("{before}; {message}")));
            field.is_first |= std::mem::take(&mut is_first);
        }
    }

    /// Faults of fields that the page does not have are told above the form.
    #[must_use]
    pub(super) fn shown_as(mut self, has: impl Fn(&str) -> bool) -> Self {
        for (name, field) in &mut self.fields {
            if !has(name)
                && let Some(error) = field.error.take()
            {
                self.problems.push(sentence(&format!("{name} {error}")));
            }
        }
        self
    }
}

/// A message of the app crate as a sentence.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().map(|letter| letter.to_uppercase().collect()).unwrap_or_default();
    let end = if message.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// Back to a page that says once how it went: a refusal is told there too.
pub(super) fn told(posted: &Posted, done: Result<String, AppError>, next: &str) -> Result<Response, Trouble> {
    let notice = match done {
        Ok(words) => Notice::good(words),
        Err(error @ (AppError::Refused { .. } | AppError::Conflict { .. } | AppError::Fields(_))) => {
            Notice::bad(sentence(&error.to_string()), reference_of(&error))
        }
        Err(error) => return Err(error.into()),
    };
    posted.by.leave_notice(notice);
    Ok(to(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(faults: &[(&str, &str)]) -> AppError {
        let fault =
            |(field, message): &(&str, &str)| FieldError { field: (*field).to_owned(), message: (*message).to_owned() };
        FieldErrors(faults.iter().map(fault).collect()).into()
    }

    #[test]
    fn every_fault_stands_beside_its_field_and_the_first_takes_the_keyboard() {
        let typed = Typed::default().with("name", "").with("extension", "x y");
        let typed = typed.refused(fields(&[("extension", "has a space"), ("name", "is empty"), ("name", "is short")]));
        let typed = typed.unwrap();

        assert_eq!(typed.field("name").error.as_deref(), Some("is empty; is short"));
        assert_eq!((typed.field("extension").is_first, typed.field("name").is_first), (true, false));
        assert_eq!(typed.text("extension"), "x y");
    }

    #[test]
    fn a_fault_of_a_field_that_is_not_on_the_page_is_a_sentence_above_it() {
        let typed = Typed::default().refused(fields(&[("lines", "5 lines; the largest holds 4")])).unwrap();

        let typed = typed.shown_as(|name| name == "name");

        assert_eq!(typed.problems, ["Lines 5 lines; the largest holds 4."]);
    }

    #[test]
    fn a_number_that_is_none_is_said_beside_it() {
        let mut typed = Typed::default().with("vlan", "ten");

        assert_eq!(typed.number::<u32>("vlan"), None);
        assert!(typed.field("vlan").error.is_some());
        assert_eq!(Typed::default().number::<u32>("vlan"), None);
    }
}
