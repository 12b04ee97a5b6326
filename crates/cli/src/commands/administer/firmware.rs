//! Firmware images from the command line: sent as they are read.

use super::firmware_policy::firmware_policy_call;
use super::import::{bar, sent};
use super::{Call, get, lines, whole};
use crate::args::{Firmware, ImageKind, UploadImage};
use crate::client::Client;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::Place;
use axum::body::Body;
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use hyper::body::Bytes;
use serde_json::Value;
use std::io;
use tokio::fs::File;
use url::form_urlencoded::{Serializer, byte_serialize};

const IMAGE: &[&str] = &["id", "name", "version", "kind", "models", "bytes", "state", "problem"];

pub(crate) async fn run(place: &Place<'_>, command: Firmware) -> Result<(), Failure> {
    let call = match command {
        Firmware::Upload(upload) => {
            let client = Client::find(place, &upload.target).await?;
            let done = uploaded(&client, &upload).await;
            client.close().await;
            return done;
        }
        Firmware::Images { model, target } => {
            let query = model.map(|model| Serializer::new(String::new()).append_pair("model", &model).finish());
            get(target, query.map_or("/firmware/images".to_owned(), |query| format!("/firmware/images?{query}")), IMAGE)
        }
        Firmware::Policy(command) => firmware_policy_call(command),
        Firmware::Remove { id, reason, target } => {
            Call { target, method: "DELETE", path: removal("images", &id, &reason), body: None, columns: IMAGE }
        }
    };
    let client = Client::find(place, &call.target).await?;
    let answer = whole(&client, &call).await;
    client.close().await;
    let mut answer = answer?;
    if call.target.json {
        say(serde_json::to_string_pretty(&answer).map_err(Failure::runtime)?);
        return Ok(());
    }
    if let Some(summary) = answer.get("summary").and_then(Value::as_str) {
        say(summary);
    }
    for_people(&mut answer);
    for line in lines(&answer, call.columns) {
        say(line);
    }
    Ok(())
}

async fn uploaded(client: &Client, upload: &UploadImage) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::Usage(format!("{}: {error}", upload.file.display()));
    let file = File::open(&upload.file).await.map_err(cannot)?;
    let found = file.metadata().await.map_err(cannot)?;
    if found.is_dir() {
        let words = "is a folder; name a file, or zip its images";
        return Err(Failure::Usage(format!("{}: {words}", upload.file.display())));
    }
    let bar = bar(found.len(), upload.target.json);
    bar.set_message("sending");
    let (sender, body) = Channel::<Bytes, io::Error>::new(2);
    tokio::spawn(sent(file, sender, bar.clone()));
    let path = path(upload);
    let answer = client.stream(("POST", &path), "application/octet-stream", Body::new(body)).await?;
    let text = answer.into_body().collect().await.map_err(Failure::runtime)?.to_bytes();
    bar.finish_and_clear();
    let answer: Value = serde_json::from_slice(&text).map_err(Failure::runtime)?;
    if upload.target.json {
        say(serde_json::to_string_pretty(&answer).map_err(Failure::runtime)?);
    } else {
        told(&answer);
    }
    Ok(())
}

fn path(upload: &UploadImage) -> String {
    let name = upload.file.file_name().unwrap_or_default().to_string_lossy();
    let kind = upload.kind.map(|kind| match kind {
        ImageKind::Application => "application".to_owned(),
        ImageKind::Updater => "updater".to_owned(),
    });
    let said = [
        ("version", &upload.version),
        ("model", &upload.model),
        ("sha256", &upload.sha256),
        ("kind", &kind),
        ("updater", &upload.updater),
    ];
    let mut query = Serializer::new(String::new());
    query.append_pair("name", &name);
    for (field, value) in said {
        if let Some(value) = value {
            query.append_pair(field, value);
        }
    }
    format!("/firmware/images?{}", query.finish())
}

/// What removes an image or a policy, whatever somebody wrote for its id.
pub(super) fn removal(what: &str, id: &str, reason: &str) -> String {
    let id: String = byte_serialize(id.as_bytes()).collect();
    let query = Serializer::new(String::new()).append_pair("reason", reason).finish();
    format!("/firmware/{what}/{id}?{query}")
}

/// Says what came of an upload.
fn told(answer: &Value) {
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    say(format!(
        "{} new images, {} were there already, {} files of it are not taken",
        number("added"),
        number("already"),
        number("left-out-count")
    ));
    let list = |name: &str| answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for mut image in list("images") {
        for_people(&mut image);
        for line in lines(&image, IMAGE) {
            say(line);
        }
    }
    for one in list("left-out") {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        say(format!("not taken: {}: {}", text("name"), text("why")));
    }
}

/// Models in one cell; where no model may take it, the reason.
fn for_people(answer: &mut Value) {
    if let Some(items) = answer.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(for_people);
        return;
    }
    let Some(fields) = answer.as_object_mut() else { return };
    let names: Vec<&str> =
        fields.get("models").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let words = match fields.get("no-model").and_then(Value::as_str) {
        Some(why) => why.to_owned(),
        None => names.join(", "),
    };
    fields.insert("models".to_owned(), Value::String(words));
}

#[cfg(test)]
mod tests {
    use super::removal;

    #[test]
    fn an_id_stays_one_part_of_the_address() {
        assert_eq!(removal("images", "image_01j", "no use"), "/firmware/images/image_01j?reason=no+use");
        assert_eq!(removal("images", "a/../b?reason=x#", "y"), "/firmware/images/a%2F..%2Fb%3Freason%3Dx%23?reason=y");
    }
}
