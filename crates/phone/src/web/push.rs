//! Messages and commands pushed to the phone.
//!
//! Decides which pushes are taken and what each line of one does. Off until messages are allowed and a name and a
//! password for them are set. Rules: domain notes 7.3. This phone draws no pages: of a page its words are shown.

use quick_xml::events::Event;
use tokio::time::Instant;

use crate::handset::{Order, OrderRefused};
use crate::web::answer::Answer;
use crate::web::digest::Proof;
use crate::web::keys;
use crate::web::site::Visit;
use crate::xml;

/// What the phone says when it takes a push.
const TAKEN: &str = "Push Message will be displayed successfully";
/// Commands and pages, by their media types.
const COMMANDS: &str = "application/x-com-polycom-spipx";
const PAGES: &str = "text/xml";
/// Letters of a page that are shown.
const SHOWN: usize = 200;
/// Lines of one push that are obeyed.
const LINES: usize = 32;
/// The setting that allows every priority.
const ALL_PRIORITIES: &str = "5";

/// Answers a push.
pub(crate) async fn answer(visit: &Visit<'_>) -> Answer {
    let web = &visit.site.web;
    let value = |parameter: &str| visit.value(parameter).filter(|value| !value.is_empty());
    let allowed = value(&web.push_messages.value).filter(|allowed| *allowed != "0");
    let credentials = value(&web.push_user.value).zip(value(&web.push_password.value));
    let (Some(allowed), Some(credentials)) = (allowed, credentials) else { return Answer::not_found() };
    if !visit.asked.tls() && visit.is(&web.push_tls_required.value, "1") {
        return Answer::text(403, "pushes must come over TLS");
    }
    if visit.asked.is_get() {
        return Answer::text(405, "POST");
    }
    if let Some(refused) = refusal(visit, credentials) {
        return refused;
    }
    let kind = visit.asked.content_type();
    if kind != COMMANDS && kind != PAGES {
        return Answer::text(415, "neither a page nor commands");
    }
    let Some(push) = Push::read(visit.asked.body()) else { return Answer::text(400, "this is no push") };
    if allowed != ALL_PRIORITIES && level(&push.priority) != Some(allowed) {
        return Answer::text(403, "pushes of this priority are not allowed");
    }
    if kind == PAGES { show(visit, &push).await } else { obey(visit, &push).await }
}

/// Why a push or a poll is not let in; nothing for one with the right proof.
///
/// That wrong passwords lock pushes and polls as they lock the pages is ours: real phones may take any number.
pub(crate) fn refusal(visit: &Visit<'_>, credentials: (&str, &str)) -> Option<Answer> {
    let now = Instant::now();
    let mut pushers = visit.site.pushers();
    if pushers.is_locked(now) {
        return Some(Answer::text(403, "too many wrong passwords"));
    }
    let mut nonces = visit.site.nonces();
    let shown = visit.asked.header("authorization").is_some();
    let proof = if shown { nonces.judge(visit.asked, credentials, now) } else { Proof::Bad };
    match proof {
        Proof::Good => None,
        // Tools for real phones expect 403 once they showed something wrong.
        Proof::Bad if shown => {
            pushers.count_wrong(&visit.site.web, now);
            Some(Answer::text(403, "the name or the password is wrong"))
        }
        _ => {
            let challenge = nonces.challenge(proof == Proof::Stale, now);
            Some(Answer::text(401, "a name and a password are needed").with("www-authenticate", challenge))
        }
    }
}

/// The setting that allows this priority alone; its numbers are from memory.
fn level(priority: &str) -> Option<&'static str> {
    let known = [("normal", "1"), ("important", "2"), ("high", "3"), ("critical", "4")];
    known.into_iter().find(|(word, _)| priority.eq_ignore_ascii_case(word)).map(|(_, level)| level)
}

/// Puts the words of a page on the display.
async fn show(visit: &Visit<'_>, push: &Push) -> Answer {
    let words = words(&push.text);
    if words.is_empty() {
        return Answer::text(400, "the page says nothing");
    }
    match visit.site.handset.order(Order::Show(words)).await {
        Ok(()) => Answer::text(200, TAKEN),
        Err(refused) => refusal_of(&refused),
    }
}

