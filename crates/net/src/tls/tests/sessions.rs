//! Nobody is another phone: not with its certificate alone, not with its session's ticket alone.

use super::{GOOD, Seen, assert_factory, meet, refused, served};
use crate::fixtures::{Key, Leaf, MAC, OTHER_KEY, Pair, phone};
use crate::lab::{Phone, phone_tls};
use crate::tls::{HandshakeFailure, PhoneTls};
use openssl::pkey::PKey;
use openssl::rsa::RsaPrivateKeyBuilder;
use openssl::ssl::{Ssl, SslContext, SslSession, SslVersion};
use provost_core::identity::{CertificateStatus, Verdict};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;

const OTHER_MAC: &str = "0004F2DDEEFF";

static OTHER: LazyLock<Pair> =
    LazyLock::new(|| phone(&Leaf { names: vec![OTHER_MAC], key: &OTHER_KEY, ..Leaf::default() }));

/// How a phone speaks, with a name for it.
type Way = (&'static str, fn() -> Phone);

const WAYS: [Way; 4] = [
    ("static RSA", Phone::stock),
    ("CBC", || Phone::new().version(SslVersion::TLS1_2).suites("ECDHE-RSA-AES128-SHA")),
    ("TLS 1.2", || Phone::new().version(SslVersion::TLS1_2).suites("ECDHE-RSA-AES128-GCM-SHA256")),
    ("TLS 1.3", Phone::new),
];

/// The public half of the certificate's key with the private exponent of another, which OpenSSL takes for its key.
fn key_with_the_wrong_exponent(pair: &Pair, other: &Key) -> Pair {
    let (public, other) = (pair.key.rsa().unwrap(), other.rsa().unwrap());
    let part = |number: &openssl::bn::BigNumRef| number.to_owned().unwrap();
    let wrong = RsaPrivateKeyBuilder::new(part(public.n()), part(public.e()), part(other.d())).unwrap().build();
    Pair { certificate: pair.certificate.clone(), key: PKey::from_rsa(wrong).unwrap() }
}

#[tokio::test]
async fn a_certificate_without_its_key_fails_on_either_stack() {
    let thief = key_with_the_wrong_exponent(&GOOD, &OTHER_KEY);
    for legacy in [false, true] {
        let tls = phone_tls(legacy);
        for (way, phone) in WAYS {
            assert_factory(&served(&tls, phone().with(&GOOD)).await);

            let reason = refused(&tls, phone().with(&thief)).await;

            assert_eq!(reason, HandshakeFailure::NotItsKey.words(), "{way}");
        }
    }
}

/// Asks with this session, if any, and returns the answer and the session to go on with.
fn ask(
    context: SslContext,
    session: Option<Vec<u8>>,
) -> impl FnOnce(TcpStream) -> (Result<String, String>, Vec<u8>) + Send {
    move |socket| {
        let mut ssl = Ssl::new(&context).unwrap();
        if let Some(session) = session {
            let session = SslSession::from_der(&session).unwrap();
            #[expect(unsafe_code, reason = "the binding leaves the session's origin to the caller")]
            // SAFETY: the session is a copy that nothing else holds.
            unsafe {
                ssl.set_session(&session).unwrap();
            }
        }
        let mut stream = match ssl.connect(socket) {
            Ok(stream) => stream,
            Err(error) => return (Err(error.to_string()), Vec::new()),
        };
        // The ticket of TLS 1.3 comes with the first answer, so the session is taken after it.
        let mut answer = [0; 6];
        let answered = stream.write_all(b"ask?").and_then(|()| stream.read_exact(&mut answer));
        let session = stream.ssl().session().map(|session| session.to_der().unwrap()).unwrap_or_default();
        let answered = answered.map(|()| String::from_utf8_lossy(&answer).into_owned());
        (answered.map_err(|error| error.to_string()), session)
    }
}

/// One connection as a phone of this kind, showing `pair` if asked, resuming `session` if the server agrees.
async fn resume(
    tls: &PhoneTls,
    phone: Phone,
    session: Option<&[u8]>,
) -> (Result<Seen, HandshakeFailure>, Result<String, String>, Vec<u8>) {
    let (seen, (answer, session)) = meet(tls, ask(phone.build(), session.map(<[u8]>::to_vec))).await;
    (seen, answer, session)
}

fn mac_text(verdict: &Verdict) -> String {
    verdict.mac.map(|mac| mac.to_string().to_uppercase()).unwrap_or_default()
}

#[tokio::test]
async fn a_resumed_session_is_the_phone_that_began_it_whatever_is_shown_now() {
    for (way, phone) in WAYS {
        let tls = phone_tls(false);
        let (first, _, session) = resume(&tls, phone().with(&GOOD), None).await;
        assert_eq!(mac_text(&first.unwrap().verdict), MAC, "{way}");

        // Whoever holds the session's secret is that phone: no certificate is sent, and none is asked for.
        for again in [phone(), phone().with(&OTHER)] {
            let (seen, answer, _) = resume(&tls, again, Some(&session)).await;
            let seen = seen.unwrap();
            assert_eq!((answer.as_deref(), seen.resumed), (Ok("served"), true), "{way}");
            assert_eq!(mac_text(&seen.verdict), MAC, "{way}");
        }
        let (fresh, _, _) = resume(&tls, phone().with(&OTHER), None).await;
        assert_eq!(mac_text(&fresh.unwrap().verdict), OTHER_MAC, "{way}");
    }
}

#[tokio::test]
async fn a_ticket_without_its_secret_is_nobodys() {
    for (way, phone) in WAYS {
        let tls = phone_tls(false);
        let (_, _, session) = resume(&tls, phone().with(&GOOD), None).await;
        // What somebody sees who listens on the wire: the ticket, and no secret.
        let secret = SslSession::from_der(&session).unwrap();
        let mut secret_bytes = vec![0; secret.master_key_len()];
        secret.master_key(&mut secret_bytes);
        let at = session.windows(secret_bytes.len()).position(|window| window == secret_bytes).unwrap();
        let mut stolen = session.clone();
        stolen[at] ^= 1;

        for shown in [phone(), phone().with(&OTHER)] {
            let (seen, answer, _) = resume(&tls, shown, Some(&stolen)).await;
            assert!(answer.is_err(), "{way}");
            assert!(seen.is_err(), "{way}: {seen:?}");
        }
        let (seen, answer, _) = resume(&tls, phone(), Some(&session)).await;
        assert!(seen.unwrap().resumed && answer.is_ok(), "{way}: the session itself is still good");
    }
}

#[tokio::test]
async fn a_session_of_another_server_or_the_other_stack_proves_nothing() {
    let (here, elsewhere) = (phone_tls(false), phone_tls(false));
    for (way, phone) in WAYS {
        let (_, _, session) = resume(&elsewhere, phone().with(&GOOD), None).await;
        let (seen, answer, _) = resume(&here, phone().with(&OTHER), Some(&session)).await;
        let seen = seen.unwrap();
        assert_eq!((answer.as_deref(), seen.resumed), (Ok("served"), false), "{way}");
        assert_eq!(mac_text(&seen.verdict), OTHER_MAC, "{way}");
    }

    let (_, _, older) = resume(&here, Phone::stock().with(&GOOD), None).await;
    let both = Phone::new().version(SslVersion::TLS1_2).suites("ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA");
    let (seen, answer, _) = resume(&here, both, Some(&older)).await;
    let seen = seen.unwrap();
    assert_eq!((answer.as_deref(), seen.resumed), (Ok("served"), false));
    assert_eq!(seen.verdict.status, CertificateStatus::NonePresented);
}

#[tokio::test]
async fn a_session_without_a_certificate_stays_without() {
    for (way, phone) in WAYS {
        let tls = phone_tls(false);
        let (_, _, session) = resume(&tls, phone(), None).await;

        let (seen, _, _) = resume(&tls, phone().with(&GOOD), Some(&session)).await;

        let seen = seen.unwrap();
        assert!(seen.resumed, "{way}");
        assert_eq!(*seen.verdict, Verdict::none_presented(), "{way}");
    }
}
