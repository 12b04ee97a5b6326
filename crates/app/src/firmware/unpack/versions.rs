//! The versions that lie beside the images of a zip, each for its own folder.
//!
//! A zip may hold several releases, a folder each: what lies in one says nothing of another's images.

use provost_core::firmware::image::Beside;
use provost_core::firmware::{ImageKind, Version};

/// What the files beside images say.
#[derive(Default)]
pub(super) struct Versions {
    /// What the zip's own name says.
    named: Option<Version>,
    found: Vec<(String, ImageKind, Version)>,
}

impl Versions {
    /// Nothing but what the zip's own name says.
    pub(super) fn new(named: Option<Version>) -> Self {
        Self { named, found: Vec::new() }
    }

    /// Adds what a file says of the images of this kind in its folder.
    ///
    /// # Errors
    /// The version another one there says.
    pub(super) fn add(&mut self, file: &str, kind: ImageKind, version: Version) -> Result<(), Version> {
        let folder = folder(file);
        if let Some(other) = self.in_folder(folder, kind).filter(|other| **other != version) {
            return Err(other.clone());
        }
        self.found.push((folder.to_owned(), kind, version));
        Ok(())
    }

    /// What lies beside this image. Where nothing does, what all the others agree on.
    pub(super) fn beside(&self, image: &str) -> Beside {
        let of = |kind| self.in_folder(folder(image), kind).or_else(|| self.agreed(kind)).cloned();
        Beside { application: of(ImageKind::Application), updater: of(ImageKind::Updater), named: self.named.clone() }
    }

    fn in_folder(&self, folder: &str, kind: ImageKind) -> Option<&Version> {
        let mut found = self.found.iter().filter(|one| one.0 == folder && one.1 == kind);
        found.next().map(|(_, _, version)| version)
    }

    fn agreed(&self, kind: ImageKind) -> Option<&Version> {
        let mut all = self.found.iter().filter(|one| one.1 == kind).map(|(_, _, version)| version);
        let first = all.next()?;
        all.all(|other| other == first).then_some(first)
    }
}

/// The folders of a name, with either kind of separator.
fn folder(name: &str) -> &str {
    name.rfind(['/', '\\']).and_then(|at| name.get(..at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Versions;
    use provost_core::firmware::ImageKind::{Application, Updater};

    #[test]
    fn a_version_counts_for_its_folder_and_for_others_only_where_all_agree() {
        let of = |versions: &Versions, image: &str| versions.beside(image).application.map(|found| found.to_string());
        let mut versions = Versions::default();
        versions.add("a/sip.ver", Application, "6.4.8.1".parse().unwrap()).unwrap();
        assert_eq!(of(&versions, "more/x.sip.ld").as_deref(), Some("6.4.8.1"));
        versions.add("b/sip.ver", Application, "5.9.8.1".parse().unwrap()).unwrap();

        assert_eq!(of(&versions, "a/x.sip.ld").as_deref(), Some("6.4.8.1"));
        assert_eq!(of(&versions, "b\\x.sip.ld").as_deref(), Some("5.9.8.1"));
        assert_eq!(of(&versions, "x.sip.ld"), None, "they disagree");
        assert_eq!(versions.beside("a/x.bootrom.ld").updater, None);
        versions.add("a/bootrom.ver", Updater, "6.4.8.9".parse().unwrap()).unwrap();
        assert!(versions.beside("a/x.sip.ld").updater.is_some());
        let other = versions.add("a/x.sip.ver", Application, "6.4.9.1".parse().unwrap());
        assert_eq!(other.unwrap_err().to_string(), "6.4.8.1");
    }
}
