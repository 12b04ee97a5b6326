//! The menus of phones: what stands where, and what it shows or does.
//!
//! Decides that a row does exactly one thing. Never decides when: the virtual phone does.

use crate::fact::{Evidence, Origin};
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::VersionRange;

/// Where the menus begin, and the words beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuTree {
    /// Its word.
    pub id: String,
    /// Id of the [`Menu`] the Home or Menu key opens.
    pub main: String,
    /// Id of the [`Menu`] behind Setup in the count-down.
    pub setup: String,
    /// Id of the [`Menu`] that asks what becomes of what was changed.
    pub leave: String,
    /// The soft key that stops the start.
    pub stop: String,
    /// The soft key that opens the setup.
    pub enter_setup: String,
    /// The soft key that takes a password while the phone runs.
    pub accept_running: String,
    /// The soft key that takes a password, or a value, while it starts.
    pub accept: String,
    /// What a wrong password is answered with.
    pub wrong_password: String,
    /// What is asked before a reset.
    pub are_you_sure: String,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// One menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// Its word.
    pub id: String,
    /// Its head line.
    pub title: String,
    /// Whether the administrator password is asked for first.
    pub password: bool,
    /// Its rows, from the top.
    pub rows: Vec<MenuRow>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// One row of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuRow {
    /// Its text.
    pub title: String,
    /// What it is for.
    pub purpose: RowPurpose,
    /// The application versions that have it.
    pub firmware: VersionRange,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What a row is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowPurpose {
    /// Opens the menu with this id.
    Opens(String),
    /// Shows something of the phone.
    Shows(Shown),
    /// Does something.
    Does(MenuAction),
    /// Changes a parameter.
    Edits(Edit),
}

/// A parameter that a row changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The parameter.
    pub parameter: String,
    /// What is shown while it is not set.
    pub unset: Option<String>,
    /// How it is typed.
    pub form: EditForm,
}

/// How a value is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditForm {
    /// Any text.
    Text,
    /// Any text, masked.
    Secret,
    /// Digits alone.
    Number,
    /// One of a few, chosen with the arrows.
    Choice(Vec<Choice>),
}

/// One of a few values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is shown.
    pub shown: String,
    /// What is written.
    pub value: String,
    /// Other spellings of the same value, which configuration files use.
    pub also: Vec<String>,
}

/// Something of the phone that a row shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// The model's name.
    Model,
    /// The part number.
    Part,
    /// The MAC address.
    Mac,
    /// The address in the network.
    Address,
    /// What is known of the factory certificate.
    Certificate,
    /// The application's version.
    Application,
    /// The updater's version.
    Updater,
    /// The boot server in force.
    Server,
}

impl Word for Shown {
    const ALL: &'static [Self] = &[
        Self::Model,
        Self::Part,
        Self::Mac,
        Self::Address,
        Self::Certificate,
        Self::Application,
        Self::Updater,
        Self::Server,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Part => "part",
            Self::Mac => "mac",
            Self::Address => "address",
            Self::Certificate => "certificate",
            Self::Application => "application",
            Self::Updater => "updater",
            Self::Server => "server",
        }
    }
}

/// Something that a row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MenuAction {
    /// Restarts the phone.
    Restart,
    /// Reads the configuration again.
    UpdateConfiguration,
    /// Forgets what was changed in the menu.
    ResetLocal,
    /// Forgets what was changed in the web pages.
    ResetWeb,
    /// Forgets the device parameters.
    ResetDevice,
    /// Forgets the files.
    FormatFileSystem,
    /// Forgets everything.
    ResetToFactory,
    /// Asks for a new administrator password.
    ChangeAdminPassword,
    /// Keeps what was changed and restarts.
    SaveAndReboot,
    /// Goes on without what was changed.
    Discard,
}

impl Word for MenuAction {
    const ALL: &'static [Self] = &[
        Self::Restart,
        Self::UpdateConfiguration,
        Self::ResetLocal,
        Self::ResetWeb,
        Self::ResetDevice,
        Self::FormatFileSystem,
        Self::ResetToFactory,
        Self::ChangeAdminPassword,
        Self::SaveAndReboot,
        Self::Discard,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::UpdateConfiguration => "update-configuration",
            Self::ResetLocal => "reset-local",
            Self::ResetWeb => "reset-web",
            Self::ResetDevice => "reset-device",
            Self::FormatFileSystem => "format-file-system",
            Self::ResetToFactory => "reset-to-factory",
            Self::ChangeAdminPassword => "change-admin-password",
            Self::SaveAndReboot => "save-and-reboot",
            Self::Discard => "discard",
        }
    }
}

/// How a value is typed, as a file says it.
#[derive(Debug, Clone, Copy)]
enum FormWord {
    Text,
    Secret,
    Number,
    Choice,
}

