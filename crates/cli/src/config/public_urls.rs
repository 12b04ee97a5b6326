//! The addresses phones and administrators are told.

use super::HttpUrl;
use super::document::{Document, Key};
use super::problem::Refusal;
use provost_core::public_url::PublicUrl;

/// `public-url`: where phones shall live, and where they lived before.
pub(super) fn read_public_urls(document: &mut Document) -> (Option<PublicUrl>, Option<PublicUrl>) {
    let key = Key::new("", "public-url");
    let Some((texts, place)) = document.list("", "public-url") else { return (None, None) };
    let mut urls = Vec::new();
    for text in &texts {
        match public_url(text) {
            Ok(url) => urls.push(url),
            Err(refusal) => document.refuse(place.clone(), &key, refusal),
        }
    }
    if texts.is_empty() || texts.len() > 2 {
        document.refuse(place.clone(), &key, Refusal::NotOneOrTwoUrls { found: texts.len() });
    }
    let mut urls = urls.into_iter();
    let (current, former) = (urls.next(), urls.next());
    if current.is_some() && current == former {
        document.refuse(place, &key, Refusal::SameUrlTwice);
    }
    (current, former)
}

/// One `https://` address.
pub(super) fn public_url(text: &str) -> Result<PublicUrl, Refusal> {
    without_password(text)?;
    text.parse().map_err(|error| Refusal::NotAPublicUrl { error })
}

/// `public-http-url`.
pub(super) fn public_http_url(text: &str) -> Result<HttpUrl, Refusal> {
    without_password(text)?;
    HttpUrl::parse(text)
}

/// Comes before every other look at a URL, since the other messages repeat it.
fn without_password(url: &str) -> Result<(), Refusal> {
    if url.contains('@') { Err(Refusal::UrlWithPassword) } else { Ok(()) }
}
