//! From a configuration to the parts of a server, with every error at once.

mod images;
mod mail;

use crate::clock;
use crate::config::{CertificatePair, Config, Database, HttpUrl, Listen, Loaded};
use crate::data_dir::{DataDir, NotHeld, make_private_folder, write_private, write_public};
use crate::failure::Failure;
use crate::{Environment, key_ring, out, server};
pub(crate) use images::{HeldImages, held_images, image_store};
pub(crate) use mail::mail_server;
use provost_app::{App, Parts, PlainHttp, Told, Vault};
use provost_catalog::{AuthorityRole, Catalog, SourceText};
use provost_core::facts::{SipServer, SipTransport};
use provost_core::public_url::PublicUrl;
use provost_core::render::check_catalog;
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use provost_core::voice::{PackMistake, VoicePack};
use provost_pki::authority::{KeyAndChain, ServerAuthority, ServerKeyKind, Validity};
use provost_pki::policy::{DevicePolicy, PolicyRules};
use provost_pki::server::{PairFiles, ServerCertificates, ServerPair};
use provost_pki::trust::folder::TrustFolder;
use provost_pki::trust::{Pin, TrustStore};
use provost_store::Store;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a command looks: `--config`, `--data`, the environment.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) config: Option<PathBuf>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) environment: &'a Environment,
}

impl Place<'_> {
    /// Reads the configuration and says its warnings on standard error.
    pub(crate) fn configuration(&self) -> Result<Config, Failure> {
        let Loaded { config, warnings } = self.load()?;
        for warning in warnings {
            out::complain(format!("warning: {warning}"));
        }
        Ok(config)
    }

    /// Reads the configuration.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        let mut loaded = Config::load(self.config.as_deref(), self.environment.clone())?;
        if let Some(data) = &self.data {
            loaded.config.data_dir.clone_from(data);
        }
        Ok(loaded)
    }
}

/// The catalog with the operator's overlay, checked by rendering every model once.
pub(crate) fn catalog(config: &Config) -> Result<Arc<Catalog>, Failure> {
    let catalog = facts(config)?;
    check_catalog(&catalog, clock::now())
        .map_err(|errors| Failure::Configuration(errors.iter().map(|error| format!("catalog: {error}")).collect()))?;
    Ok(catalog)
}

/// The catalog with the operator's overlay, not tried on every model: phones only read facts, and start at once.
pub(crate) fn facts(config: &Config) -> Result<Arc<Catalog>, Failure> {
    let texts = match &config.catalog_dir {
        None => Vec::new(),
        Some(folder) => overlay_texts(folder)?,
    };
    let sources: Vec<_> = texts.iter().map(|(name, text)| SourceText { name, text }).collect();
    let catalog = Catalog::with_overlay(&sources)
        .map_err(|errors| Failure::Configuration(errors.0.iter().map(ToString::to_string).collect()))?;
    Ok(Arc::new(catalog))
}

fn overlay_texts(folder: &Path) -> Result<Vec<(String, String)>, Failure> {
    let at_fault = |path: &Path, error: std::io::Error| {
        Failure::Configuration(vec![format!("{}: {error}; make the catalog overlay readable", path.display())])
    };
    let entries = fs::read_dir(folder).map_err(|error| at_fault(folder, error))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| match fs::read_to_string(&path) {
            Ok(text) => Ok((path.display().to_string(), text)),
            Err(error) => Err(at_fault(&path, error)),
        })
        .collect()
}

/// What callers hear: the operator's language pack, or the built-in English.
pub(crate) fn voice(config: &Config) -> Result<VoicePack, Failure> {
    let Some(folder) = &config.sip.voice_dir else { return VoicePack::built_in().map_err(Failure::runtime) };
    let at_fault = |path: &Path, error: std::io::Error| {
        Failure::Configuration(vec![format!("{}: {error}; make the language pack readable", path.display())])
    };
    let texts = folder.join("pack.toml");
    let texts = fs::read_to_string(&texts).map_err(|error| at_fault(&texts, error))?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| at_fault(folder, error))?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "ulaw") {
            let samples = fs::read(&path).map_err(|error| at_fault(&path, error))?;
            files.push((entry.file_name().to_string_lossy().into_owned(), samples));
        }
    }
    let named = |mistake: &PackMistake| format!("{}: {mistake}", folder.display());
    VoicePack::from_files(&texts, files)
        .map_err(|mistakes| Failure::Configuration(mistakes.0.iter().map(named).collect()))
}

