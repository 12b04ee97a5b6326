use super::*;

const PROVISIONING: &str = r#"<html><head><meta name="csrf-token" content="t0k3n"><style>b{}</style></head><body>
<nav><a href="/provConf.htm">Provisioning  Server</a> <a href="backup.htm">Phone Backup &amp; Restore</a></nav>
<details><summary>+ Global Settings</summary><form method="post" action="/form-submit/restore"><button>Restore</button></form></details>
<form id="prov" method="POST" action="/form-submit">
 <table><tr><td>Server Type:</td><td><select name="12"><option value="0">FTP</option><option value="3" selected>HTTPS</option>
 <option value="2">HTTP</option></select></td></tr></table>
 <label for="a">Server Address</label><input id="a" name="444" value="old">
 <label><input type="checkbox" name="tag" value="1" checked> Tag serial number</label>
 <label><input type="radio" name="how" value="auto" checked> Automatic</label>
 <label><input type="radio" name="how" value="hand"> By hand</label>
 <input type="hidden" name="h" value="1"><input name="unsent" value="x" disabled>
</form>
<button form="prov" name="go" value="1">Save</button><script>var unread = "Secret words";</script></body></html>"#;

fn page() -> Page {
    Page::new("https://127.0.0.1:4430/provConf.htm".parse().unwrap(), PROVISIONING.to_owned())
}

fn sent(click: Click) -> (String, String) {
    let Click::Goes(sending) = click else { panic!("nothing is sent") };
    let body = sending.body.map(|(_, body)| String::from_utf8(body).unwrap()).unwrap_or_default();
    (format!("{} {}", sending.method, sending.url), body)
}

#[test]
fn a_form_is_sent_with_what_was_filled_in_and_what_stood_there() {
    let mut page = page();
    page.set("Server Type", "HTTP").unwrap();
    page.set("Server Address", "https://a.example/x?y&z").unwrap();
    assert_eq!(page.click("By hand").unwrap(), Click::Stays);

    let (line, body) = sent(page.click("Save").unwrap());

    assert_eq!(line, "POST https://127.0.0.1:4430/form-submit");
    assert_eq!(body, "12=2&444=https%3A%2F%2Fa.example%2Fx%3Fy%26z&tag=1&how=hand&h=1&go=1");
}

#[test]
fn a_checkbox_can_be_cleared() {
    let mut page = page();
    page.set("Tag serial number", "off").unwrap();

    let (_, body) = sent(page.click("Save").unwrap());

    assert_eq!(body, "12=3&444=old&how=auto&h=1&go=1");
}

#[test]
fn links_are_found_by_their_words() {
    let (line, _) = sent(page().click("Phone Backup & Restore").unwrap());
    assert_eq!(line, "GET https://127.0.0.1:4430/backup.htm");
    assert_eq!(page().click("Global Settings").unwrap(), Click::Stays);
    assert_eq!(sent(page().click("Restore").unwrap()).0, "POST https://127.0.0.1:4430/form-submit/restore");
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let told = page().set("Boot Server", "Static").unwrap_err().to_string();
    assert!(told.starts_with("there is no field \"Boot Server\" on /provConf.htm; there are: Server Type"), "{told}");

    let told = page().set("Server Type", "TFTP").unwrap_err().to_string();
    assert_eq!(told, "there is no choice \"TFTP\" on /provConf.htm; there are: FTP, HTTPS, HTTP");

    let told = page().click("Reboot").unwrap_err().to_string();
    assert!(told.contains("there are: Provisioning Server, Phone Backup & Restore"), "{told}");
}

#[test]
fn scripts_and_styles_are_not_read() {
    let text = page().text();

    assert!(text.contains("Server Type: FTP HTTPS HTTP"), "{text}");
    assert!(!text.contains("Secret") && !text.contains("b{}"), "{text}");
    assert_eq!(page().csrf_token().as_deref(), Some("t0k3n"));
}

#[test]
fn a_form_with_a_password_is_signed_in_at() {
    let html = r#"<form action="/form-submit/auth.htm" method="post">
        <label><input type="radio" name="who" value="Polycom" checked> Admin</label>
        <label><input type="radio" name="who" value="User"> User</label>
        <input type="password" name="secret"><button>Submit</button></form>"#;
    let mut page = Page::new("https://127.0.0.1/".parse().unwrap(), html.to_owned());

    let sending = page.sign_in("User", "123").unwrap();

    assert_eq!(sending.url.as_str(), "https://127.0.0.1/form-submit/auth.htm");
    assert_eq!(sending.body.unwrap().1, b"who=User&secret=123");
}
