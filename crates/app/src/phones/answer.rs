//! Finds the answer to a proven phone's request.

use super::{Asking, PhoneAnswer, PhoneMethod};
use crate::claim::Right;
use crate::leading::Led;
use crate::{App, AppError};
use bytes::Bytes;
use provost_catalog::{BootStage, FileRole, Model, Upload, Version};
use provost_core::facts::SipServer;
use provost_core::file_plan::{self, Kind, Method, Plan, Refusal, Standing, settings_name};
use provost_core::ids::DeviceId;
use provost_core::render::{self, ActivationLine, Effective, Target, Unclaimed};
use provost_core::sentence::{self, Claim, Outcome, SettingsAre, printable};
use provost_store::{ClaimBy, ClaimOutcome, Kept, PreAssigned, StandingRow, UploadError};

/// What was found, with what the timeline says about it.
#[derive(Clone)]
pub(super) enum Found {
    /// Not for this phone.
    Refused(Refusal),
    /// The catalog does not know what asks.
    UnknownModel,
    /// A regular answer.
    Answered {
        /// For the phone.
        answer: PhoneAnswer,
        /// For the timeline.
        outcome: Outcome,
        /// What its parameter file is.
        settings: SettingsAre,
        /// The device it is for, where there is one.
        device: Option<DeviceId>,
        /// Whether the same holds for whoever asks again a moment later.
        is_settled: bool,
    },
}

const RESTORED_NOT_CONFIRMED: &str = "this server was restored from a backup that does not know the phone, and nobody has \
                                      confirmed that yet (provost restore --confirm)";

fn standing_of(row: &StandingRow) -> Standing {
    match row {
        StandingRow::Bound { bar: Some(_), .. } => Standing::Barred,
        StandingRow::Bound { bar: None, .. } => Standing::Bound,
        StandingRow::SetAside { since, .. } => Standing::SetAside(*since),
        // One administrator's bar is enough, however many devices name the phone.
        StandingRow::Unbound(named) if named.iter().any(|device| device.bar.is_some()) => Standing::Barred,
        StandingRow::Unbound(_) => Standing::Unclaimed,
    }
}

impl App {
    pub(super) async fn answer(&self, asking: &Asking<'_>) -> Result<Found, AppError> {
        if let Some(refusal) = file_plan::refused_at_sight(asking.mac, &asking.came.asked) {
            return Ok(Found::Refused(refusal));
        }
        let standing = self.settled_standing(asking).await?;
        // It may have been claimed after the backup was made: a bootstrap would take its settings away.
        if self.restore.is_open() && matches!(&standing, StandingRow::Unbound(named) if named.is_empty()) {
            return Ok(Found::failed(RESTORED_NOT_CONFIRMED.to_owned()));
        }
        let bar_standing = standing_of(&standing);
        let method = match asking.came.request.method {
            PhoneMethod::Get | PhoneMethod::Head => Method::Read,
            PhoneMethod::Put(_) => Method::Put,
        };
        let plan = file_plan::plan(asking.mac, bar_standing, method, &asking.came.asked);
        if let Plan::Refuse(refusal) = plan {
            return Ok(Found::Refused(refusal));
        }
        let (bound_model, device) = match &standing {
            StandingRow::Bound { model, device, .. } => (Some(model.as_str()), Some(device.clone())),
            StandingRow::Unbound(_) | StandingRow::SetAside { .. } => (None, None),
        };
        let Some((model, firmware)) = self.what_asks(asking, bound_model).await? else {
            return Ok(Found::UnknownModel);
        };
        let target = Target { catalog: &self.catalog, model, firmware: &firmware };
        let mut settings =
            if bar_standing == Standing::Bound { SettingsAre::Configuration } else { SettingsAre::Bootstrap };
        let mut is_settled = true;
        let made = match plan {
            Plan::Keep { name, how } => return self.keep(asking, &name, how, settings).await,
            Plan::Image { name } => return self.image(asking, (&name, model), (settings, device)).await,
            Plan::Refuse(_) | Plan::NoSuchFile => None,
            Plan::Stored { name } => self.store.upload(asking.mac, &name).await?.map(Bytes::from),
            Plan::Master => {
                let led = self.led_by_master(asking, model).await?;
                is_settled = led.is_settled;
                Some(render::master(&self.catalog, &led.file, &[&settings_name(asking.mac)])?.into())
            }
            Plan::Settings => {
                let (bytes, are) = self.settings(asking, target, bar_standing).await?;
                settings = are;
                Some(bytes)
            }
            Plan::Directory => Some(self.directory(asking).await?),
            Plan::ImageList => {
                is_settled = false;
                Some(self.list_images(asking, model).await?)
            }
        };
        Ok(match made {
            Some(bytes) => {
                let outcome = Outcome::Sent(bytes.len());
                Found::Answered { answer: PhoneAnswer::File(bytes), outcome, settings, device, is_settled }
            }
            None => Found::absent((settings, device)),
        })
    }

