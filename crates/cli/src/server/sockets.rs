//! Binds every socket of a server before anything is served.

use crate::config::{Config, Listen};
use crate::data_dir::control_socket;
use crate::failure::Failure;
use crate::set_up::Ports;
use provost_core::public_url::PublicUrl;
use provost_net::sip::SipSockets;
use serde::Serialize;
use std::fs::Permissions;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, UnixListener};

/// Where a server answers; what `--ready-file` holds. A listener that is off is absent.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ready {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phones_https: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phones_http: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sntp: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sip: Option<SocketAddr>,
    pub(crate) pid: u32,
    pub(crate) data: PathBuf,
}

/// Every socket, bound.
pub(super) struct Sockets {
    pub(super) phones_https: Option<TcpListener>,
    pub(super) phones_http: Option<TcpListener>,
    pub(super) console: Option<TcpListener>,
    pub(super) console_is_https: bool,
    pub(super) sntp: Option<UdpSocket>,
    pub(super) sip: Option<SipSockets>,
    pub(super) control: UnixListener,
}

impl Sockets {
    /// Binds all of them, or says which could not be bound and why.
    pub(super) async fn bind(config: &Config, data: &Path) -> Result<Self, Failure> {
        let listen = &config.listen;
        let console = bind_tcp("listen.console", &listen.console).await?;
        let bound = console.as_ref().and_then(|listener| listener.local_addr().ok());
        let console_is_https = bound.map_or(Ok(false), |address| console_is_https(config, address))?;
        Ok(Self {
            phones_https: bind_tcp("listen.phones-https", &listen.phones_https).await?,
            phones_http: bind_tcp("listen.phones-http", &listen.phones_http).await?,
            console,
            console_is_https,
            sntp: bind_udp("listen.sntp", &listen.sntp)?,
            sip: bind_sip(&listen.sip).await?,
            control: bind_control(&control_socket(data))?,
        })
    }

    /// The port of plain HTTP.
    pub(super) fn ports(&self) -> Ports {
        let plain_http = self.phones_http.as_ref().and_then(|listener| listener.local_addr().ok());
        let sip = self.sip.as_ref().and_then(|sockets| sockets.udp.local_addr().ok());
        let port = |address: SocketAddr| address.port();
        Ports { plain_http: plain_http.map(port), sip: sip.map(port), console: self.reachable_console() }
    }

    const fn console_scheme(&self) -> &'static str {
        if self.console_is_https { "https" } else { "http" }
    }

    /// Where the console answers, if that is an address others could call and that links may begin with: plain HTTP
    /// beyond this machine is for a proxy alone.
    fn reachable_console(&self) -> Option<String> {
        let address = self.console.as_ref()?.local_addr().ok()?;
        let is_told = self.console_is_https || address.ip().is_loopback();
        (is_told && !address.ip().is_unspecified()).then(|| format!("{}://{address}", self.console_scheme()))
    }

    /// What phones are told: the configured address, else the one that was bound.
    pub(super) fn public_url(&self, config: &Config) -> Result<PublicUrl, Failure> {
        if let Some(url) = &config.public_url {
            return Ok(url.clone());
        }
        let bound = self.phones_https.as_ref().and_then(|listener| listener.local_addr().ok());
        match bound {
            Some(address) if !address.ip().is_unspecified() => {
                let host = if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() };
                PublicUrl::new(&host, address.port()).map_err(Failure::runtime)
            }
            _ => Err(Failure::Configuration(vec![
                "public-url is missing: phones must be told an address, and listen.phones-https does not name one; write public-url = \"https://HOST\""
                    .to_owned(),
            ])),
        }
    }

    pub(super) fn ready(&self, data: &Path) -> Ready {
        let tcp = |listener: &Option<TcpListener>| listener.as_ref().and_then(|listener| listener.local_addr().ok());
        Ready {
            phones_https: tcp(&self.phones_https),
            phones_http: tcp(&self.phones_http),
            console: tcp(&self.console).map(|address| format!("{}://{address}", self.console_scheme())),
            sntp: self.sntp.as_ref().and_then(|socket| socket.local_addr().ok()),
            sip: self.sip.as_ref().and_then(|sockets| sockets.udp.local_addr().ok()),
            pid: std::process::id(),
            // Absolute: whoever reads the ready file stands elsewhere.
            data: data.canonicalize().unwrap_or_else(|_| data.to_owned()),
        }
    }
}

/// Whether the console speaks HTTPS where it was bound.
fn console_is_https(config: &Config, bound: SocketAddr) -> Result<bool, Failure> {
    let console = &config.console;
    let is_here = bound.ip().to_canonical().is_loopback();
    if !is_here && console.is_behind_nobody() {
        return Err(Failure::Runtime(format!(
            "listen.console = {} is {bound}, which others can reach, and with `behind-proxy` it would speak plain HTTP \
             there; write the addresses of the proxy as `proxies` in [console]",
            config.listen.console
        )));
    }
    if is_here || (console.behind_proxy && console.pairs.is_empty()) {
        return Ok(false);
    }
    if console.pairs.is_empty() && config.tls.pairs.is_empty() && config.tls.acme.is_none() {
        // A name was given that is not this machine's own after all.
        return Err(Failure::Configuration(vec![format!(
            "listen.console = {} is {bound}, which others can reach, and passwords would cross the network in clear; \
             write `certificate` and `key` in [console] or [tls], or `behind-proxy = true` in [console]",
            config.listen.console
        )]));
    }
    Ok(true)
}

fn not_bound(key: &str, listen: &Listen, error: &std::io::Error) -> Failure {
    Failure::Runtime(format!(
        "{key} = {listen} cannot be opened: {error}; free that address or choose another (port 0 takes a free one)"
    ))
}

async fn bind_tcp(key: &str, listen: &Listen) -> Result<Option<TcpListener>, Failure> {
    let Listen::At { host, port } = listen else { return Ok(None) };
    let listener = TcpListener::bind((host.as_str(), *port)).await;
    listener.map(Some).map_err(|error| not_bound(key, listen, &error))
}

fn bind_udp(key: &str, listen: &Listen) -> Result<Option<UdpSocket>, Failure> {
    let Listen::At { host, port } = listen else { return Ok(None) };
    UdpSocket::bind((host.as_str(), *port)).map(Some).map_err(|error| not_bound(key, listen, &error))
}

/// Ports tried for one that is free for both transports, where any will do.
const SIP_TRIES: usize = 16;

/// UDP and TCP at one port.
async fn bind_sip(listen: &Listen) -> Result<Option<SipSockets>, Failure> {
    let Listen::At { host, port } = listen else { return Ok(None) };
    let failed = |error| not_bound("listen.sip", listen, &error);
    for left in (0..SIP_TRIES).rev() {
        let tcp = TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        match tokio::net::UdpSocket::bind(address).await {
            Ok(udp) => return Ok(Some(SipSockets { udp, tcp })),
            // A free TCP port may be taken by somebody's UDP: another one then.
            Err(_) if *port == 0 && left > 0 => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(None)
}

/// The control socket; the folder around it is private, so nobody else comes in before the mode is set.
fn bind_control(path: &Path) -> Result<UnixListener, Failure> {
    let at_fault = |error: std::io::Error| Failure::Runtime(format!("{}: {error}", path.display()));
    // The lock is held: whoever left the file is gone.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at_fault(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(at_fault)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(at_fault)?;
    Ok(listener)
}
