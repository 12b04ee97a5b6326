//! Use-cases: facts from the store, rules from core, effects back to the store.
//!
//! Decides in which order things happen: what is written before what is promised. Never speaks HTTP
//! and opens no socket. Logs what a human must act on; all else goes to the timelines.

mod actor;
mod administrators;
mod alarms;
mod audit;
mod backup;
mod claim;
mod configuration;
mod connectors;
mod console_session;
mod doctor;
mod doors;
mod error;
mod failed_handshakes;
mod firmware;
mod forgotten;
mod guard;
mod home;
mod import;
mod inventory;
mod leading;
mod lifecycle;
mod mail;
mod models;
mod moving;
mod own_account;
mod password_hash;
mod passwords;
mod phone_overview;
mod phone_report;
mod phones;
mod recorder;
mod report;
mod requests;
mod rotation;
mod search;
mod sightings;
mod sign_in;
mod strangers;
mod surroundings;
mod tokens;
mod totp;
mod uploads;
mod vault;
mod watching;

pub use actor::Actor;
pub use administrators::{AdministratorView, OneTimePassword};
pub use alarms::AlarmView;
pub use audit::AuditView;
pub use backup::{Backup, RestoreView, restore_entry};
pub use claim::{Activated, reference as error_reference};
pub use configuration::{
    ChangeView, ClearingView, DeviceLayer, EffectiveItem, EffectiveView, EntryChangeView, FetchedView, FileView,
    LayerView, LeftOutView, MOST_REVISIONS_A_PAGE, OriginView, OverriddenView, OverridesView, OwnFile, OwnSetting,
    PreviewInput, PreviewView, ReachView, ReachedDeviceView, RevertInput, RevisionView, WarningView,
};
pub use connectors::{CheckSyncView, ConnectorView, FoundView, PbxAsk, RegisteredLineView, RegisteredView};
pub use console_session::{NewSession, OpenSession, SessionView};
pub use doctor::Pointing;
pub use doors::{EmergencyCall, EmergencyRouteView, ReferenceView, SipCredential};
pub use error::{AppError, TOO_MANY_TRIES};
pub use failed_handshakes::FailedHandshakeView;
pub use firmware::{ImageFile, ImageInput, ImageView, NotTakenView, ReceivingImage, UploadedView};
pub use guard::{BlockedView, ExceptionView, HttpBootstrapView};
pub use home::{Hand, HandList, HandView, HomeView, SiteProgressView};
pub use import::{FaultView, ImportCellView, ImportGridRow, ImportInput, ImportRowView, ImportView, Receiving};
pub use inventory::{
    AccountView, BranchView, BranchesView, ClaimantView, CodeView, DeviceView, LineView, ListedSiteView,
    ListedUserView, MacText, SipServerView, SiteView, UserView,
};
pub use leading::{
    DeviceFirmwareView, FirmwareDoorView, FirmwareNowView, ImageLoad, LadderStepView, LadderView, PauseView,
    PhoneImage, PolicyView, ProgressView, RingView, SpreadView, StepView,
};
pub use lifecycle::{DevicePhoneView, ReleasedView, RemovedView};
pub use mail::{
    AlarmMailView, CodesAtPage, LinkRefusal, MailInput, MailPreviewInput, MailPreviewView, MailTemplateView, MailView,
    WelcomeInput, WelcomeMailView, WelcomeVerdictView, WelcomesInput, WelcomesView,
};
pub use models::{ModelView, model_views};
pub use moving::{MoveCounts, MoveSummary, MoveView, NotArrivedView};
pub use own_account::{OwnAccountView, OwnChange, TotpBegun, TotpOffer};
pub use passwords::{PasswordPairView, PhonePasswordsView};
pub use phone_overview::{FirmwareView, KnownVersion, PhoneOverview, TroubleView};
pub use phone_report::{CertificateView, PhoneView, TimelineItem, TimelinePage};
pub use phones::{PhoneAnswer, PhoneMethod, PhoneRequest};
pub use report::{ReportCell, ReportCsv, ReportInput, ReportItem, ReportPageView, ReportSecretsInput, report_columns};
pub use requests::{Keyed, Request};
pub use rotation::{key_of, rotate_key};
pub use search::PlaceView;
pub use sign_in::{SignIn, Visitor};
pub use strangers::{Stranger, Treated};
pub use surroundings::{ShownCertificate, Surroundings};
pub use tokens::{NewToken, Shown as ShownToken, TokenInput, TokenView};
pub use totp::TotpSecret;
pub use uploads::{MOST_SHOWN_BYTES, UploadAccess, UploadListing, UploadView};
// The web crates may not name the store; these words are part of what the use-cases say.
pub use provost_store::{Bar, Kept, Page, Store, WhichRows};
pub use vault::{KEY_BYTES, Vault, VaultError};

