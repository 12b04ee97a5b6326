//! CSV, read as bytes come in and written for spreadsheets (RFC 4180).
//!
//! Reads what spreadsheets save: comma, semicolon or tab; any line end; with or without a byte order mark. Counts rows
//! as a spreadsheet shows them, blank ones too. Holds one row at a time.

use std::mem::take;

/// Far above any row; a quotation mark that is not closed ends here and not in memory.
const MOST_ROW_BYTES: usize = 64 * 1024;

/// Why a file cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// The byte order mark of UTF-16.
    #[error("the file is UTF-16; save it as CSV UTF-8")]
    Utf16,
    /// One row does not end.
    #[error("row {row} is longer than 64 kB; is a quotation mark missing?")]
    RowTooLong {
        /// The row.
        row: i64,
    },
    /// The file ends within quotation marks.
    #[error("the file ends within the quotation marks of row {row}; close them")]
    Unclosed {
        /// The row.
        row: i64,
    },
}

/// Why the cells of a row are not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowTrouble {
    /// Bytes that are no UTF-8.
    NotUtf8,
    /// Something stands behind a closing quotation mark.
    AfterQuote,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number; the first row of the file is 1.
    pub row: i64,
    /// Its cells.
    pub cells: Vec<String>,
    /// What is wrong with it as CSV.
    pub trouble: Option<RowTrouble>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Bare,
    Quoted,
    AfterQuote,
}

/// Reads a file piece by piece.
#[derive(Debug)]
pub struct CsvReader {
    /// `None` until the first line is there.
    delimiter: Option<u8>,
    first_line: Vec<u8>,
    state: State,
    after_return: bool,
    cell: Vec<u8>,
    cells: Vec<String>,
    bytes: usize,
    row: i64,
    trouble: Option<RowTrouble>,
}

impl Default for CsvReader {
    fn default() -> Self {
        Self {
            delimiter: None,
            first_line: Vec::new(),
            state: State::Start,
            after_return: false,
            cell: Vec::new(),
            cells: Vec::new(),
            bytes: 0,
            row: 1,
            trouble: None,
        }
    }
}

impl CsvReader {
    /// Reads on; whole rows are put into `out`.
    ///
    /// # Errors
    /// [`CsvError`]; nothing can be read after it.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Record>) -> Result<(), CsvError> {
        if let Some(delimiter) = self.delimiter {
            return self.steps(bytes, delimiter, out);
        }
        self.first_line.extend_from_slice(bytes);
        if self.first_line.iter().any(|byte| matches!(byte, b'\n' | b'\r')) || self.first_line.len() > MOST_ROW_BYTES {
            return self.begin(out);
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`CsvError`].
    pub fn finish(&mut self, out: &mut Vec<Record>) -> Result<(), CsvError> {
        if self.delimiter.is_none() {
            self.begin(out)?;
        }
        if self.state == State::Quoted {
            return Err(CsvError::Unclosed { row: self.row });
        }
        if self.state != State::Start || !self.cells.is_empty() {
            self.end_row(out);
        }
        Ok(())
    }

    fn begin(&mut self, out: &mut Vec<Record>) -> Result<(), CsvError> {
        let bytes = take(&mut self.first_line);
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(CsvError::Utf16);
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let delimiter = delimiter_of(bytes);
        self.delimiter = Some(delimiter);
        self.steps(bytes, delimiter, out)
    }

    fn steps(&mut self, bytes: &[u8], delimiter: u8, out: &mut Vec<Record>) -> Result<(), CsvError> {
        for byte in bytes {
            self.step(*byte, delimiter, out)?;
        }
        Ok(())
    }

    fn step(&mut self, byte: u8, delimiter: u8, out: &mut Vec<Record>) -> Result<(), CsvError> {
        if take(&mut self.after_return) && byte == b'\n' {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(1);
        if self.bytes > MOST_ROW_BYTES {
            return Err(CsvError::RowTooLong { row: self.row });
        }
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::AfterQuote,
            (State::Quoted, _) => self.cell.push(byte),
            (State::Start, b'"') => self.state = State::Quoted,
            (State::AfterQuote, b'"') => {
                self.cell.push(byte);
                self.state = State::Quoted;
            }
            (_, b'\n' | b'\r') => {
                self.after_return = byte == b'\r';
                self.end_row(out);
            }
            (_, _) if byte == delimiter => {
                self.end_cell();
                self.state = State::Start;
            }
            (state, _) => {
                if state == State::AfterQuote {
                    self.trouble = Some(RowTrouble::AfterQuote);
                }
                self.cell.push(byte);
                self.state = State::Bare;
            }
        }
        Ok(())
    }

    fn end_cell(&mut self) {
        let text = String::from_utf8(take(&mut self.cell)).unwrap_or_else(|error| {
            self.trouble = Some(RowTrouble::NotUtf8);
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        self.cells.push(text);
    }

    fn end_row(&mut self, out: &mut Vec<Record>) {
        self.end_cell();
        let (cells, trouble) = (take(&mut self.cells), self.trouble.take());
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            out.push(Record { row: self.row, cells, trouble });
        }
        self.row = self.row.saturating_add(1);
        self.bytes = 0;
        self.state = State::Start;
    }
}

/// What parts the cells of the first line: whichever of the three it holds most of, outside quotation marks.
fn delimiter_of(bytes: &[u8]) -> u8 {
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |wanted: u8| {
        let mut quoted = false;
        let parting = |byte: &&u8| {
            quoted ^= **byte == b'"';
            !quoted && **byte == wanted
        };
        line.iter().filter(parting).count()
    };
    let (comma, semicolon, tab) = (count(b','), count(b';'), count(b'\t'));
    if semicolon > comma && semicolon >= tab {
        b';'
    } else if tab > comma {
        b'\t'
    } else {
        b','
    }
}

/// Writes one row. A cell that a spreadsheet would take for a formula gets an apostrophe in front, which makes it text.
pub fn write_row<'a>(out: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let mark = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        if cell.contains(['"', ',', '\r', '\n']) {
            out.push('"');
            out.push_str(mark);
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(mark);
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}
