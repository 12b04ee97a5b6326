//! One pass over the boot sequence: every request a phone makes between power and ready.
//!
//! Decides what is asked in which order and which answers end the pass. What was read is staged; the
//! caller applies it to flash in one step, so a pass cut short changes nothing.
//! An image that is to be flashed ends it at once: the phone starts with the new version first.
//! Rules: the catalog's boot sequence; domain notes 1.1 to 1.3 and 1.5 (404 harmless, failed server).

mod image;

use http::Method;
use provost_catalog::{BootAction, BootStage, FileRole};

pub(crate) use image::{Flashing, Upgrades};

use crate::address::BootServer;
use crate::ask::{Ask, Fetched};
use crate::clock::PhoneClock;
use crate::event::{Kept, Observer, Rejected};
use crate::exchange::Failure;
use crate::facts::{Facts, Step};
use crate::flash::{CachedFile, Memory};
use crate::master::Master;
use crate::request::RequestLog;
use crate::settings::{Values, overrides_file, parameters};
use crate::tls::{Shows, TlsClient, TlsFailure};

/// What the phone works with during one pass.
pub(crate) struct Walk<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) server: &'a BootServer,
    pub(crate) tls: &'a TlsClient,
    pub(crate) clock: &'a PhoneClock,
    pub(crate) memory: &'a mut Memory,
    pub(crate) requests: &'a mut RequestLog,
    pub(crate) observer: &'a mut Observer<'a>,
    /// What this boot has come to with images.
    pub(crate) upgrades: &'a mut Upgrades,
    /// The master file in force: the cached one until this pass has read its own.
    pub(crate) master: Option<Master>,
}

/// What one pass brought, not yet applied.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// The new master file's text.
    pub(crate) master: Option<String>,
    pub(crate) files: Vec<CachedFile>,
    pub(crate) phone_overrides: Option<Values>,
    pub(crate) web_overrides: Option<Values>,
    pub(crate) rejected: Vec<Rejected>,
    /// Images that were not taken.
    pub(crate) refused: Vec<Rejected>,
    /// The image to flash before anything else.
    pub(crate) flashing: Option<Flashing>,
    /// Every file the new master file lists was asked for.
    complete: bool,
    /// Why the server's configuration was not taken at all.
    pub(crate) kept: Option<Kept>,
}

impl Staged {
    /// Nothing new: the cached configuration stays.
    pub(crate) fn keeping(kept: Kept) -> Self {
        Self { kept: Some(kept), ..Self::default() }
    }
}

