//! A line in place: registered at a server that does what the test says, which has an ear and a voice.

use std::time::Duration;

use provost_phone::{Account, Call, Line};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::sip_server::{Asked, LIMIT, SipServer, USER};

/// A server with a line registered at it, and a socket for sound.
pub(crate) struct Stage {
    pub(crate) server: SipServer,
    pub(crate) line: Line,
    pub(crate) sound: UdpSocket,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::with(|account| account).await
    }

    pub(crate) async fn with(change: impl FnOnce(Account) -> Account) -> Self {
        let mut server = SipServer::start().await;
        let mut line = Line::open(change(server.account()));
        server.registers(300).await;
        line.registered(LIMIT).await.unwrap();
        let sound = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        Self { server, line, sound }
    }

    pub(crate) fn contact(&self) -> String {
        format!("Contact: <sip:voice@{}>\r\n", self.server.address)
    }

    pub(crate) fn description(&self, format: u8, direction: &str) -> String {
        let port = self.sound.local_addr().unwrap().port();
        let law = if format == 8 { "PCMA" } else { "PCMU" };
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {format} 127\r\n\
             a=rtpmap:{format} {law}/8000\r\na=rtpmap:127 telephone-event/8000\r\na={direction}\r\n"
        )
    }

    pub(crate) async fn accept(&self, invite: &Asked) {
        self.server.answer(invite, "200 OK", &self.contact(), &self.description(0, "sendrecv")).await;
    }

    /// A call that is up, and its INVITE.
    pub(crate) async fn call(&mut self) -> (Call, Asked) {
        let mut call = self.line.start_call("activate").await.unwrap();
        let invite = self.server.expect("INVITE").await;
        self.accept(&invite).await;
        self.server.expect("ACK").await;
        call.connected().await.unwrap();
        (call, invite)
    }

    /// A request of the server inside the call.
    pub(crate) fn inside(&self, invite: &Asked, (method, number): (&str, u32), body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} sip:{USER}@phone SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKin{method}{number}\r\nFrom: {};tag=server\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.server.address,
            invite.header("To"),
            invite.header("From"),
            invite.header("Call-ID"),
            body.len()
        )
    }

    /// Sends `count` packets of one byte, 20 ms apart, to the phone's sound.
    pub(crate) async fn speak(&self, port: u16, (count, byte, start): (u16, u8, u16)) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for number in 0..count {
            tick.tick().await;
            let mut packet = vec![0x80, 0];
            packet.extend(start.wrapping_add(number).to_be_bytes());
            packet.extend([0; 8]);
            packet.extend([byte; 160]);
            self.sound.send_to(&packet, ("127.0.0.1", port)).await.unwrap();
        }
    }

    pub(crate) async fn packet(&self) -> Vec<u8> {
        let mut packet = vec![0; 2048];
        let length = timeout(LIMIT, self.sound.recv(&mut packet)).await.expect("the phone sends no sound").unwrap();
        packet.truncate(length);
        packet
    }
}
