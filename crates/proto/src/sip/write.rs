//! Writes messages.
//!
//! No value can break out of its line: line ends in it become spaces, so an echoed or folded header stays one header.

use std::fmt::{self, Display, Write as _};

/// A message under construction, header by header.
///
/// ```
/// use provost_proto::sip::write::Writer;
///
/// let bytes = Writer::request("OPTIONS", "sip:192.0.2.1").header("Max-Forwards", 70).finish();
/// assert_eq!(bytes, b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
/// ```
#[derive(Clone)]
pub struct Writer(Vec<u8>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Writer {
    /// Begins a request.
    #[must_use]
    pub fn request(method: &str, uri: &str) -> Self {
        let mut writer = Self(Vec::with_capacity(768));
        writer.safely(method);
        writer.raw(" ");
        writer.safely(uri);
        writer.raw(" SIP/2.0\r\n");
        writer
    }

    /// Begins a response; an empty reason becomes the usual words for the status.
    #[must_use]
    pub fn response(status: u16, reason: &str) -> Self {
        let mut writer = Self(Vec::with_capacity(768));
        writer.raw("SIP/2.0 ");
        writer.safely(status);
        writer.raw(" ");
        writer.safely(if reason.is_empty() { usual_reason(status) } else { reason });
        writer.raw("\r\n");
        writer
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        self.raw(name);
        self.raw(": ");
        self.safely(value);
        self.raw("\r\n");
        self
    }

    /// Ends a message without body.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.raw("Content-Length: 0\r\n\r\n");
        self.0
    }

    /// Ends a message with a body.
    #[must_use]
    pub fn body(self, content_type: &str, body: &[u8]) -> Vec<u8> {
        let mut writer = self.header("Content-Type", content_type).header("Content-Length", body.len());
        writer.raw("\r\n");
        writer.0.extend_from_slice(body);
        writer.0
    }

    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn safely(&mut self, value: impl Display) {
        // Writing to memory does not fail; a Display that does leaves its value short.
        let _ = write!(OneLine(&mut self.0), "{value}");
    }
}

/// Lets no line end through.
struct OneLine<'a>(&'a mut Vec<u8>);

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.contains(['\r', '\n']) {
            self.0.extend(text.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        } else {
            self.0.extend_from_slice(text.as_bytes());
        }
        Ok(())
    }
}

/// The words of RFC 3261 §21 and its successors for a status.
#[must_use]
pub const fn usual_reason(status: u16) -> &'static str {
    match status {
        100 => "Trying",
        180 => "Ringing",
        200 => "OK",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        603 => "Decline",
        _ => match status / 100 {
            1 => "Progress",
            2 => "OK",
            3 => "Redirected",
            4 => "Client Error",
            5 => "Server Error",
            _ => "Global Failure",
        },
    }
}
