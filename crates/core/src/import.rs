//! CSV files of users, devices and lines: how they are read, and what is wrong with a row.
//!
//! Decides columns, words and which rows are good on their own; the checks of single fields are those of
//! [`crate::entry`]. What only the database knows comes in as a [`Finding`]. Never holds a whole file.

pub mod csv;
mod header;
mod row;
mod sites;
#[cfg(test)]
mod tests;

pub use header::{Header, HeaderError, column_names, template};
pub use row::{ImportedRow, RowChecks, SECRET_COLUMN, cells_of, check_row};
pub use sites::Sites;

use crate::entry::FieldError;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// People.
    Users,
    /// Devices, from stock, for a user, or for a MAC.
    Devices,
    /// SIP lines of people who are there.
    Lines,
}

/// What is to become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// It is only checked.
    DryRun,
    /// Everything or, when one row is bad, nothing.
    AllOrNothing,
    /// The good rows.
    GoodRows,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportState {
    /// Rows come in and are checked.
    Receiving,
    /// Every row has its verdict; somebody is to say what becomes of them.
    Waiting,
    /// Rows are being applied.
    Applying,
    /// It ended as asked.
    Done,
    /// Nothing was applied because of bad rows.
    Refused,
    /// It ended before its time; its problem says what is applied.
    Broken,
}

/// What the database knows about a row that looked good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// An earlier row of the file says the same.
    InFile {
        /// The first such row.
        first: i64,
    },
    /// It is in the database already.
    Taken,
    /// Nobody at the site has the extension.
    NoUser,
    /// So many lines one person, or one of their phones, would have.
    Lines {
        /// How many.
        lines: i64,
        /// The model of one of their devices, if they have any.
        model: Option<String>,
    },
}

macro_rules! words {
    ($name:ident { $($variant:ident => $word:literal),* $(,)? }) => {
        impl $name {
            /// The word for the API, the command line and the store.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Reads what [`Self::as_str`] wrote.
            pub fn from_word(word: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|known| known.as_str() == word)
            }
        }
    };
}

words!(ImportKind { Users => "users", Devices => "devices", Lines => "lines" });
words!(ImportMode { DryRun => "dry-run", AllOrNothing => "all-or-nothing", GoodRows => "good-rows" });
words!(ImportState {
    Receiving => "receiving", Waiting => "waiting", Applying => "applying", Done => "done", Refused => "refused", Broken => "broken",
});

/// The same as a person reads it; `holds` is how many lines a model (or, for `None`, the largest) holds. `None` is no
/// fault at all.
pub fn fault_of(
    kind: ImportKind,
    finding: &Finding,
    holds: impl Fn(Option<&str>) -> Option<u32>,
) -> Option<FieldError> {
    let (field, thing) = match kind {
        ImportKind::Users => ("extension", "extension at this site"),
        ImportKind::Devices => ("mac", "MAC address"),
        ImportKind::Lines => ("sip-user", "line of this user"),
    };
    let fault = |field: &str, message: String| Some(FieldError { field: field.to_owned(), message });
    match finding {
        Finding::InFile { first } => {
            fault(field, format!("is also in row {first}: each {thing} may stand in the file once"))
        }
        Finding::Taken => {
            let what = match kind {
                ImportKind::Users => {
                    "somebody at this site has this extension already; choose another, or leave the row out"
                }
                ImportKind::Devices => "the account has a device for this MAC already; leave the row out",
                ImportKind::Lines => "the user has this line already; leave the row out",
            };
            fault(field, what.to_owned())
        }
        Finding::NoUser => {
            fault("extension", "nobody at this site has this extension; import the users first".to_owned())
        }
        Finding::Lines { lines, model } => {
            let most = holds(model.as_deref())?;
            if *lines <= i64::from(most) {
                return None;
            }
            let field = if kind == ImportKind::Devices { "extension" } else { "sip-user" };
            let phone = model.as_deref().map_or("the largest phone in the catalog".to_owned(), |id| format!("a {id}"));
            fault(field, format!("the user has {lines} SIP lines with this row; {phone} holds {most}"))
        }
    }
}
