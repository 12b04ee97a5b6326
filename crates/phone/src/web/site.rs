//! The web server of one phone, and one visit to it.
//!
//! Decides whether the server is there at all, and which habits the phone's firmware has; keeps what lasts longer than
//! a request. Never answers.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provost_catalog::{Catalog, Model, PhoneWeb, Version, WebField, WebFieldKind, WebGeneration};

use crate::facts;
use crate::handset::{Handset, Stage, View};
use crate::settings::Values;
use crate::sip::random;
use crate::tls::{DeviceCertificate, Pem};
use crate::web::WebSetup;
use crate::web::access::{Access, Level};
use crate::web::asked::Asked;
use crate::web::digest::Nonces;

/// The web server of one phone.
pub(crate) struct Site {
    pub(crate) handset: Handset,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) web: PhoneWeb,
    pub(crate) certificate: Option<DeviceCertificate>,
    pub(crate) authorities: Option<Pem>,
    pub(crate) https: SocketAddr,
    /// The token against forged requests, one for as long as the server runs.
    pub(crate) token: String,
    access: Mutex<Access>,
    /// Wrong passwords of pushes and polls: a poller with an old one locks nobody out of the pages.
    pushers: Mutex<Access>,
    nonces: Mutex<Nonces>,
}

/// One request and the phone as it was when it came.
pub(crate) struct Visit<'a> {
    pub(crate) site: &'a Site,
    pub(crate) asked: &'a Asked,
    pub(crate) view: View,
    pub(crate) firmware: Version,
    pub(crate) generation: &'a WebGeneration,
    /// What whoever asks may do; nothing for REST and its like, which see for themselves.
    pub(crate) level: Option<Level>,
}

impl Site {
    /// `None` when the catalog knows nothing of web servers.
    pub(crate) fn new(handset: Handset, setup: WebSetup, https: SocketAddr) -> Option<Self> {
        let web = setup.catalog.phone_web()?.clone();
        Some(Self {
            handset,
            catalog: setup.catalog,
            web,
            certificate: setup.certificate,
            authorities: setup.authorities,
            https,
            token: format!("{}{}", random::token(), random::token()),
            access: Mutex::default(),
            pushers: Mutex::default(),
            nonces: Mutex::default(),
        })
    }

    /// Whether the phone listens here now.
    pub(crate) async fn is_open(&self, tls: bool) -> bool {
        let view = self.handset.view().await;
        self.serves(&view) && !(tls && is(&view, &self.web.tls_switch.value, "0"))
    }

    /// Whether the phone has come so far that its web server runs, and may run it.
    fn serves(&self, view: &View) -> bool {
        matches!(view.stage, Stage::Application | Stage::Idle) && !is(view, &self.web.server_switch.value, "0")
    }

    /// The phone as `asked` finds it; `None` when it does not serve, or runs firmware nobody knows.
    pub(crate) async fn visit<'a>(&'a self, asked: &'a Asked) -> Option<Visit<'a>> {
        let view = Some(self.handset.view().await).filter(|view| self.serves(view))?;
        let firmware: Version = view.versions.application.parse().ok()?;
        let generation = self.catalog.web_generation(&firmware)?;
        self.access().notice(view.starts);
        self.pushers().notice(view.starts);
        Some(Visit { site: self, asked, view, firmware, generation, level: None })
    }

    pub(crate) fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn pushers(&self) -> MutexGuard<'_, Access> {
        self.pushers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn nonces(&self) -> MutexGuard<'_, Nonces> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit<'_> {
    /// What is known of the phone's model, or of the one whose facts stand in for it.
    pub(crate) fn model(&self) -> Option<Cow<'_, Model>> {
        facts::model(&self.site.catalog, &self.view.model).ok()
    }

    /// Whether a parameter's value stays in the phone.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        let small = name.to_ascii_lowercase();
        let mut fields = self.site.catalog.web_pages().iter().flat_map(|page| &page.fields);
        let hidden = |field: &WebField| matches!(field.kind, WebFieldKind::Text { secret: true, .. });
        self.site.web.secret_names.value.iter().any(|word| small.contains(word.as_str()))
            || fields.any(|field| hidden(field) && field.parameter.eq_ignore_ascii_case(name))
    }

    /// Whether these values put a password in force again that this firmware does not take any more.
    pub(crate) fn brings_default_back(&self, values: &Values) -> bool {
        let word = self.model().and_then(|model| {
            let setting = self.site.catalog.setting("password.admin", &model, &self.firmware)?;
            Some(setting.parameter(1, 1))
        });
        let set = word.and_then(|word| values.get(&word));
        // Without one of its own a phone goes by the default.
        let default = |set: &String| set.is_empty() || *set == self.view.factory_password.reveal();
        self.generation.new_password && set.is_some_and(default)
    }

    /// The value of a parameter in force.
    pub(crate) fn value(&self, parameter: &str) -> Option<&str> {
        self.view.values.get(parameter).map(String::as_str)
    }

    /// Whether a parameter is set to this.
    pub(crate) fn is(&self, parameter: &str, value: &str) -> bool {
        is(&self.view, parameter, value)
    }

    /// Whether plain HTTP only leads to TLS.
    pub(crate) fn wants_tls(&self) -> bool {
        match self.value(&self.site.web.tls_required.value) {
            Some(required) => required == "1",
            None => self.generation.tls_only,
        }
    }

    /// The DHCP option that says where the phone is provisioned, while one does.
    pub(crate) fn option_that_decides(&self) -> Option<u8> {
        self.view.boot_server_from.rule.option()
    }

    pub(crate) fn is_administrator(&self) -> bool {
        self.level == Some(Level::Administrator)
    }

    /// Whether the administrator has to think of another password before anything else.
    pub(crate) fn must_change_password(&self) -> bool {
        self.generation.new_password && self.is_administrator() && self.view.has_factory_password()
    }
}

fn is(view: &View, parameter: &str, value: &str) -> bool {
    view.values.get(parameter).is_some_and(|set| set == value)
}
