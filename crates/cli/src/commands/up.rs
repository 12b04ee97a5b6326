//! `provost up`: one virtual phone walks the whole road, with nothing configured.
//!
//! Decides only the script of the walk. Server, API and phone are the real ones over real sockets; what
//! stands in for something that does not exist yet is said in plain words.

mod call;
mod firmware;
mod scene;

use crate::args::Up;
use crate::client::Client;
use crate::clock;
use crate::config::Listen;
use crate::failure::Failure;
use crate::lab::Lab;
use crate::out::say;
use crate::server::Server;
use crate::set_up::{self, Place};
use provost_core::mac::MacAddr;
use provost_phone::{DeviceCertificate, Event, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};
use provost_pki::trust::folder::TrustFolder;
use provost_pki::trust::{CertificateFile, Origin};
use scene::Scene;
use std::fs;
use std::path::{Path, PathBuf};

const MODEL: &str = "vvx450";

/// Polls after the walk that must change nothing.
const QUIET_POLLS: usize = 2;

pub(crate) async fn run(place: &Place<'_>, up: &Up) -> Result<(), Failure> {
    let mut stop = std::pin::pin!(super::serve::stop_signal()?);
    let temporary = if place.data.is_some() || place.config.is_some() { None } else { Some(TemporaryFolder::make()?) };
    let server = start(place, temporary.as_ref().map(|folder| folder.0.as_path())).await?;
    if let Some(file) = &up.ready_file {
        server.write_ready_file(file)?;
    }
    let token = server.app.add_owner_token(&provost_app::Actor::control_socket()).await.map_err(Failure::runtime)?;
    let walk = tokio::select! {
        walk = walk(place, &server, token.reveal()) => walk,
        () = stop.as_mut() => {
            server.stop().await;
            return Err(Failure::Runtime("stopped before the walk was done".to_owned()));
        }
    };
    if walk.is_ok() {
        let console = server.ready.console.as_deref().unwrap_or("off");
        say("");
        say(format!("The phone is up. Console: {console} - sign in with the token {}", token.reveal()));
    }
    if walk.is_err() || up.exit {
        server.stop().await;
        return walk;
    }
    stop.await;
    say("stopping");
    server.stop().await;
    Ok(())
}

/// The data folder of a walk that names none: gone when the walk is over.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn make() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("provost-up-{:016x}", rand::random::<u64>()));
        crate::data_dir::make_private_folder(&path).map_err(Failure::runtime)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server on free loopback ports that trusts the lab's maker.
