//! Measures what judging a phone's certificate costs when it is not remembered: part of `./bench`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement: a failure here is a failed run")]

use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use provost_pki::authority::{PhoneSubject, TestMaker, Validity};
use provost_pki::certificate::read_certificates;
use provost_pki::policy::{DevicePolicy, PolicyRules};
use provost_pki::trust::{CertificateFile, Origin, TrustStore};
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: u32 = 2000;

#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn clock() -> Instant {
    Instant::now()
}

fn main() {
    let now = UnixMillis(1_795_000_000_000);
    let validity = Validity::days_from(now, 1000);
    let maker = TestMaker::generate("Bench Maker", validity).unwrap();
    let mac = MacAddr::new([0, 4, 0xf2, 0, 0, 1]);
    let phone = maker.issue(&PhoneSubject { mac, organization: "Bench Maker", validity }).unwrap();
    let bundle = maker.bundle_pem();
    let file = CertificateFile { name: "bundle", bytes: bundle.as_bytes(), origin: Origin::Custom };
    let trust = Arc::new(TrustStore::new(Vec::new(), &[file]).unwrap());
    let chain = read_certificates(phone.chain_pem.as_bytes()).unwrap();
    let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
    let rules = PolicyRules { accept_expired_leaf: true, legacy: false };
    let remembered = DevicePolicy::new(Arc::clone(&trust), rules);
    assert_eq!(remembered.judge(&chain, now).mac, Some(mac));

    let began = clock();
    for _ in 0..ROUNDS {
        // A policy that has seen nothing remembers nothing.
        assert_eq!(DevicePolicy::new(Arc::clone(&trust), rules).judge(&chain, now).mac, Some(mac));
    }
    let anew = began.elapsed();
    let began = clock();
    for _ in 0..ROUNDS {
        assert_eq!(remembered.judge(&chain, now).mac, Some(mac));
    }
    let again = began.elapsed();
    println!(
        "judging a leaf anew {:.1} us, a remembered one {:.2} us",
        anew.as_secs_f64() * 1e6 / f64::from(ROUNDS),
        again.as_secs_f64() * 1e6 / f64::from(ROUNDS)
    );
}
