use crate::phone::{Lab, OWN_PASSWORD};
use crate::tool::Tool;

const SESSIONS: &str = "5.9.7.4477";
const COOKIES: &str = "5.7.0.11768";
const STRICT: &str = "5.9.8.5760";

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_for_current_firmware_logs_in_with_token_and_session() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;

    let home = lab.administrator("456").await.get("/home.htm").await;

    assert_eq!(home.status, 200);
    for text in [
        "<td id=\"phoneModelInformationTd\">VVX 500</td>",
        "<td id=\"UCS_software_version\">5.9.7.4477</td>",
        "<td>00:04:f2:00:00:04</td>",
        "<td>3111-44500-001 Rev:A</td>",
    ] {
        assert!(home.body.contains(text), "{text} is not in {}", home.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_an_invalid_login_and_no_session() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let tool = lab.stranger().with_token().await;

    let reply = tool.user("Polycom", "789").post("/form-submit/auth.htm", "").await;

    assert!(reply.body.contains("INVALID_LOGIN"), "{reply:?}");
    assert_eq!(reply.header("set-cookie"), None);
    assert_eq!(lab.stranger().get("/home.htm").await.header("location"), Some("/index.htm"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_wrong_passwords_the_right_one_is_refused_too() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let tool = lab.stranger().with_token().await;

    for _ in 0..5 {
        tool.user("Polycom", "1").post("/form-submit/auth.htm", "").await;
    }

    let reply = tool.user("Polycom", "456").post("/form-submit/auth.htm", "").await;
    assert!(reply.body.contains("INVALID_LOGIN") && reply.body.contains("Wait a minute"), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_without_token_or_from_another_page_is_refused() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let stranger = lab.stranger();
    let login = stranger.with_token().await.user("Polycom", "456").post("/form-submit/auth.htm", "").await;
    let session = login.cookie("session").unwrap();
    let token = stranger.get("/index.htm").await.between("csrf-token\" content=\"", "\"").unwrap();
    let logged_in = stranger.cookie(&session);
    let carrying = logged_in.header(&format!("anti-csrf-token: {token}"));

    let cases: [(&str, Tool); 4] = [
        ("nothing", logged_in.clone()),
        ("no token", logged_in.referer()),
        ("no page", carrying.clone()),
        ("another page", carrying.with("-e", "https://evil.example/index.htm")),
    ];
    for (missing, tool) in cases {
        assert_eq!(tool.post("/form-submit/Reboot", "").await.status, 403, "{missing}");
    }

    assert_eq!(stranger.user("Polycom", "456").post("/form-submit/auth.htm", "").await.status, 403);
    assert_eq!(carrying.referer().post("/form-submit", "1=2").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_firmware_takes_the_credentials_as_cookie_or_header() {
    let lab = Lab::with("spip550", "4.0.15.1047", "").await;
    let right = "Authorization=Basic UG9seWNvbTo0NTY=";

    for tool in [lab.plain().cookie(right), lab.plain().user("Polycom", "456"), lab.stranger().cookie(right)] {
        let home = tool.get("/home.htm").await;
        assert!(home.body.contains("<td id=\"UCS_software_version\">4.0.15.1047</td>"), "{home:?}");
    }
    assert_eq!(lab.plain().user("Polycom", "457").get("/home.htm").await.status, 401);
    let wrong = lab.plain().cookie("Authorization=Basic UG9seWNvbTo0NTc=").get("/home.htm").await;
    assert_eq!(
        (wrong.header("location"), wrong.cookie("Authorization")),
        (Some("/index.htm"), Some("Authorization=".to_owned()))
    );
    assert_eq!(lab.plain().cookie(right).post("/form-submit", "1=2").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_password_must_be_changed_first_and_cannot_be_used_again() {
    let lab = Lab::with("vvx500", STRICT, "").await;
    let tool = lab.administrator("456").await;
    let change = |old: &str, new: &str| format!("oldadminpswd={old}&newadminpswd={new}&cnfmadminpswd={new}");
    let path = "/form-submit/Settings/ChangePassword";

    assert_eq!(tool.get("/home.htm").await.header("location"), Some("/changePassword.htm"));
    assert_eq!(tool.post("/form-submit/Reboot", "").await.status, 403);
    assert_eq!(tool.post(path, &change("456", "456")).await.status, 400);
    assert_eq!(tool.post(path, &change("1", "4711")).await.status, 409);
    let changed = tool.post(path, &change("456", "4711")).await;

    assert!(changed.body.contains("CONF_CHANGE"), "{changed:?}");
    lab.ready().await;
    assert_eq!(lab.administrator("4711").await.get("/home.htm").await.status, 200);
    let old = lab.stranger().with_token().await.user("Polycom", "456").post("/form-submit/auth.htm", "").await;
    assert!(old.body.contains("INVALID_LOGIN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn firmware_that_wants_tls_leads_there() {
    let strict = Lab::with("vvx500", STRICT, "").await;
    let told = Lab::with("vvx500", COOKIES, r#"<a httpd.cfg.secureTunnelRequired="1"/>"#).await;
    let free = Lab::with("vvx500", STRICT, r#"<a httpd.cfg.secureTunnelRequired="0"/>"#).await;

    for lab in [&strict, &told] {
        let reply = lab.plain().get("/index.htm").await;
        let https = format!("https://{}/index.htm", lab.web.https());
        assert_eq!((reply.status, reply.header("location")), (301, Some(https.as_str())));
    }
    assert_eq!(free.plain().get("/index.htm").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_factory_certificate_is_what_the_phone_shows() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;

    let shown = lab.stranger().with("-w", "%{certs}").get("/index.htm").await;

    assert!(shown.body.contains("0004F2000004") && shown.body.contains("Polycom Inc."), "{}", shown.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_switches_pages_and_server_off() {
    let pages = Lab::with("vvx500", SESSIONS, r#"<a httpd.cfg.enabled="0"/>"#).await;
    let server = Lab::with("vvx500", SESSIONS, r#"<a httpd.enabled="0"/>"#).await;
    let tls = Lab::with("vvx500", SESSIONS, r#"<a httpd.cfg.secureTunnelEnabled="0"/>"#).await;

    assert_eq!(pages.stranger().get("/index.htm").await.status, 404);
    assert_eq!(server.stranger().get("/index.htm").await.status, 0);
    assert_eq!(tls.stranger().get("/index.htm").await.status, 0);
    assert_eq!(tls.plain().get("/index.htm").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_power_answers_nobody() {
    let lab = Lab::without_power("vvx500", SESSIONS, "").await;

    assert_eq!(lab.stranger().get("/index.htm").await.status, 0);
    lab.handset.plug_in().await;
    lab.ready().await;
    assert_eq!(lab.stranger().get("/index.htm").await.status, 200);
    lab.handset.unplug().await;

    assert_eq!(lab.stranger().get("/index.htm").await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_does_not_outlive_a_restart() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let tool = lab.administrator("456").await;

    lab.handset.unplug().await;
    lab.handset.plug_in().await;
    lab.ready().await;

    assert_eq!(tool.get("/home.htm").await.header("location"), Some("/index.htm"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_without_script_logs_in_by_the_form_and_out_again() {
    let lab = Lab::with("vvx500", SESSIONS, OWN_PASSWORD).await;
    let stranger = lab.stranger();
    let page = stranger.get("/index.htm").await;
    let token = page.between("name=\"anti-csrf-token\" value=\"", "\"").unwrap();
    let form = |password: &str| format!("anti-csrf-token={token}&user=Admin&password={password}");

    let wrong = stranger.referer().post("/form-submit/auth.htm", &form("456")).await;
    let right = stranger.referer().post("/form-submit/auth.htm", &form("789")).await;

    assert!(wrong.body.contains("The password is not right."), "{wrong:?}");
    assert_eq!((right.status, right.header("location")), (303, Some("/home.htm")));
    let browser = stranger.cookie(&right.cookie("session").unwrap()).referer();
    assert_eq!(browser.get("/home.htm").await.status, 200);
    let gone = browser.post("/form-submit/logout.htm", &format!("anti-csrf-token={token}")).await;
    assert_eq!(gone.header("location"), Some("/index.htm"));
    assert_eq!(browser.get("/home.htm").await.header("location"), Some("/index.htm"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_has_no_password_yet_lets_nobody_in() {
    let lab = Lab::without_power("edgee350", "8.3.1.0614", "").await;
    lab.handset.plug_in().await;
    lab.until("serves", |lab| {
        let tool = lab.stranger();
        async move { tool.get("/index.htm").await.status == 200 }
    })
    .await;
    let tool = lab.stranger().with_token().await;

    for password in ["456", "", "0004f2000004"] {
        let reply = tool.user("Polycom", password).post("/form-submit/auth.htm", "").await;
        assert!(reply.body.contains("INVALID_LOGIN") && reply.header("set-cookie").is_none(), "{reply:?}");
    }
}
