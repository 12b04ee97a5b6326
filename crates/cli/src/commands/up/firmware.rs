//! The firmware of the walk: an image that stands in for the maker's, put into the store as an administrator would.

use crate::client::Client;
use crate::failure::Failure;
use crate::lab::Lab;
use axum::body::Body;
use http_body_util::BodyExt;
use provost_catalog::{Catalog, Version};
use provost_phone::image::{LabEntry, LabImage};
use serde_json::{Value, json};

/// Bytes of the image: enough to be seen coming, not to be waited for.
const BYTES: u64 = 4 * 1024 * 1024;

/// What the phone has in its box, and what it is led to.
pub(super) struct Way {
    pub(super) from: String,
    pub(super) to: String,
}

/// Stores an image that closes the model's known hole, and says that phones get the newest at once.
///
/// Both versions are the catalog's: the phone begins just below what its model is served with.
pub(super) async fn prepare(client: &Client, lab: &Lab, catalog: &Catalog) -> Result<Way, Failure> {
    let lacks = |what: &str| Failure::Runtime(format!("the catalog knows no {what} of {}", super::MODEL));
    let hardware = catalog.hardware(super::MODEL).ok_or_else(|| lacks("hardware"))?;
    let part = hardware.part_numbers.first().ok_or_else(|| lacks("part number"))?.value.as_str();
    let secure = hardware.secure_from.as_ref().ok_or_else(|| lacks("secure version"))?;
    let floor = hardware.floor.as_ref().ok_or_else(|| lacks("lowest version"))?;
    let to = format!("{}.1", secure.value);
    let from = below(&floor.value).ok_or_else(|| lacks("version below the lowest"))?;
    let image = LabImage::of(LabEntry::application(part, &to, &to).of_bytes(BYTES));
    let bytes = image.to_bytes(&lab.ensure_image_signer()?).map_err(Failure::runtime)?;
    let path = format!("/firmware/images?name={part}.sip.ld");
    let answer = client.stream(("POST", &path), "application/octet-stream", Body::from(bytes)).await?;
    answer.into_body().collect().await.map_err(Failure::runtime)?;
    let policy = json!({ "model": super::MODEL, "target": "newest", "window": "always", "reason": "the lab's walk" });
    let _: Value = client.call("POST", "/firmware/policies", Some(&policy)).await?;
    Ok(Way { from, to })
}

/// The highest version of three numbers below this one: 6.4.2 for 6.4.3.
fn below(version: &Version) -> Option<String> {
    let text = version.to_string();
    let (head, last) = text.rsplit_once('.')?;
    let last: u64 = last.parse().ok()?;
    Some(format!("{head}.{}", last.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_the_box_is_just_below_the_floor() {
        assert_eq!(below(&"6.4.3".parse().unwrap()).as_deref(), Some("6.4.2"));
        assert_eq!(below(&"6.0".parse().unwrap()), None);
        assert_eq!(below(&"6".parse().unwrap()), None);
    }
}
