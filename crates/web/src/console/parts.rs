//! What several pages share: their frame, choices, fields, the form for an activation code.

use super::gate::SignedIn;
use super::menu::{Group, menu};
use super::sessions::Notice;
use provost_app::Actor;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::rights::{Right, Scope};

/// What is around every page.
#[derive(Default)]
pub(super) struct Frame {
    /// The page's own title.
    pub(super) title: String,
    /// What forms carry; empty when nobody is signed in.
    pub(super) csrf: String,
    /// Something to tell once.
    pub(super) notice: Option<Notice>,
    /// What buttons there are.
    pub(super) may: May,
    /// Which page of the menu it is, as its address without the slash.
    pub(super) at: &'static str,
    /// Whether a password has to be chosen before anything else, so that no page is to be gone to.
    pub(super) is_arriving: bool,
    /// What tells when something that the page shows has changed.
    pub(super) live: Option<String>,
}

/// What whoever is signed in may do: what they may not has no button.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct May {
    pub(super) change: bool,
    pub(super) activate: bool,
    pub(super) secrets: bool,
    pub(super) audit: bool,
    pub(super) administrators: bool,
    /// Whether what belongs to the whole server is theirs to see.
    pub(super) sees_all: bool,
    /// Whether they may change it.
    pub(super) server: bool,
}

impl May {
    fn of(actor: &Actor) -> Self {
        let role = actor.role;
        Self {
            sees_all: actor.scope == Scope::Platform,
            server: actor.scope == Scope::Platform && role.may(Right::Platform),
            change: role.may(Right::Change),
            activate: role.may(Right::Activate),
            secrets: role.may(Right::Secrets),
            audit: role.may(Right::Audit),
            administrators: role.may(Right::Tokens),
        }
    }
}

impl Frame {
    /// The frame of a page for somebody who is signed in.
    pub(super) fn signed_in(title: &str, by: &SignedIn) -> Self {
        Self { notice: by.take_notice(), ..Self::beside(title, by) }
    }

    /// The same of a page that nobody meant to go to: what is to be told waits for the next.
    pub(super) fn beside(title: &str, by: &SignedIn) -> Self {
        let (may, csrf) = (May::of(by.actor()), by.csrf().to_owned());
        Self { title: title.to_owned(), csrf, may, ..Self::default() }
    }

    /// Whether there are pages to go to.
    pub(super) fn has_menu(&self) -> bool {
        !self.csrf.is_empty() && !self.is_arriving
    }

    /// The pages there are to go to.
    pub(super) fn menu(&self) -> Vec<Group> {
        menu(self.may)
    }

    /// Whether this is the page at the address, or one below it.
    pub(super) fn is_at(&self, path: &str) -> bool {
        self.at == if path == "/" { "home" } else { path.trim_start_matches('/') }
    }

    /// The same with parts that stay current: `address` tells when they change.
    #[must_use]
    pub(super) fn live(self, address: String) -> Self {
        Self { live: Some(address), ..self }
    }

    /// The same as this page of the menu: its address without the slash.
    #[must_use]
    pub(super) fn at(self, at: &'static str) -> Self {
        Self { at, ..self }
    }

    /// The frame of the page where a password is chosen before anything else.
    pub(super) fn arriving(title: &str, by: &SignedIn) -> Self {
        Self { may: May::default(), is_arriving: true, ..Self::signed_in(title, by) }
    }

    /// The frame of a page that tells nothing of this server.
    pub(super) fn signed_out(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }
}

/// One entry of a drop-down list.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

/// What was typed and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Field {
    pub(super) typed: String,
    pub(super) error: Option<String>,
    /// The first field at fault takes the keyboard.
    pub(super) is_first: bool,
}

impl Field {
    pub(super) fn typed(text: &str) -> Self {
        Self { typed: text.to_owned(), ..Self::default() }
    }

    /// Takes what is wrong with the field of this name.
    pub(super) fn take(&mut self, name: &str, errors: &mut Vec<FieldError>) {
        let messages: Vec<_> = errors.extract_if(.., |error| error.field == name).map(|error| error.message).collect();
        if !messages.is_empty() {
            self.error = Some(messages.join("; "));
        }
    }
}

/// The form that enters an activation code for a phone.
#[derive(Debug, Clone, Default)]
pub(super) struct ClaimForm {
    pub(super) mac: Field,
    pub(super) code: Field,
    /// Whether the phone is given by the page.
    pub(super) is_for_one_phone: bool,
    /// What to quote when asking for help.
    pub(super) reference: Option<String>,
}

impl ClaimForm {
    /// The form on the page of one phone.
    pub(super) fn for_phone(mac: &str) -> Self {
        Self { mac: Field::typed(mac), is_for_one_phone: true, ..Self::default() }
    }
}

/// What was typed into "Add Device Model".
#[derive(Debug, Clone, Default)]
pub(super) struct AddForm {
    pub(super) account: Field,
    pub(super) model: Field,
    pub(super) user: Field,
    pub(super) mac: Field,
    pub(super) count: Field,
    /// What is wrong with no field in particular.
    pub(super) problems: Vec<String>,
}

impl AddForm {
    /// Puts every error beside its field.
    #[must_use]
    pub(super) fn with_errors(mut self, FieldErrors(mut errors): FieldErrors) -> Self {
        self.model.take("model", &mut errors);
        self.user.take("user", &mut errors);
        self.mac.take("mac", &mut errors);
        self.account.take("account", &mut errors);
        self.count.take("count", &mut errors);
        let fields = [&mut self.model, &mut self.user, &mut self.account, &mut self.mac, &mut self.count];
        if let Some(first) = fields.into_iter().find(|field| field.error.is_some()) {
            first.is_first = true;
        }
        self.problems.extend(errors.into_iter().map(|error| format!("{} {}", error.field, error.message)));
        self
    }

    pub(super) fn has_errors(&self) -> bool {
        !self.problems.is_empty()
            || [&self.model, &self.user, &self.mac, &self.account, &self.count]
                .into_iter()
                .any(|field| field.error.is_some())
    }
}
