//! A phone's side of a TLS connection, in this process: OpenSSL over one socket.

use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::X509;
use provost_testkit::PhoneKey;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) const USER_AGENT: &str = "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application";

/// How a phone connects: with a certificate or without; it takes any server's.
pub(crate) fn context(pair: Option<&PhoneKey>, adjust: impl FnOnce(&mut SslContextBuilder)) -> SslContext {
    let mut context = SslContext::builder(SslMethod::tls_client()).unwrap();
    context.set_verify(SslVerifyMode::NONE);
    if let Some(PhoneKey { chain, key }) = pair {
        context.set_certificate_chain_file(chain).unwrap();
        let key = PKey::private_key_from_pem(&std::fs::read(key).unwrap()).unwrap();
        context.set_private_key(&key).unwrap();
    }
    adjust(&mut context);
    context.build()
}

/// A socket from this loopback address.
pub(crate) fn socket(to: &str, from: IpAddr) -> std::io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect(&to.parse::<SocketAddr>().unwrap().into())?;
    let socket = TcpStream::from(socket);
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    Ok(socket)
}

/// One connection of a phone that goes on asking.
pub(crate) struct Line {
    stream: SslStream<TcpStream>,
}

impl Line {
    pub(crate) fn open(to: &str, from: IpAddr, context: &SslContext) -> Result<Self, String> {
        let socket = socket(to, from).map_err(|error| error.to_string())?;
        let ssl = Ssl::new(context).unwrap();
        Ok(Self { stream: ssl.connect(socket).map_err(|error| error.to_string())? })
    }

    /// The certificate the server showed.
    pub(crate) fn shown(&self) -> X509 {
        self.stream.ssl().peer_certificate().unwrap()
    }

    /// Asks for a file and returns the status; the connection stays open.
    pub(crate) fn get(&mut self, path: &str) -> Result<u16, String> {
        let answer = String::from_utf8_lossy(&self.ask(path)?).into_owned();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(answer)
    }

    /// Asks for a file and returns the whole answer; the connection stays open.
    pub(crate) fn ask(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {USER_AGENT}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        loop {
            let mut part = [0; 4096];
            match self.stream.read(&mut part).map_err(|error| error.to_string())? {
                0 => return Err(format!("closed after {} bytes", answer.len())),
                length => answer.extend_from_slice(&part[..length]),
            }
            let text = String::from_utf8_lossy(&answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Ok(answer);
            }
        }
    }

    /// Returns when the server has closed the connection.
    pub(crate) fn wait_for_end(&mut self) {
        match self.stream.read(&mut [0]) {
            Ok(0) | Err(_) => {}
            Ok(_) => panic!("the server speaks unasked"),
        }
    }
}
