//! `provost serve`: runs until told to stop.

use crate::args::Serve;
use crate::config::{Log, LogFormat};
use crate::failure::Failure;
use crate::out::say;
use crate::server::{Ready, Server};
use crate::set_up::{self, Place};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) async fn run(place: &Place<'_>, serve: &Serve) -> Result<(), Failure> {
    let config = place.configuration()?;
    start_logging(config.log);
    let stop = stop_signal()?;
    let data = set_up::hold(&config.data_dir)?;
    let server = Server::start(&config, data).await?;
    for line in listener_lines(&server) {
        say(line);
    }
    if let Some(token) = server.app.first_owner_token().await.map_err(Failure::runtime)? {
        say(format!("owner's token, shown this once: {}", token.reveal()));
        say("lost it? `provost token create --role owner` beside this server makes another");
    }
    for line in first_sign_in(&server).await? {
        say(line);
    }
    if let Some(file) = &serve.ready_file {
        server.write_ready_file(file)?;
    }
    stop.await;
    say("stopping: nothing new is taken, what is under way may finish");
    server.stop().await;
    Ok(())
}

/// How the first owner signs in, where nobody can yet.
async fn first_sign_in(server: &Server) -> Result<Vec<String>, Failure> {
    let first = server.app.first_administrator().await.map_err(Failure::runtime)?;
    let Some(first) = first else { return Ok(Vec::new()) };
    let (name, password) = (&first.view.email, first.password.reveal());
    Ok(vec![
        format!("console, shown this once: sign in as {name} with the one-time password {password}"),
        format!("lost it? `provost administrator reset-password {}` beside this server makes another", first.view.id),
    ])
}

/// One line per listener.
pub(super) fn listener_lines(server: &Server) -> Vec<String> {
    let Ready { phones_https, phones_http, console, sntp, sip, data, .. } = &server.ready;
    let mut lines = Vec::new();
    if let Some(address) = phones_https {
        let former = server.app.told().former.as_ref();
        let former = former.map_or(String::new(), |former| format!("; {former} still counts"));
        lines.push(format!("phones   {address} over TLS; phones are told {}{former}", server.public_url));
    }
    if let Some(address) = phones_http {
        lines.push(format!(
            "phones   {address} over plain HTTP: refused with the reason shown, but for an opened bootstrap"
        ));
    }
    if let Some(address) = console {
        lines.push(format!("console  {address}"));
    }
    if let Some(address) = sntp {
        let note = if address.port() == 123 { "" } else { "; real phones ask port 123 and no other" };
        lines.push(format!("time     {address} (UDP){note}"));
    }
    if let Some(address) = sip {
        lines.push(format!("calls    {address} (SIP, UDP and TCP): phones that nobody claimed are activated here"));
    }
    lines.push(format!("data     {}", data.display()));
    lines
}

/// Waits for SIGTERM or SIGINT; the handlers are in place when this returns.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::runtime)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Logs to standard error, so that standard output stays for what was asked.
pub(super) fn start_logging(log: Log) {
    let filter = tracing_subscriber::EnvFilter::new(format!("{0},sqlx=warn", log.level.as_str()));
    // A file is read by other programs than a terminal.
    let has_colors = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(has_colors).with_writer(std::io::stderr);
    // An error means that logging runs already, which only a test can bring about.
    let _ = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
