//! A running phone with its web server, and the boot server it came from.

use std::net::SocketAddr;
use std::time::Duration;

use provost_phone::{Flash, Handset, Memory, Pace, PhoneSetup, Stage, WebServer, WebSetup};
use tokio::time::{sleep, timeout};

use crate::server::BootServer;
use crate::support::{self, server_with};
use crate::tool::Tool;

/// Fast enough that no count-down is felt.
const PACE: Pace = Pace(1000);
const PATIENCE: Duration = Duration::from_secs(30);

/// A setting that gives the phone a password of its own.
pub(crate) const OWN_PASSWORD: &str =
    r#"<a device.set="1" device.auth.localAdminPassword.set="1" device.auth.localAdminPassword="789"/>"#;

/// The phone and all around it.
pub(crate) struct Lab {
    pub(crate) handset: Handset,
    pub(crate) server: BootServer,
    pub(crate) web: WebServer,
    flash: Flash,
}

impl Lab {
    /// A phone that is ready, with this model and firmware, configured so.
    pub(crate) async fn with(model: &str, firmware: &str, configuration: &str) -> Self {
        let lab = Self::without_power(model, firmware, configuration).await;
        lab.handset.plug_in().await;
        lab.ready().await;
        lab
    }

    /// The same before it gets power.
    pub(crate) async fn without_power(model: &str, firmware: &str, configuration: &str) -> Self {
        let server = server_with(configuration).await;
        let setup = support::setup(model, &server);
        Self::of(server, PhoneSetup { firmware: Some(firmware.to_owned()), ..setup }).await
    }

    /// The phone of this setup, without power.
    pub(crate) async fn of(server: BootServer, setup: PhoneSetup) -> Self {
        let flash = setup.flash.clone();
        let here = SocketAddr::from(([127, 0, 0, 1], 0));
        let web = WebSetup { http: Some(here), ..WebSetup::of(&setup, here) };
        let handset = Handset::new(setup, PACE).unwrap();
        let web = WebServer::start(handset.clone(), web).await.unwrap();
        Self { handset, server, web, flash }
    }

    /// Waits until the phone is ready.
    pub(crate) async fn ready(&self) {
        self.until("is ready", |lab| {
            let handset = lab.handset.clone();
            async move { handset.view().await.stage == Stage::Idle }
        })
        .await;
    }

    /// Waits until the phone has started so often and is ready.
    pub(crate) async fn started(&self, boots: u64) {
        self.until("starts again", |lab| {
            let boot_count = lab.memory().boot_count;
            async move { boot_count >= boots }
        })
        .await;
        self.ready().await;
    }

    /// Waits until something is so.
    pub(crate) async fn until<F>(&self, what: &str, mut is: impl FnMut(&Self) -> F)
    where
        F: Future<Output = bool>,
    {
        let wait = async {
            while !is(self).await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("the phone never {what}"));
    }

    /// What is in its flash.
    pub(crate) fn memory(&self) -> Memory {
        self.flash.load().unwrap().unwrap_or_default()
    }

    /// Somebody who has not shown anything yet, over TLS.
    pub(crate) fn stranger(&self) -> Tool {
        Tool::at(format!("https://{}", self.web.https()))
    }

    /// The same without TLS.
    pub(crate) fn plain(&self) -> Tool {
        Tool::at(format!("http://{}", self.web.http().unwrap()))
    }

    /// A tool for current firmware, logged in as the administrator.
    pub(crate) async fn administrator(&self, password: &str) -> Tool {
        let tool = self.stranger().with_token().await;
        let reply = tool.user("Polycom", password).post("/form-submit/auth.htm", "").await;
        tool.cookie(&reply.cookie("session").unwrap_or_else(|| panic!("no session: {reply:?}")))
    }
}
