use super::*;
use proptest::prelude::*;

fn one(line: &str) -> Result<Statement, String> {
    let script = Script::parse("a.script", line).map_err(|error| error.to_string())?;
    Ok(script.lines.into_iter().next().unwrap().statement)
}

#[test]
fn every_kind_of_line_is_written_back_as_it_was_read() {
    let lines = [
        r#"procedure "Reset a phone in its menu""#,
        "models vvx450 spip550",
        r#"let admin-password "456""#,
        r#"given firmware "3.3.5""#,
        r#"given flash device.prov.serverName "https://former.example""#,
        r#"given setting reg.1.label "desk""#,
        r#"given option 160 "https://a.example""#,
        "given option 42 192.0.2.7",
        "given no certificate",
        "given no time",
        r#"step 4b "Try the usual passwords""#,
        "press home",
        "press 1 2 * # soft 1 line 2 off hook",
        r#"press soft "Enter" or "OK""#,
        r#"press line "Activate""#,
        r#"press right until "HTTPS""#,
        "hold 1 3 5 for 4s",
        r#"select "Admin Settings" or "Administration Settings""#,
        r#"type "a \"quoted\" back\\slash""#,
        "clear",
        r#"move to "Server Type""#,
        "wait 1500ms",
        r#"expect "Settings""#,
        r#"expect no "Settings" within 90s"#,
        r#"expect row "Server Type" "HTTPS""#,
        r#"expect selected "Status""#,
        r#"expect soft "Setup""#,
        r#"expect line "Activate""#,
        r#"expect no line "Activate""#,
        r#"web expect no field "Boot Server""#,
        r#"expect server asked "GET /{mac}.cfg 200""#,
        r#"expect server not asked "/x""#,
        r#"expect flash device.prov.serverName "x""#,
        "expect no flash device.prov.serverName",
        r#"expect setting a.b "1""#,
        "expect no setting a.b",
        r#"expect version "4.0""#,
        "power on",
        "power off",
        r#"network option 161 "https://b.example""#,
        "network without 161",
        "network time off",
        "forget requests",
        r#"web login "Polycom" "456""#,
        r#"web open "Utilities > Phone Backup & Restore""#,
        r#"web set "Server Type" "HTTPS""#,
        r#"web click "Restore""#,
        r#"web click "Save" refused"#,
        r#"web expect "Saved""#,
        r#"web expect no "Boot Server""#,
    ];
    for line in lines {
        assert_eq!(one(line).unwrap().to_string(), line);
    }
}

#[test]
fn other_spellings_mean_the_same() {
    assert_eq!(one(r#"wait until "Activate" within 1m"#), one(r#"expect "Activate" within 60s"#));
    assert_eq!(one("   power   on  "), one("power on"));
}

#[test]
fn comments_and_empty_lines_are_nothing() {
    let script = Script::parse("a.script", "# a comment \"\n\n   # another\npower on\n").unwrap();

    assert_eq!(script.lines, [Line { number: 4, statement: Statement::PowerOn }]);
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let error =
        Script::parse("desk.script", "power up\npress home\nclick \"x\"\ntype \"x\nhold 1 for ages").unwrap_err();

    let told = error.to_string();
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told[0], "desk.script:1: `on` or `off` is wanted here, not `up`");
    assert!(told[1].starts_with("desk.script:3: `click` begins no line of a script"), "{}", told[1]);
    assert!(told[2].starts_with("desk.script:4: a text begins with \" and does not end"), "{}", told[2]);
    assert_eq!(
        told[3],
        "desk.script:5: a time such as `4s`, `500ms` or `2m`, a day at most is wanted here, not `ages`"
    );
}

#[test]
fn what_follows_a_whole_line_is_a_mistake() {
    assert_eq!(one("power on off").unwrap_err(), "a.script:1: the end of the line is wanted here, not `off`");
}

fn text() -> impl Strategy<Value = Text> {
    "[^\r\n\u{b}\u{c}\u{85}\u{2028}\u{2029}]{0,20}".prop_map(Text)
}

fn wanted() -> impl Strategy<Value = Wanted> {
    prop::collection::vec(text(), 1..4).prop_map(Wanted)
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (0_u8..10).prop_map(Key::Digit),
        (1_u8..5).prop_map(Key::Soft),
        (1_u8..40).prop_map(Key::Line),
        prop::sample::select(vec![Key::Star, Key::Pound, Key::Home, Key::Select, Key::HookUp, Key::HookDown]),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9._-]{0,20}"
}

fn time() -> impl Strategy<Value = Duration> {
    (0_u64..86_400_000).prop_map(Duration::from_millis)
}

fn expectation() -> impl Strategy<Value = Expectation> {
    prop_oneof![
        wanted().prop_map(Expectation::Shown),
        text().prop_map(Expectation::NotShown),
        (text(), text()).prop_map(|(row, value)| Expectation::Row(row, value)),
        text().prop_map(Expectation::Asked),
        text().prop_map(Expectation::NotAsked),
        (name(), text()).prop_map(|(name, value)| Expectation::Flash(name, value)),
        name().prop_map(Expectation::NoFlash),
    ]
}

fn any_statement() -> impl Strategy<Value = Statement> {
    prop_oneof![
        text().prop_map(Statement::Procedure),
        (name(), text()).prop_map(|(name, value)| Statement::Given(Given::Flash(name, value))),
        (1_u8..=254, text())
            .prop_map(|(code, value)| Statement::Network(NetworkChange::With(code, OptionAnswer::Text(value)))),
        (1_u8..=254, any::<[u8; 4]>())
            .prop_map(|(code, bytes)| { Statement::Given(Given::Option(code, OptionAnswer::Address(bytes.into()))) }),
        prop::collection::vec(key(), 1..9).prop_map(Statement::Press),
        (key(), wanted()).prop_map(|(key, text)| Statement::PressUntil(key, text)),
        wanted().prop_map(Statement::PressSoft),
        (prop::collection::vec(key(), 1..5), time()).prop_map(|(keys, time)| Statement::Hold(keys, time)),
        wanted().prop_map(Statement::Select),
        text().prop_map(Statement::Type),
        (expectation(), prop::option::of(time())).prop_map(|(what, time)| Statement::Expect(what, time)),
        (text(), text()).prop_map(|(label, value)| Statement::Web(WebAct::Set(label, value))),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same(statement in any_statement()) {
        let read = one(&statement.to_string());

        prop_assert_eq!(read, Ok(statement));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Script::parse("x", &text);
    }

    #[test]
    fn no_words_of_the_language_make_the_reader_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "press", "hold", "for", "until", "within", "expect", "no", "server", "asked", "given", "option", "web",
            "soft", "line", "off", "hook", "1", "#", "\"a\"", "\"", "4s", "99999999999999999999s", "network", "or",
        ]), 0..8),
    ) {
        let _ = Script::parse("x", &words.join(" "));
    }
}