use claim::Claims;
use configuration::Clearing;
use connectors::Connectors;
use doors::Doors;
use failed_handshakes::FailedHandshake;
use firmware::Firmware;
use guard::Guard;
use leading::Leading;
use moving::Moving;
use passwords::PendingPasswords;
use provost_catalog::Catalog;
use provost_core::facts::SipServer;
use provost_core::public_url::PublicUrl;
use provost_core::time::UnixMillis;
use recorder::{EventIds, Recorder, Sealing};
use sightings::Sightings;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use strangers::Strangers;
use tokio::sync::{RwLock, watch};

/// Where the time comes from: the one clock of the process, or a test's.
pub type Clock = fn() -> UnixMillis;

/// What phones and administrators are told about this server.
#[derive(Debug, Clone)]
pub struct Told {
    /// Where phones ask.
    pub public_url: PublicUrl,
    /// Where they asked before, while that still counts.
    pub former: Option<PublicUrl>,
    /// Whether and where plain HTTP is answered.
    pub plain_http: PlainHttp,
    /// Where they get the time; `None` is the host each of them lives at.
    pub time_server: Option<String>,
    /// Where the activation line registers and calls are answered; `None` where nobody answers.
    pub sip: Option<SipServer>,
    /// The root of Provost's own authority (PEM), when its certificates are in use: phones do not know it yet.
    pub server_root: Option<String>,
    /// How the command line is called beside this server: `provost --data FOLDER`.
    pub command: String,
    /// Where browsers reach the console, without a slash at the end, as links in mails say it; `None` where it is not known.
    pub console: Option<String>,
}

/// The listener without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlainHttp {
    /// There is none.
    Off,
    /// It answers.
    On {
        /// The address to key into a phone, where it is known.
        url: Option<String>,
    },
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Phone knowledge.
    pub catalog: Arc<Catalog>,
    /// Encryption of secrets.
    pub vault: Vault,
    /// What phones are told.
    pub told: Told,
    /// The clock.
    pub clock: Clock,
    /// The folder of firmware images; made if it is not there.
    pub firmware_store: PathBuf,
}

/// Everything Provost does, for the device plane, the API, the console and the command line.
#[derive(Debug)]
pub struct App {
    store: Store,
    catalog: Arc<Catalog>,
    vault: Arc<Vault>,
    told: Told,
    clock: Clock,
    strangers: Mutex<Strangers>,
    failed_handshakes: Mutex<Sightings<FailedHandshake>>,
    guard: Guard,
    doors: Doors,
    connectors: Connectors,
    claims: Claims,
    moving: Moving,
    answers: Arc<phones::Answers>,
    pending_passwords: Arc<PendingPasswords>,
    clearing: Clearing,
    forgotten: forgotten::Asked,
    restore: backup::Restore,
    outbox: mail::Outbox,
    around: surroundings::Around,
    leading: Leading,
    firmware: Firmware,
    /// The second in which a failed request was logged last.
    failure_logged_s: AtomicI64,
    recorder: Recorder,
    event_ids: Arc<Mutex<EventIds>>,
    changes: RwLock<()>,
    /// Whether answers that have no end shall end.
    ending: watch::Sender<bool>,
    /// This run of the server: what another began, this one does not end.
    process: String,
}

