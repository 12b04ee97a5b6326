//! The phone itself: power, polling, restarts, and what a person changes on it.
//!
//! Decides when a pass over the boot sequence is made, when what it brought is applied, and when the
//! phone starts again by itself. Never uses a rule of the server's.
//! Rules: domain notes 1.3, 1.6, 3.1 and 4.4.

mod flashing;
mod keeping;
mod online;
mod picture;
mod power;
mod update;

use std::sync::Arc;

use provost_catalog::{BootStage, Catalog, FileRole};
use tokio::sync::watch;

use crate::address::BootServer;
use crate::clock::{PhoneClock, rfc3339};
use crate::event::{BootReport, Event, Flashed, Kept, Observer, Outcome};
use crate::facts::{Facts, Step, present_versions};
use crate::flash::{Flash, Memory};
use crate::image::ImageKey;
use crate::mac::Mac;
use crate::master::Master;
use crate::network::Network;
use crate::phone::power::{Here, NoServer};
use crate::phone::update::Taken;
use crate::request::RequestLog;
use crate::screen::{Message, Screen, Shown};
use crate::settings::{self, Values};
use crate::setup::{ChangedIn, Hardware, PhoneError, PhoneSetup};
use crate::sip::Status;
use crate::tls::{self, DeviceCertificate, Pem, TlsClient, TlsFailure, Trust};
use crate::walk::{Staged, Upgrades, Walk};

/// Restarts in one boot after which the phone is stopped: a value that flaps never settles.
const RESTART_LIMIT: u32 = 5;
/// Polls after which a phone that still changes is given up by [`Phone::boot_until_settled`].
const SETTLE_POLLS: u32 = 5;

/// What one pass came to.
enum Passed {
    /// A new version is in flash and has to be started.
    Flashed(Flashed),
    /// The configuration is in force; with the device values that changed.
    Applied(BootReport, Vec<String>),
}

/// A virtual phone.
pub struct Phone {
    catalog: Arc<Catalog>,
    hardware: Hardware,
    facts: Facts,
    server_url: String,
    sntp: Option<String>,
    network: Option<Network>,
    /// Where it is in that network since its last start.
    here: Option<Here>,
    /// When it was started, by the caller's clock.
    started_millis: i64,
    /// The update somebody took; counts for one start.
    taken: Option<Taken>,
    tls: TlsClient,
    certificate: Option<DeviceCertificate>,
    authorities: Option<Pem>,
    /// Whom its flash made it trust when `tls` was made.
    trust: Trust,
    flash: Flash,
    memory: Memory,
    clock: PhoneClock,
    requests: RequestLog,
    message: Option<Message>,
    upgrades: Upgrades,
    /// What the line that speaks SIP knows, as long as there is one.
    line: Option<watch::Receiver<Status>>,
}

impl Phone {
    /// Makes a phone without power; an empty flash is one fresh out of the box.
    ///
    /// # Errors
    /// [`PhoneError`] when the catalog, the certificate or the flash does not allow it.
    pub fn new(setup: PhoneSetup) -> Result<Self, PhoneError> {
        let memory = match setup.flash.load()? {
            None => Memory::default(),
            Some(memory) if memory.mac == setup.mac.to_string() && memory.model == setup.model => memory,
            Some(other) => {
                return Err(PhoneError::OtherPhone {
                    found_mac: other.mac,
                    found_model: other.model,
                    mac: setup.mac,
                    model: setup.model,
                });
            }
        };
        let versions = present_versions(&setup, &memory)?;
        let facts = Facts::gather(&setup.catalog, (&setup.model, setup.mac, &setup.hardware), versions)?;
        let trust = Trust::of(&memory.device, &facts.network.rules);
        let authorities = (setup.authorities.as_ref(), &trust);
        let tls = TlsClient::new(facts.tls_offer(), setup.certificate.as_ref(), authorities)?;
        let key = setup.image_key.as_ref().map(|pem| Ok::<_, PhoneError>(ImageKey::from_pem(&tls::read(pem)?)?));
        let upgrades = Upgrades::of(key.transpose()?);
        let memory = Memory {
            mac: setup.mac.to_string(),
            model: setup.model,
            firmware: facts.firmware.to_string(),
            updater: facts.updater.to_string(),
            ..memory
        };
        Ok(Self {
            catalog: setup.catalog,
            hardware: setup.hardware,
            facts,
            server_url: setup.server_url,
            sntp: setup.sntp,
            network: setup.network,
            here: None,
            started_millis: 0,
            taken: None,
            tls,
            certificate: setup.certificate,
            authorities: setup.authorities,
            trust,
            flash: setup.flash,
            memory,
            clock: PhoneClock::power_on(setup.clock),
            requests: RequestLog::default(),
            message: None,
            upgrades,
            line: None,
        })
    }

