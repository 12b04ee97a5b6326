use super::*;
use proptest::prelude::*;

/// In the manner of a VVX: constructed from the order and names such phones are known to use, not recorded.
const VVX_LIKE: &str = "v=0\r\n\
    o=- 1712345678 1712345678 IN IP4 192.0.2.17\r\n\
    s=Polycom IP Phone\r\n\
    c=IN IP4 192.0.2.17\r\n\
    t=0 0\r\n\
    a=sendrecv\r\n\
    m=audio 2222 RTP/AVP 9 102 0 8 18 127\r\n\
    a=rtpmap:9 G722/8000\r\n\
    a=rtpmap:102 G7221/16000\r\n\
    a=fmtp:102 bitrate=32000\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:18 G729/8000\r\n\
    a=fmtp:18 annexb=no\r\n\
    a=rtpmap:127 telephone-event/8000\r\n\
    a=fmtp:127 0-15\r\n\
    m=video 2224 RTP/AVP 109\r\n\
    a=rtpmap:109 H264/90000\r\n";

fn local() -> Local {
    Local::new("198.51.100.5:20000".parse().unwrap(), 0x1234)
}

/// The audio of a description with one audio line of `formats` and these lines after it.
fn audio(formats: &str, lines: &[&str]) -> Result<Audio, SdpError> {
    let lines = lines.join("\n");
    let text =
        format!("v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 {formats}\n{lines}\n");
    parse(text.as_bytes()).map(|description| description.audio)
}

fn answer(formats: &str, lines: &[&str]) -> String {
    let description =
        parse(format!("v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 {formats}\n{}\n", lines.join("\n")).as_bytes());
    local().answer(&description.unwrap())
}

#[test]
fn a_phones_offer_is_understood() {
    let audio = parse(VVX_LIKE.as_bytes()).unwrap().audio;

    assert_eq!(
        audio,
        Audio {
            address: "192.0.2.17:2222".parse().unwrap(),
            law: Law::Mu,
            payload_type: 0,
            events: Some(127),
            packet_ms: 20,
            direction: Direction::SendRecv,
            held: false,
        }
    );
    assert!(audio.we_send());
    assert_eq!(audio.packet_samples(), 160);
}

#[test]
fn the_answer_takes_the_audio_and_refuses_the_video() {
    let offer = parse(VVX_LIKE.as_bytes()).unwrap();

    assert_eq!(
        local().answer(&offer),
        "v=0\r\no=provost 1165 1 IN IP4 198.51.100.5\r\ns=-\r\nc=IN IP4 198.51.100.5\r\nt=0 0\r\n\
        m=audio 20000 RTP/AVP 0 127\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:127 telephone-event/8000\r\n\
        a=fmtp:127 0-15\r\na=ptime:20\r\na=sendrecv\r\nm=video 0 RTP/AVP 109\r\n"
    );
}

#[test]
fn every_answer_has_a_higher_version() {
    let offer = parse(VVX_LIKE.as_bytes()).unwrap();
    let mut local = local();

    let versions: Vec<String> =
        (0..3).map(|_| local.answer(&offer).lines().nth(1).unwrap().split(' ').nth(2).unwrap().to_owned()).collect();

    assert_eq!(versions, ["1", "2", "3"]);
}

#[test]
fn our_own_offer_and_answer_are_understood() {
    let offer = parse(local().offer().as_bytes()).unwrap();
    assert_eq!((offer.audio.law, offer.audio.events), (Law::Mu, Some(101)));

    let answer = Local::new("[2001:db8::7]:4000".parse().unwrap(), 1).answer(&offer);
    let answered = parse(answer.as_bytes()).unwrap().audio;
    assert_eq!(answered.address, "[2001:db8::7]:4000".parse().unwrap());
    assert_eq!((answered.law, answered.events, answered.packet_ms), (Law::Mu, Some(101), 20));
}

#[test]
fn static_payload_types_need_no_rtpmap_and_dynamic_ones_count() {
    assert_eq!(audio("RTP/AVP 8 0", &[]).map(|audio| (audio.law, audio.payload_type)), Ok((Law::A, 8)));
    let dynamic = audio("RTP/AVP 98", &["a=rtpmap:98 pcma/8000/1"]);
    assert_eq!(dynamic.map(|audio| (audio.law, audio.payload_type)), Ok((Law::A, 98)));
    assert_eq!(audio("RTP/AVP 98", &["a=rtpmap:98 PCMA/16000"]), Err(SdpError::NoCodec));
    assert_eq!(audio("RTP/AVP 0", &["a=rtpmap:0 G722/8000"]), Err(SdpError::NoCodec));
}

#[test]
fn events_with_the_clock_of_a_wideband_codec_are_left_alone() {
    let lines = ["a=rtpmap:101 telephone-event/48000", "a=rtpmap:102 telephone-event/8000"];
    assert_eq!(audio("RTP/AVP 0 101 102", &lines).map(|audio| audio.events), Ok(Some(102)));
    // Named but not offered on the media line.
    assert_eq!(audio("RTP/AVP 0 101", &lines).map(|audio| audio.events), Ok(None));
}

#[test]
fn a_phone_without_events_is_answered_without() {
    assert!(!answer("RTP/AVP 8", &[]).contains("telephone-event"));
}

#[test]
fn the_answer_has_the_transport_of_the_offer() {
    let lines = ["a=rtpmap:101 telephone-event/8000", "a=rtcp-fb:* nack"];
    assert!(answer("RTP/AVPF 0 101", &lines).contains("m=audio 20000 RTP/AVPF 0 101\r\n"));
    assert!(answer("RTP/AVPF 8", &[]).contains("m=audio 20000 RTP/AVPF 8\r\n"));
    assert!(answer("RTP/AVP 8", &[]).contains("m=audio 20000 RTP/AVP 8\r\n"));
}