/// The maker's authorities as the catalog pins them.
pub(crate) fn pins(catalog: &Catalog) -> Vec<Pin> {
    let pin = |authority: &provost_catalog::Authority| Pin {
        id: authority.id.clone(),
        name: authority.name.clone(),
        sha256: authority.sha256,
        issuing: authority.role == AuthorityRole::Issuing,
    };
    catalog.authorities().iter().map(pin).collect()
}

/// The authorities that phones' certificates are judged by.
pub(crate) fn trust(config: &Config, catalog: &Catalog) -> Result<Arc<TrustStore>, Failure> {
    let store = TrustFolder::new(config.trust_dir())
        .load(pins(catalog))
        .map_err(|errors| Failure::Configuration(errors.iter().map(ToString::to_string).collect()))?;
    Ok(Arc::new(store))
}

/// The policy for phones' certificates.
pub(crate) fn policy(config: &Config, trust: Arc<TrustStore>) -> Arc<DevicePolicy> {
    let rules = PolicyRules { accept_expired_leaf: config.tls.accept_expired_leaf, legacy: config.tls.legacy_tls };
    Arc::new(DevicePolicy::new(trust, rules))
}

/// The configured server certificates; `None` when the configuration names none.
pub(crate) fn configured_certificates(config: &Config) -> Result<Option<ServerCertificates>, Failure> {
    certificates_of(&config.tls.pairs)
}

/// The certificates in these files; `None` when there are none.
pub(crate) fn certificates_of(pairs: &[CertificatePair]) -> Result<Option<ServerCertificates>, Failure> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let mut errors = Vec::new();
    let mut texts = Vec::new();
    for CertificatePair { certificate, key, place } in pairs {
        match (fs::read(certificate), fs::read(key)) {
            (Ok(chain), Ok(secret)) => {
                let name = |path: &Path| format!("{place}: {}", path.display());
                texts.push((name(certificate), chain, name(key), secret));
            }
            (chain, secret) => {
                for (path, error) in [(certificate, chain.err()), (key, secret.err())] {
                    errors.extend(error.map(|error| format!("{place}: cannot read {}: {error}", path.display())));
                }
            }
        }
    }
    let files: Vec<_> = texts
        .iter()
        .map(|(certificate_name, certificate, key_name, key)| PairFiles {
            certificate_name,
            certificate,
            key_name,
            key,
        })
        .collect();
    let certificates = if files.is_empty() { None } else { Some(ServerCertificates::read(&files, clock::now())) };
    match certificates {
        Some(Ok(certificates)) if errors.is_empty() => Ok(Some(certificates)),
        Some(Err(wrong)) => {
            errors.extend(wrong.iter().map(ToString::to_string));
            Err(Failure::Configuration(errors))
        }
        Some(Ok(_)) | None => Err(Failure::Configuration(errors)),
    }
}

const ROOT_DAYS: i64 = 20 * 365;
const SERVER_DAYS: i64 = 2 * 365;
/// Phones that boot once in two months still see the new certificate before the old one ends.
pub(crate) const RENEW_BELOW_DAYS: i64 = 60;
/// Days of validity below which somebody should act: most authorities take a day, some administrators a month.
pub(crate) const EXPIRING_BELOW_DAYS: i64 = 30;

/// A server certificate as an administrator reads of it.
pub(crate) fn describe(pair: &ServerPair, now: UnixMillis) -> String {
    let issuers = match pair.path.get(1..) {
        None | Some([]) => "signed by its own key".to_owned(),
        Some(issuers) => format!("issued by {}", issuers.join(", under ")),
    };
    let days = pair.days_left(now);
    format!("{} certificate for {}, {issuers}: {days} days left", pair.kind, pair.names.join(", "))
}