impl Walk<'_> {
    /// Makes the requests of the `wanted` steps in order.
    ///
    /// # Errors
    /// [`TlsFailure`] when the boot server's certificate is refused: then nothing more is asked.
    pub(crate) async fn run(mut self, wanted: impl Fn(&&Step) -> bool) -> Result<Staged, TlsFailure> {
        let facts = self.facts;
        let mut staged = Staged::default();
        self.log(&format!("Provisioning server address is {}.", self.server));
        for step in facts.steps.iter().filter(wanted) {
            let done = match step.action {
                BootAction::Get => self.get(step, &mut staged).await,
                BootAction::Put => self.put(step).await,
                BootAction::AppendLog => self.append_log(step).await,
                BootAction::Master => self.read_master(step, &mut staged).await,
                BootAction::Image => self.look_at_image(step, &mut staged).await,
                BootAction::ConfigFiles => self.read_config_files(step, &mut staged).await,
            };
            match done {
                Ok(()) => {}
                Err(Failure::Tls(refused @ (TlsFailure::NotYetValid | TlsFailure::Certificate { .. }))) => {
                    return Err(refused);
                }
                Err(failure) => {
                    if self.gives_up(step, &failure, &mut staged) {
                        break;
                    }
                }
            }
            if staged.kept.is_some() || staged.flashing.is_some() {
                break;
            }
        }
        Ok(staged)
    }

    /// Notes that the server is gone and says whether that ends the pass.
    fn gives_up(&mut self, step: &Step, failure: &Failure, staged: &mut Staged) -> bool {
        self.log(&format!("Prov|Server '{}' is unresponsive", self.server));
        // The updater's log comes before the master file; the phone still asks for that one.
        if staged.master.is_none() && step.action == BootAction::Put {
            return false;
        }
        // Without the master file and all it lists, nothing new may be applied.
        if !staged.complete {
            staged.kept = Some(Kept::Unreachable { reason: failure.to_string() });
        }
        true
    }

    /// Uploads what a person changed, where the sequence looks for it; the server may refuse it.
    pub(crate) async fn upload_overrides(mut self, role: FileRole, values: &Values) -> Result<(), Failure> {
        let facts = self.facts;
        let step = facts.steps.iter().find(|step| step.role == Some(role));
        let Some((step, name)) = step.and_then(|step| Some((step, step.names().next()?))) else {
            return Ok(());
        };
        let file = self.placed(name, step);
        let body = overrides_file(values).into();
        self.ask(Ask { method: Method::PUT, body, ..Ask::get(&file, BootStage::Application) }).await?;
        Ok(())
    }

    /// Opens a page in the phone's browser, which never shows the factory certificate.
    pub(crate) async fn browse(mut self, page: &str) -> Result<(), Failure> {
        let user_agent = self.facts.browser_user_agent();
        let ask = Ask::get(page, BootStage::Application);
        self.send(ask, user_agent, Shows::Nothing).await.map(|_| ())
    }

    async fn get(&mut self, step: &Step, staged: &mut Staged) -> Result<(), Failure> {
        for name in step.names() {
            let file = self.placed(name, step);
            match self.fetch(Ask::get(&file, step.stage)).await? {
                Fetched::Content(content) => {
                    take_overrides(step, &file, &content, staged);
                    break;
                }
                Fetched::Missing => {}
                Fetched::ServerFault(status) => self.log(&format!("{file}: the server answered {status}")),
                Fetched::Refused(reason) => self.log(&format!("{file}: {reason}")),
            }
        }
        Ok(())
    }

    async fn put(&mut self, step: &Step) -> Result<(), Failure> {
        for name in step.names().take(1) {
            let file = self.placed(name, step);
            self.upload(&file, step.stage).await?;
        }
        Ok(())
    }

    async fn append_log(&mut self, step: &Step) -> Result<(), Failure> {
        for name in step.names().take(1) {
            let file = self.placed(name, step);
            let ask = Ask { method: Method::HEAD, ..Ask::get(&file, step.stage) };
            self.forgiving(ask).await?;
            self.upload(&file, step.stage).await?;
        }
        Ok(())
    }

    /// Sends a log; the server may refuse it, which costs nothing but the log.
    async fn upload(&mut self, file: &str, stage: BootStage) -> Result<(), Failure> {
        let text = match stage {
            BootStage::Updater => format!("Initial log entry.\nUpdater {}\n", self.memory.updater),
            BootStage::Application => self.memory.log.clone(),
        };
        let ask = Ask { method: Method::PUT, body: text.into(), ..Ask::get(file, stage) };
        let answer = self.forgiving(ask).await?;
        let stored = answer.is_some_and(|answer| (200..300).contains(&answer.status));
        if stored && stage == BootStage::Application {
            self.memory.log.clear();
        }
        Ok(())
    }

    async fn read_master(&mut self, step: &Step, staged: &mut Staged) -> Result<(), Failure> {
        let named = self.server.master.clone();
        for file in named.iter().map(String::as_str).chain(step.names()) {
            match self.fetch(Ask::get(file, step.stage)).await? {
                Fetched::Content(content) => {
                    match Master::read(&content, self.facts) {
                        Ok(master) => {
                            self.master = Some(master);
                            staged.master = Some(String::from_utf8_lossy(&content).into_owned());
                        }
                        Err(error) => {
                            let reason = self.reject(file, &error, staged);
                            staged.kept = Some(Kept::MasterRejected { reason });
                        }
                    }
                    return Ok(());
                }
                Fetched::ServerFault(status) => {
                    staged.kept = Some(Kept::ServerFault { file: file.to_owned(), status });
                    return Ok(());
                }
                Fetched::Missing => {}
                Fetched::Refused(reason) => self.log(&format!("{file}: {reason}")),
            }
        }
        staged.kept = Some(Kept::NoMasterFile);
        Ok(())
    }

    async fn read_config_files(&mut self, step: &Step, staged: &mut Staged) -> Result<(), Failure> {
        let names = self.master.as_ref().map(|master| master.files.clone()).unwrap_or_default();
        for file in names {
            let text = match self.fetch(Ask::get(&file, step.stage)).await? {
                Fetched::Content(content) => match parameters(&content) {
                    Ok(_) => Some(String::from_utf8_lossy(&content).into_owned()),
                    Err(error) => {
                        self.reject(&file, &error, staged);
                        None
                    }
                },
                Fetched::Missing => {
                    staged.rejected.push(Rejected { file: file.clone(), reason: "not on the server".to_owned() });
                    None
                }
                Fetched::ServerFault(status) => {
                    staged.kept = Some(Kept::ServerFault { file, status });
                    return Ok(());
                }
                Fetched::Refused(reason) => {
                    staged.rejected.push(Rejected { file: file.clone(), reason });
                    None
                }
            };
            let text = text.or_else(|| self.cached(&file));
            staged.files.extend(text.map(|text| CachedFile { name: file, text }));
        }
        staged.complete = true;
        Ok(())
    }

    fn cached(&self, name: &str) -> Option<String> {
        self.memory.files.iter().find(|file| file.name == name).map(|file| file.text.clone())
    }

    fn reject(&mut self, file: &str, error: &crate::xml::XmlError, staged: &mut Staged) -> String {
        let reason = error.to_string();
        self.log(&format!("cfg|{file} is rejected: {reason}"));
        staged.rejected.push(Rejected { file: file.to_owned(), reason: reason.clone() });
        reason
    }

    fn placed(&self, name: &str, step: &Step) -> String {
        match (&self.master, self.facts.folder_attribute(step.role)) {
            (Some(master), Some(attribute)) => master.place(name, attribute, self.facts),
            _ => name.to_owned(),
        }
    }
}

fn take_overrides(step: &Step, file: &str, content: &[u8], staged: &mut Staged) {
    let slot = match step.role {
        Some(FileRole::PhoneOverrides) => &mut staged.phone_overrides,
        Some(FileRole::WebOverrides) => &mut staged.web_overrides,
        _ => return,
    };
    match parameters(content) {
        Ok(values) => *slot = Some(values),
        Err(error) => staged.rejected.push(Rejected { file: file.to_owned(), reason: error.to_string() }),
    }
}