impl App {
    /// Starts the use-cases on these parts; needs a running async runtime for the recorder.
    ///
    /// # Errors
    /// [`AppError::OtherKey`] when the database was encrypted with another key, [`AppError::ImageStore`] when the folder of
    /// images cannot be used, [`AppError::Store`].
    pub async fn start(parts: Parts) -> Result<Arc<Self>, AppError> {
        let Parts { store, catalog, vault, told, clock, firmware_store } = parts;
        vault::check_key(&store, &vault).await?;
        let event_ids = Arc::new(Mutex::new(EventIds::default()));
        let vault = Arc::new(vault);
        let recorder = Recorder::start(store.clone(), Arc::clone(&event_ids), Sealing(Arc::clone(&vault)));
        let guard = Guard::load(&store, clock()).await?;
        let doors = Doors::load(&store).await?;
        let connectors = Connectors::load(&store).await?;
        let moving = Moving::load(&store, &told).await?;
        let leading = Leading::load(&store, clock()).await?;
        let (strangers, failed_handshakes) = (Mutex::default(), Mutex::default());
        let answers: Arc<phones::Answers> = Arc::default();
        let pending_passwords = Arc::new(PendingPasswords::load(&store).await?);
        let clearing = Clearing::load(&store).await?;
        let claims = Claims::start(store.clone(), Arc::clone(&answers), &doors, Arc::clone(&pending_passwords));
        let firmware = Firmware::load(&store, &firmware_store).await?;
        let process = hex::encode(rand::random::<[u8; 16]>());
        let restore = backup::Restore::load(&store).await?;
        let app = Arc::new(Self {
            store,
            catalog,
            vault,
            told,
            clock,
            strangers,
            failed_handshakes,
            guard,
            doors,
            connectors,
            claims,
            moving,
            answers,
            pending_passwords,
            clearing,
            forgotten: forgotten::Asked::default(),
            restore,
            outbox: mail::Outbox::default(),
            around: surroundings::Around::default(),
            leading,
            firmware,
            failure_logged_s: AtomicI64::default(),
            recorder,
            event_ids,
            changes: RwLock::default(),
            ending: watch::Sender::new(false),
            process,
        });
        app.note_absence().await?;
        tokio::spawn(doors::watch(Arc::downgrade(&app)));
        tokio::spawn(watching::watch(Arc::downgrade(&app)));
        tokio::spawn(Arc::clone(&app).resume_imports());
        Ok(app)
    }

    /// What is known about phones.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What phones are told.
    pub const fn told(&self) -> &Told {
        &self.told
    }

    /// Who changes what administrators see holds this shared; who compares before changing holds it alone, so that
    /// nothing changes in between.
    pub const fn changes(&self) -> &RwLock<()> {
        &self.changes
    }

    /// Wakes when something that is stored has changed, whatever it is.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.store.commits()
    }

    /// Whether the server ends, for answers that have no end of their own.
    pub fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    /// The server ends: answers without an end of their own end now.
    pub fn begin_to_end(&self) {
        self.ending.send_replace(true);
    }

    /// The time now.
    pub fn now(&self) -> UnixMillis {
        (self.clock)()
    }

    /// Remembers that it was this late: the clock must not be believed if it says earlier after a restart.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn remember_time(&self, now: UnixMillis) -> Result<(), AppError> {
        Ok(self.store.set_meta(LAST_TIME, &now.0.to_string()).await?)
    }

    /// The latest time that was remembered.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn last_time(&self) -> Result<UnixMillis, AppError> {
        let stored = self.store.meta(LAST_TIME).await?;
        Ok(UnixMillis(stored.and_then(|text| text.parse().ok()).unwrap_or(0)))
    }

    /// Writes what is still in memory and closes the database.
    pub async fn stop(&self) {
        self.recorder.flush().await;
        self.store.close().await;
    }
}

const LAST_TIME: &str = "last-time-ms";

/// Locks even if a thread panicked while holding it: these maps are whole after every statement.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
