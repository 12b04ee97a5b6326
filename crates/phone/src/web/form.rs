//! Forms as browsers and tools send them.
//!
//! Decides how names and values are read; of a name sent twice the first counts. Never judges a value.

use std::collections::BTreeMap;

/// Fields read from one body or query; more are not looked at.
const FIELDS: usize = 512;

/// The longest boundary, with the two dashes before it (RFC 2046, 5.1.1); a longer one makes every search slow.
const BOUNDARY: usize = 72;

/// A form that was sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`; anything else reads as odd fields and never fails.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(bytes).take(FIELDS) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        Self(fields)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// The first file of a `multipart/form-data` body, as a browser uploads it; `None` when there is none.
///
/// Rule: RFC 7578. The boundary is read from the body's first line, which must begin with two dashes.
pub(crate) fn uploaded(body: &[u8]) -> Option<&[u8]> {
    Parts::of(body)?.find_map(|part| {
        let end = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(part.get(..end)?).to_ascii_lowercase();
        let content = part.get(end.checked_add(4)?..)?;
        head.contains("filename=").then_some(content)
    })
}

/// The field of a `multipart/form-data` body with this name.
pub(crate) fn uploaded_field(body: &[u8], name: &str) -> Option<String> {
    let wanted = format!("name=\"{name}\"");
    Parts::of(body)?.find_map(|part| {
        let end = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(part.get(..end)?).into_owned();
        let content = part.get(end.checked_add(4)?..)?;
        head.contains(&wanted).then(|| String::from_utf8_lossy(content).into_owned())
    })
}

/// The parts of a body between its boundaries.
struct Parts<'a> {
    rest: &'a [u8],
    boundary: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        let first = body.get(..body.len().min(BOUNDARY.saturating_add(1)))?;
        let end = first.iter().position(|byte| *byte == b'\r')?;
        let boundary = first.get(..end).filter(|line| line.starts_with(b"--"))?;
        Some(Self { rest: body, boundary })
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let begins = find(self.rest, self.boundary)?.checked_add(self.boundary.len())?;
        let after = self.rest.get(begins..)?;
        let ends = find(after, self.boundary)?;
        let part = after.get(..ends)?;
        self.rest = after.get(ends..)?;
        Some(part.strip_suffix(b"\r\n").unwrap_or(part))
    }
}

fn find(within: &[u8], wanted: &[u8]) -> Option<usize> {
    within.windows(wanted.len().max(1)).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_a_name_sent_twice_the_first_counts() {
        let form = Form::read(b"444=http%3A%2F%2Fa.example&444=other&443=3");

        assert_eq!(form.get("444"), Some("http://a.example"));
        assert_eq!(form.get("443"), Some("3"));
        assert_eq!(form.get("445"), None);
    }

    #[test]
    fn a_file_is_found_among_the_parts() {
        let body =
            b"--x1\r\nContent-Disposition: form-data; name=\"page\"\r\n\r\n/a.htm\r\n--x1\r\nContent-Disposition: \
            form-data; name=\"file\"; filename=\"a.cfg\"\r\n\r\n<a b=\"1\"/>\r\n--x1--\r\n";

        assert_eq!(uploaded(body), Some(&b"<a b=\"1\"/>"[..]));
        assert_eq!(uploaded_field(body, "page").as_deref(), Some("/a.htm"));
        assert_eq!(uploaded(b"<a b=\"1\"/>"), None);
    }

    #[test]
    fn a_boundary_is_no_longer_than_the_rule_allows() {
        let body = |dashes: usize| {
            let boundary = "-".repeat(dashes);
            format!("{boundary}\r\nContent-Disposition: form-data; name=\"page\"\r\n\r\n/a.htm\r\n{boundary}--\r\n")
        };

        assert_eq!(uploaded_field(body(BOUNDARY).as_bytes(), "page").as_deref(), Some("/a.htm"));
        assert_eq!(uploaded_field(body(BOUNDARY + 1).as_bytes(), "page"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Form::read(&bytes);
            let _ = uploaded(&bytes);
            let _ = uploaded_field(&bytes, "page");
        }
    }
}
