//! A mail as the network has it: headers and both parts.

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use provost_core::mail::Outgoing;
use std::time::{Duration, UNIX_EPOCH};

/// Says that no person wrote it, so that no machine answers (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Text whose lines end in one way: a lone CR is a line's end to some servers, and to others not (RFC 5321, 2.3.8).
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The whole message; each line ends with CR and LF, and none is beyond ASCII.
pub(super) fn written(mail: &Outgoing, from: &Mailbox, to: &Address) -> Result<String, String> {
    let written = u64::try_from(mail.written.0).unwrap_or(0);
    let builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(mail.subject.clone())
        .message_id(Some(format!("<{}>", mail.message_id)))
        .date(UNIX_EPOCH + Duration::from_millis(written))
        .header(AutoSubmitted);
    let text = lines(mail.text.reveal());
    let message = match &mail.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, lines(html.reveal()))),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    let message = message.map_err(|error| format!("the mail could not be written: {error}"))?;
    String::from_utf8(message.formatted()).map_err(|_| "the mail could not be written as text".to_owned())
}
