//! The outbox: each step of a mail's life, welcome mails with their links, templates up the tree, alarms by mail.

use super::{NOW, Scene, device_id, id, mac};
use provost_core::entry::NewUser;
use provost_core::ids::{AccountId, MailId};
use provost_core::mail::template::MailTemplate;
use provost_core::mail::{LONGEST_WAIT_MS, MailState};
use provost_core::rights::Scope;
use provost_core::time::UnixMillis;
use provost_store::{
    AuditEntry, Ciphertext, ClaimBy, LinkRow, MailFilter, NewAlarm, NewMail, NewWelcome, Page, Resealed, StoreError,
    Welcomable, Within,
};

fn mail_id(n: u32) -> MailId {
    id("mail", n)
}

fn later(ms: i64) -> UnixMillis {
    NOW.plus_millis(ms)
}

fn entry(what: &str) -> AuditEntry {
    AuditEntry {
        id: what.to_owned(),
        at: NOW,
        who: "a test".to_owned(),
        what: what.to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

fn new<'a>(id: &'a MailId, account: Option<&'a AccountId>, address: &'a str) -> NewMail<'a> {
    NewMail {
        id,
        account,
        site: None,
        person: None,
        kind: "alarm",
        address,
        subject: "Hello",
        content: b"sealed",
        now: NOW,
    }
}

