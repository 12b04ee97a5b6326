use super::*;
use provost_pki::authority::{ServerAuthority, Validity};

const RSA: ServerKeyKind = ServerKeyKind::Rsa2048;
const P256: ServerKeyKind = ServerKeyKind::P256;

struct Place {
    _temporary: tempfile::TempDir,
    folder: Folder,
    authority: ServerAuthority,
}

fn place() -> Place {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("acme");
    let (directory, names) = ("https://acme.example/dir".to_owned(), vec!["phones.example".to_owned()]);
    let authority = ServerAuthority::generate("Root", Validity::days_from(clock::now(), 900)).unwrap();
    Place { _temporary: temporary, folder: Folder { path, directory, names }, authority }
}

impl Place {
    /// Key and chain of a life of 90 days that ends in so many.
    fn pair(&self, kind: ServerKeyKind, name: &str, days: i64) -> (Secret, String) {
        self.pair_of_life(kind, name, (90, days))
    }

    fn pair_of_life(&self, kind: ServerKeyKind, name: &str, (life, days): (i64, i64)) -> (Secret, String) {
        let not_after = clock::now().plus_days(days);
        let validity = Validity { not_before: not_after.plus_days(-life), not_after };
        let made = self.authority.issue(&[name.to_owned()], kind, validity).unwrap();
        (made.key_pem, made.chain_pem)
    }

    fn keep(&self, kind: ServerKeyKind, name: &str, days: i64) -> Result<(), Faults> {
        let (key, chain) = self.pair(kind, name, days);
        self.folder.check(kind, &key, &chain)?.keep().unwrap();
        Ok(())
    }

    /// Writes what would not be kept any more.
    fn put(&self, kind: ServerKeyKind, name: &str, days: i64) {
        let (key, chain) = self.pair(kind, name, days);
        let text = format!("{DIRECTORY_LINE}{}\n{}{chain}", self.folder.directory, key.reveal());
        make_private_folder(&self.folder.path).unwrap();
        std::fs::write(self.folder.file(kind), text).unwrap();
    }

    fn reason(&self, kind: ServerKeyKind) -> Option<Reason> {
        self.folder.reason(kind, clock::now())
    }
}

#[test]
fn a_pair_that_came_is_kept_and_shown_and_ordered_again_only_in_its_last_third() {
    let place = place();
    assert_eq!(place.reason(RSA), Some(Reason::None));
    assert!(place.folder.certificates().unwrap().is_none());

    for kind in KINDS {
        place.keep(kind, "phones.example", 80).unwrap();
    }

    assert_eq!((place.reason(RSA), place.reason(P256)), (None, None));
    let shown = place.folder.certificates().unwrap().unwrap();
    assert!(shown.rsa().is_some() && shown.p256().is_some());
    let in_days = |days| place.folder.reason(RSA, clock::now().plus_days(days));
    assert_eq!(in_days(46), None);
    assert_eq!(in_days(48), Some(Reason::NearEnd { days_left: 31 }));
    // Three days later there is an alarm.
    let pair = shown.rsa().unwrap();
    assert!(!is_late(pair, clock::now().plus_days(49)) && is_late(pair, clock::now().plus_days(51)));
    let left = place.folder.left(RSA, clock::now()).unwrap();
    assert!(left < Duration::from_secs(80 * 86_400) && left > Duration::from_secs(79 * 86_400));
}

#[test]
fn of_a_short_life_a_third_is_for_the_renewal_and_a_quarter_for_the_alarm() {
    let place = place();
    let (key, chain) = place.pair_of_life(RSA, "phones.example", (60, 59));
    place.folder.check(RSA, &key, &chain).unwrap().keep().unwrap();

    let shown = place.folder.certificates().unwrap().unwrap();
    let pair = shown.rsa().unwrap();
    let in_days =
        |days| (place.folder.reason(RSA, clock::now().plus_days(days)), is_late(pair, clock::now().plus_days(days)));

    assert_eq!(in_days(38), (None, false));
    assert_eq!(in_days(40), (Some(Reason::NearEnd { days_left: 18 }), false));
    assert!(in_days(45).1);
}

#[test]
fn nothing_is_ordered_where_nothing_can_be_kept() {
    let place = place();
    place.folder.try_out().unwrap();
    assert_eq!(std::fs::read_dir(&place.folder.path).unwrap().count(), 0);

    std::fs::remove_dir(&place.folder.path).unwrap();
    std::fs::write(&place.folder.path, "a file").unwrap();

    assert!(matches!(place.folder.try_out(), Err(Trouble::File { .. })));
}

#[test]
fn what_is_of_no_use_is_not_kept() {
    let place = place();
    let faults = |kind, name, days| place.keep(kind, name, days).unwrap_err().join("; ");

    assert_eq!(faults(RSA, "other.example", 80), "it is for other.example, not for phones.example");
    assert!(faults(RSA, "phones.example", 29).starts_with("it has 28 days left by this machine's clock"));
    assert!(faults(RSA, "phones.example", -1).contains("expired"));
    let (key, chain) = place.pair(P256, "phones.example", 80);
    assert!(place.folder.check(RSA, &key, &chain).is_err());
    let (other, _) = place.pair(P256, "phones.example", 80);
    assert!(place.folder.check(P256, &other, &chain).is_err());
    assert_eq!(place.reason(RSA), Some(Reason::None));
}

#[test]
fn another_directory_or_name_is_a_reason_to_order_but_not_to_show_nothing() {
    let mut place = place();
    place.keep(RSA, "phones.example", 80).unwrap();

    place.folder.directory = "https://other.example/dir".to_owned();
    assert_eq!(place.reason(RSA), Some(Reason::OtherDirectory));
    assert!(place.folder.certificates().unwrap().is_some());
    // Phones move: the address they come from is still served by what holds it alone.
    place.folder.names.insert(0, "new.example".to_owned());
    assert_eq!(place.reason(RSA), Some(Reason::OtherNames));
    assert!(place.folder.certificates().unwrap().is_some());
    place.folder.names.pop();
    assert!(place.folder.certificates().unwrap().is_none());
}

#[test]
fn rsa_is_a_must_and_a_broken_p256_pair_is_left_out() {
    let place = place();
    place.keep(P256, "phones.example", 80).unwrap();
    assert!(place.folder.certificates().unwrap().is_none());
    place.keep(RSA, "phones.example", 80).unwrap();
    std::fs::write(place.folder.file(P256), "nothing").unwrap();

    let shown = place.folder.certificates().unwrap().unwrap();

    assert!(shown.rsa().is_some() && shown.p256().is_none());
    assert!(matches!(place.reason(P256), Some(Reason::Unusable(_))));
    place.put(RSA, "phones.example", -1);
    assert!(place.folder.certificates().unwrap_err().join("").contains("expired"));
    assert!(matches!(place.reason(RSA), Some(Reason::Unusable(_))));
    assert_eq!(place.folder.due(clock::now()).len(), 2);
}
