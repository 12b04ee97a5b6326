//! Doubles of Asterisk's manager and FreeSWITCH's event socket, written from their documentation and not from ours: they
//! read and answer lines, and keep what they were told.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A PBX's port, what was said to it, and which line is in a call.
pub(crate) struct Double {
    pub(crate) port: u16,
    told: Arc<Mutex<Vec<String>>>,
    in_call: Arc<Mutex<Option<&'static str>>>,
}

type Serve = fn(&mut Talk) -> std::io::Result<()>;

/// One connection.
struct Talk {
    reads: BufReader<TcpStream>,
    writes: TcpStream,
    told: Arc<Mutex<Vec<String>>>,
    in_call: Arc<Mutex<Option<&'static str>>>,
}

impl Double {
    /// Asterisk 20 with the user provost and the secret `opensesame`.
    pub(crate) fn asterisk() -> Self {
        Self::start(asterisk)
    }

    /// FreeSWITCH 1.10 with the password ClueCon.
    pub(crate) fn freeswitch() -> Self {
        Self::start(freeswitch)
    }

    fn start(serve: Serve) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let double = Self { port, told: Arc::default(), in_call: Arc::default() };
        let (told, in_call) = (Arc::clone(&double.told), Arc::clone(&double.in_call));
        // It ends with the process of the tests.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, in_call) = (Arc::clone(&told), Arc::clone(&in_call));
                let reads = BufReader::new(stream.try_clone().unwrap());
                let mut talk = Talk { reads, writes: stream, told, in_call };
                std::thread::spawn(move || drop(serve(&mut talk)));
            }
        });
        double
    }

    /// Every message that came, in order.
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    /// The messages that hold this.
    pub(crate) fn told_with(&self, word: &str) -> Vec<String> {
        self.told().into_iter().filter(|text| text.contains(word)).collect()
    }

    pub(crate) fn is_in_call(&self, line: Option<&'static str>) {
        *self.in_call.lock().unwrap() = line;
    }
}

impl Talk {
    /// The lines up to an empty one.
    fn message(&mut self) -> std::io::Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.reads.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                self.told.lock().unwrap().push(lines.join("\n"));
                return Ok(lines);
            }
            lines.push(line);
        }
    }

    fn says(&mut self, text: &str) -> std::io::Result<()> {
        self.writes.write_all(text.as_bytes())
    }
}

fn field<'a>(lines: &'a [String], name: &str) -> &'a str {
    lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default()
}

fn asterisk(talk: &mut Talk) -> std::io::Result<()> {
    talk.says("Asterisk Call Manager/9.0.0\r\n")?;
    loop {
        let lines = talk.message()?;
        let id = format!("ActionID: {}\r\n", field(&lines, "ActionID"));
        let success = |more: &str| format!("Response: Success\r\n{id}{more}\r\n");
        let list = |events: &str, end: &str| {
            format!(
                "Response: Success\r\n{id}EventList: start\r\n\r\n{events}Event: {end}\r\n{id}EventList: Complete\r\nListItems: 1\r\n\r\n"
            )
        };
        let answer = match field(&lines, "Action") {
            "Challenge" => success("Challenge: 1234567\r\n"),
            "Login" if field(&lines, "Key") == md5_of("1234567opensesame") => {
                success("Message: Authentication accepted\r\n")
            }
            "Login" => format!("Response: Error\r\n{id}Message: Authentication failed\r\n\r\n"),
            "CoreSettings" => success("AMIversion: 9.0.0\r\nAsteriskVersion: 20.6.0\r\n"),
            "PJSIPShowRegistrationInboundContactStatuses" => {
                let event = format!(
                    "Event: ContactStatusDetail\r\n{id}AOR: 1001\r\nURI: sip:1001@192.0.2.7:5060\r\nStatus: Reachable\r\n\
                     EndpointName: 1001\r\nUserAgent: PolycomVVX-VVX_500-UA/5.9.7\r\nRegExpire: 4102444800\r\n\r\n"
                );
                list(&event, "ContactStatusDetailComplete")
            }
            "CoreShowChannels" => {
                let busy = *talk.in_call.lock().unwrap();
                let event = |line| {
                    format!(
                        "Event: CoreShowChannel\r\n{id}Channel: PJSIP/{line}-0000002a\r\nChannelStateDesc: Up\r\n\r\n"
                    )
                };
                list(&busy.map_or(String::new(), event), "CoreShowChannelsComplete")
            }
            "PJSIPNotify" => success("Message: NOTIFY sent\r\n"),
            _ => format!("Response: Error\r\n{id}Message: Invalid/unknown command: Use Action: ListCommands\r\n\r\n"),
        };
        // An event nobody asked for comes between.
        talk.says("Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n")?;
        talk.says(&answer)?;
    }
}

/// By the program md5sum: another judge than the one that is tested.
fn md5_of(text: &str) -> String {
    let mut child = std::process::Command::new("md5sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap_or_default().to_owned()
}

fn freeswitch(talk: &mut Talk) -> std::io::Result<()> {
    talk.says("Content-Type: auth/request\n\n")?;
    loop {
        let lines = talk.message()?;
        let reply = |text: &str| format!("Content-Type: command/reply\nReply-Text: {text}\n\n");
        let response = |body: &str| format!("Content-Type: api/response\nContent-Length: {}\n\n{body}", body.len());
        let busy = *talk.in_call.lock().unwrap();
        let channel = |line| {
            let at = format!("{line}@pbx.example.com");
            format!(
                r#"{{"row_count":1,"rows":[{{"uuid":"1","name":"sofia/internal/{at}","presence_id":"{at}","cid_num":"{line}","dest":"2001"}}]}}"#
            )
        };
        let answer = match lines.first().map(String::as_str).unwrap_or_default() {
            "auth ClueCon" => reply("+OK accepted"),
            text if text.starts_with("auth") => reply("-ERR invalid"),
            "api version" => response("FreeSWITCH Version 1.10.9-release+git~20230101 (git 64bit)\n"),
            "api sofia status profile internal reg" => response(
                "\nRegistrations:\n====\nCall-ID:    \tG7Zf-1\nUser:       \t1001@pbx.example.com\n\
                 Contact:    \t\"Ada\" <sip:1001@192.0.2.7:5060>\nAgent:      \tPolycomVVX-VVX_500-UA/5.9.7\n\
                 Status:     \tRegistered(UDP)(unknown) EXP(2026-01-01 00:00:00) EXPSECS(359)\nHost:       \tfs\n\n\
                 Total items returned: 1\n====\n",
            ),
            text if text.starts_with("api sofia status profile") => response("Invalid Profile!\n"),
            "api show channels as json" => response(&busy.map_or_else(|| "{\"row_count\":0}\n".to_owned(), channel)),
            "sendevent NOTIFY" => reply("+OK 7f4de4bc-17d7-11dd-b7a0-db4edd065621"),
            _ => reply("-ERR command not found"),
        };
        talk.says(&answer)?;
    }
}
