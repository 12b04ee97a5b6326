//! Imports: a file comes in, its rows are mended in the grid, and what becomes of them.

use super::{Answer, Desk};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::{Request, StatusCode};
use provost_app::{Actor, Page, UserView};
use std::time::Duration;

const HOSTILE: &str = "<script>alert(1)</script>";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

/// Sends the form with a file, as a browser does.
async fn send(desk: &Desk, fields: &[(&str, &str)], file: &str) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f.csv\"\r\n");
    body.push_str(&format!("Content-Type: text/csv\r\n\r\n{file}\r\n--edge--\r\n"));
    let request = Request::post("/import")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header(COOKIE, desk.cookie.clone().unwrap_or_default());
    desk.ask(request.body(Body::from(body)).unwrap()).await
}

async fn upload(desk: &Desk, kind: &str, file: &str) -> Answer {
    let csrf = desk.csrf().await;
    send(desk, &[("csrf", &csrf), ("kind", kind)], file).await
}

/// The address of an import's page.
async fn imported(desk: &Desk, kind: &str, file: &str) -> String {
    let answer = upload(desk, kind, file).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location().to_owned()
}

async fn users(desk: &Desk) -> Vec<UserView> {
    desk.app.users(Page::FIRST, &Actor::control_socket()).await.unwrap()
}

/// Waits until the import is applied.
async fn applied(desk: &Desk, page: &str) -> Answer {
    for _ in 0..400 {
        let answer = desk.get(page).await;
        if !answer.text.contains("Being applied") {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the import does not end");
}

#[tokio::test]
async fn a_file_is_checked_and_waits_until_somebody_says_what_becomes_of_it() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;

    let page = imported(&desk, "users", "name,extension\nGrace,301\nAlan,302\n").await;

    let shown = desk.get(&page).await;
    shown.shows("Waits for you");
    shown.shows("Apply all 2 rows");
    shown.shows("Grace");
    assert_eq!(users(&desk).await.len(), 1, "nothing is applied");
    desk.get("/import").await.shows("Waits for you");
    follow(&desk, desk.post(&format!("{page}/apply"), &[]).await).await.shows("are being applied");
    applied(&desk, &page).await.shows("2 users were added");
    assert_eq!(users(&desk).await.len(), 3);
    let again = follow(&desk, desk.post(&format!("{page}/apply"), &[]).await).await;
    again.shows("does not wait any more");
    assert_eq!(users(&desk).await.len(), 3);
}

#[tokio::test]
async fn a_bad_row_is_mended_in_its_place_and_frees_the_rows_that_said_the_same() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;
    let file = format!("name,extension,email\n{HOSTILE},301,\nGrace,301,not an address\nEve,301,\nAnn,201,\n");
    let page = imported(&desk, "users", &file).await;

    let shown = desk.get(&page).await;
    shown.shows("4 rows, 3 of them bad");
    shown.shows("is also in row 2");
    shown.shows("has this extension already");
    shown.shows(r#"value="not an address""#);
    let all = desk.get(&format!("{page}?show=all")).await;
    all.shows(ESCAPED);
    all.hides(HOSTILE);
    let refused = follow(&desk, desk.post(&format!("{page}/apply"), &[]).await).await;
    refused.shows("3 rows are bad; mend them, or apply the good rows only");

    // Row 2 leaves the extension to row 3, which is still bad for its address, and row 4 now says the same as row 3.
    let typed = [("name", "Zed"), ("extension", "310"), ("show", "all"), ("after", "0")];
    let mended = desk.post(&format!("{page}/rows/2"), &typed).await;
    assert!(mended.location().ends_with("?show=all&after=0"), "{}", mended.location());
    follow(&desk, mended).await.shows("Row 2 is good now. Bad rows left: 3.");
    desk.get(&page).await.shows("is also in row 3");
    let still = desk.post(&format!("{page}/rows/3"), &[("name", "Grace"), ("extension", "301 x")]).await;
    assert!(still.location().ends_with("#row-3"), "{}", still.location());
    desk.get(&page).await.shows("Row 3 is kept as you typed it, and is still bad");
    desk.get(&page).await.hides("is also in row 3");
    let third = desk.post(&format!("{page}/rows/3"), &[("name", "Grace"), ("extension", "303")]).await;
    follow(&desk, third).await.shows("Bad rows left: 1.");
    let last = desk.post(&format!("{page}/rows/5"), &[("name", "Ann"), ("extension", "305")]).await;
    follow(&desk, last).await.shows("No bad row is left.");
    desk.post(&format!("{page}/apply"), &[]).await;
    applied(&desk, &page).await.shows("4 users were added");
    let mut extensions: Vec<_> = users(&desk).await.into_iter().map(|user| user.extension).collect();
    extensions.sort();
    assert_eq!(extensions, ["201", "301", "303", "305", "310"]);
}

#[tokio::test]
async fn good_rows_are_applied_without_the_bad_ones() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;
    let page = imported(&desk, "users", "name,extension\nGrace,301\n,302\n").await;

    desk.get(&page).await.shows("Apply the 1 good row");
    desk.post(&format!("{page}/apply"), &[("mode", "good-rows")]).await;

    applied(&desk, &page).await.shows("1 users were added; 1 of 2 rows were bad");
    assert_eq!(users(&desk).await.len(), 2);
}

