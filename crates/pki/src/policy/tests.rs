use super::*;
use crate::fixtures::{
    ISSUING, KEY_512, KEY_1024, LEAF_KEY, Leaf, MAC, NOW, OTHER_KEY, POLICY, Pair, authority, authority_for, phone,
    signed,
};
use crate::trust::{CertificateFile, Origin, Pin};
use openssl::hash::MessageDigest;
use proptest::prelude::*;
use std::sync::LazyLock;

const STRICT: PolicyRules = PolicyRules { accept_expired_leaf: true, legacy: false };
const LEGACY: PolicyRules = PolicyRules { accept_expired_leaf: true, legacy: true };

/// Another key under the issuing authority's name.
static ROGUE: LazyLock<Pair> = LazyLock::new(|| authority("Maker Issuing CA", None, &OTHER_KEY));

fn pins() -> Vec<Pin> {
    let pin = |id: &str, name: &str, pair: &Pair, issuing| Pin {
        id: id.to_owned(),
        name: name.to_owned(),
        sha256: pair.sha256(),
        issuing,
    };
    vec![pin("policy", "Maker Policy CA", &POLICY, false), pin("issuing", "Maker Issuing CA", &ISSUING, true)]
}

fn policy_over(present: &[&Pair], rules: PolicyRules) -> DevicePolicy {
    let pems: Vec<Vec<u8>> = present.iter().map(|pair| pair.pem()).collect();
    let files: Vec<CertificateFile<'_>> =
        pems.iter().map(|bytes| CertificateFile { name: "maker.pem", bytes, origin: Origin::Maker }).collect();
    DevicePolicy::new(Arc::new(TrustStore::new(pins(), &files).unwrap()), rules)
}

fn policy(rules: PolicyRules) -> DevicePolicy {
    policy_over(&[&POLICY, &ISSUING], rules)
}

fn judge(policy: &DevicePolicy, chain: &[&Pair]) -> Arc<Verdict> {
    let chain: Vec<Vec<u8>> = chain.iter().map(|pair| pair.der()).collect();
    policy.judge(&chain.iter().map(Vec::as_slice).collect::<Vec<_>>(), NOW)
}

fn reason(verdict: &Verdict) -> &str {
    assert_eq!((verdict.status, verdict.mac), (CertificateStatus::Invalid, None));
    verdict.reason.as_deref().unwrap()
}

fn refusal_of(says: &Leaf<'_>) -> String {
    reason(&judge(&policy(LEGACY), &[&phone(says)])).to_owned()
}

#[test]
fn a_factory_certificate_proves_its_mac_with_and_without_the_chain() {
    let good = phone(&Leaf::default());
    for chain in [vec![&good, &*ISSUING, &*POLICY], vec![&good]] {
        let verdict = judge(&policy(STRICT), &chain);

        assert_eq!(verdict.status, CertificateStatus::FactoryInstalled);
        assert_eq!(verdict.mac, MacAddr::from_hex12(MAC));
        assert_eq!((&verdict.reason, &verdict.note), (&None, &None));
        assert_eq!(verdict.fingerprint, Some(good.sha256()));
    }
}

#[test]
fn the_mac_may_be_in_lower_case_and_the_purpose_may_be_absent_or_any() {
    let lower = MAC.to_lowercase();
    for says in [
        Leaf { names: vec![&lower], ..Leaf::default() },
        Leaf { purposes: vec![], ..Leaf::default() },
        Leaf { purposes: vec!["anyExtendedKeyUsage"], ..Leaf::default() },
    ] {
        assert_eq!(judge(&policy(STRICT), &[&phone(&says)]).mac, MacAddr::from_hex12(MAC));
    }
}

#[test]
fn no_certificate_is_no_refusal() {
    assert_eq!(*policy(STRICT).judge(&[], NOW), Verdict::none_presented());
}

#[test]
fn a_self_signed_certificate_has_a_status_of_its_own() {
    let verdict = judge(&policy(LEGACY), &[&signed(&Leaf::default(), None)]);

    assert_eq!((verdict.status, verdict.mac), (CertificateStatus::SelfSigned, None));
    assert!(verdict.reason.is_some());
}

