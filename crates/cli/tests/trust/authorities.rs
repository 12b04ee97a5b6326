//! A maker's authority that a phone sent.

use crate::provost;
use provost_testkit::{Maker, ServerSetup, TestServer};

const AGENT: &[&str] = &["--user-agent", crate::phone::USER_AGENT];

#[test]
fn an_authority_that_a_phone_sent_serves_phones_that_send_only_their_own_after_a_restart() {
    let maker = Maker::new();
    let overlay = tempfile::tempdir().unwrap();
    let authority = format!(
        "[[authority]]\nid = \"test\"\nname = \"Test Maker Equipment Issuing CA 1\"\nsha256 = \"{}\"\n\
         role = \"issuing\"\nsource = \"own\"\nevidence = \"on-hardware\"\n",
        maker.issuing_sha256()
    );
    std::fs::write(overlay.path().join("test.toml"), authority).unwrap();
    let top = format!("catalog-dir = {:?}\n", overlay.path());
    let mut server = TestServer::start_without_authorities(&provost(), &ServerSetup { top, sections: String::new() });
    let (whole, leaf_only) = (maker.phone("0004f2000001"), maker.leaf_only("0004f2000002"));
    let ask_leaf_only = |server: &TestServer| server.phone(Some(&leaf_only), "/0004f2000002.cfg", AGENT).status;

    assert_eq!(ask_leaf_only(&server), 404);
    assert!(server.timeline("0004f2000002")[0].contains("issuing authority not imported"));
    assert_eq!(server.phone(Some(&whole), "/0004f2000001.cfg", AGENT).status, 200, "it sends its chain");
    assert_eq!(server.stop(), Some(0));
    server.power_on();

    assert_eq!(ask_leaf_only(&server), 200, "{}", server.log());
    let kept = server.data().join("trust/maker").join(format!("{}.pem", maker.issuing_sha256()));
    assert!(kept.exists(), "{}", server.log());
}
