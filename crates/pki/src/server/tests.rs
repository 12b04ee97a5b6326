use super::*;
use crate::authority::{ServerAuthority, ServerKeyKind, Validity};
use crate::fixtures::NOW;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use std::sync::LazyLock;

static AUTHORITY: LazyLock<ServerAuthority> =
    LazyLock::new(|| ServerAuthority::generate("Lab Root", Validity::days_from(NOW, 4_000)).unwrap());

fn pair(kind: ServerKeyKind, days: i64) -> (String, String) {
    let names = ["phones.example".to_owned(), "192.0.2.7".to_owned(), "2001:db8::7".to_owned()];
    let made = AUTHORITY.issue(&names, kind, Validity::days_from(NOW, days)).unwrap();
    (made.chain_pem, made.key_pem.reveal().to_owned())
}

static RSA: LazyLock<(String, String)> = LazyLock::new(|| pair(ServerKeyKind::Rsa2048, 90));
static P256: LazyLock<(String, String)> = LazyLock::new(|| pair(ServerKeyKind::P256, 30));

fn files<'a>(certificate: &'a str, key: &'a str) -> PairFiles<'a> {
    PairFiles {
        certificate_name: "server.crt",
        certificate: certificate.as_bytes(),
        key_name: "server.key",
        key: key.as_bytes(),
    }
}

fn errors(files: &[PairFiles<'_>]) -> Vec<String> {
    ServerCertificates::read(files, NOW).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn both_kinds_are_taken_with_their_names_and_days() {
    let found = ServerCertificates::read(&[files(&P256.0, &P256.1), files(&RSA.0, &RSA.1)], NOW).unwrap();

    assert_eq!(found.rsa().unwrap().days_left(NOW), 90);
    assert_eq!(found.p256().unwrap().days_left(NOW), 30);
    assert_eq!(found.rsa().unwrap().names, ["phones.example", "192.0.2.7", "2001:db8::7"]);
    assert_eq!(found.pairs().count(), 2);
    assert_eq!(found.rsa().unwrap().path, ["phones.example", "Lab Root"]);
}

#[test]
fn every_mistake_is_named_with_its_file() {
    assert_eq!(errors(&[]), ["no server certificate is configured"]);
    assert_eq!(
        errors(&[files(&RSA.0, &P256.1)]),
        ["server.key: this key does not belong to the certificate `phones.example` in server.crt"]
    );
    assert_eq!(
        errors(&[files(&RSA.0, &RSA.1), files(&RSA.0, &RSA.1)]),
        ["server.crt: a second RSA certificate; give one RSA and one P-256 certificate at most"]
    );
    let nothing = errors(&[files("", "")]);
    assert_eq!(nothing.len(), 2, "{nothing:?}");
    assert!(
        nothing[0].starts_with("server.crt: no certificate") && nothing[1].starts_with("server.key: no private key")
    );
}

#[test]
fn dates_outside_today_are_refused() {
    let (expired, key) = pair(ServerKeyKind::P256, -10);

    assert_eq!(errors(&[files(&expired, &key)]), ["server.crt: `phones.example` expired on 2026-09-11; renew it"]);
    let early = ServerCertificates::read(&[files(&P256.0, &P256.1)], NOW.plus_days(-2)).unwrap_err();
    assert_eq!(early[0].to_string(), "server.crt: `phones.example` is not valid before 2026-09-20");
}

#[test]
fn a_chain_in_the_wrong_order_is_refused() {
    let twice = [P256.0.as_str(), &RSA.0].concat();

    assert_eq!(
        errors(&[files(&twice, &P256.1)]),
        ["server.crt: certificate 2 (`phones.example`) did not issue the one before it, whose issuer is `Lab Root`"]
    );
    let with_root = [P256.0.as_str(), &AUTHORITY.root_pem].concat();
    let found = ServerCertificates::read(&[files(&with_root, &P256.1)], NOW).unwrap();
    assert_eq!(found.p256().unwrap().chain().len(), 2);
    assert_eq!(found.p256().unwrap().path, ["phones.example", "Lab Root"]);
}

#[test]
fn keys_in_the_old_encodings_are_read_and_encrypted_ones_refused() {
    let rsa = PKey::private_key_from_pem(RSA.1.as_bytes()).unwrap();
    let pkcs1 = String::from_utf8(rsa.rsa().unwrap().private_key_to_pem().unwrap()).unwrap();
    let p256 = PKey::private_key_from_pem(P256.1.as_bytes()).unwrap();
    let sec1 = String::from_utf8(p256.ec_key().unwrap().private_key_to_pem().unwrap()).unwrap();
    let cipher = openssl::symm::Cipher::aes_128_cbc();
    let locked = String::from_utf8(rsa.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap()).unwrap();

    ServerCertificates::read(&[files(&RSA.0, &pkcs1), files(&P256.0, &sec1)], NOW).unwrap();
    assert_eq!(
        errors(&[files(&RSA.0, &locked)]),
        ["server.key: no private key in it; expected PEM that is not encrypted (PKCS #8, PKCS #1 or SEC 1)"]
    );
}

#[test]
fn a_curve_that_phones_do_not_know_is_refused() {
    let group = EcGroup::from_curve_name(Nid::SECP384R1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let says = crate::fixtures::Leaf { names: vec!["phones.example"], key: &key, ..Default::default() };
    let made = crate::fixtures::signed(&says, None);
    let (chain, key) = (made.pem(), key.private_key_to_pem_pkcs8().unwrap());
    let (chain, key) = (String::from_utf8(chain).unwrap(), String::from_utf8(key).unwrap());

    let wrong = errors(&[files(&chain, &key)]);

    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("is ECDSA with 384 bits; expected RSA with 2048 bits or more, or P-256"), "{wrong:?}");
}
