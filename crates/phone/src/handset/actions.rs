//! What a NOTIFY with an action makes the phone do.
//!
//! Decides which of the REST interface's commands the phone obeys when they come over SIP: those it can do truly.
//! Rules: domain notes 1.6 and 7.2. Any other is left alone, as is one whose data say too little.

use crate::handset::order::{Order, ResetScope};
use crate::sip::Action;

/// The order an action is; nothing when this phone does not know it.
pub(crate) fn order_of(action: &Action) -> Option<Order> {
    let text = |name: &str| action.data.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    match action.uri.strip_prefix("/api/v1/")? {
        "callctrl/dial" => Some(Order::Dial { number: text("Dest").filter(|number| !number.is_empty())? }),
        "callctrl/endCall" => Some(Order::EndCall),
        "callctrl/sendDTMF" => Some(Order::SendDtmf(text("Digits")?)),
        "mgmt/safeRestart" | "mgmt/safeReboot" => Some(Order::RestartWhenFree),
        "mgmt/factoryReset" => Some(Order::ResetToFactory),
        "mgmt/updateConfiguration" => Some(Order::UpdateConfiguration),
        "mgmt/configReset/local" => Some(Order::Reset(ResetScope::Local)),
        "mgmt/configReset/web" => Some(Order::Reset(ResetScope::Web)),
        "mgmt/configReset/device" => Some(Order::Reset(ResetScope::Device)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(uri: &str, data: serde_json::Value) -> Option<Order> {
        order_of(&Action { uri: uri.to_owned(), data })
    }

    #[test]
    fn an_action_is_an_order_where_the_phone_can_do_it() {
        let dial = order("/api/v1/callctrl/dial", serde_json::json!({"Dest": "110", "Line": "1", "Type": "TEL"}));

        assert_eq!(dial, Some(Order::Dial { number: "110".to_owned() }));
        assert_eq!(order("/api/v1/mgmt/safeRestart", serde_json::Value::Null), Some(Order::RestartWhenFree));
        for other in ["/api/v1/callctrl/dial", "/api/v1/mgmt/skype/signIn", "callctrl/endCall", ""] {
            assert_eq!(order(other, serde_json::Value::Null), None, "{other}");
        }
    }
}
