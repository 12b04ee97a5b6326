//! Digest: challenges, proofs, and everything that is not one.

use provost_proto::sip::digest::{Answering, Authorization, Challenge};
use provost_proto::sip::message::{Message, Name};
use provost_proto::sip::{Credential, Event};

use crate::world::{Request, World, address, header, settings, status};

/// The example of RFC 7616 §3.9.1.
#[test]
fn the_examples_of_the_rfc_come_out_as_printed() {
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (algorithm, response) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, nonce=\"{nonce}\""
        );
        let challenge = Challenge::parse(&challenge).unwrap();
        let (username, password, uri) = ("Mufasa", "Circle of Life", "/dir/index.html");

        let answer = challenge.answer(&Answering { username, password, method: "GET", uri, cnonce, count: 1 });

        assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
        assert!(Authorization::parse(&answer).unwrap().proves(password, "GET"));
        assert!(!Authorization::parse(&answer).unwrap().proves("circle of life", "GET"));
    }
}

#[test]
fn the_first_challenge_is_md5_and_the_only_one() {
    let mut world = World::new();

    let challenge = world.ask(5060, Request::register("3600").text());

    let message = Message::parse(challenge.as_bytes()).unwrap();
    let challenges: Vec<_> = message.all(Name::WwwAuthenticate).collect();
    assert_eq!(challenges.len(), 1);
    assert!(challenges[0].contains("algorithm=MD5") && challenges[0].contains("qop=\"auth\""));
    assert_eq!(world.endpoint.counts(), provost_proto::sip::Counts::default(), "a challenge costs no memory");
}

#[test]
fn sha256_is_offered_second_to_a_phone_that_knows_it() {
    let mut world = World::new();
    world.knows("carol", Credential::new("secret").with_sha256());
    let register = Request::register("3600").by("carol");
    let proven = world.prove(5060, &register, "secret");
    assert_eq!(world.status(5060, proven.text()), 200);

    let challenge = world.ask(5060, register.next().next().text());

    let message = Message::parse(challenge.as_bytes()).unwrap();
    let challenges: Vec<_> = message.all(Name::WwwAuthenticate).filter_map(Challenge::parse).collect();
    assert_eq!(challenges.iter().map(|challenge| challenge.algorithm.text()).collect::<Vec<_>>(), ["MD5", "SHA-256"]);
    let with = Answering {
        username: "carol",
        password: "secret",
        method: "REGISTER",
        uri: "sip:192.0.2.1",
        cnonce: "x",
        count: 1,
    };
    let mut proven = register.next().next().next();
    proven.authorization = Some(challenges[1].answer(&with));
    assert_eq!(world.status(5060, proven.text()), 200);
}

#[test]
fn a_nonce_counts_in_hexadecimal_past_0x100() {
    let mut world = World::new();
    let mut register = Request::register("3600");
    let challenge = world.ask(5060, register.text());

    for count in 1..=0x120 {
        register = register.next().proving(&challenge, "wonder", count);
        assert_eq!(world.status(5060, register.text()), 200, "count {count:#x}");
    }
}

#[test]
fn a_count_used_before_is_stale_and_registers_nobody() {
    let mut world = World::new();
    let register = Request::register("3600");
    let challenge = world.ask(5060, register.text());
    let first = register.next().proving(&challenge, "wonder", 5);
    assert_eq!(world.status(5060, first.text()), 200);
    world.take_events();

    for count in [5, 4, 1] {
        let replayed =
            Request { branch: format!("replay-{count}"), ..first.next().proving(&challenge, "wonder", count) };
        let refused = world.ask(6666, replayed.text());
        assert_eq!(status(&refused), 401);
        assert!(header(&refused, Name::WwwAuthenticate).contains("stale=true"));
    }
    assert_eq!(world.take_events(), []);
    assert_eq!(world.endpoint.registration("alice").unwrap().from, address(5060));
}