/// The words of a page without its tags, as one line.
fn words(page: &str) -> String {
    let mut inside = false;
    let text: String = page
        .chars()
        .map(|letter| match letter {
            '<' => {
                inside = true;
                ' '
            }
            '>' if inside => {
                inside = false;
                ' '
            }
            _ if inside => ' ',
            letter => letter,
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect()
}

fn refusal_of(refused: &OrderRefused) -> Answer {
    let status = if *refused == OrderRefused::Busy { 503 } else { 409 };
    Answer::text(status, refused.to_string())
}

async fn obey(visit: &Visit<'_>, push: &Push) -> Answer {
    let lines: Vec<&str> = push.text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES).collect();
    let orders: Option<Vec<Order>> = lines.iter().map(|line| order(visit, line)).collect();
    // All or nothing: half of a sequence of keys leads somewhere nobody meant.
    let Some(orders) = orders.filter(|orders| !orders.is_empty()) else {
        return Answer::text(400, "a command is not known, or cannot be obeyed");
    };
    for order in orders {
        if let Err(refused) = visit.site.handset.order(order).await {
            return refusal_of(&refused);
        }
    }
    Answer::text(200, TAKEN)
}

/// What a line of a push orders.
fn order(visit: &Visit<'_>, line: &str) -> Option<Order> {
    let (kind, rest) = line.split_once(':')?;
    let (what, more) = rest.split_once(';').unwrap_or((rest, ""));
    match kind.trim().to_ascii_lowercase().as_str() {
        "key" => keys::named(visit.site, what).map(Order::Key),
        "softkey" => soft_key(visit, what.trim()),
        "tel" if more.is_empty() || more.trim().eq_ignore_ascii_case("line1") => {
            let number = what.trim();
            let dialed = !number.is_empty() && !number.contains(char::is_whitespace);
            dialed.then(|| Order::Dial { number: number.to_owned() })
        }
        "action" if what.trim().eq_ignore_ascii_case("UpdateConfig") => Some(Order::UpdateConfiguration),
        "callaction" if what.trim().eq_ignore_ascii_case("EndCall") => Some(Order::EndCall),
        _ => None,
    }
}

/// A soft key by its number or by the word above it.
fn soft_key(visit: &Visit<'_>, what: &str) -> Option<Order> {
    let number = what.parse().ok().filter(|number| *number > 0).or_else(|| visit.view.face.soft_key(what))?;
    Some(Order::Key(crate::handset::Key::Soft(number)))
}

/// A push as it came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Push {
    priority: String,
    text: String,
}

impl Push {
    /// Reads `<PolycomIPPhone><Data priority="..">..</Data></PolycomIPPhone>`; elements within the data are left out.
    fn read(body: &[u8]) -> Option<Self> {
        let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(body).ok()?);
        // Pages are HTML: not every element of theirs is closed.
        reader.config_mut().check_end_names = false;
        let mut push: Option<Self> = None;
        loop {
            let event = reader.read_event().ok()?;
            match (event, &mut push) {
                (Event::Start(tag), None) if tag.name().as_ref() == "Data" => {
                    let priority = tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == "priority");
                    let priority = priority.map_or_else(String::new, |attribute| attribute.value.into_owned());
                    push = Some(Self { priority, text: String::new() });
                }
                (Event::End(tag), Some(_)) if tag.name().as_ref() == "Data" => return push,
                (Event::Text(text), Some(push)) => push.text.push_str(&text),
                (Event::CData(text), Some(push)) => push.text.push_str(&text),
                (Event::GeneralRef(name), Some(push)) => push.text.push(xml::letter(&name).unwrap_or(' ')),
                (Event::Start(_) | Event::End(_) | Event::Empty(_), Some(push)) => push.text.push(' '),
                (Event::Eof, _) => return None,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_push_is_its_priority_and_its_lines() {
        let body = b"<PolycomIPPhone><Data priority=\"critical\">Key:Line1\nKey:Home</Data></PolycomIPPhone>";

        let push = Push::read(body).unwrap();

        assert_eq!(push, Push { priority: "critical".to_owned(), text: "Key:Line1\nKey:Home".to_owned() });
        assert_eq!(Push::read(b"<PolycomIPPhone/>"), None);
        assert_eq!(Push::read(b"Key:Home"), None);
    }

    #[test]
    fn of_a_page_only_the_words_are_left() {
        let page = |data: &str| {
            let body = format!("<PolycomIPPhone><Data priority=\"high\">{data}</Data></PolycomIPPhone>");
            words(&Push::read(body.as_bytes()).unwrap().text)
        };

        assert_eq!(page("<h1>Fire drill</h1><br>at <b>ten</b>"), "Fire drill at ten");
        assert_eq!(page("&lt;h1&gt;Fish &amp; chips&lt;/h1&gt;"), "Fish & chips");
        assert_eq!(page("Caf&#233; &#x2713; &nbsp;now"), "Café ✓ now");
        assert_eq!(page("<![CDATA[<p>Now</p>]]>"), "Now");
        assert_eq!(page(&"x".repeat(999)).len(), SHOWN);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(text in "[<>/a-zDat =\"!\\[\\]]{0,120}") {
            let _ = Push::read(text.as_bytes());
        }
    }
}
