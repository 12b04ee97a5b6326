//! QR codes as SVG made here: a picture that comes from nowhere else and needs no script.

use super::answer::Trouble;
use fast_qr::{ECL, QRBuilder};
use provost_app::{AppError, error_reference};
use std::fmt::Write as _;

/// A QR code as an SVG path, in squares of one unit.
pub(super) struct QrCode {
    /// Width and height with the quiet zone.
    pub(super) size: usize,
    /// The dark squares.
    pub(super) path: String,
}

/// Four squares: ISO/IEC 18004 asks for as many.
const QUIET: usize = 4;

impl QrCode {
    /// The code of a text, which is ours and short.
    ///
    /// # Errors
    /// [`Trouble::App`] where it is too long.
    pub(super) fn of(text: &str) -> Result<Self, Trouble> {
        let too_long = |_| AppError::Refused {
            code: "qr-code",
            message: "the text does not fit into a QR code".to_owned(),
            reference: error_reference(),
        };
        let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(too_long)?;
        let mut path = String::new();
        for row in 0..code.size {
            let mut column = 0;
            while column < code.size {
                let from = column;
                while column < code.size && is_dark(&code, row, column) {
                    column = column.saturating_add(1);
                }
                if column > from {
                    let (x, y) = (from.saturating_add(QUIET), row.saturating_add(QUIET));
                    let _ = write!(path, "M{x} {y}h{}v1H{x}z", column.saturating_sub(from));
                } else {
                    column = column.saturating_add(1);
                }
            }
        }
        Ok(Self { size: code.size.saturating_add(QUIET.saturating_mul(2)), path })
    }
}

fn is_dark(code: &fast_qr::QRCode, row: usize, column: usize) -> bool {
    // The index operator of the library would panic outside.
    let at = row.saturating_mul(code.size).saturating_add(column);
    code.data.get(at).is_some_and(|square| square.value())
}
