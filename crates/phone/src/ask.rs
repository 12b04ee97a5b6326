//! Single requests of a pass: sent, recorded, and judged by their status.
//!
//! Decides which answers are content, which are harmless and which mean that the server failed.
//! A server that asks for credentials gets them once; then its answer counts. Source: domain notes 1.5.

use bytes::Bytes;
use http::Method;
use provost_catalog::BootStage;
use url::Url;

use crate::clock::rfc3339;
use crate::credentials::User;
use crate::event::Event;
use crate::exchange::{Answer, Failure, Reading, Request, send};
use crate::image::{Board, Intake, Verdict};
use crate::request::RequestRecord;
use crate::tls::Shows;
use crate::walk::Walk;

/// What asking for one file brought.
pub(crate) enum Fetched {
    Content(Bytes),
    /// No such file, or not for this phone: harmless.
    Missing,
    /// The server failed.
    ServerFault(u16),
    /// This phone cannot take the file at all.
    Refused(String),
}

/// What asking for an image brought.
pub(crate) enum FetchedImage {
    /// It came, as far as the phone read it.
    Read(Verdict),
    /// No such file, or not for this phone.
    Missing,
    /// The server failed, or broke off.
    Fault(String),
}

/// How the phone names itself in a request and what it shows.
struct Sender {
    user_agent: String,
    shows: Shows,
}

/// One request to be made.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) file: &'a str,
    pub(crate) stage: BootStage,
    pub(crate) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(file: &'a str, stage: BootStage) -> Self {
        Self { method: Method::GET, file, stage, body: Bytes::new() }
    }
}

impl Walk<'_> {
    pub(crate) async fn fetch(&mut self, ask: Ask<'_>) -> Result<Fetched, Failure> {
        let elsewhere = ask.file.contains("://");
        let file = ask.file.to_owned();
        let fetched = match self.ask(ask).await {
            Ok(answer) => match answer.status {
                200..300 => Fetched::Content(answer.body),
                500.. => Fetched::ServerFault(answer.status),
                _ => Fetched::Missing,
            },
            Err(failure @ (Failure::TooLarge { .. } | Failure::Address { .. } | Failure::Request(_))) => {
                Fetched::Refused(failure.to_string())
            }
            // Another host's fault says nothing about the boot server.
            Err(failure) if elsewhere => Fetched::Refused(failure.to_string()),
            Err(failure) => return Err(failure),
        };
        if !matches!(fetched, Fetched::Content(_)) {
            self.log(&format!("res|4|00|Failed to download file {file}"));
        }
        Ok(fetched)
    }

    /// Makes a request whose failure matters only when the boot server itself is gone.
    pub(crate) async fn forgiving(&mut self, ask: Ask<'_>) -> Result<Option<Answer>, Failure> {
        let elsewhere = ask.file.contains("://");
        match self.ask(ask).await {
            Ok(answer) => Ok(Some(answer)),
            Err(_) if elsewhere => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Asks for an image and reads it as it comes.
    pub(crate) async fn fetch_image(&mut self, ask: Ask<'_>, board: Board<'_>) -> Result<FetchedImage, Failure> {
        let elsewhere = ask.file.contains("://");
        let file = ask.file.to_owned();
        let sender = self.program(ask.stage);
        let mut intake = Intake::new(&file, board);
        let fetched = match self.exchange(ask, sender, Some(&mut intake)).await {
            Ok(Answer { status: 200..300, broke, .. }) => match (intake.finish(), broke) {
                (Verdict::Refused(_), Some(failure)) => FetchedImage::Fault(failure.to_string()),
                (verdict, _) => FetchedImage::Read(verdict),
            },
            Ok(Answer { status: status @ 500.., .. }) => FetchedImage::Fault(format!("the server answered {status}")),
            Ok(_) => FetchedImage::Missing,
            Err(failure @ (Failure::Address { .. } | Failure::Request(_) | Failure::TooLarge { .. })) => {
                FetchedImage::Fault(failure.to_string())
            }
            // Another host's fault says nothing about the boot server.
            Err(failure) if elsewhere => FetchedImage::Fault(failure.to_string()),
            Err(failure) => return Err(failure),
        };
        if matches!(fetched, FetchedImage::Missing) {
            self.log(&format!("res|4|00|Failed to download file {file}"));
        }
        Ok(fetched)
    }

    pub(crate) async fn ask(&mut self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let sender = self.program(ask.stage);
        self.exchange(ask, sender, None).await
    }

    /// Makes a request as another program than those that boot the phone.
    pub(crate) async fn send(&mut self, ask: Ask<'_>, user_agent: String, shows: Shows) -> Result<Answer, Failure> {
        self.exchange(ask, Sender { user_agent, shows }, None).await
    }

    fn program(&self, stage: BootStage) -> Sender {
        let tag = self.memory.device.get(self.facts.tag_serial());
        let user_agent = self.facts.user_agent(stage, tag.is_some_and(|value| value == "1"));
        Sender { user_agent, shows: Shows::DeviceCertificate }
    }

    /// Makes the request, and once more with credentials where the server asks for them.
    async fn exchange(
        &mut self,
        ask: Ask<'_>,
        sender: Sender,
        mut intake: Option<&mut Intake<'_>>,
    ) -> Result<Answer, Failure> {
        let url = self.server.locate(ask.file).ok_or_else(|| Failure::Address { url: ask.file.to_owned() })?;
        let first = self.once((&ask, &url), &sender, None, intake.as_deref_mut()).await?;
        let Some(challenge) = first.challenge.as_deref() else { return Ok(first) };
        let user = User::of(&url, &self.memory.device, &self.facts.network.rules);
        match user.answer(challenge, &ask.method, &url) {
            Some(proof) => self.once((&ask, &url), &sender, Some(proof), intake).await,
            None => Ok(first),
        }
    }

    async fn once(
        &mut self,
        (ask, url): (&Ask<'_>, &Url),
        sender: &Sender,
        authorization: Option<String>,
        intake: Option<&mut Intake<'_>>,
    ) -> Result<Answer, Failure> {
        let user_agent = sender.user_agent.clone();
        let sent = ask.body.len();
        let at = rfc3339(self.clock.host_millis());
        let method = ask.method.to_string();
        let request = Request {
            method: ask.method.clone(),
            url,
            user_agent: &user_agent,
            body: ask.body.clone(),
            shows: sender.shows,
            authorization,
        };
        let now = self.clock.now_millis().div_euclid(1000);
        let result = match intake {
            None => send(self.tls, &request, Reading::Whole, now).await,
            Some(intake) => {
                let observer = &mut *self.observer;
                let mut sink = |part: &[u8]| intake.take(part, &mut *observer);
                send(self.tls, &request, Reading::Stream(&mut sink), now).await
            }
        };
        let answer = result.as_ref().ok();
        let received = answer.map_or(0, |answer| answer.received);
        let failure = match &result {
            Ok(answer) => answer.broke.as_ref(),
            Err(failure) => Some(failure),
        };
        let record = RequestRecord {
            at,
            path: url.path().to_owned(),
            user_agent,
            status: answer.map(|answer| answer.status),
            bytes: if method == "PUT" { sent } else { received },
            method,
            failure: failure.map(ToString::to_string),
        };
        self.requests.add(record.clone());
        (self.observer)(Event::Request(record));
        result
    }

    pub(crate) fn log(&mut self, line: &str) {
        let line = format!("{} {line}", rfc3339(self.clock.now_millis()));
        self.memory.log(&line);
        (self.observer)(Event::log(&line));
    }
}
