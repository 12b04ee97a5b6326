//! How a phone reads what it is given.

use provost_phone::{ChangedIn, Flash, Outcome, Phone, PhoneSetup, Registration};

use crate::server::BootServer;
use crate::support::{MAC, master, nobody, phone, server_with, setup};

#[tokio::test]
async fn files_are_read_left_to_right_and_the_earlier_wins() {
    let server = BootServer::start().await;
    server.file("/000000000000.cfg", &master(" a.cfg, sub/b.cfg ,"));
    server.file("/a.cfg", r#"<a reg.1.address="from a"/>"#);
    server.file("/sub/b.cfg", r#"<b reg.1.address="from b" reg.1.label="only b"/>"#);
    let mut phone = phone(&server);

    phone.boot(&mut nobody()).await.unwrap();

    let values = phone.effective();
    assert_eq!(values["reg.1.address"], "from a");
    assert_eq!(values["reg.1.label"], "only b");
    let lines = server.lines();
    let at = |file: &str| lines.iter().position(|line| line == &format!("GET {file} 200")).unwrap();
    assert!(at("/a.cfg") < at("/sub/b.cfg"));
}

#[tokio::test]
async fn variables_and_whole_addresses_are_followed() {
    let (server, other) = (BootServer::start().await, BootServer::start().await);
    let elsewhere = format!("{}/deep/x.cfg", other.url());
    let files = format!("[PHONE_MODEL]-[PHONE_MAC_ADDRESS].cfg,[PHONE_PART_NUMBER].cfg,{elsewhere}");
    server.file("/000000000000.cfg", &master(&files));
    server.file(&format!("/VVX500-{MAC}.cfg"), r#"<a one="1"/>"#);
    server.file("/3111-44500-001.cfg", r#"<a two="2"/>"#);
    other.file("/deep/x.cfg", r#"<a three="3"/>"#);
    let mut phone = phone(&server);

    phone.boot(&mut nobody()).await.unwrap();

    let values = phone.effective();
    assert_eq!([&values["one"], &values["two"], &values["three"]], ["1", "2", "3"]);
}

#[tokio::test]
async fn the_models_own_attributes_go_before_the_common_ones() {
    let server = BootServer::start().await;
    let own =
        r#"<APPLICATION_VVX500 CONFIG_FILES_VVX500="own.cfg"/><APPLICATION_VVX600 CONFIG_FILES_VVX600="no.cfg"/>"#;
    server.file("/000000000000.cfg", &format!(r#"<APPLICATION CONFIG_FILES="common.cfg">{own}</APPLICATION>"#));
    let mut phone = phone(&server);

    phone.boot(&mut nobody()).await.unwrap();

    let files: Vec<String> =
        server.lines().into_iter().filter(|line| line.contains("/own") || line.contains("/common")).collect();
    assert_eq!(files, ["GET /own.cfg 404"]);
}

#[tokio::test]
async fn folders_of_the_master_file_are_used_for_logs_and_overrides() {
    let server = BootServer::start().await;
    let folders = r#"LOG_FILE_DIRECTORY="logs" OVERRIDES_DIRECTORY="/over/" CONTACTS_DIRECTORY="people""#;
    server.file("/000000000000.cfg", &format!(r#"<APPLICATION CONFIG_FILES="" {folders}/>"#));
    let mut phone = phone(&server);

    phone.boot(&mut nobody()).await.unwrap();

    let lines = server.lines();
    for line in [
        "HEAD /logs/0004f2000004-app.log 404",
        "GET /over/0004f2000004-phone.cfg 404",
        "GET /people/0004f2000004-directory.xml 404",
    ] {
        assert!(lines.iter().any(|seen| seen == line), "{line} in {lines:?}");
    }
}

#[tokio::test]
async fn a_folder_that_leads_nowhere_only_stops_the_log() {
    let server = BootServer::start().await;
    server.file("/000000000000.cfg", r#"<APPLICATION CONFIG_FILES="" LOG_FILE_DIRECTORY="http://127.0.0.1:1"/>"#);
    let mut phone = phone(&server);

    let report = phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(report.outcome, Outcome::Configured);
    assert!(!server.lines().iter().any(|line| line.contains("app.log")));
}

#[tokio::test]
async fn what_the_user_changes_is_uploaded_and_overrules_the_server() {
    let server = server_with(r#"<a reg.1.address="100" reg.1.label="server"/>"#).await;
    server.takes(&format!("/{MAC}-phone.cfg"), 200).takes(&format!("/{MAC}-web.cfg"), 405);
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();

    phone.change_setting(ChangedIn::WebPages, ("reg.1.label", "web")).await.unwrap();
    assert_eq!(phone.effective()["reg.1.label"], "web");
    phone.change_setting(ChangedIn::Menu, ("reg.1.label", "\"&<>' \u{5d0}")).await.unwrap();

    assert_eq!(phone.effective()["reg.1.label"], "\"&<>' \u{5d0}");
    let put = server.seen().into_iter().rfind(|seen| seen.line == format!("PUT /{MAC}-phone.cfg 200")).unwrap();
    server.file(&format!("/{MAC}-phone.cfg"), &put.body);
    phone.poll(&mut nobody()).await.unwrap();
    assert_eq!(phone.effective()["reg.1.label"], "\"&<>' \u{5d0}", "the server gives back what was uploaded");
}

#[tokio::test]
async fn overrides_on_the_server_replace_those_on_the_phone() {
    let server = server_with(r#"<a reg.1.label="server"/>"#).await;
    server.file(&format!("/{MAC}-phone.cfg"), r#"<o reg.1.label="menu"/>"#);
    server.file(&format!("/{MAC}-web.cfg"), r#"<o reg.1.label="web" reg.1.address="web"/>"#);
    let mut phone = phone(&server);

    phone.boot(&mut nobody()).await.unwrap();

    assert_eq!(phone.effective()["reg.1.label"], "menu");
    assert_eq!(phone.effective()["reg.1.address"], "web");
}

#[tokio::test]
async fn a_broken_file_is_rejected_and_its_cached_copy_stays() {
    let server = server_with(r#"<a reg.1.label="good"/>"#).await;
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();

    for broken in [r#"<a reg.1.label="new" reg.1.label="twice"/>"#, r#"<a reg.1.label="new">"#, ""] {
        server.file("/all.cfg", broken);
        let report = phone.poll(&mut nobody()).await.unwrap();

        assert_eq!(report.outcome, Outcome::Configured);
        assert_eq!(report.rejected[0].file, "all.cfg");
        assert_eq!(phone.effective()["reg.1.label"], "good");
    }
    let sent = server.seen().into_iter().rfind(|seen| seen.line.starts_with("PUT")).unwrap();
    assert!(sent.body.contains("all.cfg is rejected"), "{}", sent.body);
}

#[tokio::test]
async fn a_broken_master_file_changes_nothing() {
    let server = server_with(r#"<a reg.1.label="good"/>"#).await;
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();
    server.file(&format!("/{MAC}.cfg"), "<APPLICATION");

    let report = phone.poll(&mut nobody()).await.unwrap();

    assert!(matches!(report.outcome, Outcome::KeptCached(_)), "{:?}", report.outcome);
    assert_eq!(phone.effective()["reg.1.label"], "good");
}

#[tokio::test]
async fn a_file_that_is_gone_leaves_the_old_settings() {
    let server = server_with(r#"<a reg.1.label="good"/>"#).await;
    let mut phone = phone(&server);
    phone.boot(&mut nobody()).await.unwrap();
    server.remove("/all.cfg");
    phone.poll(&mut nobody()).await.unwrap();
    assert_eq!(phone.effective()["reg.1.label"], "good");

    server.remove(&format!("/{MAC}.cfg"));

    let report = phone.poll(&mut nobody()).await.unwrap();
    assert_eq!(
        report.outcome.to_string(),
        "kept the cached configuration: the provisioning server has no master file for this phone"
    );
    assert_eq!(phone.effective()["reg.1.label"], "good");
}

#[tokio::test]
async fn the_idle_screen_shows_the_lines_of_the_configuration() {
    let lines = r#"<a reg.1.label="Activate" reg.1.address="x" reg.1.server.1.register="0" reg.2.address="200" reg.3.label="no address"/>"#;
    let server = server_with(lines).await;
    let mut phone = phone(&server);

    phone.boot(&mut nobody()).await.unwrap();

    let screen = phone.screen();
    assert_eq!(screen.time, "2026-09-21T14:13:20.000Z");
    let keys: Vec<_> = screen.line_keys.iter().map(|key| (key.line, key.label.as_str(), key.registration)).collect();
    assert_eq!(keys, [(1, "Activate", Registration::Off), (2, "200", Registration::NotObserved)]);
    assert!(screen.messages.is_empty());
}

#[tokio::test]
async fn a_phone_killed_in_the_middle_of_a_boot_keeps_its_old_settings() {
    let folder = tempfile::tempdir().unwrap();
    let flash = Flash::Folder(folder.path().to_owned());
    let server = server_with(r#"<a reg.1.label="old" reg.1.address="1"/>"#).await;
    let new_phone = || Phone::new(PhoneSetup { flash: flash.clone(), ..setup("vvx500", &server) }).unwrap();
    new_phone().boot(&mut nobody()).await.unwrap();
    server.file("/all.cfg", r#"<a reg.1.label="new"/>"#);

    for requests in 1..8 {
        let mut phone = new_phone();
        let (cut, mut power) = tokio::sync::oneshot::channel();
        let (mut cut, mut seen) = (Some(cut), 0);
        let mut observer = |event| {
            seen += usize::from(matches!(event, provost_phone::Event::Request(_)));
            if seen == requests {
                let _ = cut.take().map(|cut| cut.send(()));
            }
        };
        tokio::select! {
            biased;
            _ = &mut power => {}
            _ = phone.boot(&mut observer) => panic!("the power was cut after {requests} requests"),
        }

        assert_eq!(new_phone().effective()["reg.1.label"], "old", "cut after {requests} requests");
    }
    let mut phone = new_phone();
    phone.boot(&mut nobody()).await.unwrap();
    assert_eq!(new_phone().effective()["reg.1.label"], "new");
    assert_eq!(phone.memory().boot_count, 9);
}
