//! The files phones ask for, told apart by name.
//!
//! Decides the role of a name and the MAC it carries; never whether the asker may have it. Patterns
//! are catalog data: `{mac}` is twelve hexadecimal digits but not all zero, `{part}` a part number,
//! `*` any run of characters within a folder or file name.

use crate::fact::{Evidence, Origin};
use crate::hardware::ImageKind;
use crate::reader::{Errors, Problem, Reader, Word};
use crate::tree::Table;

/// What a requested name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMatch {
    /// What the file is for.
    pub role: FileRole,
    /// The MAC in the name; `None` without one or when it is all zero.
    pub mac: Option<[u8; 6]>,
    /// How the phone may store it here; `None` when it only reads it.
    pub upload: Option<Upload>,
    /// The name without folders, its MAC in lower case.
    pub name: String,
    /// What an image of this name replaces on a phone; `None` for images that are not served.
    pub image: Option<ImageKind>,
    /// Whether the first two digits in the name are the first two numbers of the version it brings.
    pub says_release: bool,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileRole {
    /// The file that names all others, for one phone.
    Master,
    /// The same for any phone.
    DefaultMaster,
    /// What the user changed on the phone.
    PhoneOverrides,
    /// What somebody changed in the phone's web pages.
    WebOverrides,
    /// Feature licenses.
    License,
    /// The phone's own contacts.
    Directory,
    /// Contacts for any phone.
    DefaultDirectory,
    /// The phone's call lists.
    Calls,
    /// A log.
    Log,
    /// Firmware.
    Image,
    /// The versions that the phone's own software upgrade page offers from a custom server.
    ImageList,
    /// Words of a language.
    Language,
    /// A file with a MAC whose use is unknown.
    Other,
}

impl FileRole {
    /// The word used in catalog files and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::DefaultMaster => "default-master",
            Self::PhoneOverrides => "phone-overrides",
            Self::WebOverrides => "web-overrides",
            Self::License => "license",
            Self::Directory => "directory",
            Self::DefaultDirectory => "default-directory",
            Self::Calls => "calls",
            Self::Log => "log",
            Self::Image => "image",
            Self::ImageList => "image-list",
            Self::Language => "language",
            Self::Other => "other",
        }
    }
}

impl Word for FileRole {
    const ALL: &'static [Self] = &[
        Self::Master,
        Self::DefaultMaster,
        Self::PhoneOverrides,
        Self::WebOverrides,
        Self::License,
        Self::Directory,
        Self::DefaultDirectory,
        Self::Calls,
        Self::Log,
        Self::Image,
        Self::ImageList,
        Self::Language,
        Self::Other,
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// How a phone stores a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upload {
    /// Each body is more of the same file.
    Append,
    /// Each body is the whole file.
    Replace,
}

impl Word for Upload {
    const ALL: &'static [Self] = &[Self::Append, Self::Replace];

    fn word(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
        }
    }
}

/// A form of file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePattern {
    /// Provost's word for it.
    pub id: String,
    /// The form, with `{mac}`, `{part}` and `*`; with folders it matches that many last segments.
    pub pattern: String,
    /// What files of this form are for.
    pub role: FileRole,
    /// How a phone stores them.
    pub upload: Option<Upload>,
    /// What an image of this form replaces on a phone.
    pub image: Option<ImageKind>,
    /// Whether the first two digits in such a name are the first two numbers of the version it brings.
    pub says_release: bool,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl FilePattern {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let pattern: Option<String> = fields.required_text("pattern");
        let role = fields.required("role");
        let upload = fields.optional("upload");
        let image = fields.optional("image");
        let says_release = fields.optional("says-release").unwrap_or(false);
        let origin = fields.origin();
        if let Some(found) = pattern.as_ref().filter(|pattern| !is_pattern(pattern)) {
            let expected = "a file name with {mac}, {part} and *, such as {mac}-app.log";
            fields.refuse("pattern", Problem::Malformed { found: found.clone(), expected });
        }
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, pattern, role) = (id?, pattern?, role?);
        Some(Self { id, pattern, role, upload, image, says_release, source, evidence, note })
    }

    /// Whether the last segments of `name` have this form.
    fn matches(&self, name: &str) -> bool {
        let mut segments = name.rsplit('/');
        self.pattern.rsplit('/').all(|pattern| segments.next().is_some_and(|name| segment_matches(pattern, name)))
    }
}

