//! A browser without script, an administrator at it, and phones that ask beside it.

mod account;
mod alarms;
mod connectors;
mod devices;
mod firmware;
mod firmware_images;
mod firmware_reach;
mod forgotten;
mod forms;
mod help;
mod home;
mod import;
mod layers;
mod live;
mod mail;
mod pages;
mod people;
mod phone;
mod phone_files;
mod settings;
mod sign_in;
mod sites;
mod strangers;
mod users;

use super::{Reach, router};
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use provost_app::Store;
use provost_app::{App, DeviceView, Parts, PhoneAnswer, PhoneMethod, PhoneRequest, TokenInput, Told, UserView, Vault};
use provost_catalog::Catalog;
use provost_core::entry::administrator::AdministratorInput;
use provost_core::entry::{AccountInput, DeviceInput, LineInput, SipServerInput, SiteInput, UserInput};
use provost_core::identity::{CertificateStatus, Peer, Transport, Verdict};
use provost_core::mac::MacAddr;
use provost_core::public_url::PublicUrl;
use provost_core::time::UnixMillis;
use std::cell::Cell;
use std::sync::Arc;
use tempfile::TempDir;
use tower::ServiceExt;

/// What administrators of these tests chose.
const PASSWORD: &str = "correct horse battery";
const MAC: &str = "0004f2a1b2c3";
const VVX_450: &str = "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application";

thread_local! {
    /// Each test has its thread, and so its own time.
    static NOW: Cell<UnixMillis> = const { Cell::new(UnixMillis(1_790_000_000_000)) };
}

fn pass(millis: i64) {
    NOW.set(NOW.get().plus_millis(millis));
}

/// An answer as a browser sees it.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// The session cookie it sets, as the browser sends it back.
    fn cookie(&self) -> Option<String> {
        let set = self.headers.get(SET_COOKIE)?.to_str().unwrap();
        Some(set.split(';').next().unwrap().to_owned())
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        assert!(self.text.contains(text), "{text:?} is missing from this answer ({})", self.status);
    }

    #[track_caller]
    fn hides(&self, text: &str) {
        assert!(!self.text.contains(text), "{text:?} stands in this answer ({})", self.status);
    }
}

/// A server with its console, and one browser.
struct Desk {
    app: Arc<App>,
    console: Router,
    token: String,
    cookie: Option<String>,
    folder: Arc<TempDir>,
}

impl Desk {
    async fn new() -> Self {
        Self::reached(Reach::Plain).await
    }

