//! The phone's pages as a person sees them: plain, of our own making, and complete without script.
//!
//! Decides what is on which page; looks and words are in `templates/web`. The words that lead to a page are the
//! catalog's, so that a guide's clicks are found here. Changes nothing on the phone, but for a log that is asked for
//! with the wish to empty it, as tools do.

use askama::Template;
use provost_catalog::{WebField, WebFieldKind, WebPage, WebPageKind};

use crate::handset::{CertificateState, Order};
use crate::screen::Registration;
use crate::web::answer::Answer;
use crate::web::fields::{self, Numbered};
use crate::web::site::Visit;
use crate::web::software::Offered;
use crate::web::{configuration, software};

/// What surrounds every page.
struct Frame {
    title: String,
    model: String,
    mac: String,
    /// The token against forged requests, where the firmware knows one.
    token: Option<String>,
    menus: Vec<Menu>,
    /// The address of this page.
    at: String,
    user: Option<&'static str>,
}

/// A word of the menu and what is behind it.
struct Menu {
    title: String,
    address: String,
    pages: Vec<(String, String)>,
}

impl Frame {
    fn of(visit: &Visit<'_>, title: &str) -> Self {
        let signed_in = visit.level.is_some();
        Self {
            title: title.to_owned(),
            model: visit.view.model_name.clone(),
            mac: coloned(&visit.view.mac.to_string()),
            token: visit.generation.anti_csrf.then(|| visit.site.token.clone()),
            menus: if signed_in && !visit.must_change_password() { menus(visit) } else { Vec::new() },
            at: visit.asked.path().to_owned(),
            user: signed_in.then_some(if visit.is_administrator() { "Admin" } else { "User" }),
        }
    }

    fn is_at(&self, address: &str) -> bool {
        self.at == address
    }
}

fn menus(visit: &Visit<'_>) -> Vec<Menu> {
    let home = Menu { title: "Home".to_owned(), address: "/home.htm".to_owned(), pages: Vec::new() };
    let mut menus = vec![home];
    for page in visit.site.catalog.web_pages().iter().filter(|page| fields::may_see(visit, page)) {
        let [title, rest @ ..] = page.menu.as_slice() else { continue };
        let entry = (rest.join(" > "), format!("/{}", page.address));
        match menus.iter_mut().find(|menu| menu.title == *title) {
            Some(menu) => menu.pages.push(entry),
            None => {
                let address = format!("/menu/{}", title.to_ascii_lowercase());
                menus.push(Menu { title: title.clone(), address, pages: vec![entry] });
            }
        }
    }
    menus
}

#[derive(Template)]
#[template(path = "web/login.html")]
struct Login {
    frame: Frame,
    administrator: String,
    user: String,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "web/home.html")]
struct Home {
    frame: Frame,
    version: String,
    updater: String,
    part: String,
    address: String,
    certificate: CertificateState,
    server: String,
    time: String,
    messages: Vec<String>,
    lines: Vec<(u32, String, &'static str)>,
}

#[derive(Template)]
#[template(path = "web/menu.html")]
struct MenuPage {
    frame: Frame,
    pages: Vec<(String, String)>,
}

/// A group of fields; one without a title is always open.
struct Section {
    title: Option<String>,
    fields: Vec<Field>,
}

struct Field {
    number: u32,
    label: String,
    parameter: String,
    value: String,
    default: String,
    /// Whether a secret is set, which is all that is shown of it.
    is_set: bool,
    kind: FieldKind,
}

enum FieldKind {
    Text { max_bytes: usize, secret: bool, suggestions: Vec<String> },
    Choice(Vec<(String, String)>),
}

#[derive(Template)]
#[template(path = "web/settings.html")]
struct Settings {
    frame: Frame,
    sections: Vec<Section>,
    decided: Option<String>,
}

#[derive(Template)]
#[template(path = "web/password.html")]
struct Password {
    frame: Frame,
    must: bool,
}

#[derive(Template)]
#[template(path = "web/logs.html")]
struct Logs {
    frame: Frame,
    application: String,
    boot: String,
}

#[derive(Template)]
#[template(path = "web/software.html")]
struct Software {
    frame: Frame,
    version: String,
    server: String,
    checked: bool,
    trouble: Option<String>,
    offered: Vec<Offered>,
}

#[derive(Template)]
#[template(path = "web/backup.html")]
struct Backup {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "web/configuration.html")]
struct Configuration {
    frame: Frame,
    parts: Vec<(String, i64)>,
}