    /// What the master file names. A HEAD reads nothing and so begins nothing, and who was let in by an exception may be
    /// anybody.
    async fn led_by_master(&self, asking: &Asking<'_>, model: &Model) -> Result<Led, AppError> {
        let is_get = matches!(asking.came.request.method, PhoneMethod::Get);
        let said = asking.user_agent.as_ref().filter(|_| is_get && asking.is_proven());
        let Some(said) = said else { return Ok(Led::nowhere()) };
        let before = self.answers.generation();
        if self.leading.still_waits(asking.mac, said, (before, asking.came.now)) {
            return Ok(Led::not_now());
        }
        match Box::pin(self.stand((asking.mac, &model.id), said, asking.came.now)).await? {
            Some(stand) => Box::pin(self.led(&stand, before)).await,
            None => Ok(Led::nowhere()),
        }
    }

    /// What the phone's own upgrade page may offer.
    async fn list_images(&self, asking: &Asking<'_>, model: &Model) -> Result<Bytes, AppError> {
        let stand = match asking.user_agent.as_ref().filter(|_| asking.is_proven()) {
            Some(said) => Box::pin(self.stand((asking.mac, &model.id), said, asking.came.now)).await?,
            None => None,
        };
        let host =
            asking.came.request.host.map_or_else(|| self.told.public_url.authority(), |host| printable(host, 255));
        let images = Box::pin(self.image_list(stand.as_ref(), &host)).await?;
        Ok(render::image_list(&self.catalog, &images)?.into())
    }

    /// Whether the phone asks for an image that its own upgrade page was told, and that may begin now.
    async fn begins_chosen(&self, asking: &Asking<'_>, model: &Model) -> Result<bool, AppError> {
        let is_get = matches!(asking.came.request.method, PhoneMethod::Get);
        let is_listed = is_get && self.leading.was_listed(asking.mac, asking.came.now);
        let Some(said) = asking.user_agent.as_ref().filter(|_| is_listed) else { return Ok(false) };
        match self.stand((asking.mac, &model.id), said, asking.came.now).await? {
            Some(stand) => self.begin_chosen(&stand).await,
            None => Ok(false),
        }
    }

    /// The image of the step the phone is in, if it asks for that one.
    async fn image(
        &self,
        asking: &Asking<'_>,
        (name, model): (&str, &Model),
        (settings, device): (SettingsAre, Option<DeviceId>),
    ) -> Result<Found, AppError> {
        let of_step = (asking.mac, name);
        let mut image = None;
        if asking.is_proven() {
            image = Box::pin(self.image_of_step(of_step, asking.came.now)).await?;
            if image.is_none() && Box::pin(self.begins_chosen(asking, model)).await? {
                image = Box::pin(self.image_of_step(of_step, asking.came.now)).await?;
            }
        }
        Ok(match image {
            Some(image) => {
                let outcome = Outcome::Begun;
                let answer = PhoneAnswer::Image(Box::new(image));
                Found::Answered { answer, outcome, settings, device, is_settled: false }
            }
            None => Found::absent((settings, device)),
        })
    }

