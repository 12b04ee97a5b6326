//! Mail from the command line.

use super::{Call, get, object, post};
use crate::args::{Mail, MailTemplate, TemplateFiles, TemplateOf, Welcome};
use crate::failure::Failure;
use serde_json::{Value, json};
use std::path::PathBuf;

const MAILS: &[&str] = &["id", "kind", "to", "state", "queued-at", "answer"];
const MAIL: &[&str] = &[
    "id",
    "kind",
    "user",
    "to",
    "subject",
    "state",
    "words",
    "tries",
    "queued-at",
    "next-try-at",
    "ended-at",
    "answer",
];
const TEMPLATES: &[&str] = &["kind", "language", "from", "subject", "changed-at"];
const TEMPLATE: &[&str] = &["kind", "language", "from", "changed-at", "subject", "text", "html"];
const WELCOMED: &[&str] = &["user", "verdict", "message", "mail"];
const ADDRESSES: &[&str] = &["addresses", "mail-server"];

pub(super) fn mail_call(command: Mail) -> Result<Call, Failure> {
    Ok(match command {
        Mail::Welcome(welcome) => welcome_call(welcome),
        Mail::List { user, state, target } => {
            let fields = [("user", user), ("state", state)];
            let given: Vec<String> =
                fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
            let query = if given.is_empty() { String::new() } else { format!("?{}", given.join("&")) };
            get(target, format!("/mail{query}"), MAILS)
        }
        Mail::Show(it) => get(it.target, format!("/mail/{}", it.id), MAIL),
        Mail::Again(it) => post(it.target, format!("/mail/{}/again", it.id), None, MAIL),
        Mail::Template(command) => template_call(command)?,
        Mail::Alarms { account, to, nobody, target } => {
            let path = account.map_or("/alarm-mail".to_owned(), |account| format!("/accounts/{account}/alarm-mail"));
            if to.is_empty() && !nobody {
                return Ok(get(target, path, ADDRESSES));
            }
            Call { target, method: "PUT", path, body: Some(json!({ "addresses": to })), columns: ADDRESSES }
        }
    })
}

fn welcome_call(welcome: Welcome) -> Call {
    let Welcome { users, account, site, not_yet_sent, without_device, after, target } = welcome;
    let body = object([
        ("users", Some(json!(users)).filter(|_| !users.is_empty())),
        ("account", account.map(Value::from)),
        ("site", site.map(Value::from)),
        ("not-yet-sent", Some(json!(not_yet_sent))),
        ("without-device", Some(json!(without_device))),
        ("after", after.map(Value::from)),
    ]);
    post(target, "/mail/welcome", Some(body), WELCOMED)
}

fn template_call(command: MailTemplate) -> Result<Call, Failure> {
    let root = |of: &TemplateOf| {
        of.account.as_ref().map_or("/mail/templates".to_owned(), |id| format!("/accounts/{id}/mail-templates"))
    };
    let one = |of: &TemplateOf| format!("{}/{}/{}", root(of), of.kind, of.language);
    Ok(match command {
        MailTemplate::List(of) => {
            let path = root(&of);
            get(of.target, path, TEMPLATES)
        }
        MailTemplate::Show(of) => {
            let path = one(&of);
            get(of.target, path, TEMPLATE)
        }
        MailTemplate::Set { of, files } => {
            let path = one(&of);
            let [subject, text, html] = parts(files)?;
            let (Some(subject), Some(text)) = (subject, text) else {
                return Err(Failure::Usage(
                    "name --subject and --text, and --html unless the mail is text alone".into(),
                ));
            };
            let body = json!({ "subject": subject, "text": text, "html": html.unwrap_or_default() });
            Call { target: of.target, method: "PUT", path, body: Some(body), columns: TEMPLATE }
        }
        MailTemplate::Remove(of) => {
            let path = one(&of);
            Call { target: of.target, method: "DELETE", path, body: None, columns: TEMPLATE }
        }
        MailTemplate::Preview { of, files, user, reveal } => {
            let path = format!("{}/{}/preview", root(&of), of.kind);
            let [subject, text, html] = parts(files)?;
            let body = object([
                ("subject", subject.map(Value::from)),
                ("text", text.map(Value::from)),
                ("html", html.map(Value::from)),
                ("language", Some(json!(of.language)).filter(|_| of.language != "any")),
                ("user", user.map(Value::from)),
                ("reason", reveal.map(Value::from)),
            ]);
            post(of.target, path, Some(body), &["subject", "text", "html", "masked"])
        }
    })
}

/// Subject, text and HTML, as far as files were named.
fn parts(files: TemplateFiles) -> Result<[Option<String>; 3], Failure> {
    let read = |option: &str, file: Option<PathBuf>| match file {
        None => Ok(None),
        Some(file) => std::fs::read_to_string(&file)
            .map(Some)
            .map_err(|error| Failure::Usage(format!("--{option} {}: {error}", file.display()))),
    };
    let subject = read("subject", files.subject)?.map(|text| text.lines().next().unwrap_or_default().to_owned());
    Ok([subject, read("text", files.text)?, read("html", files.html)?])
}