/// A page with one button.
#[derive(Template)]
#[template(path = "web/button.html")]
struct Button {
    frame: Frame,
    action: &'static str,
    word: &'static str,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "web/done.html")]
struct Done {
    frame: Frame,
    good: bool,
    text: String,
    /// The word tools look for.
    word: &'static str,
    back: String,
}

/// How the pages look.
pub(crate) fn style() -> Answer {
    Answer::new(200, "text/css; charset=utf-8", include_str!("../../templates/web/style.css"))
}

/// The page before all others.
pub(crate) fn login(visit: &Visit<'_>, wrong: Option<&str>) -> Answer {
    let web = &visit.site.web;
    let frame = Frame::of(visit, "Login");
    let (administrator, user) = (web.administrator_word.value.clone(), web.user.value.clone());
    Answer::page(200, &Login { frame, administrator, user, wrong: wrong.map(str::to_owned) })
}

/// Says how a form ended, with the way back to where it was.
pub(crate) fn done(visit: &Visit<'_>, (text, back): (&str, &str), word: &'static str, status: u16) -> Answer {
    let known = visit.site.catalog.web_pages().iter().any(|page| back.strip_prefix('/') == Some(&page.address));
    let back = if known { back.to_owned() } else { "/home.htm".to_owned() };
    let frame = Frame::of(visit, if status == 200 { "Done" } else { "Not done" });
    Answer::page(status, &Done { frame, good: status == 200, text: text.to_owned(), word, back })
}

/// Answers a request that changes nothing.
pub(crate) async fn answer(visit: &Visit<'_>) -> Answer {
    match visit.asked.path() {
        "/home.htm" => return home(visit),
        _ if !visit.is_administrator() => {}
        "/Utilities/configuration/exportFile" => return configuration::export(visit),
        "/Utilities/configuration/phoneBackup" => return configuration::backup(visit),
        "/Utilities/softwareUpgrade/getProvisioningServer" => return software::hardware(visit),
        "/Utilities/softwareUpgrade/getAvailableVersions" => return software::available(visit).await,
        "/Diagnostics/log" => return log(visit).await,
        _ => {}
    }
    if let Some(title) = visit.asked.path().strip_prefix("/menu/") {
        return menu(visit, title);
    }
    let address = visit.asked.path().trim_start_matches('/');
    let found = visit.site.catalog.web_pages().iter().find(|page| page.address == address);
    match found {
        None => Answer::not_found(),
        Some(page) if !fields::may_see(visit, page) => Answer::text(403, "only the administrator may see this page"),
        Some(page) => show(visit, page).await,
    }
}

async fn show(visit: &Visit<'_>, page: &WebPage) -> Answer {
    let frame = Frame::of(visit, page.menu.last().map_or("", String::as_str));
    match page.does {
        WebPageKind::Settings => settings(visit, page, frame),
        WebPageKind::ChangePassword => {
            let must = visit.must_change_password();
            Answer::page(200, &Password { frame, must })
        }
        WebPageKind::Logs => {
            let (application, boot) = (visit.view.log.clone(), visit.view.boot_log.clone());
            Answer::page(200, &Logs { frame, application, boot })
        }
        WebPageKind::Software => software_page(visit, frame).await,
        WebPageKind::Backup => Answer::page(200, &Backup { frame }),
        WebPageKind::Configuration => {
            let sources = &visit.site.web.export_sources.value;
            let parts = sources.iter().map(|(name, number)| (name.clone(), *number)).collect();
            Answer::page(200, &Configuration { frame, parts })
        }
        WebPageKind::Restart => {
            let text = "The phone starts its application again. It takes a minute, and calls end.";
            Answer::page(200, &Button { frame, action: "/form-submit/Restart", word: "Restart", text })
        }
        WebPageKind::Reboot => {
            let text = "The phone starts from power on. It takes some minutes, and calls end.";
            Answer::page(200, &Button { frame, action: "/form-submit/Reboot", word: "Reboot", text })
        }
    }
}

fn home(visit: &Visit<'_>) -> Answer {
    let view = &visit.view;
    // Tools look for a letter here; it is ours where the phone was not given one.
    let revision = view.revision.as_deref().unwrap_or("A");
    let state = |registration| match registration {
        Registration::Off => "does not register",
        Registration::NotObserved => "unknown",
        Registration::Registered => "registered",
        Registration::Unregistered => "unregistered",
    };
    let lines = view.lines.iter().map(|line| (line.line, line.label.clone(), state(line.registration))).collect();
    let page = Home {
        frame: Frame::of(visit, "Home"),
        version: view.versions.application.clone(),
        updater: view.versions.updater.clone(),
        part: format!("{} Rev:{revision}", view.part),
        address: view.address.unwrap_or_else(|| visit.asked.here()).to_string(),
        certificate: view.certificate,
        server: view.boot_server_from.to_string(),
        time: view.time.clone(),
        messages: view.messages.clone(),
        lines,
    };
    Answer::page(200, &page)
}

fn menu(visit: &Visit<'_>, title: &str) -> Answer {
    let found = menus(visit).into_iter().find(|menu| menu.address.strip_prefix("/menu/") == Some(title));
    match found {
        None => Answer::not_found(),
        Some(menu) => Answer::page(200, &MenuPage { frame: Frame::of(visit, &menu.title), pages: menu.pages }),
    }
}

fn settings(visit: &Visit<'_>, page: &WebPage, frame: Frame) -> Answer {
    let mut sections: Vec<Section> = Vec::new();
    let decided = visit.option_that_decides();
    for Numbered { number, field, .. } in fields::of(visit).filter(|numbered| numbered.page.id == page.id) {
        if fields::is_hidden(visit, field) {
            continue;
        }
        let shown = shown(visit, number, field);
        match sections.iter_mut().find(|section| section.title == field.section) {
            Some(section) => section.fields.push(shown),
            None => sections.push(Section { title: field.section.clone(), fields: vec![shown] }),
        }
    }
    let hides = page.fields.iter().any(|field| field.hidden_under_option);
    let decided = decided.filter(|_| hides).map(|option| format!("Option {option} of DHCP"));
    Answer::page(200, &Settings { frame, sections, decided })
}

fn shown(visit: &Visit<'_>, number: u32, field: &WebField) -> Field {
    let value = fields::current(visit, field);
    let kind = match &field.kind {
        WebFieldKind::Text { max_bytes, secret } => {
            let suggested = field.suggest.iter().filter_map(|parameter| visit.value(parameter));
            let suggestions = suggested.chain([value]).filter(|text| !text.is_empty()).map(str::to_owned).collect();
            FieldKind::Text { max_bytes: *max_bytes, secret: *secret, suggestions }
        }
        WebFieldKind::Choice(choices) => {
            let mut choices: Vec<(String, String)> =
                choices.iter().map(|choice| (choice.value.clone(), choice.label.clone())).collect();
            // What is neither set nor known, or set to something this page does not know, is shown as it is.
            if !choices.iter().any(|(known, _)| known == value) {
                choices.insert(0, (value.to_owned(), if value.is_empty() { "(not set)" } else { value }.to_owned()));
            }
            FieldKind::Choice(choices)
        }
    };
    let secret = matches!(kind, FieldKind::Text { secret: true, .. });
    let is_set = !value.is_empty();
    let value = if secret { String::new() } else { value.to_owned() };
    let default = field.default.clone().unwrap_or_default();
    Field { number, label: field.label.clone(), parameter: field.parameter.clone(), value, default, is_set, kind }
}

async fn software_page(visit: &Visit<'_>, frame: Frame) -> Answer {
    let query = visit.asked.query();
    let kind = query.get("check");
    let found = match kind {
        None => Ok(Vec::new()),
        Some(kind) => software::versions(visit, kind).await,
    };
    let (offered, trouble) = match found {
        Ok(offered) => (offered, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let server = software::server(visit, "customserver").unwrap_or_default().to_owned();
    let version = visit.view.versions.application.clone();
    Answer::page(200, &Software { frame, version, server, checked: kind.is_some(), trouble, offered })
}

/// A log as text; `clear=1` empties the application's once it is told. That of the updater is not kept.
async fn log(visit: &Visit<'_>) -> Answer {
    let query = visit.asked.query();
    match query.get("value") {
        Some("app") => {
            if query.get("clear") == Some("1")
                && let Err(refused) = visit.site.handset.order(Order::ForgetLog).await
            {
                return Answer::text(409, refused.to_string());
            }
            Answer::text(200, visit.view.log.clone())
        }
        Some("boot") => Answer::text(200, visit.view.boot_log.clone()),
        _ => Answer::not_found(),
    }
}

/// `0004f2000001` as `00:04:f2:00:00:01`.
pub(crate) fn coloned(mac: &str) -> String {
    let mut text = String::with_capacity(17);
    for (at, digit) in mac.chars().enumerate() {
        if at > 0 && at % 2 == 0 {
            text.push(':');
        }
        text.push(digit);
    }
    text
}