#[test]
fn an_old_nonce_is_stale_only_with_the_right_password() {
    let mut world = World::new();
    let register = Request::register("3600");
    let challenge = world.ask(5060, register.text());
    world.advance(300_001);

    let right = world.ask(5060, register.next().proving(&challenge, "wonder", 1).text());
    let wrong = world.ask(5060, register.next().next().proving(&challenge, "blunder", 1).text());

    assert!(header(&right, Name::WwwAuthenticate).contains("stale=true"));
    assert_eq!(status(&wrong), 401);
    assert!(!header(&wrong, Name::WwwAuthenticate).contains("stale"));
    let again = register.next().next().next().proving(&right, "wonder", 1);
    assert_eq!(world.status(5060, again.text()), 200);
}

#[test]
fn a_nonce_of_before_a_restart_is_stale() {
    let mut before = World::new();
    let register = Request::register("3600");
    let challenge = before.ask(5060, register.text());
    let mut world = World::new();
    world.endpoint = provost_proto::sip::Endpoint::new(settings(), [8; 32]);

    let refused = world.ask(5060, register.next().proving(&challenge, "wonder", 1).text());

    assert!(header(&refused, Name::WwwAuthenticate).contains("stale=true"));
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_alike() {
    let mut world = World::new();
    let register = Request::register("3600");
    let wrong = world.prove(5060, &register, "blunder");
    let unknown = world.prove(5060, &Request { user: "nobody".to_owned(), ..register }, "wonder");
    let without_nonce = |text: &str| {
        let (head, tail) = text.split_once("nonce=\"").unwrap();
        let to_end = tail.split_once('"').unwrap().1.to_owned();
        let lines = format!("{head}{to_end}");
        lines.lines().filter(|line| !line.starts_with("To") && !line.starts_with("From")).collect::<String>()
    };

    let first = world.ask(5060, wrong.text());
    let second = world.ask(5060, unknown.text());

    assert_eq!(without_nonce(&first), without_nonce(&second));
    let from = address(5060);
    let unproven = |user: &str| Event::Unproven { user: user.to_owned(), from };
    assert_eq!(world.take_events(), [unproven("alice"), unproven("nobody")]);
    assert_eq!(world.endpoint.counts().transactions, 0);
}

#[test]
fn a_client_that_does_not_count_may_use_a_nonce_once() {
    let mut world = World::new();
    let register = Request::register("3600");
    let challenge = world.ask(5060, register.text()).replace(", qop=\"auth\"", "");
    let first = register.next().proving(&challenge, "wonder", 1);
    assert!(!first.authorization.as_ref().unwrap().contains("qop"));

    assert_eq!(world.status(5060, first.text()), 200);

    let second = first.next();
    assert!(world.ask(5060, second.text()).contains("stale=true"));
}

#[test]
fn a_proof_for_one_number_is_none_for_another() {
    let mut world = World::new();
    let mut invite = world.prove(5060, &Request::invite("5551000"), "wonder");
    invite.uri = "sip:5559999@192.0.2.1".to_owned();

    assert_eq!(world.status(5060, invite.text()), 400);
}

#[test]
fn a_proof_for_register_is_none_for_a_call() {
    let mut world = World::new();
    let register = world.prove(5060, &Request::register("60"), "wonder");
    let mut invite = Request::invite("x");
    invite.uri = register.uri.clone();
    invite.authorization = register.authorization;

    assert_eq!(world.status(5060, invite.text()), 404, "nothing is dialed");
    let mut invite = Request::invite("5551000").with("X: y");
    let challenge = world.ask(5060, invite.text());
    invite.method = "MESSAGE";
    let for_message = invite.clone().proving(&challenge, "wonder", 1);
    let carried = Request { method: "INVITE", ..for_message };
    assert_eq!(world.status(5060, carried.next().text()), 401);
    assert!(matches!(world.take_events()[..], [Event::Unproven { .. }]));
}

#[test]
fn nonces_beyond_the_table_become_stale_and_never_usable_again() {
    let mut settings = settings();
    settings.limits.nonces = 2;
    let mut world = World::with(settings);
    let mut used = Vec::new();
    let mut register = Request::register("3600");
    for _ in 0..4 {
        let challenge = world.ask(5060, register.text());
        register = register.next().proving(&challenge, "wonder", 1);
        assert_eq!(world.status(5060, register.text()), 200);
        used.push(challenge);
        register.authorization = None;
        register = register.next();
    }

    for challenge in &used[..2] {
        register = register.next().proving(challenge, "wonder", 1);
        assert!(world.ask(5060, register.text()).contains("stale=true"));
    }
    register = register.next().proving(&used[3], "wonder", 2);
    assert_eq!(world.status(5060, register.text()), 200);
}

#[test]
fn a_forged_nonce_proves_nothing() {
    let mut world = World::new();
    let register = Request::register("3600");
    let challenge = world.ask(5060, register.text());
    let genuine = Challenge::parse(&header(&challenge, Name::WwwAuthenticate)).unwrap().nonce.into_owned();
    let last = if genuine.ends_with('0') { "1" } else { "0" };
    let almost = format!("{}{last}", &genuine[..63]);

    for (at, nonce) in ["", "x", "äöü", &almost, &genuine.repeat(2)].iter().enumerate() {
        let forged = challenge.replace(&genuine, nonce);
        let mut forged = register.next().proving(&forged, "wonder", 1);
        forged.branch = format!("forged-{at}");
        assert_eq!(world.status(5060, forged.text()), 401, "{nonce}");
    }
    assert_eq!(world.take_events(), []);
}

#[test]
fn the_sender_is_told_to_wait_when_a_password_takes_long() {
    let mut world = World::new();
    let invite = world.prove(5060, &Request::invite("5551000"), "blunder");
    world.answering = false;
    world.datagram(5060, invite.text());
    assert!(world.take_sent().is_empty());

    world.advance(200);
    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [100]);
    let ask = world.asks.remove(0);
    world.endpoint.credentials(world.now, ask, Some(&Credential::new("wonder")));
    world.drain();
    world.advance(500);

    let sent = world.take_sent();
    assert_eq!(sent.iter().map(|text| status(text)).collect::<Vec<_>>(), [401, 401], "repeated until its ACK");
}