    /// Gives power: time, the whole boot sequence, and the restarts a configuration or a new version asks for.
    ///
    /// A server that cannot be reached or fails is no error: the phone goes on with what its flash
    /// holds, and the report says so.
    ///
    /// # Errors
    /// [`PhoneError`] when the server's certificate is refused, or the flash fails.
    pub async fn boot(&mut self, observer: &mut Observer<'_>) -> Result<BootReport, PhoneError> {
        self.upgrades.begin();
        self.power_on(observer).await?;
        self.until_no_restart(&[BootStage::Updater, BootStage::Application], observer).await
    }

    /// Reads the configuration again without a restart, as at the polling time or when told to.
    ///
    /// The phone must have been booted. The updater takes no part; device values that changed, and a new version,
    /// make the phone restart as after a boot.
    ///
    /// # Errors
    /// As [`Phone::boot`].
    pub async fn poll(&mut self, observer: &mut Observer<'_>) -> Result<BootReport, PhoneError> {
        self.upgrades.begin();
        self.until_no_restart(&[BootStage::Application], observer).await
    }

    /// Boots, then polls until a poll changes nothing; the report sums up the whole way.
    ///
    /// # Errors
    /// As [`Phone::boot`].
    pub async fn boot_until_settled(&mut self, observer: &mut Observer<'_>) -> Result<BootReport, PhoneError> {
        let mut whole = self.boot(observer).await?;
        for _ in 0..SETTLE_POLLS {
            if whole.outcome != Outcome::Configured {
                break;
            }
            let poll = self.poll(observer).await?;
            let settled = !poll.changed && poll.flashed.is_empty();
            whole = BootReport {
                restarts: whole.restarts.saturating_add(poll.restarts),
                changed: whole.changed || poll.changed,
                flashed: [whole.flashed, poll.flashed].concat(),
                ..poll
            };
            if settled {
                break;
            }
        }
        Ok(whole)
    }

    /// A person changes a setting on the phone; the phone keeps it and uploads its overrides.
    ///
    /// A device parameter goes straight to flash, is not uploaded, and counts from the next boot on.
    ///
    /// # Errors
    /// [`PhoneError`] when the name can be none, or the flash fails. A server that refuses the upload is
    /// no error: the request log shows it and the phone keeps its setting.
    pub async fn change_setting(&mut self, place: ChangedIn, (name, value): (&str, &str)) -> Result<(), PhoneError> {
        if !settings::is_parameter_name(name) {
            return Err(PhoneError::ParameterName { name: name.to_owned() });
        }
        if name.starts_with(&self.facts.device_rule.prefix) {
            self.memory.device.insert(name.to_owned(), value.to_owned());
            return Ok(self.flash.store(&self.memory)?);
        }
        let (role, overrides) = match place {
            ChangedIn::Menu => (FileRole::PhoneOverrides, &mut self.memory.phone_overrides),
            ChangedIn::WebPages => (FileRole::WebOverrides, &mut self.memory.web_overrides),
        };
        overrides.insert(name.to_owned(), value.to_owned());
        let overrides = overrides.clone();
        self.flash.store(&self.memory)?;
        // A phone without a server keeps what it cannot upload.
        let server = match self.server() {
            Ok(server) => server,
            Err(NoServer::Kept(_)) => return Ok(()),
            Err(NoServer::Address(refused)) => return Err(refused.into()),
        };
        let mut nobody = |_: Event| {};
        // A failed upload stands in the request log; the setting stays on the phone all the same.
        let _ = self.walk(&server, &mut nobody).upload_overrides(role, &overrides).await;
        Ok(())
    }

    /// The values in force, by parameter; a phone's own defaults are not listed.
    pub fn effective(&self) -> Values {
        settings::effective(&self.memory, &self.facts.device_rule)
    }

    /// What the idle screen shows now.
    pub fn screen(&self) -> Screen {
        let status = self.line.as_ref().map(|line| line.borrow().clone());
        let shown = Shown { message: self.message.as_ref(), line: status.as_ref() };
        let mut screen = Screen::of(&self.effective(), &self.facts, self.clock.now_millis(), shown);
        screen.messages.extend(self.update_notice());
        screen
    }

    /// Every request since the phone was made.
    pub fn requests(&self) -> &RequestLog {
        &self.requests
    }

    /// What survives a power cut.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The phone's MAC address.
    pub fn mac(&self) -> Mac {
        self.facts.mac
    }

