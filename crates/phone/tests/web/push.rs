use provost_phone::Key;

use crate::phone::Lab;
use crate::tool::Tool;

const SESSIONS: &str = "5.9.7.4477";
const ON: &str = r#"<a apps.push.messageType="5" apps.push.username="push" apps.push.password="secret"
    apps.statePolling.responseMode="0" apps.statePolling.username="poll" apps.statePolling.password="word"
    reg.1.label="Desk" reg.1.address="100@pbx.example"/>"#;
const COMMANDS: &str = "Content-Type: application/x-com-polycom-spipx";

fn pusher(lab: &Lab) -> Tool {
    lab.plain().user("push", "secret").with("--digest", "--compressed").header(COMMANDS)
}

fn data(priority: &str, text: &str) -> String {
    format!("<PolycomIPPhone><Data priority=\"{priority}\">{text}</Data></PolycomIPPhone>")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_key_is_pressed() {
    let lab = Lab::with("vvx500", SESSIONS, ON).await;
    let before = lab.handset.view().await.face.title;

    let reply = pusher(&lab).post("/push", &data("critical", "Key:Home")).await;

    assert_eq!(reply.body, "Push Message will be displayed successfully", "{reply:?}");
    assert_ne!(lab.handset.view().await.face.title, before, "the key was not pressed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_pushed_page_are_shown_until_a_key_takes_them_away() {
    let lab = Lab::with("vvx500", SESSIONS, ON).await;
    let tool = lab.plain().user("push", "secret").with("--digest", "--compressed").header("Content-Type: text/xml");

    let reply = tool.post("/push", &data("critical", "<h1>Fire drill</h1> at ten")).await;

    assert_eq!(reply.body, "Push Message will be displayed successfully", "{reply:?}");
    assert!(lab.handset.view().await.face.text().contains("Fire drill at ten"));
    lab.handset.press(Key::Soft(1)).await;
    assert!(!lab.handset.view().await.face.text().contains("Fire drill"));
    assert_eq!(tool.post("/push", &data("critical", "<br/>")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_need_the_switch_the_password_and_the_right_form() {
    let off = Lab::with("vvx500", SESSIONS, "").await;
    let lab = Lab::with("vvx500", SESSIONS, ON).await;
    let critical = Lab::with("vvx500", SESSIONS, &ON.replace("messageType=\"5\"", "messageType=\"4\"")).await;
    let good = data("high", "Key:Home");

    assert_eq!(pusher(&off).post("/push", &good).await.status, 404);
    assert_eq!(lab.plain().header(COMMANDS).post("/push", &good).await.status, 401);
    assert_eq!(lab.plain().user("push", "secret").header(COMMANDS).post("/push", &good).await.status, 403);
    let wrong = lab.plain().user("push", "wrong").with("--digest", "--compressed").header(COMMANDS);
    assert_eq!(wrong.post("/push", &good).await.status, 403);
    assert_eq!(pusher(&critical).post("/push", &good).await.status, 403);
    for bad in ["Key:Home".to_owned(), data("high", "Key:Nothing"), data("high", "Play:x"), data("high", "")] {
        assert_eq!(pusher(&lab).post("/push", &bad).await.status, 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_five_wrong_passwords_no_push_is_taken_and_the_pages_stay_open() {
    let lab = Lab::with("vvx500", SESSIONS, ON).await;
    let wrong = lab.plain().user("push", "wrong").with("--digest", "--compressed").header(COMMANDS);
    let poll = lab.plain().user("poll", "word").with("--digest", "--compressed");
    let good = data("high", "Key:Home");
    assert_eq!(pusher(&lab).post("/push", &good).await.status, 200);

    for _ in 0..5 {
        assert_eq!(wrong.post("/push", &good).await.status, 403);
    }

    assert_eq!(pusher(&lab).post("/push", &good).await.status, 403);
    assert_eq!(poll.get("/polling/deviceHandler").await.status, 403);
    assert_eq!(lab.administrator("456").await.get("/home.htm").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poller_is_told_what_the_phone_is_and_does() {
    let lab = Lab::with("vvx500", SESSIONS, ON).await;
    let tool = lab.plain().user("poll", "word").with("--digest", "--compressed");

    let device = tool.get("/polling/deviceHandler").await;
    let network = tool.get("/polling/networkHandler").await;
    let calls = tool.get("/polling/callstateHandler").await;

    for text in
        ["<ModelNumber>VVX 500</ModelNumber>", "<AppLoadID>5.9.7.4477 ", "<MACAddress>0004f2000004</MACAddress>"]
    {
        assert!(device.body.contains(text), "{text} is not in {device:?}");
    }
    let server = format!("<ProvServer>{}/</ProvServer>", lab.server.url());
    assert!(network.body.contains(&server), "{network:?}");
    assert!(calls.body.contains("<LineDirNum>Desk</LineDirNum><LineState>Inactive</LineState>"), "{calls:?}");
    assert_eq!(tool.get("/polling/other").await.status, 404);
    let wrong = lab.plain().user("poll", "secret").with("--digest", "--compressed");
    assert_eq!(wrong.get("/polling/deviceHandler").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_is_off_until_answers_go_to_whoever_asks() {
    let lab = Lab::with("vvx500", SESSIONS, &ON.replace("responseMode=\"0\"", "responseMode=\"1\"")).await;
    let tool = lab.plain().user("poll", "word").with("--digest", "--compressed");

    assert_eq!(tool.get("/polling/deviceHandler").await.status, 404);
}