impl Word for FormWord {
    const ALL: &'static [Self] = &[Self::Text, Self::Secret, Self::Number, Self::Choice];

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "secret",
            Self::Number => "number",
            Self::Choice => "choice",
        }
    }
}

impl MenuTree {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let (main, setup) = (fields.required_text("main"), fields.required_text("setup"));
        let leave = fields.required_text("leave");
        let (stop, enter_setup) = (fields.required_text("stop"), fields.required_text("enter-setup"));
        let (accept_running, accept) = (fields.required_text("accept-running"), fields.required_text("accept"));
        let wrong_password = fields.required_text("wrong-password");
        let are_you_sure = fields.required_text("are-you-sure");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self {
            id: id?,
            main: main?,
            setup: setup?,
            leave: leave?,
            stop: stop?,
            enter_setup: enter_setup?,
            accept_running: accept_running?,
            accept: accept?,
            wrong_password: wrong_password?,
            are_you_sure: are_you_sure?,
            source,
            evidence,
            note,
        })
    }
}

/// A row whose origin, when it names none, is its menu's.
struct WrittenRow {
    title: String,
    purpose: RowPurpose,
    firmware: VersionRange,
    origin: Option<Origin>,
}

impl Menu {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let title = fields.required_text("title");
        let password = fields.optional("password").unwrap_or_default();
        let rows: Option<Vec<WrittenRow>> = fields.required("rows");
        let origin = fields.origin();
        fields.finish();
        let (id, title, origin) = (id?, title?, origin?);
        let rows = rows?.into_iter().map(|row| row.with_origin_of(&origin)).collect();
        let Origin { source, evidence, note } = origin;
        Some(Self { id, title, password, rows, source, evidence, note })
    }
}

impl WrittenRow {
    fn with_origin_of(self, menu: &Origin) -> MenuRow {
        let Origin { source, evidence, note } =
            self.origin.unwrap_or_else(|| Origin { source: menu.source.clone(), evidence: menu.evidence, note: None });
        let Self { title, purpose, firmware, .. } = self;
        MenuRow { title, purpose, firmware, source, evidence, note }
    }
}

impl Readable for WrittenRow {
    const EXPECTED: &'static str = "a table { title } with one of `opens`, `shows`, `does`, `edits`";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let title = fields.required_text("title");
        let firmware = fields.optional("firmware").unwrap_or_default();
        let opens = fields.optional("opens").map(RowPurpose::Opens);
        let shows = fields.optional("shows").map(RowPurpose::Shows);
        let does = fields.optional("does").map(RowPurpose::Does);
        let edits = read_edit(&mut fields).map(RowPurpose::Edits);
        let own_origin = fields.has("source") || fields.has("evidence") || fields.has("note");
        let origin = if own_origin { fields.origin() } else { None };
        let count = ["opens", "shows", "does", "edits"].iter().filter(|key| fields.has(key)).count();
        if count != 1 {
            let expected = "exactly one of `opens`, `shows`, `does`, `edits`";
            fields.refuse("title", Problem::Malformed { found: title.clone().unwrap_or_default(), expected });
        }
        fields.finish();
        let purpose = opens.or(shows).or(does).or(edits)?;
        Some(Self { title: title?, purpose, firmware, origin })
    }
}

fn read_edit(fields: &mut Reader<'_>) -> Option<Edit> {
    let parameter: Option<String> = fields.optional("edits");
    let form = fields.optional("form");
    let choices: Option<Vec<Choice>> = fields.optional("choices");
    let unset = fields.optional("unset");
    for key in ["form", "choices", "unset"] {
        if parameter.is_none() && fields.has(key) {
            fields.refuse(key, Problem::Missing { key: "edits".to_owned() });
        }
    }
    let parameter = parameter?;
    if matches!(form, Some(FormWord::Choice)) != choices.is_some() {
        fields.refuse("edits", Problem::Missing { key: "form = \"choice\" together with choices".to_owned() });
    }
    let form = match (form, choices) {
        (Some(FormWord::Choice) | None, Some(choices)) => EditForm::Choice(choices),
        (Some(FormWord::Secret), _) => EditForm::Secret,
        (Some(FormWord::Number), _) => EditForm::Number,
        (Some(FormWord::Text), _) => EditForm::Text,
        _ => {
            fields.refuse("edits", Problem::Missing { key: "form".to_owned() });
            return None;
        }
    };
    Some(Edit { parameter, unset, form })
}

impl Readable for Choice {
    const EXPECTED: &'static str = "a table { shown, value, also }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let (shown, value) = (fields.required_text("shown"), fields.required_text("value"));
        let also = fields.optional("also").unwrap_or_default();
        fields.finish();
        Some(Self { shown: shown?, value: value?, also })
    }
}