async fn start(place: &Place<'_>, temporary: Option<&Path>) -> Result<Server, Failure> {
    let mut config = place.configuration()?;
    if let Some(folder) = temporary {
        folder.clone_into(&mut config.data_dir);
    }
    (config.public_url, config.former_url, config.public_http_url) = (None, None, None);
    // The lab's images never lie beside those of real phones.
    config.firmware.store = None;
    let free = || Listen::loopback(0);
    (config.listen.phones_https, config.listen.phones_http) = (free(), free());
    (config.listen.console, config.listen.sntp, config.listen.sip) = (free(), free(), free());
    let data = set_up::hold(&config.data_dir)?;
    let lab = Lab::of(data.root());
    if data.database().exists() && !lab.exists() {
        return Err(Failure::Usage(format!(
            "{} is the data of a real server; `up` would make it trust a lab's phones: name another folder with --data",
            data.root().display()
        )));
    }
    if config.trust_dir() != data.root().join("trust") {
        return Err(Failure::Usage(
            "tls.trust-dir is set; `up` would add a lab's authority to it, so leave it out".to_owned(),
        ));
    }
    lab.prepare()?;
    let bundle = lab.maker_bundle();
    let name = bundle.display().to_string();
    let bytes = fs::read(&bundle).map_err(Failure::runtime)?;
    let catalog = set_up::catalog(&config)?;
    TrustFolder::new(config.trust_dir())
        .import(&CertificateFile { name: &name, bytes: &bytes, origin: Origin::Custom }, &set_up::pins(&catalog))
        .map_err(|errors| Failure::Runtime(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let server = Server::start(&config, data).await?;
    lab.put_server_root(&set_up::server_root(&config)?)?;
    Ok(server)
}

/// Takes the phone from its box to its full configuration.
async fn walk(place: &Place<'_>, server: &Server, token: &str) -> Result<(), Failure> {
    say("Provost up: one phone, the whole road");
    for line in super::serve::listener_lines(server) {
        say(format!("  {line}"));
    }
    say("What stands in here: a test authority for the phone maker's; the phone is virtual; its SIP server");
    say("(pbx.example.net) does not exist; its firmware is an image of the lab's own form, not the maker's.");
    say("An emergency number dialed on an unclaimed phone reaches a recorded voice that says to use another");
    say("phone: no emergency service.");
    let console = server.ready.console.clone().unwrap_or_default();
    let client = Client::server(&console, token, None)?;
    let mac = free_mac(server).await?;
    let scene = Scene::set(&client, mac).await?;
    step(
        1,
        &format!(
            "Entered: user {} with extension {}, and a device of model {MODEL} for them",
            scene.name, scene.extension
        ),
    );
    let lab = Lab::of(&server.ready.data);
    let way = firmware::prepare(&client, &lab, set_up::catalog(&place.configuration()?)?.as_ref()).await?;
    let mut phone = virtual_phone(place, server, (mac, &way.from))?;
    step(
        2,
        &format!(
            "A VVX 450 with firmware {}, MAC {mac}, gets power: below its floor, it is led to {}",
            way.from, way.to
        ),
    );
    let report = phone.boot(&mut |event| tell(&event)).await.map_err(Failure::runtime)?;
    expect(report.outcome == Outcome::Configured, || report.outcome.to_string())?;
    expect(phone.memory().firmware == way.to, || format!("the phone runs {}", phone.memory().firmware))?;
    show_screen(&phone);
    let mut line = call::go_online(&mut phone).await?;
    let code = scene.issue_code(&client).await?;
    step(3, &format!("Its user presses Activate and keys the activation code {}", code.grouped()));
    call::activate(&mut line, &code).await?;
    call::wait_to_be_told(&mut line).await?;
    step(4, "NOTIFY check-sync came: the phone reads its configuration again");
    let (report, line) = phone.obey_check_sync(line, &mut |event| tell(&event)).await.map_err(Failure::runtime)?;
    expect(report.outcome == Outcome::Configured, || report.outcome.to_string())?;
    expect(report.restarts == 1, || format!("the phone restarted {} times, expected once", report.restarts))?;
    show_screen(&phone);
    step(5, "Two more polls must change nothing");
    for _ in 0..QUIET_POLLS {
        let report = phone.poll(&mut |_| {}).await.map_err(Failure::runtime)?;
        expect(!report.changed && report.restarts == 0, || "a poll without a change changed the phone".to_owned())?;
    }
    scene.expect_bound(&client).await?;
    say(format!("     Nothing changed; {} values are in force, one restart in all.", phone.effective().len()));
    if let Some(line) = line {
        line.power_off().await;
    }
    step(6, "What an administrator reads of it, newest first (licenses, logs and the like left out)");
    for sentence in scene::timeline(&client, mac).await? {
        say(format!("     {sentence}"));
    }
    Ok(())
}

/// The first MAC of the lab that no phone has yet.
async fn free_mac(server: &Server) -> Result<MacAddr, Failure> {
    for number in 1..=u8::MAX {
        let mac = MacAddr::new([0x00, 0x04, 0xf2, 0xa0, 0x00, number]);
        match server.app.phone(mac, &provost_app::Actor::control_socket()).await {
            Err(provost_app::AppError::NotFound { .. }) => return Ok(mac),
            Ok(_) => {}
            Err(error) => return Err(Failure::runtime(error)),
        }
    }
    Err(Failure::Runtime("this data folder holds 255 lab phones; name another with --data".to_owned()))
}

fn virtual_phone(place: &Place<'_>, server: &Server, (mac, firmware): (MacAddr, &str)) -> Result<Phone, Failure> {
    let lab = Lab::of(&server.ready.data);
    let (chain, key) = lab.ensure_phone(mac)?;
    let setup = PhoneSetup {
        catalog: set_up::catalog(&place.configuration()?)?,
        model: MODEL.to_owned(),
        mac: mac.to_string().parse().map_err(Failure::runtime)?,
        firmware: Some(firmware.to_owned()),
        hardware: Hardware::default(),
        image_key: Some(Pem::File(lab.image_key())),
        server_url: server.public_url.to_string(),
        network: None,
        certificate: Some(DeviceCertificate { chain: Pem::File(chain), key: Pem::File(key) }),
        authorities: Some(Pem::File(lab.server_root())),
        sntp: server.ready.sntp.map(|address| address.to_string()),
        flash: Flash::Folder(server.ready.data.join("lab").join(format!("{mac}.flash"))),
        clock: clock::system_time,
    };
    Phone::new(setup).map_err(Failure::runtime)
}

fn tell(event: &Event) {
    match event {
        Event::Starting { boot } => say(format!("     start {boot}")),
        Event::ClockSet { to, server } => {
            say(format!("     time  {to} from {}", server.as_deref().unwrap_or("this machine")));
        }
        Event::ClockNotSet { reason } => say(format!("     time  SNTP Error: {reason}")),
        Event::Request(request) => say(format!("     {}", request.summary())),
        Event::Restarting { changed } if changed.is_empty() => {
            say("     restarts: it was told to, or has new firmware")
        }
        Event::Restarting { changed } => {
            say(format!("     restarts by itself: {} device values changed", changed.len()))
        }
        Event::Applied { values } => say(format!("     applied {values} values")),
        Event::Line { number, state } => say(format!("     line {number} {state}")),
        Event::Flashed(new) => say(format!("     flashed {}: from {} to {}", new.file, new.from, new.to)),
        Event::ImageRefused { file, reason } => say(format!("     {file} is not taken: {reason}")),
        Event::ImageProgress { file, percent } => say(format!("     {file}: {percent} % has come")),
        Event::BootServer(_) | Event::Vlan { .. } | Event::VlanCircle { .. } => {}
        Event::Log(_) | Event::ImageAsked { .. } | Event::ImageCurrent { .. } => {}
    }
}

fn show_screen(phone: &Phone) {
    let screen = phone.screen();
    let keys: Vec<_> = screen.line_keys.iter().map(|key| format!("[{}] {}", key.line, key.label)).collect();
    let shown = keys.into_iter().chain(screen.messages).collect::<Vec<_>>().join("   ");
    say(format!("     its screen shows, on page 1: {shown}"));
}

fn step(number: u8, what: &str) {
    say("");
    say(format!("{number}. {what}"));
}

fn expect(held: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if held { Ok(()) } else { Err(Failure::Runtime(format!("the walk failed: {}", otherwise()))) }
}
