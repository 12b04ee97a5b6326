mod sessions;

use super::*;
use crate::fixtures::{KEY_512, KEY_1024, LEAF_KEY, Leaf, NOW, OTHER_KEY, Pair, phone};
use crate::lab::{self, Phone, SERVER, exchange, exchange_over, phone_tls};
use openssl::hash::MessageDigest;
use openssl::ssl::{SslContext, SslSession, SslVersion};
use provost_core::identity::CertificateStatus;
use provost_pki::authority::KeyAndChain;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::TcpStream as StdStream;
use std::sync::LazyLock;

static GOOD: LazyLock<Pair> = LazyLock::new(|| phone(&Leaf::default()));
static WEAK: LazyLock<Pair> =
    LazyLock::new(|| phone(&Leaf { key: &KEY_1024, digest: MessageDigest::sha1(), ..Leaf::default() }));

/// What the server saw of one connection.
#[derive(Debug)]
struct Seen {
    protocol: String,
    verdict: Arc<Verdict>,
    resumed: bool,
}

/// One connection: the server's side of it, and what `client` made of it.
async fn meet<T: Send + 'static>(
    tls: &PhoneTls,
    client: impl FnOnce(StdStream) -> T + Send + 'static,
) -> (Result<Seen, HandshakeFailure>, T) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = tokio::task::spawn_blocking(move || client(StdStream::connect(address).unwrap()));
    let (socket, _) = listener.accept().await.unwrap();
    let seen = match tls.accept(socket, NOW).await {
        Err(failure) => Err(failure),
        Ok(Accepted { mut stream, verdict, resumed }) => {
            let seen = Seen { protocol: stream.protocol(), verdict, resumed };
            // The client asks first; the answer comes after the tickets of TLS 1.3, so it has them.
            let mut question = [0; 4];
            let _ = stream.read_exact(&mut question).await;
            let _ = stream.write_all(b"served").await;
            let _ = stream.shutdown().await;
            Ok(seen)
        }
    };
    (seen, client.await.unwrap())
}

async fn call(tls: &PhoneTls, phone: Phone) -> (Result<Seen, HandshakeFailure>, Result<String, String>) {
    let context = phone.build();
    meet(tls, move |socket| exchange(&context, socket, b"ask?")).await
}

async fn served(tls: &PhoneTls, phone: Phone) -> Seen {
    let (seen, answer) = call(tls, phone).await;
    assert_eq!(answer.as_deref(), Ok("served"), "{seen:?}");
    seen.unwrap()
}

async fn refused(tls: &PhoneTls, phone: Phone) -> String {
    let (seen, answer) = call(tls, phone).await;
    assert_ne!(answer.as_deref(), Ok("served"));
    seen.unwrap_err().to_string()
}

fn assert_factory(seen: &Seen) {
    assert_eq!(seen.verdict.status, CertificateStatus::FactoryInstalled, "{seen:?}");
    assert_eq!(seen.verdict.fingerprint, Some(GOOD.sha256()));
}

