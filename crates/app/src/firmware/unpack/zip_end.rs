//! The end of a zip, which says how much its directory holds. Only so much is read that a zip of millions of entries is
//! refused before any of them is.
//!
//! Source: PKWARE's APPNOTE.TXT 6.3.10, 4.3.14 to 4.3.16.

use std::io::{self, Read, Seek, SeekFrom};

/// Some 4 KiB for each of as many entries as are taken.
pub(super) const MOST_DIRECTORY_BYTES: u64 = 8 * 1024 * 1024;

/// The end without its comment.
const END_BYTES: usize = 22;
/// The longest comment.
const COMMENT_BYTES: usize = 65_535;
const LOCATOR_BYTES: usize = 20;
const END_64_BYTES: usize = 56;

/// What the end says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ZipEnd {
    pub(super) entries: u64,
    pub(super) directory_bytes: u64,
}

/// What stands at the end of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of a zip, and nothing that could be taken for another.
    One(ZipEnd),
    /// None.
    Missing,
    /// What may be ends of two: whoever reads the zip after this could take the one that was not looked at.
    Several,
}

/// Reads the end of a file.
pub(super) fn read(file: &mut (impl Read + Seek)) -> io::Result<End> {
    let length = file.seek(SeekFrom::End(0))?;
    let most = u64::try_from(END_BYTES + COMMENT_BYTES + LOCATOR_BYTES).unwrap_or(u64::MAX);
    let tail = part(file, length.saturating_sub(most), length)?;
    let is_end = |at: &usize| {
        let comment = tail.get(*at..).and_then(|end| number::<2>(end, 20));
        let left = tail.len().saturating_sub(at.saturating_add(END_BYTES));
        tail.get(*at..).is_some_and(|end| end.starts_with(b"PK\x05\x06"))
            && comment.and_then(|comment| usize::try_from(comment).ok()) == Some(left)
    };
    let Some(at) = (0..=tail.len().saturating_sub(END_BYTES)).rev().find(is_end) else { return Ok(End::Missing) };
    let locators = places(&tail, b"PK\x06\x07");
    if places(&tail, b"PK\x05\x06") != [at] {
        return Ok(End::Several);
    }
    let end = tail.get(at..).unwrap_or_default();
    let (Some(entries), Some(directory_bytes)) = (number::<2>(end, 10), number::<4>(end, 12)) else {
        return Ok(End::Missing);
    };
    let is_filled = [entries < 0xffff, directory_bytes < 0xffff_ffff, number::<4>(end, 16) < Some(0xffff_ffff)];
    if locators.is_empty() {
        // Without a larger end the small one counts.
        return Ok(End::One(ZipEnd { entries, directory_bytes }));
    }
    let Some(locator_at) = at.checked_sub(LOCATOR_BYTES).filter(|at| locators == [*at]) else {
        return Ok(End::Several);
    };
    if is_filled == [true; 3] {
        // The larger one counts only where a number does not fit here.
        return Ok(End::One(ZipEnd { entries, directory_bytes }));
    }
    let locator = tail.get(locator_at..at).unwrap_or_default();
    let Some(from) = number::<8>(locator, 8) else { return Ok(End::Missing) };
    let before = u64::try_from(tail.len().saturating_sub(locator_at)).unwrap_or(u64::MAX);
    let to = from.saturating_add(u64::try_from(END_64_BYTES).unwrap_or(u64::MAX));
    let end = if to <= length { part(file, from, to)? } else { Vec::new() };
    if !end.starts_with(b"PK\x06\x06") {
        return Ok(End::Missing);
    }
    if to != length.saturating_sub(before) {
        // Between it and what points at it another could stand.
        return Ok(End::Several);
    }
    let found = number::<8>(&end, 32).zip(number::<8>(&end, 40));
    Ok(found.map_or(End::Missing, |(entries, directory_bytes)| End::One(ZipEnd { entries, directory_bytes })))
}

/// Where these four bytes stand.
fn places(bytes: &[u8], magic: &[u8; 4]) -> Vec<usize> {
    bytes.windows(magic.len()).enumerate().filter(|(_, window)| window == magic).map(|(at, _)| at).collect()
}

fn part(file: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(to.saturating_sub(from)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A number of `N` bytes at a place, the least first.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk::<N>()?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::{End, ZipEnd, read};
    use std::io::Cursor;

    #[test]
    fn an_end_is_found_behind_anything_and_before_a_comment_and_nothing_is_too_much() {
        let mut end = b"PK\x05\x06\0\0\0\0\x03\0\x03\0\x40\0\0\0\0\0\0\0\x05\0".to_vec();
        end.extend(b"words");
        let zip = [vec![7; 100_000], end.clone()].concat();

        assert_eq!(read(&mut Cursor::new(&zip)).unwrap(), End::One(ZipEnd { entries: 3, directory_bytes: 64 }));
        assert_eq!(read(&mut Cursor::new(&zip[..zip.len() - 1])).unwrap(), End::Missing, "cut off");
        assert_eq!(read(&mut Cursor::new(b"")).unwrap(), End::Missing);
        for length in 0..end.len() {
            assert_eq!(read(&mut Cursor::new(&end[..length])).unwrap(), End::Missing, "{length}");
        }
    }

    #[test]
    fn a_large_directory_is_read_from_the_larger_end() {
        let mut zip = b"PK\x06\x06".to_vec();
        zip.extend([0; 28]);
        zip.extend(70_000_u64.to_le_bytes());
        zip.extend(5_000_000_u64.to_le_bytes());
        zip.extend([0; 8]);
        zip.extend(b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0");
        zip.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");

        assert_eq!(
            read(&mut Cursor::new(&zip)).unwrap(),
            End::One(ZipEnd { entries: 70_000, directory_bytes: 5_000_000 })
        );
    }

    #[test]
    fn what_may_be_a_second_end_is_refused_wherever_it_hides() {
        let end = |comment: &[u8]| {
            let mut end = b"PK\x05\x06\0\0\0\0\x03\0\x03\0\x40\0\0\0\0\0\0\0".to_vec();
            end.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
            [end.as_slice(), comment].concat()
        };
        let large = b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
        let inner = b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0 ";
        for zip in [
            end(inner),
            end(b"PK\x05\x06"),
            end(large),
            [large.to_vec(), vec![7; 9], end(b"")].concat(),
            [end(b""), vec![7; 60_000], end(b"")].concat(),
        ] {
            assert_eq!(read(&mut Cursor::new(&zip)).unwrap(), End::Several);
        }
    }
}
