//! The style sheet, the script and the icon: compiled in, packed once, cached by browsers until the next version.
//!
//! Only these are compressed. Pages are not: they hold form tokens beside what was typed into an address.

use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::sync::LazyLock;

use super::answer::Trouble;

/// One sheet in several files: what all pages share first, then page by page, then paper.
const STYLES: &str = concat!(
    include_str!("../../assets/console/base.css"),
    include_str!("../../assets/console/home.css"),
    include_str!("../../assets/console/devices.css"),
    include_str!("../../assets/console/phone.css"),
    include_str!("../../assets/console/people.css"),
    include_str!("../../assets/console/import.css"),
    include_str!("../../assets/console/watch.css"),
    include_str!("../../assets/console/firmware.css"),
    include_str!("../../assets/console/paper.css"),
);
const SCRIPT: &str = include_str!("../../assets/console.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// A file that browsers fetch beside the pages.
struct Asset {
    kind: &'static str,
    plain: &'static str,
    /// Gzip.
    packed: Vec<u8>,
    /// Where pages say it is; another content has another address.
    url: String,
}

impl Asset {
    fn new(name: &str, kind: &'static str, plain: &'static str) -> Self {
        let version: String = hex::encode(Sha256::digest(plain.as_bytes())).chars().take(12).collect();
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        // Writing into memory does not fail; if it did, the file would go out as it is.
        let packed = packer.write_all(plain.as_bytes()).and_then(|()| packer.finish()).unwrap_or_default();
        Self { kind, plain, packed, url: format!("/assets/{name}?v={version}") }
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let takes_gzip = asked
            .get_all(ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|coding| coding.trim().eq_ignore_ascii_case("gzip"));
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(self.kind)),
            // The address changes with the content.
            (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            (VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if takes_gzip && !self.packed.is_empty() {
            let coding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
            (headers, coding, self.packed.clone()).into_response()
        } else {
            (headers, self.plain).into_response()
        }
    }
}

static STYLE_SHEET: LazyLock<Asset> = LazyLock::new(|| Asset::new("console.css", "text/css; charset=utf-8", STYLES));
static OWN_SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console.js", "text/javascript; charset=utf-8", SCRIPT));
static PICTURE: LazyLock<Asset> = LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", ICON));

/// `GET /assets/{name}`.
pub(super) async fn show(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match name.as_str() {
        "console.css" => STYLE_SHEET.answer(&headers),
        "console.js" => OWN_SCRIPT.answer(&headers),
        "icon.svg" => PICTURE.answer(&headers),
        _ => Trouble::NotHere.into_response(),
    }
}

/// Where the style sheet is.
pub(super) fn style_url() -> &'static str {
    &STYLE_SHEET.url
}

/// Where the script is.
pub(super) fn script_url() -> &'static str {
    &OWN_SCRIPT.url
}

/// Where the icon is.
pub(super) fn icon_url() -> &'static str {
    &PICTURE.url
}
