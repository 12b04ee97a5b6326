use super::super::MOST_REGISTRATIONS;
use super::dialogs::End;
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

fn target() -> PbxTarget {
    PbxTarget {
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
    }
}

#[test]
fn the_notify_goes_where_the_packets_came_from_and_through_the_same_socket() {
    let target = target();
    let mut to = dumped().remove(0);

    let parameters = notify(&target, &to, "check-sync").unwrap();

    assert_eq!(parameters[1], "sip:1001@192.0.2.7:5060");
    assert_eq!((&parameters[2], &parameters[3]), (&json!("sip:198.51.100.7:1024"), &json!("udp:192.0.2.1:5060")));
    assert!(parameters[4].as_str().unwrap().contains("To: <sip:1001@pbx.example.com>\r\n"));
    to.contact = "sip:1001@x\r\nEvent: other".to_owned();
    assert!(notify(&target, &to, "check-sync").is_none());
}

#[test]
fn a_domain_that_holds_another_header_field_is_not_told_back() {
    let mut to = dumped().remove(0);
    to.way.address_of_record = "1001@a.example\r\nX-Mine".to_owned();
    assert!(notify(&target(), &to, "check-sync").is_none());

    to.way.address_of_record = "1001@a.example".to_owned();
    let parameters = notify(&target(), &to, "check-sync").unwrap();
    assert!(parameters[4].as_str().unwrap().contains("From: <sip:1001@a.example>\r\n"));
}

fn calls(result: &str) -> Result<Result<usize, String>, PbxError> {
    let body = format!(r#"{{"jsonrpc":"2.0","result":{result},"id":1}}"#);
    Ok(known(read(body.as_bytes()))?.map(|dialogs| dialogs.len()))
}

/// A call that is set up, as Kamailio 5.6.3 answers: of the callee nothing is known yet.
const DIALOG: &str = r#"{"h_entry":3943,"h_id":3332,"ref":1,"call-id":"c1","from_uri":"sip:1001@a.example",
    "to_uri":"sip:1002@a.example","state":1,"start_ts":0,"init_ts":1795327951,"end_ts":0,"duration":0,"timeout":0,
    "lifetime":43200,"dflags":512,"sflags":0,"iflags":0,"caller":{"tag":"a1","contact":"sip:1003@192.0.2.7:5060",
    "cseq":"1","route_set":"","socket":"udp:192.0.2.1:5060"},"callee":{"tag":null,"contact":null,"cseq":null,
    "route_set":null,"socket":null},"profiles":[],"variables":[]}"#;

#[test]
fn a_call_that_rings_is_a_call() {
    let body = format!(r#"{{"jsonrpc":"2.0","result":[{DIALOG}],"id":1}}"#);
    let dialogs = known(read(body.as_bytes())).unwrap().unwrap();

    assert!(dialogs[0].is_on() && ["1001", "1002", "1003"].iter().all(|line| dialogs[0].is_of(line)));
    assert!(!dialogs[0].is_of("1004"));
}

#[test]
fn no_call_is_said_by_an_empty_list_or_object_alone() {
    assert_eq!((calls("[]"), calls("{}")), (Ok(Ok(0)), Ok(Ok(0))));
    assert_eq!(calls(&format!("[{DIALOG},{DIALOG}]")), Ok(Ok(2)));
}

#[test]
fn calls_in_a_shape_that_is_not_known_are_unknown_and_not_none() {
    let without_state = DIALOG.replace(r#""state":1,"#, "");
    let without_from = DIALOG.replace(r#""sip:1001@a.example""#, "null");
    let strange_state = DIALOG.replace(r#""state":1"#, r#""state":0"#);
    for dialog in ["{}", "null", "7", &without_state, &without_from, &strange_state] {
        let result = format!("[{DIALOG},{dialog}]");
        assert!(matches!(calls(&result), Ok(Err(_))), "{result}");
    }
    for result in ["null", "0", "true", r#""none""#, r#"{"dialogs":[]}"#, DIALOG] {
        assert!(matches!(calls(result), Ok(Err(_))), "{result}");
    }
}

#[test]
fn more_entries_than_the_limit_are_too_much_however_they_nest() {
    let many = |entry: &str, count: usize| format!("[{}]", vec![entry; count].join(","));
    let half = MOST_REGISTRATIONS / 2 + 1;
    let contacts = |count| format!(r#"{{"Info":{{"AoR":"1","Contacts":{}}}}}"#, many(r#"{"Contact":{}}"#, count));
    let domain = |aors: &str| format!(r#"{{"Domain":{{"AoRs":{aors}}}}}"#);
    let of_aors = domain(&many(r#"{"Info":{}}"#, half));
    for domains in [
        many(&domain(&many(&contacts(half), 2)), 1),
        many(&of_aors, 2),
        many(&domain(&many(&contacts(MOST_REGISTRATIONS + 1), 1)), 1),
    ] {
        let body = format!(r#"{{"result":{{"Domains":{domains}}}}}"#);
        let Ok(Answer::Done(dump)) = read::<Dump>(body.as_bytes()) else { panic!("no dump") };

        let too_much = PbxError::TooMuch { limit: MOST_REGISTRATIONS, of: "registrations" };
        assert_eq!(dump.registrations(UnixMillis(0)), Err(too_much));
    }
    let too_much = PbxError::TooMuch { limit: MOST_REGISTRATIONS, of: "calls" };
    let dialog = r#"{"state":1,"from_uri":"","to_uri":""}"#;
    assert_eq!(calls(&many(dialog, MOST_REGISTRATIONS + 1)), Err(too_much));
}

#[test]
fn a_reply_is_read_as_a_list_and_by_name() {
    let reply = |result: &str| match read::<Replied>(format!(r#"{{"result":{result}}}"#).as_bytes()) {
        Ok(Answer::Done(Replied { code, text })) => Some((code, text)),
        _ => None,
    };
    let ok = || Some((Scalar::Number(200), Scalar::Word("OK".to_owned())));

    assert_eq!((reply(r#"[200,"OK"]"#), reply(r#"[200,"OK",[1]]"#)), (ok(), ok()));
    assert_eq!((reply(r#"{"code":200,"text":"OK","more":{}}"#), reply("7")), (ok(), None));
}

#[test]
fn a_line_is_in_a_call_by_its_address_or_its_contact_until_the_call_ended() {
    let dialog = |state: u32| Dialog {
        state,
        from_uri: "sip:1001@pbx.example.com".to_owned(),
        to_uri: "sip:+431234@pbx.example.com".to_owned(),
        caller: End::default(),
        callee: End { contact: Some("sip:1002@192.0.2.9:5060".to_owned()) },
    };

    assert!(dialog(4).is_on() && dialog(1).is_on() && !dialog(5).is_on());
    assert!(dialog(4).is_of("1001") && dialog(4).is_of("1002") && !dialog(4).is_of("1003"));
}

#[test]
fn an_error_is_kept_in_its_own_words() {
    let body = br#"{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":1}"#;

    assert!(matches!(read::<Dump>(body), Ok(Answer::No { answer }) if answer == "Method Not Found"));
    for other in [b"<html>".as_slice(), br#"{"result":{}}"#, br#"{"result":null}"#] {
        assert!(matches!(read::<Dump>(other), Err(PbxError::NotThis { .. })));
    }
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
