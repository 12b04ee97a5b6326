use provost_phone::{DhcpAnswer, Network, PhoneSetup};

use crate::phone::{Lab, OWN_PASSWORD};
use crate::server::BootServer;
use crate::support::{self, MAC, master, server_with};

const SESSIONS: &str = "5.9.7.4477";

#[tokio::test(flavor = "multi_thread")]
async fn another_provisioning_server_is_saved_and_asked() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let other = BootServer::start().await;
    other.file(&format!("/p/{MAC}.cfg"), &master(""));
    let tool = lab.administrator("456").await;
    let page = tool.get("/provConf.htm").await;
    let number = |parameter| page.number(parameter);
    let address = other.url().replace("https://", "") + "/p";
    let form = format!(
        "{}=3&{}={}&{}=2",
        number("device.prov.serverType"),
        number("device.prov.serverName"),
        address.replace(':', "%3A").replace('/', "%2F"),
        number("device.dhcp.bootSrvUseOpt"),
    );

    let saved = tool.post("/form-submit", &form).await;

    assert!(saved.body.contains("CONF_CHANGE"), "{saved:?}");
    lab.started(2).await;
    let device = lab.memory().device;
    assert_eq!(device["device.prov.serverName"], address);
    assert_eq!(device["device.prov.serverType"], "3");
    assert_eq!(device["device.dhcp.bootSrvUseOpt"], "2");
    assert!(other.lines().contains(&format!("GET /p/{MAC}.cfg 200")), "{:?}", other.lines());
    let again = lab.administrator("456").await;
    assert!(again.get("/provConf.htm").await.body.contains(&format!("config=\"{address}\"")));
    let nothing = again.post("/form-submit", &form).await;
    assert!(nothing.body.contains("CONF_NO_CHANGE"), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_boot_server_is_not_shown_while_an_option_decides() {
    let server = server_with("").await;
    let time = support::time_server(support::NOW).await;
    let dhcp = DhcpAnswer::default().with(160, server.url()).with(42, [127, 0, 0, 1]);
    let network = Network { dhcp: Some(dhcp), time_port: Some(time.port()), ..Network::default() };
    let setup = PhoneSetup { network: Some(network), ..support::setup("vvx500", &server) };
    let under_option = Lab::of(server, setup).await;
    under_option.handset.plug_in().await;
    under_option.ready().await;
    let typed = Lab::with("vvx500", SESSIONS, "").await;

    let hidden = under_option.administrator("456").await.get("/provConf.htm").await;
    let shown = typed.administrator("456").await.get("/provConf.htm").await;

    assert!(!hidden.body.contains("device.dhcp.bootSrvUseOpt") && hidden.body.contains("Option 160 of DHCP"));
    assert_eq!(hidden.number("device.prov.serverName"), shown.number("device.prov.serverName"));
    assert!(shown.body.contains("device.dhcp.bootSrvUseOpt") && !shown.body.contains("Option 160"));
    let tool = under_option.administrator("456").await;
    let sent = tool.post("/form-submit", &format!("{}=2", shown.number("device.dhcp.bootSrvUseOpt"))).await;
    assert!(sent.body.contains("CONF_NO_CHANGE"), "a field that is not shown was set: {sent:?}");
    assert!(!under_option.memory().device.contains_key("device.dhcp.bootSrvUseOpt"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_numbered_otherwise_by_other_firmware() {
    let current = Lab::with("vvx500", SESSIONS, "").await;
    let older = Lab::with("vvx500", "5.7.0.11768", "").await;

    let page = current.administrator("456").await.get("/provConf.htm").await;
    let older = older.plain().user("Polycom", "456").get("/provConf.htm").await;

    assert_eq!(page.number("device.prov.serverName"), "444");
    assert_ne!(older.number("device.prov.serverName"), "444");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_field_takes_is_refused_and_changes_nothing() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let tool = lab.administrator("456").await;
    let page = tool.get("/provConf.htm").await;
    let (kind, name) = (page.number("device.prov.serverType"), page.number("device.prov.serverName"));

    for (form, status) in [
        (format!("{kind}=9&{name}=a.example"), 400),
        (format!("{name}={}", "x".repeat(256)), 400),
        (format!("{name}=a%0Ab"), 400),
        ("99999=1".to_owned(), 200),
    ] {
        assert_eq!(tool.post("/form-submit", &form).await.status, status, "{form}");
    }

    assert!(lab.memory().device.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_server_is_set_on_its_page_and_survives() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    lab.server.takes(&format!("/{MAC}-web.cfg"), 201);
    let tool = lab.administrator("456").await;
    let page = tool.get("/dateTimeConf.htm").await;
    assert!(page.body.contains("<summary>SNTP Server</summary>"));

    let form = format!("{}=time.example", page.number("tcpIpApp.sntp.address"));
    let saved = tool.post("/form-submit", &form).await;

    assert!(saved.body.contains("CONF_CHANGE"), "{saved:?}");
    assert_eq!(lab.memory().web_overrides["tcpIpApp.sntp.address"], "time.example");
    let sent = lab.server.seen().into_iter().rfind(|seen| seen.line.starts_with("PUT /")).unwrap();
    assert!(sent.line.contains("-web.cfg") && sent.body.contains("tcpIpApp.sntp.address=\"time.example\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn restore_forgets_everything_but_what_the_factory_put_in() {
    let lab = Lab::with("vvx500", SESSIONS, OWN_PASSWORD).await;
    let tool = lab.administrator("789").await;
    let page = tool.get("/dateTimeConf.htm").await;
    tool.post("/form-submit", &format!("{}=time.example", page.number("tcpIpApp.sntp.address"))).await;
    let boots = lab.memory().boot_count;
    lab.server.remove(&format!("/{MAC}.cfg"));

    let backup = tool.get("/phoneBackup.htm").await;
    assert!(backup.body.contains("<summary>Global Settings</summary>"));
    let reset = tool.post("/form-submit/Utilities/restorePhoneToFactory", "").await;

    assert_eq!(reset.status, 200, "{reset:?}");
    lab.started(boots + 1).await;
    let memory = lab.memory();
    assert!(memory.device.is_empty() && memory.web_overrides.is_empty() && memory.files.is_empty());
    assert_eq!((memory.mac.as_str(), memory.firmware.as_str()), (MAC, SESSIONS));
    assert_eq!(lab.administrator("456").await.get("/home.htm").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn reboot_and_restart_start_the_phone_again() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;

    for (path, boots) in [("/form-submit/Reboot", 2), ("/form-submit/Restart", 3)] {
        let reply = lab.administrator("456").await.post(path, "").await;
        assert!(reply.body.contains("CONF_CHANGE"), "{reply:?}");
        lab.started(boots).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_preferences_and_nothing_else() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let tool = lab.stranger().with_token().await;
    let login = tool.user("User", "123").post("/form-submit/auth.htm", "").await;
    let tool = tool.cookie(&login.cookie("session").unwrap());

    let home = tool.get("/home.htm").await;

    assert!(home.body.contains("Date &#38; Time") && !home.body.contains("Provisioning Server</a>"), "{}", home.body);
    assert_eq!(tool.get("/dateTimeConf.htm").await.status, 200);
    for path in ["/provConf.htm", "/phoneBackup.htm", "/changePassword.htm"] {
        assert_eq!(tool.get(path).await.status, 403, "{path}");
    }
    for path in ["/form-submit/Utilities/restorePhoneToFactory", "/form-submit/Reboot"] {
        assert_eq!(tool.post(path, "").await.status, 403, "{path}");
    }
    let name = lab.administrator("456").await.get("/provConf.htm").await.number("device.prov.serverName");
    assert!(tool.post("/form-submit", &format!("{name}=a.example")).await.body.contains("CONF_NO_CHANGE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_menu_is_there_and_none_runs_a_script() {
    let lab = Lab::with("vvx500", SESSIONS, OWN_PASSWORD).await;
    let tool = lab.administrator("789").await;
    let home = tool.get("/home.htm").await;
    let links: Vec<&str> = home.body.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();

    assert!(links.len() > 12, "{links:?}");
    for link in links {
        let page = tool.get(link).await;
        assert_eq!(page.status, 200, "{link}");
        assert!(!page.body.contains("<script"), "{link}");
    }
    for words in ["Provisioning Server", "Phone Backup &#38; Restore", "Date &#38; Time", "Software Upgrade"] {
        assert!(home.body.contains(&format!(">{words}</a>")), "{words} is not in {}", home.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_sends_is_shown_as_text() {
    let label = r#"<a reg.1.address="1" reg.1.label="&lt;script&gt;alert(1)&lt;/script&gt;&quot;x"/>"#;
    let lab = Lab::with("vvx500", SESSIONS, label).await;
    let tool = lab.administrator("456").await;

    for path in ["/home.htm", "/lineConf.htm"] {
        let page = tool.get(path).await;
        assert!(!page.body.contains("<script>") && page.body.contains("&#60;script&#62;"), "{}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_leave_as_a_file_without_secrets_and_come_back() {
    let configuration = r#"<a reg.1.label="Desk &amp; door" reg.1.auth.password="secret" x.configEncryption.key="secret"
        x.TLS.customDeviceKey1="secret"/>"#;
    let lab = Lab::with("vvx500", SESSIONS, configuration).await;
    let tool = lab.administrator("456").await;

    let all = tool.get("/Utilities/configuration/exportFile?source=-1").await;
    let backup = tool.get("/Utilities/configuration/phoneBackup").await;

    for file in [&all, &backup] {
        assert!(file.body.contains("reg.1.label=\"Desk &amp; door\"") && !file.body.contains("secret"), "{file:?}");
    }
    assert!(all.body.contains("<PHONE_CONFIG>\n  <ALL") && all.body.contains("<!-- Application SIP 5.9.7.4477 -->"));
    assert!(backup.body.contains("<PHONE_BACKUP>"));
    assert_eq!(tool.get("/Utilities/configuration/exportFile?source=77").await.status, 404);

    let (lines, server) = (tool.get("/lineConf.htm").await, tool.get("/provConf.htm").await);
    assert!(lines.body.contains("set, and not shown") && !lines.body.contains("secret"));
    assert!(!server.body.contains("set, and not shown"));

    let import = "/form-submit/Utilities/configuration/importFile";
    let file = r#"<PHONE_CONFIG><WEB reg.1.label="New" device.x="1"/></PHONE_CONFIG>"#;
    assert!(tool.put(import, file).await.body.contains("CONF_CHANGE"));
    assert!(tool.put(import, file).await.body.contains("CONF_NO_CHANGE"));
    assert_eq!(tool.put(import, "<PHONE_CONFIG").await.status, 400);
    let memory = lab.memory();
    assert_eq!(memory.web_overrides["reg.1.label"], "New");
    assert!(memory.device.is_empty(), "a device parameter without its marks was taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_versions_of_a_server_are_offered() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let list = "<PHONE_IMAGES><REVISION><PHONE_IMAGE><VERSION>5.9.8.5760</VERSION><PATH>598</PATH></PHONE_IMAGE>\
        </REVISION></PHONE_IMAGES>";
    lab.server.file("/fw/phone-images.xml", list);
    let tool = lab.administrator("456").await;
    let path = "/form-submit/Utilities/softwareUpgrade/updateCustomServer";
    let available = "/Utilities/softwareUpgrade/getAvailableVersions?type=customserver&_=1";
    assert_eq!(tool.get(available).await.status, 502);

    let server = format!("{}/fw/", lab.server.url());
    let saved = tool.post(path, &format!("CUSTOM_SERVER={}", server.replace(':', "%3A"))).await;

    assert!(saved.body.contains("CONF_CHANGE"), "{saved:?}");
    let whole = format!("{server}598");
    let offered = tool.get(available).await;
    assert!(offered.body.contains(&format!("<VERSION>5.9.8.5760</VERSION><PATH>{whole}</PATH>")), "{offered:?}");
    let page = tool.get("/softwareUpgrade.htm?check=customserver").await;
    assert!(page.body.contains(&format!("<option value=\"{whole}\">5.9.8.5760</option>")), "{page:?}");
    let upgrade = "/form-submit/Utilities/softwareUpgrade/upgrade";
    assert_eq!(tool.post(upgrade, "URLPath=&serverType=customserver").await.status, 400);
    lab.server.forget();
    tool.post(upgrade, &format!("URLPath={}&serverType=customserver", whole.replace(':', "%3A"))).await;
    let asked = lab.server.lines();
    assert!(asked.iter().any(|line| line.starts_with("GET /fw/598/3111-44500-001.")), "{asked:?}");
    let hardware = tool.get("/Utilities/softwareUpgrade/getProvisioningServer").await;
    assert!(hardware.body.starts_with("HARDWARE_ID=3111-44500-001;HARDWARE_REV="), "{hardware:?}");
    assert_eq!(tool.post(path, "CUSTOM_SERVER=ftp%3A%2F%2Fa").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn firmware_that_is_not_there_is_not_said_to_be_taken() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let tool = lab.administrator("456").await;
    let folder = format!("{}/none/", lab.server.url()).replace(':', "%3A");

    let form = format!("URLPath={folder}&serverType=customserver");
    let reply = tool.post("/form-submit/Utilities/softwareUpgrade/upgrade", &form).await;

    assert!(reply.status == 409 && reply.body.contains("CONF_ERROR"), "{reply:?}");
    assert_eq!(lab.memory().boot_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_text_and_can_be_emptied() {
    let lab = Lab::with("vvx500", SESSIONS, "<a").await;
    let tool = lab.administrator("456").await;
    let kept = lab.handset.view().await.log;
    assert!(!kept.is_empty(), "a file that is no XML leaves no line in the log");

    let log = tool.get("/Diagnostics/log?value=app&clear=1&dummyParam=1498860013020").await;

    assert_eq!((log.status, log.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(log.body, kept);
    assert_eq!(tool.get("/Diagnostics/log?value=app").await.body, "");
    assert_eq!(lab.memory().log, "");
    assert_eq!(tool.get("/Diagnostics/log?value=other").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_does_not_bring_the_default_password_back_where_it_is_not_taken_any_more() {
    let lab = Lab::with("vvx500", "5.9.8.5760", OWN_PASSWORD).await;
    let tool = lab.administrator("789").await;
    let import = "/form-submit/Utilities/configuration/importFile";
    let file = |password: &str| {
        format!("<PHONE_CONFIG><DEVICE_SETTINGS device.auth.localAdminPassword=\"{password}\"/></PHONE_CONFIG>")
    };

    for password in ["456", ""] {
        assert_eq!(tool.put(import, &file(password)).await.status, 400, "{password}");
    }

    assert_eq!(lab.memory().device["device.auth.localAdminPassword"], "789");
    assert!(tool.put(import, &file("4711")).await.body.contains("CONF_CHANGE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_display_is_a_picture_for_whoever_proves_a_password_once_that_is_switched_on() {
    let off = Lab::with("vvx500", SESSIONS, "").await;
    let lab = Lab::with("vvx500", SESSIONS, r#"<a up.screenCapture.enabled="1"/>"#).await;
    let older = Lab::with("vvx500", "5.7.0.11768", r#"<a up.screenCapture.enabled="1"/>"#).await;
    let path = "/captureScreen";

    assert_eq!(off.administrator("456").await.get(path).await.status, 404);
    assert_eq!(lab.stranger().get(path).await.status, 401);
    assert_eq!(lab.stranger().user("Polycom", "457").get(path).await.status, 401);
    let right = lab.stranger().user("Polycom", "456");
    for tool in [lab.administrator("456").await, right.clone(), older.plain().user("User", "123")] {
        let picture = tool.get(path).await;
        assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/png")));
        assert!(picture.body.contains("PNG"));
    }
    assert_eq!(right.post(path, "").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_not_read() {
    let lab = Lab::with("vvx500", SESSIONS, "").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large");
    std::fs::write(&file, vec![b'x'; 2 * 1024 * 1024]).unwrap();

    let reply = lab.stranger().with("--data-binary", &format!("@{}", file.display())).get("/form-submit").await;

    assert_eq!(reply.status, 413);
}