#[test]
fn a_password_nobody_looks_up_is_not_waited_for_forever() {
    let mut world = World::new();
    let register = world.prove(5060, &Request::register("60"), "wonder");
    world.answering = false;
    world.datagram(5060, register.text());
    world.datagram(5060, register.text());
    assert_eq!(world.asks.len(), 1, "a repetition asks nobody again");

    world.advance(20_000);

    assert_eq!(world.take_sent().iter().map(|text| status(text)).collect::<Vec<_>>(), [503]);
    assert_eq!(world.endpoint.counts().asks, 0);
}

#[test]
fn too_many_questions_at_once_are_put_off() {
    let mut settings = settings();
    settings.limits.asks = 1;
    let mut world = World::with(settings);
    let first = world.prove(5060, &Request::register("60"), "wonder");
    let second = world.prove(5061, &Request::register("60").by("bob"), "builder");
    world.answering = false;
    world.datagram(5060, first.text());

    assert_eq!(world.status(5061, second.text()), 503);
}

#[test]
fn no_secret_is_printed() {
    let credential = Credential::new("wonder");
    let authorization = Authorization::parse(
        "Digest username=\"alice\",realm=\"r\",nonce=\"n\",uri=\"sip:13digits@x\",response=\"feed\"",
    );

    assert_eq!(format!("{credential:?}"), "***");
    let printed = format!("{:?}", authorization.unwrap());
    assert!(!printed.contains("feed") && !printed.contains("13digits"));
}
