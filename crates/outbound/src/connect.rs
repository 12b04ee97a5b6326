//! A connection to a PBX: only to addresses it may lead to, and only as safe as was asked for.
//!
//! The address is judged after the name was resolved and is then connected to by its digits: a name that leads
//! elsewhere a moment later leads nobody anywhere (docs/THREATS.md, rule 20).

use openssl::hash::MessageDigest;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use provost_core::fingerprint::Fingerprint;
use provost_core::pbx::{PbxError, PbxTarget, Reach, Security, Standing, shown, standing};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_openssl::SslStream;

/// Both ends of a connection, whatever it runs over.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Longer than any network takes that a phone could be heard over.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A name with more addresses than this is not a PBX's.
const MOST_ADDRESSES: usize = 4;

/// Connects as the target says.
pub(crate) async fn connect(target: &PbxTarget) -> Result<Box<dyn Io>, PbxError> {
    let late = |_| PbxError::Late { seconds: CONNECT_WITHIN.as_secs() };
    let host = target.host.trim_matches(['[', ']']);
    let found = timeout(CONNECT_WITHIN, lookup_host((host, target.port))).await.map_err(late)?;
    let no_address = || PbxError::NoAddress { host: target.host.clone() };
    let addresses: Vec<_> = found.map_err(|_| no_address())?.take(MOST_ADDRESSES).collect();
    let mut refused = no_address();
    for address in addresses {
        if let Err(why) = allowed(address.ip(), target) {
            refused = why;
            continue;
        }
        match timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return secured(stream, target).await,
            Ok(Err(error)) => refused = PbxError::NoConnection { why: error.to_string() },
            Err(late_by) => refused = late(late_by),
        }
    }
    Err(refused)
}

/// Whether the connector may lead there.
fn allowed(address: IpAddr, target: &PbxTarget) -> Result<(), PbxError> {
    let standing = match standing(address) {
        Standing::Public if is_own(address) => Standing::Own,
        standing => standing,
    };
    if standing != Standing::Public && target.reach == Reach::Outside {
        return Err(PbxError::Inside { address, standing });
    }
    if target.security == Security::Plain && !standing.is_near() {
        return Err(PbxError::InClear { address });
    }
    Ok(())
}

/// Whether this machine has the address itself: the way there begins where it ends. Nothing is sent.
fn is_own(address: IpAddr) -> bool {
    let any: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let way = UdpSocket::bind(any).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    way.is_ok_and(|from| from.ip() == address)
}

async fn secured(stream: TcpStream, target: &PbxTarget) -> Result<Box<dyn Io>, PbxError> {
    // Requests are small and waited for.
    let _ = stream.set_nodelay(true);
    if target.security != Security::Tls {
        return Ok(Box::new(stream));
    }
    let no_tls = |why: String| PbxError::NoTls { why: shown(&why) };
    let mut tls = SslConnector::builder(SslMethod::tls_client()).map_err(|error| no_tls(error.to_string()))?;
    if target.certificate.is_some() {
        // The fingerprint says more than any authority: it is compared below, before anything is sent.
        tls.set_verify(SslVerifyMode::NONE);
    }
    let host = target.host.trim_matches(['[', ']']);
    let ssl = tls.build().configure().and_then(|tls| tls.into_ssl(host)).map_err(|error| no_tls(error.to_string()))?;
    let mut stream = SslStream::new(ssl, stream).map_err(|error| no_tls(error.to_string()))?;
    let shaken = timeout(CONNECT_WITHIN, Pin::new(&mut stream).connect()).await;
    shaken
        .map_err(|_| PbxError::Late { seconds: CONNECT_WITHIN.as_secs() })?
        .map_err(|error| no_tls(error.to_string()))?;
    if let Some(wanted) = target.certificate {
        let found = stream.ssl().peer_certificate().and_then(|leaf| leaf.digest(MessageDigest::sha256()).ok());
        let found = found.and_then(|digest| <[u8; 32]>::try_from(&*digest).ok()).map(Fingerprint);
        if found != Some(wanted) {
            let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
            return Err(PbxError::NoTls { why: format!("its certificate is {found}, not the one that was entered") });
        }
    }
    Ok(Box::new(stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::pbx::PbxKind;

    fn target(security: Security, reach: Reach) -> PbxTarget {
        PbxTarget {
            kind: PbxKind::Kamailio,
            host: "127.0.0.1".to_owned(),
            port: 1,
            security,
            certificate: None,
            reach,
            user: None,
            password: None,
            path: "/RPC".to_owned(),
            profile: "internal".to_owned(),
            domain: None,
        }
    }

    #[test]
    fn a_tenants_connector_leads_to_no_address_of_the_inside() {
        let tenants = target(Security::Tls, Reach::Outside);

        for inside in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0"] {
            let refused = allowed(inside.parse().unwrap(), &tenants);
            assert!(matches!(refused, Err(PbxError::Inside { .. })), "{inside}");
        }
        assert_eq!(allowed("192.0.2.1".parse().unwrap(), &tenants), Ok(()));
    }

    #[test]
    fn plain_goes_near_and_nowhere_else_unless_told() {
        let plain = target(Security::Plain, Reach::Inside);
        let public = "192.0.2.1".parse().unwrap();

        assert_eq!(allowed("10.0.0.1".parse().unwrap(), &plain), Ok(()));
        assert_eq!(allowed(public, &plain), Err(PbxError::InClear { address: public }));
        assert_eq!(allowed(public, &target(Security::PlainAnywhere, Reach::Outside)), Ok(()));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads() {
        let mut named = target(Security::Tls, Reach::Outside);
        named.host = "localhost".to_owned();

        assert!(matches!(connect(&named).await.err(), Some(PbxError::Inside { .. })));
    }
}
