//! The phone's own HTTP server: its web pages, REST, push and state polling.
//!
//! Decides how a browser, or a tool made for real phones, is answered by this one; a phone that is off or starting
//! answers nobody. Speaks to the phone only through its [`Handset`] and never changes it behind its back. Passwords
//! are never logged; what strangers send is bounded in size and time. Start at [`WebServer`]; a request goes
//! through `listen`, `route`, `access`, and one of `pages`, `submit`, `rest`, `push` and `polling`.
//! Facts: `catalog/phone-web.toml`; domain notes 7.

mod access;
mod answer;
mod asked;
mod capture;
mod configuration;
mod digest;
mod fields;
mod form;
mod identity;
mod keys;
mod listen;
mod pages;
mod polling;
mod push;
mod rest;
mod route;
mod site;
mod software;
mod submit;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use provost_catalog::Catalog;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::handset::Handset;
use crate::setup::PhoneSetup;
use crate::tls::{CredentialError, DeviceCertificate, Pem};
use crate::web::listen::Door;
use crate::web::site::Site;

/// What a phone's web server is given.
#[derive(Debug, Clone)]
pub struct WebSetup {
    /// What is known about phones.
    pub catalog: Arc<Catalog>,
    /// Where it speaks TLS.
    pub https: SocketAddr,
    /// Where it speaks plain HTTP, if anywhere; firmware that wants TLS leads from here to there.
    pub http: Option<SocketAddr>,
    /// What it shows: real phones show their factory certificate, and one of their own making when there is none.
    pub certificate: Option<DeviceCertificate>,
    /// Whose servers the phone asks for lists of firmware; those of the system when absent.
    pub authorities: Option<Pem>,
}

/// Why a phone's web server cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address is taken, or not one of this machine.
    #[error("the phone's web pages cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
    /// The certificate or the key is unusable.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The catalog says nothing about phones' web servers.
    #[error("the catalog has no `phone-web` entry")]
    NoFacts,
}

/// A phone's web server; it ends when this is dropped.
#[derive(Debug)]
pub struct WebServer {
    https: SocketAddr,
    http: Option<SocketAddr>,
    _doors: JoinSet<()>,
}

impl WebSetup {
    /// The web server of the phone made from `setup`, speaking TLS at `https` and nothing else.
    pub fn of(setup: &PhoneSetup, https: SocketAddr) -> Self {
        Self {
            catalog: Arc::clone(&setup.catalog),
            https,
            http: None,
            certificate: setup.certificate.clone(),
            authorities: setup.authorities.clone(),
        }
    }
}

impl WebServer {
    /// Listens for `handset`.
    ///
    /// # Errors
    /// [`WebError`] when an address or the certificate cannot be used.
    pub async fn start(handset: Handset, setup: WebSetup) -> Result<Self, WebError> {
        let mac = handset.view().await.mac;
        let tls = identity::context(setup.certificate.as_ref(), mac)?;
        let listener = bind(setup.https).await?;
        let https = address_of(&listener, setup.https)?;
        let plain = match setup.http {
            Some(address) => Some((bind(address).await?, address)),
            None => None,
        };
        let site = Arc::new(Site::new(handset, setup, https).ok_or(WebError::NoFacts)?);
        let mut doors = JoinSet::new();
        doors.spawn(listen::admit(listener, Door::Tls(tls), Arc::clone(&site)));
        let mut http = None;
        if let Some((listener, wanted)) = plain {
            http = Some(address_of(&listener, wanted)?);
            doors.spawn(listen::admit(listener, Door::Plain, site));
        }
        Ok(Self { https, http, _doors: doors })
    }

    /// Where it speaks TLS.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// Where it speaks plain HTTP.
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, WebError> {
    TcpListener::bind(address).await.map_err(|source| WebError::Listen { address, source })
}

fn address_of(listener: &TcpListener, wanted: SocketAddr) -> Result<SocketAddr, WebError> {
    listener.local_addr().map_err(|source| WebError::Listen { address: wanted, source })
}
