use serde_json::json;
use tokio::net::UdpSocket;

use crate::phone::{Lab, OWN_PASSWORD};
use crate::sip_server::{Asked, PASSWORD, SipServer, USER};
use crate::tool::Tool;

const SESSIONS: &str = "5.9.7.4477";

/// A phone with REST whose line is registered.
async fn online() -> (Lab, SipServer) {
    let mut sip = SipServer::start().await;
    let port = sip.address.port();
    let line = format!(
        r#"<a apps.restapi.enabled="1" reg.1.label="Desk" reg.1.address="{USER}" reg.1.auth.userId="{USER}"
        reg.1.auth.password="{PASSWORD}" reg.1.server.1.address="127.0.0.1" reg.1.server.1.port="{port}"
        reg.1.server.1.transport="UDPOnly" apps.statePolling.responseMode="0" apps.statePolling.username="poll"
        apps.statePolling.password="word"/>"#
    );
    let lab = Lab::without_power("vvx500", SESSIONS, &format!("{OWN_PASSWORD}{line}")).await;
    lab.handset.plug_in().await;
    sip.registers(300).await;
    lab.ready().await;
    (lab, sip)
}

async fn accept(sip: &mut SipServer, invite: &Asked) -> UdpSocket {
    let sound = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let port = sound.local_addr().unwrap().port();
    let body = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 127\r\n\
         a=rtpmap:0 PCMU/8000\r\na=rtpmap:127 telephone-event/8000\r\na=sendrecv\r\n"
    );
    let contact = format!("Contact: <sip:voice@{}>\r\n", sip.address);
    sip.answer(invite, "200 OK", &contact, &body).await;
    sip.expect("ACK").await;
    sound
}

async fn state(tool: &Tool) -> serde_json::Value {
    tool.get("/api/v2/webCallControl/callStatus").await.json()["data"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_dialed_told_keyed_and_ended_over_rest() {
    let (lab, mut sip) = online().await;
    let tool = lab.stranger().user("Polycom", "789");
    let done = json!({ "Status": "2000" });
    let line = tool.get("/api/v1/mgmt/lineInfo").await.json()["data"][0].clone();
    assert_eq!((&line["RegistrationStatus"], &line["UserID"]), (&json!("registered"), &json!(USER)));

    let dial = r#"{"data":{"Dest":"3002","Line":"1","Type":"TEL"}}"#;
    assert_eq!(tool.json("/api/v1/callctrl/dial", dial).await.json(), done);
    let invite = sip.expect("INVITE").await;
    assert!(invite.line().starts_with("INVITE sip:3002@"), "{}", invite.line());
    let sound = accept(&mut sip, &invite).await;
    lab.until("is in a call", |_| async { state(&tool).await["CallState"] == "Connected" }).await;
    assert_eq!(tool.json("/api/v1/callctrl/dial", dial).await.json(), json!({ "Status": "4001" }));

    let call = state(&tool).await;
    assert_eq!((&call["RemotePartyNumber"], &call["LineID"]), (&json!("3002"), &json!("1")));
    let poll = lab.plain().user("poll", "word").with("--digest", "--compressed");
    let polled = poll.get("/polling/callstateHandler").await;
    assert!(
        polled.body.contains("<LineState>Active</LineState><CallInfo><CallState>Connected</CallState>"),
        "{polled:?}"
    );

    assert_eq!(tool.json("/api/v1/callctrl/sendDTMF", r#"{"data":{"Digits":"5"}}"#).await.json(), done);
    assert_eq!(event(&sound).await, 5);
    // Longer than a person keys, and as long as one order may be: hanging up does not wait for it.
    let tones = |count| json!({ "data": { "Digits": "1".repeat(count) } }).to_string();
    assert_eq!(tool.json("/api/v1/callctrl/sendDTMF", &tones(65)).await.json(), json!({ "Status": "4000" }));
    assert_eq!(tool.json("/api/v1/callctrl/sendDTMF", &tones(64)).await.json(), done);
    let other = r#"{"data":{"Ref":"0x000000ff"}}"#;
    assert_eq!(tool.json("/api/v1/callctrl/endCall", other).await.json(), json!({ "Status": "4007" }));
    let handle = json!({ "data": { "Ref": call["CallHandle"] } }).to_string();
    assert_eq!(tool.json("/api/v1/callctrl/endCall", &handle).await.json(), done);
    let bye = tokio::time::timeout(std::time::Duration::from_secs(4), sip.expect("BYE")).await;
    let bye = bye.expect("the call goes on for its tones");
    sip.ok(&bye, "").await;

    lab.until("hangs up", |_| async { state(&tool).await.is_null() }).await;
    let placed = tool.get("/api/v1/mgmt/callLogs/placed").await.json();
    assert_eq!(placed["data"][0]["RemotePartyNumber"], "3002");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_restart_waits_for_the_end_of_the_call() {
    let (lab, mut sip) = online().await;
    let tool = lab.stranger().user("Polycom", "789");
    tool.json("/api/v1/callctrl/dial", r#"{"data":{"Dest":"3002"}}"#).await;
    let invite = sip.expect("INVITE").await;
    let _sound = accept(&mut sip, &invite).await;
    lab.until("is in a call", |_| async { state(&tool).await["CallState"] == "Connected" }).await;
    let boots = lab.memory().boot_count;

    for path in ["safeRestart", "safeReboot", "safeRestart"] {
        assert_eq!(tool.post(&format!("/api/v1/mgmt/{path}"), "").await.json(), json!({ "Status": "2000" }));
    }
    assert_eq!(state(&tool).await["CallState"], "Connected");
    assert_eq!(lab.memory().boot_count, boots);
    tool.post("/api/v1/callctrl/endCall", "").await;

    let bye = sip.expect("BYE").await;
    sip.ok(&bye, "").await;
    lab.until("starts again", |lab| {
        let boot_count = lab.memory().boot_count;
        async move { boot_count > boots }
    })
    .await;
    lab.ready().await;
    assert_eq!(lab.memory().boot_count, boots + 1, "it was told to restart once, however often somebody said so");
}

/// The first telephone event that comes.
async fn event(sound: &UdpSocket) -> u8 {
    let mut packet = [0; 2048];
    loop {
        let wait = tokio::time::timeout(crate::sip_server::LIMIT, sound.recv(&mut packet));
        let received = wait.await.expect("no event came").unwrap();
        if received > 12 && packet[1] & 0x7f == 127 {
            return packet[12];
        }
    }
}
