//! The people and things of the walk, entered through the API as an administrator would.

use crate::client::Client;
use crate::failure::Failure;
use provost_core::code::ActivationCode;
use provost_core::mac::MacAddr;
use serde_json::{Value, json};

/// Who the phone is for.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) extension: String,
    device: String,
}

impl Scene {
    /// Enters account and site at the first walk on this data, and a user with a device at every one.
    pub(super) async fn set(client: &Client, mac: MacAddr) -> Result<Self, Failure> {
        let site = match first_id(&client.call("GET", "/sites", None).await?) {
            Some(site) => site,
            None => {
                let account = id(&client.call("POST", "/accounts", Some(&json!({ "name": "Lab" }))).await?)?;
                let site = json!({
                    "account": account, "name": "Lab", "time-zone": "America/New_York",
                    "sip-servers": [{ "host": "pbx.example.net", "transport": "udp" }],
                });
                id(&client.call("POST", "/sites", Some(&site)).await?)?
            }
        };
        let name = "Ada Byron";
        let extension = format!("10{:02}", mac.octets().last().copied().unwrap_or_default());
        let password = format!("{:016x}", rand::random::<u64>());
        let user = json!({
            "site": site, "name": name, "extension": extension, "lines": [{ "user": extension, "password": password }],
        });
        let user = client.call("POST", "/users", Some(&user)).await?;
        let account = field(&user, "account")?;
        let device = json!({ "account": account, "model": super::MODEL, "user": id(&user)? });
        let device = id(&client.call("POST", "/devices", Some(&device)).await?)?;
        Ok(Self { name, extension, device })
    }

    pub(super) async fn issue_code(&self, client: &Client) -> Result<ActivationCode, Failure> {
        let issued = client.call("POST", &format!("/devices/{}/codes", self.device), None).await?;
        ActivationCode::parse(&field(&issued, "code")?).map_err(Failure::runtime)
    }

    /// The device must be activated, by the server's own account.
    pub(super) async fn expect_bound(&self, client: &Client) -> Result<(), Failure> {
        let device = client.call("GET", &format!("/devices/{}", self.device), None).await?;
        let state = field(&device, "state")?;
        if state == "activated" {
            Ok(())
        } else {
            Err(Failure::Runtime(format!("the walk failed: the device is {state}")))
        }
    }
}

/// The sentences of the phone's timeline that tell its story: claim, bootstrap, configuration.
pub(super) async fn timeline(client: &Client, mac: MacAddr) -> Result<Vec<String>, Failure> {
    let page = client.call("GET", &format!("/phones/{mac}/timeline?limit=100"), None).await?;
    let items = page.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let sentences = items.iter().map(|item| Ok((field(item, "kind")?, field(item, "sentence")?)));
    let sentences = sentences.collect::<Result<Vec<_>, Failure>>()?;
    let tells = |(kind, sentence): &(String, String)| kind == "claim" || sentence.contains("-provost.cfg");
    Ok(sentences.into_iter().filter(tells).map(|(_, sentence)| sentence).collect())
}

fn first_id(page: &Value) -> Option<String> {
    page.get("items")?.as_array()?.first()?.get("id")?.as_str().map(ToOwned::to_owned)
}

fn id(value: &Value) -> Result<String, Failure> {
    field(value, "id")
}

fn field(value: &Value, name: &str) -> Result<String, Failure> {
    let text = value.get(name).and_then(Value::as_str);
    text.map(ToOwned::to_owned).ok_or_else(|| Failure::Runtime(format!("the API answered without `{name}`")))
}
