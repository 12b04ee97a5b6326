use super::*;
use provost_core::entry::connector::ConnectorInput;

fn known() -> Known {
    numbered(1)
}

fn numbered(n: usize) -> Known {
    let text = r#"{"kind":"kamailio","host":"pbx.example.com","port":8080}"#;
    let entered = serde_json::from_str::<ConnectorInput>(text).unwrap().check().unwrap().0;
    let id = format!("connector_01jd0ck3v8000000000000{n:04}").parse().unwrap();
    let account = "account_01jd0ck3v80000000000000001".parse().unwrap();
    Known::new(ConnectorRow { id, account, entered, password: None })
}

#[test]
fn a_pbx_is_asked_at_once_then_every_half_minute_and_ever_later_while_it_fails() {
    let now = UnixMillis(1_795_000_000_000);
    let mut known = known();
    assert!(known.is_due(now));

    for (failures, least, most) in [(0, 24_000, 36_000), (1, 48_000, 72_000), (30, 480_000, 720_000)] {
        known.failures = failures;
        known.next = known.later(now, now);
        let pause = known.next.0 - now.0;
        assert!((least..=most).contains(&pause), "after {failures} failures {pause} ms");
        assert!(!known.is_due(now));
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_silence_it_and_off_does() {
    let now = UnixMillis(1_795_000_000_000);
    let mut known = known();
    known.next = known.later(now, now);

    assert!(known.is_due(UnixMillis(now.0 - 86_400_000)));
    known.row.entered.on = false;
    assert!(!known.is_due(now.plus_days(1)));
}

#[test]
fn an_answer_that_took_long_lengthens_the_pause() {
    let now = UnixMillis(1_795_000_000_000);
    let pause = known().later(UnixMillis(now.0 - 15_000), now).0 - now.0;
    assert!((39_000..=51_000).contains(&pause), "{pause} ms");
}

#[test]
fn of_many_that_are_due_those_that_wait_longest_are_asked_first_and_each_comes_to_its_turn() {
    let now = UnixMillis(1_795_000_000_000);
    let mut all = HashMap::new();
    for n in 0..200 {
        let mut known = numbered(n);
        known.next = UnixMillis(now.0 - 200 + i64::try_from(n).unwrap());
        all.insert(known.row.id.clone(), known);
    }

    let mut asked = Vec::new();
    for _ in 0..7 {
        let now_asked = take_due(&mut all, now);
        assert!(now_asked.len() <= AT_ONCE);
        assert!(take_due(&mut all, now).is_empty(), "there is no room, or none is due");
        for id in &now_asked {
            let known = all.get_mut(id).unwrap();
            (known.is_asked, known.next) = (false, known.later(now, now));
        }
        asked.extend(now_asked);
    }
    let wanted: Vec<_> = (0..200).map(|n| numbered(n).row.id).collect();
    assert_eq!(asked, wanted);
}

#[tokio::test]
async fn one_that_is_changed_while_it_is_asked_keeps_its_turn_and_is_asked_once_more_after() {
    let (asks, _) = mpsc::channel(1);
    let mut first = known();
    (first.is_asked, first.next, first.alarm) = (true, UnixMillis(7), Some(true));
    let (row, turn) = (first.row.clone(), Arc::clone(&first.turn));
    let connectors = Connectors {
        all: Mutex::new(HashMap::from([(row.id.clone(), first)])),
        nearest: Mutex::default(),
        asks,
        taken: Mutex::default(),
        changing: tokio::sync::Mutex::default(),
    };

    connectors.put(row.clone());
    let mut all = locked(&connectors.all);
    let known = all.get_mut(&row.id).unwrap();
    assert!(Arc::ptr_eq(&known.turn, &turn) && known.is_asked && known.alarm == Some(true));
    let now = UnixMillis(1_795_000_000_000);
    assert!(!known.is_due(now));
    known.is_asked = false;
    assert!(known.is_due(now));
}
