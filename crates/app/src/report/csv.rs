//! The report as CSV, a piece at a time: however many devices there are, one page is in memory.

use super::Report;
use super::view::Reveal;
use crate::{App, AppError};
use provost_core::import::csv::write_row;

/// Rows of a piece: about 100 kB.
const ROWS: u32 = 1_000;

/// A report that is written piece by piece.
#[derive(Debug)]
pub struct ReportCsv {
    report: Report,
    reveal: Reveal,
    begun: bool,
    over: bool,
}

impl ReportCsv {
    pub(super) fn new(mut report: Report, reveal: Reveal) -> Self {
        report.query.limit = ROWS;
        Self { report, reveal, begun: false, over: false }
    }

    /// The next piece; `None` at the end. Devices that change their place meanwhile may be in it twice or not at all.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Vault`]; the file is not whole then.
    pub async fn next(&mut self, app: &App) -> Result<Option<String>, AppError> {
        if self.over {
            return Ok(None);
        }
        let mut text = String::new();
        if !self.begun {
            self.begun = true;
            write_row(&mut text, self.report.columns.iter().map(|column| column.title));
        }
        let page = app.store.device_report(&self.report.query).await?;
        for row in &page.rows {
            let cells: Vec<_> = app.report_item(row, &self.report, self.reveal).await?.texts().collect();
            write_row(&mut text, cells.iter().map(String::as_str));
        }
        self.over = page.next.is_none();
        self.report.query.after = page.next;
        Ok(Some(text))
    }
}
