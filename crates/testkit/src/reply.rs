//! What curl got.

use serde_json::Value;
use std::process::{Command, Stdio};

/// An HTTP answer as curl saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status; 0 when there was no answer.
    pub status: u16,
    /// Header lines but the status line, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What curl said when it failed.
    pub trouble: String,
}

impl Reply {
    /// Runs curl with these arguments.
    pub fn of(arguments: &[&str]) -> Self {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--include", "--max-time", "20", "--path-as-is"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("curl is installed");
        let mut reply = Self { status: 0, headers: Vec::new(), body: output.stdout, trouble: String::new() };
        reply.trouble = String::from_utf8_lossy(&output.stderr).into_owned();
        while let Some(end) = reply.body.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = reply.body.split_off(end + 4);
            let head = String::from_utf8_lossy(&reply.body).into_owned();
            reply.body = rest;
            let mut lines = head.lines();
            reply.status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
            reply.headers = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            // What follows an interim answer or a redirect is the next answer's head.
            if !reply.body.starts_with(b"HTTP/") {
                break;
            }
        }
        reply
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}: {}", self.status, self.text()))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
