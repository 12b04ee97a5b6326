//! Devices: the report, adding a model, one device and what becomes of it, paper. As each role, and from another account.

mod adding;
mod life;
mod paper;
mod report;
mod roles;

use super::{Answer, Desk, MAC, VVX_450, pass};
use axum::http::StatusCode;
use provost_app::{Actor, CodeView, DeviceView, Page, TokenInput, UserView};
use provost_core::entry::{DeviceInput, UserInput};

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";
const OTHER_MAC: &str = "0004f2a1b2c4";
const DAY_MS: i64 = 86_400_000;

/// The page a form leads to.
async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

impl Desk {
    /// Another browser at the same server, signed in with a token.
    async fn beside(&self, role: &str, account: Option<&str>) -> Self {
        let input = TokenInput { role: role.to_owned(), account: account.map(str::to_owned), ..TokenInput::default() };
        let token = self.app.add_token(input, &Actor::control_socket()).await.unwrap().token;
        let mut browser = self.elsewhere();
        browser.cookie = browser.try_token(token.reveal()).await.cookie();
        browser
    }

    /// Signs in once more, since a session does not last as long as a test says.
    async fn sign_in_again(&mut self) {
        let token = self.token.clone();
        self.cookie = self.try_token(&token).await.cookie();
    }

    /// A device whose phone is bound.
    async fn bound_device(&self) -> DeviceView {
        let device = self.device(&self.user("Ada Lovelace").await, Some(MAC)).await;
        self.phone_asks(VVX_450).await;
        // What the phone did is written by then.
        self.app.devices(Page::FIRST, &Actor::control_socket()).await.unwrap();
        let device = self.device_now(&device.id).await;
        assert!(device.bound_at.is_some());
        device
    }

    async fn device_now(&self, id: &str) -> DeviceView {
        self.app.device(&id.parse().unwrap(), &Actor::control_socket()).await.unwrap()
    }

    async fn code(&self, id: &str) -> CodeView {
        self.app.issue_code(&id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
        self.device_now(id).await.activation_code.unwrap()
    }

    async fn stock(&self, account: &str) -> DeviceView {
        let input = DeviceInput { account: account.to_owned(), model: "vvx450".to_owned(), user: None, mac: None };
        self.app.add_device(input, &Actor::control_socket()).await.unwrap()
    }

    /// A colleague at the same site.
    async fn colleague(&self, of: &UserView, name: &str, extension: &str) -> UserView {
        let input = UserInput {
            site: of.site.clone(),
            name: name.to_owned(),
            extension: extension.to_owned(),
            email: None,
            language: None,
            lines: Vec::new(),
        };
        self.app.add_user(input, &Actor::control_socket()).await.unwrap()
    }
}
