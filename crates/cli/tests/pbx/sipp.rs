//! SIPp as the phones of a PBX.

use std::fmt::Write as _;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// One run of SIPp; killed when dropped.
pub(crate) struct Sipp {
    child: Child,
    folder: TempDir,
}

/// A port of UDP that is free now.
pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Sipp {
    /// Runs steps from a port: toward a server, or waiting where `server` is none.
    fn run(port: u16, server: Option<u16>, steps: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"phone\">\n{steps}</scenario>\n"
        );
        std::fs::write(folder.path().join("scenario.xml"), scenario).unwrap();
        let mut sipp = Command::new("sipp");
        if let Some(server) = server {
            sipp.arg(format!("127.0.0.1:{server}"));
        }
        let child = sipp
            .current_dir(folder.path())
            .args(["-sf", "scenario.xml", "-m", "1", "-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin"])
            .args(["-timeout", "25", "-timeout_error", "-trace_msg", "-message_file", "messages"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp (Debian: sip-tester)");
        Self { child, folder }
    }

    /// Everything that was sent and received.
    pub(crate) fn messages(&self) -> String {
        let text = std::fs::read(self.folder.path().join("messages")).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Waits for its end, which must be good.
    pub(crate) fn ended(mut self) -> String {
        let status = self.child.wait().unwrap();
        let messages = self.messages();
        assert!(status.success(), "SIPp: {status}\n{messages}");
        messages
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(method: &str, uri: &str, (from, to): (&str, &str), more: &str) -> String {
    format!(
        "<send retrans=\"500\"><![CDATA[\n{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n\
         From: <sip:{from}@127.0.0.1>;tag=[call_number]\nTo: <sip:{to}@127.0.0.1>\nCall-ID: [call_id]\n\
         CSeq: 1 {method}\nMax-Forwards: 70\n{more}Content-Length: 0\n\n]]></send>\n"
    )
}

fn reply(status: &str, more: &str) -> String {
    format!(
        "<send><![CDATA[\nSIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n\
         [last_CSeq:]\n[last_Record-Route:]\n{more}Content-Length: 0\n\n]]></send>\n"
    )
}

/// Registers a line for the phone that waits at `at`, under this name.
pub(crate) fn registers(server: u16, line: &str, at: u16, agent: &str) {
    let more = format!("Contact: <sip:{line}@127.0.0.1:{at}>\nUser-Agent: {agent}\nExpires: 120\n");
    let mut steps = request("REGISTER", "sip:127.0.0.1", (line, line), &more);
    steps.push_str("<recv response=\"200\"/>\n");
    Sipp::run(free_port(), Some(server), &steps).ended();
}

/// A phone that waits for one NOTIFY and answers it so.
pub(crate) fn hears_notify(at: u16, status: &str) -> Sipp {
    let sipp = Sipp::run(at, None, &format!("<recv request=\"NOTIFY\"/>\n{}", reply(status, "")));
    bound(at);
    sipp
}

/// A phone that takes one call and hangs up on `quiet` milliseconds.
pub(crate) fn takes_a_call(at: u16) -> Sipp {
    let mut steps = "<recv request=\"INVITE\"/>\n".to_owned();
    steps.push_str(&reply("200 OK", "Contact: <sip:[local_ip]:[local_port]>\n"));
    steps.push_str("<recv request=\"ACK\"/>\n<recv request=\"BYE\"/>\n");
    steps.push_str(&reply("200 OK", ""));
    let sipp = Sipp::run(at, None, &steps);
    bound(at);
    sipp
}

/// A phone that calls, and hangs up when this file is there.
pub(crate) fn calls(server: u16, (line, to): (&str, &str), talks_ms: u32) -> Sipp {
    let contact = format!("Contact: <sip:{line}@[local_ip]:[local_port]>\n");
    let mut steps = request("INVITE", &format!("sip:{to}@127.0.0.1:{server}"), (line, to), &contact);
    steps.push_str("<recv response=\"100\" optional=\"true\"/>\n<recv response=\"200\" rrs=\"true\"/>\n");
    for (method, number, before) in [("ACK", 1, 0), ("BYE", 2, talks_ms)] {
        let _ = write!(
            steps,
            "<pause milliseconds=\"{before}\"/>\n<send><![CDATA[\n{method} [next_url] SIP/2.0\n\
             Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n[routes]\n\
             From: <sip:{line}@127.0.0.1>;tag=[call_number]\n[last_To:]\nCall-ID: [call_id]\n\
             CSeq: {number} {method}\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>\n"
        );
    }
    steps.push_str("<recv response=\"200\"/>\n");
    Sipp::run(free_port(), Some(server), &steps)
}

/// Waits until somebody has the port.
fn bound(port: u16) {
    crate::scene::until(|| UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(()));
}