    async fn reached(reach: Reach) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let parts = Parts {
            store: Store::open(&folder.path().join("provost.db")).await.unwrap(),
            catalog: Arc::new(Catalog::built_in().unwrap()),
            vault: Vault::new(&[7; 32]).unwrap(),
            told: Told {
                public_url: PublicUrl::new("phones.example.com", 443).unwrap(),
                former: None,
                plain_http: provost_app::PlainHttp::On { url: None },
                time_server: None,
                sip: None,
                server_root: None,
                command: "provost --data /srv/provost".to_owned(),
                console: None,
            },
            clock: || NOW.get(),
            firmware_store: folder.path().join("firmware"),
        };
        let app = App::start(parts).await.unwrap();
        let token = app.first_owner_token().await.unwrap().unwrap().reveal().to_owned();
        Self { console: router(Arc::clone(&app), reach), app, token, cookie: None, folder: Arc::new(folder) }
    }

    /// A desk with somebody at it.
    async fn signed_in() -> Self {
        let mut desk = Self::new().await;
        let token = desk.token.clone();
        let answer = desk.try_token(&token).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"));
        desk.cookie = answer.cookie();
        desk
    }

    async fn try_token(&self, token: &str) -> Answer {
        self.send("POST", "/sign-in", &[("token", token)]).await
    }

    async fn try_password(&self, email: &str, password: &str) -> Answer {
        self.send("POST", "/sign-in", &[("email", email), ("password", password)]).await
    }

    /// An administrator of the whole server with this role and [`PASSWORD`]; nobody is signed in by it.
    async fn person(&self, email: &str, role: &str) -> String {
        let input = AdministratorInput {
            email: email.to_owned(),
            name: format!("Name of {email}"),
            role: role.to_owned(),
            ..AdministratorInput::default()
        };
        let owner = provost_app::Actor::control_socket();
        let made = self.app.add_administrator(input, &owner).await.unwrap();
        let mut browser = self.elsewhere();
        let answer = browser.try_password(email, made.password.reveal()).await;
        browser.cookie = answer.cookie();
        let csrf = browser.csrf_of("/new-password").await;
        let fields = [("email", email), ("name", "A Person"), ("password", PASSWORD), ("again", PASSWORD)];
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        assert_eq!(browser.send("POST", "/new-password", &fields).await.location(), "/");
        made.view.id
    }

    /// A browser of somebody with this role: of the whole server, or of one account.
    async fn role(&self, role: &str, account: Option<&str>) -> Self {
        let input = TokenInput {
            role: role.to_owned(),
            name: None,
            account: account.map(str::to_owned),
            site: None,
            expires_in_days: None,
        };
        let made = self.app.add_token(input, &provost_app::Actor::control_socket()).await.unwrap();
        let mut browser = self.elsewhere();
        browser.cookie = browser.try_token(made.token.reveal()).await.cookie();
        browser
    }

    /// An account that has nothing to do with the others.
    async fn stranger_account(&self) -> String {
        let input = AccountInput { name: "Somebody else".to_owned(), parent: None };
        self.app.add_account(input, &provost_app::Actor::control_socket()).await.unwrap().id
    }

    /// Another browser at the same server.
    fn elsewhere(&self) -> Self {
        Self {
            app: Arc::clone(&self.app),
            console: self.console.clone(),
            token: self.token.clone(),
            cookie: None,
            folder: Arc::clone(&self.folder),
        }
    }

    /// Signs this browser in.
    async fn enter(&mut self, email: &str, password: &str) {
        let answer = self.try_password(email, password).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"), "{}", answer.text);
        self.cookie = answer.cookie();
    }

    async fn send(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let encoded =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let form: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(form.join("&"))).unwrap()).await
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.console.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    /// Posts a form of a page that is open now.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf().await;
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.send("POST", path, &fields).await
    }

    async fn csrf(&self) -> String {
        self.csrf_of("/").await
    }

    async fn csrf_of(&self, path: &str) -> String {
        let page = self.get(path).await.text;
        let rest = page.split_once(r#"name="csrf" value=""#).unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    }

    async fn user(&self, name: &str) -> UserView {
        let account = self
            .app
            .add_account(
                AccountInput { name: "Example Company".to_owned(), parent: None },
                &provost_app::Actor::control_socket(),
            )
            .await
            .unwrap();
        let site = SiteInput {
            account: account.id,
            name: "Head office".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            country: None,
            language: None,
            sip_servers: vec![SipServerInput { host: "pbx.example.com".to_owned(), port: None, transport: None }],
            vlan: None,
            voicemail: None,
            emergency_address: None,
        };
        let site = self.app.add_site(site, &provost_app::Actor::control_socket()).await.unwrap();
        let line = LineInput { user: "201".to_owned(), password: Some("a-sip-password".to_owned()), auth_user: None };
        let user = UserInput {
            site: site.id,
            name: name.to_owned(),
            extension: "201".to_owned(),
            email: None,
            language: None,
            lines: vec![line],
        };
        self.app.add_user(user, &provost_app::Actor::control_socket()).await.unwrap()
    }

    async fn device(&self, user: &UserView, mac: Option<&str>) -> DeviceView {
        let input = DeviceInput {
            account: user.account.clone(),
            model: "vvx450".to_owned(),
            user: Some(user.id.clone()),
            mac: mac.map(str::to_owned),
        };
        self.app.add_device(input, &provost_app::Actor::control_socket()).await.unwrap()
    }

    /// A phone with its factory certificate asks for its master file.
    async fn phone_asks(&self, user_agent: &str) -> PhoneAnswer {
        let verdict = Verdict {
            status: CertificateStatus::FactoryInstalled,
            mac: Some(MAC.parse::<MacAddr>().unwrap()),
            ..Verdict::none_presented()
        };
        self.ask_as_phone(verdict, &format!("/{MAC}.cfg"), user_agent).await
    }

    /// A VVX 450 asks under another name of the server.
    async fn ask_at(&self, verdict: Verdict, path: &str, host: &str) -> PhoneAnswer {
        let peer = Peer { address: [192, 0, 2, 7].into(), transport: Transport::Tls, verdict: Arc::new(verdict) };
        let (method, user_agent) = (PhoneMethod::Get, Some(VVX_450));
        self.app.phone_request(PhoneRequest { peer: &peer, method, path, user_agent, host: Some(host) }).await
    }

    async fn ask_as_phone(&self, verdict: Verdict, path: &str, user_agent: &str) -> PhoneAnswer {
        let peer = Peer { address: [192, 0, 2, 7].into(), transport: Transport::Tls, verdict: Arc::new(verdict) };
        let request = PhoneRequest {
            peer: &peer,
            method: PhoneMethod::Get,
            path,
            user_agent: Some(user_agent),
            host: Some("phones.example.com"),
        };
        self.app.phone_request(request).await
    }
}