async fn state(scene: &Scene, mail: &MailId) -> MailState {
    scene.store.mail(mail).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_mail_is_due_handed_over_and_ends_once() {
    let scene = Scene::new().await;
    let (store, one, two) = (&scene.store, mail_id(1), mail_id(2));
    store.add_mail(&new(&one, Some(&scene.account), "a@example.com")).await.unwrap();
    store.audited(entry("a")).add_mail(&new(&two, None, "b@example.com")).await.unwrap();
    let nobodys = store.add_mail(&new(&mail_id(3), Some(&id("account", 9)), "c@example.com")).await;
    assert!(matches!(nobodys, Err(StoreError::Missing { .. })), "{nobodys:?}");

    assert!(store.due_mails(later(-1), 10).await.unwrap().is_empty());
    let due = store.due_mails(NOW, 10).await.unwrap();
    assert_eq!(due.iter().map(|mail| &mail.id).collect::<Vec<_>>(), [&one, &two]);
    assert_eq!((due[0].content.as_deref(), due[0].tries, due[0].created), (Some(b"sealed".as_slice()), 0, NOW));
    store.mail_later(&one, "451 later", later(5)).await.unwrap();
    assert_eq!(store.due_mails(NOW, 1).await.unwrap()[0].id, two);
    let waits = store.mail(&one).await.unwrap().unwrap();
    assert_eq!((waits.tries, waits.next, waits.answer.as_deref()), (1, later(5), Some("451 later")));
    assert!(store.hand_over_mail(&one).await.unwrap() && !store.hand_over_mail(&one).await.unwrap());
    assert_eq!(state(&scene, &one).await, MailState::HandingOver);
    store.mail_sent(&one, "250 taken", (later(6), later(9))).await.unwrap();
    let sent = store.mail(&one).await.unwrap().unwrap();
    assert_eq!((sent.state, sent.tries, sent.ended), (MailState::Sent, 2, Some(later(6))));
    store.mail_later(&one, "too late", later(7)).await.unwrap();
    let told = alarm("01A", "mail-not-sent");
    store.mail_ended(&one, MailState::Refused, ("too late", NOW), Some(&told)).await.unwrap();
    store.mail_unheard(&one, ("too late", NOW), &told).await.unwrap();
    assert!(store.alarm("01A").await.unwrap().is_none(), "nothing happened, so nobody is told");
    assert_eq!(state(&scene, &one).await, MailState::Sent, "what is sent stays so");

    store.mails_wait("not reached", NOW).await.unwrap();
    assert_eq!(store.mail(&two).await.unwrap().unwrap().answer.as_deref(), Some("not reached"));
    store.mail_ended(&two, MailState::Refused, ("550 no", later(1)), Some(&told)).await.unwrap();
    assert_eq!(store.alarm("01A").await.unwrap().unwrap().times, 1, "in the same step");
    assert!(!store.audited(entry("b")).mail_again(&one, NOW).await.unwrap());
    assert!(store.audited(entry("c")).mail_again(&two, later(2)).await.unwrap());
    assert_eq!(store.mail(&two).await.unwrap().unwrap().next, later(2));
    store.hand_over_mail(&two).await.unwrap();
    let unheard = store.mails_handing_over().await.unwrap();
    assert_eq!(unheard.iter().map(|mail| &mail.id).collect::<Vec<_>>(), [&two]);
    store.mail_unheard(&two, ("stopped", later(3)), &told).await.unwrap();
    assert_eq!(state(&scene, &two).await, MailState::Doubtful);
    assert_eq!(store.alarm("01A").await.unwrap().unwrap().times, 2);
    assert_eq!(store.forget_old_mail(later(5)).await.unwrap(), 1, "the doubtful one; the other ended later");
    assert!(!store.audited(entry("d")).mail_again(&two, NOW).await.unwrap(), "nothing of it is kept");
}

fn alarm<'a>(id: &'a str, kind: &'a str) -> NewAlarm<'a> {
    NewAlarm { id, kind, subject: "server", at: NOW, sentence: "s", advice: "a" }
}

#[tokio::test]
async fn a_mail_that_a_clock_put_off_for_years_is_due() {
    let scene = Scene::new().await;
    let (store, one) = (&scene.store, mail_id(1));
    store.add_mail(&new(&one, None, "a@example.com")).await.unwrap();
    store.mail_later(&one, "451 later", NOW.plus_millis(LONGEST_WAIT_MS)).await.unwrap();
    assert!(store.due_mails(NOW, 10).await.unwrap().is_empty());

    store.mail_later(&one, "451 later", NOW.plus_days(400)).await.unwrap();

    assert_eq!(store.due_mails(NOW, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_has_another_address_gets_nothing_of_what_went_to_the_old_one() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let device = scene.add_device(1).await;
    let user = store.user(&scene.user).await.unwrap().unwrap();
    let with = |email: &str| NewUser {
        site: user.site.clone(),
        name: user.name.clone(),
        extension: user.extension.clone(),
        email: Some(email.to_owned()),
        language: None,
        lines: Vec::new(),
    };
    let change = async |what: &str, user: NewUser| {
        store.audited(entry(what)).change_user(&scene.user, &user, &[], &[]).await.unwrap();
    };
    change("u1", with("a@x.org")).await;
    let id = mail_id(1);
    let mail = NewMail { person: Some(&scene.user), kind: "welcome", ..new(&id, Some(&scene.account), "a@x.org") };
    let devices = std::slice::from_ref(&device);
    let welcome = NewWelcome { person: &scene.user, devices, link: (b"one", later(10)) };
    store.audited(entry("w")).add_welcome(&mail, &welcome).await.unwrap();
    assert_eq!(store.link_of_mail(&id).await.unwrap(), store.mail_link(b"one").await.unwrap());
    assert_eq!(store.welcome_devices(&scene.user).await.unwrap(), devices);
    let wanted = async || {
        let of = Welcomable { site: None, not_yet: true };
        store.people_to_welcome(&Within::Everything, of, Page::FIRST).await.unwrap()
    };
    change("u2", NewUser { name: "Another".to_owned(), ..with("a@x.org") }).await;
    assert!(store.link_of_mail(&id).await.unwrap().is_some() && wanted().await.is_empty(), "the address is the same");

    change("u3", with("b@x.org")).await;

    assert_eq!((store.link_of_mail(&id).await.unwrap(), store.mail_link(b"one").await.unwrap()), (None, None));
    assert_eq!(state(&scene, &id).await, MailState::Replaced);
    let row = store.welcome_of(&scene.user).await.unwrap().unwrap();
    assert_eq!((row.address.as_str(), row.address_since), ("a@x.org", true));
    assert_eq!(wanted().await, std::slice::from_ref(&scene.user));
}

#[tokio::test]
async fn mails_are_listed_newest_first_within_a_scope() {
    let scene = Scene::new().await;
    let store = &scene.store;
    for n in 1..=3 {
        store.add_mail(&new(&mail_id(n), Some(&scene.account), "a@example.com")).await.unwrap();
    }
    store.add_mail(&new(&mail_id(4), None, "a@example.com")).await.unwrap();
    store.mail_ended(&mail_id(2), MailState::Refused, ("550", NOW), None).await.unwrap();
    let listed = async |within: &Within, filter: MailFilter<'_>, after: &str| {
        let rows = store.mails(within, filter, Page { after, limit: 2 }).await.unwrap();
        rows.into_iter().map(|mail| mail.id).collect::<Vec<_>>()
    };
    let own = store.within(&Scope::Account(scene.account.clone())).await.unwrap();

    assert_eq!(listed(&Within::Everything, MailFilter::default(), "").await, [mail_id(4), mail_id(3)]);
    assert_eq!(listed(&own, MailFilter::default(), "").await, [mail_id(3), mail_id(2)]);
    assert_eq!(listed(&own, MailFilter::default(), mail_id(2).as_str()).await, [mail_id(1)]);
    let refused = MailFilter { state: Some(MailState::Refused), ..MailFilter::default() };
    assert_eq!(listed(&own, refused, "").await, [mail_id(2)]);
    let of_person = MailFilter { person: Some(&scene.user), ..MailFilter::default() };
    assert!(listed(&own, of_person, "").await.is_empty());
    assert!(listed(&Within::Site(scene.site.clone()), MailFilter::default(), "").await.is_empty());
}

#[tokio::test]
async fn a_welcome_replaces_the_one_before_and_its_link_is_good_once() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let device = scene.add_device(1).await;
    let welcome = async |n: u32, devices: &[_], digest: &[u8]| {
        let id = mail_id(n);
        let mail = NewMail { person: Some(&scene.user), kind: "welcome", ..new(&id, Some(&scene.account), "a@x.org") };
        let welcome = NewWelcome { person: &scene.user, devices, link: (digest, later(10)) };
        store.audited(entry(&format!("w{n}"))).add_welcome(&mail, &welcome).await.unwrap();
    };
    let wanted = async |not_yet: bool| {
        let of = Welcomable { site: Some(&scene.site), not_yet };
        store.people_to_welcome(&Within::Everything, of, Page::FIRST).await.unwrap()
    };
    assert_eq!(store.welcome_of(&scene.user).await.unwrap(), None);
    assert_eq!(wanted(true).await, std::slice::from_ref(&scene.user));

    welcome(1, &[], b"one").await;
    assert!(store.welcome_of(&scene.user).await.unwrap().unwrap().device_since);
    assert_eq!(wanted(true).await, std::slice::from_ref(&scene.user), "a device is not in it");
    welcome(2, std::slice::from_ref(&device), b"two").await;
    let row = store.welcome_of(&scene.user).await.unwrap().unwrap();
    assert_eq!((row.mail, row.at, row.state, row.device_since), (mail_id(2), NOW, MailState::Waiting, false));
    assert_eq!(state(&scene, &mail_id(1)).await, MailState::Replaced);
    assert!(wanted(true).await.is_empty());
    assert_eq!(wanted(false).await, std::slice::from_ref(&scene.user));
    let other_site = Welcomable { site: Some(&id("site", 9)), not_yet: false };
    assert!(store.people_to_welcome(&Within::Everything, other_site, Page::FIRST).await.unwrap().is_empty());

    assert_eq!(store.mail_link(b"one").await.unwrap(), None, "a newer mail ends it");
    let link = LinkRow { person: scene.user.clone(), expires: later(10), used: None };
    assert_eq!(store.mail_link(b"two").await.unwrap(), Some(link.clone()));
    store.forget_old_mail(later(11)).await.unwrap();
    assert!(store.mail_link(b"two").await.unwrap().is_some(), "its mail waits: what an outage takes is not the link's");
    store.mail_sent(&mail_id(2), "250", (later(20), later(50))).await.unwrap();
    assert_eq!(store.mail_link(b"two").await.unwrap().unwrap().expires, later(50));
    assert!(!store.audited(entry("l1")).use_mail_link(b"two", later(50)).await.unwrap());
    assert!(store.audited(entry("l2")).use_mail_link(b"two", later(49)).await.unwrap());
    assert!(!store.audited(entry("l3")).use_mail_link(b"two", later(49)).await.unwrap());
    assert_eq!(store.mail_link(b"two").await.unwrap().unwrap().used, Some(later(49)));

    scene.add_device(2).await;
    assert!(store.welcome_of(&scene.user).await.unwrap().unwrap().device_since);
    scene.claim(1, ClaimBy::PreAssigned(&device_id(2))).await;
    store.forget_old_mail(later(51)).await.unwrap();
    assert_eq!(store.mail_link(b"two").await.unwrap(), None);
}

#[tokio::test]
async fn who_is_removed_was_never_welcomed() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let id = mail_id(1);
    let mail = NewMail { person: Some(&scene.user), kind: "welcome", ..new(&id, Some(&scene.account), "a@x.org") };
    let welcome = NewWelcome { person: &scene.user, devices: &[device_id(1)], link: (b"one", later(10)) };
    store.audited(entry("a")).add_welcome(&mail, &welcome).await.unwrap();

    store.audited(entry("b")).remove_user(&scene.user).await.unwrap().unwrap();

    assert_eq!(store.mail_link(b"one").await.unwrap(), None);
    assert_eq!(state(&scene, &id).await, MailState::Replaced);
}

