//! The page for another version of the firmware: whose list is asked, and what it offers.
//!
//! Decides which versions can be chosen. The list's form and the name it is asked by are facts of the catalog
//! (`image-list`; domain notes 7.1). A phone asks nobody of itself: only a server that is set is asked.

use bytes::Bytes;
use provost_catalog::{BootStage, FileRole, ImageListFormat, Program};
use quick_xml::XmlVersion;
use quick_xml::events::Event;
use url::Url;

use crate::address::BootServer;
use crate::exchange::{self, Reading, Request};
use crate::handset::Order;
use crate::settings::{self, Values};
use crate::tls::{Shows, TlsClient, Trust};
use crate::web::answer::Answer;
use crate::web::site::Visit;
use crate::web::submit::{self, Done};
use crate::xml;

/// Versions shown; a longer list is cut.
const VERSIONS: usize = 200;
/// The most bytes of one text in a list.
const TEXT_BYTES: usize = 512;
/// How a browser asks for the maker's versions, and for somebody else's.
const MAKERS: &str = "plcmserver";
const CUSTOM: &str = "customserver";

/// A version a server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) version: String,
    /// Where it is: a folder, relative to the list or not.
    pub(crate) path: String,
}

/// The server that is set, if one is.
pub(crate) fn server<'a>(visit: &'a Visit<'_>, kind: &str) -> Option<&'a str> {
    let web = &visit.site.web;
    let parameter = match kind {
        MAKERS => &web.maker_software.value,
        CUSTOM => &web.custom_software.value,
        _ => return None,
    };
    visit.value(parameter).filter(|server| !server.is_empty())
}

/// Answers what tools ask before they choose a version.
pub(crate) fn hardware(visit: &Visit<'_>) -> Answer {
    let view = &visit.view;
    let revision = view.revision.as_deref().unwrap_or_default();
    let server = server(visit, CUSTOM).unwrap_or_default();
    Answer::text(200, format!("HARDWARE_ID={};HARDWARE_REV={revision};CUSTOM_SERVER={server};", view.part))
}

/// Answers with the list of a server, in the maker's form.
pub(crate) async fn available(visit: &Visit<'_>) -> Answer {
    let query = visit.asked.query();
    match versions(visit, query.get("type").unwrap_or(CUSTOM)).await {
        Err(why) => Answer::text(502, why),
        Ok(offered) => {
            let format = visit.site.catalog.image_list();
            let images: String = offered.iter().map(|offered| image(format, offered)).collect();
            let ImageListFormat { root, list, .. } = format;
            Answer::xml(format!("<{root}>\n <{list}>\n{images} </{list}>\n</{root}>\n"))
        }
    }
}

fn image(format: &ImageListFormat, offered: &Offered) -> String {
    let ImageListFormat { item, version, path, .. } = format;
    let (number, place) = (settings::escape(&offered.version), settings::escape(&offered.path));
    format!("  <{item}><{version}>{number}</{version}><{path}>{place}</{path}></{item}>\n")
}

/// The versions a server offers, each with a whole address.
pub(crate) async fn versions(visit: &Visit<'_>, kind: &str) -> Result<Vec<Offered>, String> {
    let set = server(visit, kind).ok_or("no server is set")?;
    let server = BootServer::parse(set, "http").map_err(|error| error.to_string())?;
    let catalog = &visit.site.catalog;
    let mut names = catalog.files_for(FileRole::ImageList).map(|file| file.pattern.as_str());
    let name = names.find(|name| !name.contains(['{', '*'])).ok_or("no name of a list is known")?;
    let list = server.locate(name).ok_or("the server's address cannot be used")?;
    let file = fetch(visit, &list).await?;
    let offered = read(&file, catalog.image_list()).ok_or("the server's list cannot be read")?;
    let whole = |offered: Offered| {
        let path = list.join(&offered.path).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        Some(Offered { path: path.to_string(), ..offered })
    };
    Ok(offered.into_iter().filter_map(whole).collect())
}

async fn fetch(visit: &Visit<'_>, url: &Url) -> Result<Bytes, String> {
    let Visit { site, view, .. } = visit;
    let model = visit.model().ok_or("nothing is known of this model")?;
    let offer = model.tls_offer.value;
    let trust = Trust::of(&view.device, site.catalog.network_rules());
    let tls = TlsClient::new(offer, site.certificate.as_ref(), (site.authorities.as_ref(), &trust))
        .map_err(|error| error.to_string())?;
    let program = Program { stage: BootStage::Application, version: &visit.firmware, application: &visit.firmware };
    let user_agent = site.catalog.phone_rules().user_agent_of(&model, program, None);
    let (method, shows) = (http::Method::GET, Shows::DeviceCertificate);
    let request = Request { method, url, user_agent: &user_agent, body: Bytes::new(), shows, authorization: None };
    let now = view.time.parse().map(jiff::Timestamp::as_second).map_err(|_| "the phone has no time")?;
    let answer = exchange::send(&tls, &request, Reading::Whole, now).await.map_err(|error| error.to_string())?;
    match answer.status {
        200..=299 => Ok(answer.body),
        status => Err(format!("the server answered {status}")),
    }
}