    /// The phone's standing, after a device that names its MAC has claimed it.
    async fn settled_standing(&self, asking: &Asking<'_>) -> Result<StandingRow, AppError> {
        let standing = self.store.standing(asking.mac).await?;
        let StandingRow::Unbound(named) = &standing else { return Ok(standing) };
        let is_master = matches!(&asking.came.asked.kind, Kind::File(file) if matches!(file.role, FileRole::Master | FileRole::DefaultMaster));
        let is_get = matches!(asking.came.request.method, PhoneMethod::Get);
        if named.is_empty() || !is_master || !is_get || asking.came.asked.mac.is_some_and(|mac| mac != asking.mac) {
            return Ok(standing);
        }
        let note = match named.as_slice() {
            [PreAssigned { bar: Some(_), .. }] => return Ok(standing),
            [PreAssigned { has_user: false, .. }] => {
                "Its MAC is entered with a device that has no user: it stays unclaimed until one is set.".to_owned()
            }
            [device] => match self.claim_pre_assigned(asking, device).await? {
                None => return Ok(self.store.standing(asking.mac).await?),
                Some(note) => note,
            },
            _ => "Its MAC is entered with more than one device: it stays unclaimed until only one is left.".to_owned(),
        };
        self.recorder.tell(asking.mac, asking.came.now, sentence::claim_note(note, None), None);
        Ok(standing)
    }

    /// Claims for the device that names the phone; `Some` says why it did not.
    async fn claim_pre_assigned(&self, asking: &Asking<'_>, device: &PreAssigned) -> Result<Option<String>, AppError> {
        let Some((model, _)) = self.what_asks(asking, None).await? else { return Ok(None) };
        if model.id != device.model {
            let wanted = self.catalog.model(&device.model).map_or(device.model.as_str(), |model| &model.name.value);
            let found = &model.name.value;
            return Ok(Some(format!(
                "Its MAC is entered with a device of model {wanted}, but it says it is a {found}: it stays unclaimed."
            )));
        }
        let by = ClaimBy::PreAssigned(&device.device);
        let right = Right { by, how: Claim::PreAssigned, tried: None, audit: None };
        let _shared = self.changes.read().await;
        match self.claim(asking.mac, &model.id, right).await? {
            ClaimOutcome::Claimed(_) | ClaimOutcome::ClaimedBefore(_) => Ok(None),
            // Another request of the same phone, or an administrator, was faster: look again next time.
            ClaimOutcome::Refused(_) => {
                Ok(Some("It could not be claimed just now; it is tried again at its next contact.".to_owned()))
            }
        }
    }

    /// Model and application version to render for: the device's model once bound, else what the phone
    /// says, else what it said before. A User-Agent chooses how to render, never the right to.
    async fn what_asks(&self, asking: &Asking<'_>, bound: Option<&str>) -> Result<Option<(&Model, Version)>, AppError> {
        let said = asking.user_agent.as_ref();
        let spoken = said.and_then(|said| self.catalog.model_by_user_agent_token(said.token));
        let version_said = said.filter(|said| said.stage != Some(BootStage::Updater)).map(|said| said.version.clone());
        let needs_memory = (bound.is_none() && said.is_none()) || version_said.is_none();
        let remembered = if needs_memory { self.store.phone(asking.mac).await? } else { None };
        let remembered_model = remembered.as_ref().and_then(|phone| phone.model.as_deref());
        let model = match (bound, said) {
            (Some(id), _) => {
                Some(self.catalog.model(id).ok_or_else(|| AppError::NotFound { what: "model", name: id.to_owned() })?)
            }
            (None, Some(_)) => spoken,
            (None, None) => remembered_model.and_then(|id| self.catalog.model(id)),
        };
        let Some(model) = model else { return Ok(None) };
        let same_model = spoken.is_none_or(|spoken| spoken.id == model.id);
        let version = version_said
            .filter(|_| same_model)
            .or_else(|| {
                remembered.as_ref().and_then(|phone| phone.firmware.as_deref()).and_then(|text| text.parse().ok())
            })
            .unwrap_or_else(|| model.firmware.reference.value.clone());
        Ok(Some((model, version)))
    }