#[tokio::test]
async fn every_age_of_phone_is_served_at_one_address() {
    let tls = phone_tls(false);
    let tls12 = || Phone::new().version(SslVersion::TLS1_2);
    for (phone, protocol) in [
        (Phone::stock(), "TLSv1.2 AES128-SHA"),
        (tls12().suites("AES256-SHA256"), "TLSv1.2 AES256-SHA256"),
        (tls12().suites("AES128-GCM-SHA256"), "TLSv1.2 AES128-GCM-SHA256"),
        (tls12().suites("ECDHE-RSA-AES128-SHA"), "TLSv1.2 ECDHE-RSA-AES128-SHA"),
        (tls12().suites("ECDHE-RSA-AES128-GCM-SHA256"), "TLSv1_2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (tls12().suites("ECDHE-ECDSA-AES128-GCM-SHA256"), "TLSv1_2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        (Phone::new(), "TLSv1_3 TLS13_AES_256_GCM_SHA384"),
    ] {
        let seen = served(&tls, phone.with(&GOOD)).await;
        assert_eq!(seen.protocol, protocol);
        assert_factory(&seen);
    }
}

#[tokio::test]
async fn what_legacy_governs_is_refused_without_it_and_served_with_it() {
    let (strict, legacy) = (phone_tls(false), phone_tls(true));
    let tls10 = || Phone::new().version(SslVersion::TLS1).with(&GOOD);
    let tls11 = || Phone::new().version(SslVersion::TLS1_1).with(&GOOD);
    let sha1 = || Phone::new().version(SslVersion::TLS1_2).signatures("RSA+SHA1").with(&GOOD);

    assert!(refused(&strict, tls10()).await.starts_with("it offers TLS 1.0 only"));
    assert!(refused(&strict, tls11()).await.starts_with("it offers TLS 1.1 only"));
    assert!(refused(&strict, sha1()).await.starts_with("it offers SHA-1 signatures only"));
    for (phone, version) in [(tls10(), "TLSv1 "), (tls11(), "TLSv1.1 "), (sha1(), "TLSv1.2 ")] {
        let seen = served(&legacy, phone).await;
        assert!(seen.protocol.starts_with(version), "{seen:?}");
        assert_factory(&seen);
    }
}

#[tokio::test]
async fn a_refused_protocol_is_answered_with_an_alert() {
    let ssl2_hello = [0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10];

    let (seen, answer) = meet(&phone_tls(false), move |mut socket| {
        socket.write_all(&ssl2_hello).unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        answer
    })
    .await;

    assert!(seen.unwrap_err().to_string().starts_with("it offers a hello in the format of SSL 2 only"));
    assert_eq!(answer, [21, 3, 1, 0, 2, 2, 70]);
}

#[tokio::test]
async fn a_hello_in_the_format_of_ssl_2_is_served_with_legacy() {
    // Version 3.1, one suite (AES128-SHA), no session, a challenge of 16 bytes.
    let head = [0x80, 28, 1, 3, 1, 0, 3, 0, 0, 0, 16, 0, 0, 0x2f];
    let hello = [head.as_slice(), &[7; 16]].concat();

    let (_, answer) = meet(&phone_tls(true), move |mut socket| {
        socket.write_all(&hello).unwrap();
        let mut answer = [0; 6];
        socket.read_exact(&mut answer).unwrap();
        answer
    })
    .await;

    assert_eq!((&answer[..3], answer[5]), (&[22, 3, 1][..], 2), "a ServerHello of TLS 1.0");
}

#[tokio::test]
async fn a_phone_without_a_certificate_is_served_and_known_as_such() {
    let tls = phone_tls(false);
    for phone in [Phone::stock(), Phone::new().version(SslVersion::TLS1_2), Phone::new()] {
        assert_eq!(*served(&tls, phone).await.verdict, Verdict::none_presented());
    }
}

#[tokio::test]
async fn a_weak_certificate_completes_the_handshake_and_is_judged_by_the_rules() {
    for (legacy, status) in [(false, CertificateStatus::Invalid), (true, CertificateStatus::FactoryInstalled)] {
        let tls = phone_tls(legacy);
        for phone in [Phone::stock(), Phone::new().version(SslVersion::TLS1_2), Phone::new()] {
            let seen = served(&tls, phone.with(&WEAK)).await;
            assert_eq!(seen.verdict.status, status, "{seen:?}");
            assert!(seen.verdict.reason.is_some() != seen.verdict.note.is_some(), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn a_512_bit_key_fails_on_both_stacks() {
    let tiny = phone(&Leaf { key: &KEY_512, ..Leaf::default() });
    let tls = phone_tls(true);

    let older = refused(&tls, Phone::stock().with(&tiny)).await;
    let modern = refused(&tls, Phone::new().version(SslVersion::TLS1_2).with(&tiny)).await;

    assert_eq!(older, "its certificate has an RSA key of 512 bits, which proves nothing");
    assert_eq!(modern, "it showed a certificate but did not prove that it has its key");
}

/// A rustls client that shows this certificate and signs with this key, matching or not.
fn modern_client(pair: &Pair, key: &crate::fixtures::Key, version: &'static SupportedProtocolVersion) -> ClientConfig {
    #[derive(Debug)]
    struct Always(Arc<CertifiedKey>);
    impl rustls::client::ResolvesClientCert for Always {
        fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
        fn has_certs(&self) -> bool {
            true
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.private_key_to_pkcs8().unwrap()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = CertifiedKey::new(vec![CertificateDer::from(pair.der())], key);
    let mut roots = rustls::RootCertStore::empty();
    let root = provost_pki::certificate::read_certificates(SERVER.root_pem.as_bytes()).unwrap().remove(0);
    roots.add(root).unwrap();
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Always(Arc::new(shown))))
}

fn ask_modern(config: Arc<ClientConfig>, socket: StdStream) -> Result<String, String> {
    let client = rustls::ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
    let mut stream = rustls::StreamOwned::new(client, socket);
    stream.write_all(b"ask?").map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

#[tokio::test]
async fn somebody_with_another_phones_certificate_but_not_its_key_fails() {
    let tls = phone_tls(false);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let honest = Arc::new(modern_client(&GOOD, &LEAF_KEY, version));
        let thief = Arc::new(modern_client(&GOOD, &OTHER_KEY, version));

        let (seen, answer) = meet(&tls, move |socket| ask_modern(honest, socket)).await;
        assert_eq!(answer.as_deref(), Ok("served"));
        assert_factory(&seen.unwrap());
        let (seen, answer) = meet(&tls, move |socket| ask_modern(thief, socket)).await;
        assert_ne!(answer.as_deref(), Ok("served"), "{version:?}");
        assert!(matches!(seen, Err(HandshakeFailure::NotItsKey)), "{seen:?}");
    }
}

#[tokio::test]
async fn a_resumed_session_keeps_the_verdict_and_survives_a_renewed_certificate() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let tls = phone_tls(false);
        let client = Arc::new(modern_client(&GOOD, &LEAF_KEY, version));
        for resumed in [false, true, true] {
            let client = Arc::clone(&client);
            let (seen, _) = meet(&tls, move |socket| ask_modern(client, socket)).await;
            let seen = seen.unwrap();
            assert_eq!(seen.resumed, resumed, "{version:?}");
            assert_factory(&seen);
            tls.replace(&lab::certificates(&[&SERVER.rsa, &SERVER.p256]), lab::policy(false)).unwrap();
        }
    }
}

#[tokio::test]
async fn an_older_phones_resumed_session_keeps_the_verdict() {
    let tls = phone_tls(false);
    let context = Phone::stock().with(&GOOD).build();
    let resume = |context: SslContext, session: Option<SslSession>| {
        move |socket: StdStream| {
            let mut ssl = Ssl::new(&context).unwrap();
            if let Some(session) = session {
                #[expect(unsafe_code, reason = "the binding leaves the session's origin to the caller")]
                // SAFETY: the session was made with this very context.
                unsafe {
                    ssl.set_session(&session).unwrap();
                }
            }
            let stream = ssl.connect(socket).unwrap();
            // A copy, because OpenSSL marks the session of a connection that has ended as used up.
            let session = SslSession::from_der(&stream.ssl().session().unwrap().to_der().unwrap()).unwrap();
            (exchange_over(stream, b"ask?"), session)
        }
    };

    let (first, (_, session)) = meet(&tls, resume(context.clone(), None)).await;
    let (second, (answer, _)) = meet(&tls, resume(context, Some(session))).await;

    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.resumed, second.resumed, answer.as_deref()), (false, true, Ok("served")));
    assert_factory(&first);
    assert_factory(&second);
}

#[tokio::test]
async fn one_kind_of_server_certificate_is_enough() {
    let only = |pair: &KeyAndChain| PhoneTls::new(&lab::certificates(&[pair]), lab::policy(false)).unwrap();
    let (rsa, p256) = (only(&SERVER.rsa), only(&SERVER.p256));

    for phone in [Phone::stock(), Phone::new().version(SslVersion::TLS1_2), Phone::new()] {
        assert_factory(&served(&rsa, phone.with(&GOOD)).await);
    }
    let cbc = Phone::new().version(SslVersion::TLS1_2).suites("ECDHE-ECDSA-AES128-SHA");
    for phone in [cbc, Phone::new().version(SslVersion::TLS1_2), Phone::new()] {
        assert_factory(&served(&p256, phone.with(&GOOD)).await);
    }
    let nothing_shared = "it shares no cipher suite, group or signature with this server";
    assert_eq!(refused(&p256, Phone::stock()).await, nothing_shared);
    let rsa_only = Phone::new().version(SslVersion::TLS1_2).suites("ECDHE-RSA-AES128-GCM-SHA256");
    assert_eq!(refused(&p256, rsa_only).await, nothing_shared);
}

#[tokio::test]
async fn a_phone_that_does_not_trust_us_says_so() {
    let tls = phone_tls(false);
    for phone in [Phone::stock(), Phone::new().version(SslVersion::TLS1_2), Phone::new()] {
        let reason = refused(&tls, phone.distrusting().with(&GOOD)).await;
        assert!(reason.starts_with("it refused: the phone does not trust our certificate"), "{reason}");
    }
}

#[tokio::test]
async fn what_is_no_tls_is_closed_without_a_byte() {
    let long = vec![22u8, 3, 1, 0x40, 0];
    let endless = [long, vec![1, 0, 0x4f, 0], vec![0; 30_000]].concat();
    for bytes in [b"GET /000000000000.cfg HTTP/1.1\r\n\r\n".to_vec(), vec![22, 3, 1], endless] {
        let (seen, answer) = meet(&phone_tls(false), move |mut socket| {
            let _ = socket.write_all(&bytes);
            let _ = socket.shutdown(std::net::Shutdown::Write);
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer);
            answer
        })
        .await;

        assert!(matches!(seen, Err(HandshakeFailure::NotTls | HandshakeFailure::Hello)), "{seen:?}");
        assert_eq!(answer, [0u8; 0]);
    }
}