/// Server certificates from Provost's own authority in `DATA/server`, made or renewed as needed.
pub(crate) fn own_certificates(data: &Path, urls: &[&PublicUrl]) -> Result<ServerCertificates, Failure> {
    let folder = data.join("server");
    let now = clock::now();
    if let Some(kept) = kept_certificates(&folder, urls) {
        return Ok(kept);
    }
    make_private_folder(&folder).map_err(Failure::runtime)?;
    let authority = own_authority(&folder)?;
    let mut names: Vec<_> = urls.iter().map(|url| url.bare_host().to_owned()).collect();
    if urls.iter().any(|url| is_loopback(url.host())) {
        names.extend(["localhost", "127.0.0.1"].map(ToOwned::to_owned));
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    for (kind, name) in [(ServerKeyKind::Rsa2048, "rsa"), (ServerKeyKind::P256, "p256")] {
        let KeyAndChain { chain_pem, key_pem } =
            authority.issue(&names, kind, Validity::days_from(now, SERVER_DAYS)).map_err(Failure::runtime)?;
        write_private(&folder.join(format!("{name}.key")), key_pem.reveal().as_bytes()).map_err(Failure::runtime)?;
        write_public(&folder.join(format!("{name}.crt")), chain_pem.as_bytes()).map_err(Failure::runtime)?;
    }
    kept_certificates(&folder, urls)
        .ok_or_else(|| Failure::Runtime(format!("the certificates just made in {} cannot be used", folder.display())))
}

/// The root of Provost's own authority, as PEM.
pub(crate) fn server_root(config: &Config) -> Result<String, Failure> {
    let file = config.data_dir.join("server").join("root.crt");
    fs::read_to_string(&file).map_err(|error| Failure::Runtime(format!("cannot read {}: {error}", file.display())))
}

/// Provost's own authority, made at the first use.
fn own_authority(folder: &Path) -> Result<ServerAuthority, Failure> {
    let (certificate, key) = (folder.join("root.crt"), folder.join("root.key"));
    if let (Ok(root_pem), Ok(root_key_pem)) = (fs::read_to_string(&certificate), fs::read_to_string(&key)) {
        return Ok(ServerAuthority { root_pem, root_key_pem: Secret::new(root_key_pem) });
    }
    let validity = Validity::days_from(clock::now(), ROOT_DAYS);
    let authority = ServerAuthority::generate("Provost Server Root", validity).map_err(Failure::runtime)?;
    write_private(&key, authority.root_key_pem.reveal().as_bytes()).map_err(Failure::runtime)?;
    write_public(&certificate, authority.root_pem.as_bytes()).map_err(Failure::runtime)?;
    Ok(authority)
}

/// The certificates in `folder`, unless they lack a name or should be renewed.
fn kept_certificates(folder: &Path, urls: &[&PublicUrl]) -> Option<ServerCertificates> {
    let found = certificates_in(folder)?;
    let fits =
        uncovered(&found, urls).is_empty() && found.pairs().all(|pair| pair.days_left(clock::now()) > RENEW_BELOW_DAYS);
    fits.then_some(found)
}

/// The certificates Provost made for itself, if there are any and they are good.
pub(crate) fn certificates_in(folder: &Path) -> Option<ServerCertificates> {
    let read = |name: &str| fs::read(folder.join(name)).ok();
    let texts = [("rsa.crt", "rsa.key"), ("p256.crt", "p256.key")]
        .map(|(certificate, key)| Some((certificate, read(certificate)?, key, read(key)?)));
    let mut files = Vec::new();
    for text in &texts {
        let (certificate_name, certificate, key_name, key) = text.as_ref()?;
        files.push(PairFiles { certificate_name, certificate, key_name, key });
    }
    ServerCertificates::read(&files, clock::now()).ok()
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Takes the data folder, or names who has it.
pub(crate) fn hold(root: &Path) -> Result<DataDir, Failure> {
    DataDir::hold(root).map_err(|not| match not {
        NotHeld::Failure(failure) => failure,
        NotHeld::ByAnother { pid } => Failure::Runtime(format!(
            "the data folder {} is in use by process {pid}; stop that server, or name another folder with --data",
            root.display()
        )),
    })
}

/// What depends on where the sockets are bound.
pub(crate) struct Addresses {
    pub(crate) public_url: PublicUrl,
    pub(crate) plain_http: PlainHttp,
    pub(crate) sip: Option<SipServer>,
    /// Where browsers reach the console, where that is known.
    pub(crate) console: Option<String>,
}

/// The ports that were bound, where they are known.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    pub(crate) plain_http: Option<u16>,
    pub(crate) sip: Option<u16>,
    /// The console's address as it was bound.
    pub(crate) console: Option<String>,
}

impl Addresses {
    /// With what listens at these ports; without a socket, at those the configuration names.
    pub(crate) fn new(config: &Config, public_url: PublicUrl, bound: &Ports) -> Self {
        let plain_http = match (&config.listen.phones_http, &config.public_http_url) {
            (Listen::Off, _) => PlainHttp::Off,
            (Listen::At { .. }, Some(url)) => PlainHttp::On { url: Some(url.to_string()) },
            (Listen::At { port, .. }, None) => {
                // Without a socket and without `public-url`, the host is not known either.
                let written = config.public_url.as_ref().map(|_| *port).filter(|port| *port != 0);
                let port = bound.plain_http.or(written);
                PlainHttp::On { url: port.map(|port| HttpUrl::at(&public_url, port).to_string()) }
            }
        };
        let sip = match config.listen.sip {
            Listen::Off => None,
            Listen::At { port, .. } => bound.sip.or(Some(port).filter(|port| *port != 0)),
        };
        // The transport every phone speaks; connections are taken at the same port.
        let host = public_url.host().trim_matches(['[', ']']).to_owned();
        let sip = sip.map(|port| SipServer { host, port, transport: SipTransport::Udp });
        // What a proxy is called, only the configuration knows: the address behind it is nobody's to call.
        let own = bound.console.clone().filter(|_| !config.console.behind_proxy || !config.console.pairs.is_empty());
        let console = config.console.public_url.as_ref().map(PublicUrl::to_string).or(own);
        Self { public_url, plain_http, sip, console }
    }
}

/// Which of the addresses phones are told the certificates do not hold, each with the certificate.
pub(crate) fn uncovered<'a>(
    certificates: &'a ServerCertificates,
    urls: &[&'a PublicUrl],
) -> Vec<(&'a PublicUrl, &'a ServerPair)> {
    let pairs = || certificates.pairs();
    urls.iter()
        .flat_map(|url| pairs().filter(|pair| !url.is_covered_by(&pair.names)).map(|pair| (*url, pair)))
        .collect()
}

/// Opens the database, and what opens its secrets.
pub(crate) async fn database(config: &Config, data: &DataDir) -> Result<(Store, Vault), Failure> {
    let (key, store) = match &config.database {
        Database::Sqlite => {
            let key = data.secret_key(&config.key_file(), data.database().exists())?;
            let database = data.database();
            let at_fault = |error| Failure::Runtime(format!("{}: {error}", database.display()));
            (key, Store::open(&database).await.map_err(at_fault)?)
        }
        Database::Postgres(url) => {
            let at_fault = |error| Failure::Runtime(format!("{url}: {error}"));
            let store = Store::connect(url.reveal(), &name_at_server(data)).await.map_err(at_fault)?;
            let was_used = provost_app::key_of(&store).await.map_err(Failure::runtime)?.is_some();
            (data.secret_key(&config.key_file(), was_used)?, store)
        }
    };
    let vault = key_ring::vault_for(&store, &config.key_file(), &key).await?;
    Ok((store, vault))
}

/// What a database server calls this process: its id and the end of its folder's name, in at most 63 bytes.
fn name_at_server(data: &DataDir) -> String {
    const MOST: usize = 63;
    let folder = data.root().display().to_string();
    let start = format!("provost process {} of ", std::process::id());
    let room = MOST.saturating_sub(start.len());
    let from = folder.len().saturating_sub(room);
    let end = (from..=folder.len()).find_map(|from| folder.get(from..)).unwrap_or_default();
    format!("{start}{end}")
}

/// Opens the database and starts the use-cases.
pub(crate) async fn app(
    config: &Config,
    data: &DataDir,
    catalog: Arc<Catalog>,
    addresses: Addresses,
) -> Result<Arc<App>, Failure> {
    let (store, vault) = database(config, data).await?;
    let Addresses { public_url, plain_http, sip, console } = addresses;
    let (former, time_server) = (config.former_url.clone(), config.time.servers.first().cloned());
    let folder = data.root().canonicalize().unwrap_or_else(|_| data.root().to_owned());
    let command = format!("provost --data {}", folder.display());
    let own_root = data.root().join("server").join("root.crt");
    // Phones know the authority of a configured certificate, or are given it by other means; one that ACME brings must
    // not be shut out by a root of ours.
    let is_own = config.tls.pairs.is_empty() && config.tls.acme.is_none();
    let server_root = if is_own { fs::read_to_string(own_root).ok() } else { None };
    let told = Told { public_url, former, plain_http, time_server, sip, server_root, command, console };
    let app =
        App::start(Parts { store, catalog, vault, told, clock: clock::now, firmware_store: config.firmware_store() })
            .await;
    let app = app.map_err(|error| match error {
        provost_app::AppError::OtherKey { .. } | provost_app::AppError::ImageStore(_) => {
            Failure::Configuration(vec![error.to_string()])
        }
        other => Failure::runtime(other),
    })?;
    if let Some(mail) = &config.mail {
        app.use_mail_server(&mail.smtp_url.to_string());
    }
    if let Some(asks) = app.pbx_asks() {
        // It ends with the use-cases, which hold the other end.
        tokio::spawn(server::pbx::answer(asks));
    }
    Ok(app)
}
