//! A web page as a person reads it: words, links, labelled fields, buttons.
//!
//! Decides which element has which words, and what a click sends. Never runs a script of the page: what only works
//! with one is not on this page.

use http::Method;
use scraper::node::Element;
use scraper::{ElementRef, Html, Selector};
use url::Url;
use url::form_urlencoded::Serializer;

use super::WebTrouble;
use super::browser::Sending;

/// What a phone answers to a wrong password (domain notes 7.1).
const REFUSED: &str = "INVALID_LOGIN";

/// A page that is open.
#[derive(Debug)]
pub(super) struct Page {
    address: Url,
    html: String,
    /// What was filled in: the field's place among all fields, and its value.
    filled: Vec<(usize, String)>,
}

/// What a click does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Click {
    /// The page stays.
    Stays,
    /// Something is sent.
    Goes(Sending),
}

impl Page {
    pub(super) fn new(address: Url, html: String) -> Self {
        Self { address, html, filled: Vec::new() }
    }

    /// All that can be read, blanks made one.
    pub(super) fn text(&self) -> String {
        words_of(self.parsed().root_element())
    }

    /// What newer pages want to be sent along.
    pub(super) fn csrf_token(&self) -> Option<String> {
        let page = self.parsed();
        let meta = all(&page, "meta[name=\"csrf-token\"]").next()?;
        meta.attr("content").map(str::to_owned)
    }

    /// Whether the page says that nobody was let in, by the word that phones write for it.
    pub(super) fn refuses_login(&self) -> bool {
        self.html.contains(REFUSED)
    }

    /// Fills the form that asks for a password and sends it.
    pub(super) fn sign_in(&mut self, user: &str, password: &str) -> Option<Sending> {
        let page = self.parsed();
        let fields: Vec<ElementRef<'_>> = fields(&page);
        let secret = fields.iter().position(|field| field.attr("type") == Some("password"))?;
        let form = form_of(*fields.get(secret)?)?;
        let inside = |field: &ElementRef<'_>| form_of(*field).is_some_and(|its| its.id() == form.id());
        let mut filled = vec![(secret, password.to_owned())];
        for (place, field) in fields.iter().enumerate().filter(|(_, field)| inside(field)) {
            let radio = field.attr("type") == Some("radio");
            let named = radio && (field.attr("value") == Some(user) || label_words(&page, *field).contains(user));
            match field.value().name() {
                "select" => filled.extend(choice(*field, user).map(|value| (place, value))),
                _ if named => filled.push((place, field.attr("value").unwrap_or("on").to_owned())),
                _ if matches!(field.attr("type"), None | Some("text")) => filled.push((place, user.to_owned())),
                _ => {}
            }
        }
        let sending = self.submission(&page, form, (None, &filled));
        Some(sending)
    }

    pub(super) fn has_field(&self, label: &str) -> bool {
        let page = self.parsed();
        fields(&page).iter().any(|field| label_words(&page, *field) == tidy(label))
    }

    /// Fills the field with this label.
    pub(super) fn set(&mut self, label: &str, value: &str) -> Result<(), WebTrouble> {
        let page = self.parsed();
        let fields = fields(&page);
        let labelled = fields.iter().position(|field| label_words(&page, *field) == tidy(label));
        let labels =
            || fields.iter().map(|field| label_words(&page, *field)).filter(|label| !label.is_empty()).collect();
        let place = labelled.ok_or_else(|| self.missing("field", label, labels()))?;
        let Some(field) = fields.get(place) else { return Ok(()) };
        let value = match field.value().name() {
            "select" => choice(*field, value).ok_or_else(|| self.missing("choice", value, choices(*field)))?,
            _ => value.to_owned(),
        };
        self.fill(place, value);
        Ok(())
    }

