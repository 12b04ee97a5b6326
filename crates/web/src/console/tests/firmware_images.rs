//! Images in the console: an upload by a form without script, what came of it, and taking one away.

use super::phone::{ROLES, seat};
use super::{Answer, Desk};
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use axum::http::{Request, StatusCode};
use provost_app::{Actor, ImageView, Page};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const HOSTILE: &str = "<script>alert(1)</script>";
const PART: &str = "3111-48840-001";

/// An image of a virtual VVX 450.
pub(super) fn lab_image(version: &str) -> Vec<u8> {
    let header = format!(r#"{{"entries":[{{"part":"{PART}","kind":"application","version":"{version}"}}]}}"#);
    let mut image = b"PROVOST LAB IMAGE 1\n".to_vec();
    image.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
    image.extend(header.into_bytes());
    image.extend([7; 4096]);
    image
}

/// The form with a file, as a browser writes it.
fn form(fields: &[(&str, &str)], (file, name): (&[u8], &str)) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend(
            format!("--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").into_bytes(),
        );
    }
    body.extend(
        format!("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n").into_bytes(),
    );
    body.extend(file);
    body.extend(b"\r\n--edge--\r\n");
    body
}

/// Sends the form, as a browser does.
async fn send(desk: &Desk, fields: &[(&str, &str)], file: (&[u8], &str)) -> Answer {
    let body = form(fields, file);
    let request = Request::post("/firmware/images")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header(COOKIE, desk.cookie.clone().unwrap_or_default());
    desk.ask(request.body(Body::from(body)).unwrap()).await
}

/// Uploads it, with the token of an open page.
pub(super) async fn upload(desk: &Desk, fields: &[(&str, &str)], file: &[u8], name: &str) -> Answer {
    let csrf = desk.csrf().await;
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend(fields);
    send(desk, &all, (file, name)).await
}

fn images(desk: &Desk) -> Vec<ImageView> {
    desk.app.firmware_images(None, Page::FIRST, &Actor::control_socket()).unwrap()
}

#[tokio::test]
async fn an_image_is_uploaded_listed_with_what_it_is_for_and_removed_with_a_reason() {
    let desk = Desk::signed_in().await;
    desk.get("/firmware/images").await.shows("None is stored, so no phone is led anywhere.");

    let answer = upload(&desk, &[("version", "")], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.shows("One image is stored.");
    let view = images(&desk).remove(0);
    for path in ["/firmware/images", "/firmware/images?model=vvx450"] {
        let page = desk.get(path).await;
        page.shows("6.4.8.1000");
        page.shows("VVX 450");
        page.shows("4.2 kB");
        page.shows(&format!(r#"data-copy="{}""#, view.sha256));
        page.shows("Whole");
        page.shows("from <bdi>3111-48840-001.sip.ld</bdi>");
    }
    desk.get("/firmware/images?model=vvx500").await.shows("None is stored for this model.");
    let again = upload(&desk, &[], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;
    again.shows("Nothing new");
    let remove = format!("/firmware/images/{}/remove", view.id);
    desk.post(&remove, &[("reason", "")]).await;
    assert_eq!(images(&desk).len(), 1, "a reason is needed");
    assert_eq!(desk.post(&remove, &[("reason", "wrong one")]).await.location(), "/firmware/images");
    desk.get("/firmware/images").await.shows("The image 3111-48840-001.sip.ld 6.4.8.1000 is removed.");
    assert!(images(&desk).is_empty());
    assert_eq!(desk.post(&remove, &[("reason", "again")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_image_is_refused_at_the_form_with_what_was_typed() {
    let desk = Desk::signed_in().await;

    let html = upload(&desk, &[("updater", "5.9.1")], b"<!DOCTYPE html><title>Sign in</title>", "sip.ld").await;
    let wrong = upload(&desk, &[("sha256", "00ff"), ("version", "new")], &lab_image("6.4.8.1000"), "sip.ld").await;
    let sha = "0".repeat(64);
    let other = upload(&desk, &[("sha256", &sha)], &lab_image("6.4.8.1000"), "3111-48840-001.sip.ld").await;
    let empty = upload(&desk, &[], b"", "").await;

    for refused in [&html, &wrong, &other, &empty] {
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        refused.shows("Nothing was taken.");
    }
    html.shows("it is no image");
    html.shows(r#"value="5.9.1""#);
    wrong.shows(r#"id="sha256-error""#);
    wrong.shows(r#"id="version-error""#);
    other.shows("expected the SHA-256 0000");
    empty.shows(r#"id="file-error""#);
    assert!(images(&desk).is_empty());
}

#[tokio::test]
async fn a_hostile_name_is_shown_as_text() {
    let desk = Desk::signed_in().await;

    let answer = upload(&desk, &[("version", HOSTILE)], &lab_image("6.4.8.1000"), "<script>alert(1)</script>.ld").await;

    answer.hides(HOSTILE);
    let answer = upload(&desk, &[], b"no image at all", "<script>alert(1)<_script>.ld").await;
    answer.hides("<script>alert");
}

#[tokio::test]
async fn only_owners_of_the_server_upload_and_only_by_a_form_of_their_own_session() {
    let desk = Desk::signed_in().await;
    let image = lab_image("6.4.8.1000");

    let strange = [("csrf", "0000")];
    for fields in [&strange[..], &[]] {
        let answer = send(&desk, fields, (&image, "3111-48840-001.sip.ld")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    for role in ROLES.into_iter().filter(|role| *role != "owner") {
        let browser = seat(&desk, role, None).await;
        let answer = upload(&browser, &[], &image, "3111-48840-001.sip.ld").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role}");
    }
    assert!(images(&desk).is_empty());
}

#[tokio::test]
async fn a_form_that_says_it_is_larger_than_any_file_is_refused_before_it_is_read() {
    let desk = Desk::signed_in().await;
    let request = Request::post("/firmware/images")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header(CONTENT_LENGTH, "2147483648")
        .header(COOKIE, desk.cookie.clone().unwrap_or_default());

    let answer = desk.ask(request.body(Body::from("--edge--\r\n")).unwrap()).await;

    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    answer.shows(r#"id="file-error""#);
    answer.shows("has more than 1 GiB");
}

#[tokio::test]
async fn what_comes_before_the_file_is_bounded() {
    let desk = Desk::signed_in().await;
    let image = lab_image("6.4.8.1000");
    let much = "x".repeat(2 * 1024 * 1024);

    let field = upload(&desk, &[("more", &much)], &image, "3111-48840-001.sip.ld").await;
    let header = upload(&desk, &[], &image, &much).await;

    for refused in [field, header] {
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    assert!(images(&desk).is_empty());
}

#[tokio::test]
async fn an_upload_that_came_in_whole_is_kept_when_its_page_is_closed() {
    let desk = Desk::signed_in().await;
    let csrf = desk.csrf().await;
    let form = form(&[("csrf", &csrf)], (&lab_image("6.4.8.1000"), "3111-48840-001.sip.ld"));
    let came = Arc::new(Notify::new());
    let tell = Arc::clone(&came);
    let pieces = futures_util::stream::once(async move {
        tell.notify_one();
        Ok::<_, Infallible>(Bytes::from(form))
    });
    let request = Request::post("/firmware/images")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=edge")
        .header(COOKIE, desk.cookie.clone().unwrap_or_default());
    let answer = desk.ask(request.body(Body::from_stream(pieces)).unwrap());

    tokio::select! {
        biased;
        () = came.notified() => {}
        _ = answer => panic!("it was answered before anybody could close the page"),
    }

    let stored = async {
        while images(&desk).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stored).await.unwrap();
}
