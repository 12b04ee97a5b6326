//! The person at the phone's web pages: finds links, fields and buttons by the words that stand there.
//!
//! Decides how a page is walked: what is not on the page cannot be clicked. Never uses an address that no page
//! names, but for the first.

mod browser;
mod page;

use url::Url;

use self::browser::{Answer, Browser, Sending};
use self::page::{Click, Page};

/// Statuses by which a phone says no to what a form holds; any other says that the form never came that far.
pub(super) const REFUSALS: [u16; 2] = [400, 409];

/// Why something cannot be done in a web page.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebTrouble {
    /// No answer came.
    #[error("{url}: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
    /// The page says no.
    #[error("{url} answers {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The status.
        status: u16,
    },
    /// The words are not on the page.
    #[error("there is no {what} \"{words}\" on {page}; there are: {there}")]
    Missing {
        /// A link, a field, a button.
        what: &'static str,
        /// The words looked for.
        words: String,
        /// The page.
        page: String,
        /// What there is of that kind.
        there: String,
    },
    /// Nobody opened a page yet.
    #[error("no page is open; begin with `web login`")]
    NoPage,
    /// The page takes nobody with this name and password.
    #[error("the page does not let \"{user}\" in: {page}")]
    NotLetIn {
        /// The user's name.
        user: String,
        /// What the page says.
        page: String,
    },
}

/// A person with a browser.
#[derive(Debug)]
pub(super) struct Visitor {
    home: Url,
    browser: Browser,
    page: Option<Page>,
}

impl Visitor {
    pub(super) fn new(home: Url) -> Self {
        Self { home, browser: Browser::default(), page: None }
    }

    /// Signs in with the page's own form.
    pub(super) async fn login(&mut self, user: &str, password: &str) -> Result<(), WebTrouble> {
        self.browser = Browser::default();
        self.go(Sending::open(self.home.clone())).await?;
        let page = self.page.as_mut().ok_or(WebTrouble::NoPage)?;
        if let Some(form) = page.sign_in(user, password) {
            self.go(form).await?;
        }
        let page = self.page.as_ref().ok_or(WebTrouble::NoPage)?;
        match page.refuses_login() {
            true => Err(WebTrouble::NotLetIn { user: user.to_owned(), page: page.text() }),
            false => Ok(()),
        }
    }

    /// Follows links by their words, one after another: `Settings > Provisioning Server`.
    pub(super) async fn open(&mut self, way: &str) -> Result<(), WebTrouble> {
        for words in way.split('>').map(str::trim).filter(|words| !words.is_empty()) {
            self.click(words).await?;
        }
        Ok(())
    }

    /// Fills a field.
    pub(super) fn set(&mut self, label: &str, value: &str) -> Result<(), WebTrouble> {
        self.page.as_mut().ok_or(WebTrouble::NoPage)?.set(label, value)
    }

    /// Clicks what has these words.
    pub(super) async fn click(&mut self, words: &str) -> Result<(), WebTrouble> {
        match self.page.as_mut().ok_or(WebTrouble::NoPage)?.click(words)? {
            Click::Stays => Ok(()),
            Click::Goes(sending) => self.go(sending).await,
        }
    }

    /// Whether the page has a field with this label.
    pub(super) fn has_field(&self, label: &str) -> Result<bool, WebTrouble> {
        self.page.as_ref().map(|page| page.has_field(label)).ok_or(WebTrouble::NoPage)
    }

    /// All that can be read on the page.
    pub(super) fn text(&self) -> Result<String, WebTrouble> {
        self.page.as_ref().map(Page::text).ok_or(WebTrouble::NoPage)
    }

    async fn go(&mut self, sending: Sending) -> Result<(), WebTrouble> {
        let Answer { address, status, body } = self.browser.send(sending).await?;
        let trouble = (status >= 400).then(|| WebTrouble::Status { url: address.to_string(), status });
        // Why a form was not taken can be read; any other error is no page of the phone's.
        if trouble.is_none() || REFUSALS.contains(&status) {
            let page = Page::new(address, body);
            self.browser.note_token(page.csrf_token());
            self.page = Some(page);
        }
        trouble.map_or(Ok(()), Err)
    }
}
