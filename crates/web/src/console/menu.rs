//! Where one can go in the console: what somebody may not see is not offered.

use super::parts::May;

/// Pages that belong together.
pub(super) struct Group {
    /// What they have in common.
    pub(super) title: &'static str,
    /// Address and words of each.
    pub(super) pages: Vec<(&'static str, &'static str)>,
}

/// A page with the right it takes.
type Entry = (&'static str, &'static str, fn(May) -> bool);

const EVERYBODY: fn(May) -> bool = |_| true;

const GROUPS: [(&str, &[Entry]); 5] = [
    (
        "Phones",
        &[
            ("/", "Home", EVERYBODY),
            ("/devices", "Devices", EVERYBODY),
            ("/firmware", "Firmware", EVERYBODY),
            ("/alarms", "Alarms", EVERYBODY),
            ("/strangers", "Strangers", |may| may.sees_all),
        ],
    ),
    (
        "People",
        &[
            ("/users", "Users", EVERYBODY),
            ("/sites", "Sites", EVERYBODY),
            ("/import", "Import", EVERYBODY),
            ("/mail", "Mail", |may| may.change),
        ],
    ),
    (
        "Help",
        &[
            ("/point", "Point a phone here", EVERYBODY),
            ("/doctor", "Symptom doctor", EVERYBODY),
            ("/models", "Models", EVERYBODY),
        ],
    ),
    (
        "Server",
        &[
            ("/audit", "Audit", |may| may.audit),
            ("/administrators", "Administrators", |may| may.administrators),
            ("/roles", "Roles", EVERYBODY),
            ("/settings", "Settings", EVERYBODY),
        ],
    ),
    ("You", &[("/account", "My account", EVERYBODY)]),
];

/// What whoever may this is offered.
pub(super) fn menu(may: May) -> Vec<Group> {
    let group = |(title, entries): (&'static str, &'static [Entry])| Group {
        title,
        pages: entries.iter().filter(|(.., shown)| shown(may)).map(|(path, words, _)| (*path, *words)).collect(),
    };
    GROUPS.into_iter().map(group).filter(|group| !group.pages.is_empty()).collect()
}
