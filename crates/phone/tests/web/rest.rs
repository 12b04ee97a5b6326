use serde_json::json;

use crate::phone::{Lab, OWN_PASSWORD};
use crate::tool::Tool;

const SESSIONS: &str = "5.9.7.4477";
const ON: &str =
    r#"<a apps.restapi.enabled="1" reg.1.label="Desk" reg.1.address="100@pbx.example" reg.1.auth.password="secret"/>"#;

/// A phone with REST and a password of its own.
async fn lab() -> Lab {
    Lab::with("vvx500", SESSIONS, &format!("{OWN_PASSWORD}{ON}")).await
}

fn tool(lab: &Lab) -> Tool {
    lab.stranger().user("Polycom", "789")
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_is_off_until_it_is_switched_on_and_the_firmware_knows_it() {
    let off = Lab::with("vvx500", SESSIONS, OWN_PASSWORD).await;
    let old = Lab::with("vvx500", "5.3.0.12768", &format!("{OWN_PASSWORD}{ON}")).await;

    for lab in [&off, &old] {
        assert_eq!(tool(lab).get("/api/v1/mgmt/device/info").await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_password_is_not_allowed() {
    let lab = Lab::with("vvx500", SESSIONS, ON).await;

    let reply = lab.stranger().user("Polycom", "456").get("/api/v1/mgmt/device/info").await;

    assert_eq!(reply.json(), json!({ "Status": "4010" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_and_digest_prove_the_password_and_nothing_else_does() {
    let lab = lab().await;
    let path = "/api/v2/mgmt/device/info";

    for scheme in ["--basic", "--digest", "--anyauth"] {
        let reply = tool(&lab).with(scheme, "--compressed").get(path).await;
        assert_eq!(reply.json()["Status"], "2000", "{scheme}");
    }

    assert_eq!(lab.stranger().get(path).await.status, 401);
    for (name, password) in [("Polycom", "456"), ("User", "123"), ("Admin", "789")] {
        for scheme in ["--basic", "--digest"] {
            if scheme == "--digest" && name == "Polycom" {
                continue;
            }
            let reply = lab.stranger().user(name, password).with(scheme, "--compressed").get(path).await;
            assert!(matches!(reply.status, 401 | 403), "{name} {scheme}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_tells_of_itself_in_the_recorded_shape() {
    let lab = lab().await;

    let reply = tool(&lab).get("/api/v2/mgmt/device/info").await.json();

    let data = &reply["data"];
    assert_eq!(data["ModelNumber"], "VVX 500");
    assert_eq!(data["MACAddress"], "0004f2000004");
    assert_eq!(data["Firmware"]["Application"], SESSIONS);
    assert_eq!(data["Firmware"]["Updater"], "5.9.7.47435");
    assert_eq!(data["IPAddress"], "127.0.0.1");
    for member in ["Days", "Hours", "Minutes", "Seconds"] {
        assert!(data["UpTime"][member].as_str().unwrap().parse::<u64>().is_ok(), "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_firmware_tells_its_version_in_the_older_words() {
    let lab = Lab::with("vvx500", "5.5.2.8571", &format!("{OWN_PASSWORD}{ON}")).await;

    let reply = tool(&lab).get("/api/v1/mgmt/device/info").await.json();

    assert_eq!(reply["data"]["FirmwareRelease"], "5.5.2.8571");
    assert!(reply["data"]["UpTimeSinceLastReboot"].as_str().unwrap().contains("Day"), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_told_as_they_are_configured() {
    let lab = lab().await;

    let reply = tool(&lab).get("/api/v1/mgmt/lineInfo").await.json();

    let line = &reply["data"][0];
    assert_eq!((&line["Label"], &line["SIPAddress"]), (&json!("Desk"), &json!("100@pbx.example")));
    assert_eq!(line["RegistrationStatus"], "unregistered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_facts_of_its_own_tells_its_lines_too() {
    let lab = Lab::with("edgee350", "8.3.1.0614", &format!("{OWN_PASSWORD}{ON}")).await;

    let reply = tool(&lab).get("/api/v2/mgmt/lineInfo").await.json();
    let info = tool(&lab).get("/api/v2/mgmt/device/info").await.json();

    assert_eq!(reply["data"][0]["Username"], "100@pbx.example");
    assert_eq!(info["data"]["Firmware"]["Application"], "8.3.1.0614");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_with_the_recorded_code() {
    let lab = lab().await;
    let tool = tool(&lab);
    let many: String = (0..21).map(|at| format!("\"x.{at}\":\"1\",")).collect();
    let many_set = format!("{{\"data\":{{{}}}}}", many.trim_end_matches(','));
    let names: Vec<String> = (0..21).map(|at| format!("x.{at}")).collect();
    let many_get = json!({ "data": names }).to_string();
    let cases = [
        ("/api/v1/mgmt/config/set", "{", "4000"),
        ("/api/v1/mgmt/config/set", "", "4000"),
        ("/api/v1/mgmt/config/set", r#"{"data":{}}"#, "4000"),
        ("/api/v1/mgmt/config/set", r#"{"data":{"a b":"1"}}"#, "4000"),
        ("/api/v1/mgmt/config/set", r#"{"data":{"a":["1"]}}"#, "4000"),
        ("/api/v1/mgmt/config/set", r#"{"data":{"a":"1\n2"}}"#, "4000"),
        ("/api/v1/mgmt/config/set", &many_set, "4009"),
        ("/api/v1/mgmt/config/get", &many_get, "4009"),
        ("/api/v1/mgmt/config/get", r#"{"data":"a"}"#, "4000"),
        ("/api/v1/mgmt/simulateKeyEvent", r#"{"data":{"Type":"Tap","KeyName":"Nothing"}}"#, "4000"),
        ("/api/v1/mgmt/simulateKeyEvent", r#"{"data":{"Type":"LongPress","KeyName":"Home"}}"#, "4004"),
        ("/api/v1/mgmt/skype/signIn", "{}", "4004"),
        ("/api/v1/callctrl/mute", r#"{"data":{"state":"1"}}"#, "4004"),
        ("/api/v1/callctrl/answerCall", "{}", "4007"),
        ("/api/v1/callctrl/holdCall", r#"{"data":{"Ref":"0x00000001"}}"#, "4007"),
        ("/api/v1/mgmt/pollForStatus", "", "4006"),
        ("/api/v1/callctrl/dial", r#"{"data":{"Line":"1"}}"#, "4000"),
        ("/api/v1/callctrl/dial", r#"{"data":{"Dest":"100","Line":"7","Type":"TEL"}}"#, "4005"),
        ("/api/v1/callctrl/dial", r#"{"data":{"Dest":"100","Line":"1","Type":"TEL"}}"#, "4002"),
        ("/api/v1/mgmt/simulateTextInput", r#"{"data":{"Value":"1","ReplaceText":"true"}}"#, "4000"),
        ("/api/v1/callctrl/endCall", r#"{"data":{"Ref":"0x00000001"}}"#, "4007"),
        ("/api/v1/callctrl/sendDTMF", r#"{"data":{"Digits":"1"}}"#, "4007"),
    ];
    for (path, body, status) in cases {
        assert_eq!(tool.json(path, body).await.json(), json!({ "Status": status }), "{path} {body}");
    }
    assert_eq!(tool.get("/api/v1/webCallControl/callStatus").await.json(), json!({ "Status": "4007" }));
    assert_eq!(tool.get("/api/v1/mgmt/getPresence").await.json(), json!({ "Status": "4004" }));
    assert_eq!(tool.get("/api/v2/webCallControl/callStatus").await.json(), json!({ "Status": "2000", "data": [] }));
    assert_eq!(tool.get("/api/v1/mgmt/nothing").await.status, 404);
    assert_eq!(tool.put("/api/v1/mgmt/config/set", "{}").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_password_is_not_set_again_where_it_must_be_changed() {
    let lab = Lab::with("vvx500", "5.9.8.5760", &format!("{OWN_PASSWORD}{ON}")).await;
    let set = r#"{"data":{"device.auth.localAdminPassword":"456"}}"#;

    let reply = tool(&lab).json("/api/v1/mgmt/config/set", set).await;

    assert_eq!(reply.json(), json!({ "Status": "4003" }));
    assert_eq!(lab.memory().device["device.auth.localAdminPassword"], "789");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_of_somebody_else_can_make_a_browser_send_is_refused() {
    let lab = lab().await;
    let tool = tool(&lab);
    let boots = lab.memory().boot_count;
    let set = r#"{"data":{"reg.1.label":"New"}}"#;

    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let form = tool.header(&format!("Content-Type: {kind}"));
        assert_eq!(form.post("/api/v1/mgmt/config/set", set).await.status, 415, "{kind}");
    }
    for header in ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
        assert_eq!(tool.header(header).post("/api/v1/mgmt/factoryReset", "").await.status, 415, "{header}");
    }

    assert!(lab.memory().web_overrides.is_empty());
    assert_eq!(lab.memory().boot_count, boots);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_set_and_told_with_where_they_come_from() {
    let lab = lab().await;
    let tool = tool(&lab);
    let ask = r#"{"data":["reg.1.label","reg.1.address","reg.1.auth.password","device.auth.localAdminPassword","up.timeout"]}"#;

    let set = tool.json("/api/v1/mgmt/config/set", r#"{"data":{"reg.1.label":"New","up.timeout":30}}"#).await;

    assert_eq!(set.json(), json!({ "Status": "2000" }));
    let told = tool.json("/api/v1/mgmt/config/get", ask).await.json();
    assert_eq!(
        told["data"],
        json!({
            "reg.1.label": { "Value": "New", "Source": "web" },
            "reg.1.address": { "Value": "100@pbx.example", "Source": "config" },
            "reg.1.auth.password": { "Value": "", "Source": "config" },
            "device.auth.localAdminPassword": { "Value": "", "Source": "device" },
            "up.timeout": { "Value": "30", "Source": "web" },
        })
    );
    let running = tool.get("/api/v1/mgmt/device/runningConfig").await;
    assert!(!running.body.contains("secret") && !running.body.contains("789"), "{running:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn resets_and_restarts_are_obeyed() {
    let lab = lab().await;
    tool(&lab).json("/api/v1/mgmt/config/set", r#"{"data":{"reg.1.label":"New"}}"#).await;
    let boots = lab.memory().boot_count;

    for (path, more) in [("configReset/web", 1), ("safeRestart", 2), ("safeReboot", 3)] {
        let reply = tool(&lab).post(&format!("/api/v1/mgmt/{path}"), "").await;
        assert_eq!(reply.json(), json!({ "Status": "2000" }), "{path}");
        lab.started(boots + more).await;
    }

    assert!(lab.memory().web_overrides.is_empty());
    tool(&lab).post("/api/v1/mgmt/factoryReset", "").await;
    lab.started(boots + 4).await;
    // The configuration of its server comes back at once.
    assert_eq!(lab.memory().device["device.auth.localAdminPassword"], "789");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_text_do_what_a_person_at_the_phone_does() {
    let lab = lab().await;
    let tool = tool(&lab);
    let done = json!({ "Status": "2000" });
    let press = |key: &str| json!({ "data": { "Type": "Tap", "KeyName": key } }).to_string();
    let before = lab.handset.view().await.face;

    assert_eq!(tool.json("/api/v1/mgmt/simulateKeyEvent", &press("Home")).await.json(), done);
    assert_ne!(lab.handset.view().await.face.title, before.title);
    for key in ["Home", "DialPad2"] {
        assert_eq!(tool.json("/api/v1/mgmt/simulateKeyEvent", &press(key)).await.json(), done, "{key}");
    }
    let text = r#"{"data":{"Value":"3002","ReplaceText":"true"}}"#;
    assert_eq!(tool.json("/api/v1/mgmt/simulateTextInput", text).await.json(), done);

    let face = lab.handset.view().await.face;
    assert!(face.entry.is_some_and(|entry| entry.text.contains("3002")), "what is typed is not shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_is_read_again_when_a_tool_says_so() {
    let lab = lab().await;
    lab.server.forget();

    let reply = tool(&lab).post("/api/v1/mgmt/updateConfiguration", "").await;

    assert_eq!(reply.json(), json!({ "Status": "2000" }));
    lab.until("asks again", |lab| {
        let asked = lab.server.lines().iter().any(|line| line.ends_with("/all.cfg 200"));
        async move { asked }
    })
    .await;
}
