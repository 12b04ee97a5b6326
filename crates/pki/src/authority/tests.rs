use super::*;
use crate::fixtures::NOW;
use crate::policy::{DevicePolicy, PolicyRules};
use crate::trust::{CertificateFile, Origin, TrustStore};
use provost_core::identity::CertificateStatus;
use std::sync::Arc;

#[test]
fn a_virtual_phone_is_factory_installed_once_its_maker_is_imported() {
    let validity = Validity::days_from(NOW, 3_650);
    let maker = TestMaker::generate("Test Maker", validity).unwrap();
    let mac = MacAddr::new([0, 4, 0xf2, 0xaa, 0xbb, 0xcc]);
    let phone = maker.issue(&PhoneSubject { mac, organization: "Test Maker Inc.", validity }).unwrap();
    let file = CertificateFile { name: "maker", bytes: maker.issuing_pem.as_bytes(), origin: Origin::Custom };
    let trust = Arc::new(TrustStore::new(vec![], &[file]).unwrap());
    let policy = DevicePolicy::new(trust, PolicyRules { accept_expired_leaf: false, legacy: false });

    let chain = certificate::read_certificates(phone.chain_pem.as_bytes()).unwrap();
    let verdict = policy.judge(&[&chain[0]], NOW);

    assert_eq!(chain.len(), 3);
    assert_eq!((verdict.status, verdict.mac), (CertificateStatus::FactoryInstalled, Some(mac)));
    let leaf = certificate::parse(&chain[0]).unwrap();
    assert_eq!(leaf.subject().to_string(), "CN=0004F2AABBCC, O=Test Maker Inc.");
    assert_eq!(certificate::read_certificates(maker.bundle_pem().as_bytes()).unwrap().len(), 3);
}

#[test]
fn openssl_accepts_the_chains_we_make() {
    use openssl::stack::Stack;
    use openssl::x509::store::X509StoreBuilder;
    use openssl::x509::{X509, X509StoreContext, verify::X509VerifyParam};
    let authority = ServerAuthority::generate("Lab Root", Validity::days_from(NOW, 3_650)).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = authority.issue(&names, ServerKeyKind::P256, Validity::days_from(NOW, 90)).unwrap();
    let leaf = X509::from_pem(made.chain_pem.as_bytes()).unwrap();
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(X509::from_pem(authority.root_pem.as_bytes()).unwrap()).unwrap();
    let mut when = X509VerifyParam::new().unwrap();
    when.set_time(NOW.seconds());
    when.set_host("localhost").unwrap();
    store.set_param(&when).unwrap();

    let mut context = X509StoreContext::new().unwrap();
    let valid = context.init(&store.build(), &leaf, &Stack::new().unwrap(), |each| each.verify_cert()).unwrap();

    assert!(valid, "{}", context.error());
}

#[test]
fn a_server_certificate_needs_a_name() {
    let authority = ServerAuthority::generate("Lab Root", Validity::days_from(NOW, 10)).unwrap();
    let nameless = authority.issue(&[], ServerKeyKind::P256, Validity::days_from(NOW, 10));
    assert!(matches!(nameless, Err(AuthorityError::NoName)));
}
