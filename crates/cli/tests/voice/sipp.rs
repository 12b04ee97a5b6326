//! SIPp as the phone: scenarios are written for it step by step.

use crate::line::Line;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

/// One step of a call.
#[derive(Debug, Clone)]
pub(crate) enum Does<'a> {
    /// REGISTER with the digest.
    Registers,
    /// INVITE to this number, digest, 200, ACK.
    Calls(&'a str),
    /// INVITE, but no ACK for the first 200.
    CallsAndLosesItsAck(&'a str),
    /// INVITE that is answered without a challenge.
    CallsForHelp(&'a str),
    /// One INFO for each key.
    Keys(&'a str),
    /// Offers the same call anew.
    Reinvites,
    /// Waits this long in milliseconds, as a person does.
    Pauses(u32),
    /// BYE of its own.
    HangsUp,
    /// Waits for the server's BYE.
    IsHungUpOn,
}

/// Runs the steps from a port of SIPp's choice; returns what it printed when it failed.
pub(crate) fn run(line: &Line, transport: &str, steps: &[Does<'_>]) -> Result<(), String> {
    run_at(0, line, transport, steps)
}

/// The same from this port, or any with 0. SIPp signs for one address in a run, so a REGISTER needs one of its own.
pub(crate) fn run_at(port: u16, line: &Line, transport: &str, steps: &[Does<'_>]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer { line, text: String::new(), cseq: 0 };
    for step in steps {
        writer.step(step);
    }
    let scenario = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"phone\">\n{}</scenario>\n",
        writer.text
    );
    let file = folder.path().join("scenario.xml");
    std::fs::write(&file, &scenario).unwrap();
    let number = steps.iter().find_map(|step| match step {
        Does::Calls(number) | Does::CallsAndLosesItsAck(number) => Some(*number),
        _ => None,
    });
    let mut sipp = Command::new("sipp");
    if let Some(number) = number {
        sipp.args(["-auth_uri", &format!("{number}@{}", line.server)]);
    }
    if port != 0 {
        sipp.args(["-p", &port.to_string()]);
    }
    let output = sipp
        .current_dir(folder.path())
        .arg(line.server.to_string())
        .args(["-sf", file.to_str().unwrap(), "-m", "1", "-i", "127.0.0.1", "-t", transport, "-nostdin"])
        .args(["-timeout", "60s", "-timeout_error", "-trace_err", "-trace_msg", "-message_file", "messages.log"])
        .args(["-au", &line.user, "-ap", &line.password])
        .stdin(Stdio::null())
        .output()
        .expect("sipp (Debian: sip-tester)");
    if output.status.success() {
        return Ok(());
    }
    let messages = std::fs::read_to_string(folder.path().join("messages.log")).unwrap_or_default();
    Err(format!("{}\n{}\n{messages}", output.status, String::from_utf8_lossy(&output.stderr)))
}

struct Writer<'a> {
    line: &'a Line,
    text: String,
    cseq: u32,
}

const SDP: &str = "v=0\no=phone 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0 8 101\n\
                   a=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-15\na=sendrecv\n";

impl Writer<'_> {
    fn step(&mut self, step: &Does<'_>) {
        match step {
            Does::Registers => {
                self.request("REGISTER", None, ("", "Expires: 300\n"), "");
                self.text.push_str("<recv response=\"401\" auth=\"true\"/>\n");
                self.request("REGISTER", None, ("", "Expires: 300\n[authentication]\n"), "");
                self.text.push_str("<recv response=\"200\"/>\n");
            }
            Does::Calls(number) => {
                self.invite(number);
                self.expect(200, "rrs=\"true\"");
                self.ack(number);
            }
            Does::CallsAndLosesItsAck(number) => {
                self.invite(number);
                self.expect(200, "rrs=\"true\"");
                // The answer comes again meanwhile, because nobody confirmed it; SIPp takes it for the repeat it is.
                self.text.push_str("<pause milliseconds=\"1800\"/>\n");
                self.ack(number);
            }
            Does::CallsForHelp(number) => {
                self.request("INVITE", Some(number), ("", ""), SDP);
                self.text.push_str("<recv response=\"100\" optional=\"true\"/>\n");
                self.expect(200, "rrs=\"true\"");
                self.ack(number);
            }
            Does::Keys(keys) => keys.chars().for_each(|key| self.info(key)),
            Does::Reinvites => {
                self.request("INVITE", Some(&self.line.contact.clone()), ("[peer_tag_param]", ""), SDP);
                self.text.push_str("<recv response=\"100\" optional=\"true\"/>\n");
                self.expect(200, "rrs=\"true\"");
                self.ack(&self.line.contact.clone());
            }
            Does::Pauses(ms) => {
                let _ = writeln!(self.text, "<pause milliseconds=\"{ms}\"/>");
            }
            Does::HangsUp => {
                self.request("BYE", Some(&self.line.contact.clone()), ("[peer_tag_param]", ""), "");
                self.text.push_str("<recv response=\"200\"/>\n");
            }
            Does::IsHungUpOn => self.is_hung_up_on(),
        }
    }

    /// INVITE, the challenge, and INVITE with the digest; the answer is left to the caller.
    fn invite(&mut self, number: &str) {
        self.request("INVITE", Some(number), ("", ""), SDP);
        self.text.push_str("<recv response=\"100\" optional=\"true\"/>\n<recv response=\"401\" auth=\"true\"/>\n");
        self.ack_of_refusal(number);
        self.request("INVITE", Some(number), ("", "[authentication]\n"), SDP);
        self.text.push_str("<recv response=\"100\" optional=\"true\"/>\n");
    }

    fn expect(&mut self, status: u16, attributes: &str) {
        let _ = writeln!(self.text, "<recv response=\"{status}\" timeout=\"20000\" {attributes}/>");
    }

    fn request(&mut self, method: &str, number: Option<&str>, (tag, headers): (&str, &str), body: &str) {
        self.cseq += 1;
        let (cseq, user) = (self.cseq, &self.line.user);
        let target = number.map_or(String::new(), |number| format!("{number}@"));
        let to = number.unwrap_or(user);
        let kind = match (method, body.is_empty()) {
            ("INFO", false) => "Content-Type: application/dtmf-relay\n",
            (_, false) => "Content-Type: application/sdp\n",
            (_, true) => "",
        };
        let _ = write!(
            self.text,
            "<send retrans=\"500\"><![CDATA[\n{method} sip:{target}[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]\n\
             From: <sip:{user}@[remote_ip]>;tag=[call_number]\nTo: <sip:{to}@[remote_ip]>{tag}\n\
             Call-ID: [call_id]\nCSeq: {cseq} {method}\nContact: <sip:{user}@[local_ip]:[local_port];transport=[transport]>\n\
             Max-Forwards: 70\nUser-Agent: PolycomVVX-VVX_500-UA/5.9.7.4477\n{headers}{kind}Content-Length: [len]\n\n{body}]]></send>\n"
        );
    }

    /// ACK of a refusal: the branch and number of the request before.
    fn ack_of_refusal(&mut self, number: &str) {
        let (cseq, user) = (self.cseq, &self.line.user);
        let _ = write!(
            self.text,
            "<send><![CDATA[\nACK sip:{number}@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch-1]\n\
             From: <sip:{user}@[remote_ip]>;tag=[call_number]\nTo: <sip:{number}@[remote_ip]>[peer_tag_param]\n\
             Call-ID: [call_id]\nCSeq: {cseq} ACK\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>\n"
        );
    }

    /// ACK of a 200 or of a final refusal.
    fn ack(&mut self, number: &str) {
        let (cseq, user) = (self.cseq, &self.line.user);
        let _ = write!(
            self.text,
            "<send><![CDATA[\nACK sip:{number}@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]\n\
             From: <sip:{user}@[remote_ip]>;tag=[call_number]\nTo: <sip:{number}@[remote_ip]>[peer_tag_param]\n\
             Call-ID: [call_id]\nCSeq: {cseq} ACK\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>\n"
        );
    }

    fn info(&mut self, key: char) {
        let body = format!("Signal={key}\nDuration=160\n");
        self.request("INFO", Some(&self.line.contact.clone()), ("[peer_tag_param]", ""), &body);
        self.text.push_str("<recv response=\"200\"/>\n");
    }

    fn is_hung_up_on(&mut self) {
        let _ = write!(
            self.text,
            "<recv request=\"BYE\" timeout=\"40000\"/>\n<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n\
             [last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>\n"
        );
    }
}