    /// The parameter file, and what it is for the timeline.
    async fn settings(
        &self,
        asking: &Asking<'_>,
        target: Target<'_>,
        standing: Standing,
    ) -> Result<(Bytes, SettingsAre), AppError> {
        let (values, are) = if standing == Standing::Bound {
            let bound = self.bound_device(asking).await?;
            let are = bound.why_no_line().map_or(SettingsAre::Configuration, SettingsAre::WithoutLine);
            (render::configuration(target, &bound, &self.told.time_server_of(&bound.pin), asking.came.now)?, are)
        } else {
            self.bootstrap(asking, target).await?
        };
        Ok((render::settings_document(&self.catalog, &values)?.into(), are))
    }

    /// The bootstrap: where calls are answered, with the phone's own name for them. Somebody let in by exception
    /// proved nothing that lasts, and gets none.
    async fn bootstrap(
        &self,
        asking: &Asking<'_>,
        target: Target<'_>,
    ) -> Result<(Vec<Effective>, SettingsAre), AppError> {
        let (server, time_server) = self.told.home_of_unclaimed(self.told.came_in(asking.came.request.host));
        let is_stuck = self.is_stuck(asking, target.model).await?;
        let phone = Unclaimed { mac: asking.mac, public_url: server, time_server, activation: None, is_stuck };
        let Some(voice) = self.told.sip.as_ref().filter(|_| asking.is_proven()) else {
            return Ok((render::bootstrap(target, phone)?, SettingsAre::Bootstrap));
        };
        let (user, password) = self.activation_identity(asking.mac).await?;
        // Calls go where files come from: a bootstrap names one server only.
        let voice = SipServer { host: server.bare_host().to_owned(), ..voice.clone() };
        let line = ActivationLine { server: &voice, user: &user, password: &password };
        let phone = Unclaimed { activation: Some(line), ..phone };
        Ok((render::bootstrap(target, phone)?, SettingsAre::BootstrapWithVoice))
    }

    /// Whether the phone's firmware is below what its model is served with, and nothing stored leads further.
    async fn is_stuck(&self, asking: &Asking<'_>, model: &Model) -> Result<bool, AppError> {
        let floor = self.catalog.hardware(&model.id).and_then(|hardware| hardware.floor.as_ref());
        let said = asking.user_agent.as_ref().filter(|said| said.stage != Some(BootStage::Updater));
        match (said, floor) {
            (Some(said), Some(floor)) if said.version < floor.value => {
                Box::pin(self.has_no_way((asking.mac, &model.id), said, asking.came.now)).await
            }
            _ => Ok(false),
        }
    }

    /// The phone's own directory if it sent one, else the people of its site.
    async fn directory(&self, asking: &Asking<'_>) -> Result<Bytes, AppError> {
        if let Kind::File(file) = &asking.came.asked.kind
            && let Some(own) = self.store.upload(asking.mac, &file.name).await?
        {
            return Ok(own.into());
        }
        let contacts = self.contacts_of(asking.mac).await?;
        Ok(render::directory(&self.catalog, &contacts)?.into())
    }

    async fn keep(
        &self,
        asking: &Asking<'_>,
        name: &str,
        how: Upload,
        settings: SettingsAre,
    ) -> Result<Found, AppError> {
        let PhoneMethod::Put(content) = &asking.came.request.method else {
            return Ok(Found::Refused(Refusal::NotAPhoneFile));
        };
        let kept = match how {
            Upload::Append => self.store.append_upload(asking.mac, (name, content), asking.came.now).await,
            Upload::Replace => self.store.replace_upload(asking.mac, (name, content), asking.came.now).await,
        };
        match kept {
            Ok(kept @ (Kept::New | Kept::Known)) => {
                let outcome = Outcome::Kept { bytes: content.len(), how };
                let answer = PhoneAnswer::Kept(kept);
                Ok(Found::Answered { answer, outcome, settings, device: None, is_settled: true })
            }
            Err(UploadError::TooMany(_)) => Ok(Found::Refused(Refusal::NotAPhoneFile)),
            Err(UploadError::Store(error)) => Err(error.into()),
        }
    }
}
