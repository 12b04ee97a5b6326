//! Files as somebody would upload them. None of their bytes is the maker's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Parts of the catalog, and one of nobody.
pub(crate) const OF_450: &str = "3111-48840-001.sip.ld";
pub(crate) const OF_350: &str = "3111-48830-001.sip.ld";
pub(crate) const OF_NOBODY: &str = "9999-99999-999.sip.ld";
/// The name of a release's zip.
pub(crate) const RELEASE: &str = "Polycom-UC-Software-6-4-8-rts44-release-sig-split.zip";

/// Bytes that do not compress, and look like nothing that is known.
pub(crate) fn bytes(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed).wrapping_mul(2_654_435_761) | 1;
    let mut all = vec![0, 1, 0xff, seed];
    for _ in 0..300_000 {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        all.push(state.to_be_bytes()[1]);
    }
    all
}

pub(crate) struct Files(pub(crate) TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.0.path().join(name);
        fs::write(&file, bytes).unwrap();
        file
    }

    /// A zip by Python's zipfile, packed.
    pub(crate) fn zip(&self, name: &str, entries: &[(&str, &[u8])]) -> PathBuf {
        const MAKE: &str = "import sys, zipfile\n\
                            with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n\
                            \x20   for i in range(2, len(sys.argv), 2):\n\
                            \x20       z.writestr(sys.argv[i], open(sys.argv[i + 1], 'rb').read())\n";
        let zip = self.0.path().join(name);
        let mut arguments = vec!["-c".to_owned(), MAKE.to_owned(), text(&zip)];
        for (number, (name, bytes)) in entries.iter().enumerate() {
            arguments.push((*name).to_owned());
            arguments.push(text(&self.file(&format!("entry-{number}"), bytes)));
        }
        self.python(&arguments);
        zip
    }

    /// A zip as releases are: two known parts, one of nobody, the version beside them, and more.
    pub(crate) fn release(&self) -> PathBuf {
        self.zip(
            RELEASE,
            &[
                (OF_450, &bytes(1)),
                (&format!("more/{OF_350}"), &bytes(2)),
                (OF_NOBODY, &bytes(3)),
                ("sip.ver", b"6.4.8.1234\n05-Dec-24\n"),
                ("Config/site.cfg", b"<site/>"),
                ("inner.zip", b"PK\x03\x04 whatever"),
            ],
        )
    }

    /// Changes a file by a line of Python in which `b` is all its bytes.
    pub(crate) fn change(&self, file: &Path, line: &str) {
        let program =
            format!("import sys\np = sys.argv[1]\nb = bytearray(open(p, 'rb').read())\n{line}\nopen(p, 'wb').write(b)");
        self.python(&["-c".to_owned(), program, text(file)]);
    }

    fn python(&self, arguments: &[String]) {
        let done = Command::new("python3").args(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub(crate) fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}