/// What `name` means by the first pattern it fits, or by the MAC it begins with.
pub(crate) fn classify(patterns: &[FilePattern], name: &str) -> Option<FileMatch> {
    let harmless = |segment: &str| {
        let written = segment.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        written && segment != ".." && segment != "."
    };
    let last = name.rsplit('/').next().filter(|last| !last.is_empty())?;
    if !name.split('/').all(harmless) {
        return None;
    }
    let digits = leading_mac(last);
    let mac = digits.and_then(mac_bytes).filter(|mac| *mac != [0; 6]);
    let found = patterns.iter().find(|pattern| pattern.matches(name));
    if found.is_none() && digits.is_none() {
        return None;
    }
    let name = match digits.and_then(|digits| Some((digits, last.get(digits.len()..)?))) {
        Some((digits, rest)) => format!("{}{rest}", digits.to_ascii_lowercase()),
        None => last.to_owned(),
    };
    let role = found.map_or(FileRole::Other, |pattern| pattern.role);
    let image = found.and_then(|pattern| pattern.image);
    let says_release = found.is_some_and(|pattern| pattern.says_release);
    Some(FileMatch { role, mac, upload: found.and_then(|pattern| pattern.upload), name, image, says_release })
}

/// The twelve digits a name begins with, when `-` or `.` follows them.
fn leading_mac(name: &str) -> Option<&str> {
    let (digits, rest) = name.split_at_checked(MAC_DIGITS)?;
    (rest.starts_with(['-', '.']) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

const MAC_DIGITS: usize = 12;

fn mac_bytes(digits: &str) -> Option<[u8; 6]> {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// One part of a segment's pattern.
enum Piece<'a> {
    Mac,
    PartNumber,
    Anything,
    Literal(&'a str),
}

const MAC: &str = "{mac}";
const PART: &str = "{part}";

/// The first piece of a pattern and what follows it.
fn first_piece(pattern: &str) -> Option<(Piece<'_>, &str)> {
    let named = [(MAC, Piece::Mac), (PART, Piece::PartNumber), ("*", Piece::Anything)];
    for (name, piece) in named {
        if let Some(rest) = pattern.strip_prefix(name) {
            return Some((piece, rest));
        }
    }
    let end = pattern.find(['{', '*']).unwrap_or(pattern.len());
    let (literal, rest) = pattern.split_at_checked(end).filter(|(literal, _)| !literal.is_empty())?;
    Some((Piece::Literal(literal), rest))
}

fn is_pattern(pattern: &str) -> bool {
    pattern.split('/').all(|segment| {
        let mut rest = segment;
        while let Some((_, after)) = first_piece(rest) {
            rest = after;
        }
        // A second `*` in one segment could make matching slow; no known name needs it.
        rest.is_empty() && !segment.is_empty() && segment.matches('*').count() <= 1
    })
}

fn segment_matches(pattern: &str, name: &str) -> bool {
    let Some((piece, rest)) = first_piece(pattern) else {
        return name.is_empty();
    };
    match piece {
        Piece::Literal(literal) => name.strip_prefix(literal).is_some_and(|name| segment_matches(rest, name)),
        Piece::Mac => name.split_at_checked(MAC_DIGITS).is_some_and(|(digits, name)| {
            digits.bytes().all(|byte| byte.is_ascii_hexdigit())
                && digits.bytes().any(|byte| byte != b'0')
                && segment_matches(rest, name)
        }),
        Piece::PartNumber => name
            .split_at_checked(PART_LENGTH)
            .is_some_and(|(part, name)| is_part_number(part) && segment_matches(rest, name)),
        // Only ASCII names come here, so every index is a boundary.
        Piece::Anything => (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| segment_matches(rest, name))),
    }
}

/// Length of `dddd-ddddd-ddd`.
const PART_LENGTH: usize = 14;

/// Whether the text is a part number: four, five and three digits with hyphens between.
pub(crate) fn is_part_number(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let lengths = text.split('-').map(str::len);
    lengths.eq([4, 5, 3]) && text.split('-').all(digits)
}