#[tokio::test]
async fn templates_come_from_the_nearest_up_the_tree() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let below: AccountId = id("account", 2);
    store.add_account(&below, "Below", Some(&scene.account), NOW).await.unwrap();
    let template = |subject: &str| MailTemplate { subject: subject.into(), text: "t".into(), html: "h".into() };
    let set = async |owner: Option<&AccountId>, language: &str, subject: &str| {
        let audited = store.audited(entry(&format!("{subject}{language}")));
        audited.set_mail_template((owner, "welcome", language), &template(subject), NOW).await.unwrap();
    };
    set(None, "", "server").await;
    set(Some(&scene.account), "", "top").await;
    set(Some(&below), "de", "below").await;
    set(Some(&below), "", "first").await;
    set(Some(&below), "", "changed").await;

    let of = async |account: Option<&AccountId>| {
        let rows = store.mail_templates(account, "welcome").await.unwrap();
        rows.into_iter().map(|row| row.template.subject).collect::<Vec<_>>()
    };
    assert_eq!(of(Some(&below)).await, ["changed", "below", "top", "server"]);
    assert_eq!(of(Some(&scene.account)).await, ["top", "server"]);
    assert_eq!(of(None).await, ["server"]);
    assert!(store.mail_templates(Some(&below), "other").await.unwrap().is_empty());
    store.audited(entry("r1")).remove_mail_template((Some(&below), "welcome", "")).await.unwrap();
    assert_eq!(of(Some(&below)).await, ["below", "top", "server"]);
    let gone = store.audited(entry("r2")).remove_mail_template((Some(&below), "welcome", "")).await;
    assert!(matches!(gone, Err(StoreError::Missing { .. })), "{gone:?}");
}

