//! A whole phone that boots, goes online, calls and does what it is told.

use std::sync::{Arc, Mutex};

use provost_phone::{Event, Line, LineError, LineState, Phone, Registration};

use crate::server::BootServer;
use crate::sip_server::{Asked, LIMIT, PASSWORD, SipServer, USER, granted};
use crate::support::{MAC, nobody, phone, server_with, setup};

/// A line at `port` with the label, the account and more attributes.
pub(crate) fn values(port: u16, label: &str, more: &str) -> String {
    format!(
        r#"<r reg.1.address="{USER}" reg.1.label="{label}" reg.1.auth.userId="{USER}" reg.1.auth.password="{PASSWORD}"
        reg.1.server.1.address="127.0.0.1" reg.1.server.1.port="{port}" reg.1.server.1.transport="UDPOnly"
        reg.1.server.1.register="1" reg.1.server.1.expires="300" {more}/>"#
    )
}

pub(crate) const ACTIVATES: &str = r#"call.autoOffHook.1.enabled="1" call.autoOffHook.1.contact="activate""#;
const SYNC: &str = "Event: check-sync\r\n";

fn configure(boot: &BootServer, values: &str) {
    boot.file("/all.cfg", &format!("<PHONE_CONFIG>{values}</PHONE_CONFIG>"));
}

async fn booted(values: &str) -> (BootServer, Phone) {
    let boot = server_with(values).await;
    let mut phone = phone(&boot);
    phone.boot(&mut nobody()).await.unwrap();
    (boot, phone)
}

/// Registers the phone at `sip`; returns the REGISTER that was taken as well.
async fn online(phone: &mut Phone, sip: &mut SipServer) -> (Line, Asked) {
    let mut observer = nobody();
    let (line, proven) = tokio::join!(phone.go_online(&mut observer), sip.registers(300));
    (line.unwrap(), proven)
}

async fn un_registered(sip: &mut SipServer) -> Asked {
    let last = sip.expect("REGISTER").await;
    sip.ok(&last, "").await;
    last
}

#[tokio::test]
async fn the_configuration_makes_the_line_and_the_screen_shows_it() {
    let mut sip = SipServer::start().await;
    let (_boot, mut phone) = booted(&values(sip.address.port(), "Activate", ACTIVATES)).await;
    assert_eq!(phone.screen().line_keys[0].registration, Registration::NotObserved);

    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let keep = Arc::clone(&told);
    let mut observer = move |event| keep.lock().unwrap().push(event);
    let (online, proven) = tokio::join!(phone.register(&mut observer), sip.registers(300));

    let line = online.unwrap();
    assert_eq!(phone.screen().line_keys[0].registration, Registration::Registered);
    assert_eq!(proven.header("User-Agent"), "PolycomVVX-VVX_500-UA/5.9.7.4477");
    assert_eq!(proven.header("Expires"), "300");
    assert_eq!(line.account().off_hook.as_deref(), Some("activate"));
    assert!(!format!("{line:?}").contains(PASSWORD));
    let state = line.state();
    assert_eq!(*told.lock().unwrap(), [Event::Line { number: 1, state }]);
}

#[tokio::test]
async fn a_refused_line_and_a_refused_call_stand_on_the_screen() {
    let mut sip = SipServer::start().await;
    let (_boot, mut phone) = booted(&values(sip.address.port(), "Activate", ACTIVATES)).await;

    let mut observer = nobody();
    let (refused, ()) = tokio::join!(phone.register(&mut observer), async {
        let asked = sip.expect("REGISTER").await;
        sip.answer(&asked, "403 Forbidden", "", "").await;
    });
    assert!(matches!(refused, Err(LineError::NotRegistered { line: 1, .. })));
    assert_eq!(phone.screen().line_keys[0].registration, Registration::Unregistered);
    assert_eq!(phone.screen().messages, ["Line Unregistered"]);

    let (mut line, _) = online(&mut phone, &mut sip).await;
    let (_, ()) = tokio::join!(line.dial_activation(), async {
        let invite = sip.expect("INVITE").await;
        sip.answer(&invite, "486 Busy Here", "", "").await;
        sip.expect("ACK").await;
    });
    assert_eq!(phone.screen().messages, ["Call failed: 486 Busy Here"]);
}

#[tokio::test]
async fn check_sync_replaces_the_line_by_its_owners() {
    let (mut sip, mut pbx) = (SipServer::start().await, SipServer::start().await);
    let (boot, mut phone) = booted(&values(sip.address.port(), "Activate", ACTIVATES)).await;
    let (mut line, proven) = online(&mut phone, &mut sip).await;

    sip.send(proven.from, &sip.outside("NOTIFY", "1", SYNC)).await;
    sip.expect("200").await;
    line.wait_for_check_sync(LIMIT).await.unwrap();
    configure(&boot, &values(pbx.address.port(), "Reception", ""));
    let mut observer = nobody();
    let (obeyed, last, _) =
        tokio::join!(phone.obey_check_sync(line, &mut observer), un_registered(&mut sip), pbx.registers(300));

    let (report, online) = obeyed.unwrap();
    assert_eq!((report.restarts, report.changed), (0, true));
    assert_eq!(last.header("Expires"), "0");
    assert_eq!(phone.screen().line_keys[0].label, "Reception");
    assert!(matches!(online.unwrap().state(), LineState::Registered { .. }));
}

