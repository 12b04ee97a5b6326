//! The running server: binds, serves, drains.
//!
//! Decides the order: sockets first, then what depends on their addresses, then one line per listener
//! and the ready file; at the end no new connections, a deadline for those there are, the database last.

pub(crate) mod acme;
mod around;
mod authorities;
mod certificates;
mod console;
mod mail;
pub(crate) mod pbx;
mod sockets;

use crate::clock;
use crate::config::{Config, Sip};
use crate::data_dir::{DataDir, control_socket, write_public};
use crate::failure::Failure;
use crate::set_up::{self, Addresses};
use acme::Renewal;
use certificates::{Source, Watch};
use console::ConsoleTls;
use provost_app::App;
use provost_core::public_url::PublicUrl;
use provost_core::time::UnixMillis;
use provost_core::voice::VoicePack;
use provost_net::http::{HttpServer, Limits, PhonePort, serve_phones_tls, serve_plain, serve_web_tls};
use provost_net::shutdown::{Shutdown, ShutdownTrigger, shutdown};
use provost_net::sip::{SipOptions, SipServer, SipSockets};
use provost_net::sntp::{SntpServer, host_clock};
use provost_net::tls::{HandshakeFailure, PhoneTls, WebTls};
use provost_pki::trust::folder::TrustFolder;
use provost_proto::sntp::UnixTime;
use provost_web::api::{self, Access};
use provost_web::console::Reach;
use provost_web::phones::Challenges;
use provost_web::proxy::Others;
pub(crate) use sockets::Ready;
use sockets::Sockets;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

/// A server that runs until stopped.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) ready: Ready,
    pub(crate) public_url: PublicUrl,
    trigger: ShutdownTrigger,
    tasks: JoinSet<()>,
    sntp: Option<SntpServer>,
    data: DataDir,
    _images: set_up::HeldImages,
}

/// How browsers reach the console.
struct Console {
    config: crate::config::Console,
    tls: Option<Arc<WebTls>>,
}

/// How often the time is remembered: what a clock may lose in a power cut.
const REMEMBER_TIME_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked whether images are still there.
const LOOK_AT_IMAGES_EVERY: Duration = Duration::from_secs(60);

/// All tasks end within the drain time of the accept loops; this is for what hangs all the same.
const LAST_RESORT: Duration = Duration::from_secs(15);

impl Server {
    /// Starts everything the configuration asks for, on a folder that is held.
    pub(crate) async fn start(config: &Config, data: DataDir) -> Result<Self, Failure> {
        let catalog = set_up::catalog(config)?;
        let trust = set_up::trust(config, &catalog)?;
        let voice = set_up::voice(config)?;
        let images = set_up::held_images(config, data.root())?;
        let configured = set_up::configured_certificates(config)?;
        // What it names must be there before anything is bound.
        set_up::mail_server(config, "localhost")?;
        let mut sockets = Sockets::bind(config, data.root()).await?;
        let public_url = sockets.public_url(config)?;
        let acme = acme::Folder::new(config);
        let challenges = Arc::new(Challenges::default());
        let renewal = match (&config.tls.acme, &acme) {
            (Some(acme), Some(folder)) => Some(Renewal::new(acme, folder.clone(), Arc::clone(&challenges))?),
            _ => None,
        };
        let source =
            Source { config: config.clone(), data: data.root().to_owned(), public_url: public_url.clone(), acme };
        let shown = source.load_first(configured)?;
        let addresses = Addresses::new(config, public_url.clone(), &sockets.ports());
        let app = set_up::app(config, &data, catalog, addresses).await?;
        let tls =
            Arc::new(PhoneTls::new(&shown.certificates, set_up::policy(config, trust)).map_err(Failure::runtime)?);
        let of_console = sockets.console_is_https.then(|| ConsoleTls::new(&source, &shown.certificates)).transpose()?;
        let console = Console { config: config.console.clone(), tls: of_console.as_ref().map(ConsoleTls::tls) };
        let watch = Watch::new(source, (Arc::clone(&tls), shown), of_console, Arc::clone(&app))?;
        let of_watch = watch.noted();
        let floor = app.last_time().await.map_err(Failure::runtime)?.max(clock::built());
        if clock::now() < floor {
            tracing::error!(
                now = %clock::now(), floor = %floor,
                "this machine's clock is before a time that has passed: phones get no time from here until it is set right"
            );
        }
        let (ready, (trigger, stop)) = (sockets.ready(data.root()), shutdown());
        around::tell(&app, config, &ready, of_watch);
        let mut server =
            Self { app, ready, public_url, trigger, tasks: JoinSet::new(), sntp: None, data, _images: images };
        let learned = authorities::keep_learned(TrustFolder::new(config.trust_dir()), Arc::clone(&tls), stop.clone());
        server.tasks.spawn(learned);
        server.tasks.spawn(watch.run(stop.clone()));
        if let Some(listener) = sockets.phones_http.take() {
            server.serve_phones_http(listener, challenges, &stop);
        }
        if let Some(sockets) = sockets.sip.take() {
            server.serve_sip(sockets, (&config.sip, voice), &stop)?;
        }
        if let Some(listener) = sockets.console.take() {
            server.serve_console(listener, console, &stop);
        }
        if let Some(renewal) = renewal {
            server.tasks.spawn(renewal.run(stop.clone()));
        }
        if let Some(mail) = set_up::mail_server(config, &mail::hello(server.public_url.bare_host()))? {
            server.tasks.spawn(mail::send(Arc::clone(&server.app), mail, stop.clone()));
        } else {
            mail::look_through(&server.app).await;
        }
        server.serve(sockets, tls, &stop, floor)?;
        Ok(server)
    }