    /// Clicks a button, a link, or the label of a choice.
    pub(super) fn click(&mut self, words: &str) -> Result<Click, WebTrouble> {
        let page = self.parsed();
        let wanted = tidy(words);
        let pressed = buttons(&page).find(|button| button_words(*button) == wanted);
        if let Some((button, form)) = pressed.and_then(|button| Some((button, form_of(button)?))) {
            return Ok(Click::Goes(self.submission(&page, form, (Some(button), &self.filled))));
        }
        if let Some(link) = all(&page, "a[href]").find(|link| words_of(*link) == wanted) {
            let place = link.attr("href").unwrap_or_default();
            // A link within the page only moves the eye.
            if place.starts_with('#') {
                return Ok(Click::Stays);
            }
            return Ok(self.address.join(place).map_or(Click::Stays, |url| Click::Goes(Sending::open(url))));
        }
        if let Some(place) =
            fields(&page).iter().position(|field| is_choice(field.value()) && label_words(&page, *field) == wanted)
        {
            let value = fields(&page).get(place).and_then(|field| field.attr("value")).unwrap_or("on").to_owned();
            self.fill(place, value);
            return Ok(Click::Stays);
        }
        if all(&page, "summary").any(|summary| words_of(summary).trim_start_matches('+').trim() == wanted) {
            return Ok(Click::Stays);
        }
        let there = all(&page, "a[href], summary").map(words_of).chain(buttons(&page).map(button_words)).collect();
        Err(self.missing("link or button", words, there))
    }

    fn fill(&mut self, place: usize, value: String) {
        self.filled.retain(|(filled, _)| *filled != place);
        self.filled.push((place, value));
    }

    fn missing(&self, what: &'static str, words: &str, mut there: Vec<String>) -> WebTrouble {
        there.retain(|words| !words.is_empty());
        there.dedup();
        WebTrouble::Missing {
            what,
            words: words.to_owned(),
            page: self.address.path().to_owned(),
            there: if there.is_empty() { "none".to_owned() } else { there.join(", ") },
        }
    }

    fn submission(
        &self,
        page: &Html,
        form: ElementRef<'_>,
        (button, filled): (Option<ElementRef<'_>>, &[(usize, String)]),
    ) -> Sending {
        let attribute = |name: &str| button.and_then(|button| button.attr(&format!("form{name}"))).or(form.attr(name));
        let action = attribute("action").unwrap_or_default();
        let mut url = self.address.join(action).unwrap_or_else(|_| self.address.clone());
        let sent = sent_fields(page, form, filled);
        let pressed = button.and_then(|button| Some((button.attr("name")?, button.attr("value").unwrap_or_default())));
        let pairs = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(pressed);
        let body = Serializer::new(String::new()).extend_pairs(pairs).finish();
        if attribute("method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
            let kind = "application/x-www-form-urlencoded".to_owned();
            Sending { method: Method::POST, url, body: Some((kind, body.into_bytes())) }
        } else {
            url.set_query(Some(&body));
            Sending::open(url)
        }
    }

    fn parsed(&self) -> Html {
        Html::parse_document(&self.html)
    }
}

/// Name and value of each field of `form` that is sent.
fn sent_fields(page: &Html, form: ElementRef<'_>, filled: &[(usize, String)]) -> Vec<(String, String)> {
    let fields = fields(page);
    let typed = |place: usize| filled.iter().find(|(its, _)| *its == place).map(|(_, value)| value.clone());
    let chosen = |name: &str| {
        let of_group = |place: &usize| {
            fields
                .get(*place)
                .is_some_and(|field| field.attr("type") == Some("radio") && field.attr("name") == Some(name))
        };
        filled.iter().map(|(place, _)| *place).find(of_group)
    };
    let mut sent = Vec::new();
    for (place, field) in fields.iter().enumerate() {
        let Some(name) = field.attr("name").filter(|_| field.attr("disabled").is_none()) else { continue };
        if form_of(*field).is_none_or(|its| its.id() != form.id()) {
            continue;
        }
        let value = match (field.value().name(), field.attr("type")) {
            (_, Some("radio")) => {
                let on = chosen(name).map_or(field.attr("checked").is_some(), |chosen| chosen == place);
                on.then(|| field.attr("value").unwrap_or("on").to_owned())
            }
            (_, Some("checkbox")) => match typed(place).as_deref() {
                Some("off") => None,
                Some(_) => Some(field.attr("value").unwrap_or("on").to_owned()),
                None => field.attr("checked").map(|_| field.attr("value").unwrap_or("on").to_owned()),
            },
            ("select", _) => typed(place).or_else(|| standing_choice(*field)),
            ("textarea", _) => typed(place).or_else(|| Some(field.text().collect())),
            _ => typed(place).or_else(|| Some(field.attr("value").unwrap_or_default().to_owned())),
        };
        sent.extend(value.map(|value| (name.to_owned(), value)));
    }
    sent
}

fn all<'a>(page: &'a Html, selector: &'static str) -> impl Iterator<Item = ElementRef<'a>> {
    // The selectors are this file's own; one that is none finds nothing, which each test here would show.
    let selector = Selector::parse(selector).ok();
    page.root_element()
        .descendants()
        .filter_map(ElementRef::wrap)
        .filter(move |element| selector.as_ref().is_some_and(|selector| selector.matches(element)))
}

/// Everything a person fills in, in the page's order.
fn fields(page: &Html) -> Vec<ElementRef<'_>> {
    let pressed = |field: &ElementRef<'_>| matches!(field.attr("type"), Some("submit" | "button" | "reset" | "image"));
    all(page, "input, select, textarea").filter(|field| !pressed(field)).collect()
}

