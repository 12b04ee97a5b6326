//! What is different between two configurations, parameter by parameter.

use std::collections::BTreeMap;

/// A parameter that came, went or changed.
#[derive(Clone, PartialEq, Eq)]
pub struct ParameterChange {
    /// The maker's name.
    pub parameter: String,
    /// The value before; `None` when it was not told.
    pub before: Option<String>,
    /// The value after; `None` when it is not told any more.
    pub after: Option<String>,
}

/// What is different in `after`, by name. Of a name that stands twice the first counts.
pub fn differences<'a>(
    before: impl IntoIterator<Item = (&'a str, &'a str)>,
    after: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<ParameterChange> {
    let mut all: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for (name, value) in before {
        all.entry(name).or_default().0.get_or_insert(value);
    }
    for (name, value) in after {
        all.entry(name).or_default().1.get_or_insert(value);
    }
    let text = |value: Option<&str>| value.map(ToOwned::to_owned);
    all.into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(name, (before, after))| ParameterChange {
            parameter: name.to_owned(),
            before: text(before),
            after: text(after),
        })
        .collect()
}
