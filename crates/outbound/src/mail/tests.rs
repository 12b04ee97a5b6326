//! What is said, byte by byte. A server that Provost did not write judges the rest (crates/cli/tests/mail).

use super::{Content, Sender, Trouble, message};
use proptest::prelude::*;
use provost_core::mail::Outgoing;
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;

fn mail(to: &str, subject: &str, text: &str) -> Outgoing {
    Outgoing {
        id: "mail_01jd0ck3v80000000000000001".parse().unwrap(),
        message_id: "mail_01jd0ck3v80000000000000001@phones.example.com".to_owned(),
        to: to.to_owned(),
        written: UnixMillis(1_795_000_000_000),
        subject: subject.to_owned(),
        text: Secret::from(text),
        html: Some(Secret::from("<p>x</p>")),
    }
}

fn written(mail: &Outgoing) -> Result<String, String> {
    let from: Sender = "Phones <phones@example.com>".parse().unwrap();
    message::written(mail, &from.0, &mail.to.parse().map_err(|error| format!("{error}"))?)
}

#[test]
fn a_message_has_its_id_date_and_both_parts() {
    let message = written(&mail("ada@example.com", "Grüße", "Hallo Ada\n.\n")).unwrap();

    for line in [
        "From: Phones <phones@example.com>",
        "To: ada@example.com",
        "Message-ID: <mail_01jd0ck3v80000000000000001@phones.example.com>",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(message.contains(&format!("{line}\r\n")), "{line}\n{message}");
    }
    assert!(message.contains("multipart/alternative") && message.contains("text/html"), "{message}");
    assert!(message.is_ascii(), "{message}");
}

#[test]
fn dots_are_doubled_and_the_end_is_not_in_the_content() {
    assert_eq!(Content(".\r\n..x\r\ny.").to_string(), "..\r\n...x\r\ny.\r\n");
    assert_eq!(Content("a\r\n").to_string(), "a\r\n");
}

#[test]
fn an_address_that_would_be_more_than_one_is_none() {
    for bad in
        ["a@example.com\r\nRCPT TO:<b@example.com>", "a@example.com, b@example.com", "<a@example.com>", "a b@c.d"]
    {
        assert!(written(&mail(bad, "x", "x")).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_subject_makes_a_header_of_its_own(subject in "\\PC{0,60}(\r|\n|\r\n)\\PC{0,60}") {
        let Ok(message) = written(&mail("ada@example.com", &subject, "x")) else { return Ok(()) };
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        prop_assert!(names.iter().all(|name| ["From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted",
            "MIME-Version", "Content-Type"].contains(name)), "{names:?}");
    }

    #[test]
    fn lines_end_in_one_way_however_they_came(text in "(\\.|a|ü|=|\r|\n|\r\n){0,40}") {
        let mut mail = mail("ada@example.com", "x", &text);
        mail.html = Some(Secret::from(text.as_str()));
        let content = written(&mail).unwrap();
        let bare = content.replace("\r\n", "");
        prop_assert!(!bare.contains(['\r', '\n']), "{content:?}");
    }

    #[test]
    fn no_content_ends_itself(text in "(\\.|a|\r|\n|\r\n){0,40}") {
        let content = Content(&text).to_string();
        prop_assert!(!content.contains("\r\n.\r\n") && !content.starts_with(".\r\n"), "{content:?}");
    }
}

#[test]
fn what_is_said_of_the_sender_is_said_of_every_mail() {
    let trouble = |words: &str| Trouble { is_permanent: true, is_answer: true, words: words.to_owned() };
    for words in [
        "550 5.1.8 sender is nobody",
        "530 5.7.0 authentication required",
        "553 5.7.1 <a@b.c>: Sender address rejected: not owned by user x",
    ] {
        assert!(trouble(words).is_about_us(), "{words}");
    }
    for words in ["550 5.1.1 nobody of that name here", "554 5.7.1 relay access denied", "452 4.2.2 full", ""] {
        assert!(!trouble(words).is_about_us(), "{words}");
    }
}
