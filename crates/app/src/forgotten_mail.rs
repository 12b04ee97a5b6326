//! Hands a mail over to be sent. Until there is an outbox, nothing can be sent, and that is said.

use crate::{App, AppError, error_reference};

impl App {
    /// Whether a mail can be sent.
    pub const fn has_mail_server(&self) -> bool {
        false
    }

    /// Keeps a mail to be sent.
    ///
    /// # Errors
    /// [`AppError::Refused`] while no mail server is configured.
    pub async fn queue_mail(&self, to: &str, subject: &str, text: &str, html: &str) -> Result<(), AppError> {
        let _ = (to, subject, text, html);
        Err(AppError::Refused {
            code: "no-mail-server",
            message: format!(
                "no mail server is configured; ask an owner to reset your password with `{} administrator \
                 reset-password ID`",
                self.told().command
            ),
            reference: error_reference(),
        })
    }
}