#[test]
fn the_answer_turns_the_direction_around() {
    for (theirs, ours) in
        [("sendrecv", "sendrecv"), ("sendonly", "recvonly"), ("recvonly", "sendonly"), ("inactive", "inactive")]
    {
        let wanted = format!("a={ours}\r\n");
        assert!(answer("RTP/AVP 0", &[&format!("a={theirs}")]).ends_with(&wanted), "{theirs}");
    }
    let sends = |word: &str| audio("RTP/AVP 0", &[word]).map(|audio| audio.we_send());
    assert_eq!(sends("a=sendonly"), Ok(false));
    assert_eq!(sends("a=inactive"), Ok(false));
    assert_eq!(sends("a=recvonly"), Ok(true));
}

#[test]
fn a_direction_before_the_media_lines_counts_where_none_stands_behind() {
    let text = "v=0\na=sendonly\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n";
    assert_eq!(parse(text.as_bytes()).map(|it| it.audio.direction), Ok(Direction::SendOnly));
    let text = format!("{text}a=sendrecv\n");
    assert_eq!(parse(text.as_bytes()).map(|it| it.audio.direction), Ok(Direction::SendRecv));
}

#[test]
fn the_address_0_0_0_0_is_hold() {
    let lines = ["c=IN IP4 0.0.0.0"];
    let held = audio("RTP/AVP 0", &lines).unwrap();

    assert!(held.held && !held.we_send());
    assert!(answer("RTP/AVP 0", &lines).ends_with("a=recvonly\r\n"));
}

#[test]
fn an_address_of_the_media_counts_before_that_of_the_session() {
    let found = audio("RTP/AVP 0", &["c=IN IP6 2001:db8::9"]).map(|audio| audio.address);
    assert_eq!(found, Ok("[2001:db8::9]:4000".parse().unwrap()));
    let found = audio("RTP/AVP 0", &["c=IN IP4 233.252.0.1/127"]).map(|audio| audio.address);
    assert_eq!(found, Ok("233.252.0.1:4000".parse().unwrap()));
}

#[test]
fn the_packet_time_is_kept_within_reason() {
    let ms = |line: &str| audio("RTP/AVP 0", &[line]).map(|audio| audio.packet_ms);
    assert_eq!(ms("a=ptime:30"), Ok(30));
    assert_eq!(ms("a=ptime:20.0"), Ok(20));
    assert_eq!(ms("a=ptime:1"), Ok(10));
    assert_eq!(ms("a=ptime:5000"), Ok(60));
    assert_eq!(ms("a=ptime:fast"), Ok(20));
}

#[test]
fn encrypted_audio_is_refused_unless_plain_is_offered_too() {
    let refused = audio("RTP/SAVP 0", &["a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"]).unwrap_err();
    assert_eq!((refused, refused.status()), (SdpError::Encrypted, 488));

    let both = answer("RTP/SAVP 0", &["m=audio 4002 RTP/AVP 8"]);
    assert!(both.contains("m=audio 0 RTP/SAVP 0\r\nm=audio 20000 RTP/AVP 8\r\n"), "{both}");
}

#[test]
fn what_cannot_be_a_call_says_why() {
    let why = |text: &str| parse(text.as_bytes()).map(drop).map_err(|why| (why, why.status()));

    assert_eq!(why(""), Err((SdpError::Version, 400)));
    assert_eq!(why("hello"), Err((SdpError::Version, 400)));
    assert_eq!(parse(b"v=0\n\xff").map(drop), Err(SdpError::NotText(5)));
    assert_eq!(parse(&vec![b' '; MAX_LEN + 1]).map(drop), Err(SdpError::NotText(MAX_LEN + 1)));
    assert_eq!(why("v=0\n"), Err((SdpError::NoAudio, 488)));
    assert_eq!(why("v=0\nc=IN IP4 192.0.2.1\nm=audio 0 RTP/AVP 0\n"), Err((SdpError::NoAudio, 488)));
    assert_eq!(why("v=0\nc=IN IP4 192.0.2.1\nm=image 9 udptl t38\n"), Err((SdpError::NoAudio, 488)));
    assert_eq!(why("v=0\nc=IN IP4 192.0.2.1\nm=audio 9 RTP/AVP 18\n"), Err((SdpError::NoCodec, 488)));
    assert_eq!(why("v=0\nm=audio 9 RTP/AVP 0\n"), Err((SdpError::NoAddress, 488)));
    assert_eq!(why("v=0\nc=IN IP4 phone.example\nm=audio 9 RTP/AVP 0\n"), Err((SdpError::NoAddress, 488)));
    assert!(matches!(why("v=0\nm=audio many RTP/AVP 0\n"), Err((SdpError::Line { line: 2, .. }, 400))));
    assert_eq!(why(&format!("v=0\n{}", "m=audio 0 RTP/AVP 0\n".repeat(17))), Err((SdpError::TooManyMedia, 400)));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, start: bool) {
        let mut body = if start { b"v=0\r\n".to_vec() } else { Vec::new() };
        body.extend(bytes);
        let _ = parse(&body);
    }

    #[test]
    fn a_damaged_offer_is_answered_or_refused(place in 0usize..VVX_LIKE.len(), with in "[ -~\r\n]{0,3}", cut: bool) {
        let mut text = VVX_LIKE.to_owned();
        text.replace_range(place..if cut { VVX_LIKE.len() } else { place + 1 }, &with);
        if let Ok(offer) = parse(text.as_bytes()) {
            let answer = local().answer(&offer);
            let lines = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
            prop_assert_eq!(lines(&answer), lines(&text));
            prop_assert!(parse(answer.as_bytes()).is_ok());
        }
    }
}