#[tokio::test]
async fn passwords_are_never_shown_and_stay_with_a_row_that_is_mended() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let file = "extension,sip-user,password\n201,two words,pass-word-one\n201,203,\"bad\u{1}password\"\n";
    let page = imported(&desk, "lines", file).await;
    let shown = desk.get(&format!("{page}?show=all")).await;
    shown.hides("pass-word-one");
    shown.shows(r#"placeholder="kept""#);

    let first = desk.post(&format!("{page}/rows/2"), &[("extension", "201"), ("sip-user", "202")]).await;
    follow(&desk, first).await.shows("Row 2 is good now.");
    desk.post(&format!("{page}/rows/3"), &[("extension", "201"), ("sip-user", "203")]).await;
    desk.get(&page).await.shows("the one of the file cannot be used; write another");
    let typed = [("extension", "201"), ("sip-user", "203"), ("password", "another-one")];
    let second = desk.post(&format!("{page}/rows/3"), &typed).await;
    let second = follow(&desk, second).await;
    second.shows("Row 3 is good now.");
    second.hides("another-one");
    let other = [("extension", "201"), ("sip-user", "204")];
    desk.post(&format!("{page}/rows/3"), &other).await;
    desk.get(&page).await.shows("was of the SIP user 203; write the one of 204");
    desk.post(&format!("{page}/rows/3"), &other).await;
    desk.get(&page).await.shows("the one of the file cannot be used; write another");
    let typed = [("extension", "201"), ("sip-user", "204"), ("password", "that-of-204")];
    follow(&desk, desk.post(&format!("{page}/rows/3"), &typed).await).await.shows("Row 3 is good now.");
    desk.post(&format!("{page}/apply"), &[]).await;
    applied(&desk, &page).await.shows("2 lines were added");

    let ada = desk.app.user(&ada.id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
    let lines: Vec<_> = ada.lines.iter().map(|line| (line.user.as_str(), line.has_password)).collect();
    assert_eq!(lines, [("201", true), ("202", true), ("204", true)]);
}

#[tokio::test]
async fn an_import_that_is_discarded_leaves_nothing() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;
    let page = imported(&desk, "devices", "model,mac\nVVX 450,0004f2a1b2c3\n").await;

    let answer = desk.post(&format!("{page}/discard"), &[]).await;

    assert_eq!(answer.location(), "/import");
    follow(&desk, answer).await.shows("Nothing was applied");
    assert!(desk.app.devices(Page::FIRST, &Actor::control_socket()).await.unwrap().is_empty());
    let gone = follow(&desk, desk.post(&format!("{page}/apply"), &[]).await).await;
    gone.shows("does not wait any more");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_comes_back_with_the_form() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;

    let header = upload(&desk, "users", "nome,extension\nX,1\n").await;
    assert_eq!(header.status, StatusCode::UNPROCESSABLE_ENTITY);
    header.shows("is no column of a file of users");
    let empty = upload(&desk, "users", "").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    empty.shows("choose a file, or paste its rows");
    let kind = upload(&desk, "phones", "name\n").await;
    assert_eq!(kind.status, StatusCode::UNPROCESSABLE_ENTITY);
    kind.shows("is no kind of file");
    desk.user("Bob").await;
    upload(&desk, "users", "name,extension\nX,1\n").await.shows("for which account the file is");
    let template = desk.get("/import/template/lines").await;
    assert_eq!(template.header("content-disposition"), "attachment; filename=\"lines.csv\"");
    template.shows("extension,site,sip-user,auth-user,password");
    assert_eq!(desk.get("/import/template/phones").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_larger_than_any_form_comes_in_whole() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;
    let rows: String = (0..3000).map(|n| format!("A person with a long name {n},5{n:04}\n")).collect();
    assert!(rows.len() > 6 * super::super::MOST_FORM_BYTES);

    let page = imported(&desk, "users", &format!("name,extension\n{rows}")).await;

    let shown = desk.get(&page).await;
    shown.shows("Apply all 3000 rows");
    shown.shows("?show=all&amp;after=51");
    desk.get(&format!("{page}?show=all&after=51")).await.shows("A person with a long name 50<");
}

#[tokio::test]
async fn only_who_may_change_the_account_imports_and_nobody_else_sees_it() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;
    let page = imported(&desk, "users", "name,extension\nGrace,301\nEve,x y\n").await;
    let file = "name,extension\nX,1\n";
    for role in ["support", "installer", "read-only"] {
        let browser = desk.role(role, None).await;
        let shown = browser.get(&format!("{page}?show=all")).await;
        shown.shows("Grace");
        shown.hides("Discard");
        shown.hides("<input form=");
        browser.get("/import").await.hides("Check the rows");
        assert_eq!(upload(&browser, "users", file).await.status, StatusCode::FORBIDDEN, "{role}");
        for path in ["/apply", "/discard", "/rows/3"] {
            let answer = browser.post(&format!("{page}{path}"), &[]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    let other = desk.stranger_account().await;
    let browser = desk.role("administrator", Some(&other)).await;
    assert_eq!(browser.get(&page).await.status, StatusCode::NOT_FOUND);
    browser.get("/import").await.hides(&page);
    for path in ["/apply", "/discard", "/rows/3"] {
        assert_eq!(browser.post(&format!("{page}{path}"), &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    desk.role("administrator", None).await.get(&page).await.shows("Discard");
}

#[tokio::test]
async fn a_form_of_another_page_brings_no_file() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;
    let file = "name,extension\nX,1\n";
    for fields in [vec![("kind", "users")], vec![("csrf", "00"), ("kind", "users")], vec![]] {
        assert_eq!(send(&desk, &fields, file).await.status, StatusCode::FORBIDDEN, "{fields:?}");
    }
    assert_eq!(send(&desk.elsewhere(), &[], file).await.location(), "/sign-in");
    assert!(desk.app.imports(Page::FIRST, &Actor::control_socket()).await.unwrap().is_empty());
    let page = imported(&desk, "users", file).await;
    for path in ["/apply", "/discard", "/rows/2"] {
        assert_eq!(desk.send("POST", &format!("{page}{path}"), &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(desk.post(&format!("{page}/rows/99"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.post(&format!("{page}/rows/x"), &[]).await.status, StatusCode::NOT_FOUND);
}
