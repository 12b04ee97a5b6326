use super::*;
use proptest::prelude::*;

/// As Kamailio 5.6.3 answers.
const DUMP: &str = r#"{"jsonrpc":"2.0","result":{"Domains":[{"Domain":{"Domain":"location","Size":1024,"AoRs":[
    {"Info":{"AoR":"1001","HashID":924766748,"Contacts":[{"Contact":{"Address":"sip:1001@192.0.2.7:5060",
    "Expires":118,"Q":-1,"Call-ID":"1-2457@192.0.2.7","CSeq":1,"User-Agent":"PolycomVVX-VVX_500-UA/5.9.7",
    "Received":"sip:198.51.100.7:1024","Path":"[not set]","Socket":"udp:192.0.2.1:5060",
    "Instance":"[not set]"}},{"Contact":{"Address":"sip:old@192.0.2.8","Expires":"expired"}}]}}],
    "Stats":{"Records":1,"Max-Slots":1}}}]},"id":1}"#;

fn dumped() -> Vec<Registration> {
    let Ok(Answer::Done(dump)) = read::<Dump>(DUMP.as_bytes()) else { panic!("no dump") };
    dump.registrations(UnixMillis(0)).unwrap()
}

#[test]
fn a_dump_names_line_contact_and_end() {
    let all = dumped();

    assert_eq!(all.len(), 1);
    assert_eq!((all[0].line.as_str(), all[0].until), ("1001", Some(UnixMillis(118_000))));
    assert_eq!((all[0].way.path.as_ref(), all[0].instance.as_ref()), (None, None));
}

#[test]
fn the_notify_goes_where_the_packets_came_from_and_through_the_same_socket() {
    let target = PbxTarget {
        kind: provost_core::pbx::PbxKind::Kamailio,
        host: "pbx.example.com".to_owned(),
        port: 8080,
        security: provost_core::pbx::Security::Tls,
        certificate: None,
        reach: provost_core::pbx::Reach::Outside,
        user: None,
        password: None,
        path: "/RPC".to_owned(),
        profile: "internal".to_owned(),
        domain: None,
    };
    let mut to = dumped().remove(0);

    let parameters = notify(&target, &to, "check-sync").unwrap();

    assert_eq!(parameters[1], "sip:1001@192.0.2.7:5060");
    assert_eq!((&parameters[2], &parameters[3]), (&json!("sip:198.51.100.7:1024"), &json!("udp:192.0.2.1:5060")));
    assert!(parameters[4].as_str().unwrap().contains("To: <sip:1001@pbx.example.com>\r\n"));
    to.contact = "sip:1001@x\r\nEvent: other".to_owned();
    assert!(notify(&target, &to, "check-sync").is_none());
}

#[test]
fn a_line_is_in_a_call_by_its_address_or_its_contact_until_the_call_ended() {
    let dialog = |state: u32| Dialog {
        state,
        from_uri: "sip:1001@pbx.example.com".to_owned(),
        to_uri: "sip:+431234@pbx.example.com".to_owned(),
        caller: End::default(),
        callee: End { contact: "sip:1002@192.0.2.9:5060".to_owned() },
    };

    assert!(dialog(4).is_on() && dialog(1).is_on() && !dialog(5).is_on());
    assert!(dialog(4).is_of("1001") && dialog(4).is_of("1002") && !dialog(4).is_of("1003"));
}

#[test]
fn an_error_is_kept_in_its_own_words() {
    let body = br#"{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":1}"#;

    assert!(matches!(read::<Dump>(body), Ok(Answer::No { answer }) if answer == "Method Not Found"));
    assert!(matches!(read::<Dump>(b"<html>"), Err(PbxError::NotThis { .. })));
}

proptest! {
    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..600, byte in any::<u8>()) {
        let _ = read::<Dump>(&body);
        let mut damaged = DUMP.as_bytes().to_vec();
        let place = at % damaged.len();
        damaged[place] = byte;
        if let Ok(Answer::Done(dump)) = read::<Dump>(&damaged) {
            let _ = dump.registrations(UnixMillis(0));
        }
    }
}