#[tokio::test]
async fn an_alarm_is_mailed_once_to_each_who_can_see_it() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let account = Some(&scene.account);
    let two = ["a@example.com".to_owned(), "b@example.com".to_owned()];
    store.audited(entry("a")).set_alarm_addresses(None, &two, NOW).await.unwrap();
    store.audited(entry("b")).set_alarm_addresses(account, &two[1..], later(1)).await.unwrap();
    store.audited(entry("c")).set_alarm_addresses(None, &two, later(7)).await.unwrap();
    assert_eq!(store.alarm_addresses(None).await.unwrap(), two);
    let owners = store.alarm_owners().await.unwrap();
    assert_eq!(
        owners,
        [(None, NOW), (Some(scene.account.clone()), later(1))],
        "a changed address is told nothing anew"
    );
    let device = scene.add_device(1).await;
    scene.claim(1, ClaimBy::PreAssigned(&device)).await;
    let (phone, stranger) = (mac(1).to_string(), mac(9).to_string());
    for (id, kind, subject, at) in [
        ("01A", "emergency-call", phone.as_str(), later(2)),
        ("01B", "emergency-call", stranger.as_str(), later(2)),
        ("01C", "mail-not-sent", scene.account.as_str(), later(2)),
        ("01D", "phone-asks-for-others", phone.as_str(), later(-1)),
    ] {
        store.raise_alarm(&NewAlarm { id, kind, subject, at, sentence: "s", advice: "a" }).await.unwrap();
    }
    let own = store.within(&Scope::Account(scene.account.clone())).await.unwrap();
    let unmailed = async |within: &Within, owner: (Option<&AccountId>, UnixMillis)| {
        let rows = store.unmailed_alarms(within, owner, 10).await.unwrap();
        rows.into_iter().map(|alarm| alarm.id).collect::<Vec<_>>()
    };

    assert_eq!(unmailed(&Within::Everything, (None, NOW)).await, ["01A", "01B"]);
    // The phone is bound only where the claim succeeded, and an account's own alarm is seen by it.
    let seen = store.alarms(&own, Page::FIRST).await.unwrap();
    assert!(seen.iter().any(|alarm| alarm.id == "01C") && !seen.iter().any(|alarm| alarm.id == "01B"), "{seen:?}");
    let alarms = store.unmailed_alarms(&Within::Everything, (None, NOW), 10).await.unwrap();
    let (one, other) = (mail_id(1), mail_id(2));
    let mails = [new(&one, None, "a@example.com"), new(&other, None, "b@example.com")];
    store.mail_alarms(None, &alarms, &mails, later(3)).await.unwrap();
    assert!(unmailed(&Within::Everything, (None, NOW)).await.is_empty());
    let since = async |owner, since| store.alarm_mails_since(owner, (since, later(3))).await.unwrap();
    assert_eq!(since(None, later(2)).await, 1, "one time, whatever it was about");
    assert_eq!(since(None, later(3)).await, 0);
    assert_eq!(since(account, NOW).await, 0);
    assert_eq!(store.alarm_mails_since(None, (NOW, later(2))).await.unwrap(), 0, "of a clock that was set back");
    assert!(unmailed(&own, (account, later(1))).await.iter().all(|id| id == "01A"));
    assert_eq!(store.due_mails(NOW, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_mails_say_is_written_for_another_key() {
    let scene = Scene::new().await;
    let store = &scene.store;
    store.add_mail(&new(&mail_id(1), None, "a@example.com")).await.unwrap();
    let change = |sealed: Ciphertext<'_>| match sealed {
        Ciphertext::Mail { id, content } => {
            let first = [id.as_bytes(), content].concat();
            Ok::<_, String>(Resealed { first, second: Vec::new(), digest: Vec::new(), name: String::new() })
        }
        other => Ok(Resealed {
            first: b"x".to_vec(),
            second: Vec::new(),
            digest: Vec::new(),
            name: format!("{other:?}").chars().take(3).collect(),
        }),
    };

    store.audited(entry("k")).reseal(("key-id", "new"), change).await.unwrap();

    let content = store.mail(&mail_id(1)).await.unwrap().unwrap().content.unwrap();
    assert_eq!(content, [mail_id(1).as_str().as_bytes(), b"sealed"].concat());
}