#[test]
fn issuers_that_are_not_the_makers_are_told_apart() {
    let stranger = authority("Some Other CA", None, &OTHER_KEY);
    let by = |issuer: &Pair| signed(&Leaf::default(), Some(issuer));

    let unknown = judge(&policy(STRICT), &[&by(&stranger), &stranger]);
    let rogue = judge(&policy(STRICT), &[&by(&ROGUE), &ROGUE]);
    let not_issuing = judge(&policy(STRICT), &[&by(&POLICY)]);

    assert_eq!(reason(&unknown), "its issuer `Some Other CA` is no known phone maker's authority");
    assert_eq!(
        reason(&rogue),
        "it only looks issued by `Maker Issuing CA`: the signature was not made by that authority's key"
    );
    assert_eq!(
        reason(&not_issuing),
        "its issuer `Maker Policy CA` is an authority that does not issue phones' certificates"
    );
}

#[test]
fn an_authority_that_is_not_imported_serves_when_a_phone_sends_it_and_from_then_on() {
    let policy = policy_over(&[&POLICY], STRICT);
    let (first, second) = (phone(&Leaf::default()), phone(&Leaf::default()));

    let before = judge(&policy, &[&first]);
    let rogue = judge(&policy, &[&signed(&Leaf::default(), Some(&ROGUE)), &ROGUE]);
    let with_chain = judge(&policy, &[&first, &ISSUING]);
    let leaf_only = judge(&policy, &[&second]);

    assert!(reason(&before).starts_with("issuing authority not imported: `Maker Issuing CA`"), "{before:?}");
    assert!(reason(&rogue).starts_with("it only looks issued by"), "{rogue:?}");
    assert_eq!(with_chain.status, CertificateStatus::FactoryInstalled);
    assert_eq!(leaf_only.status, CertificateStatus::FactoryInstalled);
    assert_eq!(policy.learned().iter().map(|known| known.fingerprint).collect::<Vec<_>>(), [ISSUING.sha256()]);
}

#[test]
fn sha1_and_1024_bits_pass_with_legacy_only_and_are_marked_weak() {
    let weak = phone(&Leaf { key: &KEY_1024, digest: MessageDigest::sha1(), ..Leaf::default() });
    let sha1 = phone(&Leaf { digest: MessageDigest::sha1(), ..Leaf::default() });

    let refused = judge(&policy(STRICT), &[&sha1]);
    let accepted = judge(&policy(LEGACY), &[&weak]);

    assert_eq!(reason(&refused), "it is signed with SHA-1, which only `legacy-tls = true` accepts");
    assert_eq!(accepted.status, CertificateStatus::FactoryInstalled);
    assert_eq!(accepted.note.as_deref(), Some("it is signed with SHA-1; its RSA key has only 1024 bits"));
    let short = phone(&Leaf { key: &KEY_1024, ..Leaf::default() });
    assert!(reason(&judge(&policy(STRICT), &[&short])).contains("only 1024 bits"));
}

#[test]
fn a_512_bit_key_never_passes() {
    let says = Leaf { key: &KEY_512, ..Leaf::default() };
    assert_eq!(refusal_of(&says), "its RSA key has 512 bits, at least 1024 are needed");
}

#[test]
fn leaves_that_are_not_a_phones_are_refused_with_what_they_are() {
    assert_eq!(
        refusal_of(&Leaf { authority: true, ..Leaf::default() }),
        "it is marked as an authority (CA:TRUE), so it is not a phone's own certificate"
    );
    assert_eq!(
        refusal_of(&Leaf { purposes: vec!["serverAuth", "1.2.3.4"], ..Leaf::default() }),
        "its purpose is serverAuth, 1.2.3.4, not clientAuth"
    );
    assert_eq!(
        refusal_of(&Leaf { names: vec!["phone.example"], ..Leaf::default() }),
        "its name `phone.example` is no MAC address"
    );
    let other_forms = ["0004F2AABBC", "0004F2AABBCCD", "00:04:F2:AA:BB:CC", "000000000000", " 0004F2AABBC"];
    for name in other_forms {
        let refusal = refusal_of(&Leaf { names: vec![name], ..Leaf::default() });
        assert_eq!(refusal, format!("its name `{name}` is no MAC address"));
    }
    let two = Leaf { names: vec![MAC, "0004F2AABBCD"], ..Leaf::default() };
    assert_eq!(refusal_of(&two), "it has 2 common names, expected one");
    assert_eq!(refusal_of(&Leaf { names: vec![], ..Leaf::default() }), "it has 0 common names, expected one");
}

