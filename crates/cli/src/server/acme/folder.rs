//! What stands in `DATA/server/acme`: one file for each kind of key, and when it should be replaced.
//!
//! Key and chain share a file, so that a renewal is one rename and no power cut leaves halves of two pairs. A first
//! line names the directory it came from, so that another directory in the configuration brings new certificates.

use super::trouble::Trouble;
use crate::clock;
use crate::config::{Acme, Config};
use crate::data_dir::{make_private_folder, write_private};
use crate::set_up::EXPIRING_BELOW_DAYS;
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use provost_pki::authority::ServerKeyKind;
use provost_pki::server::{PairFiles, ServerCertificates, ServerPair};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// RSA first: many phones know nothing else, so it is what must be there.
pub(super) const KINDS: [ServerKeyKind; 2] = [ServerKeyKind::Rsa2048, ServerKeyKind::P256];

/// More than a key and its chain have.
const ROOM_BYTES: usize = 32 * 1024;

const DIRECTORY_LINE: &str = "Directory: ";

/// The folder of the certificates that came by ACME.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    directory: String,
    names: Vec<String>,
}

/// Why a certificate is ordered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reason {
    None,
    OtherNames,
    OtherDirectory,
    NearEnd { days_left: i64 },
    Unusable(String),
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("there is none yet"),
            Self::OtherNames => out.write_str("the one there is lacks a name"),
            Self::OtherDirectory => out.write_str("the one there is came from another directory"),
            Self::NearEnd { days_left } => write!(out, "the one there is has {days_left} days left"),
            Self::Unusable(why) => write!(out, "the one there is cannot be used: {why}"),
        }
    }
}

/// What is wrong with a pair, in words.
type Faults = Vec<String>;

impl Folder {
    /// The folder, if the configuration asks for ACME.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let Acme { directory, names, .. } = config.tls.acme.as_ref()?;
        let path = config.data_dir.join("server").join("acme");
        Some(Self { path, directory: directory.to_string(), names: names.clone() })
    }

    /// The files that hold a pair each.
    pub(crate) fn files(&self) -> [PathBuf; 2] {
        KINDS.map(|kind| self.file(kind))
    }

    pub(super) fn account_file(&self) -> PathBuf {
        self.path.join("account.json")
    }

    /// Finds out whether a pair could be kept, before one is ordered.
    pub(super) fn try_out(&self) -> Result<(), Trouble> {
        let file = self.path.join("room");
        let tried = make_private_folder(&self.path)
            .and_then(|()| write_private(&file, &[0; ROOM_BYTES]))
            .and_then(|()| std::fs::remove_file(&file));
        tried.map_err(|error| Trouble::File { file: self.path.clone(), error })
    }

    pub(super) fn file(&self, kind: ServerKeyKind) -> PathBuf {
        self.path.join(match kind {
            ServerKeyKind::Rsa2048 => "rsa.pem",
            ServerKeyKind::P256 => "p256.pem",
        })
    }

    /// What phones can be shown: `None` without an RSA certificate for one of the names, which need not be the newest
    /// while phones move. A P-256 pair that is at fault is left out, since no phone needs it.
    pub(crate) fn certificates(&self) -> Result<Option<ServerCertificates>, Faults> {
        let [rsa, p256] = KINDS.map(|kind| self.text(kind));
        let Some(rsa) = rsa.map_err(|fault| vec![fault])? else { return Ok(None) };
        let found = match p256 {
            Ok(Some(p256)) => read(&[&rsa, &p256]).or_else(|_| read(&[&rsa])),
            Ok(None) | Err(_) => read(&[&rsa]),
        };
        Ok(Some(found?)
            .filter(|found| found.rsa().is_some_and(|pair| self.names.iter().any(|name| is_for(pair, name)))))
    }

    /// Why a certificate of this kind should be ordered now; `None` if there is no reason.
    pub(super) fn reason(&self, kind: ServerKeyKind, now: UnixMillis) -> Option<Reason> {
        let text = match self.text(kind) {
            Ok(Some(text)) => text,
            Ok(None) => return Some(Reason::None),
            Err(fault) => return Some(Reason::Unusable(fault)),
        };
        let found = match read(&[&text]) {
            Ok(found) => found,
            Err(faults) => return Some(Reason::Unusable(faults.join("; "))),
        };
        let Some(pair) = pair_of(&found, kind) else {
            return Some(Reason::Unusable(format!("{}: the key is of another kind", text.name)));
        };
        if !self.names.iter().all(|name| is_for(pair, name)) {
            return Some(Reason::OtherNames);
        }
        if first_line(&text.bytes).and_then(|line| line.strip_prefix(DIRECTORY_LINE)) != Some(&self.directory) {
            return Some(Reason::OtherDirectory);
        }
        is_near_end(pair, now).then(|| Reason::NearEnd { days_left: pair.days_left(now) })
    }

    /// How long the pair of this kind is still good; `None` without a good one.
    pub(super) fn left(&self, kind: ServerKeyKind, now: UnixMillis) -> Option<Duration> {
        let found = read(&[&self.text(kind).ok()??]).ok()?;
        let left = pair_of(&found, kind)?.not_after.0.saturating_sub(now.0);
        u64::try_from(left).ok().map(Duration::from_millis)
    }

    /// What is ordered now, a sentence each.
    pub(crate) fn due(&self, now: UnixMillis) -> Vec<String> {
        let due = |kind| Some((kind, self.reason(kind, now)?));
        let due = KINDS.into_iter().filter_map(due);
        due.map(|(kind, reason)| format!("{} certificate is ordered while Provost runs: {reason}", with_article(kind)))
            .collect()
    }

    /// Keeps a pair that came, once it is known to be good; says what is wrong with one that is not.
    pub(super) fn check(&self, kind: ServerKeyKind, key: &Secret, chain: &str) -> Result<Checked, Faults> {
        let text = Text {
            name: "what came".to_owned(),
            bytes: format!("{DIRECTORY_LINE}{}\n{}{chain}", self.directory, key.reveal()).into_bytes(),
        };
        let found = read(&[&text])?;
        let pair = pair_of(&found, kind).ok_or_else(|| vec!["it is for another kind of key".to_owned()])?;
        if !self.names.iter().all(|name| is_for(pair, name)) {
            return Err(vec![format!("it is for {}, not for {}", pair.names.join(", "), self.names.join(", "))]);
        }
        if is_near_end(pair, clock::now()) {
            let days = pair.days_left(clock::now());
            return Err(vec![format!("it has {days} days left by this machine's clock, too few of its life")]);
        }
        Ok(Checked { file: self.file(kind), bytes: text.bytes })
    }

    fn text(&self, kind: ServerKeyKind) -> Result<Option<Text>, String> {
        let file = self.file(kind);
        let name = file.display().to_string();
        match std::fs::read(&file) {
            Ok(bytes) => Ok(Some(Text { name, bytes })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{name}: {error}")),
        }
    }
}