/// Reads a list, the two texts as elements or as attributes, in capitals or not; `None` for what is no XML.
fn read(file: &[u8], format: &ImageListFormat) -> Option<Vec<Offered>> {
    let text = std::str::from_utf8(file).ok()?;
    // Some servers put something before the first tag.
    let text = text.get(text.find('<')?..)?;
    let mut reader = quick_xml::Reader::from_str(text);
    let (mut found, mut inside): (Vec<Offered>, Option<String>) = (Vec::new(), None);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref().eq_ignore_ascii_case(&format.item) => {
                if found.len() == VERSIONS {
                    break;
                }
                let mut offered = Offered::default();
                for attribute in tag.attributes().with_checks(false).flatten() {
                    let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
                    note(&mut offered, (format, attribute.key.as_ref()), &value);
                }
                found.push(offered);
            }
            Event::Start(tag) => inside = Some(tag.name().as_ref().to_owned()),
            Event::End(_) => inside = None,
            event => {
                // A reference such as `&amp;` cuts a text in pieces.
                let piece = match event {
                    Event::Text(text) => text.to_string(),
                    Event::CData(text) => text.to_string(),
                    Event::GeneralRef(name) => xml::letter(&name)?.to_string(),
                    _ => continue,
                };
                if let (Some(name), Some(offered)) = (&inside, found.last_mut()) {
                    note(offered, (format, name), &piece);
                }
            }
        }
    }
    let trimmed =
        |offered: Offered| Offered { version: offered.version.trim().to_owned(), path: offered.path.trim().to_owned() };
    let found = found.into_iter().map(trimmed);
    Some(found.filter(|offered| !offered.version.is_empty() && !offered.path.is_empty()).collect())
}

fn note(offered: &mut Offered, (format, name): (&ImageListFormat, &str), piece: &str) {
    let place = if name.eq_ignore_ascii_case(&format.version) {
        &mut offered.version
    } else if name.eq_ignore_ascii_case(&format.path) {
        &mut offered.path
    } else {
        return;
    };
    if place.len().saturating_add(piece.len()) <= TEXT_BYTES {
        place.push_str(piece);
    }
}

/// Keeps the address of somebody's server.
pub(crate) async fn set_server(visit: &Visit<'_>, server: Option<&str>) -> Done {
    let Some(server) = server.map(str::trim) else { return Done::refused("No server is named.") };
    if !server.is_empty() && BootServer::parse(server, "http").is_err() {
        return Done::refused("This is no address: write http:// or https://, a host, and a folder if there is one.");
    }
    let parameter = &visit.site.web.custom_software.value;
    if visit.value(parameter).unwrap_or_default() == server {
        return Done::unchanged("Nothing is changed.");
    }
    submit::set(visit, Values::from([(parameter.clone(), server.to_owned())])).await
}

/// Makes the phone take a version.
pub(crate) async fn upgrade(visit: &Visit<'_>, url: Option<&str>) -> Done {
    let url = url.unwrap_or_default().trim();
    if BootServer::parse(url, "http").is_err() {
        return Done::refused("No version is chosen.");
    }
    let order = Order::Upgrade { url: url.to_owned() };
    Done::of(visit.site.handset.order(order).await, "The phone has taken this firmware, and reboots.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use provost_catalog::Catalog;

    fn offered(version: &str, path: &str) -> Offered {
        Offered { version: version.to_owned(), path: path.to_owned() }
    }

    fn read(file: &[u8]) -> Option<Vec<Offered>> {
        static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::built_in().unwrap());
        super::read(file, CATALOG.image_list())
    }

    #[test]
    fn a_list_is_read_in_all_spellings_and_behind_garbage() {
        let elements = b"garbage<PHONE_IMAGES><REVISION ID=\"1\"><PHONE_IMAGE><Version>5.9.8.5760</Version>\
            <Path>http://a.example/5.9.8/</Path></PHONE_IMAGE></REVISION></PHONE_IMAGES>";
        let attributes =
            b"<PHONE_IMAGES><REVISION><PHONE_IMAGE VERSION=\"4.0.15.1047\" PATH=\"4015/\"/></REVISION></PHONE_IMAGES>";

        assert_eq!(read(elements).unwrap(), [offered("5.9.8.5760", "http://a.example/5.9.8/")]);
        assert_eq!(read(attributes).unwrap(), [offered("4.0.15.1047", "4015/")]);
    }

    #[test]
    fn a_reference_within_an_address_is_a_letter_of_it() {
        let list = b"<P><PHONE_IMAGE><VERSION> 5.9.8.5760 </VERSION>\
            <PATH>get?a=1&amp;b=&#50;<![CDATA[&c=3]]></PATH></PHONE_IMAGE></P>";

        assert_eq!(read(list).unwrap(), [offered("5.9.8.5760", "get?a=1&b=2&c=3")]);
        assert_eq!(read(b"<PHONE_IMAGE><PATH>&nothing;</PATH></PHONE_IMAGE>"), None);
    }

    #[test]
    fn what_is_no_list_offers_nothing() {
        assert_eq!(read(b"not found"), None);
        assert_eq!(read(b"<a><Version>1</Version></a>").unwrap(), []);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(text in "[<>/a-zA-Z =\"]{0,200}") {
            let _ = read(text.as_bytes());
        }
    }
}
