//! The sites that rows may name.

use crate::ids::SiteId;
use std::collections::HashMap;

/// The sites of one account, found by name or id.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    by_name: HashMap<String, Vec<SiteId>>,
    only: Option<SiteId>,
    count: usize,
}

impl Sites {
    /// Takes every site with its name.
    pub fn new(sites: impl IntoIterator<Item = (SiteId, String)>) -> Self {
        let mut all = Self::default();
        for (id, name) in sites {
            all.count = all.count.saturating_add(1);
            all.only = Some(id.clone()).filter(|_| all.count == 1);
            all.by_name.insert(id.to_string(), vec![id.clone()]);
            all.by_name.entry(name.trim().to_lowercase()).or_default().push(id);
        }
        all
    }

    /// The site a cell means; an empty one means the only site there is.
    ///
    /// # Errors
    /// What to write instead.
    pub fn find(&self, cell: &str) -> Result<SiteId, String> {
        if cell.is_empty() {
            let several = || format!("is empty, and the account has {} sites; write which", self.count);
            return self.only.clone().ok_or_else(several);
        }
        let shown: String = cell.chars().take(40).collect();
        match self.by_name.get(&cell.to_lowercase()).map(Vec::as_slice) {
            Some([one]) => Ok(one.clone()),
            Some(several) => Err(format!(
                "{} sites are called `{shown}`; write the id that `provost site list` shows",
                several.len()
            )),
            None => Err(format!("the account has no site `{shown}`; `provost site list` shows them")),
        }
    }
}