/// A pair that may be kept.
pub(super) struct Checked {
    file: PathBuf,
    bytes: Vec<u8>,
}

impl Checked {
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Writes it down for good.
    pub(super) fn keep(&self) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            make_private_folder(folder)?;
        }
        write_private(&self.file, &self.bytes)
    }
}

struct Text {
    name: String,
    bytes: Vec<u8>,
}

fn read(texts: &[&Text]) -> Result<ServerCertificates, Faults> {
    let files: Vec<_> = texts
        .iter()
        .map(|Text { name, bytes }| PairFiles {
            certificate_name: name,
            certificate: bytes,
            key_name: name,
            key: bytes,
        })
        .collect();
    ServerCertificates::read(&files, clock::now()).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

fn pair_of(found: &ServerCertificates, kind: ServerKeyKind) -> Option<&ServerPair> {
    match kind {
        ServerKeyKind::Rsa2048 => found.rsa(),
        ServerKeyKind::P256 => found.p256(),
    }
}

/// The kind of certificate, as a sentence begins or goes on with it.
pub(super) const fn with_article(kind: ServerKeyKind) -> &'static str {
    match kind {
        ServerKeyKind::Rsa2048 => "an RSA",
        ServerKeyKind::P256 => "a P-256",
    }
}

fn is_for(pair: &ServerPair, name: &str) -> bool {
    pair.names.iter().any(|found| found.eq_ignore_ascii_case(name))
}

fn first_line(bytes: &[u8]) -> Option<&str> {
    bytes.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok())
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// From here on the usual measure of days applies. A certificate for 90 days lives a second less than that.
const LONG_LIFE_MS: i64 = 89 * DAY_MS;
/// How long before the alarm a renewal begins at the latest: the first tries are then over.
const TRYING_DAYS: i64 = 3;

/// Renewed when a third of its life is left, in time for those that live a day; of the usual 90 days, 33.
fn is_near_end(pair: &ServerPair, now: UnixMillis) -> bool {
    let alarm_is_near = is_long_lived(pair) && pair.days_left(now) < EXPIRING_BELOW_DAYS.saturating_add(TRYING_DAYS);
    alarm_is_near || has_less_than(pair, 3, now)
}

/// Told 30 days ahead, as of every certificate. One of a shorter life may never have had as many: when a quarter is
/// left.
pub(crate) fn is_late(pair: &ServerPair, now: UnixMillis) -> bool {
    if is_long_lived(pair) { pair.days_left(now) < EXPIRING_BELOW_DAYS } else { has_less_than(pair, 4, now) }
}

fn is_long_lived(pair: &ServerPair) -> bool {
    life_ms(pair) >= LONG_LIFE_MS
}

fn life_ms(pair: &ServerPair) -> i64 {
    pair.not_after.0.saturating_sub(pair.not_before.0)
}

/// Whether less than this part of a certificate's life is left.
fn has_less_than(pair: &ServerPair, part: i64, now: UnixMillis) -> bool {
    pair.not_after.0.saturating_sub(now.0).saturating_mul(part) < life_ms(pair)
}

#[cfg(test)]
mod tests;