    fn serve(
        &mut self,
        sockets: Sockets,
        tls: Arc<PhoneTls>,
        stop: &Shutdown,
        floor: UnixMillis,
    ) -> Result<(), Failure> {
        let Sockets { phones_https, sntp, control, .. } = sockets;
        let limits = Limits::default();
        if let Some(listener) = phones_https {
            let app = Arc::clone(&self.app);
            let on_failed_handshake = Arc::new(move |address, failure: &HandshakeFailure| {
                tracing::debug!(%address, %failure, "a TLS handshake failed");
                app.note_failed_handshake(address, failure.words(), failure.advice().map(ToOwned::to_owned));
            });
            let port = PhonePort { tls, clock: Arc::new(clock::now), on_failed_handshake };
            let service = provost_web::phones::router(Arc::clone(&self.app));
            let server = HttpServer { service, limits, shutdown: stop.clone() };
            self.tasks.spawn(serve_phones_tls(listener, port, server));
        }
        let api = api::router(Arc::clone(&self.app), Access::Owner);
        self.tasks.spawn(serve_control(control, api, stop.clone()));
        self.tasks.spawn(remember_time(Arc::clone(&self.app), stop.clone()));
        self.tasks.spawn(pbx::poll(Arc::clone(&self.app), stop.clone()));
        self.tasks.spawn(look_at_images(Arc::clone(&self.app), stop.clone()));
        if let Some(socket) = sntp {
            let floor = UnixTime { seconds: floor.seconds(), nanos: 0 };
            let source = Arc::new(host_clock);
            self.sntp = Some(provost_net::sntp::serve(socket, source, floor).map_err(Failure::runtime)?);
        }
        Ok(())
    }

    /// Answers phones that register and call to be activated.
    fn serve_sip(
        &mut self,
        sockets: SipSockets,
        (sip, voice): (&Sip, VoicePack),
        stop: &Shutdown,
    ) -> Result<(), Failure> {
        let options = SipOptions {
            realm: self.public_url.host().to_owned(),
            external_address: sip.external_address,
            rtp_ports: sip.rtp_ports.clone(),
            voice: Arc::new(voice),
        };
        let server = SipServer::new(sockets, options, Arc::clone(&self.app)).map_err(Failure::runtime)?;
        self.tasks.spawn(server.run(stop.clone()));
        Ok(())
    }

    /// Answers browsers, and programs that show a token.
    fn serve_console(&mut self, listener: TcpListener, console: Console, stop: &Shutdown) {
        let Console { config, tls } = console;
        let is_https = tls.is_some() || config.behind_proxy;
        let reach = if is_https { Reach::Https } else { Reach::Plain };
        let api = api::router(Arc::clone(&self.app), Access::Token);
        let mut service = api.merge(provost_web::console::router(Arc::clone(&self.app), reach));
        if config.behind_proxy {
            let others = if tls.is_some() { Others::Answered } else { Others::Refused };
            service = provost_web::proxy::behind_proxy(service, config.proxies, others);
        }
        let server = HttpServer { service, limits: Limits::default(), shutdown: stop.clone() };
        match tls {
            Some(tls) => self.tasks.spawn(serve_web_tls(listener, tls, server)),
            None => self.tasks.spawn(serve_plain(listener, server)),
        };
    }

    /// Answers phones without TLS, and certificate authorities while they are asked for something.
    fn serve_phones_http(&mut self, listener: TcpListener, challenges: Arc<Challenges>, stop: &Shutdown) {
        let service = provost_web::phones::plain_router(Arc::clone(&self.app), challenges);
        let server = HttpServer { service, limits: Limits::default(), shutdown: stop.clone() };
        self.tasks.spawn(serve_plain(listener, server));
    }

    /// Writes the ready file, whole or not at all.
    pub(crate) fn write_ready_file(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string(&self.ready).map_err(Failure::runtime)?;
        write_public(file, text.as_bytes())
            .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", file.display())))
    }

    /// Takes nothing new, lets what is there finish, closes the database.
    pub(crate) async fn stop(mut self) {
        self.trigger.pull();
        self.app.begin_to_end();
        if let Some(sntp) = self.sntp.take() {
            sntp.stop();
        }
        let drain = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_RESORT, drain).await.is_err() {
            self.tasks.shutdown().await;
        }
        self.app.stop().await;
        let _ = std::fs::remove_file(control_socket(self.data.root()));
    }
}

/// The API for whoever may open the socket's file.
async fn serve_control(listener: UnixListener, api: axum::Router, mut stop: Shutdown) {
    let served = axum::serve(listener, api).with_graceful_shutdown(async move { stop.pulled().await });
    if let Err(error) = served.await {
        tracing::error!(%error, "the control socket failed");
    }
}

/// Finds out about images that vanished or changed before a phone wants them. Their bytes are read at the start, and again
/// only when a file looks other than before.
async fn look_at_images(app: Arc<App>, mut stop: Shutdown) {
    loop {
        tokio::select! {
            () = app.look_at_images() => {}
            () = stop.pulled() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AT_IMAGES_EVERY) => {}
            () = stop.pulled() => return,
        }
    }
}

async fn remember_time(app: Arc<App>, mut stop: Shutdown) {
    loop {
        let now = app.now();
        match app.last_time().await {
            Ok(last) if now > last => {
                if let Err(error) = app.remember_time(now).await {
                    tracing::warn!(%error, "the time could not be remembered");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the last time could not be read"),
        }
        tokio::select! {
            () = tokio::time::sleep(REMEMBER_TIME_EVERY) => {}
            () = stop.pulled() => return,
        }
    }
}
