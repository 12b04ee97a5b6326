use super::*;
use proptest::prelude::*;

#[derive(Default, Clone)]
struct Offer {
    version: u16,
    suites: Vec<u16>,
    signatures: Option<Vec<u16>>,
    groups: Option<Vec<u16>>,
    versions: Option<Vec<u16>>,
}

fn numbers(list: &[u16]) -> Vec<u8> {
    list.iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn block16(bytes: Vec<u8>) -> Vec<u8> {
    [u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec(), bytes].concat()
}

fn extension(kind: u16, content: Vec<u8>) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), block16(content)].concat()
}

fn hello(offer: &Offer) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(list) = &offer.signatures {
        extensions.extend(extension(EXTENSION_SIGNATURES, block16(numbers(list))));
    }
    if let Some(list) = &offer.groups {
        extensions.extend(extension(EXTENSION_GROUPS, block16(numbers(list))));
    }
    if let Some(list) = &offer.versions {
        let list = numbers(list);
        extensions.extend(extension(EXTENSION_VERSIONS, [vec![u8::try_from(list.len()).unwrap()], list].concat()));
    }
    let mut body = [offer.version.to_be_bytes().to_vec(), vec![7; 32], vec![0]].concat();
    body.extend(block16(numbers(&offer.suites)));
    body.extend([1, 0]);
    if !extensions.is_empty() {
        body.extend(block16(extensions));
    }
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [vec![CLIENT_HELLO, length[1], length[2], length[3]], body].concat()
}

fn records(message: &[u8], size: usize) -> Vec<u8> {
    message.chunks(size).flat_map(|part| [vec![HANDSHAKE, 3, 1], block16(part.to_vec())].concat()).collect()
}

fn kind(offer: &Offer) -> Hello {
    classify(&records(&hello(offer), 16_384)).expect("complete")
}

fn modern() -> Offer {
    Offer {
        version: TLS12,
        suites: vec![0x1301, 0xc02f],
        signatures: Some(vec![0x0804, 0x0401]),
        groups: Some(vec![0x001d, 0x0017]),
        versions: Some(vec![TLS13, TLS12]),
    }
}

#[test]
fn a_current_client_goes_to_the_modern_stack() {
    assert_eq!(kind(&modern()), Hello::Modern);
    assert_eq!(kind(&Offer { versions: None, suites: vec![0xc02f], ..modern() }), Hello::Modern);
}

#[test]
fn stock_firmware_with_static_rsa_goes_to_the_older_stack() {
    let stock = Offer { version: TLS12, suites: vec![0x002f, 0x0035], ..Offer::default() };
    assert_eq!(kind(&stock), Hello::Older { static_rsa_only: true });
    let with_signatures = Offer { signatures: Some(vec![0x0401, 0x0201]), ..stock };
    assert_eq!(kind(&with_signatures), Hello::Older { static_rsa_only: false });
}

#[test]
fn what_only_legacy_serves_is_named() {
    let old = Offer { version: 0x0301, suites: vec![0x002f], ..Offer::default() };
    assert_eq!(kind(&old), Hello::Legacy(LegacyNeed::Version(0x0301)));
    let sha1 = Offer { versions: None, signatures: Some(vec![0x0201]), ..modern() };
    assert_eq!(kind(&sha1), Hello::Legacy(LegacyNeed::Sha1));
    let listed = Offer { versions: Some(vec![0x0302, 0x0301]), ..modern() };
    assert_eq!(kind(&listed), Hello::Legacy(LegacyNeed::Version(0x0302)));
    assert_eq!(classify(&[0x80, 46, 1, 3, 1]), Some(Hello::Legacy(LegacyNeed::SslV2Hello)));
}

#[test]
fn plain_http_is_not_tls() {
    assert_eq!(classify(b"GET /000000000000.cfg HTTP/1.1\r\n"), Some(Hello::NotTls));
    assert_eq!(classify(&[HANDSHAKE, 3, 1, 0, 4, 2, 0, 0, 0]), Some(Hello::NotTls));
    assert_eq!(classify(&[HANDSHAKE, 3, 1, 0, 0]), Some(Hello::NotTls));
}

#[test]
fn a_hello_in_many_records_is_read_whole() {
    assert_eq!(classify(&records(&hello(&modern()), 3)), Some(Hello::Modern));
}

#[test]
fn every_part_of_a_hello_asks_for_more() {
    let bytes = records(&hello(&modern()), 50);
    for end in 0..bytes.len() {
        assert_eq!(classify(&bytes[..end]), None, "{end} of {}", bytes.len());
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = classify(&bytes);
        let _ = classify(&[vec![HANDSHAKE, 3, 1, 0, 200], bytes.clone()].concat());
        let _ = classify(&records(&[vec![CLIENT_HELLO, 0, 0, 100], bytes].concat(), 60));
    }

    #[test]
    fn no_changed_hello_panics(at in 0usize..120, byte: u8) {
        let mut bytes = records(&hello(&modern()), 16_384);
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        let _ = classify(&bytes);
    }
}