    async fn until_no_restart(
        &mut self,
        stages: &[BootStage],
        observer: &mut Observer<'_>,
    ) -> Result<BootReport, PhoneError> {
        let mut stages = stages.to_vec();
        let (mut restarts, mut for_values) = (0, 0);
        let mut changed = false;
        let mut flashed = Vec::new();
        loop {
            let causes = match self.pass(&stages, observer).await? {
                // Flashes end by themselves: the walk takes no more than so many.
                Passed::Flashed(new) => {
                    flashed.push(new);
                    Vec::new()
                }
                Passed::Applied(report, causes) => {
                    changed |= report.changed;
                    if causes.is_empty() {
                        self.ask_time_again(observer).await;
                        self.open_browser(observer).await;
                        return Ok(BootReport { restarts, changed, flashed, ..report });
                    }
                    if for_values == RESTART_LIMIT {
                        let outcome = Outcome::RestartLoop { changed: causes };
                        return Ok(BootReport { outcome, restarts, changed, flashed, ..report });
                    }
                    for_values += 1;
                    causes
                }
            };
            restarts += 1;
            self.memory.restart_count = self.memory.restart_count.saturating_add(1);
            observer(Event::Restarting { changed: causes });
            self.power_on(observer).await?;
            stages = vec![BootStage::Updater, BootStage::Application];
        }
    }

    /// One pass over the sequence, applied; an image that came with it is flashed instead.
    async fn pass(&mut self, stages: &[BootStage], observer: &mut Observer<'_>) -> Result<Passed, PhoneError> {
        let server = match self.server() {
            Ok(server) => server,
            Err(NoServer::Kept(kept)) => return self.apply(Staged::keeping(kept), observer),
            Err(NoServer::Address(refused)) => return Err(refused.into()),
        };
        self.upgrades.held = self.user_controls() && self.taken.is_none();
        let wanted = |step: &&Step| stages.contains(&step.stage);
        let walked = self.walk(&server, observer).run(wanted).await;
        self.upgrades.held = false;
        match walked {
            Ok(Staged { flashing: Some(image), .. }) => Ok(Passed::Flashed(self.write_flash(image, observer)?)),
            Ok(staged) => self.apply(staged, observer),
            Err(refused) => Err(self.refuse(&server, refused)),
        }
    }

    /// Shows the idle page where the configuration names one.
    async fn open_browser(&mut self, observer: &mut Observer<'_>) {
        let page = self.facts.browser_home().and_then(|name| self.effective().remove(name));
        let Some(page) = page.filter(|page| !page.is_empty()) else { return };
        if let Ok(server) = self.server() {
            // A page that does not come leaves the idle screen as it is; the request log tells.
            let _ = self.walk(&server, observer).browse(&page).await;
        }
    }

    fn walk<'a>(&'a mut self, server: &'a BootServer, observer: &'a mut Observer<'a>) -> Walk<'a> {
        let master = self.memory.master.as_ref().and_then(|text| Master::read(text.as_bytes(), &self.facts).ok());
        Walk {
            facts: &self.facts,
            server,
            tls: &self.tls,
            clock: &self.clock,
            memory: &mut self.memory,
            requests: &mut self.requests,
            observer,
            upgrades: &mut self.upgrades,
            master,
        }
    }

    fn refuse(&mut self, server: &BootServer, reason: TlsFailure) -> PhoneError {
        let clock = rfc3339(self.clock.now_millis());
        match (&self.message, &reason) {
            (Some(Message::SntpError { reason }), TlsFailure::NotYetValid) => {
                PhoneError::ClockNotSet { reason: reason.clone(), clock }
            }
            _ => {
                self.message = Some(Message::NoServer);
                PhoneError::ServerCertificate { server: server.to_string(), reason, clock }
            }
        }
    }

    fn apply(&mut self, staged: Staged, observer: &mut Observer<'_>) -> Result<Passed, PhoneError> {
        let before = self.effective();
        let mut ignored = Vec::new();
        if staged.kept.is_none() {
            self.remember_server();
            self.memory.master = staged.master;
            self.memory.files = staged.files;
            if let Some(values) = staged.phone_overrides {
                self.memory.phone_overrides = values;
            }
            if let Some(values) = staged.web_overrides {
                self.memory.web_overrides = values;
            }
            let reading = settings::read(&self.memory, &self.facts.device_rule);
            self.memory.device.extend(reading.device);
            ignored = reading.ignored;
        }
        self.flash.store(&self.memory)?;
        let after = self.effective();
        let outcome = match staged.kept {
            None => {
                self.forget_server_message();
                observer(Event::Applied { values: after.len() });
                Outcome::Configured
            }
            Some(kept) => {
                let asked_in_vain = !matches!(kept, Kept::MasterRejected { .. } | Kept::UpdateWaits);
                if asked_in_vain && self.message.is_none() {
                    self.message = Some(Message::NoServer);
                }
                Outcome::KeptCached(kept)
            }
        };
        let causes = settings::restart_causes(&before, &after, &self.facts.device_rule);
        let changed = before != after;
        let report = BootReport {
            outcome,
            restarts: 0,
            changed,
            rejected: staged.rejected,
            ignored,
            flashed: Vec::new(),
            refused: staged.refused,
        };
        Ok(Passed::Applied(report, causes))
    }

    fn forget_server_message(&mut self) {
        if self.message == Some(Message::NoServer) {
            self.message = None;
        }
    }
}