#[tokio::test]
async fn check_sync_without_news_keeps_the_line() {
    let mut sip = SipServer::start().await;
    let (_boot, mut phone) = booted(&values(sip.address.port(), "Activate", ACTIVATES)).await;
    let (line, _) = online(&mut phone, &mut sip).await;

    let (report, online) = phone.obey_check_sync(line, &mut nobody()).await.unwrap();

    assert_eq!((report.restarts, report.changed), (0, false));
    assert_eq!(online.unwrap().registrations(), 1);
}

#[tokio::test]
async fn check_sync_restarts_at_once_where_the_configuration_says_so() {
    let always = r#"voIpProt.SIP.specialEvent.checkSync.alwaysReboot="1""#;
    let mut sip = SipServer::start().await;
    let (_boot, mut phone) = booted(&values(sip.address.port(), "Activate", always)).await;
    let (line, _) = online(&mut phone, &mut sip).await;

    let mut observer = nobody();
    let (obeyed, again) = tokio::join!(phone.obey_check_sync(line, &mut observer), async {
        un_registered(&mut sip).await;
        let again = sip.expect("REGISTER").await;
        sip.ok(&again, &granted(&again, 300)).await;
        again
    });

    let (report, online) = obeyed.unwrap();
    assert_eq!((report.restarts, phone.memory().boot_count), (1, 2));
    assert!(!again.has("Authorization") && online.is_some());
}

#[tokio::test]
async fn check_sync_waits_for_the_end_of_the_call() {
    let mut sip = SipServer::start().await;
    let (_boot, mut phone) = booted(&values(sip.address.port(), "Activate", ACTIVATES)).await;
    let (mut line, proven) = online(&mut phone, &mut sip).await;
    let call = line.start_call("activate").await.unwrap();
    let invite = sip.expect("INVITE").await;

    sip.send(proven.from, &sip.outside("NOTIFY", "1", SYNC)).await;
    sip.expect("200").await;
    let limit = std::time::Duration::from_millis(50);
    assert_eq!(line.wait_for_check_sync(limit).await, Err(LineError::NotTold { line: 1, limit }));
    sip.answer(&invite, "486 Busy Here", "", "").await;
    sip.expect("ACK").await;

    line.wait_for_check_sync(LIMIT).await.unwrap();
    assert_eq!(call.until_ended(LIMIT).await.unwrap().heard.packets, 0);
}

#[tokio::test]
async fn the_soft_key_asks_for_the_code_and_dials_it() {
    let key = r#"feature.enhancedFeatureKeys.enabled="1" softkey.1.enable="1" softkey.1.action="$P1N13$$Tinvite$""#;
    let (boot, mut phone) = booted(&format!("<k {key}/>")).await;
    assert_eq!(phone.soft_key_number(&["1234567890123"]).as_deref(), Some("1234567890123"));

    configure(&boot, &format!("<k {}/>", key.replace(r#"enable="1""#, r#"enable="0""#)));
    phone.poll(&mut nobody()).await.unwrap();

    assert_eq!(phone.soft_key_number(&["1234567890123"]), None);
    assert_eq!(phone.mac().to_string(), MAC);
}

#[tokio::test]
async fn a_phone_without_a_line_says_what_is_missing() {
    let (_boot, mut phone) = booted(r#"<r reg.1.address="200"/>"#).await;

    let error = phone.go_online(&mut nobody()).await.unwrap_err();

    assert_eq!(error.to_string(), "line 1 has no server-address in its configuration");
    let tls = values(5061, "x", "").replace("UDPOnly", "TLS");
    let (_boot, phone) = booted(&tls).await;
    assert!(phone.account().unwrap_err().to_string().contains("told to use `TLS`"));
}

#[tokio::test]
async fn only_later_firmware_that_is_told_to_obeys_actions() {
    const TOLD: &str = r#"apps.restapi.enabled="1" apps.restapi.sipNotify.enabled="1""#;
    for (model, more, obeys) in [("vvx450", TOLD, true), ("vvx450", "", false), ("vvx500", TOLD, false)] {
        let boot = server_with(&values(5060, "x", more)).await;
        let mut phone = Phone::new(setup(model, &boot)).unwrap();

        phone.boot(&mut nobody()).await.unwrap();

        assert_eq!(phone.account().unwrap().obeys_actions, obeys, "{model} {more}");
    }
}