#[test]
fn an_expired_leaf_is_accepted_with_a_note_unless_switched_off() {
    let expired = phone(&Leaf { days: (-4_000, -2_000), ..Leaf::default() });

    let accepted = judge(&policy(STRICT), &[&expired]);
    let refused = judge(&policy(PolicyRules { accept_expired_leaf: false, legacy: false }), &[&expired]);

    assert_eq!(accepted.status, CertificateStatus::FactoryInstalled);
    assert_eq!(accepted.note.as_deref(), Some("it expired on 2021-03-31"));
    assert_eq!(reason(&refused), "it expired on 2021-03-31 and `accept-expired-leaf` is off");
}

#[test]
fn a_leaf_from_the_future_is_refused() {
    let refusal = refusal_of(&Leaf { days: (10, 20), ..Leaf::default() });
    assert!(refusal.starts_with("it is not valid before 2026-10-01"), "{refusal}");
}

#[test]
fn a_leaf_of_an_expired_authority_is_refused() {
    let old = authority_for("Old CA", None, &OTHER_KEY, (-900, -10));
    let pem = old.pem();
    let file = CertificateFile { name: "old.pem", bytes: &pem, origin: Origin::Custom };
    let policy = DevicePolicy::new(Arc::new(TrustStore::new(vec![], &[file]).unwrap()), STRICT);

    let verdict = judge(&policy, &[&signed(&Leaf::default(), Some(&old))]);

    assert_eq!(reason(&verdict), "its issuer `Old CA` expired on 2026-09-11");
}

#[test]
fn a_remembered_leaf_is_judged_by_todays_date() {
    let policy = policy(PolicyRules { accept_expired_leaf: false, legacy: false });
    let der = phone(&Leaf { days: (-10, 10), ..Leaf::default() }).der();

    let today = policy.judge(&[&der], NOW);
    let later = policy.judge(&[&der], NOW.plus_days(11));
    let earlier = policy.judge(&[&der], NOW.plus_days(-11));

    assert_eq!(today.status, CertificateStatus::FactoryInstalled);
    assert!(Arc::ptr_eq(&today, &policy.judge(&[&der], NOW)), "judged anew");
    assert!(reason(&later).starts_with("it expired on"));
    assert!(reason(&earlier).starts_with("it is not valid before"));
}

#[test]
fn changed_and_unreadable_bytes_prove_nothing() {
    let good = phone(&Leaf::default()).der();
    let policy = policy(LEGACY);
    assert_eq!(reason(&policy.judge(&[b"x"], NOW)), "it is not readable as an X.509 certificate");
    let longer = [good.clone(), vec![0]].concat();
    assert_eq!(reason(&policy.judge(&[&longer], NOW)), "it is not readable as an X.509 certificate");
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert_eq!(policy.judge(&[&changed], NOW).mac, None, "byte {at}");
    }
}

#[test]
fn an_authority_of_ones_own_counts_as_issuing() {
    let own = authority("Lab CA", None, &LEAF_KEY);
    let der = own.der();
    let file = CertificateFile { name: "lab.crt", bytes: &der, origin: Origin::Custom };
    let policy = DevicePolicy::new(Arc::new(TrustStore::new(pins(), &[file]).unwrap()), STRICT);

    let verdict = judge(&policy, &[&signed(&Leaf { key: &OTHER_KEY, ..Leaf::default() }, Some(&own))]);

    assert_eq!(verdict.status, CertificateStatus::FactoryInstalled);
}

static CHANGEABLE: LazyLock<Vec<u8>> = LazyLock::new(|| phone(&Leaf::default()).der());

proptest! {
    #[test]
    fn no_bytes_panic_or_prove_anything(
        junk in proptest::collection::vec(any::<u8>(), 1..200),
        at in any::<prop::sample::Index>(),
    ) {
        let policy = policy(LEGACY);
        let mut changed = CHANGEABLE.clone();
        let at = at.index(changed.len());
        let end = changed.len().min(at + junk.len());
        changed.splice(at..end, junk.iter().copied());
        for leaf in [&junk, &changed] {
            let proven = policy.judge(&[leaf, &junk, &changed], NOW).mac;
            prop_assert!(proven.is_none() || leaf == &*CHANGEABLE);
        }
    }
}
