//! Reads a Range header (RFC 9110, 14.1.2): one range of bytes; anything else means the whole file.

/// What part of a file is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slice {
    /// All of it.
    Whole,
    /// These bytes, both ends included.
    Part { first: usize, last: usize },
    /// A range beyond the end.
    Unsatisfiable,
}

pub(super) fn read(header: &str, total: usize) -> Slice {
    let Some((first, last)) = header.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Slice::Whole;
    };
    let Some(end) = total.checked_sub(1) else { return Slice::Unsatisfiable };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => {
            let last = last.unwrap_or(end).min(end);
            if first > end {
                Slice::Unsatisfiable
            } else if last < first {
                Slice::Whole
            } else {
                Slice::Part { first, last }
            }
        }
        (Some(None), Some(Some(0))) => Slice::Unsatisfiable,
        (Some(None), Some(Some(suffix))) => Slice::Part { first: total.saturating_sub(suffix), last: end },
        _ => Slice::Whole,
    }
}

/// `Some(None)` for an empty text, `None` for what is no number.
fn number(text: &str) -> Option<Option<usize>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(Some(text.parse().unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_mean_what_rfc_9110_says() {
        for (header, wanted) in [
            ("bytes=0-3", Slice::Part { first: 0, last: 3 }),
            ("bytes=4-", Slice::Part { first: 4, last: 9 }),
            ("bytes=-3", Slice::Part { first: 7, last: 9 }),
            ("bytes=-30", Slice::Part { first: 0, last: 9 }),
            ("bytes=8-99", Slice::Part { first: 8, last: 9 }),
            ("bytes=10-", Slice::Unsatisfiable),
            ("bytes=-0", Slice::Unsatisfiable),
            ("bytes=99999999999999999999999-", Slice::Unsatisfiable),
            ("bytes=3-1", Slice::Whole),
            ("bytes=0-1,4-5", Slice::Whole),
            ("lines=0-1", Slice::Whole),
            ("bytes=x-", Slice::Whole),
        ] {
            assert_eq!(read(header, 10), wanted, "{header}");
        }
        assert_eq!(read("bytes=0-", 0), Slice::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn a_part_always_lies_within_the_file(header in "bytes=[0-9]{0,25}-[0-9]{0,25}", total in 0usize..50) {
            if let Slice::Part { first, last } = read(&header, total) {
                prop_assert!(first <= last && last < total);
            }
        }
    }
}
