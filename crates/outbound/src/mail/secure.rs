//! TLS to a mail server: from the first byte, or after a word in clear.

use super::wire::{Stream, Wire};
use super::{MailServer, Security};
use openssl::ssl::{SslConnector, SslMethod};
use openssl::x509::X509VerifyResult;
use std::pin::Pin;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio_openssl::SslStream;

/// An answer that is longer says nothing of use.
const MOST_ANSWER_BYTES: u64 = 16 * 1024;
/// The greeting was read in clear, and whoever speaks next waits for one.
const GREETED: &[u8] = b"220 secured\r\n";

/// The connection as safe as was asked for.
pub(super) async fn secured(wire: Wire, server: &MailServer) -> Result<Box<Stream>, String> {
    Ok(Box::new(match server.security {
        Security::Plain => Stream::plain(wire),
        Security::Tls => Stream::tls(tls(wire, server).await?, b""),
        Security::StartTls => Stream::tls(tls(started(wire, &server.hello).await?, server).await?, GREETED),
    }))
}

/// Asks for TLS in clear.
async fn started(wire: Wire, hello: &str) -> Result<Wire, String> {
    let mut wire = BufReader::new(wire);
    let greeting = answer(&mut wire).await?;
    if !greeting.starts_with("220") {
        return Err(greeting);
    }
    let offers = ask(&mut wire, &format!("EHLO {hello}\r\n")).await?;
    let offered = |line: &str| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"));
    if !offers.lines().any(offered) {
        return Err(
            "it offers no STARTTLS, and nothing is sent in clear; write an smtps:// address, or the name of a \
                    server that does"
                .to_owned(),
        );
    }
    let begun = ask(&mut wire, "STARTTLS\r\n").await?;
    if !begun.starts_with("220") {
        return Err(format!("it refused STARTTLS: {}", begun.trim()));
    }
    if !wire.buffer().is_empty() {
        // Else somebody between could put words into the secured conversation.
        return Err("it said more than it was asked before TLS began".to_owned());
    }
    Ok(wire.into_inner())
}

async fn ask(wire: &mut BufReader<Wire>, command: &str) -> Result<String, String> {
    wire.write_all(command.as_bytes()).await.map_err(|error| error.to_string())?;
    wire.flush().await.map_err(|error| error.to_string())?;
    answer(wire).await
}

/// All lines of one answer.
async fn answer(wire: &mut BufReader<Wire>) -> Result<String, String> {
    let mut all = String::new();
    let mut limited = wire.take(MOST_ANSWER_BYTES);
    loop {
        let from = all.len();
        let read = limited.read_line(&mut all).await.map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("it ended the connection in the middle of an answer".to_owned());
        }
        let line = all.get(from..).unwrap_or_default();
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(all);
        }
    }
}

async fn tls(wire: Wire, server: &MailServer) -> Result<SslStream<Wire>, String> {
    let of = |error: openssl::error::ErrorStack| error.to_string();
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(of)?;
    for authority in
        openssl::x509::X509::stack_from_pem(server.authorities.as_deref().unwrap_or_default()).map_err(of)?
    {
        builder.cert_store_mut().add_cert(authority).map_err(of)?;
    }
    let host = server.host.trim_matches(['[', ']']);
    let ssl = builder.build().configure().map_err(of)?.into_ssl(host).map_err(of)?;
    let mut stream = SslStream::new(ssl, wire).map_err(of)?;
    match Pin::new(&mut stream).connect().await {
        Ok(()) => Ok(stream),
        Err(error) => match stream.ssl().verify_result() {
            X509VerifyResult::OK => Err(format!("TLS could not be set up: {error}")),
            wrong => Err(format!(
                "its certificate is not good for {host}: {wrong}; nothing was sent. Write the name that stands in the \
                 certificate into smtp-url, or name the authority that signed it with smtp-authority"
            )),
        },
    }
}
