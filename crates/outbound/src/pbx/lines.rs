//! Messages of lines: what Asterisk's manager and FreeSWITCH's event socket have in common.
//!
//! `Name: value` lines up to an empty one. Takes bytes as they come and holds so many and no more.

use provost_core::pbx::PbxError;

/// A message: its fields in order, names as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The first value of a name, whatever its case.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Reads lines; those without a colon are left out.
    pub(super) fn read(text: &str) -> Self {
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        Self(text.lines().filter_map(field).collect())
    }
}

/// Bytes that have come and were not read yet.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    taken: usize,
    /// Where the next look for an end begins, so that a long message is not looked through again and again.
    looked: usize,
}

/// No message of either protocol comes near, bodies apart.
pub(super) const MOST_HEAD: usize = 64 * 1024;

impl Buffer {
    /// Takes what came.
    pub(super) fn push(&mut self, piece: &[u8]) {
        // Dropping what was read at every message would move the rest each time.
        if self.taken > MOST_HEAD {
            self.bytes.drain(..self.taken);
            self.looked = self.looked.saturating_sub(self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(piece);
    }

    /// The next line without its end, if it has come.
    pub(super) fn line(&mut self) -> Result<Option<String>, PbxError> {
        let from = self.taken;
        let Some(length) = self.rest().iter().position(|byte| *byte == b'\n') else { return self.not_yet() };
        self.advance(from.saturating_add(length).saturating_add(1));
        let line = self.bytes.get(from..from.saturating_add(length)).unwrap_or_default();
        Ok(Some(text(line).trim_end_matches('\r').to_owned()))
    }

    /// The next message up to its empty line, if it has come. Empty lines before it are skipped.
    pub(super) fn message(&mut self) -> Result<Option<Fields>, PbxError> {
        while let Some(length) =
            [b"\r\n".as_slice(), b"\n"].iter().find_map(|end| self.rest().starts_with(end).then_some(end.len()))
        {
            self.advance(self.taken.saturating_add(length));
        }
        let start = self.looked.max(self.taken).saturating_sub(3).max(self.taken);
        let unseen = self.bytes.get(start..).unwrap_or_default();
        let end = unseen.windows(2).zip(0usize..).find_map(|(pair, at)| {
            let after = unseen.get(at.saturating_add(1)..).unwrap_or_default();
            let length = if pair == b"\n\n" { Some(2) } else { after.starts_with(b"\r\n").then_some(3) };
            length.filter(|_| pair.first() == Some(&b'\n')).map(|length: usize| (at, length))
        });
        let Some((at, length)) = end else {
            self.looked = self.bytes.len();
            return self.not_yet();
        };
        let (from, to) = (self.taken, start.saturating_add(at));
        self.advance(to.saturating_add(length));
        Ok(Some(Fields::read(&text(self.bytes.get(from..to).unwrap_or_default()))))
    }

    /// The next bytes, if so many have come.
    pub(super) fn body(&mut self, length: usize) -> Option<String> {
        let body = text(self.rest().get(..length)?);
        self.advance(self.taken.saturating_add(length));
        Some(body)
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    fn advance(&mut self, to: usize) {
        self.taken = to;
        self.looked = to;
    }

    fn not_yet<T>(&self) -> Result<Option<T>, PbxError> {
        if self.rest().len() > MOST_HEAD {
            return Err(PbxError::TooMuch { limit: MOST_HEAD, of: "bytes of one message" });
        }
        Ok(None)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(pieces: &[&[u8]]) -> Vec<Fields> {
        let mut buffer = Buffer::default();
        let mut found = Vec::new();
        for piece in pieces {
            buffer.push(piece);
            while let Some(fields) = buffer.message().unwrap() {
                found.push(fields);
            }
        }
        found
    }

    const TWO: &[u8] = b"Response: Success\r\nMessage: hi\r\n\r\n\r\nEvent: X\nA:b\n\n";

    #[test]
    fn messages_end_with_an_empty_line_however_lines_end() {
        let found = all(&[TWO]);

        assert_eq!(found.len(), 2);
        assert_eq!((found[0].value("message"), found[1].value("a")), (Some("hi"), Some("b")));
    }

    #[test]
    fn a_message_that_never_ends_is_an_error_and_not_held() {
        let mut buffer = Buffer::default();
        buffer.push(&vec![b'x'; MOST_HEAD + 1]);

        assert!(buffer.message().is_err());
        assert!(buffer.line().is_err());
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_messages_are_the_same(cuts in prop::collection::vec(0usize..TWO.len(), 0..8)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([TWO.len()]) {
                pieces.push(&TWO[from..cut]);
                from = cut;
            }

            prop_assert_eq!(all(&pieces), all(&[TWO]));
        }

        #[test]
        fn no_bytes_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut buffer = Buffer::default();
            for piece in &pieces {
                buffer.push(piece);
                while let Ok(Some(_)) = buffer.message() {}
                let _ = buffer.body(3);
                let _ = buffer.line();
            }
        }
    }
}