fn buttons(page: &Html) -> impl Iterator<Item = ElementRef<'_>> {
    all(page, "button, input[type=submit], input[type=button]").filter(|button| button.attr("disabled").is_none())
}

fn button_words(button: ElementRef<'_>) -> String {
    match button.value().name() {
        "input" => tidy(button.attr("value").unwrap_or_default()),
        _ => words_of(button),
    }
}

fn is_choice(field: &Element) -> bool {
    matches!(field.attr("type"), Some("radio" | "checkbox"))
}

/// The words of a field: its label, else what is said of it, else what stands before it in its row.
fn label_words(page: &Html, field: ElementRef<'_>) -> String {
    let id = field.attr("id").filter(|id| !id.is_empty());
    let pointing = id.and_then(|id| all(page, "label[for]").find(|label| label.attr("for") == Some(id)));
    let around = || field.ancestors().filter_map(ElementRef::wrap).find(|above| above.value().name() == "label");
    if let Some(label) = pointing.or_else(around) {
        return label_text(label);
    }
    if let Some(said) = field.attr("aria-label") {
        return tidy(said);
    }
    let row = field.ancestors().filter_map(ElementRef::wrap).find(|above| above.value().name() == "tr");
    let first = row.and_then(|row| row.children().filter_map(ElementRef::wrap).find(|cell| cell.id() != field.id()));
    first.map(words_of).map(|words| tidy(&words)).unwrap_or_default()
}

/// A label's own words, without those of the field it may hold.
fn label_text(label: ElementRef<'_>) -> String {
    read(label, &["select", "textarea"])
}

fn form_of(element: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let ancestors = || element.ancestors().filter_map(ElementRef::wrap);
    match element.attr("form") {
        None => ancestors().find(|above| above.value().name() == "form"),
        Some(id) => {
            let root = ancestors().last()?;
            let named = |form: &ElementRef<'_>| form.value().name() == "form" && form.attr("id") == Some(id);
            root.descendants().filter_map(ElementRef::wrap).find(named)
        }
    }
}

fn options(select: ElementRef<'_>) -> impl Iterator<Item = ElementRef<'_>> {
    select.descendants().filter_map(ElementRef::wrap).filter(|option| option.value().name() == "option")
}

fn option_value(option: ElementRef<'_>) -> String {
    option.attr("value").map_or_else(|| words_of(option), str::to_owned)
}

fn choice(select: ElementRef<'_>, words: &str) -> Option<String> {
    options(select).find(|option| words_of(*option) == tidy(words)).map(option_value)
}

fn choices(select: ElementRef<'_>) -> Vec<String> {
    options(select).map(words_of).collect()
}

fn standing_choice(select: ElementRef<'_>) -> Option<String> {
    let marked = options(select).find(|option| option.attr("selected").is_some());
    marked.or_else(|| options(select).next()).map(option_value)
}

/// What is read of an element: nothing of scripts and styles.
fn words_of(element: ElementRef<'_>) -> String {
    read(element, &["script", "style", "noscript", "template"])
}

/// The texts within, but for those in elements of these names.
fn read(element: ElementRef<'_>, without: &[&str]) -> String {
    let mut words = String::new();
    for node in element.descendants() {
        let left_out = |above: ElementRef<'_>| without.contains(&above.value().name());
        if let Some(text) = node.value().as_text()
            && !node.ancestors().filter_map(ElementRef::wrap).any(left_out)
        {
            words.push_str(text);
            words.push(' ');
        }
    }
    tidy(&words)
}

/// Blanks made one; the colon or star of a label is none of its words.
fn tidy(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_end_matches([':', '*', ' ']).to_owned()
}

#[cfg(test)]
mod tests;
