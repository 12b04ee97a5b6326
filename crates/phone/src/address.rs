//! Where the phone asks for its files.
//!
//! Decides the base address from what the phone was told: the address given to it (by hand or DHCP), or
//! the one a configuration pinned. What the network says about it is `network::boot_server`. Never resolves or connects.
//! Sources: domain notes 1.1 (a boot server may name the master file), 3.3 and 3.4 (pin, Static).

use url::Url;

use crate::facts::Place;
use crate::flash::Memory;

/// Shortest name of a master file in a boot server's address.
const SHORTEST_MASTER: usize = 5;

/// The number of the boot server choice "static"; phones take numbers and words.
const STATIC_NUMBER: &str = "2";

/// The boot server, ready to have file names added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootServer {
    folder: Url,
    /// A master file named in the address itself.
    pub(crate) master: Option<String>,
}

/// An address no phone can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no provisioning address; write http:// or https://, a host, and a folder if there is one")]
pub struct AddressError {
    /// The text as it came.
    pub found: String,
}

impl BootServer {
    /// Reads an address with or without a scheme; `scheme` is what the server type says.
    pub(crate) fn parse(text: &str, scheme: &str) -> Result<Self, AddressError> {
        let refused = || AddressError { found: text.to_owned() };
        let whole = match text.contains("://") {
            true => text.to_owned(),
            false => format!("{scheme}://{text}"),
        };
        let mut folder = Url::parse(&whole).map_err(|_| refused())?;
        if !matches!(folder.scheme(), "http" | "https") || !folder.has_host() {
            return Err(refused());
        }
        let path = folder.path().to_owned();
        let (before, last) = path.rsplit_once('/').unwrap_or(("", &path));
        let master = names_a_master(last).then(|| last.to_owned());
        let path = if master.is_some() { before } else { path.trim_end_matches('/') };
        folder.set_path(path);
        folder.set_query(None);
        Ok(Self { folder, master })
    }

    /// The address of `file`: its own if it is one, else in the boot server's folder.
    pub(crate) fn locate(&self, file: &str) -> Option<Url> {
        if file.contains("://") {
            return Url::parse(file).ok();
        }
        let mut url = self.folder.clone();
        let folder = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{folder}/{}", file.trim_start_matches('/')));
        Some(url)
    }
}

/// The address without the credentials it may hold.
impl std::fmt::Display for BootServer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = self.folder.clone();
        // Both calls fail only for addresses without a host, which are refused above.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        write!(out, "{shown}")
    }
}

fn names_a_master(last: &str) -> bool {
    last.len() >= SHORTEST_MASTER && last.ends_with(".cfg")
}

/// The address in force where no network is asked: pinned by an earlier configuration, else the one the phone was given.
pub(crate) fn in_force(
    memory: &Memory,
    place: &Place,
    (given, server_types): (&str, &[String]),
) -> Result<BootServer, AddressError> {
    let scheme = scheme(memory, place, server_types).unwrap_or_else(|| "https".to_owned());
    BootServer::parse(pinned(memory, place).unwrap_or(given), &scheme)
}

/// The name a configuration pinned, if there is one.
pub(crate) fn pinned<'a>(memory: &'a Memory, place: &Place) -> Option<&'a str> {
    let holds = |name: &Option<String>| name.as_ref().and_then(|name| memory.device.get(name));
    let choice = holds(&place.boot_server)?;
    let fixed = choice == STATIC_NUMBER || Some(choice) == place.static_word.as_ref();
    let name = holds(&place.server_name)?;
    (fixed && !name.is_empty()).then_some(name)
}

/// What the server type says, by number or by name; a scheme in the server's name goes before it.
pub(crate) fn scheme(memory: &Memory, place: &Place, server_types: &[String]) -> Option<String> {
    let word = place.server_type.as_ref().and_then(|name| memory.device.get(name))?;
    let numbered = word.parse::<usize>().ok().and_then(|number| server_types.get(number));
    Some(numbered.map_or_else(|| word.to_ascii_lowercase(), Clone::clone))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            server_name: Some("device.prov.serverName".to_owned()),
            server_type: Some("device.prov.serverType".to_owned()),
            boot_server: Some("device.dhcp.bootSrvUseOpt".to_owned()),
            static_word: Some("Static".to_owned()),
        }
    }

    fn flash(values: &[(&str, &str)]) -> Memory {
        let device = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Memory { device, ..Memory::default() }
    }

    fn file_at(server: &BootServer, file: &str) -> String {
        server.locate(file).unwrap().to_string()
    }

    #[test]
    fn file_names_are_added_to_the_folder() {
        for (given, expected) in [
            ("https://phones.example", "https://phones.example/x.cfg"),
            ("https://phones.example:8443/", "https://phones.example:8443/x.cfg"),
            ("http://phones.example/a/b/", "http://phones.example/a/b/x.cfg"),
            ("phones.example/a", "https://phones.example/a/x.cfg"),
        ] {
            assert_eq!(file_at(&BootServer::parse(given, "https").unwrap(), "x.cfg"), expected);
        }
    }

    #[test]
    fn a_file_with_an_address_of_its_own_is_asked_for_there() {
        let server = BootServer::parse("https://phones.example", "https").unwrap();

        assert_eq!(file_at(&server, "http://other.example/y.cfg"), "http://other.example/y.cfg");
    }

    #[test]
    fn a_master_file_may_be_named_in_the_address() {
        let server = BootServer::parse("https://phones.example/dir/example1.cfg", "https").unwrap();

        assert_eq!(server.master.as_deref(), Some("example1.cfg"));
        assert_eq!(file_at(&server, "x.cfg"), "https://phones.example/dir/x.cfg");
    }

    #[test]
    fn credentials_in_an_address_are_never_shown() {
        let server = BootServer::parse("https://user:secret@phones.example/a", "https").unwrap();

        assert_eq!(server.to_string(), "https://phones.example/a");
    }

    #[test]
    fn only_a_static_boot_server_replaces_the_given_one() {
        let mut values = vec![("device.prov.serverName", "pinned.example"), ("device.prov.serverType", "HTTP")];
        let given = "https://given.example";
        let unpinned = in_force(&flash(&values), &place(), (given, &[])).unwrap();
        assert_eq!(unpinned.to_string(), "https://given.example/");

        values.push(("device.dhcp.bootSrvUseOpt", "Static"));

        let pinned = in_force(&flash(&values), &place(), (given, &[])).unwrap();
        assert_eq!(pinned.to_string(), "http://pinned.example/");
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for text in ["", "ftp://phones.example", "https://", "not an address"] {
            assert_eq!(BootServer::parse(text, "https").unwrap_err().found, text);
        }
    }
}
