//! What a script tells when it does not come to its end.

use provost_phone::script::Script;

use crate::stage::Stage;

async fn failure(text: &str) -> String {
    let script = Script::parse("desk.script", text).unwrap();
    Stage::new().await.carry_out(&script, "vvx500").await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_tells_where_what_was_found_and_what_the_phone_shows() {
    let told = failure("power on\nexpect soft \"New Call\"\nstep 3 \"Look at it\"\npress menu\nexpect row \"Status\" \"good\" within 1s").await;

    for wanted in [
        "desk.script:5: expect row \"Status\" \"good\" within 1s",
        "in step 3 \"Look at it\"",
        "found: the row \"Status\" says nothing",
        "> Status",
        "soft keys  [Select]",
    ] {
        assert!(told.contains(wanted), "{wanted}\n{told}");
    }
}

#[tokio::test]
async fn a_variable_without_a_value_is_found_before_anything_is_done() {
    let told = failure("power on\ntype \"{code}\"").await;

    assert_eq!(told, "desk.script:2: `{code}` has no value; give it one, or write `let code \"...\"` in the script");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told_with_what_is() {
    let told = failure("power on\nexpect soft \"New Call\"\npress menu\nselect \"Sattings\"").await;

    assert!(told.contains("found: the rows are \"Status\", \"Settings\""), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_was_never_read_was_not_refused() {
    let asks = "power on\nexpect soft \"New Call\"\nwait 20s\nweb login \"Admin\" \"456\"\n";
    let clicks = "web open \"Settings > Provisioning Server\"\npower off\npower on\nexpect soft \"New Call\"\nweb click \"Save\" refused";

    let told = failure(&format!("{asks}{clicks}")).await;

    assert!(told.contains("desk.script:9") && told.contains("answers 401"), "{told}");
}
