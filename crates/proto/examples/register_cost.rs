//! What one REGISTER costs: time of this machine's processor for a challenge, and for a proof with its answer.
//!
//! `cargo run --release -p provost-proto --example register_cost`

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use provost_proto::sip::digest::{Answering, Challenge};
use provost_proto::sip::message::{Message, Name};
use provost_proto::sip::{Credential, Endpoint, Event, Millis, Output, Settings};

/// Phones, each with a nonce of its own, and requests of each.
const PHONES: u32 = 50;
const COUNT: u32 = 1000;
const URI: &str = "sip:192.0.2.1:5060";
const PASSWORD: &str = "secret of this phone";
const AT: Millis = Millis(1);

fn main() {
    let mut endpoint = Endpoint::new(Settings::new("provost", "Provost"), [7; 32]);
    let mut granted = 0;
    let (mut plain, mut proven) = (Vec::new(), Vec::new());
    for phone in 0..PHONES {
        let user = format!("phone-{phone:02}");
        let Some(challenge) = run(&mut endpoint, &register(&user, 0, ""), &mut granted) else { return };
        for count in 1..=COUNT {
            plain.push(register(&user, count, ""));
            proven.push(register(&user, count, &proof(&user, &challenge, count)));
        }
    }
    for (name, messages) in [("challenge", plain), ("proof", proven)] {
        let began = spent();
        for message in &messages {
            run(&mut endpoint, message, &mut granted);
        }
        let each = spent().saturating_sub(began).as_nanos() / u128::from(PHONES.saturating_mul(COUNT));
        say(&format!("{each} ns of processor time for a {name}"));
    }
    say(&format!("{granted} registered"));
}

/// Gives one message and does everything that comes of it; returns the last answer.
fn run(endpoint: &mut Endpoint, message: &str, granted: &mut u32) -> Option<Arc<[u8]>> {
    endpoint.datagram(AT, SocketAddr::from(([192, 0, 2, 10], 5060)), message.as_bytes());
    let mut last = None;
    while let Some(output) = endpoint.poll() {
        match output {
            Output::Event(Event::Credentials { ask, .. }) => {
                endpoint.credentials(AT, ask, Some(&Credential::new(PASSWORD)));
            }
            Output::Event(Event::Registered { .. }) => *granted = granted.saturating_add(1),
            Output::Transmit { bytes, .. } => last = Some(bytes),
            _ => {}
        }
    }
    last
}

fn register(user: &str, count: u32, authorization: &str) -> String {
    format!(
        "REGISTER {URI} SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.120:5060;branch=z9hG4bK{user}{count:x}{0}\r\n\
         From: \"Activate\" <sip:{user}@192.0.2.1>;tag=4B1D1E3F-9A6C1D70\r\nTo: <sip:{user}@192.0.2.1>\r\n\
         CSeq: {count} REGISTER\r\nCall-ID: 5f0a9c1d-7be2c3a4-11c0ffee@192.168.1.120\r\n\
         Contact: <sip:{user}@192.168.1.120:5060>;methods=\"INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY\"\r\n\
         User-Agent: PolycomVVX-VVX_310-UA/5.3.0.12768\r\nAccept-Language: en\r\n{authorization}Max-Forwards: 70\r\n\
         Expires: 3600\r\nContent-Length: 0\r\n\r\n",
        authorization.len()
    )
}

fn proof(user: &str, challenge: &[u8], count: u32) -> String {
    let message = Message::parse(challenge).ok();
    let value = message.and_then(|message| message.header(Name::WwwAuthenticate));
    let with = Answering { username: user, password: PASSWORD, method: "REGISTER", uri: URI, cnonce: "xyz", count };
    let answer = value.and_then(Challenge::parse).map(|challenge| challenge.answer(&with));
    format!("Authorization: {}\r\n", answer.unwrap_or_default())
}

/// Processor time of this process, which other work on the machine does not lengthen; zero where no /proc tells it.
fn spent() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|text| text.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

#[expect(clippy::print_stdout, reason = "the outcome of a measurement")]
fn say(text: &str) {
    println!("{text}");
}
